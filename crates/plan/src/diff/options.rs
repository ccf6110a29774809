//! How two schemas are compared.

use serde::{Deserialize, Serialize};

/// How two schemas are compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DiffOptions {
    /// What it means that only the first schema has something an entity cannot express.
    pub unstated: Unstated,
    /// Whether the same thing in another spelling is a difference.
    pub spelling: Spelling,
}

/// What it means that only the first schema has something that a SeaORM entity cannot express: a
/// check, a view, a trigger, a partial index, a schema that the second one does not have, ...
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unstated {
    /// Nothing: it belongs to someone else, is left as it is and named among what was not compared.
    #[default]
    LeaveAlone,
    /// It is to be removed, as any other difference.
    Remove,
}

/// Whether the same thing in another spelling is a difference: a constraint's name, `serial` or
/// identity, a unique constraint or a unique index, `varchar` without length or `text`, a constraint
/// that is not validated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spelling {
    /// No: what means the same is the same.
    #[default]
    Meaning,
    /// Yes: the catalogues shall say the same.
    Exact,
}
