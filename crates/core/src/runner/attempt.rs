//! One attempt: connect, look, lock, look again, back up, run the steps.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::Instant;

use stairway_plan::bookkeeping::{Bookkeeping, Who};
use stairway_plan::event::{EventKind, Stage};
use stairway_plan::history::{History, InterruptedStep};
use stairway_plan::plan::Direction;
use stairway_plan::revision::RevisionId;
use stairway_plan::sql::Dialect;

use crate::bridge::MigrationThread;
use crate::connection::{Access, Baseline, Cancel, Session, can_open_another};
use crate::error::Error;
use crate::executor::{Executor, Parts};
use crate::lock::{self, Acquired, Footing, Heartbeat, LockKey, MigrationLock};
use crate::{backup, recorder, wait};

use super::remaining::{Unfinished, interrupted_first};
use super::retry::Round;
use super::steps::Progress;
use super::{Order, Runner, Standing, Tally};

/// What an attempt works with once it has the lock.
struct Locked<'run> {
    lock: &'run MigrationLock,
    request: lock::Request<'run>,
    /// The tables, named with their schema.
    books: &'run Bookkeeping,
    baseline: &'run Baseline,
}

impl Runner {
    /// One attempt.
    pub(super) async fn attempt(
        &self,
        order: &Order,
        attempt: u32,
        tally: &mut Tally,
    ) -> Result<Round, Error> {
        self.stop.check()?;
        self.observers.emit(EventKind::StageStarted {
            stage: Stage::Connect,
        });
        let mut session = if order.wait || attempt > 1 {
            wait::connect_waiting(
                &self.config,
                Access::Write,
                self.config.wait_timeout,
                &self.observers,
                &self.stop,
            )
            .await?
        } else {
            wait::connect_once(&self.config, Access::Write).await?
        };
        let mut restore = None;
        let result = self
            .attempt_on(&mut session, order, attempt, tally, &mut restore)
            .await;
        let only_read = matches!(result, Ok(Round::Complete(Standing::UpToDate(_))));
        session.retire(restore.as_deref(), only_read).await;
        result
    }

    async fn attempt_on(
        &self,
        session: &mut Session,
        order: &Order,
        attempt: u32,
        tally: &mut Tally,
        restore: &mut Option<String>,
    ) -> Result<Round, Error> {
        let failed = |doing: &'static str| {
            let dialect = self.books.dialect();
            move |error: sqlx::Error| Error::query(doing, dialect, &error)
        };
        self.observers.emit(EventKind::StageStarted {
            stage: Stage::Inspect,
        });
        let is_settled = tally.achieved.uncertain.is_empty();
        // What most starts find is found out with as little as possible.
        if is_settled && self.is_done_at_a_glance(session, order).await? {
            return Ok(self.up_to_date(order, tally));
        }
        let history = self.history(session, &self.books).await?;
        let plan = self.plan_left(order, &history, tally)?;
        tally.from.get_or_insert_with(|| plan.from.clone());
        if plan.steps.is_empty() && history.interrupted.is_empty() && is_settled {
            self.announce(order, tally, plan.steps.len(), &plan.notices);
            return Ok(Round::Complete(Standing::Read(history)));
        }
        self.check_steps(session.dialect(), &plan, &history)?;
        let key = LockKey::of(&self.config, &self.books, session)
            .await
            .map_err(failed("naming the migration lock"))?;
        key.check_writable(&self.config)?;
        let mut request = lock::Request {
            key: &key,
            books: &self.books,
            config: &self.config,
            observers: &self.observers,
            stop: &self.stop,
            footing: Footing::Direct,
        };
        let mut unfinished = Unfinished {
            runner: self,
            order,
            made: tally.plan.clone(),
            completed: tally.achieved.completed.len(),
            is_settled,
            is_up_to_date: false,
        };
        let waits_since = Instant::now();
        let claim = loop {
            let is_needed = request
                .wait_while_taken(session, waits_since, &mut unfinished)
                .await?;
            if !is_needed {
                return self.found_done(session, &unfinished, tally).await;
            }
            let claim = lock::Claim::take(&self.config, session, key.claim()).await?;
            if let Some(claim) = claim {
                break claim;
            }
        };
        let footing = lock::examine(&self.config, session, claim).await?;
        request.footing = footing;
        // Behind a pooler, settings of the session would meet other clients.
        let baseline = match footing {
            Footing::Pooled => Baseline::default(),
            Footing::Direct => Baseline::prepare(
                session,
                key.database.as_deref(),
                self.config.statement_lock_timeout,
            )
            .await
            .map_err(failed("preparing the session"))?,
        };
        restore.clone_from(&baseline.restore);
        session
            .heed(&self.stop)
            .await
            .map_err(failed("preparing the session"))?;
        let (acquired, waited) = request
            .acquire(session, waits_since, &mut unfinished)
            .await?;
        let Acquired::Lock(lock) = acquired else {
            return self.found_done(session, &unfinished, tally).await;
        };
        self.observers.emit(EventKind::LockAcquired {
            waited_ms: crate::milliseconds(waited),
        });
        let located = key.located(&self.books);
        let result = self
            .attempt_locked(
                session,
                Locked {
                    lock: &lock,
                    request,
                    books: &located,
                    baseline: &baseline,
                },
                order,
                attempt,
                tally,
            )
            .await;
        if gives_name(&lock) {
            // Only for people to read; the lock itself is freed next.
            let clear = located.clear_lease(&key.name, &tally.run_id);
            drop(session.run(clear).await);
        }
        lock.release(session).await;
        self.observers.emit(EventKind::LockReleased);
        result
    }

    /// Everything is applied.
    fn up_to_date(&self, order: &Order, tally: &mut Tally) -> Round {
        let heads = self.migrations.graph().heads();
        tally.from.get_or_insert_with(|| heads.clone());
        self.announce(order, tally, 0, &[]);
        Round::Complete(Standing::UpToDate(heads))
    }

    /// Another run has done all there was to do.
    async fn found_done(
        &self,
        session: &mut Session,
        unfinished: &Unfinished<'_>,
        tally: &mut Tally,
    ) -> Result<Round, Error> {
        let order = unfinished.order;
        if unfinished.is_up_to_date {
            return Ok(self.up_to_date(order, tally));
        }
        let history = self.history(session, &self.books).await?;
        let plan = self.plan_left(order, &history, tally)?;
        self.announce(order, tally, plan.steps.len(), &plan.notices);
        Ok(Round::Complete(Standing::Read(history)))
    }

    async fn attempt_locked(
        &self,
        session: &mut Session,
        locked: Locked<'_>,
        order: &Order,
        attempt: u32,
        tally: &mut Tally,
    ) -> Result<Round, Error> {
        let Locked {
            lock,
            request,
            books,
            baseline,
        } = locked;
        let failed = |doing: &'static str| {
            let dialect = self.books.dialect();
            move |error: sqlx::Error| Error::query(doing, dialect, &error)
        };
        // Whoever had the lock before may have done some or all of it.
        let mut history = self.history(session, books).await?;
        self.settle_uncertain(order, &history, tally);
        if self.clear_finished(session, books, tally, &history).await? {
            history = self.history(session, books).await?;
        }
        if tally.only_look {
            return Ok(Round::Complete(Standing::Read(history)));
        }
        let plan = self.plan_left(order, &history, tally)?;
        tally.plan.get_or_insert_with(|| plan.clone());
        self.announce(order, tally, plan.steps.len(), &plan.notices);
        self.check_interrupted(&history, &plan)?;
        if plan.steps.is_empty() {
            return Ok(Round::Complete(Standing::Read(history)));
        }
        let plan = interrupted_first(plan, &history);
        self.check_steps(session.dialect(), &plan, &history)?;
        self.check_pooled_steps(request.footing, &plan, &history)?;
        recorder::ensure_tables(session, books, &request).await?;
        let cancel = match request.footing {
            // Known only inside each step's transaction.
            Footing::Pooled => None,
            Footing::Direct => Cancel::of(&self.config.database, session)
                .await
                .map_err(failed("asking for the session's number"))?,
        };
        if let Some(cancel) = &cancel {
            session.has_number(cancel.session(), true);
        }
        let who = self.who(&tally.run_id);
        let heartbeat = self
            .take_lease(session, lock, request.key, books, &who, cancel.as_ref())
            .await?;
        for failure in std::mem::take(&mut tally.achieved.unwritten) {
            if let Err(error) = session.run(failure.sql(books, &who)).await {
                // What stands in the way of it stands in the way of the step, whose error says more.
                tracing::debug!(%error, revision = %failure.revision, "the failure is not in the audit trail yet");
                tally.achieved.unwritten.push(failure);
            }
        }
        if order.backup && tally.backup.is_none() && order.direction == Direction::Upgrade {
            self.observers.emit(EventKind::StageStarted {
                stage: Stage::Backup,
            });
            tally.backup =
                Some(backup::create(&self.config, &plan.from, &self.observers, session).await?);
        }
        self.observers.emit(EventKind::StageStarted {
            stage: Stage::Migrate,
        });
        let mut executor = Executor::new(Parts {
            session,
            lock,
            request,
            books,
            who: &who,
            migrations: &self.migrations,
            cancel,
            thread: MigrationThread::start(self.books.dialect()).map_err(|source| Error::File {
                doing: "starting the migration thread, as",
                path: PathBuf::from("stairway-migration"),
                source,
            })?,
            baseline,
            interrupted: &history.interrupted,
            attempt,
            achieved: &mut tally.achieved,
        });
        let can_be_renewed = self.can_renew(&executor);
        let progress = if self.config.single_transaction {
            executor
                .run_in_one_transaction(&plan.steps)
                .await
                .map(|()| Progress::Complete)
        } else {
            executor.prepare_statements().await;
            executor.run_each(&plan.steps, can_be_renewed).await
        };
        drop(heartbeat);
        if let Progress::NewSession = progress? {
            return Ok(Round::NewSession);
        }
        self.observers.emit(EventKind::StageStarted {
            stage: Stage::Verify,
        });
        let history = self.history(session, books).await?;
        Ok(Round::Complete(Standing::Read(history)))
    }

    pub(super) async fn history(
        &self,
        session: &mut Session,
        books: &Bookkeeping,
    ) -> Result<History, Error> {
        recorder::read_history(session, books, self.migrations.graph()).await
    }

    /// Says in the database who has the lock, and goes on giving signs of life. Behind a pooler and
    /// on SQLite nobody has it for longer than it can be seen.
    async fn take_lease(
        &self,
        session: &mut Session,
        lock: &MigrationLock,
        key: &LockKey,
        books: &Bookkeeping,
        who: &Who,
        cancel: Option<&Cancel>,
    ) -> Result<Option<Heartbeat>, Error> {
        if !gives_name(lock) {
            return Ok(None);
        }
        let gives_signs = can_open_another(&self.config.database);
        let lease = books.write_lease(
            &key.name,
            who,
            std::process::id(),
            &self.config.application_name(),
            cancel.map(Cancel::session),
            gives_signs,
        );
        session.run(lease).await.map_err(|error| {
            Error::query("writing who holds the lock", self.books.dialect(), &error)
        })?;
        Ok(gives_signs.then(|| Heartbeat::start(&self.config, books, &key.name, &who.run_id)))
    }

    /// SQLite's connections that can't be opened anew without loss are tidied instead.
    fn can_renew(&self, executor: &Executor<'_>) -> bool {
        self.books.dialect() != Dialect::Sqlite
            || (!executor.session.is_lent() && executor.request.key.has_file())
    }

    /// Steps whose commit was not answered: the history says now what became of them.
    fn settle_uncertain(&self, order: &Order, history: &History, tally: &mut Tally) {
        let wanted = order.direction == Direction::Upgrade;
        for outcome in std::mem::take(&mut tally.achieved.uncertain) {
            let is_applied = history
                .applied_ids()
                .any(|applied| *applied == outcome.revision);
            if is_applied != wanted {
                continue;
            }
            self.observers.emit(EventKind::Warning {
                message: format!(
                    "the connection was lost while {} was being committed; the database has it",
                    outcome.revision
                ),
            });
            // It did not fail after all.
            tally
                .achieved
                .unwritten
                .retain(|failure| failure.revision != outcome.revision);
            tally.achieved.completed.push(outcome.revision.clone());
            tally.achieved.outcomes.push(outcome);
        }
    }

    /// A step that is recorded as ended has no use for its journal. Both are one transaction, unless
    /// the history table has no transactions. Returns whether there was such a journal.
    async fn clear_finished(
        &self,
        session: &mut Session,
        books: &Bookkeeping,
        tally: &Tally,
        history: &History,
    ) -> Result<bool, Error> {
        let applied: HashSet<&RevisionId> = history.applied_ids().collect();
        let finished: Vec<&InterruptedStep> = history
            .interrupted
            .iter()
            .filter(|step| {
                applied.contains(&step.revision) == (step.direction == Direction::Upgrade)
            })
            .collect();
        for step in &finished {
            tracing::info!(revision = %step.revision, run = %tally.run_id, "a journal was left of a step that is recorded");
            session
                .run(books.clear_journal(&step.revision))
                .await
                .map_err(|error| {
                    Error::query("clearing a journal", self.books.dialect(), &error)
                })?;
        }
        Ok(!finished.is_empty())
    }
}

/// Whether the holder of such a lock writes down who it is.
fn gives_name(lock: &MigrationLock) -> bool {
    matches!(
        lock,
        MigrationLock::Postgres { .. } | MigrationLock::MySql { .. }
    )
}
