//! primary key

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - primary key of a (id)
        db.execute_unprepared(
                "ALTER TABLE `a` DROP PRIMARY KEY, ADD PRIMARY KEY (`id`, `part`)",
            )
            .await?;

        // + primary key of a (id, part)
        // CHECK: fails if existing rows do not fit.
        // Done above, with: - primary key of a (id)

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - primary key of a (id, part)
        db.execute_unprepared("ALTER TABLE `a` DROP PRIMARY KEY, ADD PRIMARY KEY (`id`)")
            .await?;

        // + primary key of a (id)

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
