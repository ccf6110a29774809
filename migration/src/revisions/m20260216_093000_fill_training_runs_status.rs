//! Fill training_runs.status from legacy_status
//!
//! A word that stands for no status leaves the status empty and the word where it is; the revision
//! that requires the status then refuses to run.
//!
//! phase: backfill

use sea_orm_migration::prelude::*;

/// Each status, and the words that the old tracker had for it: the one it wrote last comes first.
const WORDS: [(&str, &[&str]); 5] = [
    ("queued", &["QUEUED", "PENDING", "WAITING"]),
    ("running", &["RUNNING", "STARTED"]),
    ("succeeded", &["DONE", "COMPLETED", "SUCCESS"]),
    ("failed", &["ERROR", "FAILED", "CRASHED"]),
    ("cancelled", &["KILLED", "CANCELLED", "CANCELED"]),
];

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .execute(
                Query::update()
                    .table("training_runs")
                    .value("status", status_of_legacy())
                    .and_where(Expr::col("status").is_null())
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // Where the status has changed since, the old word is brought up to date first. Elsewhere
        // it keeps its spelling.
        let is_outdated = Condition::any()
            .add(status_of_legacy().is_null())
            .add(status_of_legacy().ne(Expr::col("status")));
        manager
            .execute(
                Query::update()
                    .table("training_runs")
                    .value("legacy_status", legacy_of_status())
                    .and_where(Expr::col("status").is_not_null())
                    .cond_where(is_outdated)
                    .to_owned(),
            )
            .await?;
        manager
            .execute(
                Query::update()
                    .table("training_runs")
                    .value("status", Keyword::Null)
                    .and_where(Expr::col("status").is_not_null())
                    .to_owned(),
            )
            .await
    }
}

/// The status that a row's `legacy_status` stands for, or null.
fn status_of_legacy() -> Expr {
    let word = Func::upper(Func::cust("TRIM").arg(Expr::col("legacy_status")));
    let mut status = CaseStatement::new();
    for (name, words) in WORDS {
        status = status.case(Expr::expr(word.clone()).is_in(words.iter().copied()), name);
    }
    Expr::expr(status).as_enum("training_run_status")
}

/// The word that the old tracker would write for a row's `status`.
fn legacy_of_status() -> CaseStatement {
    let mut legacy = CaseStatement::new();
    for (name, words) in WORDS {
        let status = Expr::val(name).as_enum("training_run_status");
        legacy = legacy.case(Expr::col("status").eq(status), words[0]);
    }
    legacy
}
