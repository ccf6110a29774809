//! The order in which operations can be done.
//!
//! Every kind of operation has its place (see [`place`]); dependencies move an operation behind
//! others where that is not enough.

use std::collections::{BTreeMap, BTreeSet};

use super::context::Finding;
use super::dependencies::{Dependencies, of_table};
use crate::dialect::rules;
use crate::op::{Alteration, ColumnAspect, Object, Op, Origin, Rename};
use crate::schema::{ObjectName, ObjectRef, Schema, SequenceOwner, TypeKind};

/// Puts the findings in order.
pub(super) fn sort(findings: Vec<Finding>, from: &Schema, to: &Schema) -> Vec<Finding> {
    if findings.len() < 2 {
        return findings;
    }
    let before = edges(&findings, &Dependencies::of(from), &Dependencies::of(to));
    let mut open: Vec<usize> = vec![0; findings.len()];
    let mut after: Vec<Vec<usize>> = vec![Vec::new(); findings.len()];
    for (earlier, later) in &before {
        open[*later] += 1;
        after[*earlier].push(*later);
    }
    let renamed_tables: BTreeSet<&ObjectName> = findings
        .iter()
        .filter_map(|finding| match &finding.op {
            Op::Rename(Rename::Table { to, .. }) => Some(to),
            _ => None,
        })
        .collect();
    let places: Vec<(u8, usize)> = findings
        .iter()
        .enumerate()
        .map(|(position, finding)| {
            let is_in_the_way = matches!(finding.origin, Origin::InTheWay { .. });
            let place = if drops_old_trigger(&finding.op, &renamed_tables, from) {
                19
            } else if is_in_the_way && matches!(finding.op, Op::Drop(Object::Function(_))) {
                // What it makes room for is not to wait for what is dropped at the end.
                42
            } else {
                place(&finding.op)
            };
            (place, position)
        })
        .collect();
    let mut waiting: BTreeSet<(u8, usize)> = places.iter().copied().collect();
    let mut order = Vec::with_capacity(findings.len());
    while !waiting.is_empty() {
        // In a circle one has to begin: the one whose place comes first.
        let next = waiting
            .iter()
            .find(|(_, position)| open[*position] == 0)
            .or_else(|| waiting.first())
            .copied();
        let Some((place, position)) = next else { break };
        waiting.remove(&(place, position));
        order.push(position);
        for later in &after[position] {
            open[*later] = open[*later].saturating_sub(1);
        }
    }
    let mut slots: Vec<Option<Finding>> = findings.into_iter().map(Some).collect();
    order
        .into_iter()
        .filter_map(|position| slots[position].take())
        .collect()
}

/// Whether the operation drops a trigger whose statement still has the old names of columns. It is
/// dropped while they have them, so that it can be made again when that is taken back.
fn drops_old_trigger(op: &Op, renamed_tables: &BTreeSet<&ObjectName>, from: &Schema) -> bool {
    match op {
        Op::Drop(Object::Trigger { table, .. }) => {
            rules(from.dialect).keeps_trigger_bodies() && !renamed_tables.contains(table)
        }
        _ => false,
    }
}

/// When an operation of this kind is done, where nothing else decides.
fn place(op: &Op) -> u8 {
    match op {
        Op::Create(object) => match object {
            Object::Schema { .. } => 10,
            Object::Extension { .. } => 11,
            Object::Enum(_) => 45,
            Object::Domain(_) | Object::Composite(_) | Object::Range(_) => 47,
            Object::Sequence(_) => 49,
            Object::Function(_) => 51,
            Object::Table(_) => 60,
            Object::Column { .. } => 61,
            Object::PrimaryKey { .. } => 70,
            Object::Unique { .. } => 71,
            Object::Index { .. } => 72,
            Object::Exclusion { .. } => 73,
            Object::Check { .. } => 74,
            Object::ForeignKey { .. } => 75,
            Object::View(_) => 80,
            Object::Trigger { .. } => 82,
            Object::Policy { .. } => 83,
        },
        Op::Drop(object) => match object {
            // Views are dropped while everything still has its old name.
            Object::View(_) => 5,
            Object::Policy { .. } => 30,
            Object::Trigger { .. } => 31,
            Object::ForeignKey { .. } => 33,
            Object::Check { .. } => 34,
            Object::Exclusion { .. } => 35,
            Object::Index { .. } => 36,
            Object::Unique { .. } => 37,
            Object::PrimaryKey { .. } => 38,
            Object::Table(_) => 40,
            Object::Column { .. } => 64,
            Object::Function(_) => 90,
            Object::Sequence(_) => 91,
            Object::Domain(_) | Object::Composite(_) | Object::Range(_) => 92,
            Object::Enum(_) => 93,
            Object::Extension { .. } => 95,
            Object::Schema { .. } => 96,
        },
        Op::Rename(rename) => match rename {
            Rename::Index { .. } | Rename::Constraint { .. } => 65,
            _ => 20,
        },
        Op::Alter(alteration) => match alteration {
            Alteration::Extension { .. } => 12,
            Alteration::EnumAdd { .. }
            | Alteration::EnumRemove { .. }
            | Alteration::EnumReorder { .. } => 46,
            Alteration::Domain { .. } | Alteration::Composite { .. } => 48,
            Alteration::Sequence { .. } => 50,
            Alteration::Function { .. } => 52,
            Alteration::Column { aspect, to, .. } => match aspect {
                // The type may be about to lose the value.
                ColumnAspect::Default
                    if to.default.is_none()
                        && matches!(to.column_type.kind, TypeKind::Enum | TypeKind::Other) =>
                {
                    44
                }
                ColumnAspect::Comment => 85,
                _ => 62,
            },
            Alteration::TableOptions { .. } => 63,
            Alteration::Validate { .. } => 76,
            Alteration::View { .. } => 81,
            Alteration::Trigger { .. } | Alteration::Policy { .. } => 84,
            Alteration::Comment { .. } => 86,
        },
    }
}

/// Pairs of positions of which the first must come before the second.
fn edges(findings: &[Finding], from: &Dependencies, to: &Dependencies) -> BTreeSet<(usize, usize)> {
    let mut made: BTreeMap<ObjectRef, Vec<usize>> = BTreeMap::new();
    let mut dropped: BTreeMap<ObjectRef, Vec<usize>> = BTreeMap::new();
    for (position, finding) in findings.iter().enumerate() {
        match &finding.op {
            Op::Create(object) => {
                for reference in object.refs() {
                    made.entry(reference).or_default().push(position);
                }
            }
            Op::Drop(object) => {
                let with_it = match object {
                    Object::Column { dependents, .. } => dependents.as_slice(),
                    _ => &[],
                };
                for object in std::iter::once(object).chain(with_it) {
                    for reference in object.refs() {
                        dropped.entry(reference).or_default().push(position);
                    }
                }
            }
            Op::Rename(_) | Op::Alter(_) => {}
        }
    }
    let at = |map: &BTreeMap<ObjectRef, Vec<usize>>, reference: &ObjectRef| {
        map.get(reference).cloned().unwrap_or_default()
    };
    let mut edges = BTreeSet::new();
    let mut add = |earlier: usize, later: usize| {
        if earlier != later {
            edges.insert((earlier, later));
        }
    };
    for (position, finding) in findings.iter().enumerate() {
        match &finding.op {
            Op::Create(object) => {
                for reference in needs_of(object, to) {
                    for earlier in at(&made, &reference) {
                        add(earlier, position);
                    }
                }
            }
            Op::Drop(object) => {
                for reference in object.refs() {
                    for dependent in from.dependents(&reference) {
                        for earlier in at(&dropped, dependent) {
                            add(earlier, position);
                        }
                        for earlier in defaults_of(findings, dependent) {
                            add(earlier, position);
                        }
                    }
                }
            }
            Op::Alter(Alteration::Comment { .. }) | Op::Rename(_) => {}
            Op::Alter(_) => {
                let Some(reference) = finding.op.altered() else {
                    continue;
                };
                for dependent in from.dependents(&reference) {
                    for earlier in at(&dropped, dependent) {
                        add(earlier, position);
                    }
                }
                for dependent in to.dependents(&reference) {
                    for later in at(&made, dependent) {
                        add(position, later);
                    }
                }
                // A column without its default needs nothing for it.
                let is_taken_off = matches!(
                    &finding.op,
                    Op::Alter(Alteration::Column { aspect: ColumnAspect::Default, to, .. })
                        if to.default.is_none()
                );
                for needed in to.needs(&reference).filter(|_| !is_taken_off) {
                    for earlier in at(&made, needed) {
                        add(earlier, position);
                    }
                }
            }
        }
    }
    same_name_edges(findings, &mut add);
    type_edges(findings, &mut add);
    key_edges(findings, &mut add);
    for (earlier, later) in owner_edges(findings, &made, &dropped) {
        add(earlier, later);
    }
    edges
}

/// A sequence is given to a column once that is there, and is dropped before the column would take
/// it along.
fn owner_edges(
    findings: &[Finding],
    made: &BTreeMap<ObjectRef, Vec<usize>>,
    dropped: &BTreeMap<ObjectRef, Vec<usize>>,
) -> Vec<(usize, usize)> {
    let places = |map: &BTreeMap<ObjectRef, Vec<usize>>, owner: &SequenceOwner| {
        let column = ObjectRef::Column {
            table: owner.table.clone(),
            column: owner.column.clone(),
        };
        map.get(&column).cloned().unwrap_or_default()
    };
    let mut edges = Vec::new();
    for (position, finding) in findings.iter().enumerate() {
        match &finding.op {
            Op::Create(Object::Sequence(sequence))
            | Op::Alter(Alteration::Sequence { to: sequence, .. }) => {
                let owner = sequence.owned_by.iter();
                let earlier = owner.flat_map(|owner| places(made, owner));
                edges.extend(earlier.map(|earlier| (earlier, position)));
            }
            Op::Drop(Object::Sequence(sequence)) => {
                let owner = sequence.owned_by.iter();
                let later = owner.flat_map(|owner| places(dropped, owner));
                edges.extend(later.map(|later| (position, later)));
            }
            _ => {}
        }
        // One that finds another owner, or none, has left the old one before that goes.
        if let Op::Alter(Alteration::Sequence { from, .. }) = &finding.op {
            let owner = from.owned_by.iter();
            let later = owner.flat_map(|owner| places(dropped, owner));
            edges.extend(later.map(|later| (position, later)));
        }
    }
    edges
}

/// A foreign key that goes with its column goes before the key that it refers to.
fn key_edges(findings: &[Finding], add: &mut impl FnMut(usize, usize)) {
    for (earlier, finding) in findings.iter().enumerate() {
        let Op::Drop(Object::Column { dependents, .. }) = &finding.op else {
            continue;
        };
        let targets: Vec<&ObjectName> = dependents
            .iter()
            .filter_map(|object| match object {
                Object::ForeignKey { foreign_key, .. } => Some(&foreign_key.ref_table),
                _ => None,
            })
            .collect();
        for (later, finding) in findings.iter().enumerate() {
            if let Op::Drop(
                Object::PrimaryKey { table, .. }
                | Object::Unique { table, .. }
                | Object::Index { table, .. },
            ) = &finding.op
                && targets.contains(&table)
            {
                add(earlier, later);
            }
        }
    }
}

/// A column leaves its enum or composite type before that changes.
fn type_edges(findings: &[Finding], add: &mut impl FnMut(usize, usize)) {
    for (earlier, finding) in findings.iter().enumerate() {
        let Op::Alter(Alteration::Column {
            aspect: ColumnAspect::Type,
            from,
            to,
            ..
        }) = &finding.op
        else {
            continue;
        };
        let leaves =
            |name: &ObjectName| from.column_type.is_of(name) && !to.column_type.is_of(name);
        for (later, finding) in findings.iter().enumerate() {
            let changed = match &finding.op {
                Op::Alter(
                    Alteration::EnumRemove { to, .. } | Alteration::EnumReorder { to, .. },
                ) => &to.name,
                Op::Alter(Alteration::Composite { to, .. }) => &to.name,
                Op::Alter(Alteration::Domain { to, .. }) => &to.name,
                _ => continue,
            };
            if leaves(changed) {
                add(earlier, later);
            }
        }
    }
}

/// Where the default of a column, which may be all that needs something, is taken off or changed.
fn defaults_of(findings: &[Finding], column: &ObjectRef) -> impl Iterator<Item = usize> {
    findings
        .iter()
        .enumerate()
        .filter_map(move |(at, finding)| {
            let is_default = matches!(
                &finding.op,
                Op::Alter(Alteration::Column {
                    aspect: ColumnAspect::Default,
                    from,
                    ..
                }) if from.default.is_some()
            );
            (is_default && finding.op.altered().as_ref() == Some(column)).then_some(at)
        })
}

/// What an object needs that is about to be made. A table needs what its own value says, which may
/// be less than what the schema says: foreign keys of a circle come later.
fn needs_of(object: &Object, to: &Dependencies) -> Vec<ObjectRef> {
    let mut needs = Vec::new();
    if let Object::Table(table) = object {
        needs.extend(of_table(table).into_iter().map(|(_, needed)| needed));
        for column in &table.columns {
            let reference = ObjectRef::Column {
                table: table.name.clone(),
                column: column.name.clone(),
            };
            let explicit = to.needs(&reference).filter(|needed| {
                matches!(
                    needed,
                    ObjectRef::Function { .. }
                        | ObjectRef::Sequence { .. }
                        | ObjectRef::Type { .. }
                        | ObjectRef::Extension { .. }
                )
            });
            needs.extend(explicit.cloned());
        }
        let constraints = object
            .refs()
            .into_iter()
            .filter(|reference| matches!(reference, ObjectRef::Constraint { .. }));
        for constraint in constraints {
            let functions = to
                .needs(&constraint)
                .filter(|needed| matches!(needed, ObjectRef::Function { .. }));
            needs.extend(functions.cloned());
        }
    } else {
        for reference in object.refs() {
            needs.extend(to.needs(&reference).cloned());
        }
    }
    needs
}

/// A name must be free before it is taken again.
fn same_name_edges(findings: &[Finding], add: &mut impl FnMut(usize, usize)) {
    let mut freed: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (position, finding) in findings.iter().enumerate() {
        if let Op::Drop(object) = &finding.op {
            for name in taken_names(object) {
                freed.entry(name).or_default().push(position);
            }
        }
    }
    for (position, finding) in findings.iter().enumerate() {
        let taken = match &finding.op {
            Op::Create(object) => taken_names(object),
            Op::Alter(alteration) => sequence_made_by(alteration)
                .map(|name| format!("relation {name}"))
                .into_iter()
                .collect(),
            Op::Drop(_) | Op::Rename(_) => Vec::new(),
        };
        for name in taken {
            for earlier in freed.get(&name).into_iter().flatten() {
                add(*earlier, position);
            }
        }
    }
}

/// The sequence that is made for a column that the database numbers from now on.
fn sequence_made_by(alteration: &Alteration) -> Option<ObjectName> {
    let Alteration::Column {
        table, from, to, ..
    } = alteration
    else {
        return None;
    };
    if from.identity.is_some() {
        return None;
    }
    let name = to.identity.as_ref()?.sequence_name.as_ref()?;
    Some(table.sibling(name))
}

/// The names that an object takes, each with the space that it must be unique in.
fn taken_names(object: &Object) -> Vec<String> {
    let mut names = Vec::new();
    // A composite type is a relation too, and a table or view has a type of its name.
    match object {
        Object::Composite(item) => names.push(format!("relation {}", item.name)),
        Object::Table(table) => names.push(format!("type {}", table.name)),
        Object::View(view) => names.push(format!("type {}", view.name)),
        _ => {}
    }
    let refs = object.refs().into_iter().map(|reference| match reference {
        ObjectRef::Namespace { name } => format!("schema {name}"),
        ObjectRef::Extension { name } => format!("extension {name}"),
        ObjectRef::Type { name } => format!("type {name}"),
        ObjectRef::Sequence { name } | ObjectRef::Table { name } | ObjectRef::View { name } => {
            format!("relation {name}")
        }
        ObjectRef::Function { name } => format!("function {name}"),
        ObjectRef::Column { table, column } => format!("column {table}.{column}"),
        ObjectRef::Constraint { table, name } => format!("constraint {table}.{name}"),
        ObjectRef::Index { table, name } => format!("relation {}", table.sibling(name)),
        ObjectRef::Trigger { table, name } => format!("trigger {table}.{name}"),
        ObjectRef::Policy { table, name } => format!("policy {table}.{name}"),
    });
    names.extend(refs);
    names
}
