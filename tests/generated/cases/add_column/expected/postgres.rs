//! add column

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // + column users.bio text
        //     ALTER TABLE public.users ADD COLUMN bio text
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .add_column(ColumnDef::new("bio").text().null())
                    .to_owned(),
            )
            .await?;

        // + column users.age integer default 18
        //     ALTER TABLE public.users ADD COLUMN age integer DEFAULT 18
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .add_column(ColumnDef::new("age").integer().null().default(18))
                    .to_owned(),
            )
            .await?;

        // + column users.country varchar(2) not null default 'GR'
        //     ALTER TABLE public.users ADD COLUMN country varchar(2) DEFAULT 'GR'::character varying NOT NULL
        manager
            .alter_table(
                Table::alter()
                    .table("users")
                    .add_column(
                        ColumnDef::new("country").string_len(2).not_null().default("GR"),
                    )
                    .to_owned(),
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // - column users.country varchar(2) not null default 'GR'
        //     ALTER TABLE public.users DROP COLUMN country
        manager
            .alter_table(Table::alter().table("users").drop_column("country").to_owned())
            .await?;

        // - column users.age integer default 18
        //     ALTER TABLE public.users DROP COLUMN age
        manager
            .alter_table(Table::alter().table("users").drop_column("age").to_owned())
            .await?;

        // - column users.bio text
        //     ALTER TABLE public.users DROP COLUMN bio
        manager
            .alter_table(Table::alter().table("users").drop_column("bio").to_owned())
            .await?;

        Ok(())
    }
}
