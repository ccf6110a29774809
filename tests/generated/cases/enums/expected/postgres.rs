//! enums

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::extension::postgres::Type;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - enum mood: value old
        // CHECK: fails if existing rows do not fit.
        // CHECK: rows that have the value old make it fail
        // CHECK: the type is made anew and its columns are moved over, which writes their tables anew
        db.execute_unprepared("ALTER TYPE public.mood RENAME TO mood__old").await?;
        db.execute_unprepared("CREATE TYPE public.mood AS ENUM ('happy', 'sad')").await?;
        db.execute_unprepared(
                "ALTER TABLE public.t ALTER COLUMN m DROP DEFAULT, ALTER COLUMN m TYPE public.mood USING m::text::public.mood, ALTER COLUMN m SET DEFAULT 'happy'::public.mood",
            )
            .await?;
        db.execute_unprepared("DROP TYPE public.mood__old").await?;

        // + enum size: value l
        // CHECK: the new value can be used only after this has been committed
        //     ALTER TYPE public.size ADD VALUE 'l'
        manager.alter_type(Type::alter().name("size").add_value("l").after("m")).await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // What does not come back:
        //   which rows had the value old of mood

        // - enum size: value l
        db.execute_unprepared("ALTER TYPE public.size RENAME TO size__old").await?;
        db.execute_unprepared("CREATE TYPE public.size AS ENUM ('s', 'm')").await?;
        db.execute_unprepared(
                "ALTER TABLE public.u ALTER COLUMN s TYPE public.size USING s::text::public.size",
            )
            .await?;
        db.execute_unprepared("DROP TYPE public.size__old").await?;

        // + enum mood: value old
        //     ALTER TYPE public.mood ADD VALUE 'old'
        manager
            .alter_type(Type::alter().name("mood").add_value("old").after("sad"))
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
