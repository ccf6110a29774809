//! Going to a named revision with plain sea-orm-migration, which only counts.

use sea_orm::{DatabaseConnection, DbErr};
use stairway_migration::{MigrationTrait, Migrator, MigratorTrait};

/// The names of all revisions, in the order in which they run.
pub(crate) fn names() -> Vec<String> {
    Migrator::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect()
}

/// The one revision with this name.
pub(crate) fn revision(name: &str) -> Box<dyn MigrationTrait> {
    Migrator::migrations()
        .into_iter()
        .find(|migration| migration.name() == name)
        .unwrap_or_else(|| panic!("there is no revision {name}"))
}

/// Applies what is pending up to and including `name`.
pub(crate) async fn up_to(db: &DatabaseConnection, name: &str) -> Result<(), DbErr> {
    let pending = through(name) - applied(db).await?;
    Migrator::up(db, Some(pending.try_into().expect("few revisions"))).await
}

/// Applies what is pending before `name`, and not `name`.
pub(crate) async fn up_to_before(db: &DatabaseConnection, name: &str) -> Result<(), DbErr> {
    let pending = through(name) - 1 - applied(db).await?;
    Migrator::up(db, Some(pending.try_into().expect("few revisions"))).await
}

/// Undoes what is applied after `name`, and not `name`.
pub(crate) async fn down_to(db: &DatabaseConnection, name: &str) -> Result<(), DbErr> {
    let surplus = applied(db).await? - through(name);
    Migrator::down(db, Some(surplus.try_into().expect("few revisions"))).await
}

/// How many revisions run until `name` is applied on an empty database.
fn through(name: &str) -> usize {
    let position = names().iter().position(|other| other == name);
    1 + position.unwrap_or_else(|| panic!("there is no revision {name}"))
}

async fn applied(db: &DatabaseConnection) -> Result<usize, DbErr> {
    Ok(Migrator::get_applied_migrations(db).await?.len())
}
