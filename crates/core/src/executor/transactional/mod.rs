//! A step, its record and its audit entry in one transaction.

mod commit;
mod opening;

use std::sync::Arc;

use sea_orm::{DbErr, ExecResult, QueryResult, Statement};
use sea_orm_migration::MigrationTrait;
use stairway_plan::sql::Dialect;

use self::opening::Begun;
pub(super) use self::opening::{BegunAhead, Upcoming};
use super::pieces::{Piece, pieces};
use super::request::{Answer, Nature, Wanted};
use super::{Executor, FailedStep, Progress, StepEnd};
use crate::bridge::{Request, exec_result};
use crate::connection::{Failure, classify_in_session, said};
use crate::error::{Error, Remains};
use crate::lock::Footing;
use crate::render::statement_text;

/// Why a statement that ends the step's transaction is not sent.
const ENDS_TRANSACTION: &str = "it would end the transaction that the step runs in; give the migration \
     `use_transaction() = Some(false)` to let it control transactions itself";

/// Why a statement that changes the session is not sent behind a pooler.
const SHARED_SESSION: &str = "it changes the session, which behind a connection pooler belongs to another client next; \
     use `SET LOCAL`, or the database's direct URL for this revision";

/// SQLite: every reference that leads nowhere.
const FOREIGN_KEY_CHECK: &str = "PRAGMA foreign_key_check";

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
    /// The session has lost its prepared statements, and the step was not recorded.
    Unprepared,
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
        loop {
            match self
                .begin(progress, foreign_keys, in_outer_transaction)
                .await?
            {
                Begun::Ready => {}
                Begun::AlreadyDone => return Ok(false),
                Begun::Unprepared => continue,
            }
            if !progress.announced {
                self.step_started(progress, true);
                progress.announced = true;
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
                Ok(Attempt::Unprepared) => {
                    self.undo(in_outer_transaction).await;
                    progress.restart();
                }
                Err(end) => {
                    self.undo(in_outer_transaction).await;
                    return Err(end);
                }
            }
        }
    }

    /// Whether a savepoint shows that the transaction is still the same one. It makes SQLite keep each
    /// page that the step changes once more, so it is done without where ended transactions are counted.
    pub(super) fn marks_with_savepoint(&self) -> bool {
        self.session.dialect() != Dialect::Postgres && self.session.ended_transactions().is_none()
    }

    /// PostgreSQL: an expression that sets a mark, which ends with the transaction.
    pub(super) fn mark(&self) -> String {
        format!(
            "pg_catalog.set_config('stairway.step', '{}', true)",
            self.who.run_id
        )
    }

    /// PostgreSQL: the condition that the mark is set.
    pub(super) fn has_mark(&self) -> String {
        format!(
            "pg_catalog.current_setting('stairway.step', true) = '{}'",
            self.who.run_id
        )
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
        let checks_references =
            foreign_keys == ForeignKeys::CheckedAtEnd && self.session.dialect() == Dialect::Sqlite;
        let dangling = if checks_references {
            let rows = self.session.rows(FOREIGN_KEY_CHECK).await;
            rows.map_err(|error| self.own_failure(&error, Remains::Nothing))?
                .len()
        } else {
            0
        };
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
                    let _ = reply.send(self.control(progress, &sql).await);
                }
                Request::Commit(reply) => {
                    let depth = progress.depth;
                    progress.depth = depth.saturating_sub(1);
                    let answer = match progress.aborted.clone() {
                        Some(failed) => Err(Self::refuse_commit(progress, &failed)),
                        None => {
                            self.control(progress, &format!("RELEASE SAVEPOINT stairway_{depth}"))
                                .await
                        }
                    };
                    let _ = reply.send(answer);
                }
                Request::Rollback(reply) => {
                    let depth = progress.depth;
                    progress.depth = depth.saturating_sub(1);
                    let sql = format!(
                        "ROLLBACK TO SAVEPOINT stairway_{depth}; RELEASE SAVEPOINT stairway_{depth}"
                    );
                    let answer = self.control(progress, &sql).await;
                    if answer.is_ok() {
                        progress.aborted = None;
                    }
                    let _ = reply.send(answer);
                }
                Request::Finished(outcome) => break outcome,
            }
        };
        if restart {
            return Ok(Attempt::WithoutForeignKeys);
        }
        if let Some(mut failed) = progress.failure(outcome, |text| self.config.redact(text)) {
            if self.is_cancelled() {
                failed.failure = Failure::Cancelled;
            }
            return Err(StepEnd::Failed(failed));
        }
        progress.check_expected_rows().map_err(StepEnd::Failed)?;
        if checks_references {
            self.check_foreign_keys(dangling).await?;
        }
        self.commit(progress, in_outer).await
    }

    async fn execute_in_transaction(
        &mut self,
        progress: &mut Progress<'_>,
        statement: &Statement,
        foreign_keys: ForeignKeys,
        restart: &mut bool,
    ) -> Result<ExecResult, DbErr> {
        Self::check_refused(progress)?;
        let text = statement_text(statement);
        let dialect = self.session.dialect();
        let pieces = pieces(&statement.sql, dialect);
        self.check_pieces(progress, &text, &pieces)?;
        if dialect == Dialect::Sqlite {
            if foreign_keys == ForeignKeys::Enforced && self.needs_foreign_keys_off(&pieces).await {
                *restart = true;
                return Err(self.refuse(progress, &text, "the step begins again"));
            }
            if !pieces.is_empty() && pieces.iter().all(Piece::switches_foreign_keys) {
                // Inside a transaction the switch has no effect; the step has seen to it.
                return exec_result(Dialect::Sqlite, 0, 0);
            }
        }
        let nature = Nature::of(&pieces);
        match self
            .run_observed(progress, statement, &text, Wanted::Count, nature)
            .await
        {
            Ok(Answer::Count(executed)) => Ok(executed.result),
            Ok(Answer::Rows(rows)) => exec_result(dialect, rows.len() as u64, 0),
            Err(error) => {
                self.failed_in_transaction(progress).await;
                Err(error)
            }
        }
    }

    async fn query_in_transaction(
        &mut self,
        progress: &mut Progress<'_>,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        Self::check_refused(progress)?;
        let text = statement_text(statement);
        let pieces = pieces(&statement.sql, self.session.dialect());
        self.check_pieces(progress, &text, &pieces)?;
        let nature = Nature::of(&pieces);
        match self
            .run_observed(progress, statement, &text, Wanted::Rows, nature)
            .await
        {
            Ok(Answer::Rows(rows)) => Ok(rows),
            Ok(Answer::Count(_)) => Ok(Vec::new()),
            Err(error) => {
                self.failed_in_transaction(progress).await;
                Err(error)
            }
        }
    }

    /// Refuses what would end the step's transaction or, behind a pooler, outlive it.
    fn check_pieces(
        &mut self,
        progress: &mut Progress<'_>,
        text: &str,
        pieces: &[Piece],
    ) -> Result<(), DbErr> {
        if pieces
            .iter()
            .any(|piece| piece.statement.ends_transaction())
        {
            return Err(self.refuse(progress, text, ENDS_TRANSACTION));
        }
        for (at, piece) in pieces.iter().enumerate() {
            if self.request.footing == Footing::Pooled && piece.outlives_transaction() {
                return Err(self.refuse(progress, text, SHARED_SESSION));
            }
            self.state.sees(piece, self.session.dialect());
            self.note_session_change(progress, piece, &pieces[at + 1..]);
        }
        Ok(())
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

    /// SQLite: no more references may lead nowhere than before the step.
    async fn check_foreign_keys(&mut self, before: usize) -> Result<(), StepEnd> {
        let violations = self
            .session
            .rows(FOREIGN_KEY_CHECK)
            .await
            .map_err(|error| self.own_failure(&error, Remains::Nothing))?;
        if violations.len() <= before {
            return Ok(());
        }
        let shown = violations.last().cloned().unwrap_or_default();
        let column = |index: usize| {
            shown
                .get(index)
                .cloned()
                .flatten()
                .unwrap_or_else(|| "?".to_owned())
        };
        Err(StepEnd::Failed(FailedStep {
            statement: None,
            failure: Failure::Statement,
            message: format!(
                "{} row(s) would refer to rows that do not exist, {before} did before; one is row {} of {}, which \
                 refers to {}",
                violations.len(),
                column(1),
                column(0),
                column(2)
            ),
            remains: Remains::Nothing,
        }))
    }

    /// Undoes the step. Where the connection is lost, the server has done so.
    pub(super) async fn undo(&mut self, in_outer: bool) {
        // The outer transaction as a whole is undone by whoever opened it.
        if !in_outer && let Err(error) = self.session.run("ROLLBACK").await {
            tracing::debug!(%error, "the transaction ended without us");
        }
    }
}

/// The transaction around all steps of a run.
impl Executor<'_> {
    /// Opens it. SQLite's foreign keys are checked at its end, since they can't be switched inside.
    /// Returns whether the lock is held.
    pub(crate) async fn begin_outer(&mut self) -> Result<bool, Error> {
        let failed = |dialect: Dialect, error: &sqlx::Error| {
            Error::query("opening the transaction around all steps", dialect, error)
        };
        let dialect = self.session.dialect();
        let sql = match (dialect, self.request.footing) {
            (Dialect::Sqlite, _) => {
                self.state.forget();
                "PRAGMA foreign_keys = OFF; BEGIN IMMEDIATE".to_owned()
            }
            (_, Footing::Direct) => {
                format!("{}; BEGIN; SELECT {}", self.baseline.reset, self.mark())
            }
            (_, Footing::Pooled) => {
                let settings = format!("SELECT {}; {}; ", self.mark(), self.local_settings());
                self.request.begin_locked(self.session, &settings).await?;
                return Ok(true);
            }
        };
        self.session
            .run(sql)
            .await
            .map_err(|error| failed(dialect, &error))?;
        self.lock
            .is_held(self.session)
            .await
            .map_err(|error| failed(dialect, &error))
    }

    /// Commits it.
    pub(crate) async fn commit_outer(&mut self) -> Result<(), Error> {
        let dialect = self.session.dialect();
        match self.session.run("COMMIT").await {
            Ok(_) => Ok(()),
            Err(error) => Err(Error::Database {
                doing: "committing all steps",
                failure: classify_in_session(dialect, &error),
                message: said(&error),
            }),
        }
    }
}
