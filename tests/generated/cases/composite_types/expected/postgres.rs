//! composite types

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - view homes
        //   It is in the way of: composite type address: number integer to text, -zip, +country text
        db.execute_unprepared("DROP VIEW public.homes").await?;

        // + range type hours of time
        db.execute_unprepared(
                "CREATE TYPE public.hours AS RANGE (SUBTYPE = time, MULTIRANGE_TYPE_NAME = public.hours_multirange)",
            )
            .await?;

        // ~ composite type address: number integer to text, -zip, +country text
        // CHECK: data is lost and can't be brought back.
        // CHECK: what rows have in the attribute zip is lost
        // CHECK: the type is made anew and its columns are moved over, which writes their tables anew
        db.execute_unprepared("ALTER TYPE public.address RENAME TO address__old").await?;
        db.execute_unprepared(
                "CREATE TYPE public.address AS (street text, number text, country text)",
            )
            .await?;
        db.execute_unprepared(
                "COMMENT ON COLUMN public.address.country IS 'two letters'",
            )
            .await?;
        db.execute_unprepared(
                "ALTER TABLE public.people ALTER COLUMN home TYPE public.address USING CASE WHEN home IS NOT DISTINCT FROM NULL THEN NULL ELSE ROW((home).street, (home).number, NULL)::public.address END",
            )
            .await?;
        db.execute_unprepared("DROP TYPE public.address__old").await?;

        // + column people.awake hours
        //     ALTER TABLE public.people ADD COLUMN awake public.hours
        manager
            .alter_table(
                Table::alter()
                    .table("people")
                    .add_column(ColumnDef::new("awake").custom("public.hours").null())
                    .to_owned(),
            )
            .await?;

        // + view homes
        //   It is in the way of: composite type address: number integer to text, -zip, +country text
        db.execute_unprepared(
                r"CREATE VIEW public.homes AS
SELECT people.id,
    (people.home).street AS street
   FROM public.people",
            )
            .await?;

        // - composite type unused (a integer)
        db.execute_unprepared("DROP TYPE public.unused").await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // What does not come back:
        //   what rows had in attributes of address that go

        // + composite type unused (a integer)
        db.execute_unprepared("CREATE TYPE public.unused AS (a integer)").await?;

        // - view homes
        db.execute_unprepared("DROP VIEW public.homes").await?;

        // - column people.awake hours
        //     ALTER TABLE public.people DROP COLUMN awake
        manager
            .alter_table(Table::alter().table("people").drop_column("awake").to_owned())
            .await?;

        // ~ composite type address: number text to integer, -country, +zip varchar(10)
        db.execute_unprepared("ALTER TYPE public.address RENAME TO address__old").await?;
        db.execute_unprepared(
                "CREATE TYPE public.address AS (street text, number integer, zip varchar(10))",
            )
            .await?;
        db.execute_unprepared(
                "ALTER TABLE public.people ALTER COLUMN home TYPE public.address USING CASE WHEN home IS NOT DISTINCT FROM NULL THEN NULL ELSE ROW((home).street, (home).number::integer, NULL)::public.address END",
            )
            .await?;
        db.execute_unprepared("DROP TYPE public.address__old").await?;

        // - range type hours of time
        db.execute_unprepared("DROP TYPE public.hours").await?;

        // + view homes
        db.execute_unprepared(
                r"CREATE VIEW public.homes AS
SELECT people.id,
    (people.home).street AS street
   FROM public.people",
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
