//! What is asked of a manager, and what it answers.

use std::path::PathBuf;

use stairway_plan::plan::Direction;
use stairway_plan::revision::RevisionId;

/// What a run did.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RunReport {
    /// The run's id, as in the audit trail.
    pub run_id: String,
    /// The database's name.
    pub database: String,
    /// Which way it went.
    pub direction: Direction,
    /// Whether it was a dry run, which changed nothing.
    pub dry_run: bool,
    /// Where the database was.
    pub from: Vec<RevisionId>,
    /// Where it is now, or would be after a dry run.
    pub to: Vec<RevisionId>,
    /// The steps, in order.
    pub steps: Vec<StepReport>,
    /// The backup that was written before.
    pub backup: Option<PathBuf>,
    /// How long it took, waiting included.
    pub elapsed_ms: u64,
    /// The state was read again afterwards and is where the plan leads.
    pub verified: bool,
}

/// One step of a run.
#[derive(Clone, Debug, serde::Serialize)]
pub struct StepReport {
    /// The revision.
    pub revision: RevisionId,
    /// Its message.
    pub message: String,
    /// Whether it runs in one transaction with its record.
    pub transactional: bool,
    /// Its SQL: as run, or as recorded without touching the database in a dry run.
    pub sql: Vec<String>,
    /// Why the SQL is not all, in a dry run of a revision that reads the database.
    pub incomplete: Option<String>,
    /// How long it took; 0 in a dry run.
    pub elapsed_ms: u64,
    /// Rows that its data statements changed.
    pub rows_affected: u64,
}

/// How a run differs from the configuration.
#[derive(Clone, Copy, Debug, Default)]
pub struct RunOptions {
    /// Work out the steps and their SQL; change nothing.
    pub dry_run: bool,
    /// Write a backup first, whatever the configuration says.
    pub backup: bool,
    /// Take at most this many steps of the plan.
    pub steps: Option<usize>,
}

/// What `repair` does with an interrupted revision.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RepairAction {
    /// The statement in doubt was not done: the next run starts with it.
    Resume,
    /// All of the revision is there: record it as applied (or, for a downgrade, as reverted).
    MarkApplied,
    /// Nothing of the revision is there: forget that it began.
    MarkReverted,
}

/// What `stamp` did.
#[derive(Clone, Debug, serde::Serialize)]
pub struct StampReport {
    pub added: Vec<RevisionId>,
    pub removed: Vec<RevisionId>,
    pub dry_run: bool,
}

/// What `repair` did.
#[derive(Clone, Debug, serde::Serialize)]
pub struct RepairReport {
    pub revision: RevisionId,
    pub action: String,
    pub description: String,
}

/// What a new revision file is to be.
#[derive(Clone, Debug, Default)]
pub struct NewRevision {
    /// One line that says what it does.
    pub message: String,
    /// Its parents as targets; the only head when empty.
    pub heads: Vec<String>,
    /// Let a parent be a revision that is not a head.
    pub splice: bool,
    /// A label for the branch that it starts.
    pub branch_label: Option<String>,
    /// Revisions that must be applied first.
    pub depends_on: Vec<String>,
    /// Rust source of `up`'s and `down`'s bodies; empty bodies with a comment when absent.
    pub up_and_down: Option<(String, String)>,
    /// Rust source of everything after the module comment, in place of `up_and_down`.
    pub source: Option<String>,
    /// The directory; the configured one when absent.
    pub directory: Option<PathBuf>,
}

/// A revision file that was written.
#[derive(Clone, Debug, serde::Serialize)]
pub struct CreatedRevision {
    /// The new revision's id.
    pub revision: RevisionId,
    /// Its parents.
    pub parents: Vec<RevisionId>,
    /// The file.
    pub path: PathBuf,
    /// What a person should know: a vague message, a list that was edited.
    pub warnings: Vec<String>,
}
