//! A step that can't be one transaction, run so that a crash leaves no statement in the dark.
//!
//! What a transaction can hold is run in one together with its journal entry, so that it is done
//! exactly when the entry is there. What can't be (a definition on MySQL/MariaDB, which commits; a
//! concurrent index) is journalled before it runs, together with what its objects look like; after
//! a crash a look at them tells whether it was done. A statement is only sent when the one before it
//! is done, so an entry with a successor needs no second mark.

use std::collections::BTreeMap;
use std::sync::Arc;

use sea_orm::{DbErr, ExecResult, QueryResult, Statement};
use sea_orm_migration::MigrationTrait;
use stairway_plan::bookkeeping::{JournalEntry, JournalState};
use stairway_plan::event::EventKind;
use stairway_plan::history::InterruptedStep;
use stairway_plan::sql::fingerprint;
use stairway_plan::sql::{Dialect, StatementKind, redact_statement};

use super::pieces::{Piece, pieces};
use super::settle::{self, Settled};
use super::{Executor, FailedStep, Progress, StepEnd};
use crate::bridge::{Request, StepError, bridge_error, exec_result};
use crate::connection::{Failure, classify};
use crate::error::{InDoubt, Remains};
use crate::render::statement_text;

/// What the step has written into the journal, now and in earlier attempts.
struct Journal {
    entries: BTreeMap<u64, JournalEntry>,
    /// The statement that comes next, from 1.
    next: u64,
    /// Statements of this step known to be in the database.
    done: u64,
    /// Data statements between two definitions share a transaction.
    grouped: bool,
    /// Such a transaction is open.
    group_open: bool,
    /// What can't be settled; ends the step.
    doubt: Option<String>,
}

impl Journal {
    /// The statement that an earlier attempt sent at this place, and whether it is done.
    fn earlier(&self, position: u64) -> Option<(JournalEntry, bool)> {
        let entry = self.entries.get(&position)?;
        let has_successor = self.entries.range(position + 1..).next().is_some();
        Some((
            entry.clone(),
            entry.state == JournalState::Done || has_successor,
        ))
    }
}

impl Executor<'_> {
    /// Runs a step statement by statement, going on where an earlier attempt stopped.
    pub(super) async fn run_journalled(
        &mut self,
        migration: Arc<dyn MigrationTrait>,
        progress: &mut Progress<'_>,
        grouped: bool,
    ) -> Result<(), StepEnd> {
        let mut journal = self.open_journal(progress, grouped).await?;
        self.thread.run(Arc::clone(&migration), progress.direction);
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
                    let _ = reply.send(self.begin_for_migration(progress, &mut journal).await);
                }
                Request::Commit(reply) => {
                    let sql = match progress.depth {
                        0 | 1 => "COMMIT".to_owned(),
                        depth => format!("RELEASE SAVEPOINT stairway_{depth}"),
                    };
                    progress.depth = progress.depth.saturating_sub(1);
                    let _ = reply.send(self.control_journalled(progress, sql).await);
                }
                Request::Rollback(reply) => {
                    let sql = match progress.depth {
                        0 | 1 => "ROLLBACK".to_owned(),
                        depth => format!(
                            "ROLLBACK TO SAVEPOINT stairway_{depth}; RELEASE SAVEPOINT stairway_{depth}"
                        ),
                    };
                    progress.depth = progress.depth.saturating_sub(1);
                    let _ = reply.send(self.control_journalled(progress, sql).await);
                }
                Request::Finished(outcome) => break outcome,
            }
        };
        self.close_journal(progress, journal, outcome).await
    }

    /// Reads what an earlier attempt left and marks the step as begun.
    async fn open_journal(
        &mut self,
        progress: &Progress<'_>,
        grouped: bool,
    ) -> Result<Journal, StepEnd> {
        let held = self
            .lock
            .is_held(self.session)
            .await
            .map_err(|error| self.own_failure(&error, Remains::Nothing))?;
        if !held {
            return Err(StepEnd::LockLost);
        }
        let reset = self.reset_session();
        let query = self
            .books
            .read_journal(&progress.revision.id, progress.direction);
        let read = match self.session.run(reset).await {
            Ok(_) => self.session.rows(query).await,
            Err(error) => Err(error),
        };
        let rows = read.map_err(|error| self.own_failure(&error, Remains::Nothing))?;
        let mut entries: BTreeMap<u64, JournalEntry> = self
            .books
            .parse_journal(&rows)
            .into_iter()
            .map(|entry| (entry.position, entry))
            .collect();
        if entries.remove(&0).is_none() {
            let begun = self.books.write_journal(
                self.who,
                &progress.revision.id,
                progress.direction,
                0,
                "",
                &progress.revision.message,
                JournalState::Started,
                None,
                0,
                0,
            );
            self.session
                .run(begun)
                .await
                .map_err(|error| self.own_failure(&error, Remains::Nothing))?;
        }
        Ok(Journal {
            entries,
            next: 1,
            done: 0,
            grouped,
            group_open: false,
            doubt: None,
        })
    }

    /// Records the step, or says what is left of it.
    async fn close_journal(
        &mut self,
        progress: &mut Progress<'_>,
        journal: Journal,
        outcome: Result<(), StepError>,
    ) -> Result<(), StepEnd> {
        let left_open = progress.depth > 0;
        let failed = match (&progress.refused, outcome) {
            (Some(reason), Ok(())) => {
                Some(progress.failure_of(&StepError::Panicked(reason.clone()), str::to_owned))
            }
            (_, Err(error)) => Some(progress.failure_of(&error, |text| self.config.redact(text))),
            (None, Ok(())) if left_open => Some(FailedStep {
                statement: None,
                failure: Failure::Statement,
                message: "the migration left a transaction open; what it did in it was rolled back"
                    .to_owned(),
                remains: Remains::Nothing,
            }),
            (None, Ok(())) => progress.check_expected_rows().err(),
        };
        if let Some(mut failed) = failed {
            if left_open || journal.group_open {
                // Where the connection is lost, the server has done so.
                drop(self.session.run("ROLLBACK").await);
            }
            if let Some(reason) = journal.doubt {
                return Err(StepEnd::InDoubt(self.in_doubt(
                    progress,
                    &journal.entries,
                    journal.done,
                    reason,
                )));
            }
            if self.is_cancelled() {
                failed.failure = Failure::Cancelled;
            }
            failed.remains = self.remains(progress, failed.failure).await;
            return Err(StepEnd::Failed(failed));
        }
        let begin = if journal.group_open { "" } else { "BEGIN; " };
        let clear = self.books.clear_journal(&progress.revision.id);
        let sql = format!("{begin}{}; {clear}; COMMIT", self.record(progress));
        self.session.run(sql).await.map(drop).map_err(|error| {
            self.own_failure(
                &error,
                Remains::Statements(progress.statements.len() as u64),
            )
        })
    }

    /// What a failed step left, by its journal; a journal with nothing in it is removed.
    async fn remains(&mut self, progress: &Progress<'_>, failure: Failure) -> Remains {
        if failure == Failure::ConnectionLost {
            return Remains::Unknown;
        }
        let query = self
            .books
            .read_journal(&progress.revision.id, progress.direction);
        let Ok(rows) = self.session.rows(query).await else {
            return Remains::Unknown;
        };
        let done = self
            .books
            .parse_journal(&rows)
            .iter()
            .filter(|entry| entry.position > 0)
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

    fn in_doubt(
        &self,
        progress: &Progress<'_>,
        entries: &BTreeMap<u64, JournalEntry>,
        done: u64,
        reason: String,
    ) -> InDoubt {
        let last = entries
            .values()
            .next_back()
            .filter(|entry| entry.state == JournalState::Started);
        InDoubt {
            step: InterruptedStep {
                revision: progress.revision.id.clone(),
                direction: progress.direction,
                started_at: None,
                statements_done: done,
                in_doubt: last.map(|entry| entry.statement.clone()),
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
            let piece = Piece {
                text: statement_text(statement),
                statement: stairway_plan::sql::classify(&statement.sql, dialect),
            };
            return self
                .execute_piece(progress, journal, statement, &piece)
                .await;
        }
        // Each statement of a string is journalled for itself: the server would commit between them,
        // or take them as one transaction where that is not allowed.
        let (mut rows, mut last_id) = (0, 0);
        let mut last = None;
        for piece in pieces(&statement.sql, dialect) {
            let single = Statement::from_string(statement.db_backend, piece.text.clone());
            let result = self
                .execute_piece(progress, journal, &single, &piece)
                .await?;
            rows += result.rows_affected();
            last_id = if dialect == Dialect::Postgres {
                0
            } else {
                result.last_insert_id()
            };
            last = Some(result);
        }
        match last {
            Some(last) if rows == last.rows_affected() => Ok(last),
            _ => exec_result(dialect, rows, last_id),
        }
    }

    async fn execute_piece(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        statement: &Statement,
        piece: &Piece,
    ) -> Result<ExecResult, DbErr> {
        if let Some(reason) = &progress.refused {
            return Err(bridge_error(reason.clone()));
        }
        let dialect = self.session.dialect();
        if self.is_of_the_session(progress, journal, piece) {
            let index = progress.statements.len() as u64;
            return match self.session.execute(statement).await {
                Ok(result) => Ok(result),
                Err(error) => Err(self.statement_failed(progress, index, error)),
            };
        }
        if piece.statement.is_read() {
            return self
                .execute_observed(
                    progress,
                    statement,
                    piece.text.clone(),
                    piece.statement.is_data_change(),
                )
                .await;
        }
        let position = journal.next;
        journal.next += 1;
        let mark = fingerprint(&piece.text);
        if let Some((entry, is_done)) = journal.earlier(position) {
            if entry.fingerprint != mark {
                let reason = format!(
                    "its code now sends another statement {position} than it did then: now `{}`, then `{}`",
                    redact_statement(&piece.text, self.session.dialect()),
                    entry.statement
                );
                return Err(self.doubt(progress, journal, &piece.text, reason));
            }
            let settled = if is_done {
                Ok(Settled::Done)
            } else {
                self.settle_entry(piece, &entry).await
            };
            match settled {
                Ok(Settled::Done) => return self.pass_over(progress, journal, &entry, piece),
                Ok(Settled::NotDone) => {
                    let forget = self.books.remove_journal_entry(
                        &progress.revision.id,
                        progress.direction,
                        position,
                    );
                    journal.entries.remove(&position);
                    if let Err(error) = self.session.run(forget).await {
                        return Err(self.statement_failed(progress, position, error));
                    }
                }
                Ok(Settled::Unknown(reason)) => {
                    return Err(self.doubt(progress, journal, &piece.text, reason));
                }
                Err(error) => return Err(self.statement_failed(progress, position, error)),
            }
        }
        if self.fits_in_transaction(piece) && dialect_allows(dialect, piece) {
            self.execute_with_entry(progress, journal, statement, piece, position, &mark)
                .await
        } else {
            self.execute_after_entry(progress, journal, statement, piece, position, &mark)
                .await
        }
    }

    /// Statements that make up the session rather than the database: they are run in every attempt
    /// and leave nothing to journal.
    fn is_of_the_session(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        piece: &Piece,
    ) -> bool {
        match piece.statement.kind {
            StatementKind::Begin => progress.depth = progress.depth.max(1),
            StatementKind::Commit { chain } | StatementKind::Rollback { chain } => {
                progress.depth = usize::from(chain);
                journal.group_open = false;
            }
            StatementKind::Savepoint | StatementKind::RollbackTo | StatementKind::Release => {}
            _ if piece.statement.changes_session() => {
                if !piece.switches_foreign_keys() {
                    self.warn_of_setting(progress, &piece.text);
                }
            }
            _ => return false,
        }
        true
    }

    fn fits_in_transaction(&self, piece: &Piece) -> bool {
        let dialect = self.session.dialect();
        !piece.statement.commits_implicitly(dialect)
            && !piece.statement.runs_outside_transaction_only(dialect)
    }

    /// Passes over a statement that an earlier attempt did.
    fn pass_over(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        entry: &JournalEntry,
        piece: &Piece,
    ) -> Result<ExecResult, DbErr> {
        journal.done += 1;
        progress.note(&piece.text, self.session.dialect());
        progress.rows_affected += entry.rows_affected;
        self.observers.emit(EventKind::StatementSkipped {
            revision: progress.revision.id.clone(),
            index: progress.statements.len() as u64,
            sql: entry.statement.clone(),
        });
        exec_result(
            self.session.dialect(),
            entry.rows_affected,
            entry.last_insert_id,
        )
    }

    /// Runs a statement and its entry as one transaction.
    async fn execute_with_entry(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        statement: &Statement,
        piece: &Piece,
        position: u64,
        mark: &str,
    ) -> Result<ExecResult, DbErr> {
        let own_transaction = progress.depth == 0;
        if own_transaction && !journal.group_open {
            let begin = if self.session.dialect() == Dialect::Sqlite {
                "BEGIN IMMEDIATE"
            } else {
                "BEGIN"
            };
            if let Err(error) = self.session.run(begin).await {
                return Err(self.statement_failed(progress, position, error));
            }
            journal.group_open = journal.grouped;
        }
        let result = match self
            .execute_observed(
                progress,
                statement,
                piece.text.clone(),
                piece.statement.is_data_change(),
            )
            .await
        {
            Ok(result) => result,
            Err(error) => {
                if own_transaction {
                    journal.group_open = false;
                    drop(self.session.run("ROLLBACK").await);
                }
                return Err(error);
            }
        };
        let last_id = if self.session.dialect() == Dialect::Postgres {
            0
        } else {
            result.last_insert_id()
        };
        let mut entry = self.books.write_journal(
            self.who,
            &progress.revision.id,
            progress.direction,
            position,
            mark,
            &redact_statement(&piece.text, self.session.dialect()),
            JournalState::Done,
            None,
            result.rows_affected(),
            last_id,
        );
        if own_transaction && !journal.grouped {
            entry.push_str("; COMMIT");
        }
        match self.session.run(entry).await {
            Ok(_) => {
                journal.done += 1;
                Ok(result)
            }
            Err(error) => {
                drop(self.session.run("ROLLBACK").await);
                journal.group_open = false;
                Err(self.statement_failed(progress, position, error))
            }
        }
    }

    /// Runs a statement that no transaction can hold, after its entry.
    async fn execute_after_entry(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        statement: &Statement,
        piece: &Piece,
        position: u64,
        mark: &str,
    ) -> Result<ExecResult, DbErr> {
        let before = match settle::definition(self.session, &piece.statement).await {
            Ok(before) => before,
            Err(error) => return Err(self.statement_failed(progress, position, error)),
        };
        if let Some(refusal) = self.prepare_concurrent_index(piece).await {
            return match refusal {
                Ok(reason) => Err(self.refuse(progress, &piece.text, reason)),
                Err(error) => Err(self.statement_failed(progress, position, error)),
            };
        }
        let started = self.books.write_journal(
            self.who,
            &progress.revision.id,
            progress.direction,
            position,
            mark,
            &redact_statement(&piece.text, self.session.dialect()),
            JournalState::Started,
            before.as_deref(),
            0,
            0,
        );
        // In an open group or transaction of the migration the entry is committed by the statement
        // itself, before it does anything.
        if let Err(error) = self.session.run(started).await {
            return Err(self.statement_failed(progress, position, error));
        }
        match self
            .execute_observed(
                progress,
                statement,
                piece.text.clone(),
                piece.statement.is_data_change(),
            )
            .await
        {
            Ok(result) => {
                journal.group_open = false;
                journal.done += 1;
                Ok(result)
            }
            Err(error) => {
                let lost = progress
                    .last_failure
                    .as_ref()
                    .is_some_and(|last| last.failure == Failure::ConnectionLost);
                if !lost {
                    self.forget_failed_entry(progress, piece, position, before.as_deref())
                        .await;
                }
                Err(error)
            }
        }
    }

    /// A definition that failed did nothing, where the look of its objects confirms it.
    async fn forget_failed_entry(
        &mut self,
        progress: &Progress<'_>,
        piece: &Piece,
        position: u64,
        before: Option<&str>,
    ) {
        match settle::definition(self.session, &piece.statement).await {
            Ok(now) if now.as_deref() == before => {
                let forget = self.books.remove_journal_entry(
                    &progress.revision.id,
                    progress.direction,
                    position,
                );
                if let Err(error) = self.session.run(forget).await {
                    tracing::warn!(%error, "the journal still holds the statement that failed");
                }
            }
            _ => tracing::warn!(
                revision = %progress.revision.id,
                "the statement failed and still changed something; the journal holds it as in doubt"
            ),
        }
    }

    async fn query_journalled(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, DbErr> {
        if let Some(reason) = &progress.refused {
            return Err(bridge_error(reason.clone()));
        }
        let text = statement_text(statement);
        let piece = Piece {
            text: text.clone(),
            statement: stairway_plan::sql::classify(&statement.sql, self.session.dialect()),
        };
        if piece.statement.is_read() {
            return self.query_observed(progress, statement, text, true).await;
        }
        let position = journal.next;
        journal.next += 1;
        if journal.earlier(position).is_some() {
            let reason = format!(
                "its statement {position} gave rows to the migration, which are not kept, so it can't be passed over: `{}`",
                redact_statement(&text, self.session.dialect())
            );
            return Err(self.doubt(progress, journal, &text, reason));
        }
        let own_transaction = progress.depth == 0 && !journal.group_open;
        if own_transaction && let Err(error) = self.session.run("BEGIN").await {
            return Err(self.statement_failed(progress, position, error));
        }
        let rows = match self
            .query_observed(progress, statement, text.clone(), false)
            .await
        {
            Ok(rows) => rows,
            Err(error) => {
                if own_transaction {
                    drop(self.session.run("ROLLBACK").await);
                }
                return Err(error);
            }
        };
        let mut entry = self.books.write_journal(
            self.who,
            &progress.revision.id,
            progress.direction,
            position,
            &fingerprint(&text),
            &redact_statement(&text, self.session.dialect()),
            JournalState::Done,
            None,
            rows.len() as u64,
            0,
        );
        if own_transaction {
            entry.push_str("; COMMIT");
        }
        match self.session.run(entry).await {
            Ok(_) => {
                journal.done += 1;
                Ok(rows)
            }
            Err(error) => {
                drop(self.session.run("ROLLBACK").await);
                Err(self.statement_failed(progress, position, error))
            }
        }
    }

    async fn begin_for_migration(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
    ) -> Result<(), DbErr> {
        progress.depth += 1;
        let sql = match (progress.depth, self.session.dialect()) {
            // An open group is committed first: what follows is the migration's own transaction.
            (1, Dialect::Sqlite) => "BEGIN IMMEDIATE".to_owned(),
            (1, _) if journal.group_open => "COMMIT; BEGIN".to_owned(),
            (1, _) => "BEGIN".to_owned(),
            (depth, _) => format!("SAVEPOINT stairway_{depth}"),
        };
        journal.group_open = false;
        self.control_journalled(progress, sql).await
    }

    async fn control_journalled(
        &mut self,
        progress: &mut Progress<'_>,
        sql: String,
    ) -> Result<(), DbErr> {
        if let Some(reason) = &progress.refused {
            return Err(bridge_error(reason.clone()));
        }
        let index = progress.statements.len() as u64;
        match self.session.run(sql).await {
            Ok(_) => Ok(()),
            Err(error) => Err(self.statement_failed(progress, index, error)),
        }
    }

    async fn settle_entry(
        &mut self,
        piece: &Piece,
        entry: &JournalEntry,
    ) -> Result<Settled, sqlx::Error> {
        settle::settle(
            self.session,
            &piece.statement,
            &piece.text,
            entry.definition_before.as_deref(),
        )
        .await
    }

    /// Ends the step because something can't be settled.
    fn doubt(
        &self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        text: &str,
        reason: String,
    ) -> DbErr {
        journal.doubt = Some(reason.clone());
        self.refuse(progress, text, reason)
    }

    /// Sees to what an earlier attempt left of a concurrent index. Returns why it can't be built.
    async fn prepare_concurrent_index(
        &mut self,
        piece: &Piece,
    ) -> Option<Result<String, sqlx::Error>> {
        if self.session.dialect() != Dialect::Postgres {
            return None;
        }
        match settle::clear_invalid_indexes(self.session, &piece.statement, &piece.text).await {
            Ok(settle::IndexReady::Yes { dropped }) => {
                for index in dropped {
                    self.observers.emit(EventKind::Warning {
                        message: format!(
                            "the invalid index {index}, left by an interrupted build, was dropped"
                        ),
                    });
                }
                None
            }
            Ok(settle::IndexReady::Differs { existing, wanted }) => Some(Ok(format!(
                "an index of this name exists with another definition: there is `{existing}`, wanted is `{wanted}`"
            ))),
            Err(error) => {
                tracing::debug!(failure = %classify(Dialect::Postgres, &error), "the indexes could not be looked at");
                Some(Err(error))
            }
        }
    }
}

/// SQLite and PostgreSQL hold definitions in transactions; MySQL/MariaDB only data.
fn dialect_allows(dialect: Dialect, piece: &Piece) -> bool {
    dialect != Dialect::MySql || !piece.statement.is_opaque()
}
