//! Runs the steps of a plan, one after another, on one pinned session. The only caller of `up` and
//! `down`.
//!
//! A step is *transactional* where the database and the revision allow it: then the step, its record
//! and its audit entry are one transaction. Otherwise it is *journalled*: each of its statements is
//! written down around being run, so that a rerun after a crash goes on where it stopped.

mod engine;
mod journal;
mod journalled;
mod kept;
mod pieces;
mod request;
mod session_state;
mod settle;
mod transactional;
mod write;

use std::sync::Arc;
use std::time::{Duration, Instant};

use sea_orm::DbErr;
use sea_orm_migration::{MigrationName, MigrationTrait, SchemaManager};
use stairway_plan::bookkeeping::{AuditRecord, Bookkeeping, StepRecord, Who};
use stairway_plan::event::EventKind;
use stairway_plan::history::{Checksum, InterruptedStep};
use stairway_plan::plan::{Direction, Step};
use stairway_plan::revision::{Revision, RevisionId};
use stairway_plan::sql::{Dialect, StatementDigest, split};

use crate::bridge::{MigrationThread, StepError};
use crate::config::Config;
use crate::connection::{Baseline, Cancel, Failure, Session, classify_in_session, said};
use crate::error::{Error, InDoubt, Remains, StepFailure};
use crate::lock::{self, Footing, MigrationLock};
use crate::migrations::MigrationSet;
use crate::observer::Observers;
use crate::stop::{Stop, Urgency};

use engine::Engines;
use session_state::SessionState;
use transactional::{BegunAhead, Upcoming};

/// Why a revision was recorded that has not been run.
const ONLY_RECORDED: &str = "recorded without being run: all that it replaces is applied";

/// What is run where a revision is only recorded.
struct Nothing;

impl MigrationName for Nothing {
    fn name(&self) -> &'static str {
        "nothing"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Nothing {
    async fn up(&self, _: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

/// Everything that a run's steps share.
#[derive(Debug)]
pub(crate) struct Executor<'run> {
    pub(crate) session: &'run mut Session,
    pub(crate) lock: &'run MigrationLock,
    /// How the lock is asked for, where each step takes it for itself.
    pub(crate) request: lock::Request<'run>,
    /// The tables, named with their schema: a migration may change where the session looks.
    pub(crate) books: &'run Bookkeeping,
    pub(crate) who: &'run Who,
    pub(crate) config: &'run Config,
    pub(crate) migrations: &'run MigrationSet,
    pub(crate) observers: &'run Observers,
    pub(crate) stop: Stop,
    pub(crate) cancel: Option<Cancel>,
    pub(crate) thread: MigrationThread,
    /// What the session is put back to before each step.
    pub(crate) baseline: &'run Baseline,
    /// Steps that an earlier run began, statement by statement.
    pub(crate) interrupted: &'run [InterruptedStep],
    /// Which attempt of the run this is, from 1.
    pub(crate) attempt: u32,
    /// What the attempts of this run have achieved together.
    pub(crate) achieved: &'run mut Achieved,
    /// PostgreSQL: the books, once the session has prepared what every step sends.
    prepared: Option<Bookkeeping>,
    /// The next step's transaction, where it is open already.
    begun_ahead: Option<BegunAhead>,
    /// How many transactions had ended in the session when the step's was open.
    ended_before: Option<u64>,
    engines: Engines,
    state: SessionState,
}

/// What the attempts of one run have achieved together.
#[derive(Debug, Default)]
pub(crate) struct Achieved {
    /// The steps that ended well.
    pub(crate) completed: Vec<RevisionId>,
    /// What they did.
    pub(crate) outcomes: Vec<StepOutcome>,
    /// Steps whose commit was sent and not answered.
    pub(crate) uncertain: Vec<StepOutcome>,
    /// Failures that could not be written into the audit trail, because the connection was lost.
    pub(crate) unwritten: Vec<UnwrittenFailure>,
}

/// A failure that is still to be written into the audit trail.
#[derive(Clone, Debug)]
pub(crate) struct UnwrittenFailure {
    pub(crate) revision: RevisionId,
    direction: Direction,
    outcome: &'static str,
    duration_ms: u64,
    error: String,
    detail: Option<String>,
}

impl UnwrittenFailure {
    /// The statement that writes it.
    pub(crate) fn sql(&self, books: &Bookkeeping, who: &Who) -> String {
        books.append_audit(
            who,
            &AuditRecord {
                revision: &self.revision,
                action: self.direction.as_str(),
                outcome: self.outcome,
                duration_ms: self.duration_ms,
                rows_affected: None,
                error: Some(&self.error),
                detail: self.detail.as_deref(),
            },
        )
    }
}

/// What an executor is made of.
#[derive(Debug)]
pub(crate) struct Parts<'run> {
    pub(crate) session: &'run mut Session,
    pub(crate) lock: &'run MigrationLock,
    pub(crate) request: lock::Request<'run>,
    pub(crate) books: &'run Bookkeeping,
    pub(crate) who: &'run Who,
    pub(crate) migrations: &'run MigrationSet,
    pub(crate) cancel: Option<Cancel>,
    pub(crate) thread: MigrationThread,
    pub(crate) baseline: &'run Baseline,
    pub(crate) interrupted: &'run [InterruptedStep],
    pub(crate) attempt: u32,
    pub(crate) achieved: &'run mut Achieved,
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
/// MySQL/MariaDB every definition commits, whatever the revision asks for; there, what changes rows
/// between two definitions is one transaction unless the revision opts out.
pub(crate) fn safety_of(dialect: Dialect, migration: &dyn MigrationTrait) -> Safety {
    match (dialect, migration.use_transaction()) {
        (Dialect::MySql, wish) => Safety::Journalled {
            grouped: wish != Some(false),
        },
        (Dialect::Postgres | Dialect::Sqlite, Some(false)) => Safety::Journalled { grouped: false },
        (Dialect::Postgres | Dialect::Sqlite, _) => Safety::Transactional,
    }
}

/// One step as its parts see it: what it is, and what it has sent so far.
#[derive(Debug)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a thing that has happened or has not"
)]
pub(super) struct Progress<'step> {
    pub(super) revision: &'step Revision,
    pub(super) direction: Direction,
    pub(super) position: u64,
    pub(super) total: u64,
    pub(super) started: Instant,
    /// What it sent, secrets masked, for the ledger.
    pub(super) statements: Vec<String>,
    /// The checksum of what it has sent so far.
    digest: StatementDigest,
    /// It asked the database something, so what it sends may differ elsewhere.
    pub(super) has_read: bool,
    pub(super) rows_affected: u64,
    /// The last statement that failed. A migration may survive that, so it is only consulted when
    /// the migration itself fails.
    pub(super) last_failure: Option<FailedStatement>,
    /// PostgreSQL has given up the open transaction because of this statement: it can only be rolled
    /// back, and its commit would do so without an error.
    pub(super) aborted: Option<FailedStatement>,
    /// Nothing more is sent, for this reason.
    pub(super) refused: Option<Refusal>,
    /// Transactions and savepoints that the migration has open.
    pub(super) depth: usize,
    /// It may have given back locks of the session.
    pub(super) touches_locks: bool,
    /// The commit was sent.
    pub(super) commit_sent: bool,
    /// Observers know that it began.
    pub(super) announced: bool,
    /// All that it replaces is applied: nothing is run.
    pub(super) only_recorded: bool,
    /// The step that follows, if its transaction is opened in the message that commits this one.
    pub(super) next: Option<Upcoming<'step>>,
}

/// Why nothing more of a step is sent.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    pub(super) failure: Failure,
    pub(super) reason: String,
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
    /// It never began, for a reason that is not its own.
    NotBegun(Error),
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

impl<'run> Executor<'run> {
    pub(crate) fn new(parts: Parts<'run>) -> Self {
        Self {
            session: parts.session,
            lock: parts.lock,
            request: parts.request,
            books: parts.books,
            who: parts.who,
            config: parts.request.config,
            migrations: parts.migrations,
            observers: parts.request.observers,
            stop: parts.request.stop.clone(),
            cancel: parts.cancel,
            thread: parts.thread,
            baseline: parts.baseline,
            interrupted: parts.interrupted,
            attempt: parts.attempt,
            achieved: parts.achieved,
            prepared: None,
            begun_ahead: None,
            ended_before: None,
            engines: Engines::default(),
            state: SessionState::default(),
        }
    }
}

impl Executor<'_> {
    /// Runs one step of a plan, the one at `index`. Returns nothing if another run has done it. May leave
    /// the next step's transaction open: see [`Self::leave_begun`].
    pub(crate) async fn run_step(
        &mut self,
        steps: &[Step],
        index: usize,
        in_outer_transaction: bool,
    ) -> Result<Option<StepOutcome>, Error> {
        let step = &steps[index];
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
        let migration: Arc<dyn MigrationTrait> = if step.only_recorded {
            Arc::new(Nothing)
        } else {
            migration
        };
        let dialect = self.session.dialect();
        let mut progress = Progress::new(
            revision,
            step.direction,
            index as u64 + 1,
            steps.len() as u64,
        );
        progress.only_recorded = step.only_recorded;
        if !in_outer_transaction {
            progress.next = steps.get(index + 1).and_then(|next| self.upcoming(next));
        }
        let safety = match safety_of(dialect, &*migration) {
            // Its statements were run one by one so far, whatever its code says now.
            Safety::Transactional if self.is_interrupted(&revision.id, step.direction) => {
                Safety::Journalled { grouped: false }
            }
            safety => safety,
        };
        let transactional = safety == Safety::Transactional;
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
                self.achieved.completed.push(revision.id.clone());
                Ok(Some(progress.outcome(transactional)))
            }
            Err(end) => {
                if progress.commit_sent
                    && matches!(&end, StepEnd::Failed(failed) if failed.remains == Remains::Unknown)
                {
                    self.achieved.uncertain = vec![progress.outcome(transactional)];
                }
                Err(self
                    .report_failure(&progress, end, elapsed, transactional, in_outer_transaction)
                    .await)
            }
        }
    }

    /// Whether an earlier run has left something of the step in the journal.
    pub(super) fn is_interrupted(&self, revision: &RevisionId, direction: Direction) -> bool {
        self.interrupted.iter().any(|interrupted| {
            interrupted.revision == *revision && interrupted.direction == direction
        })
    }

    /// Whether a run has written into the audit trail about a revision, with this outcome or with any.
    pub(super) async fn is_in_trail(
        &mut self,
        run: &str,
        revision: &RevisionId,
        outcome: Option<&str>,
    ) -> Result<bool, sqlx::Error> {
        let question = self.books.count_audit(run, revision, outcome);
        Ok(self.session.value(question).await?.as_deref() != Some("0"))
    }

    /// Says that a step begins, once it is certain that it is this run's to do.
    pub(super) fn step_started(&self, progress: &Progress<'_>, transactional: bool) {
        self.observers.emit(EventKind::StepStarted {
            revision: progress.revision.id.clone(),
            message: progress.revision.message.clone(),
            direction: progress.direction,
            position: progress.position,
            total: progress.total,
            transactional,
        });
    }

    /// Tells observers and the audit trail of a failed step, and makes the error of it.
    async fn report_failure(
        &mut self,
        progress: &Progress<'_>,
        end: StepEnd,
        elapsed: Duration,
        transactional: bool,
        in_outer_transaction: bool,
    ) -> Error {
        let (error, outcome) = match end {
            StepEnd::LockLost => {
                return Error::LockLost {
                    applied: self.achieved.completed.len() as u64,
                };
            }
            StepEnd::NotBegun(error) => return error,
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
                    completed: self.achieved.completed.clone(),
                };
                (Error::Step(Box::new(failure)), "failed")
            }
        };
        let text = self.config.redact(&error.to_string());
        if !progress.announced {
            self.step_started(progress, transactional);
        }
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
        let entry = UnwrittenFailure {
            revision: progress.revision.id.clone(),
            direction: progress.direction,
            outcome,
            duration_ms: crate::milliseconds(elapsed),
            error: text,
            detail: self.attempt_in_words(),
        };
        let sql = format!("{}{}", self.own_role(), entry.sql(self.books, self.who));
        if let Err(error) = self.session.run(sql).await {
            tracing::debug!(%error, revision = %progress.revision.id, "the failure is not in the audit trail yet");
            self.achieved.unwritten.push(entry);
        }
        error
    }

    /// Makes the session act as the user that it connected as, whoever a migration made it act as:
    /// before anything of our own is written.
    pub(super) fn own_role(&self) -> String {
        // Behind a pooler each transaction may be on a session that others have used.
        let is_own = self.request.footing == Footing::Direct && self.state.is_untouched();
        if self.baseline.role.is_empty() || is_own {
            String::new()
        } else {
            format!("{}; ", self.baseline.role)
        }
    }

    /// The statements that record a step which ended well, in these books.
    pub(super) fn record(&self, books: &Bookkeeping, progress: &Progress<'_>) -> String {
        let duration_ms = crate::milliseconds(progress.started.elapsed());
        let detail = if progress.only_recorded {
            Some(ONLY_RECORDED.to_owned())
        } else {
            self.attempt_in_words()
        };
        let audit = AuditRecord {
            revision: &progress.revision.id,
            action: if progress.only_recorded {
                "stamp"
            } else {
                progress.direction.as_str()
            },
            outcome: "succeeded",
            duration_ms,
            rows_affected: Some(progress.rows_affected),
            error: None,
            detail: detail.as_deref(),
        };
        match progress.direction {
            Direction::Upgrade => {
                let step = StepRecord {
                    revision: progress.revision,
                    checksum: &progress.checksum(),
                    statements: &progress.statements,
                    duration_ms,
                    stands_for: &self.migrations.graph().stands_for(progress.revision),
                };
                books.record_applied(self.who, &step, &audit)
            }
            Direction::Downgrade => format!(
                "{}; {}",
                books.remove_applied(&progress.revision.id, &progress.revision.replaces),
                books.append_audit(self.who, &audit)
            ),
        }
    }

    fn attempt_in_words(&self) -> Option<String> {
        (self.attempt > 1).then(|| format!("attempt {}", self.attempt))
    }

    /// An error of a statement of Stairway's own within a step.
    pub(super) fn own_failure(&self, error: &sqlx::Error, remains: Remains) -> StepEnd {
        StepEnd::Failed(FailedStep {
            statement: None,
            failure: classify_in_session(self.session.dialect(), error),
            message: self.config.redact(&said(error)),
            remains,
        })
    }

    /// Whether the run was told to stop at once.
    pub(super) fn is_cancelled(&self) -> bool {
        self.stop.urgency() == Urgency::Now
    }
}

impl<'step> Progress<'step> {
    fn new(revision: &'step Revision, direction: Direction, position: u64, total: u64) -> Self {
        Self {
            revision,
            direction,
            position,
            total,
            started: Instant::now(),
            statements: Vec::new(),
            digest: StatementDigest::default(),
            has_read: false,
            rows_affected: 0,
            last_failure: None,
            aborted: None,
            refused: None,
            depth: 0,
            touches_locks: false,
            commit_sent: false,
            announced: false,
            only_recorded: false,
            next: None,
        }
    }

    /// Forgets what was sent, because the step begins again.
    pub(super) fn restart(&mut self) {
        *self = Self {
            started: self.started,
            announced: self.announced,
            only_recorded: self.only_recorded,
            next: self.next,
            ..Self::new(self.revision, self.direction, self.position, self.total)
        };
    }

    fn outcome(&self, transactional: bool) -> StepOutcome {
        StepOutcome {
            revision: self.revision.id.clone(),
            transactional,
            statements: self.statements.clone(),
            rows_affected: self.rows_affected,
            elapsed: self.started.elapsed(),
        }
    }

    /// Notes a statement that changes something, and how it is shown: without its secrets.
    pub(super) fn note(&mut self, shown: String, text: &str, dialect: Dialect) {
        self.statements.push(shown);
        for piece in split(text, dialect) {
            self.digest.add(piece.text, dialect);
        }
    }

    /// The checksum of what the step sent.
    fn checksum(&self) -> Checksum {
        if self.only_recorded {
            return Checksum::NotComparable {
                reason: ONLY_RECORDED.to_owned(),
            };
        }
        if self.has_read {
            return Checksum::NotComparable {
                reason: "it reads the database".to_owned(),
            };
        }
        self.digest.checksum()
    }

    /// Lets nothing more of the step be sent.
    pub(super) fn refuse(&mut self, failure: Failure, reason: impl Into<String>) {
        self.refused.get_or_insert(Refusal {
            failure,
            reason: reason.into(),
        });
    }

    /// Why the migration failed, if it did: it returned an error, it panicked, it went on after what
    /// it could not go on after, or it left a transaction open.
    pub(super) fn failure(
        &self,
        outcome: Result<(), StepError>,
        redact: impl Fn(&str) -> String,
    ) -> Option<FailedStep> {
        let failed = |failure: Failure, message: String| FailedStep {
            statement: None,
            failure,
            message,
            remains: Remains::Nothing,
        };
        let of_statement = |statement: &FailedStatement, message: String| FailedStep {
            statement: Some((statement.index, statement.statement.clone())),
            failure: statement.failure,
            message,
            remains: Remains::Nothing,
        };
        match (&self.refused, &self.last_failure, outcome) {
            (Some(refusal), Some(statement), _) => {
                let message = if refusal.reason == statement.message {
                    refusal.reason.clone()
                } else {
                    format!("{}; {}", statement.message, refusal.reason)
                };
                let mut step = of_statement(statement, message);
                step.failure = refusal.failure;
                Some(step)
            }
            (Some(refusal), None, _) => Some(failed(refusal.failure, refusal.reason.clone())),
            (None, Some(statement), Err(_)) => {
                Some(of_statement(statement, statement.message.clone()))
            }
            (None, None, Err(StepError::Returned(error))) => {
                Some(failed(Failure::Statement, redact(&error.to_string())))
            }
            (None, None, Err(StepError::Panicked(message))) => Some(failed(
                Failure::Statement,
                format!("the migration panicked: {}", redact(&message)),
            )),
            (None, _, Ok(())) => {
                if let Some(statement) = &self.aborted {
                    let message = format!(
                        "{}; the migration went on as if it had not failed, but the transaction was lost with it",
                        statement.message
                    );
                    return Some(of_statement(statement, message));
                }
                (self.depth > 0).then(|| {
                    failed(
                        Failure::Statement,
                        "the migration left a transaction open; what it did in it was rolled back"
                            .to_owned(),
                    )
                })
            }
        }
    }

    /// Checks that the data statements changed as many rows as the revision says they do.
    pub(super) fn check_expected_rows(&self) -> Result<(), FailedStep> {
        let Some(expected) = self.revision.expected_rows else {
            return Ok(());
        };
        if self.only_recorded {
            return Ok(());
        }
        let enough = self.rows_affected >= expected.at_least;
        let not_too_many = expected
            .at_most
            .is_none_or(|most| self.rows_affected <= most);
        if self.direction == Direction::Downgrade || (enough && not_too_many) {
            return Ok(());
        }
        let most = expected
            .at_most
            .map_or_else(String::new, |most| most.to_string());
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
