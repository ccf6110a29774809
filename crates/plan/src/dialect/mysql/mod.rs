//! MySQL and MariaDB.

mod alter;
mod canonical;
pub mod catalogue;
pub mod ddl;
pub mod hidden;
mod meaning;
pub mod periods;
mod read;
mod render;
mod triggers;
mod types;
pub mod unshown;
mod write;

use crate::op::Op;
use crate::schema::{ColumnType, ForeignKeyAction, Generated, Schema};

use super::{Dialect, Rendered, Rules, TypeChange, tokens};

pub use read::read;

/// The answers of MySQL and MariaDB.
#[derive(Clone, Copy, Debug)]
pub(super) struct MysqlRules;

impl Rules for MysqlRules {
    fn same_type(&self, from: &ColumnType, to: &ColumnType) -> bool {
        types::same(from, to)
    }

    fn type_change(&self, from: &ColumnType, to: &ColumnType) -> TypeChange {
        types::change(from, to)
    }

    fn renamed_values(&self, from: &ColumnType, to: &ColumnType) -> Vec<(String, String)> {
        types::renamed_values(from, to)
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

    fn keeps_trigger_bodies(&self) -> bool {
        true
    }

    fn trigger_after_table_rename(&self, definition: &str, from: &str, to: &str) -> String {
        triggers::moved_to(definition, from, to)
    }

    fn folds_column_names(&self) -> bool {
        true
    }

    fn same_action(&self, from: ForeignKeyAction, to: ForeignKeyAction) -> bool {
        // Nothing is ever checked later than at once, so these two are one.
        let effect = |action| match action {
            ForeignKeyAction::Restrict => ForeignKeyAction::NoAction,
            other => other,
        };
        effect(from) == effect(to)
    }

    fn foreign_keys_hold_type(&self, from: &ColumnType, to: &ColumnType) -> bool {
        !types::same(from, to)
    }

    fn alters_generation(&self, from: Option<&Generated>, to: Option<&Generated>) -> bool {
        // A column can be kept or computed when read, but not go from the one to the other.
        let is_kept = |generated: Option<&Generated>| generated.is_none_or(|g| g.stored);
        is_kept(from) == is_kept(to)
    }

    fn tells_unique_index_from_constraint(&self) -> bool {
        false
    }

    fn alters_partitioning(&self) -> bool {
        true
    }

    fn name_limit(&self) -> usize {
        64
    }

    fn render(&self, ops: &[Op], before: &Schema) -> Vec<Rendered> {
        render::render(ops, before)
    }

    /// The client ends a statement at a semicolon wherever it stands outside quotes, so one with
    /// semicolons inside needs another sign for its end.
    fn script_statement(&self, statement: &str) -> String {
        let has_semicolon = tokens::significant(statement, Dialect::Mysql)
            .iter()
            .any(|token| token.is_sign(";"));
        if !has_semicolon {
            return format!("{statement};");
        }
        let mut delimiter = "//".to_owned();
        while statement.contains(&delimiter) {
            delimiter.push('/');
        }
        format!("DELIMITER {delimiter}\n{statement}\n{delimiter}\nDELIMITER ;")
    }

    /// The client takes a script for what its locale says, which need not be what it is written in.
    fn script_frame(&self) -> [&'static [&'static str]; 2] {
        [&["SET NAMES utf8mb4"], &[]]
    }

    /// Outside of strict mode the server puts an empty value where a column's new form has no place
    /// for the old one.
    fn strict_frame(&self) -> Option<[&'static [&'static str]; 2]> {
        Some([
            &[
                "SET @OLD_SQL_MODE = @@SQL_MODE",
                "SET SQL_MODE = CONCAT(@@SQL_MODE, ',STRICT_ALL_TABLES')",
            ],
            &["SET SQL_MODE = @OLD_SQL_MODE"],
        ])
    }

    fn render_schema(&self, schema: &Schema) -> Vec<String> {
        render::render_schema(schema)
    }
}
