//! Indexes of a table or materialised view that both sides have.

use std::collections::{BTreeMap, BTreeSet};

use super::Subject;
use super::constraints::{Twins, pair_up};
use super::context::{Context, Findings};
use crate::op::{Alteration, CommentTarget, Object, Op, Rename};
use crate::schema::{Index, IndexKey, ObjectName, Table};

/// Finds what differs between the indexes of two tables. A unique index that stands for a unique
/// constraint of the other side is not among them.
pub(super) fn find(
    context: &Context<'_>,
    from: &Table,
    to: &Table,
    twins: &Twins,
    findings: &mut Findings,
) {
    let without = |table: &Table, twins: &BTreeSet<String>| {
        let mut indexes = table.indexes.clone();
        indexes.retain(|name, _| !twins.contains(name));
        indexes
    };
    let old = without(from, &twins.indexes_from);
    let new = without(to, &twins.indexes_to);
    find_between(context, &to.name, &old, &new, findings);
}

/// Finds what differs between two sets of indexes.
pub(super) fn find_between(
    context: &Context<'_>,
    table: &ObjectName,
    from: &BTreeMap<String, Index>,
    to: &BTreeMap<String, Index>,
    findings: &mut Findings,
) {
    let old: Vec<&Index> = from.values().collect();
    let new: Vec<&Index> = to.values().collect();
    let same = |a: &&Index, b: &&Index| is_same(context, table, a, b);
    let same_name = |a: &&Index, b: &&Index| a.name == b.name && same(a, b);
    let (pairs, gone, come) = pair_up(&old, &new, &[&same_name, &same]);
    for (old, new) in pairs {
        // A name that another index of the table has is not free for a rename.
        if old.name != new.name && from.contains_key(&new.name) {
            findings.push(drop(table, old));
            findings.push(create(table, new));
            continue;
        }
        if old.name != new.name {
            findings.push(Op::Rename(Rename::Index {
                table: table.clone(),
                from: old.name.clone(),
                to: new.name.clone(),
                index: (*old).clone(),
            }));
        }
        if old.comment != new.comment {
            findings.push(Op::Alter(Alteration::Comment {
                target: CommentTarget::Index(table.clone(), new.name.clone()),
                from: old.comment.clone(),
                to: new.comment.clone(),
            }));
        }
        find_validity(context, table, old, new, findings);
    }
    for index in gone {
        findings.push(drop(table, index));
    }
    for index in come {
        findings.push(create(table, index));
    }
}

fn find_validity(
    context: &Context<'_>,
    table: &ObjectName,
    old: &Index,
    new: &Index,
    findings: &mut Findings,
) {
    match (old.valid, new.valid) {
        (false, true) if context.rebuilds_invalid_indexes() => {
            findings.push(drop(table, old));
            findings.push(create(table, new));
        }
        (false, _) => findings.notes.push(format!(
            "index {} on {} is invalid in the first schema: queries do not use it. Build it anew \
             with REINDEX, or drop and create it",
            old.name,
            context.short(table)
        )),
        (true, false) => findings.notes.push(format!(
            "index {} on {} is invalid in the second schema",
            new.name,
            context.short(table)
        )),
        (true, true) => {}
    }
}

fn drop(table: &ObjectName, index: &Index) -> Op {
    Op::Drop(Object::Index {
        table: table.clone(),
        index: index.clone(),
    })
}

fn create(table: &ObjectName, index: &Index) -> Op {
    let mut index = index.clone();
    index.valid = true;
    Op::Create(Object::Index {
        table: table.clone(),
        index,
    })
}

pub(super) fn is_same(context: &Context<'_>, table: &ObjectName, a: &Index, b: &Index) -> bool {
    let same_key = |a: &IndexKey, b: &IndexKey| {
        a.column == b.column
            && a.descending == b.descending
            && a.nulls_first == b.nulls_first
            && a.operator_class == b.operator_class
            && a.collation == b.collation
            && a.prefix_length == b.prefix_length
            && context.same_optional_expression(
                Subject::IndexKey,
                table,
                a.expression.as_ref(),
                b.expression.as_ref(),
            )
    };
    let sorted = |columns: &[String]| {
        let mut columns = columns.to_vec();
        columns.sort();
        columns
    };
    a.unique == b.unique
        && a.method == b.method
        && a.keys.len() == b.keys.len()
        && sorted(&a.include) == sorted(&b.include)
        && a.nulls_not_distinct == b.nulls_not_distinct
        && a.invisible == b.invisible
        && a.options == b.options
        && a.keys.iter().zip(&b.keys).all(|(a, b)| same_key(a, b))
        && context.same_optional_expression(
            Subject::Predicate,
            table,
            a.predicate.as_ref(),
            b.predicate.as_ref(),
        )
}
