//! A step, its record and its audit entry in one transaction.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{DbErr, ExecResult, QueryResult, Statement};
use sea_orm_migration::MigrationTrait;
use stairway_plan::plan::Direction;
use stairway_plan::sql::Dialect;

use super::pieces::{Piece, pieces};
use super::{Executor, FailedStep, Progress, StepEnd};
use crate::bridge::{Request, StepError};
use crate::connection::{Failure, classify};
use crate::error::{Error, Remains};
use crate::render::statement_text;

/// Why a statement that ends the step's transaction is not sent.
const ENDS_TRANSACTION: &str = "it would end the transaction that the step runs in; give the migration \
     `use_transaction() = Some(false)` to let it control transactions itself";

/// Whether SQLite enforces foreign keys while a step runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ForeignKeys {
    /// They are enforced, so that `ON DELETE CASCADE` works in data statements.
    Enforced,
    /// They are checked once, before the commit: a table that others refer to is dropped or rebuilt,
    /// and while they are enforced that would delete the others' rows (sqlite.org/foreignkeys.html,
    /// section 5). The switch has no effect inside a transaction, so the step begins again for it.
    CheckedAtEnd,
}

/// How one attempt at a step ended.
enum Attempt {
    Done,
    WithoutForeignKeys,
}

impl Executor<'_> {
    /// Runs a step in one transaction; in the run's own where there is one.
    /// Returns false if, behind a pooler, another run turned out to have done the step.
    pub(super) async fn run_transactional(
        &mut self,
        migration: Arc<dyn MigrationTrait>,
        progress: &mut Progress<'_>,
        in_outer_transaction: bool,
    ) -> Result<bool, StepEnd> {
        let is_sqlite = self.session.dialect() == Dialect::Sqlite;
        let mut foreign_keys = if is_sqlite && in_outer_transaction {
            ForeignKeys::CheckedAtEnd
        } else {
            ForeignKeys::Enforced
        };
        let mut tries_for_lock = 0_u32;
        loop {
            match self
                .begin(progress, foreign_keys, in_outer_transaction)
                .await?
            {
                Begun::Ready => {}
                Begun::LockTaken => {
                    // Behind a pooler the lock is taken step by step.
                    tries_for_lock += 1;
                    self.wait_for_transaction_lock(tries_for_lock).await?;
                    continue;
                }
                Begun::AlreadyDone => return Ok(false),
            }
            match self
                .attempt(&migration, progress, foreign_keys, in_outer_transaction)
                .await
            {
                Ok(Attempt::Done) => return Ok(true),
                Ok(Attempt::WithoutForeignKeys) => {
                    self.undo(in_outer_transaction).await;
                    progress.restart();
                    foreign_keys = ForeignKeys::CheckedAtEnd;
                }
                Err(end) => {
                    self.undo(in_outer_transaction).await;
                    return Err(end);
                }
            }
        }
    }

    /// Opens the transaction and marks it, so that it can be told later whether it is still the
    /// same one.
    async fn begin(
        &mut self,
        progress: &Progress<'_>,
        foreign_keys: ForeignKeys,
        in_outer: bool,
    ) -> Result<Begun, StepEnd> {
        let sql = match self.session.dialect() {
            Dialect::Sqlite => {
                if in_outer {
                    "SAVEPOINT stairway_step; SELECT 't', 'f'".to_owned()
                } else {
                    let switch = if foreign_keys == ForeignKeys::Enforced {
                        "ON"
                    } else {
                        "OFF"
                    };
                    format!(
                        "PRAGMA foreign_keys = {switch}; BEGIN IMMEDIATE; SAVEPOINT stairway_step; SELECT 't', 'f'"
                    )
                }
            }
            Dialect::Postgres | Dialect::MySql => self.begin_postgres(in_outer),
        };
        // Only rows of the last statement have two columns; PRAGMA may answer, too.
        let rows = match self.session.rows(sql).await {
            Ok(rows) => rows,
            Err(error) => {
                let end = self.own_failure(&error, Remains::Nothing);
                self.undo(in_outer).await;
                return Err(end);
            }
        };
        let answer = rows.last().cloned().unwrap_or_default();
        let is_true = |index: usize| answer.get(index).and_then(Option::as_deref) == Some("t");
        if !is_true(0) {
            self.undo(in_outer).await;
            return if self.lock.transaction_lock().is_some() {
                Ok(Begun::LockTaken)
            } else {
                Err(StepEnd::LockLost)
            };
        }
        if self.session.dialect() == Dialect::Sqlite
            && !self.lock.is_held(self.session).await.unwrap_or(false)
        {
            self.undo(in_outer).await;
            return Err(StepEnd::LockLost);
        }
        if self.lock.transaction_lock().is_some() && !in_outer {
            // Between two steps the lock was anyone's, so the history is read again under it.
            let applied = self
                .session
                .value(self.books.is_applied(&progress.revision.id))
                .await
                .map_err(|error| self.own_failure(&error, Remains::Nothing))?;
            let is_applied = applied.as_deref().is_some_and(|count| count != "0");
            if is_applied == (progress.direction == Direction::Upgrade) {
                self.undo(in_outer).await;
                return Ok(Begun::AlreadyDone);
            }
        }
        Ok(Begun::Ready)
    }

    /// PostgreSQL: the session as new, a transaction with a mark that ends with it, and whether the
    /// lock is ours, in one message.
    fn begin_postgres(&self, in_outer: bool) -> String {
        let nonce = &self.who.run_id;
        let mark = format!("SET LOCAL stairway.step = '{nonce}'");
        let timeout = self.config.statement_lock_timeout.as_millis();
        if in_outer {
            return format!("SAVEPOINT stairway_step; {mark}; SELECT 't', 'f'");
        }
        match self.lock.transaction_lock() {
            // Settings that outlive the transaction would meet another client of the pooler.
            Some(number) => format!(
                "BEGIN; {mark}; SET LOCAL lock_timeout = '{timeout}ms'; SET LOCAL statement_timeout = 0; \
                 SELECT CASE WHEN pg_try_advisory_xact_lock({number}) THEN 't' ELSE 'f' END, 'f'"
            ),
            None => format!(
                "{}; BEGIN; {mark}; SELECT CASE WHEN {} THEN 't' ELSE 'f' END, 'f'",
                self.reset_session(),
                self.lock.postgres_condition(),
            ),
        }
    }

    /// Waits before the next attempt at a lock that is taken step by step.
    async fn wait_for_transaction_lock(&mut self, tries: u32) -> Result<(), StepEnd> {
        let pause = Duration::from_millis(20)
            .saturating_mul(tries.min(10))
            .mul_f64(0.5 + fastrand::f64());
        match self.stop.sleep(pause).await {
            Ok(()) => Ok(()),
            Err(_) => Err(StepEnd::LockLost),
        }
    }

    /// Runs the migration, checks what it left, records it and commits.
    async fn attempt(
        &mut self,
        migration: &Arc<dyn MigrationTrait>,
        progress: &mut Progress<'_>,
        foreign_keys: ForeignKeys,
        in_outer: bool,
    ) -> Result<Attempt, StepEnd> {
        let mut restart = false;
        self.thread.run(Arc::clone(migration), progress.direction);
        let outcome = loop {
            match self.next_request(progress).await {
                Request::Execute(statement, reply) => {
                    let answer = self
                        .execute_in_transaction(progress, &statement, foreign_keys, &mut restart)
                        .await;
                    // The migration may have given up meanwhile.
                    let _ = reply.send(answer);
                }
                Request::Query(statement, reply) => {
                    let answer = self.query_in_transaction(progress, &statement).await;
                    let _ = reply.send(answer);
                }
                Request::Begin(reply) => {
                    progress.depth += 1;
                    let sql = format!("SAVEPOINT stairway_{}", progress.depth);
                    let _ = reply.send(self.control(progress, sql).await);
                }
                Request::Commit(reply) => {
                    let sql = format!("RELEASE SAVEPOINT stairway_{}", progress.depth);
                    progress.depth = progress.depth.saturating_sub(1);
                    let _ = reply.send(self.control(progress, sql).await);
                }
                Request::Rollback(reply) => {
                    let depth = progress.depth;
                    let sql = format!(
                        "ROLLBACK TO SAVEPOINT stairway_{depth}; RELEASE SAVEPOINT stairway_{depth}"
                    );
                    progress.depth = progress.depth.saturating_sub(1);
                    let _ = reply.send(self.control(progress, sql).await);
                }
                Request::Finished(outcome) => break outcome,
            }
        };
        if restart {
            return Ok(Attempt::WithoutForeignKeys);
        }
        let outcome = match (&progress.refused, outcome) {
            // What was refused counts even if the migration went on as if nothing had happened.
            (Some(reason), Ok(())) => Err(StepError::Panicked(reason.clone())),
            (_, outcome) => outcome,
        };
        if let Err(error) = outcome {
            let mut failed = progress.failure_of(&error, |text| self.config.redact(text));
            if failed.failure == Failure::ConnectionLost {
                failed.remains = Remains::Unknown;
            }
            if self.is_cancelled() {
                failed.failure = Failure::Cancelled;
            }
            return Err(StepEnd::Failed(failed));
        }
        progress.check_expected_rows().map_err(StepEnd::Failed)?;
        if foreign_keys == ForeignKeys::CheckedAtEnd {
            self.check_foreign_keys().await?;
        }
        self.commit(progress, in_outer).await?;
        Ok(Attempt::Done)
    }

    async fn execute_in_transaction(
        &mut self,
        progress: &mut Progress<'_>,
        statement: &Statement,
        foreign_keys: ForeignKeys,
        restart: &mut bool,
    ) -> Result<ExecResult, DbErr> {
        if let Some(reason) = &progress.refused {
            return Err(crate::bridge::bridge_error(reason.clone()));
        }
        let text = statement_text(statement);
        let dialect = self.session.dialect();
        let pieces = pieces(&statement.sql, dialect);
        if pieces
            .iter()
            .any(|piece| piece.statement.ends_transaction())
        {
            return Err(self.refuse(progress, &text, ENDS_TRANSACTION.to_owned()));
        }
        if dialect == Dialect::Sqlite {
            if foreign_keys == ForeignKeys::Enforced && self.needs_foreign_keys_off(&pieces).await {
                *restart = true;
                return Err(self.refuse(progress, &text, "the step begins again".to_owned()));
            }
            if !pieces.is_empty() && pieces.iter().all(Piece::switches_foreign_keys) {
                // Inside a transaction the switch has no effect; the step has seen to it.
                return crate::bridge::exec_result(Dialect::Sqlite, 0, 0);
            }
        }
        if pieces
            .iter()
            .any(|piece| piece.statement.changes_session() && !piece.switches_foreign_keys())
        {
            self.warn_of_setting(progress, &text);
        }
        let changes_rows = pieces.iter().any(|piece| piece.statement.is_data_change());
        self.execute_observed(progress, statement, text, changes_rows)
            .await
    }

    async fn query_in_transaction(
        &mut self,
        progress: &mut Progress<'_>,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        if let Some(reason) = &progress.refused {
            return Err(crate::bridge::bridge_error(reason.clone()));
        }
        let text = statement_text(statement);
        let pieces = pieces(&statement.sql, self.session.dialect());
        if pieces
            .iter()
            .any(|piece| piece.statement.ends_transaction())
        {
            return Err(self.refuse(progress, &text, ENDS_TRANSACTION.to_owned()));
        }
        let is_read = pieces.iter().all(|piece| piece.statement.is_read());
        self.query_observed(progress, statement, text, is_read)
            .await
    }

    /// A savepoint statement on the migration's behalf.
    async fn control(&mut self, progress: &mut Progress<'_>, sql: String) -> Result<(), DbErr> {
        if let Some(reason) = &progress.refused {
            return Err(crate::bridge::bridge_error(reason.clone()));
        }
        let index = progress.statements.len() as u64;
        match self.session.run(sql).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.statement_failed(progress, index, error)),
        }
    }

    /// Whether a statement drops a table that others refer to, or asks for the switch itself.
    async fn needs_foreign_keys_off(&mut self, pieces: &[Piece]) -> bool {
        if pieces.iter().any(Piece::switches_foreign_keys) {
            return true;
        }
        for table in pieces.iter().flat_map(Piece::dropped_tables) {
            let name = Dialect::Sqlite.quote_string(table);
            let query = format!(
                "SELECT 1 FROM sqlite_master m, pragma_foreign_key_list(m.name) f WHERE m.type = 'table' \
                 AND lower(f.\"table\") = lower({name}) AND lower(m.name) <> lower({name}) LIMIT 1"
            );
            if matches!(self.session.value(query).await, Ok(Some(_))) {
                return true;
            }
        }
        false
    }

    /// SQLite: every reference must lead somewhere before the step is committed.
    async fn check_foreign_keys(&mut self) -> Result<(), StepEnd> {
        let violations = self
            .session
            .rows("PRAGMA foreign_key_check")
            .await
            .map_err(|error| self.own_failure(&error, Remains::Nothing))?;
        let Some(first) = violations.first() else {
            return Ok(());
        };
        let column = |index: usize| {
            first
                .get(index)
                .cloned()
                .flatten()
                .unwrap_or_else(|| "?".to_owned())
        };
        Err(StepEnd::Failed(FailedStep {
            statement: None,
            failure: Failure::Statement,
            message: format!(
                "{} row(s) would refer to rows that do not exist; the first is row {} of {}, which refers to {}",
                violations.len(),
                column(1),
                column(0),
                column(2)
            ),
            remains: Remains::Nothing,
        }))
    }

    /// Records the step and commits, in one message. The record can't be written if the
    /// transaction is not the one that was opened.
    async fn commit(&mut self, progress: &Progress<'_>, in_outer: bool) -> Result<(), StepEnd> {
        let guard = match self.session.dialect() {
            Dialect::Postgres => format!(
                "SELECT 1 / CASE WHEN current_setting('stairway.step', true) = '{}' THEN 1 ELSE 0 END",
                self.who.run_id
            ),
            Dialect::MySql | Dialect::Sqlite => "RELEASE SAVEPOINT stairway_step".to_owned(),
        };
        let end = if in_outer { "" } else { "; COMMIT" };
        let sql = format!("{guard}; {}{end}", self.record(progress));
        match self.session.run(sql).await {
            Ok(_) => Ok(()),
            Err(error) => {
                let failure = classify(self.session.dialect(), &error);
                let lost_its_transaction = match &error {
                    sqlx::Error::Database(error) => {
                        error.code().as_deref() == Some("22012")
                            || error.message().contains("no such savepoint")
                    }
                    _ => false,
                };
                let message = if lost_its_transaction {
                    "the migration ended the transaction that the step runs in; what it did before that is in the \
                     database without a record"
                        .to_owned()
                } else {
                    format!(
                        "the commit failed: {}",
                        self.config.redact(&error.to_string())
                    )
                };
                let unknown = failure == Failure::ConnectionLost || lost_its_transaction;
                Err(StepEnd::Failed(FailedStep {
                    statement: None,
                    failure,
                    message,
                    remains: if unknown {
                        Remains::Unknown
                    } else {
                        Remains::Nothing
                    },
                }))
            }
        }
    }

    /// Undoes the step. Where the connection is lost, the server has done so.
    async fn undo(&mut self, in_outer: bool) {
        // The outer transaction as a whole is undone by whoever opened it.
        if !in_outer && let Err(error) = self.session.run("ROLLBACK").await {
            tracing::debug!(%error, "the transaction ended without us");
        }
    }
}

/// The transaction around all steps of a run.
impl Executor<'_> {
    /// Opens it. SQLite's foreign keys are checked at its end, since they can't be switched inside.
    pub(crate) async fn begin_outer(&mut self) -> Result<bool, sqlx::Error> {
        let sql = match self.session.dialect() {
            Dialect::Sqlite => "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE; SELECT 't'".to_owned(),
            Dialect::Postgres | Dialect::MySql => self.begin_postgres(false),
        };
        let rows = self.session.rows(sql).await?;
        let held = rows
            .last()
            .and_then(|row| row.first())
            .and_then(Option::as_deref)
            == Some("t");
        Ok(held && self.lock.is_held(self.session).await?)
    }

    /// Commits it.
    pub(crate) async fn commit_outer(&mut self) -> Result<(), Error> {
        match self.session.run("COMMIT").await {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::query(
                "committing all steps",
                self.session.dialect(),
                &error,
            )),
        }
    }
}

/// What opening the transaction came to.
enum Begun {
    Ready,
    /// Someone else holds the lock that is taken step by step.
    LockTaken,
    /// Someone else has done this step meanwhile.
    AlreadyDone,
}
