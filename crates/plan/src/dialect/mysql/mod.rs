//! See the parent module.

use crate::op::{Op, Risk};
use crate::schema::{ColumnType, Generated, Schema};

use super::{Rendered, Rules, TypeChange};

/// The answers of Mysql.
#[derive(Clone, Copy, Debug)]
pub(super) struct MysqlRules;

impl Rules for MysqlRules {
    fn same_type(&self, from: &ColumnType, to: &ColumnType) -> bool {
        from == to
    }

    fn type_change(&self, _from: &ColumnType, _to: &ColumnType) -> TypeChange {
        TypeChange {
            risk: Risk::Rewrites,
            warnings: std::collections::BTreeSet::new(),
            note: None,
        }
    }

    fn canonical_default(&self, default: &str, _column_type: &ColumnType) -> Option<String> {
        Some(default.to_owned())
    }

    fn canonical_expression(&self, expression: &str) -> String {
        expression.to_owned()
    }

    fn short_expression(&self, expression: &str) -> String {
        expression.to_owned()
    }

    fn rename_in_expression(&self, expression: &str, from: &str, to: &str) -> String {
        expression.replace(from, to)
    }

    fn alters_generation(&self, _from: Option<&Generated>, to: Option<&Generated>) -> bool {
        to.is_none()
    }

    fn name_limit(&self) -> usize {
        64
    }

    fn render(&self, ops: &[Op], _before: &Schema) -> Vec<Rendered> {
        ops.iter().map(|_| Rendered::default()).collect()
    }

    fn render_schema(&self, _schema: &Schema) -> Vec<String> {
        Vec::new()
    }
}
