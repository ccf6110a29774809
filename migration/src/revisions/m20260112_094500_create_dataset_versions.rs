//! Create dataset versions
//!
//! A version is what a training run names, so that its data can be found again.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, char_len, integer, string_len,
    timestamp_with_time_zone,
};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("dataset_versions")
                    .col(big_pk_auto("id"))
                    .col(big_integer("dataset_id"))
                    .col(integer("version"))
                    .col(string_len("storage_uri", 1000))
                    .col(char_len("sha256", 64))
                    .col(big_integer_null("row_count"))
                    .col(big_integer("size_bytes").default(0))
                    .col(big_integer_null("created_by"))
                    .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-dataset_versions-dataset_id")
                            .from("dataset_versions", "dataset_id")
                            .to("datasets", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-dataset_versions-created_by")
                            .from("dataset_versions", "created_by")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::SetNull),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-dataset_versions-created_by")
                    .table("dataset_versions")
                    .col("created_by")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-dataset_versions-dataset_version")
                    .table("dataset_versions")
                    .col("dataset_id")
                    .col("version")
                    .unique()
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("dataset_versions").to_owned())
            .await
    }
}
