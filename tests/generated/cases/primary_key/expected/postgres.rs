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
        db.execute_unprepared("ALTER TABLE public.a DROP CONSTRAINT a_pkey").await?;

        // + primary key of a (id, part)
        // CHECK: fails if existing rows do not fit.
        db.execute_unprepared(
                "ALTER TABLE public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id, part)",
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - primary key of a (id, part)
        db.execute_unprepared("ALTER TABLE public.a DROP CONSTRAINT a_pkey").await?;

        // + primary key of a (id)
        db.execute_unprepared(
                "ALTER TABLE public.a ADD CONSTRAINT a_pkey PRIMARY KEY (id)",
            )
            .await?;

        Ok(())
    }
}

/// The SQL in here is PostgreSQL's.
fn refuse_other_databases(manager: &SchemaManager) -> Result<(), DbErr> {
    match manager.get_database_backend() {
        DbBackend::Postgres => Ok(()),
        backend => Err(DbErr::Custom(format!("there is no SQL for {backend:?} here"))),
    }
}
