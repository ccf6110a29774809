//! SQLite.

mod alter;
mod canonical;
pub mod catalogue;
mod ddl;
mod edit;
mod parentheses;
mod read;
mod rebuild;
mod render;
mod write;

use std::collections::BTreeSet;

use crate::op::{Op, Risk, Warning};
use crate::schema::{ColumnType, Generated, Schema, Table};
use crate::sql::lexer::TokenKind;

use super::tokens::{significant, unquote};
use super::{Dialect, Rendered, Rules, TypeChange};

pub use canonical::{Affinity, affinity};
pub use ddl::DdlError;
pub use rebuild::{OnFailure, Rebuild, RebuildError};

/// The answers of SQLite.
#[derive(Clone, Copy, Debug)]
pub(super) struct SqliteRules;

impl Rules for SqliteRules {
    fn same_type(&self, from: &ColumnType, to: &ColumnType) -> bool {
        canonical::same_type(from, to)
    }

    fn type_change(&self, _from: &ColumnType, _to: &ColumnType) -> TypeChange {
        TypeChange {
            risk: Risk::Rewrites,
            warnings: BTreeSet::from([Warning::TableRebuild]),
            note: Some(
                "SQLite keeps a value that does not fit the new type as it is; in a STRICT table \
                 it refuses it"
                    .to_owned(),
            ),
        }
    }

    fn canonical_default(&self, default: &str, column_type: &ColumnType) -> Option<String> {
        canonical::default(default, column_type)
    }

    fn canonical_expression(&self, expression: &str) -> String {
        canonical::expression(expression)
    }

    fn folds_column_names(&self) -> bool {
        true
    }

    fn folds_table_names(&self) -> bool {
        true
    }

    fn short_expression(&self, expression: &str) -> String {
        canonical::short_expression(expression)
    }

    fn rename_in_expression(&self, expression: &str, from: &str, to: &str) -> String {
        canonical::rename_identifier(expression, from, to)
    }

    fn refers_to_missing_tables(&self) -> bool {
        true
    }

    fn strict_type(&self, column_type: &ColumnType) -> ColumnType {
        canonical::strict_type(column_type)
    }

    fn numbers_one_type_only(&self) -> bool {
        true
    }

    fn numbers_keys_anyway(&self) -> bool {
        true
    }

    fn overlooks_null_in_keys(&self) -> bool {
        true
    }

    fn alters_generation(&self, _from: Option<&Generated>, _to: Option<&Generated>) -> bool {
        // The table is made anew, so everything can be changed.
        true
    }

    fn unlike_keys(&self, from: &Table, to: &Table, column: &str) -> Option<String> {
        let is_rowid = |table: &Table| read::rowid_alias(table) == Some(column);
        let key = |table: &Table| table.primary_key.as_ref().map(|key| key.columns.clone());
        let same_tables = key(from) == key(to)
            && (from.options.strict, from.options.without_rowid)
                == (to.options.strict, to.options.without_rowid);
        if !same_tables || is_rowid(from) == is_rowid(to) {
            return None;
        }
        let other = if is_rowid(from) { to } else { from };
        let other = &other.column(column)?.column_type.text;
        Some(format!(
            "an INTEGER PRIMARY KEY numbers new rows by itself, and one of type {other} does not"
        ))
    }

    fn name_limit(&self) -> usize {
        // SQLite has no limit of its own; longer names serve no one.
        255
    }

    fn render(&self, ops: &[Op], before: &Schema) -> Vec<Rendered> {
        render::render(ops, before)
    }

    /// Foreign keys must be off while a table is made anew, and the setting has no effect inside a
    /// transaction. What it was before cannot be restored by a script; it belongs to the session,
    /// which usually ends with the script.
    fn script_frame(&self) -> [&'static [&'static str]; 2] {
        [
            &["PRAGMA foreign_keys = OFF", "BEGIN IMMEDIATE"],
            &["COMMIT"],
        ]
    }

    fn render_schema(&self, schema: &Schema) -> Vec<String> {
        render::render_schema(schema)
    }
}

fn tidy(sql: &str) -> String {
    super::tokens::tidy(sql, super::Dialect::Sqlite)
}

/// The names that stand in a text, in lower case: of columns, tables and functions, and keywords.
fn mentioned_names(text: &str) -> BTreeSet<String> {
    significant(text, Dialect::Sqlite)
        .iter()
        .filter_map(|token| match token.kind {
            TokenKind::Word => Some(token.text.to_lowercase()),
            TokenKind::QuotedIdentifier => Some(unquote(token.text).to_lowercase()),
            _ => None,
        })
        .collect()
}
