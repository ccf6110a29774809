//! A journalled step's statements that change something: how each is made safe, and how one that an
//! earlier attempt sent is settled.

use sea_orm::{DbErr, Statement};
use stairway_plan::bookkeeping::{JournalEntry, JournalState};
use stairway_plan::event::EventKind;
use stairway_plan::sql::{Dialect, redact_statement};

use super::journal::{Earlier, Journal, Mark, Open, Written};
use super::journalled::begin;
use super::pieces::Piece;
use super::request::{Answer, Nature, Wanted};
use super::settle::{self, Settled};
use super::{Executor, Progress, kept};
use crate::bridge::exec_result;
use crate::connection::{Executed, Failure};

/// How a statement that changes something is made safe.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// In one transaction with its entry.
    WithEntry,
    /// After its entry; looking tells whether it was done.
    AfterEntry,
    /// After its entry; nothing would tell, for this reason.
    Blind(String),
    /// In one transaction with its entry, unless it commits on the way, which its text does not tell.
    Opaque,
}

impl Executor<'_> {
    /// Answers a statement that changes something.
    pub(super) async fn write(
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
            Earlier::Nothing => {}
            Earlier::Differs(then) => {
                return Err(self.differs(progress, journal, piece, position, &then));
            }
            Earlier::Read(_) => {
                return Err(self.differs(progress, journal, piece, position, "a question"));
            }
            Earlier::Done(entry) => {
                return self
                    .pass_over(progress, journal, &entry, piece, wanted)
                    .await;
            }
            Earlier::Started(entry) => {
                let settled = settle::settle(
                    self.session,
                    &piece.statement,
                    &piece.text,
                    entry.definition_before.as_deref(),
                )
                .await;
                match settled {
                    Ok(Settled::Done) => {
                        return self
                            .pass_over(progress, journal, &entry, piece, wanted)
                            .await;
                    }
                    Ok(Settled::NotDone) => {
                        let forget = self.books.remove_journal_entry(
                            &progress.revision.id,
                            progress.direction,
                            position,
                        );
                        self.control(progress, &forget).await?;
                        journal.forget(position);
                    }
                    Ok(Settled::Rest(rest)) => {
                        self.control(progress, &rest).await?;
                        return self
                            .pass_over(progress, journal, &entry, piece, wanted)
                            .await;
                    }
                    Ok(Settled::Unknown(reason)) => {
                        return Err(self.doubt(progress, journal, &piece.text, reason));
                    }
                    Err(error) => {
                        let error = self.statement_failed(progress, position, &piece.text, error);
                        progress.refuse(
                            Failure::Statement,
                            "the interrupted statement could not be looked into",
                        );
                        return Err(error);
                    }
                }
            }
        }
        if let Some(name) = journal.remade(&piece.text, dialect) {
            let reason = format!(
                "`{name}` lived in the session only and was lost with it; it was made anew, but statements after it \
                 had been done already, so that it may not hold what it held then. Next would be: `{}`",
                redact_statement(&piece.text, dialect)
            );
            return Err(self.doubt(progress, journal, &piece.text, reason));
        }
        let way = match self.way_of(journal, piece).await {
            Ok(way) => way,
            Err(error) => {
                return Err(self.statement_failed(progress, position, &piece.text, error));
            }
        };
        let sent = Sent {
            statement,
            piece,
            wanted,
            position,
            mark: mark.text(),
            shown: redact_statement(&piece.text, dialect),
        };
        let result = match way {
            Way::WithEntry => self.write_with_entry(progress, journal, &sent).await,
            Way::AfterEntry => self.write_after_entry(progress, journal, &sent, None).await,
            Way::Blind(reason) => {
                self.write_after_entry(progress, journal, &sent, Some(reason))
                    .await
            }
            Way::Opaque => self.write_opaque(progress, journal, &sent).await,
        };
        self.engines.forget(&piece.statement);
        result
    }

    async fn way_of(&mut self, journal: &Journal, piece: &Piece) -> Result<Way, sqlx::Error> {
        let dialect = self.session.dialect();
        let statement = &piece.statement;
        if dialect != Dialect::MySql {
            // In a transaction of the migration's own the database refuses it by itself.
            let outside =
                statement.runs_outside_transaction_only(dialect) && journal.open == Open::Nothing;
            return Ok(if outside {
                Way::AfterEntry
            } else {
                Way::WithEntry
            });
        }
        if statement.is_opaque() {
            return Ok(Way::Opaque);
        }
        if statement.commits_implicitly(dialect) {
            return Ok(Way::AfterEntry);
        }
        if !statement.is_data_change() {
            return Ok(Way::WithEntry);
        }
        let found = self
            .engines
            .without_transactions(self.session, piece)
            .await?;
        Ok(found.map_or(Way::WithEntry, |(table, engine)| {
            Way::Blind(format!(
                "{table} is a table of the engine {engine}, which has no transactions, so that nothing tells whether \
                 its last statement was done"
            ))
        }))
    }

    /// Passes over a statement that an earlier attempt did.
    async fn pass_over(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        entry: &JournalEntry,
        piece: &Piece,
        wanted: Wanted,
    ) -> Result<Answer, DbErr> {
        let dialect = self.session.dialect();
        let rows = match entry.returned_rows.as_deref() {
            Some(rows) if wanted == Wanted::Rows => kept::give_back(self.session, rows).await,
            _ => None,
        };
        if wanted == Wanted::Rows && rows.is_none() {
            let reason = format!(
                "its statement {} is done and gave rows to the migration that could not be kept, so that it can't be \
                 passed over: `{}`",
                entry.position, entry.statement
            );
            return Err(self.doubt(progress, journal, &piece.text, reason));
        }
        let shown = redact_statement(&piece.text, dialect);
        if shown != entry.statement {
            self.warn(format!(
                "{}: its statement {} is taken for the one that is done, since only times and random values differ: \
                 now `{shown}`, then `{}`",
                progress.revision.id, entry.position, entry.statement
            ));
        }
        journal.passed_over(entry.position);
        progress.note(shown, &piece.text, dialect);
        progress.rows_affected += if piece.statement.is_data_change() {
            entry.rows_affected
        } else {
            0
        };
        self.observers.emit(EventKind::StatementSkipped {
            revision: progress.revision.id.clone(),
            index: progress.statements.len() as u64,
            sql: entry.statement.clone(),
        });
        Ok(match rows {
            Some(rows) => {
                progress.has_read = true;
                Answer::Rows(rows)
            }
            None => Answer::Count(Executed {
                result: exec_result(dialect, entry.rows_affected, entry.last_insert_id)?,
                rows_affected: entry.rows_affected,
                last_insert_id: entry.last_insert_id,
            }),
        })
    }

    /// Opens the transaction that a statement shares with its entry, unless one is open. Returns
    /// whether it is for this statement alone.
    async fn open_transaction(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
    ) -> Result<bool, DbErr> {
        if journal.open != Open::Nothing {
            return Ok(false);
        }
        self.control(progress, begin(self.session.dialect()))
            .await?;
        if progress.depth > 0 {
            // A definition has committed the migration's own: what follows is in another one.
            journal.open = Open::Own;
        } else if journal.grouped {
            journal.open = Open::Group;
        }
        Ok(journal.open == Open::Nothing)
    }

    /// Runs a statement and its entry as one transaction.
    async fn write_with_entry(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        sent: &Sent<'_>,
    ) -> Result<Answer, DbErr> {
        let alone = self.open_transaction(progress, journal).await?;
        let answer = match self.run_sent(progress, sent).await {
            Ok(answer) => answer,
            Err(error) => {
                if alone {
                    drop(self.session.run("ROLLBACK").await);
                    if is_refused_in_transactions(&error) {
                        // It has done nothing; it is only known now that it must run outside.
                        progress.statements.pop();
                        let reason =
                            "its last statement runs outside of transactions only".to_owned();
                        return self
                            .write_after_entry(progress, journal, sent, Some(reason))
                            .await;
                    }
                } else {
                    self.failed_in_transaction(progress).await;
                    if progress.refused.is_some() && self.session.dialect() != Dialect::Postgres {
                        journal.open = Open::Nothing;
                    }
                }
                return Err(error);
            }
        };
        let rows = match &answer {
            Answer::Rows(rows) => kept::keep(rows),
            Answer::Count(_) => None,
        };
        let mut entry = journal.write(
            self.books,
            self.who,
            progress,
            &sent.entry(JournalState::Done, None, rows.as_deref(), &answer),
        );
        if alone {
            entry.push_str("; COMMIT");
        }
        if let Err(error) = self.control(progress, &entry).await {
            drop(self.session.run("ROLLBACK").await);
            journal.open = Open::Nothing;
            return Err(error);
        }
        journal.done += 1;
        Ok(answer)
    }

    /// Runs a statement that no transaction can hold, after its entry. `blind` says why looking would
    /// not tell whether it was done; then it is marked when it is.
    async fn write_after_entry(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        sent: &Sent<'_>,
        blind: Option<String>,
    ) -> Result<Answer, DbErr> {
        let piece = sent.piece;
        let before = if blind.is_some() {
            Ok(None)
        } else {
            settle::definition(self.session, &piece.statement, &piece.text).await
        };
        let before = match before {
            Ok(before) => before,
            Err(error) => {
                return Err(self.statement_failed(progress, sent.position, &piece.text, error));
            }
        };
        if let Some(refusal) = self.prepare_concurrent_index(piece).await {
            return match refusal {
                Ok(reason) => Err(self.refuse(progress, &piece.text, &reason)),
                Err(error) => {
                    Err(self.statement_failed(progress, sent.position, &piece.text, error))
                }
            };
        }
        // Why nothing tells is kept in the place of the look.
        let look = blind
            .as_ref()
            .map(|reason| settle::blind(reason))
            .or(before.clone());
        let mut started = journal.write(
            self.books,
            self.who,
            progress,
            &Written {
                position: sent.position,
                mark: &sent.mark,
                statement: &sent.shown,
                state: JournalState::Started,
                before: look.as_deref(),
                rows: None,
                rows_affected: 0,
                last_insert_id: 0,
            },
        );
        if journal.open != Open::Nothing {
            // The statement would commit it anyway, or could not be taken back with it.
            started.push_str("; COMMIT");
            if journal.open == Open::Own {
                self.warn(format!(
                    "{}: `{}` commits the transaction that the migration has open",
                    progress.revision.id, sent.shown
                ));
            }
        }
        self.control(progress, &started).await?;
        journal.open = Open::Nothing;
        match self.run_sent(progress, sent).await {
            Ok(answer) => {
                journal.done += 1;
                if look.as_deref().is_none_or(settle::is_blind) {
                    let done = self.books.finish_journal(
                        &progress.revision.id,
                        progress.direction,
                        sent.position,
                        answer.rows_affected(),
                        answer.last_insert_id(),
                    );
                    self.control(progress, &done).await?;
                }
                Ok(answer)
            }
            Err(error) => {
                let lost = progress
                    .last_failure
                    .as_ref()
                    .is_some_and(|last| last.failure == Failure::ConnectionLost);
                if !lost {
                    self.forget_failed_entry(progress, sent, before.as_deref(), blind.is_some())
                        .await;
                }
                Err(error)
            }
        }
    }

    /// A definition that failed did nothing, where the look of its objects confirms it.
    async fn forget_failed_entry(
        &mut self,
        progress: &mut Progress<'_>,
        sent: &Sent<'_>,
        before: Option<&str>,
        blind: bool,
    ) {
        // One that failed in the middle of a table without transactions has changed a part of it.
        let untouched = !(blind && sent.piece.statement.is_data_change())
            && settle::definition(self.session, &sent.piece.statement, &sent.piece.text)
                .await
                .is_ok_and(|now| now.as_deref() == before);
        let (id, direction) = (&progress.revision.id, progress.direction);
        let sql = if untouched {
            self.books
                .remove_journal_entry(id, direction, sent.position)
        } else {
            self.books.leave_in_doubt(id, direction, sent.position)
        };
        if let Err(error) = self.session.run(sql).await {
            tracing::warn!(%error, "the journal still holds the statement that failed");
        }
        if !untouched {
            progress.refuse(
                Failure::Statement,
                "it failed and may still have changed something, so that the step can't go on",
            );
        }
    }

    /// MySQL/MariaDB: runs a statement whose text does not tell what it does. If it only changes rows,
    /// it is one transaction with its entry. If it commits on the way, the entry is committed as
    /// started, and stays in doubt until the statement ends.
    async fn write_opaque(
        &mut self,
        progress: &mut Progress<'_>,
        journal: &mut Journal,
        sent: &Sent<'_>,
    ) -> Result<Answer, DbErr> {
        const PROBE: &str = "stairway_opaque";
        let alone = self.open_transaction(progress, journal).await?;
        let reason = settle::blind(
            "its last statement calls code that commits on the way, so that nothing tells how far it came",
        );
        let started = journal.write(
            self.books,
            self.who,
            progress,
            &Written {
                position: sent.position,
                mark: &sent.mark,
                statement: &sent.shown,
                state: JournalState::Started,
                before: Some(&reason),
                rows: None,
                rows_affected: 0,
                last_insert_id: 0,
            },
        );
        self.control(progress, &format!("SAVEPOINT {PROBE}; {started}"))
            .await?;
        let result = self.run_sent(progress, sent).await;
        if progress.refused.is_some() {
            return result;
        }
        // A commit on the way has ended all savepoints.
        let probe = if result.is_ok() {
            format!("RELEASE SAVEPOINT {PROBE}")
        } else {
            format!("ROLLBACK TO SAVEPOINT {PROBE}; RELEASE SAVEPOINT {PROBE}")
        };
        let is_whole = self.session.run(probe).await.is_ok();
        if !is_whole {
            journal.open = Open::Nothing;
        }
        let answer = match result {
            Ok(answer) => answer,
            Err(error) => {
                if alone {
                    drop(self.session.run("ROLLBACK").await);
                }
                if !is_whole {
                    progress.refuse(
                        Failure::Statement,
                        "it failed after it had committed a part of what it does, so that the step can't go on",
                    );
                }
                return Err(error);
            }
        };
        let mut done = self.books.finish_journal(
            &progress.revision.id,
            progress.direction,
            sent.position,
            answer.rows_affected(),
            answer.last_insert_id(),
        );
        if alone {
            done.push_str("; COMMIT");
        }
        self.control(progress, &done).await?;
        journal.done += 1;
        Ok(answer)
    }

    async fn run_sent(
        &mut self,
        progress: &mut Progress<'_>,
        sent: &Sent<'_>,
    ) -> Result<Answer, DbErr> {
        let nature = Nature {
            reads_only: false,
            changes_rows: sent.piece.statement.is_data_change(),
        };
        self.run_observed(
            progress,
            sent.statement,
            &sent.piece.text,
            sent.wanted,
            nature,
        )
        .await
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
                    self.warn(format!(
                        "the invalid index {index}, left by an interrupted build, was dropped"
                    ));
                }
                None
            }
            Ok(settle::IndexReady::Differs { existing, wanted }) => Some(Ok(format!(
                "an index of this name exists with another definition: there is `{existing}`, wanted is `{wanted}`"
            ))),
            Err(error) => Some(Err(error)),
        }
    }
}

/// A statement on its way.
struct Sent<'a> {
    statement: &'a Statement,
    piece: &'a Piece,
    wanted: Wanted,
    position: u64,
    mark: String,
    shown: String,
}

impl Sent<'_> {
    fn entry<'a>(
        &'a self,
        state: JournalState,
        before: Option<&'a str>,
        rows: Option<&'a str>,
        answer: &Answer,
    ) -> Written<'a> {
        Written {
            position: self.position,
            mark: &self.mark,
            statement: &self.shown,
            state,
            before,
            rows,
            rows_affected: answer.rows_affected(),
            last_insert_id: answer.last_insert_id(),
        }
    }
}

/// PostgreSQL refuses it in a transaction (25001), or it ends transactions itself and may not end
/// ours (2D000).
fn is_refused_in_transactions(error: &DbErr) -> bool {
    let DbErr::Exec(sea_orm::RuntimeErr::SqlxError(error)) = error else {
        return false;
    };
    match &**error {
        sqlx::Error::Database(error) => {
            matches!(error.code().as_deref(), Some("25001" | "2D000"))
                && error
                    .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
                    .is_some()
        }
        _ => false,
    }
}
