//! Fill users.email_verified
//!
//! The first login goes through a link sent by mail: whoever has logged in has a verified address.
//!
//! phase: backfill

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .execute(
                Query::update()
                    .table("users")
                    .value("email_verified", Expr::col("last_login_at").is_not_null())
                    .and_where(Expr::col("email_verified").is_null())
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        // What was filled in can't be told from what the application has written since, and an
        // address that is verified stays so. The column may hold values again where it held none.
        Ok(())
    }
}
