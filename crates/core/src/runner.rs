//! One run: connect, look, plan, lock, look again, back up, run the steps, verify; tried again after
//! transient failures.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use stairway_plan::bookkeeping::{Bookkeeping, Who};
use stairway_plan::event::{EventKind, Stage};
use stairway_plan::graph::RevisionGraph;
use stairway_plan::history::{History, InterruptedStep};
use stairway_plan::plan::{Direction, Notice, Plan, Step, plan};
use stairway_plan::position::{ChecksumComparison, DatabaseState, Position};
use stairway_plan::revision::RevisionId;
use stairway_plan::sql::Dialect;
use tokio::task::JoinHandle;
use tracing::Instrument;
use tracing::instrument::WithSubscriber;

use crate::BoxFuture;
use crate::bridge::MigrationThread;
use crate::config::Config;
use crate::connection::{Access, Baseline, Cancel, Failure, Session, can_open_another};
use crate::error::{Error, InDoubt, Remains};
use crate::executor::{Achieved, Executor, Parts, Safety, StepOutcome, safety_of};
use crate::lock::{self, Acquired, Footing, Heartbeat, LockKey, MigrationLock, StillNeeded};
use crate::migrations::MigrationSet;
use crate::observer::Observers;
use crate::stop::Stop;
use crate::{backup, recorder, wait};

/// What a run is to do.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) direction: Direction,
    pub(crate) target: String,
    pub(crate) backup: bool,
    pub(crate) steps: Option<usize>,
    /// Wait for a database that does not answer.
    pub(crate) wait: bool,
    /// How often to try again after a transient failure.
    pub(crate) retries: u32,
}

/// What a run did.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) run_id: String,
    pub(crate) from: Vec<RevisionId>,
    pub(crate) to: Vec<RevisionId>,
    pub(crate) steps: Vec<StepOutcome>,
    pub(crate) backup: Option<PathBuf>,
    pub(crate) elapsed: Duration,
}

/// Everything that a run needs and that outlives its attempts.
#[derive(Clone, Debug)]
pub(crate) struct Runner {
    pub(crate) migrations: MigrationSet,
    pub(crate) config: Config,
    pub(crate) books: Bookkeeping,
    pub(crate) observers: Observers,
    pub(crate) stop: Stop,
}

/// What the attempts of one run have in common.
#[derive(Debug, Default)]
struct Tally {
    run_id: String,
    from: Option<Vec<RevisionId>>,
    achieved: Achieved,
    announced: bool,
    backup: Option<PathBuf>,
    /// The plan made under the lock. It is made once: a target such as `-1` would mean another
    /// revision after a part of it was done.
    plan: Option<Plan>,
    /// Only to find out what became of a commit; no step is run any more.
    only_look: bool,
}

/// Where an attempt has found or left the database.
#[derive(Debug)]
enum Standing {
    /// All that the code knows is applied and nothing else; these are its heads.
    UpToDate(Vec<RevisionId>),
    /// As its history says.
    Read(History),
}

impl Order {
    /// Whether nothing is to be done once every revision of the graph is applied.
    fn leads_to_all_heads(&self, graph: &RevisionGraph) -> bool {
        self.direction == Direction::Upgrade
            && match self.target.as_str() {
                "heads" => true,
                "head" => graph.heads().len() == 1,
                _ => false,
            }
    }
}

/// A run as a task of its own. Whoever waits in `Runtime::block_on`, as an ordinary `main` does, is woken
/// by another thread for every answer of the server; a task is run by the thread that gets the answer.
/// A run whose caller is gone ends at its next question to the server, as if it had been polled no more.
pub(crate) struct OwnTask(JoinHandle<Result<Done, Error>>);

impl OwnTask {
    /// Runs, and gives what the run did.
    pub(crate) async fn run(runner: Runner, order: Order) -> Result<Done, Error> {
        let run = async move { runner.run(&order).await };
        let run = run.in_current_span().with_current_subscriber();
        let mut task = Self(tokio::spawn(run));
        match (&mut task.0).await {
            Ok(result) => result,
            Err(failed) => match failed.try_into_panic() {
                Ok(panic) => std::panic::resume_unwind(panic),
                // Only the runtime's end cancels it.
                Err(_) => Err(Error::Stopped {
                    applied: 0,
                    remaining: 0,
                }),
            },
        }
    }
}

impl Drop for OwnTask {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// How an attempt ended that did not fail.
enum Round {
    /// There is nothing left to do.
    Complete(Standing),
    /// There is more to do, on a new session.
    NewSession,
}

impl Runner {
    /// Runs, and tries again after transient failures.
    pub(crate) async fn run(&self, order: &Order) -> Result<Done, Error> {
        let began = Instant::now();
        let mut tally = Tally {
            run_id: new_run_id(),
            ..Tally::default()
        };
        self.observers
            .run_begins(&tally.run_id, order.direction, &order.target);
        let result = self.attempts(order, &mut tally).await;
        let elapsed = began.elapsed();
        let result = result.and_then(|standing| self.verify(order, &tally, standing));
        match result {
            Ok(to) => {
                self.observers.emit(EventKind::RunFinished {
                    run_id: tally.run_id.clone(),
                    steps: tally.achieved.outcomes.len() as u64,
                    elapsed_ms: crate::milliseconds(elapsed),
                });
                Ok(Done {
                    run_id: tally.run_id,
                    from: tally.from.unwrap_or_default(),
                    to,
                    steps: tally.achieved.outcomes,
                    backup: tally.backup,
                    elapsed,
                })
            }
            Err(error) => {
                self.observers.emit(EventKind::RunFailed {
                    run_id: tally.run_id,
                    steps_done: tally.achieved.outcomes.len() as u64,
                    elapsed_ms: crate::milliseconds(elapsed),
                    error: self.config.redact(&error.to_string()),
                });
                Err(error)
            }
        }
    }

    /// Attempt after attempt. One that got further than the one before it does not use up retries.
    async fn attempts(&self, order: &Order, tally: &mut Tally) -> Result<Standing, Error> {
        let mut attempt = 1;
        let mut failures = 0;
        // What the attempt before this one ended with.
        let mut before = None;
        loop {
            let completed = tally.achieved.completed.len();
            let error = match self.attempt(order, attempt, tally).await {
                Ok(Round::Complete(standing)) => return Ok(standing),
                Ok(Round::NewSession) => continue,
                Err(error) => error,
            };
            if tally.achieved.completed.len() > completed {
                failures = 0;
            }
            failures += 1;
            if !error.is_transient() {
                return Err(match error {
                    // What is left of a step is more than that the next one was not begun.
                    Error::Stopped { .. } => before
                        .filter(Error::leaves_step)
                        .unwrap_or_else(|| Self::stopped(tally)),
                    error => error.after(before),
                });
            }
            if failures > order.retries {
                let error = error.after(before.take());
                if let Some(history) = self.settle(order, tally, error).await? {
                    return Ok(Standing::Read(history));
                }
                failures = 0;
                attempt += 1;
                continue;
            }
            let error = error.after(before.take());
            let pause = backoff(self.config.retry_delay, failures);
            self.observers.emit(EventKind::Retrying {
                attempt: failures,
                max_attempts: order.retries,
                error: self.config.redact(&error.to_string()),
                retry_in_ms: crate::milliseconds(pause),
            });
            attempt += 1;
            if self.stop.sleep(pause).await.is_err() {
                // The failure says more than that it was not tried again.
                return Err(error);
            }
            before = Some(error);
        }
    }

    /// After the last attempt: finds out what became of a commit that was not answered. If it was
    /// done, nothing has failed, and there is nothing left to do or the run goes on.
    async fn settle(
        &self,
        order: &Order,
        tally: &mut Tally,
        failed: Error,
    ) -> Result<Option<History>, Error> {
        let Some(revision) = tally
            .achieved
            .uncertain
            .first()
            .map(|outcome| outcome.revision.clone())
        else {
            return Err(failed);
        };
        let known = tally.achieved.completed.len();
        tally.only_look = true;
        let looked = self.attempt(order, 2, tally).await;
        tally.only_look = false;
        let Ok(Round::Complete(Standing::Read(history))) = looked else {
            return Err(failed);
        };
        if tally.achieved.completed.len() > known {
            let is_done = self.plan_left(order, &history, tally)?.steps.is_empty();
            return Ok(is_done.then_some(history));
        }
        Err(match failed {
            Error::Step(mut step) => {
                let left = history
                    .interrupted
                    .iter()
                    .find(|interrupted| interrupted.revision == revision);
                step.remains = left.map_or(Remains::Nothing, |interrupted| {
                    let last = u64::from(interrupted.in_doubt.is_some());
                    Remains::Statements(interrupted.statements_done + last)
                });
                Error::Step(step)
            }
            Error::Database {
                doing,
                failure,
                message,
            } => Error::Database {
                doing,
                failure,
                message: format!("{message}; nothing of the run is left"),
            },
            other => other,
        })
    }

    fn stopped(tally: &Tally) -> Error {
        let applied = tally.achieved.completed.len();
        let planned = tally.plan.as_ref().map_or(applied, |plan| plan.steps.len());
        Error::Stopped {
            applied: applied as u64,
            remaining: planned.saturating_sub(applied) as u64,
        }
    }

    /// One attempt.
    async fn attempt(
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
        session.retire(restore.as_deref()).await;
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
            let heads = self.migrations.graph().heads();
            tally.from.get_or_insert_with(|| heads.clone());
            self.announce(order, tally, 0, &[]);
            return Ok(Round::Complete(Standing::UpToDate(heads)));
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
        let footing = lock::examine(&self.config, session).await?;
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
        let request = lock::Request {
            key: &key,
            books: &self.books,
            config: &self.config,
            observers: &self.observers,
            stop: &self.stop,
            footing,
        };
        let mut unfinished = Unfinished {
            runner: self,
            order,
            made: tally.plan.clone(),
            completed: tally.achieved.completed.len(),
            is_settled,
            looked: None,
        };
        let (acquired, waited) = request.acquire(session, &mut unfinished).await?;
        let Acquired::Lock(lock) = acquired else {
            let history = self.history(session, &self.books).await?;
            let plan = self.plan_left(order, &history, tally)?;
            self.announce(order, tally, plan.steps.len(), &plan.notices);
            return Ok(Round::Complete(Standing::Read(history)));
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

    async fn history(&self, session: &mut Session, books: &Bookkeeping) -> Result<History, Error> {
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

    /// The plan for what is left of the order.
    fn plan_left(&self, order: &Order, history: &History, tally: &Tally) -> Result<Plan, Error> {
        let completed = tally.achieved.completed.len();
        self.left_of(order, history, tally.plan.as_ref(), completed)
    }

    /// The plan for what is left after so many steps of the plan that was made under the lock, or of
    /// the order if none was made yet.
    fn left_of(
        &self,
        order: &Order,
        history: &History,
        made: Option<&Plan>,
        completed: usize,
    ) -> Result<Plan, Error> {
        let mut left = match made {
            None => plan(
                self.migrations.graph(),
                history,
                order.direction,
                &order.target,
                self.config.plan,
            )?,
            Some(made) => {
                let applied: HashSet<&RevisionId> = history.applied_ids().collect();
                let wanted = order.direction == Direction::Upgrade;
                let mut left = made.clone();
                left.steps
                    .retain(|step| applied.contains(&step.revision) != wanted);
                left
            }
        };
        if let Some(steps) = order.steps {
            let steps = steps.saturating_sub(completed);
            left.limit(steps, self.migrations.graph(), history);
        }
        Ok(left)
    }

    /// Says once what the run is going to do.
    fn announce(&self, order: &Order, tally: &mut Tally, steps: usize, notices: &[Notice]) {
        if tally.announced {
            return;
        }
        tally.announced = true;
        self.observers.emit(EventKind::RunStarted {
            run_id: tally.run_id.clone(),
            direction: order.direction,
            target: order.target.clone(),
            steps: steps as u64,
        });
        for notice in notices {
            self.observers.emit(EventKind::Notice {
                notice: notice.clone(),
            });
        }
    }

    /// Whether the order leads to all heads and everything is applied, found out with as little as
    /// possible.
    async fn is_done_at_a_glance(
        &self,
        session: &mut Session,
        order: &Order,
    ) -> Result<bool, Error> {
        let graph = self.migrations.graph();
        if !order.leads_to_all_heads(graph) {
            return Ok(false);
        }
        recorder::is_up_to_date(session, &self.books, graph).await
    }

    /// An interrupted step must be among those that are run, in the same direction, before anything
    /// else is done.
    fn check_interrupted(&self, history: &History, plan: &Plan) -> Result<(), Error> {
        let is_continued = |interrupted: &InterruptedStep| {
            plan.steps.iter().any(|step| is_same(step, interrupted))
        };
        match history
            .interrupted
            .iter()
            .find(|interrupted| !is_continued(interrupted))
        {
            None => Ok(()),
            Some(step) => Err(Error::InDoubt(Box::new(InDoubt {
                step: step.clone(),
                reason: format!(
                    "this run does not include it: run the {} again first, or settle it",
                    step.direction.as_str()
                ),
                location: self.config.location(),
            }))),
        }
    }

    /// Refuses before anything is done what can't be done with these steps.
    fn check_steps(&self, dialect: Dialect, plan: &Plan, history: &History) -> Result<(), Error> {
        if !self.config.single_transaction || plan.steps.is_empty() {
            return Ok(());
        }
        if dialect == Dialect::MySql {
            return Err(Error::Unsupported(
                "a single transaction is not possible here: MySQL and MariaDB commit at every definition".to_owned(),
            ));
        }
        match self.first_journalled(dialect, &plan.steps, history) {
            None => Ok(()),
            Some(step) => Err(Error::Unsupported(format!(
                "a single transaction is not possible: {} says `use_transaction() = Some(false)`, or was interrupted \
                 when it did",
                step.revision
            ))),
        }
    }

    /// Behind a pooler only transactional steps can be made safe.
    fn check_pooled_steps(
        &self,
        footing: Footing,
        plan: &Plan,
        history: &History,
    ) -> Result<(), Error> {
        if footing == Footing::Direct {
            return Ok(());
        }
        match self.first_journalled(Dialect::Postgres, &plan.steps, history) {
            None => Ok(()),
            Some(step) => Err(Error::Unsupported(format!(
                "{} runs outside a transaction, which can't be made safe through a connection pooler: nothing was \
                 done; use the database's direct URL for it",
                step.revision
            ))),
        }
    }

    fn first_journalled<'plan>(
        &self,
        dialect: Dialect,
        steps: &'plan [Step],
        history: &History,
    ) -> Option<&'plan Step> {
        steps.iter().find(|step| {
            let was_journalled = history
                .interrupted
                .iter()
                .any(|interrupted| is_same(step, interrupted));
            was_journalled
                || self
                    .migrations
                    .migration(&step.revision)
                    .is_some_and(|migration| {
                        safety_of(dialect, &*migration) != Safety::Transactional
                    })
        })
    }

    /// Checks that the history now says what the run did. Returns the applied heads.
    fn verify(
        &self,
        order: &Order,
        tally: &Tally,
        standing: Standing,
    ) -> Result<Vec<RevisionId>, Error> {
        let history = match standing {
            Standing::Read(history) => history,
            Standing::UpToDate(heads) => {
                let (state, current) = (DatabaseState::UpToDate, heads.clone());
                self.observers.emit(EventKind::Verified { state, current });
                return Ok(heads);
            }
        };
        let position = Position::of(
            self.migrations.graph(),
            &history,
            &ChecksumComparison::default(),
        );
        let applied: HashSet<&RevisionId> = history.applied_ids().collect();
        let wanted = order.direction == Direction::Upgrade;
        let planned = tally.plan.iter().flat_map(|plan| &plan.steps);
        let planned = planned.map(|step| &step.revision);
        if let Some(wrong) = tally
            .achieved
            .completed
            .iter()
            .chain(planned)
            .find(|revision| applied.contains(revision) != wanted)
        {
            return Err(Error::NotVerified {
                state: position.state,
                expected: vec![wrong.clone()],
                found: position.current,
            });
        }
        self.observers.emit(EventKind::Verified {
            state: position.state,
            current: position.current.clone(),
        });
        Ok(position.current)
    }

    pub(crate) fn who(&self, run_id: &str) -> Who {
        Who {
            run_id: run_id.to_owned(),
            actor: self.config.actor.clone(),
            host: self.config.host.clone(),
            application_version: self.config.application_version.clone(),
        }
    }
}

/// What an attempt works with once it has the lock.
struct Locked<'run> {
    lock: &'run MigrationLock,
    request: lock::Request<'run>,
    /// The tables, named with their schema.
    books: &'run Bookkeeping,
    baseline: &'run Baseline,
}

/// Whether the holder of such a lock writes down who it is.
fn gives_name(lock: &MigrationLock) -> bool {
    matches!(
        lock,
        MigrationLock::Postgres { .. } | MigrationLock::MySql { .. }
    )
}

fn is_same(step: &Step, interrupted: &InterruptedStep) -> bool {
    step.revision == interrupted.revision && step.direction == interrupted.direction
}

/// What was begun is ended before anything else is begun. What it stands on was there when it began.
fn interrupted_first(mut plan: Plan, history: &History) -> Plan {
    plan.steps.sort_by_key(|step| {
        !history
            .interrupted
            .iter()
            .any(|interrupted| is_same(step, interrupted))
    });
    plan
}

/// How often a run that waits reads the whole history.
const WHOLE_LOOK: Duration = Duration::from_secs(1);

/// A run that waits for the lock is needed as long as its plan has steps.
struct Unfinished<'run> {
    runner: &'run Runner,
    order: &'run Order,
    made: Option<Plan>,
    completed: usize,
    /// What became of its last commit is known.
    is_settled: bool,
    /// When it has last read the whole history.
    looked: Option<Instant>,
}

impl StillNeeded for Unfinished<'_> {
    fn is_still_needed<'a>(
        &'a mut self,
        session: &'a mut Session,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            if !self.is_settled {
                return Ok(true);
            }
            let runner = self.runner;
            if runner.is_done_at_a_glance(session, self.order).await? {
                return Ok(false);
            }
            if self.looked.is_some_and(|at| at.elapsed() < WHOLE_LOOK) {
                return Ok(true);
            }
            self.looked = Some(Instant::now());
            let history = runner.history(session, &runner.books).await?;
            let plan = runner.left_of(self.order, &history, self.made.as_ref(), self.completed)?;
            Ok(!plan.steps.is_empty() || !history.interrupted.is_empty())
        })
    }
}

/// How far an executor came without a failure.
enum Progress {
    Complete,
    /// The session has to be replaced before the next step.
    NewSession,
}

impl Executor<'_> {
    /// Runs steps one after another, each for itself. Stops between two of them when asked to.
    async fn run_each(&mut self, steps: &[Step], can_be_renewed: bool) -> Result<Progress, Error> {
        let total = steps.len() as u64;
        for (index, step) in steps.iter().enumerate() {
            self.check_stop()?;
            if self.needs_new_session() {
                if can_be_renewed {
                    return Ok(Progress::NewSession);
                }
                self.tidy_connection().await.map_err(|error| {
                    Error::query("putting the session back", self.session.dialect(), &error)
                })?;
            }
            if let Some(outcome) = self.run_step(step, index as u64 + 1, total, false).await? {
                self.achieved.outcomes.push(outcome);
            }
        }
        Ok(Progress::Complete)
    }

    /// Runs steps in one transaction: all or nothing.
    async fn run_in_one_transaction(&mut self, steps: &[Step]) -> Result<(), Error> {
        let completed_before = self.achieved.completed.len();
        if !self.begin_outer().await? {
            drop(self.session.run("ROLLBACK").await);
            return Err(Error::LockLost { applied: 0 });
        }
        let total = steps.len() as u64;
        let mut outcomes = Vec::new();
        let mut result = Ok(());
        for (index, step) in steps.iter().enumerate() {
            let step_result = match self.check_stop() {
                Ok(()) => self.run_step(step, index as u64 + 1, total, true).await,
                Err(stopped) => Err(stopped),
            };
            match step_result {
                Ok(outcome) => outcomes.extend(outcome),
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        let mut is_uncertain = false;
        if result.is_ok() {
            result = self.commit_outer().await;
            is_uncertain = result
                .as_ref()
                .is_err_and(|error| error.failure() == Some(Failure::ConnectionLost));
        }
        match result {
            Ok(()) => {
                self.achieved.outcomes.append(&mut outcomes);
                Ok(())
            }
            Err(error) => {
                // Where the connection is lost, the server has done so.
                drop(self.session.run("ROLLBACK").await);
                self.achieved.completed.truncate(completed_before);
                if is_uncertain {
                    self.achieved.uncertain = outcomes;
                }
                Err(error.without_completed())
            }
        }
    }

    fn check_stop(&self) -> Result<(), Error> {
        self.stop.check().inspect_err(|_| {
            self.observers.emit(EventKind::StopRequested);
        })
    }
}

/// Identifies a run in the audit trail: its time and a random part.
pub(crate) fn new_run_id() -> String {
    format!(
        "{:x}-{:08x}",
        chrono::Utc::now().timestamp_millis(),
        fastrand::u32(..)
    )
}

/// The pause before a retry: it doubles with each, with up to a quarter of jitter.
fn backoff(base: Duration, attempt: u32) -> Duration {
    let doubled = base.saturating_mul(1_u32 << (attempt - 1).min(6));
    doubled.mul_f64(1.0 + fastrand::f64() * 0.25)
}
