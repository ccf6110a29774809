//! The library's front door.

mod checksums;
mod reports;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::Utc;
use stairway_plan::bookkeeping::Bookkeeping;
use stairway_plan::event::{EventKind, LockHolder};
use stairway_plan::graph::RevisionGraph;
use stairway_plan::history::History;
use stairway_plan::plan::{Direction, Plan, PlanError, plan, plan_offline};
use stairway_plan::position::{ChecksumComparison, Position};
use stairway_plan::report::{AuditEntry, StatusReport};
use stairway_plan::revision::RevisionId;
use stairway_plan::sql::{Dialect, redact_statement};
use stairway_plan::target::Target;

pub use reports::{
    CreatedRevision, NewRevision, RepairAction, RepairReport, RunOptions, RunReport, StampReport,
    StepReport,
};

use checksums::Renderings;

use crate::connection::{Access, Failure, Session, server_version};
use crate::executor::{Safety, StepOutcome, safety_of};
use crate::lock::{self, LockKey};
use crate::observer::{Observer, Observers};
use crate::runner::{self, Order, Runner};
use crate::{BoxFuture, Config, Error, MigrationSet, StopHandle};
use crate::{backup, create, operations, recorder, render, script, wait};

/// Migrates one database. Cheap to clone; several live side by side in one process.
///
/// ```no_run
/// use sea_orm_migration::prelude::*;
/// use stairway_core::{Config, Manager, MigrationSet};
///
/// struct Migrator;
///
/// #[async_trait::async_trait]
/// impl MigratorTrait for Migrator {
///     fn migrations() -> Vec<Box<dyn MigrationTrait>> {
///         vec![]
///     }
/// }
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let migrations = MigrationSet::from_migrator::<Migrator>()?;
/// let manager = Manager::new(migrations, Config::new("sqlite://app.db?mode=rwc")?);
/// let report = manager.upgrade_to_head(false).await?;
/// println!("{} revision(s) applied", report.steps.len());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Manager {
    migrations: MigrationSet,
    config: Arc<Config>,
    books: Bookkeeping,
    observers: Observers,
    stop: StopHandle,
    renderings: Renderings,
}

impl Manager {
    /// A manager for these revisions and this database. Does not touch the database.
    pub fn new(migrations: MigrationSet, config: Config) -> Self {
        let history_table = config
            .history_table
            .as_deref()
            .unwrap_or(migrations.history_table());
        let books = Bookkeeping::new(
            config.dialect(),
            history_table,
            config.history_schema.as_deref(),
        );
        Self {
            books,
            observers: Observers::new(&config.name, Vec::new()),
            migrations,
            config: Arc::new(config),
            stop: StopHandle::default(),
            renderings: Renderings::default(),
        }
    }

    /// Tells this observer, too, of everything that happens.
    #[must_use]
    pub fn with_observer(mut self, observer: Arc<dyn Observer>) -> Self {
        self.observers = self.observers.with(observer);
        self
    }

    /// The configuration.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// The revisions and how they follow one another.
    pub fn graph(&self) -> &RevisionGraph {
        self.migrations.graph()
    }

    /// The revisions in code.
    pub fn migrations(&self) -> &MigrationSet {
        &self.migrations
    }

    /// Asks the manager's runs to stop; for signal handlers.
    pub fn stop_handle(&self) -> StopHandle {
        self.stop.clone()
    }

    /// Connects once and asks for the version, for example `PostgreSQL 15.2`.
    ///
    /// # Errors
    /// [`Error::Unreachable`] if nothing answers, [`Error::Refused`] if the database refuses us.
    pub fn check_database_connection(&self) -> BoxFuture<'_, Result<String, Error>> {
        Box::pin(async {
            self.reading(async |session: &mut Session| {
                let version = server_version(session)
                    .await
                    .map_err(|error| self.query_error("asking for the version", &error))?;
                Ok(format!(
                    "{} {version}",
                    product_name(session.dialect(), &version)
                ))
            })
            .await
        })
    }

    /// Waits until the database answers, with growing pauses, at most this long. A wrong password or
    /// an unknown database is not waited for.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the time is over, [`Error::Refused`] if the database refuses us.
    pub fn wait_for_database(&self, timeout: Duration) -> BoxFuture<'_, Result<(), Error>> {
        Box::pin(async move {
            let began = Instant::now();
            let connected = wait::connect_waiting(
                &self.config,
                Access::Read,
                timeout,
                &self.observers,
                &self.stop.watch(),
            )
            .await;
            let version = match connected {
                Ok(mut session) => {
                    let version = server_version(&mut session).await.unwrap_or_default();
                    session.close().await;
                    version
                }
                // The first run makes the file; there is nothing to wait for.
                Err(Error::Refused {
                    failure: Failure::UnknownDatabase,
                    ..
                }) if self.config.is_missing_file_to_be_made() => String::new(),
                Err(error) => return Err(error),
            };
            self.observers.emit(EventKind::DatabaseReachable {
                dialect: self.config.dialect().as_str().to_owned(),
                server_version: version,
                elapsed_ms: crate::milliseconds(began.elapsed()),
            });
            Ok(())
        })
    }

    /// The latest applied head, or nothing. Only reads.
    pub fn current_revision(&self) -> BoxFuture<'_, Result<Option<RevisionId>, Error>> {
        Box::pin(async {
            let history = self.read_history().await?;
            Ok(self
                .status_of(&history, &ChecksumComparison::default())
                .current_revision)
        })
    }

    /// All applied heads. Only reads.
    pub fn current_revisions(&self) -> BoxFuture<'_, Result<Vec<RevisionId>, Error>> {
        Box::pin(async { Ok(self.position(&self.read_history().await?).current) })
    }

    /// The head of the graph, or nothing if it is empty.
    ///
    /// # Errors
    /// [`Error::Plan`] that lists the heads if there are several.
    pub fn head_revision(&self) -> Result<Option<RevisionId>, Error> {
        if self.graph().is_empty() {
            return Ok(None);
        }
        let target = Target::parse("head").map_err(PlanError::from)?;
        let resolved = target
            .resolve(self.graph(), &History::default())
            .map_err(PlanError::from)?;
        Ok(resolved.into_iter().next())
    }

    /// Whether an upgrade has anything to do. Only reads.
    pub fn is_migration_needed(&self) -> BoxFuture<'_, Result<bool, Error>> {
        Box::pin(async { Ok(!self.pending_migrations().await?.is_empty()) })
    }

    /// What an upgrade to `heads` would apply, in order. Only reads.
    pub fn pending_migrations(&self) -> BoxFuture<'_, Result<Vec<RevisionId>, Error>> {
        Box::pin(async { Ok(self.position(&self.read_history().await?).pending) })
    }

    /// Where the database stands. Only reads, and needs no privilege but SELECT.
    pub fn migration_status(&self) -> BoxFuture<'_, Result<StatusReport, Error>> {
        Box::pin(async {
            let history = self.read_history().await?;
            let comparison = self.compare_checksums(&history).await;
            Ok(self.status_of(&history, &comparison))
        })
    }

    /// What the database says of its revisions. Only reads. A step that another process runs at this
    /// moment does not count as interrupted.
    pub fn read_history(&self) -> BoxFuture<'_, Result<History, Error>> {
        Box::pin(async {
            // Nothing was ever applied to a file that does not exist.
            if self.config.is_missing_file_to_be_made() {
                return Ok(History::default());
            }
            self.reading(async |session: &mut Session| {
                let mut history =
                    recorder::read_history(session, &self.books, self.graph()).await?;
                if !history.interrupted.is_empty() {
                    let key = LockKey::of(&self.config, &self.books, session)
                        .await
                        .map_err(|error| self.query_error("naming the migration lock", &error))?;
                    let holder = lock::holder(&key, &self.books, session)
                        .await
                        .map_err(|error| self.query_error("asking who holds the lock", &error))?;
                    if holder.is_some() {
                        history.interrupted.clear();
                    }
                }
                Ok(history)
            })
            .await
        })
    }

    /// The plan that leads to a target. Only reads.
    ///
    /// # Errors
    /// [`Error::Plan`] if the target can't be resolved or reached.
    pub fn plan<'a>(
        &'a self,
        direction: Direction,
        target: &'a str,
    ) -> BoxFuture<'a, Result<Plan, Error>> {
        Box::pin(async move {
            let history = self.read_history().await?;
            Ok(plan(
                self.graph(),
                &history,
                direction,
                target,
                self.config.plan,
            )?)
        })
    }

    /// Applies everything that is pending, with retry; or, as a dry run, only works out the steps and
    /// their SQL, without changing anything.
    pub fn upgrade_to_head(&self, dry_run: bool) -> BoxFuture<'_, Result<RunReport, Error>> {
        self.run(
            Direction::Upgrade,
            "heads",
            RunOptions {
                dry_run,
                ..RunOptions::default()
            },
        )
    }

    /// Applies what leads to the target, once, without retry.
    pub fn upgrade<'a>(&'a self, target: &'a str) -> BoxFuture<'a, Result<RunReport, Error>> {
        self.run_order(Direction::Upgrade, target, RunOptions::default(), false, 0)
    }

    /// Applies what leads to the target; transient failures are tried again.
    pub fn upgrade_with_retry<'a>(
        &'a self,
        target: &'a str,
    ) -> BoxFuture<'a, Result<RunReport, Error>> {
        self.run(Direction::Upgrade, target, RunOptions::default())
    }

    /// Takes back what stands between the database and the target, latest applied first.
    pub fn downgrade<'a>(&'a self, target: &'a str) -> BoxFuture<'a, Result<RunReport, Error>> {
        self.run(Direction::Downgrade, target, RunOptions::default())
    }

    /// Upgrade or downgrade with options; transient failures are tried again.
    pub fn run<'a>(
        &'a self,
        direction: Direction,
        target: &'a str,
        options: RunOptions,
    ) -> BoxFuture<'a, Result<RunReport, Error>> {
        self.run_order(
            direction,
            target,
            options,
            false,
            self.config.max_retry_attempts,
        )
    }

    /// The start-up pipeline: wait if asked, look, back up if configured, upgrade with retry, verify.
    /// With `auto_upgrade` off it only looks, and reports what is pending as a dry run does.
    pub fn auto_migrate(&self, wait_for_db: bool) -> BoxFuture<'_, Result<RunReport, Error>> {
        let options = RunOptions {
            dry_run: !self.config.auto_upgrade,
            ..RunOptions::default()
        };
        self.run_order(
            Direction::Upgrade,
            "heads",
            options,
            wait_for_db,
            self.config.max_retry_attempts,
        )
    }

    fn run_order<'a>(
        &'a self,
        direction: Direction,
        target: &'a str,
        options: RunOptions,
        wait: bool,
        retries: u32,
    ) -> BoxFuture<'a, Result<RunReport, Error>> {
        Box::pin(async move {
            if options.dry_run {
                if wait {
                    self.wait_for_database(self.config.wait_timeout).await?;
                }
                return self.dry_run(direction, target, options.steps).await;
            }
            let order = Order {
                direction,
                target: target.to_owned(),
                backup: options.backup || self.config.backup_before_upgrade,
                steps: options.steps,
                wait,
                retries,
            };
            let done = self.runner().run(&order).await?;
            Ok(RunReport {
                run_id: done.run_id,
                database: self.config.name.clone(),
                direction,
                dry_run: false,
                from: done.from,
                to: done.to,
                steps: done
                    .steps
                    .iter()
                    .map(|step| self.step_report(step))
                    .collect(),
                backup: done.backup,
                elapsed_ms: crate::milliseconds(done.elapsed),
                verified: true,
            })
        })
    }

    /// The exact steps, and for each the SQL recorded without touching the database.
    async fn dry_run(
        &self,
        direction: Direction,
        target: &str,
        limit: Option<usize>,
    ) -> Result<RunReport, Error> {
        let began = Instant::now();
        let history = self.read_history().await?;
        let mut plan = plan(self.graph(), &history, direction, target, self.config.plan)?;
        if let Some(limit) = limit {
            plan.limit(limit, self.graph(), &history);
        }
        let dialect = self.config.dialect();
        let mut steps = Vec::with_capacity(plan.steps.len());
        for step in &plan.steps {
            if step.only_recorded {
                steps.push(StepReport {
                    revision: step.revision.clone(),
                    message: step.message.clone(),
                    transactional: true,
                    sql: Vec::new(),
                    incomplete: None,
                    elapsed_ms: 0,
                    rows_affected: 0,
                });
                continue;
            }
            let Some(migration) = self.migrations.migration(&step.revision) else {
                continue;
            };
            let rendered = render::render(&*migration, direction, dialect).await;
            steps.push(StepReport {
                revision: step.revision.clone(),
                message: step.message.clone(),
                transactional: safety_of(dialect, &*migration) == Safety::Transactional,
                sql: rendered
                    .statements
                    .iter()
                    .map(|sql| redact_statement(sql, dialect))
                    .collect(),
                incomplete: rendered.incomplete,
                elapsed_ms: 0,
                rows_affected: 0,
            });
        }
        Ok(RunReport {
            run_id: runner::new_run_id(),
            database: self.config.name.clone(),
            direction,
            dry_run: true,
            from: plan.from,
            to: plan.to,
            steps,
            backup: None,
            elapsed_ms: crate::milliseconds(began.elapsed()),
            verified: false,
        })
    }

    /// The SQL of a range of revisions as a script for the database's own client, without touching
    /// the database: `a:b` upwards (or `b` from the start), `b:a` downwards.
    ///
    /// # Errors
    /// [`Error::Unsupported`] if a revision reads the database, named with its question: its SQL is
    /// only known when it runs.
    pub fn offline_sql<'a>(
        &'a self,
        direction: Direction,
        range: &'a str,
    ) -> BoxFuture<'a, Result<String, Error>> {
        Box::pin(async move {
            let plan = plan_offline(self.graph(), direction, range)?;
            script::script(&self.migrations, &self.books, &self.config, &plan).await
        })
    }

    /// Records revisions as applied, or not, without running them: afterwards exactly the targets and
    /// what is below them is applied on their lineages. With `purge` everything else is forgotten.
    pub fn stamp<'a>(
        &'a self,
        targets: &'a [String],
        purge: bool,
        dry_run: bool,
    ) -> BoxFuture<'a, Result<StampReport, Error>> {
        Box::pin(operations::stamp(self, targets, purge, dry_run))
    }

    /// The newest entries of the audit trail, newest first; those before the entry `before`, and only
    /// about `revision`, where given. Only reads.
    pub fn history<'a>(
        &'a self,
        limit: u64,
        before: Option<i64>,
        revision: Option<&'a str>,
    ) -> BoxFuture<'a, Result<Vec<AuditEntry>, Error>> {
        Box::pin(async move {
            if self.config.is_missing_file_to_be_made() {
                return Ok(Vec::new());
            }
            self.reading(async |session: &mut Session| {
                if !recorder::existing_tables(session, &self.books).await?.audit {
                    return Ok(Vec::new());
                }
                let rows = session
                    .rows(self.books.read_audit(limit, before, revision))
                    .await
                    .map_err(|error| self.query_error("reading the audit trail", &error))?;
                Ok(self.books.parse_audit(&rows))
            })
            .await
        })
    }

    /// Writes a backup now and returns its path.
    pub fn backup(&self) -> BoxFuture<'_, Result<PathBuf, Error>> {
        Box::pin(async {
            if self.config.is_missing_file_to_be_made() {
                return Err(Error::Unsupported(format!(
                    "there is nothing to back up: {} does not exist",
                    self.config.location()
                )));
            }
            let history = self.read_history().await?;
            let current = self.position(&history).current;
            self.reading(async |session: &mut Session| {
                backup::create(&self.config, &current, &self.observers, session).await
            })
            .await
        })
    }

    /// Who holds the migration lock. Only reads.
    pub fn lock_holder(&self) -> BoxFuture<'_, Result<Option<LockHolder>, Error>> {
        Box::pin(async {
            if self.config.is_missing_file_to_be_made() {
                return Ok(None);
            }
            self.reading(async |session: &mut Session| {
                let failed =
                    |error: sqlx::Error| self.query_error("asking who holds the lock", &error);
                let key = LockKey::of(&self.config, &self.books, session)
                    .await
                    .map_err(failed)?;
                lock::holder(&key, &self.books, session)
                    .await
                    .map_err(failed)
            })
            .await
        })
    }

    /// Ends the lock holder's session on the server, which frees the lock and rolls back what it was
    /// doing. Returns the holder, or nothing if there was none.
    ///
    /// # Errors
    /// [`Error::Unsupported`] on SQLite, where only the holder's process can free the lock.
    pub fn unlock(&self) -> BoxFuture<'_, Result<Option<LockHolder>, Error>> {
        Box::pin(operations::unlock(self))
    }

    /// Settles an interrupted revision by a person's word, and writes that into the audit trail.
    /// Without a revision, the only interrupted one.
    pub fn repair<'a>(
        &'a self,
        action: RepairAction,
        revision: Option<&'a str>,
    ) -> BoxFuture<'a, Result<RepairReport, Error>> {
        Box::pin(operations::repair(self, action, revision))
    }

    /// Writes a new revision file. Does not touch the database.
    pub fn create_revision(&self, request: &NewRevision) -> Result<CreatedRevision, Error> {
        create::create(self.graph(), &self.config, request)
    }

    /// What [`create_revision`](Self::create_revision) would write now: where, and the text. Writes
    /// nothing.
    pub fn draft_revision(
        &self,
        request: &NewRevision,
    ) -> Result<(CreatedRevision, String), Error> {
        create::draft(self.graph(), &self.config, request)
    }

    /// Opens a session, does something with it that only reads, and closes it.
    pub(crate) async fn reading<T>(
        &self,
        work: impl AsyncFnOnce(&mut Session) -> Result<T, Error>,
    ) -> Result<T, Error> {
        let mut session = wait::connect_once(&self.config, Access::Read).await?;
        let result = work(&mut session).await;
        session.close().await;
        result
    }

    pub(crate) fn runner(&self) -> Runner {
        Runner {
            migrations: self.migrations.clone(),
            config: (*self.config).clone(),
            books: self.books.clone(),
            observers: self.observers.for_run(),
            stop: self.stop.watch(),
        }
    }

    pub(crate) fn books(&self) -> &Bookkeeping {
        &self.books
    }

    /// The same manager, which tells nobody what it does and logs nothing.
    pub(crate) fn silently(mut self) -> Self {
        self.observers = Observers::silent();
        self
    }

    pub(crate) fn observers(&self) -> &Observers {
        &self.observers
    }

    pub(crate) fn query_error(&self, doing: &'static str, error: &sqlx::Error) -> Error {
        Error::query(doing, self.config.dialect(), error)
    }

    fn position(&self, history: &History) -> Position {
        Position::of(self.graph(), history, &ChecksumComparison::default())
    }

    fn status_of(&self, history: &History, comparison: &ChecksumComparison) -> StatusReport {
        StatusReport::new(
            Position::of(self.graph(), history, comparison),
            &self.config.name,
            self.config.dialect().as_str(),
            self.config.location(),
            Utc::now(),
        )
    }

    fn step_report(&self, step: &StepOutcome) -> StepReport {
        StepReport {
            revision: step.revision.clone(),
            message: self
                .graph()
                .get(step.revision.as_str())
                .map(|revision| revision.message.clone())
                .unwrap_or_default(),
            transactional: step.transactional,
            sql: step.statements.clone(),
            incomplete: None,
            elapsed_ms: crate::milliseconds(step.elapsed),
            rows_affected: step.rows_affected,
        }
    }
}

/// What the server calls itself.
fn product_name(dialect: Dialect, version: &str) -> &'static str {
    match dialect {
        Dialect::Postgres => "PostgreSQL",
        Dialect::MySql if version.contains("MariaDB") => "MariaDB",
        Dialect::MySql => "MySQL",
        Dialect::Sqlite => "SQLite",
    }
}
