//! Create run metrics
//!
//! One row for each metric at each step of a run.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, double, string_len, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("run_metrics")
                    .col(big_integer("training_run_id"))
                    .col(string_len("name", 100))
                    .col(big_integer("step"))
                    .col(double("value"))
                    .col(timestamp_with_time_zone("recorded_at").default(Expr::current_timestamp()))
                    .primary_key(
                        Index::create()
                            .name("pk-run_metrics")
                            .col("training_run_id")
                            .col("name")
                            .col("step")
                            .primary(),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-run_metrics-training_run_id")
                            .from("run_metrics", "training_run_id")
                            .to("training_runs", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("run_metrics").to_owned())
            .await
    }
}
