//! Names that differ in case only, where the database does not tell them apart.

use crate::dialect::Rules;
use crate::op::{Op, Rename};
use crate::schema::{ObjectName, Schema};

/// Gives tables and columns of `to` the spelling that they have in `from`. Returns what was spelled
/// differently, for people.
pub(super) fn align(from: &Schema, to: &mut Schema, rules: &dyn Rules) -> Vec<String> {
    let mut notes = Vec::new();
    if rules.folds_table_names() {
        for (old, new) in tables(from, to) {
            notes.push(format!(
                "table {} is spelled {} in the second schema",
                from.short_name(&old),
                new.name
            ));
            Op::Rename(Rename::Table { from: new, to: old }).apply(to);
        }
    }
    if rules.folds_column_names() {
        for (table, old, new) in columns(from, to) {
            notes.push(format!(
                "column {}.{old} is spelled {new} in the second schema",
                from.short_name(&table)
            ));
            let rename = Rename::Column {
                table,
                from: new,
                to: old,
                known_as: None,
            };
            Op::Rename(rename).apply(to);
        }
    }
    notes
}

/// The tables that one side spells differently, by both names.
fn tables(from: &Schema, to: &Schema) -> Vec<(ObjectName, ObjectName)> {
    let gone = from
        .tables
        .keys()
        .filter(|name| !to.tables.contains_key(name));
    let pairs = gone.filter_map(|old| {
        let new = to.tables.keys().find(|new| {
            new.schema == old.schema
                && new.name.eq_ignore_ascii_case(&old.name)
                && !from.tables.contains_key(new)
        })?;
        Some((old.clone(), new.clone()))
    });
    pairs.collect()
}

/// The columns that one side spells differently, by table and both names.
fn columns(from: &Schema, to: &Schema) -> Vec<(ObjectName, String, String)> {
    let mut pairs = Vec::new();
    for (name, old_table) in &from.tables {
        let Some(new_table) = to.tables.get(name) else {
            continue;
        };
        for old in &old_table.columns {
            if new_table.column(&old.name).is_some() {
                continue;
            }
            let new = new_table.columns.iter().find(|new| {
                new.name.eq_ignore_ascii_case(&old.name) && old_table.column(&new.name).is_none()
            });
            if let Some(new) = new {
                pairs.push((name.clone(), old.name.clone(), new.name.clone()));
            }
        }
    }
    pairs
}
