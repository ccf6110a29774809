//! add column

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // + column users.bio text
        db.execute_unprepared(
                "ALTER TABLE `users` ADD COLUMN `bio` text, ADD COLUMN `age` integer DEFAULT 18, ADD COLUMN `country` varchar(2) NOT NULL DEFAULT 'GR'",
            )
            .await?;

        // + column users.age integer default 18
        // Done above, with: + column users.bio text

        // + column users.country varchar(2) not null default 'GR'
        // Done above, with: + column users.bio text

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - column users.country varchar(2) not null default 'GR'
        db.execute_unprepared(
                "ALTER TABLE `users` DROP COLUMN `country`, DROP COLUMN `age`, DROP COLUMN `bio`",
            )
            .await?;

        // - column users.age integer default 18
        // Done with: - column users.bio text

        // - column users.bio text

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
