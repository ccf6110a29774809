//! Where a database stands against a graph: the one place where its state is computed.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::graph::RevisionGraph;
use crate::history::{History, InterruptedStep, Standing};
use crate::revision::RevisionId;

#[cfg(test)]
mod tests;

/// Where a database stands. When several hold, the one that needs a person first is named.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DatabaseState {
    /// No revision is applied and there are some to apply.
    Empty,
    /// Every revision that this build knows is applied, and no other.
    UpToDate,
    /// Some revisions are pending.
    Behind,
    /// The database has revisions that this build does not know, and none is pending.
    Ahead,
    /// Some are pending and some unknown.
    Diverged,
    /// A step began and did not finish.
    Interrupted,
    /// A revision was changed in code after it had been applied.
    Edited,
}

impl DatabaseState {
    /// The state's name in JSON, metrics and documentation, for example `up_to_date`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::UpToDate => "up_to_date",
            Self::Behind => "behind",
            Self::Ahead => "ahead",
            Self::Diverged => "diverged",
            Self::Interrupted => "interrupted",
            Self::Edited => "edited",
        }
    }

    /// Every state, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Empty,
        Self::UpToDate,
        Self::Behind,
        Self::Ahead,
        Self::Diverged,
        Self::Interrupted,
        Self::Edited,
    ];
}

impl fmt::Display for DatabaseState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::UpToDate => "up to date",
            other => other.as_str(),
        })
    }
}

/// What came of comparing the checksums that were taken when revisions were applied with those of
/// the code.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChecksumComparison {
    /// Applied revisions whose SQL has changed since.
    pub edited: Vec<RevisionId>,
    /// Applied revisions whose SQL can't be compared.
    pub not_comparable: Vec<RevisionId>,
}

/// Where a database stands against a graph.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// The state, in one word.
    pub state: DatabaseState,
    /// The applied heads, earliest applied first.
    pub current: Vec<RevisionId>,
    /// The heads of the graph, in the order in which they would be applied.
    pub heads: Vec<RevisionId>,
    /// What is not applied, in the order in which it would be.
    pub pending: Vec<RevisionId>,
    /// Applied revisions that the graph does not know, earliest applied first.
    pub unknown: Vec<RevisionId>,
    /// Pending revisions that stand below applied ones.
    pub out_of_order: Vec<RevisionId>,
    /// Steps that began and did not finish.
    pub interrupted: Vec<InterruptedStep>,
    /// Applied revisions whose SQL has changed since.
    pub edited: Vec<RevisionId>,
    /// Applied revisions whose SQL can't be compared.
    pub not_comparable: Vec<RevisionId>,
    /// How many revisions that the graph knows are applied.
    pub applied_count: usize,
}

impl Position {
    /// Works out where a database stands.
    pub fn of(graph: &RevisionGraph, history: &History, comparison: &ChecksumComparison) -> Self {
        let standing = Standing::new(graph, history);
        let applied = standing.known();
        let tips = graph.select(&graph.heads_of(history.applied_ids()));
        let in_applied_order = standing.entries().iter().filter_map(|entry| entry.position);
        let pending: Vec<usize> = (0..graph.len())
            .filter(|&at| !applied.contains(at))
            .collect();
        let mut position = Self {
            state: DatabaseState::UpToDate,
            current: graph.ids(in_applied_order.filter(|&at| tips.contains(at))),
            heads: graph.heads(),
            pending: graph.ids(pending),
            unknown: standing.unknown(),
            out_of_order: graph.ids(standing.out_of_order(graph).iter()),
            interrupted: history.interrupted.clone(),
            edited: comparison.edited.clone(),
            not_comparable: comparison.not_comparable.clone(),
            applied_count: applied.iter().count(),
        };
        position.state = position.worst_state();
        position
    }

    /// The state that needs a person first of those that hold.
    fn worst_state(&self) -> DatabaseState {
        let pending = !self.pending.is_empty();
        let unknown = !self.unknown.is_empty();
        if !self.interrupted.is_empty() {
            DatabaseState::Interrupted
        } else if !self.edited.is_empty() {
            DatabaseState::Edited
        } else if pending && unknown {
            DatabaseState::Diverged
        } else if unknown {
            DatabaseState::Ahead
        } else if pending && self.applied_count == 0 {
            DatabaseState::Empty
        } else if pending {
            DatabaseState::Behind
        } else {
            DatabaseState::UpToDate
        }
    }
}
