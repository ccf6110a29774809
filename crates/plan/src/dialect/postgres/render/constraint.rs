//! Constraints.

use super::super::quote;
use super::comment_sql;
use crate::op::{CommentTarget, Object};
use crate::schema::{
    Check, Deferrability, Exclusion, ForeignKey, ForeignKeyAction, MatchType, ObjectName,
    PrimaryKey, Unique,
};

/// `ALTER TABLE ... ADD` with the constraint's comment.
pub(super) fn add(
    table: &ObjectName,
    definition: &str,
    name: Option<&String>,
    comment: Option<&String>,
) -> Vec<String> {
    let mut sql = vec![format!(
        "ALTER TABLE {} ADD {definition}",
        quote::object(table)
    )];
    sql.extend(comment_of(table, name, comment));
    sql
}

/// The statement for a constraint's comment, if it has one.
pub(super) fn comment_of(
    table: &ObjectName,
    name: Option<&String>,
    comment: Option<&String>,
) -> Option<String> {
    let target = CommentTarget::Constraint(table.clone(), name?.clone());
    comment.map(|comment| comment_sql(&target, Some(comment)))
}

fn named(name: Option<&String>, definition: &str) -> String {
    match name {
        Some(name) => format!("CONSTRAINT {} {definition}", quote::name(name)),
        None => definition.to_owned(),
    }
}

fn include(columns: &[String]) -> String {
    if columns.is_empty() {
        String::new()
    } else {
        format!(" INCLUDE ({})", quote::names(columns))
    }
}

fn deferrable(deferrability: Deferrability) -> String {
    deferrability
        .as_sql()
        .map(|clause| format!(" {clause}"))
        .unwrap_or_default()
}

pub(super) fn primary_key(key: &PrimaryKey) -> String {
    let definition = format!(
        "PRIMARY KEY ({}){}{}",
        quote::names(&key.columns),
        include(&key.include),
        deferrable(key.deferrability)
    );
    named(key.name.as_ref(), &definition)
}

pub(super) fn unique(unique: &Unique) -> String {
    let definition = format!(
        "UNIQUE {}({}){}{}",
        if unique.nulls_not_distinct {
            "NULLS NOT DISTINCT "
        } else {
            ""
        },
        quote::names(&unique.columns),
        include(&unique.include),
        deferrable(unique.deferrability)
    );
    named(unique.name.as_ref(), &definition)
}

pub(super) fn foreign_key(key: &ForeignKey) -> String {
    let mut definition = format!(
        "FOREIGN KEY ({}) REFERENCES {} ({})",
        quote::names(&key.columns),
        quote::object(&key.ref_table),
        quote::names(&key.ref_columns)
    );
    if key.match_type == MatchType::Full {
        definition.push_str(" MATCH FULL");
    }
    if key.on_update != ForeignKeyAction::NoAction {
        definition.push_str(" ON UPDATE ");
        definition.push_str(key.on_update.as_sql());
    }
    if key.on_delete != ForeignKeyAction::NoAction {
        definition.push_str(" ON DELETE ");
        definition.push_str(key.on_delete.as_sql());
        if !key.on_delete_columns.is_empty() {
            definition.push_str(&format_list(&key.on_delete_columns));
        }
    }
    definition.push_str(&deferrable(key.deferrability));
    if !key.validated {
        definition.push_str(" NOT VALID");
    }
    named(key.name.as_ref(), &definition)
}

fn format_list(columns: &[String]) -> String {
    format!(" ({})", quote::names(columns))
}

pub(super) fn check(check: &Check) -> String {
    let mut definition = format!("CHECK ({})", check.expression);
    if check.no_inherit {
        definition.push_str(" NO INHERIT");
    }
    if !check.validated {
        definition.push_str(" NOT VALID");
    }
    named(check.name.as_ref(), &definition)
}

pub(super) fn exclusion(exclusion: &Exclusion) -> String {
    named(Some(&exclusion.name), &exclusion.definition)
}

/// A constraint made anew without looking at the rows: there is no other way to take a validation
/// back.
pub(super) fn invalidate(table: &ObjectName, constraint: &Object) -> Vec<String> {
    let (name, definition, comment) = match constraint.clone() {
        Object::ForeignKey {
            mut foreign_key, ..
        } => {
            foreign_key.validated = false;
            let comment = foreign_key.comment.clone();
            (
                foreign_key.name.clone(),
                self::foreign_key(&foreign_key),
                comment,
            )
        }
        Object::Check { mut check, .. } => {
            check.validated = false;
            let comment = check.comment.clone();
            (check.name.clone(), self::check(&check), comment)
        }
        _ => return Vec::new(),
    };
    let Some(name) = name else {
        return Vec::new();
    };
    let mut sql = vec![format!(
        "ALTER TABLE {} DROP CONSTRAINT {}",
        quote::object(table),
        quote::name(&name)
    )];
    sql.extend(add(table, &definition, Some(&name), comment.as_ref()));
    sql
}
