//! What a database says about itself: the revisions applied, and the step that did not finish.

mod replaced;
mod standing;
#[cfg(test)]
mod tests;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use crate::plan::Direction;
use crate::revision::RevisionId;

pub(crate) use standing::Standing;

/// One applied revision, as the history table and the ledger hold it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AppliedRevision {
    /// The migration name in the history table.
    pub id: RevisionId,
    /// When it was applied, by the database's clock where the ledger knows it.
    pub applied_at: Option<DateTime<Utc>>,
    /// What the ledger knows of it. Absent when plain sea-orm-migration applied it.
    pub ledger: Option<LedgerEntry>,
    /// It counts as applied because all that it replaces is, and is still to be recorded itself.
    #[serde(default)]
    pub by_replacement: bool,
}

/// What was written down beside an applied revision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LedgerEntry {
    /// The order in which revisions were applied; larger is later.
    pub sequence: i64,
    /// The parents that the revision had when it was applied.
    pub parents: Vec<RevisionId>,
    /// The message that the revision had when it was applied.
    pub message: String,
    /// The checksum of the SQL that it emitted.
    pub checksum: Checksum,
}

/// A checksum of the SQL that a revision emits, or the reason why there is none.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Checksum {
    /// A digest and the name of the algorithm that made it, for example `sha256-statements-1`.
    Digest { algorithm: String, digest: String },
    /// The revision's SQL depends on the database, the clock or chance.
    NotComparable { reason: String },
}

/// A step that began and did not finish.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InterruptedStep {
    /// The revision whose step it is.
    pub revision: RevisionId,
    /// Which way the step went.
    pub direction: Direction,
    /// When it began, by the database's clock.
    pub started_at: Option<DateTime<Utc>>,
    /// Statements known to be done.
    pub statements_done: u64,
    /// The statement that was started and not seen to finish.
    pub in_doubt: Option<String>,
}

/// All that a database says about its revisions.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct History {
    /// The applied revisions, earliest applied first.
    pub applied: Vec<AppliedRevision>,
    /// Steps that began and did not finish; more than one only after hand-made changes.
    pub interrupted: Vec<InterruptedStep>,
    /// Whether the history table exists.
    pub table_exists: bool,
    /// Recorded revisions in whose place another one counts ([`History::seen_by`]).
    #[serde(default)]
    pub replaced: Vec<RevisionId>,
}

impl History {
    /// A history with these revisions applied in this order, and nothing else known of them.
    pub fn of<I, R>(applied: I) -> Self
    where
        I: IntoIterator<Item = R>,
        R: Into<RevisionId>,
    {
        let applied = applied
            .into_iter()
            .map(|id| AppliedRevision {
                id: id.into(),
                applied_at: None,
                ledger: None,
                by_replacement: false,
            })
            .collect();
        Self {
            applied,
            interrupted: Vec::new(),
            table_exists: true,
            replaced: Vec::new(),
        }
    }

    /// The ids of the applied revisions, earliest applied first.
    pub fn applied_ids(&self) -> impl Iterator<Item = &RevisionId> {
        self.applied.iter().map(|applied| &applied.id)
    }
}
