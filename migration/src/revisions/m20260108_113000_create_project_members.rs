//! Create project members

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, enumeration, timestamp_with_time_zone};
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::extension::postgres::Type;

const ROLES: [&str; 3] = ["reader", "writer", "owner"];

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .create_type(
                    Type::create()
                        .as_enum("project_role")
                        .values(ROLES)
                        .to_owned(),
                )
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("project_members")
                    .col(big_integer("project_id"))
                    .col(big_integer("user_id"))
                    .col(enumeration("role", "project_role", ROLES).default("reader"))
                    .col(timestamp_with_time_zone("joined_at").default(Expr::current_timestamp()))
                    .primary_key(
                        Index::create()
                            .name("pk-project_members")
                            .col("project_id")
                            .col("user_id")
                            .primary(),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-project_members-project_id")
                            .from("project_members", "project_id")
                            .to("projects", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-project_members-user_id")
                            .from("project_members", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        manager
            .create_index(
                Index::create()
                    .name("idx-project_members-user_id")
                    .table("project_members")
                    .col("user_id")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("project_members").to_owned())
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .drop_type(Type::drop().name("project_role").to_owned())
                .await?;
        }
        Ok(())
    }
}
