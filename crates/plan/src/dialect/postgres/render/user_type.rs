//! Enums and domains.

use super::super::{quote, types};
use super::comment_sql;
use crate::dialect::Rendered;
use crate::op::{Alteration, CommentTarget, EnumUse, Op};
use crate::schema::{Check, Domain, EnumType, ObjectName, Schema};

pub(super) fn create_enum(enum_type: &EnumType) -> Vec<String> {
    let mut sql = vec![create_enum_sql(enum_type)];
    if let Some(comment) = &enum_type.comment {
        let target = CommentTarget::Enum(enum_type.name.clone());
        sql.push(comment_sql(&target, Some(comment)));
    }
    sql
}

fn create_enum_sql(enum_type: &EnumType) -> String {
    let values: Vec<String> = enum_type.values.iter().map(|v| quote::text(v)).collect();
    format!(
        "CREATE TYPE {} AS ENUM ({})",
        quote::object(&enum_type.name),
        values.join(", ")
    )
}

/// `ALTER TYPE ... ADD VALUE` at the place that the value has in `to`.
pub(super) fn add_value(to: &EnumType, value: &str) -> String {
    let position = to.values.iter().position(|v| v == value).unwrap_or(0);
    let place = match to.values.get(position + 1) {
        Some(next) => format!(" BEFORE {}", quote::text(next)),
        None => String::new(),
    };
    format!(
        "ALTER TYPE {} ADD VALUE {}{place}",
        quote::object(&to.name),
        quote::text(value)
    )
}

/// Neighbouring operations on one enum that are done by making the type anew.
#[derive(Debug)]
pub(super) struct Swap<'a> {
    from: &'a EnumType,
    to: &'a EnumType,
    uses: &'a [EnumUse],
    /// How many operations it does.
    pub(super) length: usize,
}

/// The swap that begins at this operation: as soon as one of a run of changes to an enum cannot be
/// done in place, all of them are done at once.
pub(super) fn swap_at(ops: &[Op], position: usize) -> Option<Swap<'_>> {
    let parts = |op: &'_ Op| match op {
        Op::Alter(
            Alteration::EnumAdd { from, to, uses, .. }
            | Alteration::EnumRemove { from, to, uses, .. }
            | Alteration::EnumReorder { from, to, uses },
        ) => Some((from.clone(), to.clone(), uses.clone())),
        _ => None,
    };
    let (first, ..) = parts(ops.get(position)?)?;
    let length = ops[position..]
        .iter()
        .take_while(|op| parts(op).is_some_and(|(from, ..)| from.name == first.name))
        .count();
    let run = &ops[position..position + length];
    let needs_swap = run.iter().any(|op| {
        matches!(
            op,
            Op::Alter(Alteration::EnumRemove { .. } | Alteration::EnumReorder { .. })
        )
    });
    if !needs_swap {
        return None;
    }
    let Op::Alter(
        Alteration::EnumAdd { from, .. }
        | Alteration::EnumRemove { from, .. }
        | Alteration::EnumReorder { from, .. },
    ) = &run[0]
    else {
        return None;
    };
    let Op::Alter(
        Alteration::EnumAdd { to, uses, .. }
        | Alteration::EnumRemove { to, uses, .. }
        | Alteration::EnumReorder { to, uses, .. },
    ) = &run[length - 1]
    else {
        return None;
    };
    Some(Swap {
        from,
        to,
        uses,
        length,
    })
}

/// The old type is put aside, the new one made, every column moved over by its text, and the old
/// type dropped. The first operation has the statements, the others point to it.
pub(super) fn render_swap(swap: &Swap<'_>, position: usize, state: &Schema) -> Vec<Rendered> {
    let name = &swap.to.name;
    let aside = name_aside(name, state);
    let mut sql = vec![
        format!(
            "ALTER TYPE {} RENAME TO {}",
            quote::object(&swap.from.name),
            quote::name(&aside.name)
        ),
        create_enum_sql(swap.to),
    ];
    for column in swap.uses {
        let array = if column.is_array { "[]" } else { "" };
        let new = type_of(column, name);
        let value = format!("{}::text{array}::{new}", quote::name(&column.column));
        sql.push(move_column(column, &new, &value, state));
    }
    sql.push(format!("DROP TYPE {}", quote::object(&aside)));
    let comment = state
        .enums
        .get(name)
        .and_then(|enum_type| enum_type.comment.as_ref());
    if let Some(comment) = comment {
        let target = CommentTarget::Enum(name.clone());
        sql.push(comment_sql(&target, Some(comment)));
    }
    let mut rendered = vec![Rendered {
        sql,
        notes: vec![
            "the type is made anew and its columns are moved over, which writes their tables anew"
                .to_owned(),
        ],
        ..Rendered::default()
    }];
    rendered.resize(
        swap.length,
        Rendered {
            done_with: Some(position),
            ..Rendered::default()
        },
    );
    rendered
}

/// The name under which a type waits while one of its name is made anew.
pub(super) fn name_aside(name: &ObjectName, state: &Schema) -> ObjectName {
    let mut aside = name.sibling(format!("{}__old", name.name));
    while is_taken(&aside, state) {
        aside.name.push('_');
    }
    aside
}

/// Types share their names with tables, views and sequences.
fn is_taken(name: &ObjectName, state: &Schema) -> bool {
    state.composites.contains_key(name)
        || state.ranges.contains_key(name)
        || state.enums.contains_key(name)
        || state.domains.contains_key(name)
        || state.tables.contains_key(name)
        || state.views.contains_key(name)
        || state.sequences.contains_key(name)
}

/// The type of a column that is of the type of this name, or an array of it.
pub(super) fn type_of(column: &EnumUse, name: &ObjectName) -> String {
    let array = if column.is_array { "[]" } else { "" };
    format!("{}{array}", quote::object(name))
}

/// Moves a column over to a type that was made anew, with this value. Its default is of the old type
/// and is taken away meanwhile.
pub(super) fn move_column(column: &EnumUse, new: &str, value: &str, state: &Schema) -> String {
    let column_name = quote::name(&column.column);
    let default = state
        .tables
        .get(&column.table)
        .and_then(|table| table.column(&column.column))
        .and_then(|column| column.default.as_ref());
    let mut actions = Vec::new();
    if default.is_some() {
        actions.push(format!("ALTER COLUMN {column_name} DROP DEFAULT"));
    }
    actions.push(format!(
        "ALTER COLUMN {column_name} TYPE {new} USING {value}"
    ));
    if let Some(default) = default {
        actions.push(format!("ALTER COLUMN {column_name} SET DEFAULT {default}"));
    }
    format!(
        "ALTER TABLE {} {}",
        quote::object(&column.table),
        actions.join(", ")
    )
}

fn domain_check(check: &Check) -> String {
    let name = check
        .name
        .as_ref()
        .map(|name| format!("CONSTRAINT {} ", quote::name(name)))
        .unwrap_or_default();
    let valid = if check.validated { "" } else { " NOT VALID" };
    format!("{name}CHECK ({}){valid}", check.expression)
}

pub(super) fn create_domain(domain: &Domain) -> Vec<String> {
    let mut sql = format!(
        "CREATE DOMAIN {} AS {}",
        quote::object(&domain.name),
        domain.base_type.text
    );
    if let Some(collation) = &domain.collation {
        sql.push_str(" COLLATE ");
        sql.push_str(collation);
    }
    if let Some(default) = &domain.default {
        sql.push_str(" DEFAULT ");
        sql.push_str(default);
    }
    if !domain.nullable {
        sql.push_str(" NOT NULL");
    }
    let mut later = Vec::new();
    for check in &domain.checks {
        if check.validated {
            sql.push(' ');
            sql.push_str(&domain_check(check));
        } else {
            later.push(format!(
                "ALTER DOMAIN {} ADD {}",
                quote::object(&domain.name),
                domain_check(check)
            ));
        }
    }
    let mut statements = vec![sql];
    statements.extend(later);
    if let Some(comment) = &domain.comment {
        let target = CommentTarget::Domain(domain.name.clone());
        statements.push(comment_sql(&target, Some(comment)));
    }
    statements
}

/// Another base type: the old domain is put aside, the new one made, every column moved over, and
/// the old domain dropped.
fn domain_anew(from: &Domain, to: &Domain, uses: &[EnumUse], state: &Schema) -> Vec<String> {
    let name = &to.name;
    let aside = name_aside(name, state);
    let mut sql = vec![format!(
        "ALTER DOMAIN {} RENAME TO {}",
        quote::object(&from.name),
        quote::name(&aside.name)
    )];
    let comment = state.domains.get(name).and_then(|old| old.comment.clone());
    sql.extend(create_domain(&Domain {
        comment,
        ..to.clone()
    }));
    for column in uses {
        let new = type_of(column, name);
        let old = quote::name(&column.column);
        let value = if column.is_array {
            format!("{old}::text[]::{new}")
        } else {
            match types::using(&old, &from.base_type, &to.base_type) {
                Some(converted) => format!("({converted})::{new}"),
                None => format!("{old}::{new}"),
            }
        };
        sql.push(move_column(column, &new, &value, state));
    }
    sql.push(format!("DROP DOMAIN {}", quote::object(&aside)));
    sql
}

pub(super) fn alter_domain(
    from: &Domain,
    to: &Domain,
    uses: &[EnumUse],
    state: &Schema,
) -> Vec<String> {
    if from.is_made_anew(to) {
        return domain_anew(from, to, uses, state);
    }
    let on = format!("ALTER DOMAIN {}", quote::object(&to.name));
    let mut sql = Vec::new();
    for check in &from.checks {
        if !to.checks.contains(check)
            && let Some(name) = &check.name
        {
            sql.push(format!("{on} DROP CONSTRAINT {}", quote::name(name)));
        }
    }
    if from.default != to.default {
        sql.push(match &to.default {
            Some(default) => format!("{on} SET DEFAULT {default}"),
            None => format!("{on} DROP DEFAULT"),
        });
    }
    if from.nullable != to.nullable {
        let verb = if to.nullable { "DROP" } else { "SET" };
        sql.push(format!("{on} {verb} NOT NULL"));
    }
    for check in &to.checks {
        if !from.checks.contains(check) {
            sql.push(format!("{on} ADD {}", domain_check(check)));
        }
    }
    sql
}
