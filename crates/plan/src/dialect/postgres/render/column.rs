//! Columns.

use super::super::{quote, types};
use super::object;
use crate::op::{ColumnAspect, Object};
use crate::schema::{Column, Identity, IdentityKind, ObjectName, Schema, SequenceOptions, Table};

/// The definition of a column inside `CREATE TABLE` or behind `ADD COLUMN`, and what must be done
/// before and after it.
pub(super) struct Definition {
    pub(super) before: Vec<String>,
    pub(super) text: String,
    pub(super) after: Vec<String>,
}

pub(super) fn define(table: &ObjectName, column: &Column) -> Definition {
    let mut definition = Definition {
        before: Vec::new(),
        text: quote::name(&column.name),
        after: Vec::new(),
    };
    let serial = column
        .identity
        .as_ref()
        .filter(|identity| identity.kind == IdentityKind::Serial);
    let own_type = serial.and_then(|identity| serial_type(table, column, identity));
    definition.text.push(' ');
    definition
        .text
        .push_str(own_type.unwrap_or(&column.column_type.text));
    if let Some(collation) = &column.collation {
        definition.text.push_str(" COLLATE ");
        definition.text.push_str(collation);
    }
    if let Some(default) = &column.default {
        definition.text.push_str(" DEFAULT ");
        definition.text.push_str(default);
    }
    if let Some(generated) = &column.generated {
        definition.text.push_str(" GENERATED ALWAYS AS (");
        definition.text.push_str(&generated.expression);
        definition.text.push_str(") STORED");
    }
    if let Some(identity) = &column.identity
        && own_type.is_none()
    {
        if identity.kind == IdentityKind::Serial {
            let sequence = sequence_of(table, column, identity);
            definition.before.push(object::create_sequence_sql(
                &sequence,
                identity.sequence.as_ref(),
            ));
            definition.text.push_str(" DEFAULT ");
            definition.text.push_str(&next_value(&sequence));
            definition.after.push(owned_by(&sequence, table, column));
        } else {
            definition.text.push(' ');
            definition
                .text
                .push_str(&identity_clause(table, column, identity));
        }
    }
    if !column.nullable {
        definition.text.push_str(" NOT NULL");
    }
    definition
}

/// The pseudo-type that makes the same serial column, if there is one.
fn serial_type(table: &ObjectName, column: &Column, identity: &Identity) -> Option<&'static str> {
    let is_usual = identity
        .sequence_name
        .as_deref()
        .is_none_or(|name| name == usual_sequence_name(&table.name, &column.name))
        && identity.sequence.as_ref().is_none_or(|options| {
            options.is_default() && options.data_type == column.column_type.text
        });
    if !is_usual || column.nullable {
        return None;
    }
    match column.column_type.text.as_str() {
        "smallint" => Some("smallserial"),
        "integer" => Some("serial"),
        "bigint" => Some("bigserial"),
        _ => None,
    }
}

/// The name that the server gives to the sequence of a column, unless it is taken.
fn usual_sequence_name(table: &str, column: &str) -> String {
    // Both parts are cut evenly when the whole would be longer than 63 bytes.
    let room = 63 - "__seq".len();
    let (mut first, mut second) = (table.len(), column.len());
    while first + second > room {
        if first > second {
            first -= 1;
        } else {
            second -= 1;
        }
    }
    let cut = |text: &str, mut length: usize| {
        while !text.is_char_boundary(length) {
            length -= 1;
        }
        text[..length].to_owned()
    };
    format!("{}_{}_seq", cut(table, first), cut(column, second))
}

fn sequence_of(table: &ObjectName, column: &Column, identity: &Identity) -> ObjectName {
    let name = identity
        .sequence_name
        .clone()
        .unwrap_or_else(|| usual_sequence_name(&table.name, &column.name));
    table.sibling(name)
}

fn next_value(sequence: &ObjectName) -> String {
    format!(
        "nextval({}::regclass)",
        quote::text(&quote::object(sequence))
    )
}

fn owned_by(sequence: &ObjectName, table: &ObjectName, column: &Column) -> String {
    format!(
        "ALTER SEQUENCE {} OWNED BY {}.{}",
        quote::object(sequence),
        quote::object(table),
        quote::name(&column.name)
    )
}

fn identity_clause(table: &ObjectName, column: &Column, identity: &Identity) -> String {
    let how = if identity.kind == IdentityKind::Always {
        "ALWAYS"
    } else {
        "BY DEFAULT"
    };
    let mut options = Vec::new();
    let usual = usual_sequence_name(&table.name, &column.name);
    if let Some(name) = identity
        .sequence_name
        .as_ref()
        .filter(|name| **name != usual)
    {
        options.push(format!(
            "SEQUENCE NAME {}",
            quote::object(&table.sibling(name.clone()))
        ));
    }
    if let Some(sequence) = &identity.sequence {
        options.extend(object::sequence_words(sequence));
    }
    if options.is_empty() {
        format!("GENERATED {how} AS IDENTITY")
    } else {
        format!("GENERATED {how} AS IDENTITY ({})", options.join(" "))
    }
}

/// `ALTER TABLE ... ADD COLUMN`. With a fill value: without a constraint first, then filled, then
/// constrained.
pub(super) fn add(table: &ObjectName, column: &Column, fill: Option<&String>) -> Vec<String> {
    let on = quote::object(table);
    let name = quote::name(&column.name);
    let mut first = column.clone();
    if fill.is_some() {
        first.nullable = true;
    }
    let definition = define(table, &first);
    let mut sql = definition.before;
    sql.push(format!("ALTER TABLE {on} ADD COLUMN {}", definition.text));
    sql.extend(definition.after);
    if let Some(fill) = fill {
        sql.push(format!("UPDATE {on} SET {name} = {fill}"));
        sql.push(format!("ALTER TABLE {on} ALTER COLUMN {name} SET NOT NULL"));
    }
    sql.extend(comment(table, column));
    sql
}

/// The statement for the comment, if there is one.
pub(super) fn comment(table: &ObjectName, column: &Column) -> Option<String> {
    column.comment.as_ref().map(|_| set_comment(table, column))
}

fn set_comment(table: &ObjectName, column: &Column) -> String {
    format!(
        "COMMENT ON COLUMN {}.{} IS {}",
        quote::object(table),
        quote::name(&column.name),
        quote::comment(column.comment.as_ref())
    )
}

pub(super) fn alter(
    table: &ObjectName,
    aspect: ColumnAspect,
    from: &Column,
    to: &Column,
    fill: Option<&String>,
    state: &Schema,
) -> Vec<String> {
    let on = quote::object(table);
    let name = quote::name(&to.name);
    let action = |action: &str| format!("ALTER TABLE {on} ALTER COLUMN {name} {action}");
    match aspect {
        ColumnAspect::Type => alter_type(table, from, to),
        ColumnAspect::Collation => {
            let mut change = format!("TYPE {}", to.column_type.text);
            if let Some(collation) = &to.collation {
                change.push_str(" COLLATE ");
                change.push_str(collation);
            }
            vec![action(&change)]
        }
        ColumnAspect::Nullable if to.nullable => vec![action("DROP NOT NULL")],
        ColumnAspect::Nullable => {
            let mut sql = Vec::new();
            if let Some(fill) = fill {
                sql.push(format!(
                    "UPDATE {on} SET {name} = {fill} WHERE {name} IS NULL"
                ));
            }
            sql.push(action("SET NOT NULL"));
            sql
        }
        ColumnAspect::Default => match &to.default {
            Some(default) => vec![action(&format!("SET DEFAULT {default}"))],
            None => vec![action("DROP DEFAULT")],
        },
        ColumnAspect::Generated if to.generated.is_none() => vec![action("DROP EXPRESSION")],
        ColumnAspect::Generated => recreate(table, to, state),
        ColumnAspect::AutoIncrement | ColumnAspect::Identity => alter_identity(table, from, to),
        ColumnAspect::Comment => vec![set_comment(table, to)],
        // PostgreSQL has no such thing.
        ColumnAspect::OnUpdate | ColumnAspect::Visibility => Vec::new(),
    }
}

fn alter_type(table: &ObjectName, from: &Column, to: &Column) -> Vec<String> {
    let name = quote::name(&to.name);
    let using = types::using(&name, &from.column_type, &to.column_type);
    let mut actions = Vec::new();
    // A default that the server cannot convert by itself must be off meanwhile.
    let takes_off = from.default.is_some() && (using.is_some() || to.default.is_none());
    if takes_off {
        actions.push(format!("ALTER COLUMN {name} DROP DEFAULT"));
    }
    let mut change = format!("ALTER COLUMN {name} TYPE {}", to.column_type.text);
    if let Some(collation) = &to.collation {
        change.push_str(" COLLATE ");
        change.push_str(collation);
    }
    if let Some(using) = using {
        change.push_str(" USING ");
        change.push_str(&using);
    }
    actions.push(change);
    if let Some(default) = &to.default
        && (takes_off || from.default != to.default)
    {
        actions.push(format!("ALTER COLUMN {name} SET DEFAULT {default}"));
    }
    let mut sql = vec![format!(
        "ALTER TABLE {} {}",
        quote::object(table),
        actions.join(", ")
    )];
    // The sequence of a serial column keeps its type, and with it its largest value.
    if let (Some(old), Some(new)) = (&from.identity, &to.identity)
        && old.kind == IdentityKind::Serial
        && let (Some(before), Some(after)) = (&old.sequence, &new.sequence)
        && before.data_type != after.data_type
    {
        sql.push(format!(
            "ALTER SEQUENCE {} AS {}",
            quote::object(&sequence_of(table, to, old)),
            after.data_type
        ));
    }
    sql
}

fn alter_identity(table: &ObjectName, from: &Column, to: &Column) -> Vec<String> {
    let on = quote::object(table);
    let name = quote::name(&to.name);
    let action = |action: &str| format!("ALTER TABLE {on} ALTER COLUMN {name} {action}");
    match (&from.identity, &to.identity) {
        (None, Some(new)) => start_numbering(table, to, new, None),
        (Some(old), None) if old.kind == IdentityKind::Serial => vec![
            action("DROP DEFAULT"),
            format!(
                "DROP SEQUENCE {}",
                quote::object(&sequence_of(table, from, old))
            ),
        ],
        (Some(_), None) => vec![action("DROP IDENTITY")],
        (Some(old), Some(new)) => {
            let is_serial = |identity: &Identity| identity.kind == IdentityKind::Serial;
            if is_serial(old) == is_serial(new) {
                return change_numbering(table, to, old, new);
            }
            // The counter is carried over from the old sequence to the new one.
            let old_sequence = sequence_of(table, from, old);
            let kept = old_sequence.sibling(format!("{}__old", old_sequence.name));
            let rename = format!(
                "ALTER SEQUENCE {} RENAME TO {}",
                quote::object(&old_sequence),
                quote::name(&kept.name)
            );
            let mut sql = vec![rename];
            if is_serial(old) {
                sql.push(action("DROP DEFAULT"));
                sql.extend(start_numbering(table, to, new, Some(&kept)));
                sql.push(format!("DROP SEQUENCE {}", quote::object(&kept)));
            } else {
                // The sequence of an identity goes with it, so its counter is read before.
                let sequence = sequence_of(table, to, new);
                sql.push(object::create_sequence_sql(
                    &sequence,
                    new.sequence.as_ref(),
                ));
                sql.push(carry_over(&kept, &sequence));
                sql.push(action("DROP IDENTITY"));
                sql.push(action(&format!("SET DEFAULT {}", next_value(&sequence))));
                sql.push(owned_by(&sequence, table, to));
            }
            sql
        }
        (None, None) => Vec::new(),
    }
}

fn carry_over(from: &ObjectName, to: &ObjectName) -> String {
    format!(
        "SELECT setval({}, last_value, is_called) FROM {}",
        quote::text(&quote::object(to)),
        quote::object(from)
    )
}

/// Numbers a column that was not numbered. It goes on after the largest number in the table, or
/// where `counter` stands.
fn start_numbering(
    table: &ObjectName,
    column: &Column,
    identity: &Identity,
    counter: Option<&ObjectName>,
) -> Vec<String> {
    let on = quote::object(table);
    let name = quote::name(&column.name);
    let sequence = sequence_of(table, column, identity);
    let mut sql = Vec::new();
    if identity.kind == IdentityKind::Serial {
        sql.push(object::create_sequence_sql(
            &sequence,
            identity.sequence.as_ref(),
        ));
        sql.push(format!(
            "ALTER TABLE {on} ALTER COLUMN {name} SET DEFAULT {}",
            next_value(&sequence)
        ));
        sql.push(owned_by(&sequence, table, column));
    } else {
        sql.push(format!(
            "ALTER TABLE {on} ALTER COLUMN {name} ADD {}",
            identity_clause(table, column, identity)
        ));
    }
    sql.push(match counter {
        Some(counter) => carry_over(counter, &sequence),
        None => format!(
            "SELECT setval({}, max({name})) FROM {on} HAVING max({name}) > 0",
            quote::text(&quote::object(&sequence))
        ),
    });
    sql
}

/// The same form with another way of counting.
fn change_numbering(
    table: &ObjectName,
    column: &Column,
    old: &Identity,
    new: &Identity,
) -> Vec<String> {
    let on = quote::object(table);
    let name = quote::name(&column.name);
    let mut sql = Vec::new();
    if old.kind != new.kind {
        let how = if new.kind == IdentityKind::Always {
            "ALWAYS"
        } else {
            "BY DEFAULT"
        };
        sql.push(format!(
            "ALTER TABLE {on} ALTER COLUMN {name} SET GENERATED {how}"
        ));
    }
    let options = |identity: &Identity| -> SequenceOptions {
        identity
            .sequence
            .clone()
            .unwrap_or_else(|| SequenceOptions::of_type(column.column_type.text.clone()))
    };
    let changes = object::sequence_changes(&options(old), &options(new));
    if !changes.is_empty() {
        sql.push(format!(
            "ALTER SEQUENCE {} {}",
            quote::object(&sequence_of(table, column, old)),
            changes.join(" ")
        ));
    }
    sql
}

/// Makes a plain column a generated one: the server can only do that with a new column. What stands
/// on the old one is made again.
fn recreate(table: &ObjectName, to: &Column, state: &Schema) -> Vec<String> {
    let on = quote::object(table);
    let mut sql = vec![format!(
        "ALTER TABLE {on} DROP COLUMN {}",
        quote::name(&to.name)
    )];
    sql.extend(add(table, to, None));
    if let Some(table) = state.tables.get(table) {
        sql.extend(standing_on(table, &to.name).iter().flat_map(super::create));
    }
    sql
}

/// The constraints and indexes over a column.
fn standing_on(table: &Table, column: &str) -> Vec<Object> {
    let owner = || table.name.clone();
    let has = |columns: &[String]| columns.iter().any(|name| name == column);
    let mut objects = Vec::new();
    if let Some(key) = table.primary_key.as_ref().filter(|key| has(&key.columns)) {
        objects.push(Object::PrimaryKey {
            table: owner(),
            key: key.clone(),
        });
    }
    for unique in table.uniques.iter().filter(|u| has(&u.columns)) {
        objects.push(Object::Unique {
            table: owner(),
            unique: unique.clone(),
        });
    }
    for index in table.indexes.values() {
        if index.columns().any(|name| name == column) {
            objects.push(Object::Index {
                table: owner(),
                index: index.clone(),
            });
        }
    }
    for check in table.checks.iter().filter(|check| has(&check.columns)) {
        objects.push(Object::Check {
            table: owner(),
            check: check.clone(),
        });
    }
    for foreign_key in table.foreign_keys.iter().filter(|key| has(&key.columns)) {
        objects.push(Object::ForeignKey {
            table: owner(),
            foreign_key: foreign_key.clone(),
        });
    }
    objects
}

#[cfg(test)]
mod tests {
    use super::usual_sequence_name;

    #[test]
    fn the_name_of_an_owned_sequence_is_the_one_that_the_server_chooses() {
        assert_eq!(usual_sequence_name("users", "id"), "users_id_seq");
        let name = usual_sequence_name(&"t".repeat(50), &"c".repeat(50));
        assert_eq!(name, format!("{}_{}_seq", "t".repeat(29), "c".repeat(29)));
    }
}
