//! What `ALTER TABLE` can do in SQLite.

use crate::op::{Alteration, Object, Op};
use crate::schema::{Column, Index, Schema, Table};

use super::ddl::{self, ClauseKind, ConstraintKind};
use super::write::quoted;
use super::{canonical, mentioned_names};

/// Whether `ADD COLUMN` takes the column. A column that takes no NULL and has no default is left to
/// it: it refuses that where the table has rows, as it must be.
pub(crate) fn can_add(column: &Column) -> bool {
    let is_stored = column.generated.as_ref().is_some_and(|g| g.stored);
    let is_constant = column.default.as_deref().is_none_or(canonical::is_constant);
    !is_stored && is_constant && column.identity.is_none()
}

/// Whether `DROP COLUMN` takes the column, with the other operations on its table in mind. Where a
/// view or trigger may read it, the answer is no.
pub(crate) fn can_drop(column: &Column, table: &Table, schema: &Schema, group: &[&Op]) -> bool {
    if schema.server.version_number < (3, 35, 0) {
        return false;
    }
    let name = &column.name;
    let is_in = |columns: &[String]| columns.contains(name);
    let is_constrained = table.is_key_column(name)
        || table.uniques.iter().any(|unique| is_in(&unique.columns))
        || table.foreign_keys.iter().any(|key| is_in(&key.columns));
    if is_constrained || table.columns.len() < 2 {
        return false;
    }
    let dropped: Vec<&str> = group.iter().flat_map(|op| dropped_indexes(op)).collect();
    let is_indexed = table
        .indexes
        .values()
        .filter(|index| !dropped.contains(&index.name.as_str()))
        .any(|index| mentions(index, name));
    !is_indexed && !text_mentions(table, name) && !readers_mention(table, schema, name)
}

fn dropped_indexes(op: &Op) -> Vec<&str> {
    let Op::Drop(object) = op else {
        return Vec::new();
    };
    match object {
        Object::Index { index, .. } => vec![index.name.as_str()],
        Object::Column { dependents, .. } => dependents
            .iter()
            .filter_map(|dependent| match dependent {
                Object::Index { index, .. } => Some(index.name.as_str()),
                _ => None,
            })
            .collect(),
        _ => Vec::new(),
    }
}

fn mentions(index: &Index, column: &str) -> bool {
    index.columns().any(|name| name == column)
}

/// Whether another clause of the table's statement reads the column.
fn text_mentions(table: &Table, column: &str) -> bool {
    let Some(sql) = table.options.sql.as_deref() else {
        return true;
    };
    let Ok(parsed) = ddl::parse_table(sql) else {
        return true;
    };
    let column = column.to_lowercase();
    let others = parsed
        .columns
        .iter()
        .filter(|definition| definition.name.name.to_lowercase() != column)
        .flat_map(|definition| &definition.clauses)
        .filter_map(|clause| match &clause.kind {
            ClauseKind::Check(span)
            | ClauseKind::Generated {
                expression: span, ..
            } => Some(*span),
            _ => None,
        });
    let beside = parsed
        .constraints
        .iter()
        .filter_map(|constraint| match &constraint.kind {
            ConstraintKind::Check(span) => Some(*span),
            _ => None,
        });
    others
        .chain(beside)
        .any(|span| mentioned_names(span.text(sql)).contains(&column))
}

/// Whether a view or trigger may read the column.
fn readers_mention(table: &Table, schema: &Schema, column: &str) -> bool {
    let (table_name, column) = (table.name.name.to_lowercase(), column.to_lowercase());
    let tables = schema.tables.values().flat_map(|t| t.triggers.values());
    let views = schema.views.values().flat_map(|v| v.triggers.values());
    let triggers = tables.chain(views).map(|trigger| &trigger.definition);
    let queries = schema.views.values().map(|view| &view.definition);
    triggers.chain(queries).any(|text| {
        let names = mentioned_names(text);
        names.contains(&column) && names.contains(&table_name)
    })
}

/// The column that existing rows get a value in, and the expression for it over the old row.
pub(crate) fn fill(op: &Op) -> Option<(String, String)> {
    match op {
        Op::Create(Object::Column {
            column,
            fill: Some(fill),
            ..
        }) => Some((column.name.clone(), format!("({fill})"))),
        Op::Alter(Alteration::Column {
            to,
            fill: Some(fill),
            ..
        }) => {
            let value = format!("coalesce({}, ({fill}))", quoted(&to.name));
            Some((to.name.clone(), value))
        }
        _ => None,
    }
}
