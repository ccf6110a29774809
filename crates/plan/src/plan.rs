//! What would be done to a database, worked out once, as a value.

use serde::{Deserialize, Serialize};

use crate::revision::RevisionId;

/// Which way a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// `up`
    Upgrade,
    /// `down`
    Downgrade,
}

/// One revision to be applied or taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The revision.
    pub revision: RevisionId,
    /// Its message.
    pub message: String,
    /// Which way.
    pub direction: Direction,
    /// An upgrade of a revision that stands below one already applied (a late merge).
    pub out_of_order: bool,
}

/// The steps that lead from where a database is to a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which way all steps go.
    pub direction: Direction,
    /// The target as the user wrote it.
    pub target: String,
    /// The heads of the applied revisions before.
    pub from: Vec<RevisionId>,
    /// The heads of the applied revisions after.
    pub to: Vec<RevisionId>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What a person should know although it stops nothing.
    pub notices: Vec<Notice>,
}

/// Something a person should know before a plan runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// These pending revisions stand below applied ones and are applied all the same.
    OutOfOrder { revisions: Vec<RevisionId> },
    /// The database has these revisions that this build does not know.
    UnknownRevisions { revisions: Vec<RevisionId> },
}

/// How cautious planning is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanOptions {
    /// Refuse to apply a revision below one that is already applied.
    pub strict_order: bool,
    /// Go on although the database has revisions that this build does not know.
    pub allow_unknown: bool,
}
