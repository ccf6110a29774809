//! Create model versions
//!
//! A version outlives the run that made it: deleting the run only forgets where it came from.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, enumeration, integer, text_null,
    timestamp_with_time_zone,
};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::extension::postgres::Type;

const STAGES: [&str; 4] = ["development", "staging", "production", "archived"];

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .create_type(
                    Type::create()
                        .as_enum("model_stage")
                        .values(STAGES)
                        .to_owned(),
                )
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("model_versions")
                    .col(big_pk_auto("id"))
                    .col(big_integer("model_id"))
                    .col(integer("version"))
                    .col(big_integer_null("training_run_id"))
                    .col(enumeration("stage", "model_stage", STAGES).default("development"))
                    .col(text_null("notes"))
                    .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-model_versions-model_id")
                            .from("model_versions", "model_id")
                            .to("models", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-model_versions-training_run_id")
                            .from("model_versions", "training_run_id")
                            .to("training_runs", "id")
                            .on_delete(ForeignKeyAction::SetNull),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-model_versions-training_run_id")
                    .table("model_versions")
                    .col("training_run_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-model_versions-model_version")
                    .table("model_versions")
                    .col("model_id")
                    .col("version")
                    .unique()
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("model_versions").to_owned())
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .drop_type(Type::drop().name("model_stage").to_owned())
                .await?;
        }
        Ok(())
    }
}
