//! indexes and keys

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - index a_y on a (y)
        db.execute_unprepared(
                "ALTER TABLE `a` DROP INDEX `a_y`, ADD UNIQUE INDEX `a_x` (`x`), ADD INDEX `a_x_y` (`x`, `y`), ADD CONSTRAINT `a_positive` CHECK (`y` > 0)",
            )
            .await?;

        // + unique a_x of a (x)
        // CHECK: fails if existing rows do not fit.
        // Done above, with: - index a_y on a (y)

        // + index a_x_y on a (x, y)
        // Done above, with: - index a_y on a (y)

        // + check a_positive of a: y > 0
        // CHECK: fails if existing rows do not fit.
        // Done above, with: - index a_y on a (y)

        // + foreign key b_a of b (a_id) references a (id) on update cascade on delete set null
        // CHECK: fails if existing rows do not fit.
        //     ALTER TABLE `b` ADD CONSTRAINT `b_a` FOREIGN KEY (`a_id`) REFERENCES `a` (`id`) ON UPDATE CASCADE ON DELETE SET NULL
        manager
            .create_foreign_key(
                ForeignKey::create()
                    .name("b_a")
                    .from_tbl("b")
                    .from_col("a_id")
                    .to_tbl("a")
                    .to_col("id")
                    .on_delete(ForeignKeyAction::SetNull)
                    .on_update(ForeignKeyAction::Cascade)
                    .to_owned(),
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - foreign key b_a of b (a_id) references a (id) on update cascade on delete set null
        db.execute_unprepared("ALTER TABLE `b` DROP FOREIGN KEY `b_a`, DROP INDEX `b_a`")
            .await?;

        // - check a_positive of a: y > 0
        db.execute_unprepared(
                "ALTER TABLE `a` DROP CONSTRAINT `a_positive`, DROP INDEX `a_x_y`, DROP INDEX `a_x`, ADD INDEX `a_y` (`y`)",
            )
            .await?;

        // - index a_x_y on a (x, y)
        // Done with: + index a_y on a (y)

        // - unique a_x of a (x)
        // Done with: + index a_y on a (y)

        // + index a_y on a (y)

        Ok(())
    }
}

/// The SQL in here is MySQL's.
fn refuse_other_databases(manager: &SchemaManager) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DbBackend::MySql => Ok(()),
        backend => Err(DbErr::Custom(format!("there is no SQL for {backend:?} here"))),
    }
}
