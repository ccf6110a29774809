//! Recording a step and committing it.

use stairway_plan::plan::Direction;
use stairway_plan::sql::Dialect;

use super::{Attempt, ForeignKeys};
use crate::connection::{Failure, classify_in_session, said};
use crate::error::Remains;
use crate::executor::journalled::is_lock_lost;
use crate::executor::{Executor, FailedStep, Progress, StepEnd};

/// What the database says when the transaction is not the one that the step began.
pub(super) const ENDED: &str = "stairway: the transaction has ended";

impl Executor<'_> {
    /// PostgreSQL: a query that fails unless the mark is set.
    fn same_transaction(&self) -> String {
        format!(
            "SELECT CAST(CASE WHEN {} THEN '1' ELSE '{ENDED}' END AS integer)",
            self.has_mark()
        )
    }

    /// Records the step and commits, in one message. The record can't be written if the
    /// transaction is not the one that was opened, nor without the lock.
    pub(super) async fn commit(
        &mut self,
        progress: &mut Progress<'_>,
        in_outer: bool,
    ) -> Result<Attempt, StepEnd> {
        if !self.lock.is_held_outside_session() {
            return Err(StepEnd::LockLost);
        }
        if self.session.ended_transactions() != self.ended_before {
            return Err(transaction_has_ended(Failure::Statement));
        }
        let dialect = self.session.dialect();
        // What the step itself has taken from the session, its prepared statements may be among.
        let prepared = self.prepared.as_ref().filter(|_| !self.needs_new_session());
        let mut sql = match (dialect, prepared) {
            // What records a revision looks for itself.
            (Dialect::Postgres, Some(_)) if progress.direction == Direction::Upgrade => {
                String::new()
            }
            (Dialect::Postgres, _) => format!("{}; ", self.same_transaction()),
            (Dialect::MySql | Dialect::Sqlite, _) if self.marks_with_savepoint() => {
                "RELEASE SAVEPOINT stairway_step; ".to_owned()
            }
            (Dialect::MySql | Dialect::Sqlite, _) => String::new(),
        };
        // A session's lock goes with the session, and the transaction with it, unless the migration
        // itself has given the lock back.
        if progress.touches_locks
            && let Some(guard) = self.lock.guard(dialect)
        {
            sql = format!("{sql}{guard}; ");
        }
        sql = format!(
            "{sql}{}{}",
            self.own_role(),
            self.record(prepared.unwrap_or(self.books), progress)
        );
        match (in_outer, dialect) {
            (false, _) => {
                sql.push_str("; COMMIT");
                progress.commit_sent = true;
            }
            (true, Dialect::Postgres) => sql.push_str("; RELEASE SAVEPOINT stairway_step"),
            (true, Dialect::MySql | Dialect::Sqlite) => {}
        }
        let next = progress.next.filter(|_| !self.needs_new_session());
        if let Some(next) = next {
            let opening = self.opening(next, ForeignKeys::Enforced, in_outer);
            sql = format!("{sql}; {opening}");
        }
        let error = match self.session.rows(sql).await {
            Ok(mut rows) => {
                self.begun_ahead = next.map(|next| next.begun(rows.pop().unwrap_or_default()));
                return Ok(Attempt::Done);
            }
            Err(error) => error,
        };
        if next.is_some() {
            self.state.forget();
            match self.is_recorded(progress).await {
                Ok(true) => return Ok(Attempt::Done),
                Ok(false) => {}
                Err(lost) => {
                    let failure = classify_in_session(dialect, &lost);
                    return Err(self.commit_failed(&error, failure, Remains::Unknown));
                }
            }
        }
        if self.has_lost_prepared(&error) {
            return Ok(Attempt::Unprepared);
        }
        if is_lock_lost(&error) {
            return Err(StepEnd::LockLost);
        }
        let has_ended = match &error {
            sqlx::Error::Database(error) => {
                error.message().contains(ENDED) || error.message().contains("no such savepoint")
            }
            _ => false,
        };
        let failure = classify_in_session(dialect, &error);
        if has_ended {
            return Err(transaction_has_ended(failure));
        }
        let remains = if failure == Failure::ConnectionLost {
            Remains::Unknown
        } else {
            Remains::Nothing
        };
        Err(self.commit_failed(&error, failure, remains))
    }

    fn commit_failed(&self, error: &sqlx::Error, failure: Failure, remains: Remains) -> StepEnd {
        StepEnd::Failed(FailedStep {
            statement: None,
            failure,
            message: format!("the commit failed: {}", self.config.redact(&said(error))),
            remains,
        })
    }

    /// Whether this run's record of the step is in the database, once what is open is undone: the message
    /// that failed was to commit it and to open the next step's transaction.
    async fn is_recorded(&mut self, progress: &Progress<'_>) -> Result<bool, sqlx::Error> {
        self.undo(false).await;
        let (run, revision) = (&self.who.run_id, &progress.revision.id);
        self.is_in_trail(run, revision, Some("succeeded")).await
    }
}

fn transaction_has_ended(failure: Failure) -> StepEnd {
    StepEnd::Failed(FailedStep {
        statement: None,
        failure,
        message: "the migration ended the transaction that the step runs in; what it did before that is in the \
                  database without a record"
            .to_owned(),
        remains: Remains::Unknown,
    })
}
