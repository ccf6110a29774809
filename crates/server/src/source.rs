//! What the server asks of a database, and what it starts: a [`Manager`] in service, a made-up one
//! in tests.

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use stairway_core::notify::{Notification, RunError, RunLog};
use stairway_core::{Error, Manager, Observer};
use stairway_plan::graph::RevisionGraph;
use stairway_plan::report::{AuditEntry, StatusReport};
use stairway_plan::revision::RevisionId;

use crate::redact::without_credentials;
use crate::unavailable::{Reason, Unavailable};

/// A page of the audit trail, newest entries first.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct AuditPage {
    pub(crate) limit: u64,
    /// Only entries older than this one.
    pub(crate) before: Option<i64>,
    /// Only entries about this revision.
    pub(crate) revision: Option<String>,
}

/// A pending revision and the SQL that it would run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PendingStep {
    pub(crate) revision: RevisionId,
    pub(crate) message: String,
    pub(crate) transactional: bool,
    pub(crate) sql: Vec<String>,
    /// Why the SQL is not all, where it is not.
    pub(crate) incomplete: Option<String>,
}

/// How start-up of a database ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) result: Result<(), Error>,
    /// What there is to tell people of it, if anything was to be done.
    pub(crate) news: Option<Notification>,
}

/// One database, as the server sees it. Everything but [`Source::start_up`] only reads.
pub(crate) trait Source: fmt::Debug + Send + Sync {
    /// The revisions of this build.
    fn graph(&self) -> &RevisionGraph;
    /// Where the database stands.
    fn status(&self) -> BoxFuture<'static, Result<StatusReport, Unavailable>>;
    /// What was done to it.
    fn audit(&self, page: AuditPage) -> BoxFuture<'static, Result<Vec<AuditEntry>, Unavailable>>;
    /// What an upgrade would run.
    fn preview(&self) -> BoxFuture<'static, Result<Vec<PendingStep>, Unavailable>>;
    /// Waits for the database and, if configured, migrates it.
    fn start_up(&self) -> BoxFuture<'static, Ended>;
    /// Tells the webhook, if there is one. Takes no longer than its settings allow, and never fails.
    fn tell(&self, news: Notification) -> BoxFuture<'static, ()>;
    /// Asks a run to stop between steps; asked again, to cancel its statement.
    fn stop(&self);
}

/// A manager's database.
#[derive(Clone, Debug)]
pub(crate) struct ManagedDatabase {
    /// For questions, which nobody needs to be told of.
    reads: Manager,
    /// For runs, which the server observes.
    runs: Manager,
}

impl ManagedDatabase {
    pub(crate) fn new(manager: Manager, observer: Arc<dyn Observer>) -> Self {
        let runs = manager.clone().with_observer(observer);
        Self {
            reads: manager,
            runs,
        }
    }
}

impl Source for ManagedDatabase {
    fn graph(&self) -> &RevisionGraph {
        self.reads.graph()
    }

    fn status(&self) -> BoxFuture<'static, Result<StatusReport, Unavailable>> {
        let manager = self.reads.clone();
        async move { Ok(manager.migration_status().await?) }.boxed()
    }

    fn audit(&self, page: AuditPage) -> BoxFuture<'static, Result<Vec<AuditEntry>, Unavailable>> {
        let manager = self.reads.clone();
        async move {
            let revision = page.revision.as_deref();
            Ok(manager.history(page.limit, page.before, revision).await?)
        }
        .boxed()
    }

    fn preview(&self) -> BoxFuture<'static, Result<Vec<PendingStep>, Unavailable>> {
        let manager = self.reads.clone();
        async move {
            let report = manager.upgrade_to_head(true).await?;
            let steps = report.steps.into_iter().map(|step| PendingStep {
                revision: step.revision,
                message: step.message,
                transactional: step.transactional,
                sql: step.sql,
                incomplete: step.incomplete,
            });
            Ok(steps.collect())
        }
        .boxed()
    }

    fn start_up(&self) -> BoxFuture<'static, Ended> {
        let log = Arc::new(RunLog::default());
        let manager = self
            .runs
            .clone()
            .with_observer(Arc::clone(&log) as Arc<dyn Observer>);
        async move {
            let began = Instant::now();
            let result = manager.auto_migrate(true).await;
            let only_looked = result.as_ref().is_ok_and(|report| report.dry_run);
            let error = result.as_ref().err().map(|error| {
                let error = RunError::of(error);
                RunError {
                    message: without_credentials(&error.message),
                    ..error
                }
            });
            let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
            let news = (!only_looked)
                .then(|| log.notification("start-up", manager.config(), elapsed_ms, error));
            Ended {
                result: result.map(|_| ()),
                news,
            }
        }
        .boxed()
    }

    fn tell(&self, news: Notification) -> BoxFuture<'static, ()> {
        let manager = self.runs.clone();
        async move { manager.config().webhook.send(&news).await }.boxed()
    }

    fn stop(&self) {
        self.runs.stop_handle().stop();
    }
}

impl From<Error> for Unavailable {
    /// What may be shown of an error. The database's own words of a refused connection name the user
    /// and stay in the log.
    fn from(error: Error) -> Self {
        let hint = error.hint();
        let (reason, detail) = match &error {
            Error::Refused {
                location, failure, ..
            } => {
                let detail = format!("the database {location} refuses the connection ({failure})");
                (Reason::Unreachable, detail)
            }
            Error::Unreachable { .. } => (Reason::Unreachable, error.to_string()),
            _ => (Reason::Failed, error.to_string()),
        };
        Self {
            reason,
            detail: without_credentials(&detail),
            hint,
        }
    }
}
