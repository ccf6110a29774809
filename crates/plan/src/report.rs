//! Serialisable views: each is the JSON form and what the text form is made from.

#[cfg(test)]
mod tests;

use std::collections::{HashMap, HashSet};

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::graph::RevisionGraph;
use crate::history::{AppliedRevision, History, InterruptedStep};
use crate::position::{DatabaseState, Position};
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

impl StatusReport {
    /// The version of this form; it grows when a field changes its meaning or goes.
    pub const SCHEMA_VERSION: u32 = 1;

    /// Presents where a database stands.
    ///
    /// `database` is its name among those configured, `location` where it is without credentials,
    /// `timestamp` when it was asked. Of several applied heads the latest applied is the current
    /// revision; of several heads of the graph the last to be applied is the head revision.
    pub fn new(
        position: Position,
        database: impl Into<String>,
        dialect: impl Into<String>,
        location: impl Into<String>,
        timestamp: DateTime<Utc>,
    ) -> Self {
        Self {
            schema_version: Self::SCHEMA_VERSION,
            database: database.into(),
            dialect: dialect.into(),
            location: location.into(),
            state: position.state,
            current_revision: position.current.last().cloned(),
            head_revision: position.heads.last().cloned(),
            current_revisions: position.current,
            head_revisions: position.heads,
            is_up_to_date: position.state == DatabaseState::UpToDate,
            pending_count: position.pending.len(),
            pending_migrations: position.pending,
            applied_count: position.applied_count,
            unknown_revisions: position.unknown,
            out_of_order_revisions: position.out_of_order,
            edited_revisions: position.edited,
            not_comparable_revisions: position.not_comparable,
            interrupted: position.interrupted,
            timestamp,
        }
    }
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

impl RevisionReport {
    /// Presents these revisions, in this order; ids that the graph does not know are passed over.
    ///
    /// `history` is what the database says, if it was asked.
    pub fn list<'a>(
        graph: &RevisionGraph,
        history: Option<&History>,
        ids: impl IntoIterator<Item = &'a RevisionId>,
    ) -> Vec<Self> {
        let database = history.map(|history| Answer::new(graph, history));
        ids.into_iter()
            .filter_map(|id| Self::present(graph, database.as_ref(), id))
            .collect()
    }

    /// Presents one revision, unless the graph does not know it.
    pub fn new(graph: &RevisionGraph, history: Option<&History>, id: &RevisionId) -> Option<Self> {
        Self::list(graph, history, [id]).pop()
    }

    fn present(
        graph: &RevisionGraph,
        database: Option<&Answer<'_>>,
        id: &RevisionId,
    ) -> Option<Self> {
        let revision = graph.get(id.as_str())?;
        let applied = database.map(|database| database.applied.get(id));
        Some(Self {
            revision: revision.id.clone(),
            message: revision.message.clone(),
            parents: revision.parents.clone(),
            depends_on: revision.depends_on.clone(),
            branch_labels: revision.branch_labels.clone(),
            is_head: graph.children(id.as_str()).is_empty(),
            is_current: database.map(|database| database.current.contains(id)),
            applied_at: applied.flatten().and_then(|applied| applied.applied_at),
            is_applied: applied.map(|applied| applied.is_some()),
            source_path: revision.source_path.clone(),
        })
    }
}

/// What a database said, ready to be looked up.
struct Answer<'a> {
    applied: HashMap<&'a RevisionId, &'a AppliedRevision>,
    current: HashSet<RevisionId>,
}

impl<'a> Answer<'a> {
    fn new(graph: &RevisionGraph, history: &'a History) -> Self {
        Self {
            applied: history
                .applied
                .iter()
                .map(|applied| (&applied.id, applied))
                .collect(),
            current: graph.heads_of(history.applied_ids()).into_iter().collect(),
        }
    }
}
