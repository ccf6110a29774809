//! Require users.email_verified
//!
//! Refuses to run while a row has no value.
//!
//! phase: contract

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{boolean, boolean_null};
use sea_orm_migration::sea_orm::DbBackend;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Sqlite => {
                replace_column(
                    manager,
                    boolean("email_verified_required").default(false).take(),
                )
                .await
            }
            DbBackend::MySql => {
                alter(manager, boolean("email_verified").default(false).take()).await
            }
            _ => {
                alter(
                    manager,
                    ColumnDef::new("email_verified")
                        .not_null()
                        .default(false)
                        .take(),
                )
                .await
            }
        }
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Sqlite => {
                replace_column(manager, boolean_null("email_verified_optional")).await
            }
            DbBackend::MySql => alter(manager, boolean_null("email_verified")).await,
            // A default of NULL is no default.
            _ => {
                alter(
                    manager,
                    ColumnDef::new("email_verified")
                        .null()
                        .default(Keyword::Null)
                        .take(),
                )
                .await
            }
        }
    }
}

async fn alter(manager: &SchemaManager<'_>, column: ColumnDef) -> Result<(), DbErr> {
    manager
        .alter_table(
            Table::alter()
                .table("users")
                .modify_column(column)
                .to_owned(),
        )
        .await
}

/// SQLite can't alter a column. Here the new one takes the place of the old one, which needs no
/// rebuild of a table that others refer to: indexes, triggers and referring rows stay as they are,
/// whether foreign keys are enforced or not.
async fn replace_column(manager: &SchemaManager<'_>, mut column: ColumnDef) -> Result<(), DbErr> {
    let new_name = column.get_column_name();
    manager
        .alter_table(
            Table::alter()
                .table("users")
                .add_column(&mut column)
                .to_owned(),
        )
        .await?;
    manager
        .execute(
            Query::update()
                .table("users")
                .value(new_name.clone(), Expr::col("email_verified"))
                .to_owned(),
        )
        .await?;
    manager
        .alter_table(
            Table::alter()
                .table("users")
                .drop_column("email_verified")
                .to_owned(),
        )
        .await?;
    manager
        .alter_table(
            Table::alter()
                .table("users")
                .rename_column(new_name, "email_verified")
                .to_owned(),
        )
        .await
}
