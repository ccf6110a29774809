//! Add users, posts and diaries
//!
//! revises: base

use sea_orm_migration::prelude::*;
use sea_orm_migration::sea_orm::DbBackend;
use sea_orm_migration::sea_query::extension::postgres::Type;

#[derive(DeriveMigrationName)]
pub struct Migration;

fn id() -> ColumnDef {
    let mut id = ColumnDef::new("id");
    id.integer().not_null().auto_increment().primary_key();
    id
}

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("users")
                    .col(id())
                    .col(ColumnDef::new("name").string_len(80).not_null())
                    .col(ColumnDef::new("email").string_len(120).null())
                    .to_owned(),
            )
            .await?;
        manager
            .create_table(
                Table::create()
                    .table("posts")
                    .col(id())
                    .col(ColumnDef::new("user_id").integer().not_null())
                    .col(ColumnDef::new("title").string_len(200).not_null())
                    .foreign_key(
                        ForeignKey::create()
                            .name("fk-posts-user_id")
                            .from("posts", "user_id")
                            .to("users", "id")
                            .on_delete(ForeignKeyAction::Cascade),
                    )
                    .to_owned(),
            )
            .await?;
        if manager.get_database_backend() == DbBackend::Postgres {
            manager
                .create_type(Type::create().as_enum("mood").values(["happy", "sad"]).to_owned())
                .await?;
        }
        manager
            .create_table(
                Table::create()
                    .table("diaries")
                    .col(id())
                    .col(ColumnDef::new("mood").enumeration("mood", ["happy", "sad"]).not_null())
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for table in ["diaries", "posts", "users"] {
            manager.drop_table(Table::drop().table(table).to_owned()).await?;
        }
        if manager.get_database_backend() == DbBackend::Postgres {
            manager.drop_type(Type::drop().name("mood").to_owned()).await?;
        }
        Ok(())
    }
}
