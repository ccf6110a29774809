//! PostgreSQL.

pub mod catalogue;
pub mod judge;
mod normalise;
mod others;
mod quote;
mod read;
mod render;
mod types;

pub use read::{read, read_server};

use crate::op::Op;
use crate::schema::{ColumnType, Generated, Schema, View};

use super::{Rendered, Rules, TypeChange};

/// The answers of PostgreSQL.
#[derive(Clone, Copy, Debug)]
pub(super) struct PostgresRules;

impl Rules for PostgresRules {
    fn same_type(&self, from: &ColumnType, to: &ColumnType) -> bool {
        types::same(from, to)
    }

    fn type_change(&self, from: &ColumnType, to: &ColumnType) -> TypeChange {
        types::change(from, to)
    }

    fn canonical_default(&self, default: &str, column_type: &ColumnType) -> Option<String> {
        normalise::default(default, column_type)
    }

    fn canonical_expression(&self, expression: &str) -> String {
        normalise::expression(expression)
    }

    fn short_expression(&self, expression: &str) -> String {
        normalise::short(expression)
    }

    fn rename_in_expression(&self, expression: &str, from: &str, to: &str) -> String {
        normalise::rename(expression, from, to)
    }

    fn foreign_keys_hold_type(&self, from: &ColumnType, to: &ColumnType) -> bool {
        // Operators exist across the integer types and across the text types.
        !types::are_comparable(from, to)
    }

    fn alters_generation(&self, _from: Option<&Generated>, to: Option<&Generated>) -> bool {
        to.is_none()
    }

    fn replaces_functions(&self) -> bool {
        true
    }

    fn replaces_view(&self, from: &View, to: &View) -> bool {
        // Columns can only be added at the end.
        to.columns.len() >= from.columns.len()
            && from.columns.iter().zip(&to.columns).all(|(a, b)| a == b)
    }

    fn dependents_stand_in_the_way(&self) -> bool {
        true
    }

    fn name_limit(&self) -> usize {
        63
    }

    fn render(&self, ops: &[Op], before: &Schema) -> Vec<Rendered> {
        render::render(ops, before)
    }

    fn render_schema(&self, schema: &Schema) -> Vec<String> {
        render::render_schema(schema)
    }
}
