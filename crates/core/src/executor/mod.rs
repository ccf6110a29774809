//! Runs the steps of a plan, one after another, on one pinned session. The only caller of `up` and
//! `down`.
//!
//! A step is *transactional* where the database and the revision allow it: then the step, its record
//! and its audit entry are one transaction. Otherwise it is *journalled*: each of its statements is
//! written down around being run, so that a rerun after a crash goes on where it stopped.

mod journalled;
mod pieces;
mod request;
mod settle;
mod transactional;

use std::time::{Duration, Instant};

use sea_orm_migration::MigrationTrait;
use stairway_plan::bookkeeping::{AuditRecord, Bookkeeping, StepRecord, Who};
use stairway_plan::event::EventKind;
use stairway_plan::history::Checksum;
use stairway_plan::plan::{Direction, Step};
use stairway_plan::revision::{Revision, RevisionId};
use stairway_plan::sql::{Dialect, checksum, redact_statement};

use crate::bridge::{MigrationThread, StepError};
use crate::config::Config;
use crate::connection::{Cancel, Failure, Session, classify};
use crate::error::{Error, InDoubt, Remains, StepFailure};
use crate::lock::MigrationLock;
use crate::migrations::MigrationSet;
use crate::observer::Observers;
use crate::render::single_statements;
use crate::stop::{Stop, Urgency};

/// Everything that a run's steps share.
#[derive(Debug)]
pub(crate) struct Executor<'run> {
    pub(crate) session: &'run mut Session,
    pub(crate) lock: &'run MigrationLock,
    pub(crate) books: &'run Bookkeeping,
    pub(crate) who: &'run Who,
    pub(crate) config: &'run Config,
    pub(crate) migrations: &'run MigrationSet,
    pub(crate) observers: &'run Observers,
    pub(crate) stop: Stop,
    pub(crate) cancel: Option<Cancel>,
    pub(crate) thread: MigrationThread,
    /// Which attempt of the run this is, from 1.
    pub(crate) attempt: u32,
    /// The steps of this run that ended well, over all attempts.
    pub(crate) completed: &'run mut Vec<RevisionId>,
}

/// What a step that ended well did.
#[derive(Clone, Debug)]
pub(crate) struct StepOutcome {
    pub(crate) revision: RevisionId,
    pub(crate) transactional: bool,
    pub(crate) statements: Vec<String>,
    pub(crate) rows_affected: u64,
    pub(crate) elapsed: Duration,
}

/// How a step is made safe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Safety {
    /// One transaction with its record.
    Transactional,
    /// Statement by statement, written down; data statements between two definitions in one
    /// transaction where the revision asks for it.
    Journalled { grouped: bool },
}

/// How a migration's step is made safe in a kind of database.
///
/// SQLite's definitions are transactional, so that is the default there, unlike sea-orm's own. On
/// MySQL/MariaDB every definition commits, whatever the revision asks for.
pub(crate) fn safety_of(dialect: Dialect, migration: &dyn MigrationTrait) -> Safety {
    match (dialect, migration.use_transaction()) {
        (Dialect::MySql, wish) => Safety::Journalled {
            grouped: wish == Some(true),
        },
        (Dialect::Postgres | Dialect::Sqlite, Some(false)) => Safety::Journalled { grouped: false },
        (Dialect::Postgres | Dialect::Sqlite, _) => Safety::Transactional,
    }
}

/// One step as its parts see it: what it is, and what it has sent so far.
#[derive(Debug)]
pub(super) struct Progress<'step> {
    pub(super) revision: &'step Revision,
    pub(super) direction: Direction,
    pub(super) started: Instant,
    /// What it sent, secrets masked, for the ledger.
    pub(super) statements: Vec<String>,
    /// What it sent, exactly, for the checksum.
    pub(super) exact: Vec<String>,
    /// It asked the database something, so what it sends may differ elsewhere.
    pub(super) has_read: bool,
    pub(super) rows_affected: u64,
    /// The last statement that failed. A migration may survive that, so it is only consulted when
    /// the migration itself fails.
    pub(super) last_failure: Option<FailedStatement>,
    /// Nothing more is sent: the run was told to stop at once, or the step must begin again.
    pub(super) refused: Option<String>,
    /// Transactions and savepoints that the migration has open.
    pub(super) depth: usize,
}

/// A statement that failed.
#[derive(Clone, Debug)]
pub(super) struct FailedStatement {
    pub(super) index: u64,
    pub(super) statement: String,
    pub(super) failure: Failure,
    pub(super) message: String,
}

/// How a step ended other than well.
#[derive(Debug)]
pub(super) enum StepEnd {
    /// It failed.
    Failed(FailedStep),
    /// What an earlier attempt left can't be settled.
    InDoubt(InDoubt),
    /// The lock is not ours any more.
    LockLost,
}

/// Why a step failed, before it is known what is left of it.
#[derive(Clone, Debug)]
pub(super) struct FailedStep {
    pub(super) statement: Option<(u64, String)>,
    pub(super) failure: Failure,
    pub(super) message: String,
    pub(super) remains: Remains,
}

impl Executor<'_> {
    /// Runs one step. `position` counts from 1. Returns nothing if another run has done it.
    pub(crate) async fn run_step(
        &mut self,
        step: &Step,
        position: u64,
        total: u64,
        in_outer_transaction: bool,
    ) -> Result<Option<StepOutcome>, Error> {
        let migrations = self.migrations;
        let known = migrations
            .graph()
            .get(step.revision.as_str())
            .zip(migrations.migration(&step.revision));
        let Some((revision, migration)) = known else {
            return Err(Error::Unsupported(format!(
                "{} is not among this build's revisions, so it can't be run",
                step.revision
            )));
        };
        let safety = safety_of(self.session.dialect(), &*migration);
        let transactional = safety == Safety::Transactional;
        self.observers.emit(EventKind::StepStarted {
            revision: revision.id.clone(),
            message: revision.message.clone(),
            direction: step.direction,
            position,
            total,
            transactional,
        });
        let mut progress = Progress::new(revision, step.direction);
        let result = match safety {
            Safety::Transactional => {
                self.run_transactional(migration, &mut progress, in_outer_transaction)
                    .await
            }
            Safety::Journalled { grouped } => self
                .run_journalled(migration, &mut progress, grouped)
                .await
                .map(|()| true),
        };
        let elapsed = progress.started.elapsed();
        match result {
            Ok(false) => Ok(None),
            Ok(true) => {
                self.observers.emit(EventKind::StepFinished {
                    revision: revision.id.clone(),
                    direction: step.direction,
                    elapsed_ms: crate::milliseconds(elapsed),
                    statements: progress.statements.len() as u64,
                    rows_affected: progress.rows_affected,
                });
                self.completed.push(revision.id.clone());
                Ok(Some(StepOutcome {
                    revision: revision.id.clone(),
                    transactional,
                    statements: progress.statements,
                    rows_affected: progress.rows_affected,
                    elapsed,
                }))
            }
            Err(end) => Err(self
                .report_failure(&progress, end, elapsed, in_outer_transaction)
                .await),
        }
    }

    /// Tells observers and the audit trail of a failed step, and makes the error of it.
    async fn report_failure(
        &mut self,
        progress: &Progress<'_>,
        end: StepEnd,
        elapsed: Duration,
        in_outer_transaction: bool,
    ) -> Error {
        let (error, outcome) = match end {
            StepEnd::LockLost => {
                return Error::LockLost {
                    applied: self.completed.len() as u64,
                };
            }
            StepEnd::InDoubt(doubt) => (Error::InDoubt(Box::new(doubt)), "interrupted"),
            StepEnd::Failed(failed) => {
                let failure = StepFailure {
                    revision: progress.revision.id.clone(),
                    direction: progress.direction,
                    statement_index: failed.statement.as_ref().map_or(0, |(index, _)| *index),
                    statement: failed.statement.map(|(_, statement)| statement),
                    failure: failed.failure,
                    message: failed.message,
                    location: self.config.location(),
                    remains: failed.remains,
                    completed: self.completed.clone(),
                };
                (Error::Step(Box::new(failure)), "failed")
            }
        };
        let text = self.config.redact(&error.to_string());
        self.observers.emit(EventKind::StepFailed {
            revision: progress.revision.id.clone(),
            direction: progress.direction,
            elapsed_ms: crate::milliseconds(elapsed),
            error: text.clone(),
            rolled_back: matches!(&error, Error::Step(step) if step.remains == Remains::Nothing),
        });
        if in_outer_transaction {
            // The trail is outside of what is rolled back.
            drop(self.session.run("ROLLBACK").await);
        }
        let detail = self.attempt_in_words();
        let entry = AuditRecord {
            revision: &progress.revision.id,
            action: progress.direction.as_str(),
            outcome,
            duration_ms: crate::milliseconds(elapsed),
            rows_affected: None,
            error: Some(&text),
            detail: detail.as_deref(),
        };
        if let Err(error) = self
            .session
            .run(self.books.append_audit(self.who, &entry))
            .await
        {
            tracing::warn!(%error, revision = %progress.revision.id, "the failure could not be written into the audit trail");
        }
        error
    }

    /// The statements that record a step which ended well.
    pub(super) fn record(&self, progress: &Progress<'_>) -> String {
        let duration_ms = crate::milliseconds(progress.started.elapsed());
        let detail = self.attempt_in_words();
        let change = match progress.direction {
            Direction::Upgrade => {
                let checksum = progress.checksum(self.session.dialect());
                self.books.add_applied(
                    self.who,
                    &StepRecord {
                        revision: progress.revision,
                        checksum: &checksum,
                        statements: &progress.statements,
                        duration_ms,
                    },
                )
            }
            Direction::Downgrade => self.books.remove_applied(&progress.revision.id),
        };
        let audit = self.books.append_audit(
            self.who,
            &AuditRecord {
                revision: &progress.revision.id,
                action: progress.direction.as_str(),
                outcome: "succeeded",
                duration_ms,
                rows_affected: Some(progress.rows_affected),
                error: None,
                detail: detail.as_deref(),
            },
        );
        format!("{change}; {audit}")
    }

    fn attempt_in_words(&self) -> Option<String> {
        (self.attempt > 1).then(|| format!("attempt {}", self.attempt))
    }

    /// An error of a statement of Stairway's own within a step.
    pub(super) fn own_failure(&self, error: &sqlx::Error, remains: Remains) -> StepEnd {
        let failure = classify(self.session.dialect(), error);
        StepEnd::Failed(FailedStep {
            statement: None,
            failure,
            message: self.config.redact(&error.to_string()),
            remains: if failure == Failure::ConnectionLost {
                Remains::Unknown
            } else {
                remains
            },
        })
    }

    /// Whether the run was told to stop at once.
    pub(super) fn is_cancelled(&self) -> bool {
        self.stop.urgency() == Urgency::Now
    }
}

impl<'step> Progress<'step> {
    fn new(revision: &'step Revision, direction: Direction) -> Self {
        Self {
            revision,
            direction,
            started: Instant::now(),
            statements: Vec::new(),
            exact: Vec::new(),
            has_read: false,
            rows_affected: 0,
            last_failure: None,
            refused: None,
            depth: 0,
        }
    }

    /// Forgets what was sent, because the step begins again.
    pub(super) fn restart(&mut self) {
        *self = Self {
            started: self.started,
            ..Self::new(self.revision, self.direction)
        };
    }

    /// Notes a statement that changes something.
    pub(super) fn note(&mut self, text: &str, dialect: Dialect) {
        self.statements.push(redact_statement(text, dialect));
        self.exact.extend(single_statements(text, dialect));
    }

    /// The checksum of what the step sent.
    fn checksum(&self, dialect: Dialect) -> Checksum {
        if self.has_read {
            return Checksum::NotComparable {
                reason: "it reads the database".to_owned(),
            };
        }
        checksum(self.exact.iter().map(String::as_str), dialect)
    }

    /// Why a migration that ended badly did so.
    pub(super) fn failure_of(
        &self,
        error: &StepError,
        redact: impl Fn(&str) -> String,
    ) -> FailedStep {
        let remains = Remains::Nothing;
        match (error, &self.last_failure) {
            (_, Some(failed)) => FailedStep {
                statement: Some((failed.index, failed.statement.clone())),
                failure: failed.failure,
                message: failed.message.clone(),
                remains,
            },
            (StepError::Returned(error), None) => FailedStep {
                statement: None,
                failure: Failure::Statement,
                message: redact(&error.to_string()),
                remains,
            },
            (StepError::Panicked(message), None) => FailedStep {
                statement: None,
                failure: Failure::Statement,
                message: format!("the migration panicked: {}", redact(message)),
                remains,
            },
        }
    }

    /// Checks that the data statements changed as many rows as the revision says they do.
    pub(super) fn check_expected_rows(&self) -> Result<(), FailedStep> {
        let Some(expected) = self.revision.expected_rows else {
            return Ok(());
        };
        let enough = self.rows_affected >= expected.at_least;
        let not_too_many = expected
            .at_most
            .is_none_or(|most| self.rows_affected <= most);
        if self.direction == Direction::Downgrade || (enough && not_too_many) {
            return Ok(());
        }
        let most = expected
            .at_most
            .map_or_else(|| "any number".to_owned(), |most| most.to_string());
        Err(FailedStep {
            statement: None,
            failure: Failure::Statement,
            message: format!(
                "its statements changed {} row(s), but it says `expect-rows: {}..{most}`; row level security or a \
                 wrong condition can hide rows without an error",
                self.rows_affected, expected.at_least
            ),
            remains: Remains::Nothing,
        })
    }
}
