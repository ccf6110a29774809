//! The closed set of things that happen during a run. Executors emit them; terminals, logs, metrics
//! and tests consume them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::plan::{Direction, Notice};
use crate::position::DatabaseState;
use crate::revision::RevisionId;

/// Something that happened, and when by this machine's clock.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// When it happened.
    pub timestamp: DateTime<Utc>,
    /// The name of the database among those configured; `default` for a single one.
    pub database: String,
    /// What happened.
    #[serde(flatten)]
    pub kind: EventKind,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum EventKind {
    /// The database did not answer and is being waited for.
    WaitingForDatabase {
        attempt: u32,
        error: String,
        retry_in_ms: u64,
        time_left_ms: u64,
    },
    /// The database answered.
    DatabaseReachable {
        dialect: String,
        server_version: String,
        elapsed_ms: u64,
    },
    /// A stage of the start-up pipeline began.
    StageStarted { stage: Stage },
    /// A run began. `target` is what the user asked for.
    RunStarted {
        run_id: String,
        direction: Direction,
        target: String,
        steps: u64,
    },
    /// Something a person should know that stops nothing.
    Notice { notice: Notice },
    /// Something a person should know that stops nothing, in words.
    Warning { message: String },
    /// Someone else holds the lock.
    WaitingForLock {
        holder: Option<LockHolder>,
        waited_ms: u64,
        time_left_ms: u64,
    },
    /// The lock is held by this run.
    LockAcquired { waited_ms: u64 },
    /// The lock was given back.
    LockReleased,
    /// A backup is being written.
    BackupStarted { destination: String },
    /// A backup was written and could be read.
    BackupFinished {
        destination: String,
        bytes: u64,
        elapsed_ms: u64,
    },
    /// A step began. `position` counts from 1.
    StepStarted {
        revision: RevisionId,
        message: String,
        direction: Direction,
        position: u64,
        total: u64,
        transactional: bool,
    },
    /// A statement of a step began. `index` counts from 1 within the step.
    StatementStarted {
        revision: RevisionId,
        index: u64,
        sql: String,
    },
    /// A statement of a step ended well.
    StatementFinished {
        revision: RevisionId,
        index: u64,
        rows_affected: u64,
        elapsed_ms: u64,
    },
    /// A statement that an earlier, interrupted attempt had finished was passed over.
    StatementSkipped {
        revision: RevisionId,
        index: u64,
        sql: String,
    },
    /// A step ended well and is recorded.
    StepFinished {
        revision: RevisionId,
        direction: Direction,
        elapsed_ms: u64,
        statements: u64,
        rows_affected: u64,
    },
    /// A step failed. `rolled_back` says that nothing of it is left.
    StepFailed {
        revision: RevisionId,
        direction: Direction,
        elapsed_ms: u64,
        error: String,
        rolled_back: bool,
    },
    /// A failed attempt is tried again after a pause.
    Retrying {
        attempt: u32,
        max_attempts: u32,
        error: String,
        retry_in_ms: u64,
    },
    /// The state was read again after the run.
    Verified {
        state: DatabaseState,
        current: Vec<RevisionId>,
    },
    /// The run ended well.
    RunFinished {
        run_id: String,
        steps: u64,
        elapsed_ms: u64,
    },
    /// The run failed after `steps_done` steps.
    RunFailed {
        run_id: String,
        steps_done: u64,
        elapsed_ms: u64,
        error: String,
    },
    /// A signal asked the run to stop; it stops after the running step.
    StopRequested,
}

/// A stage of the start-up pipeline.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stage {
    /// Waiting until the database answers.
    Connect,
    /// Reading where the database stands.
    Inspect,
    /// Writing a backup.
    Backup,
    /// Applying revisions.
    Migrate,
    /// Reading the state again.
    Verify,
    /// All done.
    Ready,
}

/// Who holds the migration lock, as far as the database or the lock file tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LockHolder {
    /// Process id of the holder, or of its server session where only that is known.
    pub pid: Option<i64>,
    /// The holder's machine or address.
    pub host: Option<String>,
    /// The holder's application name.
    pub application: Option<String>,
    /// Since when it has held the lock, or its session has been connected.
    pub since: Option<DateTime<Utc>>,
    /// What its session is doing at the moment.
    pub activity: Option<String>,
}
