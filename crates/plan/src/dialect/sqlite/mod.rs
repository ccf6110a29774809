//! SQLite.

mod alter;
mod canonical;
pub mod catalogue;
mod ddl;
mod edit;
mod read;
mod rebuild;
mod render;
mod write;

use std::collections::BTreeSet;

use crate::op::{Op, Risk, Warning};
use crate::schema::{ColumnType, Generated, Schema};

use super::{Rendered, Rules, TypeChange};

pub use canonical::{Affinity, affinity};
pub use ddl::DdlError;
pub use rebuild::{OnFailure, Rebuild};

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

    fn short_expression(&self, expression: &str) -> String {
        canonical::short_expression(expression)
    }

    fn rename_in_expression(&self, expression: &str, from: &str, to: &str) -> String {
        canonical::rename_identifier(expression, from, to)
    }

    fn refers_to_missing_tables(&self) -> bool {
        true
    }

    fn alters_generation(&self, _from: Option<&Generated>, _to: Option<&Generated>) -> bool {
        true
    }

    fn name_limit(&self) -> usize {
        // SQLite has no limit of its own; longer names serve no one.
        255
    }

    fn render(&self, ops: &[Op], before: &Schema) -> Vec<Rendered> {
        render::render(ops, before, OnFailure::Stop)
    }

    fn render_schema(&self, schema: &Schema) -> Vec<String> {
        render::render_schema(schema)
    }
}

fn tidy(sql: &str) -> String {
    super::tokens::tidy(sql, super::Dialect::Sqlite)
}
