//! Add projects.monthly_budget_usd

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::decimal_len;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("projects")
                    .add_column(decimal_len("monthly_budget_usd", 12, 2).default(0))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("projects")
                    .drop_column("monthly_budget_usd")
                    .to_owned(),
            )
            .await
    }
}
