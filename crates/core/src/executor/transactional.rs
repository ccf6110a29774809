//! A step, its record and its audit entry in one transaction.

use std::sync::Arc;

use sea_orm::{DbErr, ExecResult, QueryResult, Statement};
use sea_orm_migration::MigrationTrait;
use stairway_plan::plan::{Direction, Step};
use stairway_plan::revision::{Revision, RevisionId};
use stairway_plan::sql::Dialect;

use super::journalled::is_lock_lost;
use super::pieces::{Piece, pieces};
use super::request::{Answer, Nature, Wanted};
use super::{Executor, FailedStep, Progress, Safety, StepEnd, safety_of};
use crate::bridge::{Request, exec_result};
use crate::connection::{Cancel, Failure, TextRow, classify_in_session, postgres_settings, said};
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

/// A step whose transaction is to be opened, as far as its opening needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upcoming<'step> {
    revision: &'step Revision,
    only_recorded: bool,
}

/// A step's transaction that was opened in the message that committed the step before.
#[derive(Debug)]
pub(super) struct BegunAhead {
    revision: RevisionId,
    /// What [`Executor::question`] was answered in it.
    answer: TextRow,
}

/// How one attempt at a step ended.
enum Attempt {
    Done,
    WithoutForeignKeys,
    /// The session has lost its prepared statements, and the step was not recorded.
    Unprepared,
}

/// PostgreSQL: the statement that every step begins with.
const BEGIN_STEP: &str = "stairway_begin_step";

/// PostgreSQL: the condition that there are event triggers.
const EVENT_TRIGGERS: &str = "EXISTS (SELECT 1 FROM pg_catalog.pg_event_trigger)";

/// What the database says when the transaction is not the one that the step began.
const ENDED: &str = "stairway: the transaction has ended";

impl<'run> Executor<'run> {
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

    /// PostgreSQL: has the server prepare what every step sends, which takes it a quarter of a small
    /// step otherwise. Where that fails, steps send it in full.
    pub(crate) async fn prepare_statements(&mut self) {
        if self.session.dialect() != Dialect::Postgres || self.request.footing == Footing::Pooled {
            return;
        }
        let look = self.look(&self.applied("$1"));
        let sql = format!(
            "{}; PREPARE {BEGIN_STEP} AS {look}",
            self.books.prepare(self.who, &self.has_mark(), ENDED),
        );
        match self.session.run(sql).await {
            Ok(_) => self.prepared = Some(self.books.prepared()),
            Err(error) => tracing::debug!(%error, "steps send their statements in full"),
        }
    }

    /// Whether a statement failed because a migration has deallocated the prepared ones, out of sight. From
    /// then on they are sent in full.
    fn has_lost_prepared(&mut self, error: &sqlx::Error) -> bool {
        let lost = match error {
            sqlx::Error::Database(error) => error.code().as_deref() == Some("26000"),
            _ => false,
        };
        lost && self.prepared.take().is_some()
    }

    /// Whether the revision whose id an expression gives is in the history.
    fn applied(&self, id: &str) -> String {
        as_letter(&self.books.applied_condition_for(id))
    }

    /// PostgreSQL: whether the lock is held, whether the step is done, who is asked, and whether definitions
    /// fire event triggers; sets the mark.
    fn look(&self, applied: &str) -> String {
        let held = self
            .lock
            .condition_at_begin()
            .unwrap_or_else(|| "true".to_owned());
        format!(
            "SELECT {}, {applied}, pg_backend_pid(), {}, {}",
            as_letter(&held),
            as_letter(EVENT_TRIGGERS),
            self.mark()
        )
    }

    /// Opens the transaction and marks it, so that it can be told later whether it is still the
    /// same one. In it, asks whether the step is still to be done: that is certain only here.
    async fn begin(
        &mut self,
        progress: &Progress<'_>,
        foreign_keys: ForeignKeys,
        in_outer: bool,
    ) -> Result<Begun, StepEnd> {
        let pooled = self.request.footing == Footing::Pooled;
        let begun = self.take_begun(&progress.revision.id).await;
        let answer = if let Some(answer) = begun {
            answer
        } else {
            let step = Upcoming {
                revision: progress.revision,
                only_recorded: progress.only_recorded,
            };
            let sql = if pooled && !in_outer {
                let settings = format!("{}; ", self.local_settings());
                self.request
                    .begin_locked(self.session, &settings)
                    .await
                    .map_err(StepEnd::NotBegun)?;
                self.question(step)
            } else {
                self.opening(step, foreign_keys, in_outer)
            };
            // Others than the last statement may answer, too.
            match self.session.rows(sql).await {
                Ok(mut rows) => rows.pop().unwrap_or_default(),
                Err(error) => {
                    self.state.forget();
                    if self.has_lost_prepared(&error) {
                        self.undo(in_outer).await;
                        return Ok(Begun::Unprepared);
                    }
                    let end = self.own_failure(&error, Remains::Nothing);
                    self.undo(in_outer).await;
                    return Err(end);
                }
            }
        };
        let column = |index: usize| answer.get(index).and_then(Option::as_deref);
        if column(0) != Some("t") || !self.lock.is_held_outside_session() {
            self.undo(in_outer).await;
            return Err(StepEnd::LockLost);
        }
        let is_applied = column(1) == Some("t");
        if is_applied == (progress.direction == Direction::Upgrade) {
            let is_postgres = self.session.dialect() == Dialect::Postgres;
            if in_outer && (is_postgres || self.marks_with_savepoint()) {
                drop(self.session.run("RELEASE SAVEPOINT stairway_step").await);
            }
            self.undo(in_outer).await;
            return Ok(Begun::AlreadyDone);
        }
        self.state.hears_of_event_triggers(column(3) != Some("f"));
        if pooled && let Some(id) = column(2).and_then(|id| id.parse().ok()) {
            // Each transaction may be on another session of the server.
            self.session.has_number(id, false);
            self.cancel = Some(Cancel::new(&self.config.database, id));
        }
        self.ended_before = self.session.ended_transactions();
        Ok(Begun::Ready)
    }

    /// The statements that open a step's transaction and ask [`Self::question`] in it, but for those that
    /// wait for the lock behind a pooler.
    fn opening(&mut self, step: Upcoming<'_>, foreign_keys: ForeignKeys, in_outer: bool) -> String {
        let question = self.question(step);
        match (self.session.dialect(), in_outer) {
            (Dialect::Sqlite, in_outer) => {
                let begin = if in_outer {
                    String::new()
                } else {
                    let enforced = foreign_keys == ForeignKeys::Enforced;
                    format!(
                        "{}BEGIN IMMEDIATE; ",
                        self.state.enforce_foreign_keys(enforced)
                    )
                };
                let mark = if self.marks_with_savepoint() {
                    "SAVEPOINT stairway_step; "
                } else {
                    ""
                };
                format!("{begin}{mark}{question}")
            }
            (Dialect::Postgres | Dialect::MySql, true) => {
                let settings = match self.request.footing {
                    Footing::Pooled => self.local_settings(),
                    Footing::Direct => self.baseline.reset.clone(),
                };
                format!("SAVEPOINT stairway_step; {settings}; {question}")
            }
            (Dialect::Postgres | Dialect::MySql, false) => {
                let reset = self.state.put_back(&self.baseline.reset);
                format!("{reset}BEGIN; {question}")
            }
        }
    }

    /// What is asked in a step's transaction: whether the lock is held, whether the step is done, which
    /// session of the server answers, and whether there are event triggers.
    fn question(&mut self, step: Upcoming<'_>) -> String {
        let id = self
            .session
            .dialect()
            .quote_string(step.revision.id.as_str());
        let is_simple = step.only_recorded || step.revision.replaces.is_empty();
        if self.session.dialect() != Dialect::Sqlite {
            self.lock.is_asked_at_begin();
        }
        if self.prepared.is_some() && is_simple {
            return format!("EXECUTE {BEGIN_STEP} ({id})");
        }
        let applied = if is_simple {
            self.applied(&id)
        } else {
            as_letter(&self.books.counts_as_applied(step.revision))
        };
        match self.session.dialect() {
            Dialect::Sqlite => format!("SELECT 't', {applied}, NULL"),
            Dialect::Postgres | Dialect::MySql => self.look(&applied),
        }
    }

    /// The step that follows in a run, if its transaction may be opened in the message that commits the step
    /// before: that saves a small step one of three waits for the server.
    pub(super) fn upcoming(&self, step: &Step) -> Option<Upcoming<'run>> {
        let migrations = self.migrations;
        let revision = migrations.graph().get(step.revision.as_str())?;
        let migration = migrations.migration(&step.revision)?;
        let in_transaction = safety_of(self.session.dialect(), &*migration)
            == Safety::Transactional
            && !self.is_interrupted(&revision.id, step.direction)
            && self.request.footing == Footing::Direct;
        in_transaction.then_some(Upcoming {
            revision,
            only_recorded: step.only_recorded,
        })
    }

    /// The answer to what was asked when this step's transaction was opened in the message that committed
    /// the step before.
    async fn take_begun(&mut self, revision: &RevisionId) -> Option<TextRow> {
        match self.begun_ahead.take() {
            Some(begun) if begun.revision == *revision => Some(begun.answer),
            Some(_) => {
                self.undo(false).await;
                None
            }
            None => None,
        }
    }

    /// Undoes a transaction that was opened for a step which does not follow after all. Nothing has run
    /// in it.
    pub(crate) async fn leave_begun(&mut self) {
        if self.begun_ahead.take().is_some() {
            self.undo(false).await;
        }
    }

    /// Whether a savepoint shows that the transaction is still the same one. It makes SQLite keep each
    /// page that the step changes once more, so it is done without where ended transactions are counted.
    fn marks_with_savepoint(&self) -> bool {
        self.session.dialect() != Dialect::Postgres && self.session.ended_transactions().is_none()
    }

    /// PostgreSQL: an expression that sets a mark, which ends with the transaction.
    fn mark(&self) -> String {
        format!(
            "pg_catalog.set_config('stairway.step', '{}', true)",
            self.who.run_id
        )
    }

    /// PostgreSQL: the condition that the mark is set.
    fn has_mark(&self) -> String {
        format!(
            "pg_catalog.current_setting('stairway.step', true) = '{}'",
            self.who.run_id
        )
    }

    /// PostgreSQL: a query that fails unless the mark is set.
    fn same_transaction(&self) -> String {
        format!(
            "SELECT CAST(CASE WHEN {} THEN '1' ELSE '{ENDED}' END AS integer)",
            self.has_mark()
        )
    }

    /// Settings that outlive the transaction would meet another client of the pooler.
    fn local_settings(&self) -> String {
        postgres_settings(self.session, self.config.statement_lock_timeout, true)
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

    /// Records the step and commits, in one message. The record can't be written if the
    /// transaction is not the one that was opened, nor without the lock.
    async fn commit(
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
                self.begun_ahead = next.map(|next| BegunAhead {
                    revision: next.revision.id.clone(),
                    answer: rows.pop().unwrap_or_default(),
                });
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

/// What opening the transaction came to.
enum Begun {
    Ready,
    /// Someone else has done this step meanwhile.
    AlreadyDone,
    /// The session has lost its prepared statements: nothing is open.
    Unprepared,
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

/// A condition as a text that every database gives alike.
fn as_letter(condition: &str) -> String {
    format!("CASE WHEN {condition} THEN 't' ELSE 'f' END")
}
