//! Where a database stands against a graph: the one place where its state is computed.

use std::fmt;

use serde::{Deserialize, Serialize};

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
