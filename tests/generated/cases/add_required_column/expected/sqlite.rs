//! add required column

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // + column users.email varchar(320) not null
        // CHECK: fails if existing rows do not fit.
        // CHECK: rows that are there have no value for email: give one (--fill TABLE.email=EXPRESSION) or a default
        //     ALTER TABLE "users" ADD COLUMN "email" varchar(320) NOT NULL
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .add_column(ColumnDef::new("email").string_len(320).not_null())
                    .to_owned(),
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // - column users.email varchar(320) not null
        //     ALTER TABLE "users" DROP COLUMN "email"
        manager
            .alter_table(Table::alter().table("users").drop_column("email").to_owned())
            .await?;

        Ok(())
    }
}
