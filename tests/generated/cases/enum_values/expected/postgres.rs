//! enum values

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

        // - view v
        //   It is in the way of: enum mood: value old
        db.execute_unprepared("DROP VIEW public.v").await?;

        // ~ enum mood: value sad renamed to blue
        //     ALTER TYPE public.mood RENAME VALUE 'sad' TO 'blue'
        manager
            .alter_type(Type::alter().name("mood").rename_value("sad", "blue"))
            .await?;

        // - enum mood: value old
        // CHECK: fails if existing rows do not fit.
        // CHECK: rows that have the value old make it fail
        // CHECK: the type is made anew and its columns are moved over, which writes their tables anew
        db.execute_unprepared("ALTER TYPE public.mood RENAME TO mood__old").await?;
        db.execute_unprepared("CREATE TYPE public.mood AS ENUM ('happy', 'blue')")
            .await?;
        db.execute_unprepared(
                "ALTER TABLE public.t ALTER COLUMN m DROP DEFAULT, ALTER COLUMN m TYPE public.mood USING m::text::public.mood, ALTER COLUMN m SET DEFAULT 'happy'::public.mood",
            )
            .await?;
        db.execute_unprepared("DROP TYPE public.mood__old").await?;

        // ~ enum size: order (s, m, l)
        // CHECK: writes the whole table anew and blocks it meanwhile.
        // CHECK: the type is made anew and its columns are moved over, which writes their tables anew
        db.execute_unprepared("ALTER TYPE public.size RENAME TO size__old").await?;
        db.execute_unprepared("CREATE TYPE public.size AS ENUM ('s', 'm', 'l')").await?;
        db.execute_unprepared(
                "ALTER TABLE public.t ALTER COLUMN s TYPE public.size[] USING s::text[]::public.size[]",
            )
            .await?;
        db.execute_unprepared("DROP TYPE public.size__old").await?;

        // ~ column t.n: type text to integer
        // CHECK: fails if existing rows do not fit.
        db.execute_unprepared(
                "ALTER TABLE public.t ALTER COLUMN n TYPE integer USING n::integer",
            )
            .await?;

        // ~ column t.at: type timestamp to timestamptz
        // CHECK: writes the whole table anew and blocks it meanwhile.
        //     ALTER TABLE public.t ALTER COLUMN at TYPE timestamptz
        manager
            .alter_table(
                Table::alter()
                    .table("t")
                    .modify_column(ColumnDef::new("at").timestamp_with_time_zone())
                    .to_owned(),
            )
            .await?;

        // + view v
        //   It is in the way of: enum mood: value old
        db.execute_unprepared(
                r"CREATE VIEW public.v AS
SELECT t.id,
    t.m
   FROM public.t",
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // What does not come back:
        //   which rows had the value old of mood

        // - view v
        db.execute_unprepared("DROP VIEW public.v").await?;

        // ~ column t.at: type timestamptz to timestamp
        //     ALTER TABLE public.t ALTER COLUMN at TYPE timestamp
        manager
            .alter_table(
                Table::alter()
                    .table("t")
                    .modify_column(ColumnDef::new("at").timestamp())
                    .to_owned(),
            )
            .await?;

        // ~ column t.n: type integer to text
        //     ALTER TABLE public.t ALTER COLUMN n TYPE text
        manager
            .alter_table(
                Table::alter()
                    .table("t")
                    .modify_column(ColumnDef::new("n").text())
                    .to_owned(),
            )
            .await?;

        // ~ enum size: order (l, s, m)
        db.execute_unprepared("ALTER TYPE public.size RENAME TO size__old").await?;
        db.execute_unprepared("CREATE TYPE public.size AS ENUM ('l', 's', 'm')").await?;
        db.execute_unprepared(
                "ALTER TABLE public.t ALTER COLUMN s TYPE public.size[] USING s::text[]::public.size[]",
            )
            .await?;
        db.execute_unprepared("DROP TYPE public.size__old").await?;

        // + enum mood: value old
        //     ALTER TYPE public.mood ADD VALUE 'old'
        manager
            .alter_type(Type::alter().name("mood").add_value("old").after("blue"))
            .await?;

        // ~ enum mood: value blue renamed to sad
        //     ALTER TYPE public.mood RENAME VALUE 'blue' TO 'sad'
        manager
            .alter_type(Type::alter().name("mood").rename_value("blue", "sad"))
            .await?;

        // + view v
        db.execute_unprepared(
                r"CREATE VIEW public.v AS
SELECT t.id,
    t.m
   FROM public.t",
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
