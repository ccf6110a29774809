//! rename

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // ~ table person renamed to people
        //     ALTER TABLE "person" RENAME TO "people"
        manager
            .rename_table(Table::rename().table("person", "people").to_owned())
            .await?;

        // ~ column people.name renamed to full_name
        //     ALTER TABLE "people" RENAME COLUMN "name" TO "full_name"
        manager
            .alter_table(
                Table::alter()
                    .table("people")
                    .rename_column("name", "full_name")
                    .to_owned(),
            )
            .await?;

        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // ~ column people.full_name renamed to name
        //     ALTER TABLE "people" RENAME COLUMN "full_name" TO "name"
        manager
            .alter_table(
                Table::alter()
                    .table("people")
                    .rename_column("full_name", "name")
                    .to_owned(),
            )
            .await?;

        // ~ table people renamed to person
        //     ALTER TABLE "people" RENAME TO "person"
        manager
            .rename_table(Table::rename().table("people", "person").to_owned())
            .await?;

        Ok(())
    }
}
