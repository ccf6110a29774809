//! One run: connect, look, plan, lock, look again, back up, run the steps, verify; tried again after
//! transient failures.

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

use crate::BoxFuture;
use crate::bridge::MigrationThread;
use crate::config::Config;
use crate::connection::{Access, Cancel, Session, prepare_for_migration};
use crate::error::{Error, InDoubt};
use crate::executor::{Executor, Safety, StepOutcome, safety_of};
use crate::lock::{self, Acquired, LockKey, MigrationLock, StillNeeded};
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

/// Everything that a run needs and that outlives its attempts.
#[derive(Clone, Debug)]
pub(crate) struct Runner {
    pub(crate) migrations: MigrationSet,
    pub(crate) config: Config,
    pub(crate) books: Bookkeeping,
    pub(crate) observers: Observers,
    pub(crate) stop: Stop,
}

/// What the attempts of one run have achieved together.
#[derive(Debug, Default)]
struct Tally {
    run_id: String,
    from: Option<Vec<RevisionId>>,
    steps: Vec<StepOutcome>,
    completed: Vec<RevisionId>,
    announced: bool,
    backup: Option<PathBuf>,
}

impl Runner {
    /// Runs, and tries again after transient failures.
    pub(crate) async fn run(&self, order: &Order) -> Result<Done, Error> {
        let began = Instant::now();
        let mut tally = Tally {
            run_id: new_run_id(),
            ..Tally::default()
        };
        let mut attempt = 1;
        let result = loop {
            match self.attempt(order, attempt, &mut tally).await {
                Ok(standing) => break Ok(standing),
                Err(error) if error.is_transient() && attempt <= order.retries => {
                    let pause = backoff(self.config.retry_delay, attempt);
                    self.observers.emit(EventKind::Retrying {
                        attempt,
                        max_attempts: order.retries,
                        error: self.config.redact(&error.to_string()),
                        retry_in_ms: crate::milliseconds(pause),
                    });
                    attempt += 1;
                    if let Err(stopped) = self.stop.sleep(pause).await {
                        break Err(stopped);
                    }
                }
                Err(error) => break Err(error),
            }
        };
        let elapsed = began.elapsed();
        let result = match result {
            Ok(standing) => self.verify(order, &tally, standing),
            Err(error) => Err(error),
        };
        match result {
            Ok(to) => {
                self.observers.emit(EventKind::RunFinished {
                    run_id: tally.run_id.clone(),
                    steps: tally.steps.len() as u64,
                    elapsed_ms: crate::milliseconds(elapsed),
                });
                Ok(Done {
                    run_id: tally.run_id,
                    from: tally.from.unwrap_or_default(),
                    to,
                    steps: tally.steps,
                    backup: tally.backup,
                    elapsed,
                })
            }
            Err(error) => {
                self.observers.emit(EventKind::RunFailed {
                    run_id: tally.run_id,
                    steps_done: tally.steps.len() as u64,
                    elapsed_ms: crate::milliseconds(elapsed),
                    error: self.config.redact(&error.to_string()),
                });
                Err(error)
            }
        }
    }

    /// One attempt. Returns the history as it is afterwards.
    async fn attempt(
        &self,
        order: &Order,
        attempt: u32,
        tally: &mut Tally,
    ) -> Result<Standing, Error> {
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
        let result = self.attempt_on(&mut session, order, attempt, tally).await;
        session.retire().await;
        result
    }

    async fn attempt_on(
        &self,
        session: &mut Session,
        order: &Order,
        attempt: u32,
        tally: &mut Tally,
    ) -> Result<Standing, Error> {
        self.observers.emit(EventKind::StageStarted {
            stage: Stage::Inspect,
        });
        // What most starts find is found out with as little as possible.
        if order.leads_to_all_heads(self.migrations.graph())
            && recorder::is_up_to_date(session, &self.books, self.migrations.graph()).await?
        {
            let heads = self.migrations.graph().heads();
            tally.from.get_or_insert_with(|| heads.clone());
            self.announce(order, tally, 0, &[]);
            return Ok(Standing::UpToDate(heads));
        }
        let history = recorder::read_history(session, &self.books).await?;
        let plan = self.plan(order, &history)?;
        tally.from.get_or_insert_with(|| plan.from.clone());
        if plan.steps.is_empty() && history.interrupted.is_empty() {
            self.announce(order, tally, plan.steps.len(), &plan.notices);
            return Ok(Standing::Read(history));
        }
        self.check_steps(session.dialect(), &plan)?;
        prepare_for_migration(session, self.config.statement_lock_timeout)
            .await
            .map_err(|error| Error::query("preparing the session", self.books.dialect(), &error))?;
        let key = LockKey::of(&self.config, &self.books, session)
            .await
            .map_err(|error| {
                Error::query("naming the migration lock", self.books.dialect(), &error)
            })?;
        let (acquired, waited) = lock::acquire(
            &key,
            &self.books,
            session,
            &self.config,
            &self.observers,
            &self.stop,
            &Unfinished {
                runner: self,
                order,
            },
        )
        .await?;
        let Acquired::Lock(lock) = acquired else {
            let history = recorder::read_history(session, &self.books).await?;
            let plan = self.plan(order, &history)?;
            self.announce(order, tally, plan.steps.len(), &plan.notices);
            return Ok(Standing::Read(history));
        };
        self.observers.emit(EventKind::LockAcquired {
            waited_ms: crate::milliseconds(waited),
        });
        let result = self
            .attempt_locked(session, &lock, &key, order, attempt, tally)
            .await;
        if self.books.dialect() == Dialect::MySql {
            // Only for people to read; the lock itself is freed next.
            drop(
                session
                    .run(self.books.clear_lease(&key.name, &tally.run_id))
                    .await,
            );
        }
        lock.release(session).await;
        self.observers.emit(EventKind::LockReleased);
        result
    }

    async fn attempt_locked(
        &self,
        session: &mut Session,
        lock: &MigrationLock,
        key: &LockKey,
        order: &Order,
        attempt: u32,
        tally: &mut Tally,
    ) -> Result<Standing, Error> {
        // Whoever had the lock before may have done some or all of it.
        let history = recorder::read_history(session, &self.books).await?;
        let plan = self.plan(order, &history)?;
        self.announce(order, tally, plan.steps.len(), &plan.notices);
        self.check_interrupted(&history, &plan)?;
        if plan.steps.is_empty() {
            return Ok(Standing::Read(history));
        }
        self.check_steps(session.dialect(), &plan)?;
        self.check_pooled_steps(lock, &plan)?;
        let books = &recorder::locate(session, &self.books).await?;
        recorder::ensure_tables(session, books, lock.transaction_lock()).await?;
        let cancel = Cancel::of(&self.config.database, session)
            .await
            .map_err(|error| {
                Error::query(
                    "asking for the session's number",
                    self.books.dialect(),
                    &error,
                )
            })?;
        let who = self.who(&tally.run_id);
        if self.books.dialect() == Dialect::MySql {
            let lease = books.write_lease(
                &key.name,
                &who,
                std::process::id(),
                &self.config.application_name(),
                cancel.as_ref().map(Cancel::session),
            );
            session.run(lease).await.map_err(|error| {
                Error::query("writing who holds the lock", self.books.dialect(), &error)
            })?;
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
        let mut executor = Executor {
            session,
            lock,
            books,
            who: &who,
            config: &self.config,
            migrations: &self.migrations,
            observers: &self.observers,
            stop: self.stop.clone(),
            cancel,
            thread: MigrationThread::start(self.books.dialect()).map_err(|source| Error::File {
                doing: "starting the migration thread, as",
                path: PathBuf::from("stairway-migration"),
                source,
            })?,
            attempt,
            completed: &mut tally.completed,
        };
        let result = if self.config.single_transaction {
            executor
                .run_in_one_transaction(&plan.steps, &mut tally.steps)
                .await
        } else {
            executor.run_each(&plan.steps, &mut tally.steps).await
        };
        result?;
        self.observers.emit(EventKind::StageStarted {
            stage: Stage::Verify,
        });
        Ok(Standing::Read(
            recorder::read_history(session, books).await?,
        ))
    }

    /// The plan for what is left of the order.
    fn plan(&self, order: &Order, history: &History) -> Result<Plan, Error> {
        let mut plan = plan(
            self.migrations.graph(),
            history,
            order.direction,
            &order.target,
            self.config.plan,
        )?;
        if let Some(steps) = order.steps {
            plan.steps.truncate(steps);
        }
        Ok(plan)
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

    /// An interrupted step must be among those that are run, in the same direction, before anything
    /// else is done.
    fn check_interrupted(&self, history: &History, plan: &Plan) -> Result<(), Error> {
        let is_continued = |interrupted: &InterruptedStep| {
            plan.steps.iter().any(|step| {
                step.revision == interrupted.revision && step.direction == interrupted.direction
            })
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
    fn check_steps(&self, dialect: Dialect, plan: &Plan) -> Result<(), Error> {
        if !self.config.single_transaction || plan.steps.is_empty() {
            return Ok(());
        }
        if dialect == Dialect::MySql {
            return Err(Error::Unsupported(
                "a single transaction is not possible here: MySQL and MariaDB commit at every definition".to_owned(),
            ));
        }
        match self.first_journalled(dialect, &plan.steps) {
            None => Ok(()),
            Some(step) => Err(Error::Unsupported(format!(
                "a single transaction is not possible: {} says `use_transaction() = Some(false)`",
                step.revision
            ))),
        }
    }

    /// Behind a pooler only transactional steps can be made safe.
    fn check_pooled_steps(&self, lock: &MigrationLock, plan: &Plan) -> Result<(), Error> {
        if lock.transaction_lock().is_none() {
            return Ok(());
        }
        match self.first_journalled(Dialect::Postgres, &plan.steps) {
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
    ) -> Option<&'plan Step> {
        steps.iter().find(|step| {
            self.migrations
                .migration(&step.revision)
                .is_some_and(|migration| safety_of(dialect, &*migration) != Safety::Transactional)
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
        let applied: std::collections::HashSet<&RevisionId> = history.applied_ids().collect();
        let wanted = order.direction == Direction::Upgrade;
        if let Some(wrong) = tally
            .completed
            .iter()
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

/// A run that waits for the lock is needed as long as its plan has steps.
struct Unfinished<'run> {
    runner: &'run Runner,
    order: &'run Order,
}

impl StillNeeded for Unfinished<'_> {
    fn is_still_needed<'a>(
        &'a self,
        session: &'a mut Session,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            let history = recorder::read_history(session, &self.runner.books).await?;
            let plan = self.runner.plan(self.order, &history)?;
            Ok(!plan.steps.is_empty() || !history.interrupted.is_empty())
        })
    }
}

impl Executor<'_> {
    /// Runs steps one after another, each for itself. Stops between two of them when asked to.
    async fn run_each(&mut self, steps: &[Step], done: &mut Vec<StepOutcome>) -> Result<(), Error> {
        let total = steps.len() as u64;
        for (index, step) in steps.iter().enumerate() {
            self.check_stop(index as u64, total)?;
            if let Some(outcome) = self.run_step(step, index as u64 + 1, total, false).await? {
                done.push(outcome);
            }
        }
        Ok(())
    }

    /// Runs steps in one transaction: all or nothing.
    async fn run_in_one_transaction(
        &mut self,
        steps: &[Step],
        done: &mut Vec<StepOutcome>,
    ) -> Result<(), Error> {
        let failed = |dialect, error: &sqlx::Error| {
            Error::query("the transaction around all steps", dialect, error)
        };
        let dialect = self.session.dialect();
        let completed_before = self.completed.len();
        let mut outcomes = Vec::new();
        if !self
            .begin_outer()
            .await
            .map_err(|error| failed(dialect, &error))?
        {
            drop(self.session.run("ROLLBACK").await);
            return Err(Error::LockLost { applied: 0 });
        }
        let total = steps.len() as u64;
        let mut result = Ok(());
        for (index, step) in steps.iter().enumerate() {
            let step_result = match self.check_stop(0, total) {
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
        if result.is_ok() {
            result = self.commit_outer().await;
        }
        match result {
            Ok(()) => {
                done.append(&mut outcomes);
                Ok(())
            }
            Err(error) => {
                // Where the connection is lost, the server has done so.
                drop(self.session.run("ROLLBACK").await);
                self.completed.truncate(completed_before);
                Err(error.without_completed())
            }
        }
    }

    fn check_stop(&self, done: u64, total: u64) -> Result<(), Error> {
        if self.stop.check().is_err() {
            self.observers.emit(EventKind::StopRequested);
            return Err(Error::Stopped {
                applied: done,
                remaining: total - done,
            });
        }
        Ok(())
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
