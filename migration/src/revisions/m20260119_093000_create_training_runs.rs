//! Create training runs
//!
//! `legacy_status` takes over the words of the tracker that the platform replaces: `QUEUED`,
//! `RUNNING`, `DONE`, `ERROR`, `KILLED` and older spellings of them.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, decimal_len, json_binary, string_len,
    string_len_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("training_runs")
                    .col(big_pk_auto("id"))
                    .col(big_integer("experiment_id"))
                    .col(big_integer("dataset_version_id"))
                    .col(string_len_null("compute_tier_code", 50))
                    .col(big_integer_null("started_by"))
                    .col(json_binary("parameters"))
                    .col(decimal_len("cost_usd", 12, 4).default(0))
                    .col(timestamp_with_time_zone("queued_at").default(Expr::current_timestamp()))
                    .col(timestamp_with_time_zone_null("started_at"))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .col(string_len("legacy_status", 32).default("QUEUED"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-training_runs-experiment_id")
                            .from("training_runs", "experiment_id")
                            .to("experiments", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-training_runs-dataset_version_id")
                            .from("training_runs", "dataset_version_id")
                            .to("dataset_versions", "id")
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-training_runs-compute_tier_code")
                            .from("training_runs", "compute_tier_code")
                            .to("compute_tiers", "code")
                            .on_delete(ForeignKeyAction::Restrict)
                            .on_update(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-training_runs-started_by")
                            .from("training_runs", "started_by")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::SetNull),
                    )
                    .to_owned(),
            )
            .await?;
        for column in [
            "experiment_id",
            "dataset_version_id",
            "compute_tier_code",
            "started_by",
        ] {
            manager
                .create_index(
                    Index::create()
                        .name(format!("idx-training_runs-{column}"))
                        .table("training_runs")
                        .col(column)
                        .to_owned(),
                )
                .await?;
        }
        Ok(())
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("training_runs").to_owned())
            .await
    }
}
