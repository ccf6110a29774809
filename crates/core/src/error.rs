//! What can go wrong, with what a person needs to act.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use stairway_plan::event::LockHolder;
use stairway_plan::history::InterruptedStep;
use stairway_plan::plan::{Direction, PlanError};
use stairway_plan::position::DatabaseState;
use stairway_plan::revision::RevisionId;
use stairway_plan::sql::Dialect;

use crate::connection::{Failure, UrlError, classify, said};
use crate::migrations::MigrationSetError;

/// Why a call of the library failed. No message contains a password.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The database URL can't be used.
    #[error(transparent)]
    Url(#[from] UrlError),
    /// The project's revisions make no graph.
    #[error(transparent)]
    Revisions(#[from] MigrationSetError),
    /// The target can't be reached from where the database is.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// A setting is wrong.
    #[error("{0}")]
    Configuration(String),
    /// The database did not answer in the time allowed.
    #[error(
        "the database {location} could not be reached within {:.1} s ({attempts} attempt(s), {failure}): {last_error}",
        waited.as_secs_f64()
    )]
    Unreachable {
        location: String,
        waited: Duration,
        attempts: u32,
        failure: Failure,
        last_error: String,
    },
    /// The database answers, and refuses us for a reason that waiting does not cure.
    #[error("the database {location} refuses the connection ({failure}): {message}")]
    Refused {
        location: String,
        failure: Failure,
        message: String,
    },
    /// Something failed, and the database could not be reached again to go on.
    #[error("{failed}; then {unreachable}")]
    NotResumed {
        failed: Box<Error>,
        unreachable: Box<Error>,
    },
    /// Another run holds the lock.
    #[error(
        "another run held the migration lock of {location} for the {} s that were allowed{}",
        waited.as_secs(),
        held_by(holder.as_deref())
    )]
    LockTimeout {
        location: String,
        waited: Duration,
        holder: Option<Box<LockHolder>>,
    },
    /// The lock was lost between two steps.
    #[error(
        "the migration lock was lost; {applied} step(s) of this run are applied, the next was not started"
    )]
    LockLost { applied: u64 },
    /// The lock file can't be used.
    #[error("the lock file {} can't be used: {source}", path.display())]
    LockFile {
        path: PathBuf,
        source: std::io::Error,
    },
    /// A step failed.
    #[error(transparent)]
    Step(Box<StepFailure>),
    /// An earlier run was interrupted, and what it left can't be settled by looking.
    #[error(transparent)]
    InDoubt(Box<InDoubt>),
    /// A query of Stairway's own failed.
    #[error("{doing} failed ({failure}): {message}")]
    Database {
        doing: &'static str,
        failure: Failure,
        message: String,
    },
    /// The backup failed, so nothing was migrated.
    #[error("the backup failed, and nothing was migrated: {0}")]
    Backup(String),
    /// After the run the database was not where the plan leads.
    #[error(
        "after the run the database is {state}, not where the plan leads: expected {}, found {}",
        list(expected),
        list(found)
    )]
    NotVerified {
        state: DatabaseState,
        expected: Vec<RevisionId>,
        found: Vec<RevisionId>,
    },
    /// The run was asked to stop.
    #[error(
        "stopped on request between steps; {applied} step(s) of this run are applied, {remaining} remain"
    )]
    Stopped { applied: u64, remaining: u64 },
    /// What was asked for can't be done here.
    #[error("{0}")]
    Unsupported(String),
    /// A file can't be read or written.
    #[error("{doing} {} failed: {source}", path.display())]
    File {
        doing: &'static str,
        path: PathBuf,
        source: std::io::Error,
    },
}

/// A step that failed, and what is left of it.
#[derive(Clone, Debug)]
pub struct StepFailure {
    /// The revision.
    pub revision: RevisionId,
    /// Which way it went.
    pub direction: Direction,
    /// The statement that failed, where one did, secrets masked.
    pub statement: Option<String>,
    /// Its number within the step, from 1.
    pub statement_index: u64,
    /// What kind of failure it was.
    pub failure: Failure,
    /// The database's or the migration's own words.
    pub message: String,
    /// The database, without credentials.
    pub location: String,
    /// What is left of the step.
    pub remains: Remains,
    /// Steps of this run that ended well before.
    pub completed: Vec<RevisionId>,
}

/// What a failed step left in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Remains {
    /// Nothing: it was rolled back, or never done.
    Nothing,
    /// So many statements, which a rerun passes over.
    Statements(u64),
    /// Not known: the connection was lost.
    Unknown,
}

/// A statement of which nobody can say whether it was done.
#[derive(Clone, Debug)]
pub struct InDoubt {
    /// The step.
    pub step: InterruptedStep,
    /// Why looking does not settle it.
    pub reason: String,
    /// The database, without credentials.
    pub location: String,
}

impl Error {
    /// The run was asked to stop before it did anything.
    pub(crate) fn stopped() -> Self {
        Self::Stopped {
            applied: 0,
            remaining: 0,
        }
    }

    /// An error of one of Stairway's own queries.
    pub(crate) fn query(doing: &'static str, dialect: Dialect, error: &sqlx::Error) -> Self {
        Self::Database {
            doing,
            failure: classify(dialect, error),
            message: said(error),
        }
    }

    /// Whether a step failed of which something may be left.
    pub(crate) fn leaves_step(&self) -> bool {
        matches!(self, Self::Step(step) if step.remains != Remains::Nothing)
    }

    /// The same error after the one of the attempt before it: where the database could not be reached
    /// any more, what had failed before is what a person needs to know.
    pub(crate) fn after(self, before: Option<Self>) -> Self {
        match (before, self) {
            (
                Some(failed @ (Self::Step(_) | Self::Database { .. } | Self::LockLost { .. })),
                unreachable @ (Self::Unreachable { .. } | Self::Refused { .. }),
            ) => Self::NotResumed {
                failed: Box::new(failed),
                unreachable: Box::new(unreachable),
            },
            (
                Some(Self::NotResumed { failed, .. }),
                unreachable @ (Self::Unreachable { .. } | Self::Refused { .. }),
            ) => Self::NotResumed {
                failed,
                unreachable: Box::new(unreachable),
            },
            (_, error) => error,
        }
    }

    /// The same error where the whole run was rolled back: no step of it is complete.
    pub(crate) fn without_completed(self) -> Self {
        match self {
            Self::Step(mut step) => {
                step.completed.clear();
                Self::Step(step)
            }
            other => other,
        }
    }

    /// What kind of failure it is, where a database said so.
    pub fn failure(&self) -> Option<Failure> {
        match self {
            Self::Step(step) => Some(step.failure),
            Self::Database { failure, .. }
            | Self::Refused { failure, .. }
            | Self::Unreachable { failure, .. } => Some(*failure),
            Self::NotResumed { unreachable, .. } => unreachable.failure(),
            _ => None,
        }
    }

    /// Whether a run may be tried again after this.
    pub(crate) fn is_transient(&self) -> bool {
        match self {
            Self::Step(step) => step.failure.is_transient(),
            Self::Database { failure, .. } => failure.is_transient(),
            Self::NotResumed { unreachable, .. } => unreachable.is_transient(),
            Self::LockLost { .. } => true,
            // A server that answers but has no place for us has one soon; one that is not there may never be.
            Self::Unreachable { failure, .. } => {
                matches!(
                    failure,
                    Failure::ServerStarting | Failure::TooManyConnections | Failure::Busy
                )
            }
            _ => false,
        }
    }

    /// What to do next, in words, where it is known.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::Unreachable { .. } => Some(
                "check that the server runs and that host and port are right; wait longer with --wait or \
                 MIGRATION_WAIT_TIMEOUT"
                    .to_owned(),
            ),
            Self::Refused { failure, .. } | Self::Database { failure, .. } => failure.hint(),
            Self::LockTimeout { .. } => Some(
                "wait for the other run (`stairway status` shows it), allow more time with --lock-timeout, or, if \
                 it is dead, look at it with `stairway unlock`"
                    .to_owned(),
            ),
                        Self::Step(step) => step.hint(),
            Self::InDoubt(doubt) => Some(doubt.hint()),
            Self::NotResumed { .. } => Some(
                "when the database is there again, run the same command again: it finds out what is left and goes \
                 on from there"
                    .to_owned(),
            ),
            Self::LockLost { .. } | Self::Stopped { .. } => Some("run the same command again; it goes on from there".to_owned()),
            Self::NotVerified { .. } => Some("look at `stairway status` and `stairway log`".to_owned()),
            Self::LockFile { .. } => Some(
                "runs lock a file beside an SQLite database, so its directory must be writable: nothing can be \
                 migrated on a read-only disk"
                    .to_owned(),
            ),
            Self::Url(_) => Some(
                "for example postgres://user:password@host/database, mysql://user:password@host/database or \
                 sqlite://file.db?mode=rwc"
                    .to_owned(),
            ),
            _ => None,
        }
    }
}

impl Failure {
    /// What to do about it, where that is more than the message says.
    fn hint(self) -> Option<String> {
        let hint = match self {
            Self::AuthenticationFailed => "check the user and the password in DATABASE_URL",
            Self::UnknownDatabase => {
                "create the database first, or check its name in DATABASE_URL; for an SQLite file add `?mode=rwc` \
                 to have it made"
            }
            Self::ReadOnly => {
                "this is a standby, a replica or a read-only file: use the primary's URL"
            }
            Self::DiskFull => "make room on the database's disk, then run the same command again",
            Self::PermissionDenied => {
                "the user lacks a privilege: grant it, or use the URL of the user who owns the schema"
            }
            Self::LockTimeout => {
                "a statement waited for a lock that a long transaction of the application holds; run again when it is \
                 over, or allow more time with MIGRATION_STATEMENT_LOCK_TIMEOUT"
            }
            Self::Pooler => {
                "the connection goes through a pooler: use the database's direct URL for migrations, or set \
                 MIGRATION_POOLER=transaction"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}

impl StepFailure {
    fn hint(&self) -> Option<String> {
        self.failure.hint().or_else(|| {
            Some(match self.remains {
                _ if self.failure.is_transient() || self.failure == Failure::Cancelled => {
                    "run the same command again: it finds out what is left and goes on from there"
                        .to_owned()
                }
                Remains::Nothing => {
                    format!("correct {} and run the same command again", self.revision)
                }
                Remains::Statements(_) | Remains::Unknown => format!(
                    "correct the cause and run the same command again: it goes on after what is done; or settle it \
                     with `stairway repair --mark-applied {0}` or `stairway repair --mark-reverted {0}`",
                    self.revision
                ),
            })
        })
    }
}

impl fmt::Display for StepFailure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.direction.as_str();
        write!(
            f,
            "{word} of {} on {} failed ({}): {}",
            self.revision, self.location, self.failure, self.message
        )?;
        if let Some(statement) = &self.statement {
            write!(f, "; statement {}: {statement}", self.statement_index)?;
        }
        match self.remains {
            Remains::Nothing => write!(f, "; nothing of this revision is left")?,
            Remains::Statements(1) => write!(f, "; 1 of its statements is done and recorded")?,
            Remains::Statements(done) => {
                write!(f, "; {done} of its statements are done and recorded")?;
            }
            Remains::Unknown => write!(f, "; what is left of it is found out by the next run")?,
        }
        match self.completed.len() {
            0 => write!(f, "; no revision of this run was completed before it"),
            count if count > NAMED => write!(
                f,
                "; completed before it: {count} revisions, the last of them {}",
                list(&self.completed[count - NAMED..])
            ),
            _ => write!(f, "; completed before it: {}", list(&self.completed)),
        }
    }
}

impl std::error::Error for StepFailure {}

impl InDoubt {
    fn hint(&self) -> String {
        format!(
            "look at the database, then `stairway repair --resume {0}` (it was not done: run it), `stairway repair \
             --mark-applied {0}` (all of the revision is there) or `stairway repair --mark-reverted {0}` (nothing \
             of it is there)",
            self.step.revision
        )
    }
}

impl fmt::Display for InDoubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "the {} of {} on {} was interrupted after {} statement(s), and {}",
            self.step.direction.as_str(),
            self.step.revision,
            self.location,
            self.step.statements_done,
            self.reason
        )?;
        match &self.step.in_doubt {
            Some(statement) => write!(f, "; in doubt is: {statement}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for InDoubt {}

/// How many of the completed revisions an error names.
const NAMED: usize = 10;

/// Revisions in a sentence.
fn list(revisions: &[RevisionId]) -> String {
    if revisions.is_empty() {
        return "none".to_owned();
    }
    revisions
        .iter()
        .map(RevisionId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

/// The holder in a sentence.
fn held_by(holder: Option<&LockHolder>) -> String {
    let Some(holder) = holder else {
        return String::new();
    };
    let mut words = vec!["; it is".to_owned()];
    words.extend(holder.application.clone());
    words.extend(holder.pid.map(|pid| format!("process {pid}")));
    words.extend(holder.host.as_ref().map(|host| format!("on {host}")));
    words.extend(
        holder
            .since
            .map(|since| format!("since {}", since.format("%Y-%m-%d %H:%M:%S UTC"))),
    );
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_failure_counts_the_completed_revisions_where_they_are_many_and_names_the_last() {
        let failure = |completed: usize| StepFailure {
            revision: RevisionId::from("m99_last"),
            direction: Direction::Upgrade,
            statement: None,
            statement_index: 0,
            failure: Failure::Statement,
            message: "no".to_owned(),
            location: "somewhere".to_owned(),
            remains: Remains::Nothing,
            completed: (0..completed)
                .map(|number| RevisionId::from(format!("m{number:02}")))
                .collect(),
        };
        let said = failure(2).to_string();
        assert!(said.ends_with("completed before it: m00, m01"), "{said}");
        let said = failure(30).to_string();
        assert!(
            said.contains("completed before it: 30 revisions, the last of them m20, "),
            "{said}"
        );
        assert!(said.ends_with("m29") && !said.contains("m19"), "{said}");
    }
}
