//! views and checks

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - view grown_up
        db.execute_unprepared("DROP VIEW public.grown_up").await?;

        // - view obsolete
        db.execute_unprepared("DROP VIEW public.obsolete").await?;

        // - check users_age of users: age > 0
        db.execute_unprepared("ALTER TABLE public.users DROP CONSTRAINT users_age")
            .await?;

        // ~ column users.name: type varchar(40) to varchar(80)
        //     ALTER TABLE public.users ALTER COLUMN name TYPE varchar(80)
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .modify_column(ColumnDef::new("name").string_len(80))
                    .to_owned(),
            )
            .await?;

        // - column users.gone integer
        // CHECK: data is lost and can't be brought back.
        //     ALTER TABLE public.users DROP COLUMN gone
        manager
            .alter_table(Table::alter().table("users").drop_column("gone").to_owned())
            .await?;

        // + check users_name of users: name <> ''
        // CHECK: fails if existing rows do not fit.
        db.execute_unprepared(
                "ALTER TABLE public.users ADD CONSTRAINT users_name CHECK (((name)::text <> ''::text))",
            )
            .await?;

        // + check users_age of users: age > 3
        // CHECK: fails if existing rows do not fit.
        db.execute_unprepared(
                "ALTER TABLE public.users ADD CONSTRAINT users_age CHECK ((age > 3))",
            )
            .await?;

        // + view grown_up
        // CHECK: privileges granted on the old view must be granted again
        db.execute_unprepared(
                r"CREATE VIEW public.grown_up AS
SELECT users.id,
    users.name,
    users.age
   FROM public.users
  WHERE (users.age >= 21)",
            )
            .await?;

        // + view names
        db.execute_unprepared(
                r"CREATE VIEW public.names AS
SELECT users.name
   FROM public.users",
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // What does not come back:
        //   the values of users.gone

        // - view names
        db.execute_unprepared("DROP VIEW public.names").await?;

        // - view grown_up
        db.execute_unprepared("DROP VIEW public.grown_up").await?;

        // - check users_age of users: age > 3
        db.execute_unprepared("ALTER TABLE public.users DROP CONSTRAINT users_age")
            .await?;

        // - check users_name of users: name <> ''
        db.execute_unprepared("ALTER TABLE public.users DROP CONSTRAINT users_name")
            .await?;

        // + column users.gone integer
        //     ALTER TABLE public.users ADD COLUMN gone integer
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .add_column(ColumnDef::new("gone").integer().null())
                    .to_owned(),
            )
            .await?;

        // ~ column users.name: type varchar(80) to varchar(40)
        //     ALTER TABLE public.users ALTER COLUMN name TYPE varchar(40)
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .modify_column(ColumnDef::new("name").string_len(40))
                    .to_owned(),
            )
            .await?;

        // + check users_age of users: age > 0
        db.execute_unprepared(
                "ALTER TABLE public.users ADD CONSTRAINT users_age CHECK ((age > 0))",
            )
            .await?;

        // + view obsolete
        db.execute_unprepared(
                r"CREATE VIEW public.obsolete AS
SELECT users.id
   FROM public.users",
            )
            .await?;

        // + view grown_up
        db.execute_unprepared(
                r"CREATE VIEW public.grown_up AS
SELECT users.id,
    users.name
   FROM public.users
  WHERE (users.age >= 18)",
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
