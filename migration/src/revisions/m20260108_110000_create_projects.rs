//! Create projects
//!
//! A user who owns a project can't be deleted: hand the project over first.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{
    big_integer, big_pk_auto, enumeration, string_len, string_len_uniq, text_null,
    timestamp_with_time_zone, timestamp_with_time_zone_null,
};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::extension::postgres::Type;

const VISIBILITIES: [&str; 3] = ["private", "internal", "public"];

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .create_type(
                    Type::create()
                        .as_enum("project_visibility")
                        .values(VISIBILITIES)
                        .to_owned(),
                )
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("projects")
                    .col(big_pk_auto("id"))
                    .col(big_integer("owner_id"))
                    .col(string_len_uniq("slug", 100))
                    .col(string_len("name", 200))
                    .col(text_null("description"))
                    .col(
                        enumeration("visibility", "project_visibility", VISIBILITIES)
                            .default("private"),
                    )
                    .col(timestamp_with_time_zone("created_at").default(Expr::current_timestamp()))
                    .col(timestamp_with_time_zone_null("archived_at"))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-projects-owner_id")
                            .from("projects", "owner_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Restrict),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-projects-owner_id")
                    .table("projects")
                    .col("owner_id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("projects").to_owned())
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .drop_type(Type::drop().name("project_visibility").to_owned())
                .await?;
        }
        Ok(())
    }
}
