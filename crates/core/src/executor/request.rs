//! What transactional and journalled steps have in common in answering a migration.

use sea_orm::{DbErr, ExecResult, QueryResult, RuntimeErr, Statement};
use stairway_plan::event::EventKind;
use stairway_plan::sql::{Dialect, redact_statement};

use super::{Executor, FailedStatement, Progress};
use crate::bridge::{Request, bridge_error};
use crate::connection::{Cancel, Failure, classify, migration_settings};
use crate::stop::{Stop, Urgency};

impl Executor<'_> {
    /// The migration's next request. If the run is told to stop at once meanwhile, nothing that
    /// the migration sends from then on is run.
    pub(super) async fn next_request(&mut self, progress: &mut Progress<'_>) -> Request {
        if progress.refused.is_some() {
            return self.thread.next().await;
        }
        tokio::select! {
            request = self.thread.next() => request,
            () = self.stop.reached(Urgency::Now) => {
                progress.refused = Some("the run was told to stop at once".to_owned());
                self.thread.next().await
            }
        }
    }

    /// Runs a statement of the migration and emits its events.
    pub(super) async fn execute_observed(
        &mut self,
        progress: &mut Progress<'_>,
        statement: &Statement,
        text: String,
        changes_rows: bool,
    ) -> Result<ExecResult, DbErr> {
        let index = self.statement_started(progress, &text);
        progress.note(&text, self.session.dialect());
        let began = std::time::Instant::now();
        let (stop, cancel) = (self.stop.clone(), self.cancel.clone());
        let result = cancellable(self.session.execute(statement), stop, cancel).await;
        match result {
            Ok(result) => {
                // SQLite answers a definition with the count of the last row change.
                let rows = if changes_rows {
                    result.rows_affected()
                } else {
                    0
                };
                progress.rows_affected += rows;
                progress.last_failure = None;
                self.statement_finished(progress, index, rows, began.elapsed());
                Ok(result)
            }
            Err(error) => Err(self.statement_failed(progress, index, error)),
        }
    }

    /// Runs a statement of the migration that gives rows, and emits its events.
    pub(super) async fn query_observed(
        &mut self,
        progress: &mut Progress<'_>,
        statement: &Statement,
        text: String,
        is_read: bool,
    ) -> Result<Vec<QueryResult>, DbErr> {
        progress.has_read = true;
        let index = self.statement_started(progress, &text);
        if !is_read {
            progress.note(&text, self.session.dialect());
        }
        let began = std::time::Instant::now();
        let (stop, cancel) = (self.stop.clone(), self.cancel.clone());
        let result = cancellable(self.session.query(statement), stop, cancel).await;
        match result {
            Ok(rows) => {
                let changed = if is_read { 0 } else { rows.len() as u64 };
                progress.rows_affected += changed;
                progress.last_failure = None;
                self.statement_finished(progress, index, changed, began.elapsed());
                Ok(rows)
            }
            Err(error) => Err(self.statement_failed(progress, index, error)),
        }
    }

    fn statement_started(&self, progress: &Progress<'_>, text: &str) -> u64 {
        let index = progress.statements.len() as u64 + 1;
        self.observers.emit(EventKind::StatementStarted {
            revision: progress.revision.id.clone(),
            index,
            sql: redact_statement(text, self.session.dialect()),
        });
        index
    }

    fn statement_finished(
        &self,
        progress: &Progress<'_>,
        index: u64,
        rows: u64,
        elapsed: std::time::Duration,
    ) {
        self.observers.emit(EventKind::StatementFinished {
            revision: progress.revision.id.clone(),
            index,
            rows_affected: rows,
            elapsed_ms: crate::milliseconds(elapsed),
        });
    }

    /// Notes a failed statement and gives the migration the error that sea-orm would have given.
    pub(super) fn statement_failed(
        &self,
        progress: &mut Progress<'_>,
        index: u64,
        error: sqlx::Error,
    ) -> DbErr {
        let failure = classify(self.session.dialect(), &error);
        progress.last_failure = Some(FailedStatement {
            index,
            statement: progress.statements.last().cloned().unwrap_or_default(),
            failure,
            message: self.config.redact(&error.to_string()),
        });
        if failure == Failure::ConnectionLost {
            progress.refused = Some("the connection was lost".to_owned());
        }
        DbErr::Exec(RuntimeErr::SqlxError(std::sync::Arc::new(error)))
    }

    /// Refuses a statement without sending it.
    pub(super) fn refuse(&self, progress: &mut Progress<'_>, text: &str, reason: String) -> DbErr {
        progress.last_failure = Some(FailedStatement {
            index: progress.statements.len() as u64 + 1,
            statement: redact_statement(text, self.session.dialect()),
            failure: Failure::Statement,
            message: reason.clone(),
        });
        progress.refused = Some(reason.clone());
        bridge_error(reason)
    }

    /// Puts back what an earlier step may have changed in the session: settings, role, locks.
    pub(super) fn reset_session(&self) -> String {
        let settings = migration_settings(self.session, self.config.statement_lock_timeout);
        match self.session.dialect() {
            Dialect::Postgres => format!("RESET SESSION AUTHORIZATION; RESET ALL; {settings}"),
            Dialect::MySql => format!("UNLOCK TABLES; {settings}"),
            Dialect::Sqlite => settings,
        }
    }

    /// Warns of statements that change the session beyond the step.
    pub(super) fn warn_of_setting(&self, progress: &Progress<'_>, text: &str) {
        self.observers.emit(EventKind::Warning {
            message: format!(
                "{} changes the session ({}); it is put back before the next step",
                progress.revision.id,
                redact_statement(text, self.session.dialect())
            ),
        });
    }
}

/// Waits for a statement's answer. If the run is told to stop at once meanwhile, the statement is
/// cancelled on the server; its answer is waited for all the same.
pub(super) async fn cancellable<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
    mut stop: Stop,
    cancel: Option<Cancel>,
) -> Result<T, sqlx::Error> {
    tokio::pin!(work);
    tokio::select! {
        result = &mut work => result,
        () = stop.reached(Urgency::Now) => {
            if let Some(cancel) = cancel
                && let Err(error) = cancel.cancel().await
            {
                tracing::warn!(%error, "the running statement could not be cancelled");
            }
            work.await
        }
    }
}
