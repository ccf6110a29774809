//! Indexes that no constraint owns.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// An index of a table or materialised view. The index behind a constraint is not among these.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own in the catalogue"
)]
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Index {
    /// Its name.
    pub name: String,
    /// It refuses duplicates.
    pub unique: bool,
    /// How it is built, lower case: `btree`, `gin`, `hash`, `fulltext`, `spatial`.
    pub method: String,
    /// What is indexed, in key order.
    pub keys: Vec<IndexKey>,
    /// Columns carried along (`INCLUDE`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub include: Vec<String>,
    /// The condition of a partial index, normalised by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub predicate: Option<String>,
    /// Two NULLs are equal.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub nulls_not_distinct: bool,
    /// False when a concurrent build failed or has not ended: queries do not use it.
    #[serde(default = "super::constraint::yes")]
    pub valid: bool,
    /// MySQL: the optimiser does not look at it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub invisible: bool,
    /// Storage parameters such as `fillfactor`; MySQL's `parser` and `key_block_size`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// The columns that its expressions and predicate read too, where the catalogue tells.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub expression_columns: Vec<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// One key of an index: a column or an expression.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct IndexKey {
    /// The column, unless it is an expression.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub column: Option<String>,
    /// The expression, normalised by the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expression: Option<String>,
    /// Largest first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub descending: bool,
    /// Where NULLs stand, if not where the direction puts them (last ascending, first descending).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nulls_first: Option<bool>,
    /// The operator class with its parameters, where it is not the type's default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_class: Option<String>,
    /// The collation, where it is not the column's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// MySQL: how many characters are indexed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub prefix_length: Option<u32>,
}

impl IndexKey {
    /// A whole column in ascending order.
    pub fn column(name: impl Into<String>) -> Self {
        Self {
            column: Some(name.into()),
            ..Self::default()
        }
    }

    /// Whether the key is a whole column in ascending order and nothing else.
    pub fn is_plain(&self) -> bool {
        self.column.is_some()
            && Self {
                column: None,
                ..self.clone()
            } == Self::default()
    }
}

impl Index {
    /// The key columns if every key is a plain column.
    pub fn plain_columns(&self) -> Option<Vec<&str>> {
        self.keys
            .iter()
            .map(|key| key.column.as_deref().filter(|_| key.is_plain()))
            .collect()
    }

    /// Whether an index of this form is all that `UNIQUE (columns)` would make.
    pub fn is_plain_unique(&self) -> bool {
        self.unique
            && self.method == "btree"
            && self.predicate.is_none()
            && self.plain_columns().is_some()
    }

    /// Every column that the index reads: keys, included ones, expressions and predicate.
    pub fn columns(&self) -> impl Iterator<Item = &str> {
        self.keys
            .iter()
            .filter_map(|key| key.column.as_deref())
            .chain(self.include.iter().map(String::as_str))
            .chain(self.expression_columns.iter().map(String::as_str))
    }
}
