//! Tables.

use std::collections::BTreeSet;

use super::context::{Context, Finding, Findings};
use super::renames::Renames;
use super::{columns, constraints, foreign_keys, indexes, rules_of_rows};
use crate::op::{Alteration, CommentTarget, Object, Op, Warning};
use crate::schema::{ForeignKey, ObjectName, Table};

/// Finds what differs between the tables.
pub(super) fn find(context: &Context<'_>, renames: &Renames, findings: &mut Findings) {
    let (from, to) = (context.from, context.to);
    let gone: Vec<&Table> = from
        .tables
        .values()
        .filter(|table| !to.tables.contains_key(&table.name))
        .collect();
    let come: Vec<&Table> = to
        .tables
        .values()
        .filter(|table| !from.tables.contains_key(&table.name))
        .collect();
    drop_tables(context, renames, &gone, findings);
    create_tables(context, renames, &come, findings);
    for (name, table) in &from.tables {
        if let Some(wanted) = to.tables.get(name) {
            find_in_table(context, renames, table, wanted, findings);
        }
    }
}

fn find_in_table(
    context: &Context<'_>,
    renames: &Renames,
    from: &Table,
    to: &Table,
    findings: &mut Findings,
) {
    columns::find(context, renames, from, to, findings);
    let twins = constraints::find_twins(context, from, to);
    constraints::find(context, from, to, &twins, findings);
    foreign_keys::find(context, from, to, findings);
    indexes::find(context, from, to, &twins, findings);
    rules_of_rows::find_triggers(context, &to.name, &from.triggers, &to.triggers, findings);
    rules_of_rows::find_policies(context, &to.name, &from.policies, &to.policies, findings);
    find_options(context, from, to, findings);
    if from.comment != to.comment {
        findings.push(Op::Alter(Alteration::Comment {
            target: CommentTarget::Table(to.name.clone()),
            from: from.comment.clone(),
            to: to.comment.clone(),
        }));
    }
}

fn find_options(context: &Context<'_>, from: &Table, to: &Table, findings: &mut Findings) {
    let (mut old, mut new) = (from.options.clone(), to.options.clone());
    old.sql = None;
    new.sql = None;
    if old == new {
        return;
    }
    // How a table is cut into partitions is decided when it is made.
    if old.partition_by != new.partition_by && !context.rules.alters_partitioning() {
        findings.not_compared.push(format!(
            "table {}: how it is partitioned differs and cannot be changed in place",
            context.short(&to.name)
        ));
        new.partition_by.clone_from(&old.partition_by);
    }
    if old != new {
        findings.push(Op::Alter(Alteration::TableOptions {
            table: to.name.clone(),
            from: old,
            to: new,
        }));
    }
}

/// Tables to drop, the ones that refer first. Where they refer to one another in a circle, a foreign
/// key is dropped beforehand.
fn drop_tables(context: &Context<'_>, renames: &Renames, gone: &[&Table], findings: &mut Findings) {
    let order = referred_first(gone);
    let mut dropped = BTreeSet::new();
    for table in order.iter().rev() {
        let mut table = (*table).clone();
        if !context.rules.refers_to_missing_tables() {
            // A table that still stands refers to this one, which is part of a circle.
            let holding = gone.iter().filter(|other| {
                other.name != table.name
                    && !dropped.contains(&other.name)
                    && other.foreign_keys.iter().any(|k| k.ref_table == table.name)
            });
            for other in holding {
                for foreign_key in &other.foreign_keys {
                    if foreign_key.ref_table == table.name {
                        findings.push(Op::Drop(Object::ForeignKey {
                            table: other.name.clone(),
                            foreign_key: foreign_key.clone(),
                        }));
                    }
                }
            }
            // What was taken off beforehand does not go with the table.
            table
                .foreign_keys
                .retain(|key| key.ref_table == table.name || !dropped.contains(&key.ref_table));
        }
        dropped.insert(table.name.clone());
        let mut finding = Finding::new(Op::Drop(Object::Table(table.clone())));
        finding.candidate = renames.tables.get(&table.name).cloned();
        if finding.candidate.is_some() {
            finding.warnings.insert(Warning::AmbiguousRename);
        }
        findings.list.push(finding);
    }
}

/// Tables to create, the ones that are referred to first. Foreign keys that cannot be part of it
/// come afterwards.
fn create_tables(
    context: &Context<'_>,
    renames: &Renames,
    come: &[&Table],
    findings: &mut Findings,
) {
    let mut created: BTreeSet<ObjectName> = BTreeSet::new();
    for wanted in referred_first(come) {
        let name = &wanted.name;
        let mut table = wanted.clone();
        created.insert(name.clone());
        if !context.rules.refers_to_missing_tables() {
            let (inline, later) = std::mem::take(&mut table.foreign_keys)
                .into_iter()
                .partition(|key| can_refer(context, key, &created));
            table.foreign_keys = inline;
            for foreign_key in later {
                findings.push(Op::Create(Object::ForeignKey {
                    table: name.clone(),
                    foreign_key,
                }));
            }
        }
        for index in std::mem::take(&mut table.indexes).into_values() {
            findings.push(Op::Create(Object::Index {
                table: name.clone(),
                index,
            }));
        }
        for trigger in std::mem::take(&mut table.triggers).into_values() {
            findings.push(Op::Create(Object::Trigger {
                table: name.clone(),
                trigger,
            }));
        }
        for policy in std::mem::take(&mut table.policies).into_values() {
            findings.push(Op::Create(Object::Policy {
                table: name.clone(),
                policy,
            }));
        }
        let mut finding = Finding::new(Op::Create(Object::Table(table)));
        finding.candidate = renames.tables.get(name).cloned();
        if finding.candidate.is_some() {
            finding.warnings.insert(Warning::AmbiguousRename);
        }
        findings.list.push(finding);
    }
}

/// Whether the key that a foreign key refers to is there when its table is created: it was there
/// before, or comes with a table that is created no later.
fn can_refer(context: &Context<'_>, key: &ForeignKey, created: &BTreeSet<ObjectName>) -> bool {
    let is_key = |table: &Table, with_indexes: bool| {
        let same = |columns: &[String]| {
            columns.len() == key.ref_columns.len()
                && key.ref_columns.iter().all(|c| columns.contains(c))
        };
        table.primary_key.as_ref().is_some_and(|k| same(&k.columns))
            || table.uniques.iter().any(|unique| same(&unique.columns))
            || (with_indexes
                && table.indexes.values().any(|index| {
                    let columns: Option<Vec<String>> = index
                        .plain_columns()
                        .map(|c| c.into_iter().map(ToOwned::to_owned).collect());
                    index.is_plain_unique() && columns.is_some_and(|columns| same(&columns))
                }))
    };
    if created.contains(&key.ref_table) {
        // Its indexes are made after the tables.
        return context
            .to
            .tables
            .get(&key.ref_table)
            .is_some_and(|table| is_key(table, false));
    }
    match (
        context.from.tables.get(&key.ref_table),
        context.to.tables.get(&key.ref_table),
    ) {
        (Some(from), Some(to)) => {
            let same_types = key.ref_columns.iter().all(|name| {
                let types = (from.column(name), to.column(name));
                matches!(types, (Some(a), Some(b)) if a.column_type == b.column_type)
            });
            same_types && is_key(from, true) && is_key(to, true)
        }
        _ => false,
    }
}

/// The tables in an order in which each stands after those it refers to, as far as there is one;
/// alphabetical where there is a choice.
fn referred_first<'a>(tables: &[&'a Table]) -> Vec<&'a Table> {
    let mut waiting: Vec<&Table> = tables.to_vec();
    waiting.sort_by(|a, b| a.name.cmp(&b.name));
    let mut ordered: Vec<&Table> = Vec::with_capacity(waiting.len());
    while !waiting.is_empty() {
        let refers = |table: &Table, other: &Table| {
            table.name != other.name
                && (table
                    .foreign_keys
                    .iter()
                    .any(|key| key.ref_table == other.name)
                    || table.options.inherits.contains(&other.name))
        };
        let blockers = |table: &Table| waiting.iter().filter(|other| refers(table, other)).count();
        // The first of those with the fewest open references: in a circle, one has to begin.
        let next = waiting
            .iter()
            .enumerate()
            .min_by_key(|(position, table)| (blockers(table), *position))
            .map_or(0, |(position, _)| position);
        ordered.push(waiting.remove(next));
    }
    ordered
}
