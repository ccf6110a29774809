//! What the revisions make, take away and make again.

use sea_orm::DbErr;
use stairway_migration::{Migrator, MigratorTrait};

use crate::catalogue;
use crate::database::{TestDatabase, TestResult};
use crate::history;

crate::on_each_database!(
    down_to_base_leaves_nothing_and_up_again_leaves_the_same,
    each_revision_can_be_undone_and_done_again,
);

async fn down_to_base_leaves_nothing_and_up_again_leaves_the_same(
    database: &TestDatabase,
) -> TestResult {
    Migrator::up(&database.connect().await?, None).await?;
    let first = catalogue_of(database).await?;
    assert!(first.len() > 100, "the catalogue was read: {first:?}");

    Migrator::down(&database.connect().await?, None).await?;
    catalogue::assert_same("base", &catalogue_of(database).await?, &[]);

    Migrator::up(&database.connect().await?, None).await?;
    catalogue::assert_same("head again", &first, &catalogue_of(database).await?);
    Ok(())
}

async fn each_revision_can_be_undone_and_done_again(database: &TestDatabase) -> TestResult {
    let mut before = Vec::new();
    for name in history::names() {
        let db = database.connect().await?;
        Migrator::up(&db, Some(1)).await?;
        let after = catalogue_of(database).await?;

        Migrator::down(&db, Some(1)).await?;
        catalogue::assert_same(
            &format!("{name} undone"),
            &catalogue::without_positions(&before),
            &catalogue::without_positions(&catalogue_of(database).await?),
        );

        Migrator::up(&db, Some(1)).await?;
        before = catalogue_of(database).await?;
        catalogue::assert_same(&format!("{name} done again"), &after, &before);
        db.close().await?;
    }
    Ok(())
}

async fn catalogue_of(database: &TestDatabase) -> Result<Vec<String>, DbErr> {
    let db = database.connect().await?;
    let lines = catalogue::read(&db).await?;
    db.close().await?;
    Ok(lines)
}
