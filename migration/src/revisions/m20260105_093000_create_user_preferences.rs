//! Create user preferences
//!
//! One document for each user: JSONB on PostgreSQL, JSON elsewhere.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{big_integer, json_binary, timestamp_with_time_zone};

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("user_preferences")
                    .col(big_integer("user_id").primary_key())
                    .col(json_binary("preferences"))
                    .col(timestamp_with_time_zone("updated_at").default(Expr::current_timestamp()))
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-user_preferences-user_id")
                            .from("user_preferences", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("user_preferences").to_owned())
            .await
    }
}
