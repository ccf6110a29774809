//! Opening a step's transaction, in a message of its own or in the one that commits the step before.

use stairway_plan::plan::{Direction, Step};
use stairway_plan::revision::{Revision, RevisionId};
use stairway_plan::sql::Dialect;

use super::ForeignKeys;
use super::commit::ENDED;
use crate::connection::{Cancel, TextRow, postgres_settings};
use crate::error::Remains;
use crate::executor::{Executor, Progress, Safety, StepEnd, safety_of};
use crate::lock::Footing;

/// A step whose transaction is to be opened, as far as its opening needs to know.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Upcoming<'step> {
    revision: &'step Revision,
    only_recorded: bool,
}

/// A step's transaction that was opened in the message that committed the step before.
#[derive(Debug)]
pub(in crate::executor) struct BegunAhead {
    revision: RevisionId,
    /// What [`Executor::question`] was answered in it.
    answer: TextRow,
}

impl Upcoming<'_> {
    /// Its transaction is open, and this was answered in it.
    pub(super) fn begun(self, answer: TextRow) -> BegunAhead {
        BegunAhead {
            revision: self.revision.id.clone(),
            answer,
        }
    }
}

/// PostgreSQL: the statement that every step begins with.
const BEGIN_STEP: &str = "stairway_begin_step";

/// PostgreSQL: the condition that there are event triggers.
const EVENT_TRIGGERS: &str = "EXISTS (SELECT 1 FROM pg_catalog.pg_event_trigger)";

/// What opening the transaction came to.
pub(super) enum Begun {
    Ready,
    /// Someone else has done this step meanwhile.
    AlreadyDone,
    /// The session has lost its prepared statements: nothing is open.
    Unprepared,
}

impl<'run> Executor<'run> {
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
    pub(super) fn has_lost_prepared(&mut self, error: &sqlx::Error) -> bool {
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
    pub(super) async fn begin(
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
    pub(super) fn opening(
        &mut self,
        step: Upcoming<'_>,
        foreign_keys: ForeignKeys,
        in_outer: bool,
    ) -> String {
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
    pub(in crate::executor) fn upcoming(&self, step: &Step) -> Option<Upcoming<'run>> {
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

    /// Settings that outlive the transaction would meet another client of the pooler.
    pub(super) fn local_settings(&self) -> String {
        postgres_settings(self.session, self.config.statement_lock_timeout, true)
    }
}

/// A condition as a text that every database gives alike.
fn as_letter(condition: &str) -> String {
    format!("CASE WHEN {condition} THEN 't' ELSE 'f' END")
}
