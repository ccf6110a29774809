//! Create deployments
//!
//! A model version that is deployed can't be deleted.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_integer_null, big_pk_auto, decimal_len, enumeration, small_integer,
    string_len, timestamp_with_time_zone, timestamp_with_time_zone_null,
};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::extension::postgres::Type;

const STATUSES: [&str; 4] = ["pending", "active", "failed", "retired"];

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .create_type(
                    Type::create()
                        .as_enum("deployment_status")
                        .values(STATUSES)
                        .to_owned(),
                )
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("deployments")
                    .col(big_pk_auto("id"))
                    .col(big_integer("model_version_id"))
                    .col(string_len("environment", 50))
                    .col(string_len("name", 100))
                    .col(enumeration("status", "deployment_status", STATUSES).default("pending"))
                    .col(small_integer("replicas").default(1))
                    .col(decimal_len("traffic_percent", 5, 2).default(100))
                    .col(big_integer_null("deployed_by"))
                    .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
                    .col(timestamp_with_time_zone_null("retired_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-deployments-model_version_id")
                            .from("deployments", "model_version_id")
                            .to("model_versions", "id")
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-deployments-deployed_by")
                            .from("deployments", "deployed_by")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::SetNull),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-deployments-model_version_id")
                    .table("deployments")
                    .col("model_version_id")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-deployments-deployed_by")
                    .table("deployments")
                    .col("deployed_by")
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-deployments-environment_name")
                    .table("deployments")
                    .col("environment")
                    .col("name")
                    .unique()
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("deployments").to_owned())
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .drop_type(Type::drop().name("deployment_status").to_owned())
                .await?;
        }
        Ok(())
    }
}
