//! What all requests share: the databases, their latest answers, how far start-up is, and the
//! numbers.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use axum::body::Bytes;
use futures_util::FutureExt;
use stairway_core::{Manager, MetricsObserver, Observer};
use stairway_plan::event::{Event, EventKind, Stage};
use stairway_plan::report::{AuditEntry, StatusReport};
use stairway_plan::revision::RevisionId;
use tokio::sync::{Semaphore, watch};
use tokio::time::timeout;

use crate::cached::{Answer, Cached, CachedByKey};
use crate::page::graph::GraphDrawing;
use crate::progress::StartupReport;
use crate::settings::ServerSettings;
use crate::source::{AuditPage, ManagedDatabase, PendingStep, Source};
use crate::unavailable::{Reason, Unavailable};

/// How many different pages of one audit trail are kept.
const KEPT_AUDIT_PAGES: usize = 32;

/// For how many states of the database the SQL of what is pending is kept.
const KEPT_PREVIEWS: usize = 4;

/// How long the SQL of pending revisions is used again; the code does not change while the process
/// lives.
const KEEP_PREVIEW: Duration = Duration::from_secs(30);

/// What all requests share. Cheap to clone.
#[derive(Clone, Debug)]
pub struct ServerState {
    inner: Arc<Inner>,
}

struct Inner {
    databases: Vec<Database>,
    settings: ServerSettings,
    metrics: Arc<MetricsObserver>,
    waiting: Semaphore,
    opened: AtomicBool,
    stopping: watch::Sender<bool>,
}

impl fmt::Debug for Inner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Inner")
            .field("databases", &self.databases)
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Why a server can't be put together.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StateError {
    /// There is nothing to serve.
    #[error("the server needs at least one database")]
    NoDatabase,
    /// Two databases can't be told apart.
    #[error("two databases are named `{0}`: give each a name of its own")]
    SameName(String),
}

impl ServerState {
    /// The state of a server for these managers' databases.
    ///
    /// # Errors
    /// If there is none, or two have the same name.
    pub fn new(
        managers: impl IntoIterator<Item = Manager>,
        settings: ServerSettings,
    ) -> Result<Self, StateError> {
        let managers: Vec<Manager> = managers.into_iter().collect();
        let names: Vec<String> = managers.iter().map(|m| m.config().name.clone()).collect();
        let metrics = Arc::new(MetricsObserver::new(names));
        let sources = managers.into_iter().map(|manager| {
            let name = manager.config().name.clone();
            let startup = Arc::new(Mutex::new(StartupReport::new(&name)));
            let observer = RunObserver {
                startup: Arc::clone(&startup),
                metrics: Arc::clone(&metrics),
            };
            let source = ManagedDatabase::new(manager, Arc::new(observer));
            (name, startup, Arc::new(source) as Arc<dyn Source>)
        });
        let sources: Vec<_> = sources.collect();
        Self::assemble(sources, metrics, settings)
    }

    pub(crate) fn assemble(
        sources: Vec<(String, SharedReport, Arc<dyn Source>)>,
        metrics: Arc<MetricsObserver>,
        settings: ServerSettings,
    ) -> Result<Self, StateError> {
        if sources.is_empty() {
            return Err(StateError::NoDatabase);
        }
        let mut databases: Vec<Database> = Vec::with_capacity(sources.len());
        for (name, startup, source) in sources {
            if databases.iter().any(|database| database.name == name) {
                return Err(StateError::SameName(name));
            }
            databases.push(Database::new(name, startup, source, &settings));
        }
        let inner = Inner {
            databases,
            waiting: Semaphore::new(settings.max_waiting_requests),
            settings,
            metrics,
            opened: AtomicBool::new(false),
            stopping: watch::Sender::new(false),
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// How the server behaves.
    pub fn settings(&self) -> &ServerSettings {
        &self.inner.settings
    }

    /// How far start-up of each database is.
    pub fn startup(&self) -> Vec<StartupReport> {
        let databases = self.databases().iter();
        databases.map(Database::startup).collect()
    }

    /// Whether the service has been ready once: from then on [`ReadinessLayer`] lets requests
    /// through. Asks the databases, through the shared answers, only before that.
    ///
    /// [`ReadinessLayer`]: crate::ReadinessLayer
    pub async fn is_open(&self) -> bool {
        if self.inner.opened.load(Ordering::Acquire) {
            return true;
        }
        let ready = crate::readiness::readiness(self).await.is_ready();
        if ready {
            self.inner.opened.store(true, Ordering::Release);
        }
        ready
    }

    /// Asks every run to stop after its step, and readiness probes to fail from now on. A second
    /// call cancels the running statements.
    pub fn stop(&self) {
        self.inner.stopping.send_replace(true);
        for database in self.databases() {
            database.source.stop();
        }
    }

    pub(crate) fn is_stopping(&self) -> bool {
        *self.inner.stopping.borrow()
    }

    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.inner.stopping.subscribe()
    }

    pub(crate) fn databases(&self) -> &[Database] {
        &self.inner.databases
    }

    /// The database of this name; without a name, the only or first one.
    pub(crate) fn database(&self, name: Option<&str>) -> Option<&Database> {
        match name {
            None => self.databases().first(),
            Some(name) => self
                .databases()
                .iter()
                .find(|database| database.name == name),
        }
    }

    pub(crate) fn metrics(&self) -> &MetricsObserver {
        &self.inner.metrics
    }

    /// Where the database stands, at most a second old.
    pub(crate) async fn status(&self, database: &Database) -> Answer<StatusSnapshot> {
        if let Some(answer) = database.status.fresh() {
            return answer;
        }
        let Ok(_waiting) = self.inner.waiting.try_acquire() else {
            return Err(Arc::new(Unavailable::busy()));
        };
        let source = Arc::clone(&database.source);
        let answer = database
            .status
            .get(|| async move { source.status().await.map(StatusSnapshot::new) }.boxed());
        let answer = answer.await;
        database.log_change(answer.as_ref().err().map(AsRef::as_ref));
        answer
    }

    /// A page of the audit trail, at most a second old.
    pub(crate) async fn audit(
        &self,
        database: &Database,
        page: AuditPage,
    ) -> Answer<Vec<AuditEntry>> {
        let Ok(_waiting) = self.inner.waiting.try_acquire() else {
            return Err(Arc::new(Unavailable::busy()));
        };
        let source = Arc::clone(&database.source);
        let lane = Arc::clone(&database.lane);
        let question = page.clone();
        // Whoever gets its turn late would have to hang up in the middle of its question.
        let patience = self.settings().answer_timeout / 2;
        let ask = move || {
            async move {
                match timeout(patience, lane.acquire()).await {
                    Ok(Ok(_turn)) => source.audit(question).await,
                    _ => Err(Unavailable::busy()),
                }
            }
            .boxed()
        };
        database.audit.get(page, ask).await
    }

    /// What an upgrade would run when these revisions are pending.
    pub(crate) async fn preview(
        &self,
        database: &Database,
        pending: &[RevisionId],
    ) -> Answer<Vec<PendingStep>> {
        let Ok(_waiting) = self.inner.waiting.try_acquire() else {
            return Err(Arc::new(Unavailable::busy()));
        };
        let source = Arc::clone(&database.source);
        let ask = || async move { source.preview().await }.boxed();
        database.preview.get(pending.to_vec(), ask).await
    }
}

pub(crate) type SharedReport = Arc<Mutex<StartupReport>>;

/// One database and the answers that are kept of it.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) name: String,
    pub(crate) source: Arc<dyn Source>,
    /// The graph does not change while the process lives, so it is drawn once.
    pub(crate) drawing: GraphDrawing,
    startup: SharedReport,
    status: Cached<StatusSnapshot>,
    audit: CachedByKey<AuditPage, Vec<AuditEntry>>,
    preview: CachedByKey<Vec<RevisionId>, Vec<PendingStep>>,
    /// Different pages of the audit trail are asked for one at a time.
    lane: Arc<Semaphore>,
    readable: AtomicBool,
}

impl Database {
    fn new(
        name: String,
        startup: SharedReport,
        source: Arc<dyn Source>,
        settings: &ServerSettings,
    ) -> Self {
        let ServerSettings {
            keep_answers,
            answer_timeout,
            preview_timeout,
            ..
        } = *settings;
        Self {
            name,
            drawing: GraphDrawing::of(source.graph()),
            source,
            startup,
            status: Cached::new(keep_answers, answer_timeout),
            audit: CachedByKey::new(KEPT_AUDIT_PAGES, keep_answers, answer_timeout),
            preview: CachedByKey::new(
                KEPT_PREVIEWS,
                KEEP_PREVIEW.max(keep_answers),
                preview_timeout,
            ),
            lane: Arc::new(Semaphore::new(1)),
            readable: AtomicBool::new(true),
        }
    }

    /// How far start-up is.
    pub(crate) fn startup(&self) -> StartupReport {
        locked(&self.startup).clone()
    }

    pub(crate) fn change_startup(&self, change: impl FnOnce(&mut StartupReport)) {
        change(&mut locked(&self.startup));
    }

    /// Logs that the database went away or came back, once each.
    fn log_change(&self, unavailable: Option<&Unavailable>) {
        match unavailable {
            None if !self.readable.swap(true, Ordering::Relaxed) => {
                tracing::info!(database = %self.name, "the database can be read again");
            }
            Some(why)
                if why.reason != Reason::Busy && self.readable.swap(false, Ordering::Relaxed) =>
            {
                tracing::warn!(database = %self.name, error = %why.detail, "the database can't be read");
            }
            _ => {}
        }
    }
}

/// Where a database stands, with the JSON that says so.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct StatusSnapshot {
    pub(crate) report: StatusReport,
    pub(crate) json: Bytes,
}

impl StatusSnapshot {
    pub(crate) fn new(report: StatusReport) -> Self {
        // A struct of strings, numbers and lists always has a JSON form.
        let json = serde_json::to_vec(&report).unwrap_or_default();
        Self {
            report,
            json: Bytes::from(json),
        }
    }
}

/// Keeps start-up's progress and the numbers current.
pub(crate) struct RunObserver {
    pub(crate) startup: SharedReport,
    pub(crate) metrics: Arc<MetricsObserver>,
}

impl Observer for RunObserver {
    fn observe(&self, event: &Event) {
        if let EventKind::StageStarted { stage } = &event.kind {
            let (stage, words) = stage_words(*stage);
            tracing::info!(database = %event.database, stage, "start-up: {words}");
        }
        locked(&self.startup).observe(event);
        self.metrics.observe(event);
    }
}

/// A stage's name, and what it is about, for the log.
fn stage_words(stage: Stage) -> (&'static str, &'static str) {
    match stage {
        Stage::Connect => ("connect", "connecting to the database"),
        Stage::Inspect => ("inspect", "looking where the database stands"),
        Stage::Backup => ("backup", "backing up"),
        Stage::Migrate => ("migrate", "applying revisions"),
        Stage::Verify => ("verify", "verifying"),
        Stage::Ready => ("ready", "ready"),
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
