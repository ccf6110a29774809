//! A step that can't be one transaction, run so that a crash leaves no statement in the dark.
//!
//! What a transaction can hold is run in one together with its journal entry, so that it is done
//! exactly when the entry is there. What can't be (a definition on MySQL/MariaDB, which commits; a
//! concurrent index) is journalled before it runs, together with what its objects look like; after
//! a crash a look at them tells whether it was done. What the migration reads is kept, so that a
//! rerun is told the same and sends the same.

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::{DbErr, ExecResult, QueryResult, Statement};
use sea_orm_migration::MigrationTrait;
use stairway_plan::bookkeeping::{JournalEntry, JournalState};
use stairway_plan::event::EventKind;
use stairway_plan::history::InterruptedStep;
use stairway_plan::sql::{Dialect, SettingScope, StatementKind, redact_statement};

use super::journal::{Begun, Earlier, Journal, Mark, Open};
use super::pieces::{Piece, pieces};
use super::request::{Answer, Nature, Wanted};
use super::{Executor, FailedStep, Progress, StepEnd, kept};
use crate::bridge::{Request, StepError, exec_result};
use crate::connection::{Failure, TextRow, classify_in_session, said};
use crate::error::{InDoubt, Remains};
use crate::lock::{Footing, LOCK_LOST};
use crate::render::statement_text;

impl Executor<'_> {
    /// Runs a step statement by statement, going on where an earlier attempt stopped.
    pub(super) async fn run_journalled(
        &mut self,
        migration: Arc<dyn MigrationTrait>,
        progress: &mut Progress<'_>,
        grouped: bool,
    ) -> Result<(), StepEnd> {
        let mut journal = self.open_journal(progress, grouped).await?;
        self.step_started(progress, false);
        progress.announced = true;
        self.thread.run(migration, progress.direction);
        let outcome = loop {
            match self.next_request(progress).await {
                Request::Execute(statement, reply) => {
                    let answer = self
                        .execute_journalled(progress, &mut journal, &statement)
                        .await;
                    // The migration may have given up meanwhile.
                    let _ = reply.send(answer);
                }
                Request::Query(statement, reply) => {
                    let answer = self
                        .query_journalled(progress, &mut journal, &statement)
                        .await;
                    let _ = reply.send(answer);
                }
                Request::Begin(reply) => {
                    let _ = reply.send(self.begin_own(progress, &mut journal, None).await);
                }
                Request::Commit(reply) => {
                    let _ = reply.send(self.commit_own(progress, &mut journal).await);
                }
                Request::Rollback(reply) => {
                    let _ = reply.send(self.rollback_own(progress, &mut journal).await);
                }
                Request::Finished(outcome) => break outcome,
            }
        };
        self.close_journal(progress, journal, outcome).await
    }

    /// Makes the session clean and reads what an earlier attempt left.
    async fn open_journal(
        &mut self,
        progress: &Progress<'_>,
        grouped: bool,
    ) -> Result<Journal, StepEnd> {
        // Under a lock of the session's own there is nothing else than what the run began with.
        let is_interrupted = self.is_interrupted(&progress.revision.id, progress.direction);
        let query = if self.request.footing == Footing::Direct && !is_interrupted {
            String::new()
        } else {
            let (revision, direction) = (&progress.revision.id, progress.direction);
            format!("; {}", self.books.read_journal(revision, direction))
        };
        let held = self
            .lock
            .held_condition()
            .unwrap_or_else(|| "1 = 1".to_owned());
        // In one message. The row about the lock is told by its two columns.
        let sql = format!(
            "{}SELECT CASE WHEN {held} THEN 't' ELSE 'f' END, 'lock'{query}",
            self.state.put_back(&self.baseline.reset)
        );
        let rows = self
            .session
            .rows(sql)
            .await
            .map_err(|error| self.own_failure(&error, Remains::Nothing))?;
        let says_held =
            |row: &TextRow| row.len() == 2 && row.first() == Some(&Some("t".to_owned()));
        let in_session = rows.iter().any(says_held);
        if !in_session || !self.lock.is_held_outside_session() {
            return Err(StepEnd::LockLost);
        }
        let entries: Vec<TextRow> = rows.into_iter().filter(|row| row.len() > 2).collect();
        let mut earlier: BTreeMap<u64, JournalEntry> = self
            .books
            .parse_journal(&entries)
            .into_iter()
            .map(|entry| (entry.position, entry))
            .collect();
        let first = earlier.remove(&0);
        let begun = match (&first, earlier.is_empty()) {
            (Some(_), _) => Begun::Yes,
            (None, true) => Begun::No,
            (None, false) => Begun::Maybe,
        };
        let last_run = earlier
            .values()
            .next_back()
            .or(first.as_ref())
            .map(|entry| entry.run_id.clone());
        if let Some(last_run) = last_run {
            self.note_interruption(progress, &last_run, &earlier)
                .await?;
        }
        Ok(Journal::new(earlier, begun, grouped))
    }

    /// A run that was killed could not write into the audit trail that it was.
    async fn note_interruption(
        &mut self,
        progress: &Progress<'_>,
        run: &str,
        earlier: &BTreeMap<u64, JournalEntry>,
    ) -> Result<(), StepEnd> {
        if run == self.who.run_id {
            return Ok(());
        }
        let is_said = self.is_in_trail(run, &progress.revision.id, None).await;
        if is_said.map_err(|error| self.own_failure(&error, Remains::Nothing))? {
            return Ok(());
        }
        let done = earlier
            .values()
            .filter(|entry| entry.state != JournalState::Read)
            .count();
        let detail = format!(
            "run {run} was interrupted after {done} statement(s) were sent; this run goes on there"
        );
        let entry = stairway_plan::bookkeeping::AuditRecord {
            revision: &progress.revision.id,
            action: progress.direction.as_str(),
            outcome: "interrupted",
            duration_ms: 0,
            rows_affected: None,
            error: None,
            detail: Some(&detail),
        };
        let sql = self.books.append_audit(self.who, &entry);
        self.session
            .run(sql)
            .await
            .map(drop)
            .map_err(|error| self.own_failure(&error, Remains::Nothing))
    }

    /// Records the step, or says what is left of it.
    async fn close_journal(
        &mut self,
        progress: &mut Progress<'_>,
        mut journal: Journal,
        outcome: Result<(), StepError>,
    ) -> Result<(), StepEnd> {
        let mut failed = progress
            .failure(outcome, |text| self.config.redact(text))
            .or_else(|| progress.check_expected_rows().err());
        if failed.is_none()
            && let Some(entry) = journal.not_sent()
        {
            let reason = format!(
                "its code now ends without sending statement {} of then: `{}`",
                entry.position, entry.statement
            );
            journal.doubt = Some(reason.clone());
            failed = Some(FailedStep {
                statement: None,
                failure: Failure::Statement,
                message: reason,
                remains: Remains::Nothing,
            });
        }
        if let Some(mut failed) = failed {
            if journal.open != Open::Nothing {
                // Where the connection is lost, the server has done so.
                drop(self.session.run("ROLLBACK").await);
            }
            if let Some(reason) = journal.doubt.take() {
                return Err(StepEnd::InDoubt(self.in_doubt(progress, &journal, reason)));
            }
            if self.is_cancelled() {
                failed.failure = Failure::Cancelled;
            }
            failed.remains = self.remains(progress, &journal, failed.failure).await;
            return Err(StepEnd::Failed(failed));
        }
        if !self.lock.is_held_outside_session() {
            drop(self.session.run("ROLLBACK").await);
            return Err(StepEnd::LockLost);
        }
        let begin = match journal.open {
            Open::Nothing => format!("{}; ", begin(self.session.dialect())),
            Open::Group | Open::Own => String::new(),
        };
        let guard = self
            .lock
            .guard(self.session.dialect())
            .map_or_else(String::new, |guard| format!("{guard}; "));
        let clear = self.books.clear_journal(&progress.revision.id);
        let sql = in_one_answer(
            self.session.dialect(),
            format!(
                "{begin}{guard}{}{}; {clear}; COMMIT",
                self.own_role(),
                self.record(self.books, progress)
            ),
        );
        progress.commit_sent = true;
        let Err(error) = self.session.run(sql).await else {
            return Ok(());
        };
        drop(self.session.run("ROLLBACK").await);
        if is_lock_lost(&error) {
            return Err(StepEnd::LockLost);
        }
        let failure = classify_in_session(self.session.dialect(), &error);
        Err(StepEnd::Failed(FailedStep {
            statement: None,
            failure,
            message: format!(
                "its statements are done, but it could not be recorded: {}",
                self.config.redact(&said(&error))
            ),
            remains: self.remains(progress, &journal, failure).await,
        }))
    }

    /// What a failed step left, by its journal; a journal with nothing in it is removed.
    async fn remains(
        &mut self,
        progress: &Progress<'_>,
        journal: &Journal,
        failure: Failure,
    ) -> Remains {
        if failure == Failure::ConnectionLost {
            return Remains::Unknown;
        }
        let query = self
            .books
            .read_journal(&progress.revision.id, progress.direction);
        // The migration may have made the session act as somebody who must not look.
        let asked = format!("{}{query}", self.own_role());
        let Ok(rows) = self.session.rows(asked).await else {
            return Remains::Unknown;
        };
        let entries = self.books.parse_journal(&rows);
        // What ended well before the failure needs no settling: say so, for whoever reads the status.
        if let Some(last) = entries.last()
            && last.position > 0
            && last.state == JournalState::Started
            && (progress.last_failure.is_none() || journal.is_past(last.position))
        {
            let finish = self.books.finish_journal(
                &progress.revision.id,
                progress.direction,
                last.position,
                last.rows_affected,
                last.last_insert_id,
            );
            if let Err(error) = self.session.run(finish).await {
                tracing::debug!(%error, "the next run settles the statement by looking");
            }
        }
        let done = entries
            .iter()
            .filter(|entry| entry.position > 0 && entry.state != JournalState::Read)
            .count() as u64;
        if done == 0
            && self
                .session
                .run(self.books.clear_journal(&progress.revision.id))
                .await
                .is_ok()
        {
            return Remains::Nothing;
        }
        Remains::Statements(done)
    }

    fn in_doubt(&self, progress: &Progress<'_>, journal: &Journal, reason: String) -> InDoubt {
        InDoubt {
            step: InterruptedStep {
                revision: progress.revision.id.clone(),
                direction: progress.direction,
                started_at: None,
                statements_done: journal.done,
                in_doubt: journal.last_started().map(|entry| entry.statement.clone()),
            },
            reason,
            location: self.config.location(),
        }
    }

    async fn execute_journalled(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        statement: &Statement,
    ) -> Result<ExecResult, DbErr> {
        let dialect = self.session.dialect();
        if statement.values.is_some() {
            let piece = Piece::bound(statement, dialect);
            let answer = self
                .answer(progress, journal, statement, &piece, Wanted::Count)
                .await?;
            return count_of(answer, dialect);
        }
        // Each statement of a string is journalled for itself: the server would commit between them,
        // or take them as one transaction where that is not allowed.
        let pieces = pieces(&statement.sql, dialect);
        let (mut rows, mut last_id) = (0, 0);
        let mut last = None;
        let count = pieces.len();
        for piece in pieces {
            let single = Statement::from_string(statement.db_backend, piece.text.clone());
            let answer = self
                .answer(progress, journal, &single, &piece, Wanted::Count)
                .await?;
            rows += answer.rows_affected();
            last_id = answer.last_insert_id();
            last = Some(answer);
        }
        match last {
            Some(last) if count == 1 => count_of(last, dialect),
            _ => exec_result(dialect, rows, last_id),
        }
    }

    async fn query_journalled(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        let piece = Piece::bound(statement, self.session.dialect());
        match self
            .answer(progress, journal, statement, &piece, Wanted::Rows)
            .await?
        {
            Answer::Rows(rows) => Ok(rows),
            Answer::Count(_) => Ok(Vec::new()),
        }
    }

    /// Answers one statement.
    async fn answer(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        statement: &Statement,
        piece: &Piece,
        wanted: Wanted,
    ) -> Result<Answer, DbErr> {
        Self::check_refused(progress)?;
        self.state.sees(piece, self.session.dialect());
        if let Some(answer) = self.control_transaction(progress, journal, piece).await? {
            return Ok(answer);
        }
        let dialect = self.session.dialect();
        self.note_session_change(progress, piece, &[]);
        if self.is_of_the_session(journal, piece) {
            return self
                .plainly(progress, journal, statement, piece, wanted)
                .await;
        }
        if piece.statement.is_read() && !piece.may_write(dialect) {
            return self.read(progress, journal, statement, piece, wanted).await;
        }
        self.write(progress, journal, statement, piece, wanted)
            .await
    }

    /// Statements that begin and end transactions, and locks on tables.
    async fn control_transaction(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        piece: &Piece,
    ) -> Result<Option<Answer>, DbErr> {
        let dialect = self.session.dialect();
        match piece.statement.kind {
            StatementKind::Begin if progress.depth == 0 => {
                self.begin_own(progress, journal, Some(&piece.text)).await?;
            }
            StatementKind::Commit { chain } | StatementKind::Rollback { chain } => {
                // Whatever is nested in it ends with it.
                progress.depth = progress.depth.min(1);
                if progress.depth > 0 {
                    if matches!(piece.statement.kind, StatementKind::Commit { .. }) {
                        self.commit_own(progress, journal).await?;
                    } else {
                        self.rollback_own(progress, journal).await?;
                    }
                }
                if chain {
                    self.begin_own(progress, journal, None).await?;
                }
            }
            StatementKind::SetAutocommit { on } => {
                if piece.text.contains(',') {
                    let reason = "`autocommit` must be set in a statement of its own";
                    return Err(self.refuse(progress, &piece.text, reason));
                }
                match (on, progress.depth) {
                    (false, 0) => self.begin_own(progress, journal, None).await?,
                    (true, 1..) => {
                        progress.depth = 1;
                        self.commit_own(progress, journal).await?;
                    }
                    _ => {}
                }
            }
            // Outside a transaction SQLite takes it for the beginning of one, which its release commits.
            StatementKind::Savepoint if dialect == Dialect::Sqlite && progress.depth == 0 => {
                let sql = format!("{}; {}", begin(dialect), piece.text);
                self.begin_own(progress, journal, Some(&sql)).await?;
                journal.begin_savepoints(&piece.statement);
            }
            StatementKind::Savepoint | StatementKind::RollbackTo | StatementKind::Release => {
                self.control(progress, &piece.text).await?;
                if piece.statement.kind == StatementKind::RollbackTo {
                    progress.aborted = None;
                }
                if progress.depth == 1 && journal.releases_the_last_savepoint(&piece.statement) {
                    self.commit_own(progress, journal).await?;
                }
            }
            StatementKind::TwoPhase { .. } => {
                let reason = "a transaction in two phases can't be journalled: nothing would tell after a crash \
                              what became of it";
                return Err(self.refuse(progress, &piece.text, reason));
            }
            StatementKind::LockTables | StatementKind::UnlockTables
                if dialect == Dialect::MySql =>
            {
                self.warn(format!(
                    "{}: `{}` has no effect in a migration: the transactions around its statements end table locks",
                    progress.revision.id, piece.text
                ));
            }
            _ => return Ok(None),
        }
        Ok(Some(Answer::Rows(Vec::new())))
    }

    /// Statements that make up the session rather than the database: they are run in every attempt
    /// and leave nothing to journal.
    fn is_of_the_session(&self, journal: &mut Journal, piece: &Piece) -> bool {
        let dialect = self.session.dialect();
        let statement = &piece.statement;
        if statement.temporary {
            if let Some(name) = &statement.target {
                journal.made_for_session(&name.name);
            }
            return true;
        }
        if dialect == Dialect::MySql {
            let sets_variable = matches!(
                statement.kind,
                StatementKind::Set {
                    scope: SettingScope::UserVariable
                }
            );
            let selects_into =
                statement.kind == StatementKind::Query && piece.selects_into_variable();
            if sets_variable || selects_into {
                for name in piece.user_variables() {
                    journal.made_for_session(&name);
                }
                return true;
            }
        }
        let targets_session_object = statement
            .target
            .as_ref()
            .is_some_and(|name| journal.names_session_object(&name.name, dialect));
        let reads_session_object =
            statement.is_read() && journal.names_session_object(&piece.text, dialect);
        statement.changes_session()
            || targets_session_object
            || reads_session_object
            || matches!(
                statement.kind,
                StatementKind::Begin | StatementKind::LockTables | StatementKind::SetTransaction
            )
    }

    /// Runs a statement and writes nothing down.
    async fn plainly(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &Journal,
        statement: &Statement,
        piece: &Piece,
        wanted: Wanted,
    ) -> Result<Answer, DbErr> {
        let nature = Nature {
            reads_only: piece.statement.is_read(),
            changes_rows: piece.statement.is_data_change(),
        };
        let result = self
            .run_observed(progress, statement, &piece.text, wanted, nature)
            .await;
        if result.is_err() && journal.open != Open::Nothing {
            self.failed_in_transaction(progress).await;
        }
        result
    }

    /// Answers a statement that only reads: as it was answered in an earlier attempt that came
    /// further, else by the database.
    async fn read(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        statement: &Statement,
        piece: &Piece,
        wanted: Wanted,
    ) -> Result<Answer, DbErr> {
        let dialect = self.session.dialect();
        let position = journal.take_place();
        let mark = Mark::of(&piece.text, dialect);
        match journal.earlier(position, &mark) {
            Earlier::Read(Some(rows)) if wanted == Wanted::Rows => {
                if let Some(rows) = kept::give_back(self.session, &rows).await {
                    progress.has_read = true;
                    return Ok(Answer::Rows(rows));
                }
            }
            Earlier::Nothing | Earlier::Read(_) => {}
            Earlier::Differs(then) => {
                return Err(self.differs(progress, journal, piece, position, &then));
            }
            Earlier::Done(entry) | Earlier::Started(entry) => {
                return Err(self.differs(progress, journal, piece, position, &entry.statement));
            }
        }
        let answer = self
            .plainly(progress, journal, statement, piece, wanted)
            .await?;
        let rows = match &answer {
            Answer::Rows(rows) => kept::keep(rows),
            Answer::Count(_) => None,
        };
        let shown = redact_statement(&piece.text, dialect);
        journal.note_read(position, &mark, shown, rows);
        Ok(answer)
    }

    /// The migration opens a transaction, or a savepoint in one.
    async fn begin_own(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        text: Option<&str>,
    ) -> Result<(), DbErr> {
        let begin = text.unwrap_or(begin(self.session.dialect()));
        progress.depth += 1;
        if progress.depth == 1 {
            // One that a rollback has ended must not be taken for the beginning of this transaction.
            journal.forget_savepoints();
        }
        let sql = match (progress.depth, journal.open) {
            // What was sent before is not part of the migration's own transaction.
            (1, Open::Group) => format!("COMMIT; {begin}"),
            (1, _) => begin.to_owned(),
            (depth, Open::Nothing) => format!("{begin}; SAVEPOINT stairway_{depth}"),
            (depth, _) => format!("SAVEPOINT stairway_{depth}"),
        };
        self.control(progress, &sql).await?;
        journal.open = Open::Own;
        Ok(())
    }

    /// The migration commits its innermost transaction.
    async fn commit_own(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
    ) -> Result<(), DbErr> {
        Self::check_refused(progress)?;
        let depth = progress.depth;
        progress.depth = depth.saturating_sub(1);
        if let Some(failed) = progress.aborted.clone() {
            return Err(Self::refuse_commit(progress, &failed));
        }
        if journal.open == Open::Nothing {
            // A definition has committed it already, on MySQL/MariaDB.
            return Ok(());
        }
        if depth <= 1 {
            journal.open = Open::Nothing;
            return self.control(progress, "COMMIT").await;
        }
        self.control(progress, &format!("RELEASE SAVEPOINT stairway_{depth}"))
            .await
    }

    /// The migration rolls its innermost transaction back, or drops it.
    async fn rollback_own(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
    ) -> Result<(), DbErr> {
        Self::check_refused(progress)?;
        let depth = progress.depth;
        progress.depth = depth.saturating_sub(1);
        if journal.open == Open::Nothing {
            self.warn(format!(
                "{} rolls back a transaction that a definition has committed before: what it did stays",
                progress.revision.id
            ));
            return Ok(());
        }
        progress.aborted = None;
        if depth <= 1 {
            journal.open = Open::Nothing;
            return self.control(progress, "ROLLBACK").await;
        }
        let sql =
            format!("ROLLBACK TO SAVEPOINT stairway_{depth}; RELEASE SAVEPOINT stairway_{depth}");
        self.control(progress, &sql).await
    }

    pub(super) fn warn(&self, message: String) {
        self.observers.emit(EventKind::Warning { message });
    }

    /// The code does not send what it sent then.
    pub(super) fn differs(
        &self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        piece: &Piece,
        position: u64,
        then: &str,
    ) -> DbErr {
        let reason = format!(
            "its code now sends another statement {position} than it did then: now `{}`, then `{then}`",
            redact_statement(&piece.text, self.session.dialect()),
        );
        self.doubt(progress, journal, &piece.text, reason)
    }

    /// Ends the step because something can't be settled.
    pub(super) fn doubt(
        &self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        text: &str,
        reason: String,
    ) -> DbErr {
        let error = self.refuse(progress, text, &reason);
        journal.doubt = Some(reason);
        error
    }
}

impl Piece {
    /// A statement with bound values, which is one statement.
    fn bound(statement: &Statement, dialect: Dialect) -> Self {
        Self {
            text: statement_text(statement),
            statement: stairway_plan::sql::classify(&statement.sql, dialect),
        }
    }
}

/// SQLite takes the right to write at once: to get it later can fail. On PostgreSQL the migration may
/// have made transactions read-only by default.
pub(super) fn begin(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "BEGIN IMMEDIATE",
        Dialect::Postgres => "BEGIN READ WRITE",
        Dialect::MySql => "START TRANSACTION",
    }
}

/// Statements that MariaDB runs as one, and MySQL, which has no such form, one by one. MariaDB sends the
/// answer to each statement of a message by itself, which wakes this side each time.
fn in_one_answer(dialect: Dialect, statements: String) -> String {
    match dialect {
        // In a block `BEGIN` would open another one (MariaDB, "BEGIN END").
        Dialect::MySql => {
            format!("/*M!100101 BEGIN NOT ATOMIC */ {statements} /*M!100101 ; END */")
        }
        Dialect::Postgres | Dialect::Sqlite => statements,
    }
}

fn count_of(answer: Answer, dialect: Dialect) -> Result<ExecResult, DbErr> {
    match answer {
        Answer::Count(executed) => Ok(executed.result),
        Answer::Rows(rows) => exec_result(dialect, rows.len() as u64, 0),
    }
}

/// The record was refused because the lock is not ours any more.
pub(super) fn is_lock_lost(error: &sqlx::Error) -> bool {
    let sqlx::Error::Database(error) = error else {
        return false;
    };
    let is_mysql_guard = error
        .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
        .is_some_and(|error| error.number() == 1242);
    is_mysql_guard || error.message().contains(LOCK_LOST)
}
