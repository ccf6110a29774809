//! schemas and cycle

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // + schema app
        db.execute_unprepared("CREATE SCHEMA app").await?;

        // + table Strange "name (2 columns)
        db.execute_unprepared(
                r#"CREATE TABLE public."Strange ""name" (
    "select" integer,
    "a b" text COLLATE pg_catalog."C"
)"#,
            )
            .await?;

        // + table app.a (2 columns)
        //     CREATE TABLE app.a (
        //         id integer NOT NULL,
        //         b_id integer,
        //         CONSTRAINT a_pkey PRIMARY KEY (id)
        //     )
        manager
            .create_table(
                Table::create()
                    .table(("app", "a"))
                    .col(ColumnDef::new("id").integer().not_null().primary_key())
                    .col(ColumnDef::new("b_id").integer().null())
                    .to_owned(),
            )
            .await?;

        // + table app.b (2 columns)
        //     CREATE TABLE app.b (
        //         id integer NOT NULL,
        //         a_id integer,
        //         CONSTRAINT b_pkey PRIMARY KEY (id),
        //         CONSTRAINT b_a_id_fkey FOREIGN KEY (a_id) REFERENCES app.a (id)
        //     )
        manager
            .create_table(
                Table::create()
                    .table(("app", "b"))
                    .col(ColumnDef::new("id").integer().not_null().primary_key())
                    .col(ColumnDef::new("a_id").integer().null())
                    .foreign_key(
                        ForeignKey::create()
                            .name("b_a_id_fkey")
                            .from_tbl(("app", "b"))
                            .from_col("a_id")
                            .to_tbl(("app", "a"))
                            .to_col("id"),
                    )
                    .to_owned(),
            )
            .await?;

        // + index a_b on app.a (b_id)
        //     CREATE INDEX a_b ON app.a (b_id)
        manager
            .create_index(
                Index::create().name("a_b").table(("app", "a")).col("b_id").to_owned(),
            )
            .await?;

        // + foreign key a_b of app.a (b_id) references app.b (id) deferrable initially deferred
        db.execute_unprepared(
                "ALTER TABLE app.a ADD CONSTRAINT a_b FOREIGN KEY (b_id) REFERENCES app.b (id) DEFERRABLE INITIALLY DEFERRED",
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // - foreign key a_b of app.a (b_id) references app.b (id) deferrable initially deferred
        //     ALTER TABLE app.a DROP CONSTRAINT a_b
        manager
            .drop_foreign_key(
                ForeignKey::drop().name("a_b").table(("app", "a")).to_owned(),
            )
            .await?;

        // - index a_b on app.a (b_id)
        //     DROP INDEX app.a_b
        manager
            .drop_index(Index::drop().name("a_b").table(("app", "a")).to_owned())
            .await?;

        // - table app.b (2 columns)
        //     DROP TABLE app.b
        manager.drop_table(Table::drop().table(("app", "b")).to_owned()).await?;

        // - table app.a (2 columns)
        //     DROP TABLE app.a
        manager.drop_table(Table::drop().table(("app", "a")).to_owned()).await?;

        // - table Strange "name (2 columns)
        db.execute_unprepared(r#"DROP TABLE public."Strange ""name""#).await?;

        // - schema app
        db.execute_unprepared("DROP SCHEMA app").await?;

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
