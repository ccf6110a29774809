//! Create artifacts
//!
//! Files that a training run leaves behind.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_pk_auto, char_len, enumeration, string_len, timestamp_with_time_zone,
};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::extension::postgres::Type;

const KINDS: [&str; 4] = ["checkpoint", "log", "plot", "other"];

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .create_type(
                    Type::create()
                        .as_enum("artifact_kind")
                        .values(KINDS)
                        .to_owned(),
                )
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("artifacts")
                    .col(big_pk_auto("id"))
                    .col(big_integer("training_run_id"))
                    .col(enumeration("kind", "artifact_kind", KINDS).default("other"))
                    .col(string_len("path", 500))
                    .col(big_integer("size_bytes"))
                    .col(char_len("sha256", 64))
                    .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-artifacts-training_run_id")
                            .from("artifacts", "training_run_id")
                            .to("training_runs", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-artifacts-run_path")
                    .table("artifacts")
                    .col("training_run_id")
                    .col("path")
                    .unique()
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("artifacts").to_owned())
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .drop_type(Type::drop().name("artifact_kind").to_owned())
                .await?;
        }
        Ok(())
    }
}
