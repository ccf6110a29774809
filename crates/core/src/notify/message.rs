//! What a message says.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};

use chrono::{DateTime, SecondsFormat, Utc};
use serde_json::{Value, json};
use stairway_plan::event::{Event, EventKind};
use stairway_plan::revision::RevisionId;

use super::WebhookFormat;
use crate::observer::Observer;
use crate::{Config, Error};

/// The version of the JSON form.
const SCHEMA_VERSION: u32 = 1;

/// The longest error that is sent, in characters: chat services refuse long messages.
const LONGEST_ERROR: usize = 2_000;

/// How many revisions a sentence for people names.
const NAMED_REVISIONS: usize = 10;

/// How a run ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Notification {
    /// What was run: `run` or `upgrade`.
    pub command: String,
    /// The database's name among those configured.
    pub database: String,
    /// Where the database is, without credentials.
    pub location: String,
    /// The run's id as in the audit trail; nothing if none began.
    pub run_id: Option<String>,
    /// The revisions that were applied, in order.
    pub applied: Vec<AppliedRevision>,
    /// The backup that was written before.
    pub backup: Option<String>,
    /// Why the run failed, if it did.
    pub error: Option<RunError>,
    /// How long it took, waiting included.
    pub elapsed_ms: u64,
    /// Who ran it.
    pub actor: String,
    /// On which machine.
    pub host: String,
    /// The application's version, where it is known.
    pub application_version: Option<String>,
    /// When it ended, by this machine's clock.
    pub finished_at: DateTime<Utc>,
}

/// A revision that was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AppliedRevision {
    /// Its id.
    pub revision: RevisionId,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// Why a run failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunError {
    /// The run was asked to stop and did so between two steps.
    pub stopped: bool,
    /// What went wrong.
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    /// The revision that failed, if it was one.
    pub revision: Option<RevisionId>,
}

impl RunError {
    /// The error in words.
    pub fn of(error: &Error) -> Self {
        Self {
            stopped: matches!(error, Error::Stopped { .. }),
            message: error.to_string(),
            hint: error.hint(),
            revision: match error {
                Error::Step(step) => Some(step.revision.clone()),
                _ => None,
            },
        }
    }
}

impl Notification {
    /// How the run ended in one word: `succeeded`, `stopped` or `failed`.
    pub fn outcome(&self) -> &'static str {
        match &self.error {
            None => "succeeded",
            Some(error) if error.stopped => "stopped",
            Some(_) => "failed",
        }
    }

    /// The same for every attempt to deliver this message, and for no other message.
    pub(super) fn delivery_key(&self) -> String {
        match &self.run_id {
            Some(run_id) => format!("{run_id}-{}", self.outcome()),
            None => format!("{:016x}-{}", fastrand::u64(..), self.outcome()),
        }
    }

    pub(super) fn body(&self, format: WebhookFormat) -> Value {
        match format {
            WebhookFormat::Json => self.json(),
            WebhookFormat::Slack => json!({ "text": self.sentence() }),
        }
    }

    fn json(&self) -> Value {
        let applied: Vec<Value> = self
            .applied
            .iter()
            .map(|step| json!({ "revision": step.revision, "elapsed_ms": step.elapsed_ms }))
            .collect();
        let error = self.error.as_ref().map(|error| {
            json!({
                "message": shortened(&error.message),
                "hint": error.hint,
                "revision": error.revision,
            })
        });
        json!({
            "schema_version": SCHEMA_VERSION,
            "event": "migration",
            "outcome": self.outcome(),
            "command": self.command,
            "database": self.database,
            "location": self.location,
            "run_id": self.run_id,
            "applied": applied,
            "backup": self.backup,
            "error": error,
            "elapsed_ms": self.elapsed_ms,
            "actor": self.actor,
            "host": self.host,
            "application_version": self.application_version,
            "finished_at": self.finished_at.to_rfc3339_opts(SecondsFormat::Secs, true),
        })
    }

    /// For people, with the marks of Slack's text.
    fn sentence(&self) -> String {
        let sign = match self.outcome() {
            "succeeded" => ":white_check_mark:",
            "stopped" => ":warning:",
            _ => ":x:",
        };
        let mut text = format!(
            "{sign} *Migration {}*: `{}` at {}",
            self.outcome(),
            escaped(&self.database),
            escaped(&self.location)
        );
        if let Some(version) = &self.application_version {
            let _ = write!(text, ", version {}", escaped(version));
        }
        match self.applied.as_slice() {
            [] => text.push_str("\nNo revision was applied"),
            [only] => {
                let _ = write!(text, "\n1 revision applied: {}", code(&only.revision));
            }
            some => {
                let named: Vec<String> = some
                    .iter()
                    .take(NAMED_REVISIONS)
                    .map(|step| code(&step.revision))
                    .collect();
                let _ = write!(
                    text,
                    "\n{} revisions applied: {}",
                    some.len(),
                    named.join(", ")
                );
                if some.len() > NAMED_REVISIONS {
                    let _ = write!(text, " and {} more", some.len() - NAMED_REVISIONS);
                }
            }
        }
        let _ = write!(
            text,
            " in {:.1} s, by {} on {}",
            std::time::Duration::from_millis(self.elapsed_ms).as_secs_f64(),
            escaped(&self.actor),
            escaped(&self.host)
        );
        if let Some(backup) = &self.backup {
            let _ = write!(text, "\nBackup: `{}`", escaped(backup));
        }
        if let Some(error) = &self.error {
            // Three backticks in the error would end the block early.
            let message = shortened(&error.message).replace("```", "'''");
            let _ = write!(text, "\n```{}```", escaped(&message));
            if let Some(hint) = &error.hint {
                let _ = write!(text, "\nWhat to do: {}", escaped(hint));
            }
        }
        text
    }
}

fn code(revision: &RevisionId) -> String {
    format!("`{}`", escaped(revision.as_str()))
}

/// The three characters that Slack gives a meaning: without this a name could notify everybody.
fn escaped(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST_ERROR) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Takes note of what a run does, for the message about it. Give it to the manager as an observer.
#[derive(Debug, Default)]
pub struct RunLog(Mutex<Done>);

#[derive(Clone, Debug, Default)]
struct Done {
    run_id: Option<String>,
    applied: Vec<AppliedRevision>,
    backup: Option<String>,
}

impl Observer for RunLog {
    fn observe(&self, event: &Event) {
        let mut done = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match &event.kind {
            EventKind::RunStarted { run_id, .. }
            | EventKind::RunFinished { run_id, .. }
            | EventKind::RunFailed { run_id, .. } => done.run_id = Some(run_id.clone()),
            EventKind::BackupFinished { destination, .. } => {
                done.backup = Some(destination.clone());
            }
            EventKind::StepFinished {
                revision,
                elapsed_ms,
                ..
            } => done.applied.push(AppliedRevision {
                revision: revision.clone(),
                elapsed_ms: *elapsed_ms,
            }),
            _ => {}
        }
    }
}

impl RunLog {
    /// What there is to say of the run that was observed, now that it has ended.
    pub fn notification(
        &self,
        command: &str,
        config: &Config,
        elapsed_ms: u64,
        error: Option<RunError>,
    ) -> Notification {
        let done = self
            .0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        Notification {
            command: command.to_owned(),
            database: config.name.clone(),
            location: config.location(),
            run_id: done.run_id,
            applied: done.applied,
            backup: done.backup,
            error,
            elapsed_ms,
            actor: config.actor.clone(),
            host: config.host.clone(),
            application_version: config.application_version.clone(),
            finished_at: Utc::now(),
        }
    }
}
