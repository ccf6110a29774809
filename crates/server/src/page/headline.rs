//! The one sentence that says how it is, and what to do next.

use stairway_plan::event::Stage;
use stairway_plan::position::DatabaseState;
use stairway_plan::report::StatusReport;

use super::words::{Count, duration};
use crate::progress::{StartupReport, StartupStatus, Waiting};
use crate::unavailable::Unavailable;

/// How it is, at a glance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Headline {
    pub(super) tone: Tone,
    pub(super) title: String,
    pub(super) sentence: String,
    /// The database's or the run's own words.
    pub(super) error: Option<String>,
    /// What to do next, in words.
    pub(super) next: Option<String>,
    /// The command to type next.
    pub(super) command: Option<&'static str>,
}

/// How much a person is needed. Shown by colour, sign and words alike.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Tone {
    Good,
    Busy,
    Waiting,
    Bad,
}

impl Tone {
    pub(super) fn class(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Busy => "busy",
            Self::Waiting => "waiting",
            Self::Bad => "bad",
        }
    }

    /// The path of the sign, in a box of 24.
    pub(super) fn sign(self) -> &'static str {
        match self {
            Self::Good => "M5 12.5l4.5 4.5L19 7.5",
            Self::Busy => "M12 4v10m0 6l-6-6m6 6l6-6",
            Self::Waiting => "M12 6v7m0 4.5v.5",
            Self::Bad => "M6.5 6.5l11 11m0-11l-11 11",
        }
    }
}

impl Headline {
    pub(super) fn of(startup: &StartupReport, status: Result<&StatusReport, &Unavailable>) -> Self {
        match startup.status {
            StartupStatus::Starting => Self::starting(startup),
            StartupStatus::Stopped => Self::new(
                Tone::Waiting,
                "Stopping",
                "The server was asked to stop, and stopped between two revisions.",
            ),
            StartupStatus::Started => Self::standing(status),
            StartupStatus::Failed => Self::failed(startup, status),
        }
    }

    fn new(tone: Tone, title: impl Into<String>, sentence: impl Into<String>) -> Self {
        Self {
            tone,
            title: title.into(),
            sentence: sentence.into(),
            error: None,
            next: None,
            command: None,
        }
    }

    fn starting(startup: &StartupReport) -> Self {
        let headline = match &startup.waiting_for {
            Some(Waiting::Database {
                attempt,
                time_left_ms,
            }) => Self::new(
                Tone::Busy,
                "Waiting for the database",
                format!(
                    "It has not answered yet ({}). It is waited for another {}.",
                    Count(u64::from(*attempt), "attempt"),
                    duration(*time_left_ms)
                ),
            ),
            Some(Waiting::Lock {
                holder,
                waited_ms,
                time_left_ms,
            }) => Self::new(
                Tone::Busy,
                "Waiting for another run",
                format!(
                    "{} holds the migration lock. Waited {}, at most {} more.",
                    holder.as_deref().unwrap_or("Another process"),
                    duration(*waited_ms),
                    duration(*time_left_ms)
                ),
            ),
            Some(Waiting::Retry {
                attempt,
                max_attempts,
                retry_in_ms,
            }) => Self::new(
                Tone::Busy,
                "Trying again",
                format!(
                    "Attempt {attempt} of {} failed for a reason that may pass. The next one begins in {}.",
                    max_attempts.saturating_add(1),
                    duration(*retry_in_ms)
                ),
            ),
            None => match (startup.stage, &startup.revision, startup.progress) {
                (Stage::Migrate, Some(_), Some(progress)) => Self::new(
                    Tone::Busy,
                    "Migrating",
                    format!(
                        "Step {} of {} is running.",
                        progress.position, progress.total
                    ),
                ),
                (stage, _, _) => Self::new(Tone::Busy, "Starting", stage_sentence(stage)),
            },
        };
        Self {
            error: startup.error.clone(),
            ..headline
        }
    }

    fn failed(startup: &StartupReport, status: Result<&StatusReport, &Unavailable>) -> Self {
        let standing = Self::standing(status);
        let error = startup.error.clone();
        // Another process may have done meanwhile what this one could not.
        if standing.tone == Tone::Good {
            return Self {
                sentence: format!(
                    "{} Start-up of this process had failed before that.",
                    standing.sentence
                ),
                error,
                ..standing
            };
        }
        Self {
            tone: Tone::Bad,
            title: "Start-up failed".to_owned(),
            sentence: format!(
                "The server goes on, but is not ready. It failed {}.",
                match startup.stage {
                    Stage::Connect => "while it connected to the database",
                    Stage::Inspect => "while it read where the database stands",
                    Stage::Backup => "while it wrote the backup; nothing was migrated",
                    Stage::Migrate => "while it applied revisions",
                    Stage::Verify | Stage::Ready => "while it checked the result",
                }
            ),
            error,
            next: startup.hint.clone(),
            command: None,
        }
    }

    fn standing(status: Result<&StatusReport, &Unavailable>) -> Self {
        let status = match status {
            Ok(status) => status,
            Err(why) => {
                return Self {
                    error: Some(why.detail.clone()),
                    next: why.hint.clone(),
                    ..Self::new(
                        Tone::Bad,
                        "The database can't be read",
                        "Where it stands is not known at present.",
                    )
                };
            }
        };
        let pending = Count(status.pending_count, "revision");
        let unknown = Count(status.unknown_revisions.len(), "revision");
        match status.state {
            DatabaseState::UpToDate => Self::new(
                Tone::Good,
                "Up to date",
                "Every revision of this build is applied, and no other.",
            ),
            DatabaseState::Ahead => Self {
                next: Some("Nothing, while a newer version is rolled out or back. Otherwise deploy the build that has them.".to_owned()),
                ..Self::new(
                    Tone::Waiting,
                    "Ahead of this build",
                    format!("Nothing is pending, but the database has {unknown} that this build does not know."),
                )
            },
            DatabaseState::Empty => Self {
                command: Some("stairway upgrade"),
                ..Self::new(Tone::Waiting, "Not migrated yet", format!("Nothing is applied; {pending} pending."))
            },
            DatabaseState::Behind => Self {
                command: Some("stairway upgrade"),
                ..Self::new(Tone::Waiting, format!("{} pending", Count(status.pending_count, "revision")), "They are in this build and not in the database.")
            },
            DatabaseState::Diverged => Self {
                next: Some("Deploy a build that has both.".to_owned()),
                command: Some("stairway status"),
                ..Self::new(
                    Tone::Bad,
                    "Diverged",
                    format!("{pending} pending, and the database has {unknown} that this build does not know."),
                )
            },
            DatabaseState::Interrupted => Self {
                next: Some("Run the same command again: it goes on from there, or says which statement is in doubt and how to settle it.".to_owned()),
                command: Some("stairway upgrade"),
                ..Self::new(Tone::Bad, "Interrupted", "A step began and did not finish.")
            },
            DatabaseState::Edited => Self {
                next: Some("Put the revision back as it was applied, and make the change in a new revision.".to_owned()),
                command: Some("stairway check"),
                ..Self::new(
                    Tone::Waiting,
                    "Edited after it was applied",
                    format!("{} of this build would not do what was done.", Count(status.edited_revisions.len(), "revision")),
                )
            },
        }
    }
}

fn stage_sentence(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "Connecting to the database.",
        Stage::Inspect => "Reading where the database stands.",
        Stage::Backup => "Writing a backup before anything is changed.",
        Stage::Migrate => "Applying revisions.",
        Stage::Verify => "Checking the result.",
        Stage::Ready => "Ready.",
    }
}
