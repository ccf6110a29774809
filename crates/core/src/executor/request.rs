//! What transactional and journalled steps have in common in answering a migration.

use std::future::poll_fn;
use std::task::Poll;
use std::time::{Duration, Instant};

use sea_orm::{DbErr, QueryResult, RuntimeErr, Statement};
use stairway_plan::event::EventKind;
use stairway_plan::sql::{Dialect, redact_statement};

use super::pieces::Piece;
use super::{Executor, FailedStatement, Progress};
use crate::bridge::{Request, StepError, bridge_error};
use crate::connection::{
    Cancel, Executed, Failure, classify_in_session, may_end_transaction, said,
};
use crate::stop::{Stop, Urgency};

/// What a migration wants to know of a statement.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wanted {
    /// How many rows it changed.
    Count,
    /// The rows that it gives.
    Rows,
}

/// What it is told.
#[derive(Debug)]
pub(super) enum Answer {
    Count(Executed),
    Rows(Vec<QueryResult>),
}

impl Answer {
    pub(super) fn rows_affected(&self) -> u64 {
        match self {
            Self::Count(executed) => executed.rows_affected,
            Self::Rows(rows) => rows.len() as u64,
        }
    }

    pub(super) fn last_insert_id(&self) -> u64 {
        match self {
            Self::Count(executed) => executed.last_insert_id,
            Self::Rows(_) => 0,
        }
    }
}

/// What a text does as a whole.
#[derive(Clone, Copy, Debug)]
pub(super) struct Nature {
    /// All of it only reads.
    pub(super) reads_only: bool,
    /// Some of it changes rows.
    pub(super) changes_rows: bool,
}

impl Nature {
    pub(super) fn of(pieces: &[Piece]) -> Self {
        Self {
            reads_only: pieces.iter().all(|piece| piece.statement.is_read()),
            changes_rows: pieces.iter().any(|piece| piece.statement.is_data_change()),
        }
    }
}

/// How long something that was told to end at once may take to do so.
const GRACE: Duration = Duration::from_secs(10);

/// Why nothing more is sent after a second signal.
const STOPPED: &str = "the run was told to stop at once";

impl Executor<'_> {
    /// The migration's next request. If the run is told to stop at once meanwhile, nothing that
    /// the migration sends from then on is run, and a migration that does not end is left behind.
    pub(super) async fn next_request(&mut self, progress: &mut Progress<'_>) -> Request {
        let told = tokio::select! {
            request = self.thread.next() => return request,
            () = self.stop.reached(Urgency::Now) => tokio::time::timeout(GRACE, self.thread.next()),
        };
        progress.refuse(Failure::Cancelled, STOPPED);
        told.await.unwrap_or_else(|_| {
            Request::Finished(Err(StepError::Panicked(format!(
                "{STOPPED}, and it did not end"
            ))))
        })
    }

    /// The error for whatever a migration sends after something that it can't go on after.
    pub(super) fn check_refused(progress: &Progress<'_>) -> Result<(), DbErr> {
        match &progress.refused {
            Some(refusal) => Err(bridge_error(refusal.reason.clone())),
            None => Ok(()),
        }
    }

    /// Runs a statement of the migration and emits its events.
    pub(super) async fn run_observed(
        &mut self,
        progress: &mut Progress<'_>,
        statement: &Statement,
        text: &str,
        wanted: Wanted,
        nature: Nature,
    ) -> Result<Answer, DbErr> {
        let dialect = self.session.dialect();
        let shown = redact_statement(text, dialect);
        let index = progress.statements.len() as u64 + 1;
        // Before it is sent: whoever reads of a run that was killed must not miss what may have been done.
        self.observers.emit(EventKind::StatementStarted {
            revision: progress.revision.id.clone(),
            index,
            sql: shown.clone(),
        });
        let began = Instant::now();
        let (stop, cancel) = (self.stop.clone(), self.cancel.clone());
        let answered = {
            let session = &mut *self.session;
            let work = async {
                match wanted {
                    Wanted::Count => session.execute(statement).await.map(Answer::Count),
                    Wanted::Rows => session.query(statement).await.map(Answer::Rows),
                }
            };
            tokio::pin!(work);
            // Sends it. What follows is done while the server works.
            let first = poll_fn(|context| Poll::Ready(work.as_mut().poll(context))).await;
            if wanted == Wanted::Rows {
                progress.has_read = true;
            }
            if !(wanted == Wanted::Rows && nature.reads_only) {
                progress.note(shown, text, dialect);
            }
            progress.touches_locks |= mentions(text, "advisory") || mentions(text, "_lock");
            match first {
                Poll::Ready(result) => Some(result),
                Poll::Pending => cancellable(work, stop, cancel).await,
            }
        };
        let result = if let Some(result) = answered {
            result
        } else {
            self.session.abandon();
            Err(sqlx::Error::Io(std::io::Error::new(
                std::io::ErrorKind::ConnectionAborted,
                "the server did not answer after the statement had been cancelled",
            )))
        };
        match result {
            Ok(answer) => {
                // SQLite answers a definition with the count of the last row change.
                let changes_rows = match wanted {
                    Wanted::Count => nature.changes_rows,
                    Wanted::Rows => !nature.reads_only,
                };
                let rows = if changes_rows {
                    answer.rows_affected()
                } else {
                    0
                };
                progress.rows_affected += rows;
                progress.last_failure = None;
                self.observers.emit(EventKind::StatementFinished {
                    revision: progress.revision.id.clone(),
                    index,
                    rows_affected: rows,
                    elapsed_ms: crate::milliseconds(began.elapsed()),
                });
                Ok(answer)
            }
            Err(error) => Err(self.statement_failed(progress, index, text, error)),
        }
    }

    /// Notes a failed statement and gives the migration the error that sea-orm would have given.
    pub(super) fn statement_failed(
        &self,
        progress: &mut Progress<'_>,
        index: u64,
        text: &str,
        error: sqlx::Error,
    ) -> DbErr {
        let dialect = self.session.dialect();
        let failure = classify_in_session(dialect, &error);
        let message = self.config.redact(&said(&error));
        progress.last_failure = Some(FailedStatement {
            index,
            statement: redact_statement(text, dialect),
            failure,
            message: message.clone(),
        });
        if failure == Failure::ConnectionLost {
            progress.refuse(failure, message);
        }
        DbErr::Exec(RuntimeErr::SqlxError(std::sync::Arc::new(error)))
    }

    /// After a statement failed inside a transaction that stays: finds out whether it did stay.
    pub(super) async fn failed_in_transaction(&mut self, progress: &mut Progress<'_>) {
        let Some(failed) = progress.last_failure.clone() else {
            return;
        };
        if failed.failure == Failure::ConnectionLost {
            return;
        }
        let dialect = self.session.dialect();
        let is_gone = match dialect {
            Dialect::Postgres => {
                progress.aborted = Some(failed.clone());
                false
            }
            Dialect::MySql => may_end_transaction(dialect, failed.failure),
            // Beginning one fails exactly as long as there is one.
            Dialect::Sqlite => self.session.run("BEGIN").await.is_ok(),
        };
        if is_gone {
            drop(self.session.run("ROLLBACK").await);
            progress.refuse(
                failed.failure,
                "the database has rolled back the whole transaction with it",
            );
        }
    }

    /// Runs a statement of ours that a migration asked for without being able to take an error. A
    /// failure ends the step, whatever the migration does next.
    pub(super) async fn control(
        &mut self,
        progress: &mut Progress<'_>,
        sql: &str,
    ) -> Result<(), DbErr> {
        Self::check_refused(progress)?;
        let index = progress.statements.len() as u64;
        match self.session.run(sql).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let error = self.statement_failed(progress, index, sql, error);
                if let Some(failed) = progress.last_failure.clone() {
                    progress.refuse(failed.failure, failed.message);
                }
                Err(error)
            }
        }
    }

    /// Refuses a statement without sending it.
    pub(super) fn refuse(&self, progress: &mut Progress<'_>, text: &str, reason: &str) -> DbErr {
        progress.last_failure = Some(FailedStatement {
            index: progress.statements.len() as u64 + 1,
            statement: redact_statement(text, self.session.dialect()),
            failure: Failure::Statement,
            message: reason.to_owned(),
        });
        progress.refuse(Failure::Statement, reason);
        bridge_error(reason)
    }

    /// What refuses a statement that would commit a transaction which can only be rolled back.
    pub(super) fn refuse_commit(progress: &mut Progress<'_>, failed: &FailedStatement) -> DbErr {
        progress.last_failure = Some(failed.clone());
        let reason = "the migration went on and committed the transaction, which was lost with that statement";
        progress.refuse(failed.failure, reason);
        bridge_error(reason)
    }
}

fn mentions(text: &str, word: &str) -> bool {
    text.as_bytes()
        .windows(word.len())
        .any(|window| window.eq_ignore_ascii_case(word.as_bytes()))
}

/// Waits for a statement's answer. If the run is told to stop at once meanwhile, the statement is
/// cancelled on the server and its answer is waited for all the same; nothing if it does not come.
async fn cancellable<T>(
    work: impl Future<Output = Result<T, sqlx::Error>>,
    mut stop: Stop,
    cancel: Option<Cancel>,
) -> Option<Result<T, sqlx::Error>> {
    tokio::pin!(work);
    tokio::select! {
        result = &mut work => return Some(result),
        () = stop.reached(Urgency::Now) => {}
    }
    let ask = async {
        if let Some(cancel) = cancel
            && let Err(error) = cancel.cancel().await
        {
            tracing::warn!(%error, "the running statement could not be cancelled");
        }
        tokio::time::sleep(GRACE).await;
    };
    tokio::select! {
        result = work => Some(result),
        () = ask => None,
    }
}
