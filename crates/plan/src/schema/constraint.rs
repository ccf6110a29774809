//! Constraints of a table.

use serde::{Deserialize, Serialize};

use super::ObjectName;

/// Whether and when a constraint can wait for the end of the transaction.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum Deferrability {
    /// `NOT DEFERRABLE`
    #[default]
    NotDeferrable,
    /// `DEFERRABLE INITIALLY IMMEDIATE`
    InitiallyImmediate,
    /// `DEFERRABLE INITIALLY DEFERRED`
    InitiallyDeferred,
}

/// A primary key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PrimaryKey {
    /// The constraint's name. Absent where it has none (SQLite) or always the same one (MySQL).
    pub name: Option<String>,
    /// The columns in key order.
    pub columns: Vec<String>,
    /// MySQL: how many characters of each column are indexed; as long as `columns`, or empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub prefix_lengths: Vec<Option<u32>>,
    /// Columns carried along (`INCLUDE`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// When it is checked.
    #[serde(default)]
    pub deferrability: Deferrability,
    /// SQLite: the `ON CONFLICT` clause, upper case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A unique constraint. On MySQL every unique key over whole columns in ascending order.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Unique {
    /// The columns in key order.
    pub columns: Vec<String>,
    /// The constraint's name. Absent where it has none (SQLite).
    pub name: Option<String>,
    /// Two NULLs are equal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nulls_not_distinct: bool,
    /// Columns carried along (`INCLUDE`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// When it is checked.
    #[serde(default)]
    pub deferrability: Deferrability,
    /// SQLite: the `ON CONFLICT` clause, upper case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on_conflict: Option<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What happens to the referencing rows.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum ForeignKeyAction {
    /// `NO ACTION`, the default.
    #[default]
    NoAction,
    /// `RESTRICT`
    Restrict,
    /// `CASCADE`
    Cascade,
    /// `SET NULL`
    SetNull,
    /// `SET DEFAULT`
    SetDefault,
}

impl ForeignKeyAction {
    /// The action as SQL.
    pub fn as_sql(self) -> &'static str {
        match self {
            Self::NoAction => "NO ACTION",
            Self::Restrict => "RESTRICT",
            Self::Cascade => "CASCADE",
            Self::SetNull => "SET NULL",
            Self::SetDefault => "SET DEFAULT",
        }
    }

    /// Reads the SQL form, in any case.
    pub fn from_sql(text: &str) -> Option<Self> {
        [
            Self::NoAction,
            Self::Restrict,
            Self::Cascade,
            Self::SetNull,
            Self::SetDefault,
        ]
        .into_iter()
        .find(|action| action.as_sql().eq_ignore_ascii_case(text.trim()))
    }
}

/// How a foreign key of several columns treats NULLs.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum MatchType {
    /// `MATCH SIMPLE`, the default.
    #[default]
    Simple,
    /// `MATCH FULL`
    Full,
}

/// A foreign key.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ForeignKey {
    /// The referencing columns.
    pub columns: Vec<String>,
    /// The referenced table.
    pub ref_table: ObjectName,
    /// The referenced columns, one for each referencing one.
    pub ref_columns: Vec<String>,
    /// The constraint's name. Absent where it has none (SQLite).
    pub name: Option<String>,
    /// What a deletion of the referenced row does.
    #[serde(default)]
    pub on_delete: ForeignKeyAction,
    /// PostgreSQL 15: the columns that `ON DELETE SET NULL (...)` sets; empty for all.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub on_delete_columns: Vec<String>,
    /// What a change of the referenced key does.
    #[serde(default)]
    pub on_update: ForeignKeyAction,
    /// How NULLs are treated.
    #[serde(default)]
    pub match_type: MatchType,
    /// When it is checked.
    #[serde(default)]
    pub deferrability: Deferrability,
    /// False for `NOT VALID`: the rows that were there have not been checked.
    #[serde(default = "yes")]
    pub validated: bool,
    /// MySQL: the name of the index that the server made for it. That index is not among the table's
    /// indexes. It takes no part in comparisons.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub own_index: Option<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A check constraint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Check {
    /// The condition, normalised by the server, without the clause's own parentheses.
    pub expression: String,
    /// The constraint's name. Absent where it has none (SQLite).
    pub name: Option<String>,
    /// False for `NOT VALID`: the rows that were there have not been checked.
    #[serde(default = "yes")]
    pub validated: bool,
    /// PostgreSQL: it is not handed down to inheriting tables.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub no_inherit: bool,
    /// The columns that it reads, where the catalogue tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// An exclusion constraint.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Exclusion {
    /// The constraint's name.
    pub name: String,
    /// The whole clause, `EXCLUDE USING gist (room WITH =, during WITH &&)`, as the server says it.
    pub definition: String,
    /// The columns that it reads, where the catalogue tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub columns: Vec<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

pub(super) fn yes() -> bool {
    true
}

impl ForeignKey {
    /// The clauses after the referenced columns, as SQL, without those that say the default:
    /// `ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED`. Column names in it are not quoted: for
    /// people, not for SQL.
    pub fn options_sql(&self) -> String {
        let mut words = Vec::new();
        if self.match_type == MatchType::Full {
            words.push("MATCH FULL".to_owned());
        }
        if self.on_update != ForeignKeyAction::NoAction {
            words.push(format!("ON UPDATE {}", self.on_update.as_sql()));
        }
        if self.on_delete != ForeignKeyAction::NoAction {
            words.push(format!("ON DELETE {}", self.on_delete.as_sql()));
            if !self.on_delete_columns.is_empty() {
                words.push(format!("({})", self.on_delete_columns.join(", ")));
            }
        }
        if let Some(clause) = self.deferrability.as_sql() {
            words.push(clause.to_owned());
        }
        words.join(" ")
    }
}

impl Deferrability {
    /// The clause, or nothing for the default.
    pub fn as_sql(self) -> Option<&'static str> {
        match self {
            Self::NotDeferrable => None,
            Self::InitiallyImmediate => Some("DEFERRABLE INITIALLY IMMEDIATE"),
            Self::InitiallyDeferred => Some("DEFERRABLE INITIALLY DEFERRED"),
        }
    }
}
