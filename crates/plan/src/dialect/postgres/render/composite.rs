//! Composite and range types.

use super::super::{quote, types};
use super::comment_sql;
use super::user_type::{move_column, name_aside, type_of};
use crate::op::{Alteration, CommentTarget, CompositeWay, EnumUse, composite_way, same_values};
use crate::schema::{Attribute, CompositeType, ObjectName, RangeType, Schema};

pub(super) fn create(composite: &CompositeType) -> Vec<String> {
    let mut sql = vec![create_sql(composite)];
    let name = &composite.name;
    if composite.comment.is_some() {
        let target = CommentTarget::Type(name.clone());
        sql.push(comment_sql(&target, composite.comment.as_ref()));
    }
    let commented = composite.attributes.iter();
    let commented = commented.filter(|attribute| attribute.comment.is_some());
    sql.extend(commented.map(|attribute| attribute_comment(name, attribute)));
    sql
}

fn create_sql(composite: &CompositeType) -> String {
    let attributes: Vec<String> = composite.attributes.iter().map(definition).collect();
    format!(
        "CREATE TYPE {} AS ({})",
        quote::object(&composite.name),
        attributes.join(", ")
    )
}

fn definition(attribute: &Attribute) -> String {
    format!(
        "{} {}{}",
        quote::name(&attribute.name),
        attribute.attribute_type.text,
        collation(attribute)
    )
}

fn collation(attribute: &Attribute) -> String {
    let collation = attribute.collation.as_ref();
    collation.map_or_else(String::new, |collation| format!(" COLLATE {collation}"))
}

fn attribute_comment(composite: &ObjectName, attribute: &Attribute) -> String {
    let target = CommentTarget::ViewColumn(composite.clone(), attribute.name.clone());
    comment_sql(&target, attribute.comment.as_ref())
}

pub(super) fn create_range(range: &RangeType) -> Vec<String> {
    let mut parts = vec![format!("SUBTYPE = {}", range.subtype.text)];
    let options = [
        ("SUBTYPE_OPCLASS", &range.operator_class),
        ("COLLATION", &range.collation),
        ("SUBTYPE_DIFF", &range.difference),
    ];
    for (word, value) in options {
        parts.extend(value.as_ref().map(|value| format!("{word} = {value}")));
    }
    if let Some(multirange) = &range.multirange {
        parts.push(format!(
            "MULTIRANGE_TYPE_NAME = {}",
            quote::object(multirange)
        ));
    }
    let mut sql = vec![format!(
        "CREATE TYPE {} AS RANGE ({})",
        quote::object(&range.name),
        parts.join(", ")
    )];
    if range.comment.is_some() {
        let target = CommentTarget::Type(range.name.clone());
        sql.push(comment_sql(&target, range.comment.as_ref()));
    }
    sql
}

pub(super) fn is_made_anew(alteration: &Alteration) -> bool {
    matches!(
        alteration,
        Alteration::Composite { from, to, uses, embedded }
            if composite_way(from, to, uses, *embedded) == CompositeWay::Anew
    )
}

pub(super) fn alter(
    from: &CompositeType,
    to: &CompositeType,
    uses: &[EnumUse],
    embedded: bool,
    state: &Schema,
) -> Vec<String> {
    // What has no way is only met when a change is taken back: the attributes then come at the end.
    let mut sql = match composite_way(from, to, uses, embedded) {
        CompositeWay::Anew => return anew(from, to, uses, state),
        CompositeWay::InPlace | CompositeWay::None => in_place(from, to),
    };
    let changed = to.attributes.iter().filter(|attribute| {
        let old = from.attribute(&attribute.name);
        old.and_then(|old| old.comment.as_ref()) != attribute.comment.as_ref()
    });
    sql.extend(changed.map(|attribute| attribute_comment(&to.name, attribute)));
    sql
}

fn in_place(from: &CompositeType, to: &CompositeType) -> Vec<String> {
    let mut actions = Vec::new();
    for old in &from.attributes {
        if to.attribute(&old.name).is_none() {
            actions.push(format!("DROP ATTRIBUTE {}", quote::name(&old.name)));
        }
    }
    for new in &to.attributes {
        match from.attribute(&new.name) {
            None => actions.push(format!("ADD ATTRIBUTE {}", definition(new))),
            Some(old) if !same_values(old, new) => actions.push(format!(
                "ALTER ATTRIBUTE {} TYPE {}{}",
                quote::name(&new.name),
                new.attribute_type.text,
                collation(new)
            )),
            Some(_) => {}
        }
    }
    if actions.is_empty() {
        return Vec::new();
    }
    vec![format!(
        "ALTER TYPE {} {}",
        quote::object(&to.name),
        actions.join(", ")
    )]
}

/// The old type is put aside, the new one made, every column moved over, and the old type dropped.
fn anew(from: &CompositeType, to: &CompositeType, uses: &[EnumUse], state: &Schema) -> Vec<String> {
    let name = &to.name;
    let aside = name_aside(name, state);
    let mut sql = vec![format!(
        "ALTER TYPE {} RENAME TO {}",
        quote::object(&from.name),
        quote::name(&aside.name)
    )];
    let comment = state.composites.get(name);
    let made = CompositeType {
        comment: comment.and_then(|composite| composite.comment.clone()),
        ..to.clone()
    };
    sql.extend(create(&made));
    for column in uses {
        let column_name = quote::name(&column.column);
        let new = type_of(column, name);
        let value = if column.is_array {
            format!("{column_name}::text[]::{new}")
        } else {
            moved_over(&column_name, from, to)
        };
        sql.push(move_column(column, &new, &value, state));
    }
    sql.push(format!("DROP TYPE {}", quote::object(&aside)));
    sql
}

/// The column's value as one of the new form, attribute by attribute.
fn moved_over(column: &str, from: &CompositeType, to: &CompositeType) -> String {
    let attributes = to.attributes.iter().map(|new| {
        let Some(old) = from.attribute(&new.name) else {
            return "NULL".to_owned();
        };
        let value = format!("({column}).{}", quote::name(&new.name));
        let converted = types::using(&value, &old.attribute_type, &new.attribute_type);
        converted.unwrap_or(value)
    });
    let attributes: Vec<String> = attributes.collect();
    // A row of nothing but NULLs is NULL for `IS NULL`, but is one.
    format!(
        "CASE WHEN {column} IS NOT DISTINCT FROM NULL THEN NULL ELSE ROW({})::{} END",
        attributes.join(", "),
        quote::object(&to.name)
    )
}
