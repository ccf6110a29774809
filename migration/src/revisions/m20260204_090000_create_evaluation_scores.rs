//! Create evaluation scores
//!
//! revises: m20260202_090000_create_evaluations

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, double, string_len};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("evaluation_scores")
                    .col(big_integer("evaluation_id"))
                    .col(string_len("metric", 100))
                    .col(double("value"))
                    .primary_key(
                        Index::create()
                            .name("pk-evaluation_scores")
                            .col("evaluation_id")
                            .col("metric")
                            .primary(),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-evaluation_scores-evaluation_id")
                            .from("evaluation_scores", "evaluation_id")
                            .to("evaluations", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("evaluation_scores").to_owned())
            .await
    }
}
