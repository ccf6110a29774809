//! Create background jobs
//!
//! The queue of the workers; the id is chosen by whoever asks for the job.
//!
//! revises: m20260126_090000_create_deployments

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    enumeration, integer, json_binary, pk_uuid, small_integer, string_len, string_len_null,
    text_null, timestamp_with_time_zone, timestamp_with_time_zone_null,
};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::extension::postgres::Type;

const STATUSES: [&str; 4] = ["queued", "running", "succeeded", "failed"];

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .create_type(
                    Type::create()
                        .as_enum("job_status")
                        .values(STATUSES)
                        .to_owned(),
                )
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("background_jobs")
                    .col(pk_uuid("id"))
                    .col(string_len("kind", 100))
                    .col(json_binary("payload"))
                    .col(enumeration("status", "job_status", STATUSES).default("queued"))
                    .col(small_integer("priority").default(0))
                    .col(integer("attempts").default(0))
                    .col(integer("max_attempts").default(5))
                    .col(timestamp_with_time_zone("run_after").default(Expr::current_timestamp()))
                    .col(string_len_null("locked_by", 200))
                    .col(timestamp_with_time_zone_null("locked_at"))
                    .col(timestamp_with_time_zone_null("finished_at"))
                    .col(text_null("last_error"))
                    .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-background_jobs-run_after")
                    .table("background_jobs")
                    .col("run_after")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("background_jobs").to_owned())
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .drop_type(Type::drop().name("job_status").to_owned())
                .await?;
        }
        Ok(())
    }
}
