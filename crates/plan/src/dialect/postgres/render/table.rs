//! Tables.

use super::super::quote;
use super::{column, comment_sql, constraint, object};
use crate::op::CommentTarget;
use crate::schema::{ObjectName, Table, TableOptions};

/// `CREATE TABLE` with everything that the value has.
pub(super) fn create(table: &Table) -> Vec<String> {
    let on = quote::object(&table.name);
    let mut before = Vec::new();
    let mut after = Vec::new();
    let mut lines = Vec::new();
    for item in table.columns.iter().filter(|column| !column.inherited) {
        let definition = column::define(&table.name, item);
        before.extend(definition.before);
        after.extend(definition.after);
        lines.push(definition.text);
    }
    let mut comments = Vec::new();
    let mut note = |name: Option<&String>, comment: Option<&String>| {
        comments.extend(constraint::comment_of(&table.name, name, comment));
    };
    if let Some(key) = &table.primary_key {
        lines.push(constraint::primary_key(key));
        note(key.name.as_ref(), key.comment.as_ref());
    }
    for unique in &table.uniques {
        lines.push(constraint::unique(unique));
        note(unique.name.as_ref(), unique.comment.as_ref());
    }
    for exclusion in &table.exclusions {
        lines.push(constraint::exclusion(exclusion));
        note(Some(&exclusion.name), exclusion.comment.as_ref());
    }
    for check in &table.checks {
        // An unchecked constraint on an empty table is a checked one.
        lines.push(constraint::check(check));
        note(check.name.as_ref(), check.comment.as_ref());
    }
    for foreign_key in &table.foreign_keys {
        lines.push(constraint::foreign_key(foreign_key));
        note(foreign_key.name.as_ref(), foreign_key.comment.as_ref());
    }
    let options = &table.options;
    let mut sql = String::from("CREATE ");
    if options.unlogged {
        sql.push_str("UNLOGGED ");
    }
    sql.push_str("TABLE ");
    sql.push_str(&on);
    if lines.is_empty() {
        sql.push_str(" ()");
    } else {
        sql.push_str(" (\n    ");
        sql.push_str(&lines.join(",\n    "));
        sql.push_str("\n)");
    }
    if !options.inherits.is_empty() {
        let parents: Vec<String> = options.inherits.iter().map(quote::object).collect();
        sql.push_str(" INHERITS (");
        sql.push_str(&parents.join(", "));
        sql.push(')');
    }
    if let Some(partition_by) = &options.partition_by {
        sql.push_str(" PARTITION BY ");
        sql.push_str(partition_by);
    }
    if !options.storage.is_empty() {
        sql.push_str(" WITH (");
        sql.push_str(&object::settings(&options.storage));
        sql.push(')');
    }
    let mut statements = before;
    statements.push(sql);
    statements.extend(after);
    statements.extend(row_security(&table.name, &TableOptions::default(), options));
    if let Some(comment) = &table.comment {
        statements.push(comment_sql(
            &CommentTarget::Table(table.name.clone()),
            Some(comment),
        ));
    }
    for item in &table.columns {
        statements.extend(column::comment(&table.name, item));
    }
    statements.extend(comments);
    for index in table.indexes.values() {
        statements.extend(object::create_index(&table.name, index));
    }
    for trigger in table.triggers.values() {
        statements.extend(object::create_trigger(&table.name, trigger));
    }
    for policy in table.policies.values() {
        statements.extend(object::create_policy(&table.name, policy));
    }
    statements
}

fn row_security(table: &ObjectName, from: &TableOptions, to: &TableOptions) -> Vec<String> {
    let on = quote::object(table);
    let mut sql = Vec::new();
    if from.row_security != to.row_security {
        let verb = if to.row_security { "ENABLE" } else { "DISABLE" };
        sql.push(format!("ALTER TABLE {on} {verb} ROW LEVEL SECURITY"));
    }
    if from.force_row_security != to.force_row_security {
        let verb = if to.force_row_security {
            "FORCE"
        } else {
            "NO FORCE"
        };
        sql.push(format!("ALTER TABLE {on} {verb} ROW LEVEL SECURITY"));
    }
    sql
}

pub(super) fn alter_options(
    table: &ObjectName,
    from: &TableOptions,
    to: &TableOptions,
) -> Vec<String> {
    let on = quote::object(table);
    let mut sql = Vec::new();
    if from.unlogged != to.unlogged {
        let how = if to.unlogged { "UNLOGGED" } else { "LOGGED" };
        sql.push(format!("ALTER TABLE {on} SET {how}"));
    }
    for parent in &from.inherits {
        if !to.inherits.contains(parent) {
            sql.push(format!(
                "ALTER TABLE {on} NO INHERIT {}",
                quote::object(parent)
            ));
        }
    }
    for parent in &to.inherits {
        if !from.inherits.contains(parent) {
            sql.push(format!(
                "ALTER TABLE {on} INHERIT {}",
                quote::object(parent)
            ));
        }
    }
    sql.extend(object::change_settings(
        &format!("ALTER TABLE {on}"),
        &from.storage,
        &to.storage,
    ));
    sql.extend(row_security(table, from, to));
    sql
}
