//! Create evaluations
//!
//! Starts the branch that measures a model version against a dataset version.
//!
//! revises: m20260126_090000_create_deployments
//! label: evaluations

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_pk_auto, timestamp_with_time_zone, timestamp_with_time_zone_null,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("evaluations")
                    .col(big_pk_auto("id"))
                    .col(big_integer("model_version_id"))
                    .col(big_integer("dataset_version_id"))
                    .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-evaluations-model_version_id")
                            .from("evaluations", "model_version_id")
                            .to("model_versions", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-evaluations-dataset_version_id")
                            .from("evaluations", "dataset_version_id")
                            .to("dataset_versions", "id")
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-evaluations-dataset_version_id")
                    .table("evaluations")
                    .col("dataset_version_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-evaluations-model_dataset")
                    .table("evaluations")
                    .col("model_version_id")
                    .col("dataset_version_id")
                    .unique()
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("evaluations").to_owned())
            .await
    }
}
