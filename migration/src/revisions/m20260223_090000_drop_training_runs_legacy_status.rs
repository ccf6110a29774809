//! Drop training_runs.legacy_status
//!
//! Refuses, and drops nothing, while a run has no status: give each the one that its
//! `legacy_status` stands for, then run this again. The way back writes the words that the old
//! tracker wrote last.
//!
//! phase: contract

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{enumeration, enumeration_null, string_len};
use sea_orm_migration::sea_orm::DbBackend;

const STATUSES: [&str; 5] = ["queued", "running", "succeeded", "failed", "cancelled"];

/// The word that the old tracker wrote for each status.
const LEGACY_WORDS: [&str; 5] = ["QUEUED", "RUNNING", "DONE", "ERROR", "KILLED"];

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        match manager.get_database_backend() {
            DbBackend::Sqlite => {
                let mut required = enumeration("status_required", "training_run_status", STATUSES);
                replace_column(manager, required.default("queued").take()).await?;
            }
            DbBackend::MySql => {
                let mut required = enumeration("status", "training_run_status", STATUSES);
                alter(manager, required.default("queued").take()).await?;
            }
            _ => {
                alter(
                    manager,
                    ColumnDef::new("status").not_null().default("queued").take(),
                )
                .await?;
            }
        }
        manager
            .create_index(
                Index::create()
                    .name("idx-training_runs-status")
                    .table("training_runs")
                    .col("status")
                    .to_owned(),
            )
            .await?;
        manager
            .alter_table(
                Table::alter()
                    .table("training_runs")
                    .drop_column("legacy_status")
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .alter_table(
                Table::alter()
                    .table("training_runs")
                    .add_column(string_len("legacy_status", 32).default("QUEUED"))
                    .to_owned(),
            )
            .await?;
        manager
            .execute(
                Query::update()
                    .table("training_runs")
                    .value("legacy_status", legacy_of_status())
                    .to_owned(),
            )
            .await?;
        manager
            .drop_index(
                Index::drop()
                    .name("idx-training_runs-status")
                    .table("training_runs")
                    .to_owned(),
            )
            .await?;
        match manager.get_database_backend() {
            DbBackend::Sqlite => {
                let optional = enumeration_null("status_optional", "training_run_status", STATUSES);
                replace_column(manager, optional).await
            }
            DbBackend::MySql => {
                alter(
                    manager,
                    enumeration_null("status", "training_run_status", STATUSES),
                )
                .await
            }
            // A default of NULL is no default.
            _ => {
                alter(
                    manager,
                    ColumnDef::new("status")
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
                .table("training_runs")
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
                .table("training_runs")
                .add_column(&mut column)
                .to_owned(),
        )
        .await?;
    manager
        .execute(
            Query::update()
                .table("training_runs")
                .value(new_name.clone(), Expr::col("status"))
                .to_owned(),
        )
        .await?;
    manager
        .alter_table(
            Table::alter()
                .table("training_runs")
                .drop_column("status")
                .to_owned(),
        )
        .await?;
    manager
        .alter_table(
            Table::alter()
                .table("training_runs")
                .rename_column(new_name, "status")
                .to_owned(),
        )
        .await
}

fn legacy_of_status() -> CaseStatement {
    let mut legacy = CaseStatement::new();
    for (name, word) in STATUSES.into_iter().zip(LEGACY_WORDS) {
        let status = Expr::val(name).as_enum("training_run_status");
        legacy = legacy.case(Expr::col("status").eq(status), word);
    }
    legacy
}
