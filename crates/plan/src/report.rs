//! Serialisable views: each is the JSON form and what the text form is made from.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::history::InterruptedStep;
use crate::position::DatabaseState;
use crate::revision::RevisionId;

/// Where a database stands. The JSON of `status` and of `/health/migrations`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StatusReport {
    /// The version of this form.
    pub schema_version: u32,
    /// The name of the database among those configured.
    pub database: String,
    /// `postgres`, `mysql` or `sqlite`.
    pub dialect: String,
    /// Where the database is, without credentials.
    pub location: String,
    /// The state's name.
    pub state: DatabaseState,
    /// The latest applied head, or nothing.
    pub current_revision: Option<RevisionId>,
    /// The head to reach, or nothing for an empty graph.
    pub head_revision: Option<RevisionId>,
    /// All applied heads.
    pub current_revisions: Vec<RevisionId>,
    /// All heads of the graph.
    pub head_revisions: Vec<RevisionId>,
    /// Nothing is pending, interrupted or edited, and nothing is unknown.
    pub is_up_to_date: bool,
    /// What would be applied, in order.
    pub pending_migrations: Vec<RevisionId>,
    /// How many those are.
    pub pending_count: usize,
    /// How many known revisions are applied.
    pub applied_count: usize,
    /// Applied revisions that this build does not know.
    pub unknown_revisions: Vec<RevisionId>,
    /// Pending revisions that stand below applied ones.
    pub out_of_order_revisions: Vec<RevisionId>,
    /// Applied revisions whose SQL has changed since.
    pub edited_revisions: Vec<RevisionId>,
    /// Applied revisions whose SQL can't be compared.
    pub not_comparable_revisions: Vec<RevisionId>,
    /// Steps that began and did not finish.
    pub interrupted: Vec<InterruptedStep>,
    /// When this was read, by this machine's clock.
    pub timestamp: DateTime<Utc>,
}

/// An entry of the audit trail. The JSON of `log`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditEntry {
    /// Position in the trail; larger is later.
    pub id: i64,
    /// The run that it belongs to.
    pub run_id: String,
    /// The revision that it is about.
    pub revision: RevisionId,
    /// `upgrade`, `downgrade`, `stamp`, `unstamp`, `repair` or `unlock`.
    pub action: String,
    /// `succeeded`, `failed` or `interrupted`.
    pub outcome: String,
    /// By the database's clock.
    pub started_at: Option<DateTime<Utc>>,
    /// How long it took.
    pub duration_ms: i64,
    /// Who did it.
    pub actor: String,
    /// From which machine.
    pub host: String,
    /// The version of the application, where it was set.
    pub application_version: Option<String>,
    /// Rows that its data statements changed, where known.
    pub rows_affected: Option<i64>,
    /// What went wrong, without credentials.
    pub error: Option<String>,
    /// Which attempt of the run it was, or what a repair did, in words.
    pub detail: Option<String>,
}

/// One revision as `history`, `heads`, `show` and `current` present it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevisionReport {
    /// The migration name.
    pub revision: RevisionId,
    /// One line for people.
    pub message: String,
    /// The revisions that it follows.
    pub parents: Vec<RevisionId>,
    /// Revisions that must be applied first without being parents.
    pub depends_on: Vec<RevisionId>,
    /// The labels that it declares.
    pub branch_labels: Vec<String>,
    /// No revision follows it.
    pub is_head: bool,
    /// It is one of the applied heads; absent when no database was asked.
    pub is_current: Option<bool>,
    /// When it was applied; absent when it is pending or no database was asked.
    pub applied_at: Option<DateTime<Utc>>,
    /// Whether it is applied; absent when no database was asked.
    pub is_applied: Option<bool>,
    /// Where its source lies, when the build script found it.
    pub source_path: Option<String>,
}
