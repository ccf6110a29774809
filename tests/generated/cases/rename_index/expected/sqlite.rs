//! rename index

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // ~ index users_name on users renamed to users_by_name
        db.execute_unprepared(r#"DROP INDEX "users_name""#).await?;
        db.execute_unprepared(r#"CREATE INDEX "users_by_name" ON "users" ("name")"#)
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // ~ index users_by_name on users renamed to users_name
        db.execute_unprepared(r#"DROP INDEX "users_by_name""#).await?;
        db.execute_unprepared(r#"CREATE INDEX "users_name" ON "users" ("name")"#).await?;

        Ok(())
    }
}

/// The SQL in here is SQLite's.
fn refuse_other_databases(manager: &SchemaManager) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DbBackend::Sqlite => Ok(()),
        backend => Err(DbErr::Custom(format!("there is no SQL for {backend:?} here"))),
    }
}
