//! add required column with fill

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        refuse_other_databases(manager)?;
        let db = manager.get_connection();

        // + column users.email varchar(320) not null
        // CHECK: writes the whole table anew and blocks it meanwhile.
        // 1 of 3: the column takes NULL at first.
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .add_column(ColumnDef::new("email").string_len(320).null())
                    .to_owned(),
            )
            .await?;
        // 2 of 3: the rows that are there get a value.
        db.execute_unprepared(
                r#"UPDATE "public"."users" SET "email" = 'unknown' WHERE "email" IS NULL"#,
            )
            .await?;
        // 3 of 3: the column takes no NULL any more.
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .modify_column(ColumnDef::new("email").not_null())
                    .to_owned(),
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // - column users.email varchar(320) not null
        //     ALTER TABLE public.users DROP COLUMN email
        manager
            .alter_table(Table::alter().table("users").drop_column("email").to_owned())
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
