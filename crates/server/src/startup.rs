//! Start-up of the databases: each is waited for and migrated, and how it goes can be seen.

use std::mem::{Discriminant, discriminant};
use std::time::Duration;

use chrono::Utc;
use futures_util::future::join_all;
use stairway_core::notify::Notification;
use stairway_core::{Error, Failure};

use crate::redact::without_credentials;
use crate::source::Ended;
use crate::state::{Database, ServerState};

/// The longest pause before a failed start-up is tried again.
const LONGEST_RESTART_DELAY: Duration = Duration::from_mins(5);

/// Start-up of a database failed, or was asked to stop.
#[derive(Debug, thiserror::Error)]
#[error("start-up of the database `{database}` failed: {source}")]
pub struct StartupError {
    /// The database's name among those configured.
    pub database: String,
    /// What went wrong.
    pub source: Error,
    stopped: bool,
}

impl StartupError {
    /// Whether it only ended because it was asked to, between two steps or by cancelling one.
    pub fn is_stop(&self) -> bool {
        self.stopped
    }
}

impl ServerState {
    /// Runs start-up of every database, all at once: wait for it, look, back up if configured,
    /// upgrade with lock and retry, verify. Probes and the status page show how far it is.
    ///
    /// Without `fail_on_error` a failure is shown, and tried again as long as it may pass by itself;
    /// then this returns without an error.
    ///
    /// # Errors
    /// The first failure, after every database's start-up has ended; with an
    /// [`Error::Stopped`](stairway_core::Error::Stopped) in it if it was asked to stop.
    pub async fn start_up(&self) -> Result<(), StartupError> {
        let databases = self.databases().iter();
        let results = join_all(databases.map(|database| self.start_database(database))).await;
        // A failure says more than that another one was stopped.
        let mut errors: Vec<StartupError> = results.into_iter().filter_map(Result::err).collect();
        errors.sort_by_key(StartupError::is_stop);
        errors.into_iter().next().map_or(Ok(()), Err)
    }

    async fn start_database(&self, database: &Database) -> Result<(), StartupError> {
        let mut pause = self.settings().restart_delay;
        let mut told = Told::default();
        loop {
            database.change_startup(|report| report.begin(Utc::now()));
            tracing::info!(database = %database.name, "start-up begins");
            let Ended { result, news } = database.source.start_up().await;
            let Err(error) = result else {
                database.change_startup(|report| report.finish(Utc::now()));
                tracing::info!(database = %database.name, "start-up is over");
                told.tell(database, news, None).await;
                return Ok(());
            };
            let stopped = self.is_stopping() && ends_a_stop(&error);
            let failed = |source| StartupError {
                database: database.name.clone(),
                source,
                stopped,
            };
            if stopped {
                database.change_startup(|report| report.stop(Utc::now()));
                tracing::info!(database = %database.name, "start-up was stopped: {error}");
                told.tell(database, news, Some(&error)).await;
                return Err(failed(error));
            }
            let text = without_credentials(&error.to_string());
            // The run has logged the error itself; what to do about it nobody has said yet.
            let hint = error.hint();
            let next = hint
                .as_ref()
                .map_or_else(String::new, |hint| format!("; next: {hint}"));
            tracing::error!(database = %database.name, error = %text, hint, "start-up failed{next}");
            database.change_startup(|report| report.fail(text, hint, Utc::now()));
            told.tell(database, news, Some(&error)).await;
            if self.settings().fails_with(&database.name) {
                return Err(failed(error));
            }
            if !may_pass(&error) {
                tracing::warn!(
                    database = %database.name,
                    "serving on, not ready; start-up is not tried again, for the failure will not pass by itself"
                );
                return Ok(());
            }
            tracing::info!(database = %database.name, "start-up is tried again in {} s", pause.as_secs());
            let mut stopping = self.stopping();
            tokio::select! {
                () = tokio::time::sleep(pause) => {}
                _ = stopping.wait_for(|stopping| *stopping) => return Ok(()),
            }
            pause = (pause * 2).min(LONGEST_RESTART_DELAY);
        }
    }
}

/// What the webhook was told last: a failure that is met again at the next attempt is told of once.
#[derive(Default)]
struct Told {
    failure: Option<(Discriminant<Error>, Option<Failure>)>,
}

impl Told {
    async fn tell(&mut self, database: &Database, news: Option<Notification>, of: Option<&Error>) {
        let failure = of.map(|error| (discriminant(error), error.failure()));
        let is_known = failure.is_some() && failure == self.failure;
        self.failure = failure;
        if let (Some(news), false) = (news, is_known) {
            database.source.tell(news).await;
        }
    }
}

/// Whether an error is what comes of being asked to stop. A statement may also be cancelled by
/// somebody else.
fn ends_a_stop(error: &Error) -> bool {
    matches!(error, Error::Stopped { .. }) || error.failure() == Some(Failure::Cancelled)
}

/// Whether the same start-up may go well later without anybody changing the code or the
/// configuration, and trying it does no harm.
fn may_pass(error: &Error) -> bool {
    match error {
        Error::Unreachable { .. }
        | Error::Refused { .. }
        | Error::NotResumed { .. }
        | Error::LockTimeout { .. }
        | Error::LockLost { .. }
        | Error::Database { .. } => true,
        Error::Step(step) => step.failure.is_transient(),
        _ => false,
    }
}
