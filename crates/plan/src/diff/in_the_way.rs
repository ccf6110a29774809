//! What stands in the way of a change and must be taken down before and put up again after it, and
//! what goes with a dropped column.

use std::collections::BTreeSet;

use super::context::{Context, Finding, Findings};
use super::dependencies::Dependencies;
use crate::op::{Alteration, ColumnAspect, EnumUse, Object, Op};
use crate::schema::{Column, CompositeType, Index, ObjectName, ObjectRef, Schema, Table};

/// Completes the findings with operations that make room for others.
pub(super) fn complete(context: &Context<'_>, original: &Schema, findings: &mut Findings) {
    make_room(context, original, findings);
    fold_into_dropped_columns(findings);
}

/// Adds what takes down what stands in the way, and puts it up again. `original` is the first schema
/// before renames.
pub(super) fn make_room(context: &Context<'_>, original: &Schema, findings: &mut Findings) {
    let mut room = Room {
        context,
        original,
        dependencies: Dependencies::of(context.from),
        away: BTreeSet::new(),
        bare: BTreeSet::new(),
        waiting: Vec::new(),
    };
    room.note_what_goes(findings);
    room.clear(findings);
}

struct Room<'a> {
    context: &'a Context<'a>,
    /// The first schema before renames, where dropped views are found as they are.
    original: &'a Schema,
    dependencies: Dependencies,
    /// What is dropped already.
    away: BTreeSet<ObjectRef>,
    /// Columns whose default is taken off.
    bare: BTreeSet<ObjectRef>,
    /// What is about to go or change, and about what, for people.
    waiting: Vec<(ObjectRef, Reach, String)>,
}

/// How far a change reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reach {
    /// The object goes: nothing that needs it can stay.
    Gone,
    /// A column changes its type: indexes and constraints adapt by themselves.
    Type,
    /// A column changes to another type of the same name: expressions do not adapt.
    Swap,
    /// A column goes and comes back: everything on it must do the same.
    Anew,
    /// A key goes: foreign keys that refer to its columns cannot stay.
    Key,
}

impl Room<'_> {
    /// A composite type whose attributes go or change their type, or that is made anew. One that only
    /// has more attributes afterwards disturbs nobody.
    fn note_composite(
        &mut self,
        from: &CompositeType,
        to: &CompositeType,
        uses: &[EnumUse],
        about: &str,
    ) {
        if to.attributes.starts_with(&from.attributes) {
            return;
        }
        self.note_swap(&to.name, uses, about);
    }

    fn note_what_goes(&mut self, findings: &Findings) {
        let default_schema = self.context.to.default_schema.as_deref();
        for finding in &findings.list {
            let about =
                || finding.op.describe(self.context.to.dialect, default_schema)[2..].to_owned();
            match &finding.op {
                Op::Drop(object) => {
                    let comes_back = matches!(object, Object::Column { .. })
                        && findings.list.iter().any(|other| {
                            matches!(&other.op, Op::Create(new) if new.refs() == object.refs())
                        });
                    let reach = if comes_back { Reach::Anew } else { Reach::Gone };
                    for reference in object.refs() {
                        self.away.insert(reference.clone());
                        self.waiting.push((reference, reach, about()));
                    }
                    self.note_key(object, &about());
                }
                Op::Alter(Alteration::Column {
                    table,
                    aspect: ColumnAspect::Type | ColumnAspect::Collation,
                    to,
                    ..
                }) => {
                    let reference = ObjectRef::Column {
                        table: table.clone(),
                        column: to.name.clone(),
                    };
                    self.waiting.push((reference, Reach::Type, about()));
                }
                Op::Alter(Alteration::Composite { from, to, uses, .. }) => {
                    self.note_composite(from, to, uses, &about());
                }
                Op::Alter(
                    Alteration::EnumRemove { uses, to, .. }
                    | Alteration::EnumReorder { uses, to, .. },
                ) => self.note_swap(&to.name, uses, &about()),
                Op::Alter(Alteration::Domain { from, to, uses }) if from.is_made_anew(to) => {
                    self.note_swap(&to.name, uses, &about());
                }
                _ => {}
            }
        }
    }

    /// A type that is made anew, and the columns that are moved over.
    fn note_swap(&mut self, name: &ObjectName, uses: &[EnumUse], about: &str) {
        let name = name.clone();
        self.waiting
            .push((ObjectRef::Type { name }, Reach::Swap, about.to_owned()));
        for column in uses {
            let reference = ObjectRef::Column {
                table: column.table.clone(),
                column: column.column.clone(),
            };
            self.waiting
                .push((reference, Reach::Swap, about.to_owned()));
        }
    }

    /// A dropped key takes the foreign keys that refer to it out of service.
    fn note_key(&mut self, object: &Object, about: &str) {
        let (table, columns) = match object {
            Object::PrimaryKey { table, key } => (table, key.columns.clone()),
            Object::Unique { table, unique } => (table, unique.columns.clone()),
            Object::Index { table, index } if index.is_plain_unique() => (
                table,
                index.columns().map(ToOwned::to_owned).collect::<Vec<_>>(),
            ),
            _ => return,
        };
        let Some(column) = columns.first() else {
            return;
        };
        let reference = ObjectRef::Column {
            table: table.clone(),
            column: column.clone(),
        };
        self.waiting.push((reference, Reach::Key, about.to_owned()));
    }

    fn clear(&mut self, findings: &mut Findings) {
        let rules = self.context.rules;
        while let Some((reference, reach, about)) = self.waiting.pop() {
            let dependents: Vec<ObjectRef> =
                self.dependencies.dependents(&reference).cloned().collect();
            for dependent in dependents {
                if self.away.contains(&dependent) {
                    continue;
                }
                if let ObjectRef::Column { table, column } = &dependent
                    && matches!(reference, ObjectRef::Function { .. })
                    && !self.is_generated(table, column)
                {
                    if self.bare.insert(dependent.clone()) {
                        self.take_default_off(table, column, &about, findings);
                    }
                    continue;
                }
                let must_go = match &dependent {
                    ObjectRef::View { .. }
                    | ObjectRef::Trigger { .. }
                    | ObjectRef::Policy { .. }
                    | ObjectRef::Function { .. } => {
                        reach != Reach::Key && rules.dependents_stand_in_the_way()
                    }
                    ObjectRef::Column { table, column } => {
                        reach != Reach::Key
                            && rules.dependents_stand_in_the_way()
                            && self.is_generated(table, column)
                    }
                    ObjectRef::Constraint { table, name } => {
                        self.constraint_must_go(&reference, reach, table, name)
                    }
                    ObjectRef::Index { table, name } => {
                        reach == Reach::Anew
                            || matches!(reference, ObjectRef::Function { .. })
                            || (reach == Reach::Swap && self.index_must_go(table, name))
                    }
                    _ => false,
                };
                if must_go {
                    self.take_down(&dependent, &about, findings);
                }
            }
        }
    }

    fn is_generated(&self, table: &ObjectName, column: &str) -> bool {
        let table = self.context.from.tables.get(table);
        table
            .and_then(|table| table.column(column))
            .is_some_and(|column| column.generated.is_some())
    }

    fn index_must_go(&self, table: &ObjectName, name: &str) -> bool {
        let table = self.context.from.tables.get(table);
        table
            .and_then(|table| table.indexes.get(name))
            .is_some_and(|index: &Index| {
                index.predicate.is_some() || index.keys.iter().any(|key| key.expression.is_some())
            })
    }

    fn constraint_must_go(
        &self,
        reference: &ObjectRef,
        reach: Reach,
        table: &ObjectName,
        name: &str,
    ) -> bool {
        if reach == Reach::Anew || matches!(reference, ObjectRef::Function { .. }) {
            return true;
        }
        let Some(table) = self.context.from.tables.get(table) else {
            return false;
        };
        let is_meant = |other: &Option<String>| other.as_deref() == Some(name);
        let foreign_key = table.foreign_keys.iter().find(|key| is_meant(&key.name));
        if let Some(key) = foreign_key {
            // Where foreign keys may refer to nothing, nothing stands in the way.
            if self.context.rules.refers_to_missing_tables() {
                return false;
            }
            return match reach {
                Reach::Gone => false,
                Reach::Swap | Reach::Anew => true,
                Reach::Type => self.key_must_go(reference),
                Reach::Key => {
                    let ObjectRef::Column { table: owner, .. } = reference else {
                        return false;
                    };
                    key.ref_table == *owner && !self.key_stays(owner, &key.ref_columns)
                }
            };
        }
        reach == Reach::Swap && table.checks.iter().any(|check| is_meant(&check.name))
    }

    /// Whether the column's change of type is more than its foreign keys bear.
    fn key_must_go(&self, reference: &ObjectRef) -> bool {
        let ObjectRef::Column { table, column } = reference else {
            return false;
        };
        let of = |schema: &Schema| {
            let table = schema.tables.get(table)?;
            table
                .column(column)
                .map(|column| column.column_type.clone())
        };
        match (of(self.context.from), of(self.context.to)) {
            (Some(from), Some(to)) => self.context.rules.foreign_keys_hold_type(&from, &to),
            _ => false,
        }
    }

    /// Whether a key over these columns is on the table before and after, untouched.
    fn key_stays(&self, table: &ObjectName, columns: &[String]) -> bool {
        let same = |other: &[String]| {
            other.len() == columns.len() && columns.iter().all(|column| other.contains(column))
        };
        let is_kept = |name: &Option<String>| {
            !self.away.contains(&ObjectRef::Constraint {
                table: table.clone(),
                name: name.clone().unwrap_or_default(),
            })
        };
        let Some(table) = self.context.from.tables.get(table) else {
            return false;
        };
        table
            .primary_key
            .as_ref()
            .is_some_and(|key| same(&key.columns) && is_kept(&key.name))
            || table
                .uniques
                .iter()
                .any(|unique| same(&unique.columns) && is_kept(&unique.name))
    }

    /// Adds what takes the default off that calls something that goes, and sets it again.
    fn take_default_off(
        &self,
        table: &ObjectName,
        column: &str,
        about: &str,
        findings: &mut Findings,
    ) {
        let find = |schema: &Schema| schema.tables.get(table)?.column(column).cloned();
        let change = |from: Column, to: Column| {
            let op = Op::Alter(Alteration::Column {
                table: table.clone(),
                aspect: ColumnAspect::Default,
                from,
                to,
                fill: None,
            });
            Finding::in_the_way_of(op, about.to_owned())
        };
        let bare = |column: &Column| Column {
            default: None,
            ..column.clone()
        };
        // A default that changes anyway is out of the way by itself.
        let is_changed = findings.list.iter().any(|finding| {
            matches!(&finding.op, Op::Alter(Alteration::Column {
                table: owner,
                aspect: ColumnAspect::Default,
                from,
                ..
            }) if owner == table && from.name == column)
        });
        let Some(old) = find(self.context.from).filter(|old| old.default.is_some() && !is_changed)
        else {
            return;
        };
        findings.list.push(change(old.clone(), bare(&old)));
        if let Some(new) = find(self.context.to).filter(|new| new.default.is_some()) {
            findings.list.push(change(bare(&new), new));
        }
    }

    /// Adds what takes the object down and, if the second schema has it too, puts it up again.
    fn take_down(&mut self, object: &ObjectRef, about: &str, findings: &mut Findings) {
        let from = self.context.from;
        let old = match object {
            // A view is dropped before anything is renamed.
            ObjectRef::View { name } => self
                .original
                .views
                .get(name)
                .map(|view| Object::View(view.clone())),
            _ => find_object(from, object),
        };
        let Some(old) = old else { return };
        let mut new = find_object(self.context.to, object);
        // A foreign key may be there under another name.
        if let (None, Object::ForeignKey { table, foreign_key }) = (&new, &old) {
            new = self.context.to.tables.get(table).and_then(|wanted| {
                let same = wanted.foreign_keys.iter().find(|key| {
                    key.columns == foreign_key.columns && key.ref_table == foreign_key.ref_table
                });
                same.map(|foreign_key| Object::ForeignKey {
                    table: table.clone(),
                    foreign_key: foreign_key.clone(),
                })
            });
        }
        if let (None, Object::Check { table, check }) = (&new, &old) {
            new = self.context.to.tables.get(table).and_then(|wanted| {
                let same = wanted.checks.iter().find(|other| {
                    let canonical = |text: &str| self.context.rules.canonical_expression(text);
                    canonical(&other.expression) == canonical(&check.expression)
                });
                same.map(|check| Object::Check {
                    table: table.clone(),
                    check: check.clone(),
                })
            });
        }
        findings.list.retain(|finding| !finding.op.concerns(object));
        self.away.insert(object.clone());
        let reach = if new.is_some() && matches!(object, ObjectRef::Column { .. }) {
            Reach::Anew
        } else {
            Reach::Gone
        };
        self.waiting.push((object.clone(), reach, about.to_owned()));
        self.note_key(&old, about);
        let mut drop = Finding::in_the_way_of(Op::Drop(old), about.to_owned());
        if new.is_none() {
            drop = drop.noting(
                "it needs something that goes away, and the second schema does not have it: it is \
                 not made again",
            );
        }
        findings.list.push(drop);
        if let Some(new) = new {
            findings
                .list
                .push(Finding::in_the_way_of(Op::Create(new), about.to_owned()));
        }
    }
}

/// The definition of an object that can be taken down and put up again.
fn find_object(schema: &Schema, reference: &ObjectRef) -> Option<Object> {
    match reference {
        ObjectRef::View { name } => schema.views.get(name).cloned().map(Object::View),
        ObjectRef::Function { name } => schema.functions.get(name).cloned().map(Object::Function),
        ObjectRef::Column { table, column } => {
            let column = schema.tables.get(table)?.column(column)?.clone();
            Some(Object::Column {
                table: table.clone(),
                column,
                dependents: Vec::new(),
                fill: None,
            })
        }
        ObjectRef::Index { table, name } => {
            let index = schema.tables.get(table)?.indexes.get(name)?.clone();
            Some(Object::Index {
                table: table.clone(),
                index,
            })
        }
        ObjectRef::Trigger { table, name } => {
            let triggers = match schema.tables.get(table) {
                Some(table) => &table.triggers,
                None => &schema.views.get(table)?.triggers,
            };
            Some(Object::Trigger {
                table: table.clone(),
                trigger: triggers.get(name)?.clone(),
            })
        }
        ObjectRef::Policy { table, name } => Some(Object::Policy {
            table: table.clone(),
            policy: schema.tables.get(table)?.policies.get(name)?.clone(),
        }),
        ObjectRef::Constraint { table, name } => find_constraint(schema.tables.get(table)?, name),
        _ => None,
    }
}

fn find_constraint(table: &Table, name: &str) -> Option<Object> {
    let is_meant = |other: &Option<String>| other.as_deref() == Some(name);
    if let Some(key) = table.foreign_keys.iter().find(|key| is_meant(&key.name)) {
        return Some(Object::ForeignKey {
            table: table.name.clone(),
            foreign_key: key.clone(),
        });
    }
    let owner = || table.name.clone();
    if let Some(unique) = table.uniques.iter().find(|unique| is_meant(&unique.name)) {
        return Some(Object::Unique {
            table: owner(),
            unique: unique.clone(),
        });
    }
    if let Some(key) = table.primary_key.as_ref().filter(|key| is_meant(&key.name)) {
        return Some(Object::PrimaryKey {
            table: owner(),
            key: key.clone(),
        });
    }
    if let Some(exclusion) = table.exclusions.iter().find(|other| other.name == name) {
        return Some(Object::Exclusion {
            table: owner(),
            exclusion: exclusion.clone(),
        });
    }
    let check = table.checks.iter().find(|check| is_meant(&check.name))?;
    Some(Object::Check {
        table: owner(),
        check: check.clone(),
    })
}

/// Constraints and indexes over a dropped column go with it: they are part of that operation, unless
/// something else takes their place.
fn fold_into_dropped_columns(findings: &mut Findings) {
    let dropped: Vec<(usize, ObjectName, String)> = findings
        .list
        .iter()
        .enumerate()
        .filter_map(|(position, finding)| match &finding.op {
            Op::Drop(Object::Column { table, column, .. }) => {
                Some((position, table.clone(), column.name.clone()))
            }
            _ => None,
        })
        .collect();
    if dropped.is_empty() {
        return;
    }
    let created: BTreeSet<ObjectRef> = findings
        .list
        .iter()
        .filter_map(|finding| match &finding.op {
            Op::Create(object) => Some(object.refs()),
            _ => None,
        })
        .flatten()
        .collect();
    let mut folded = Vec::new();
    for (position, finding) in findings.list.iter().enumerate() {
        let Op::Drop(object) = &finding.op else {
            continue;
        };
        let Some((table, columns)) = covered(object) else {
            continue;
        };
        if object.refs().iter().any(|object| created.contains(object)) {
            continue;
        }
        let host = dropped
            .iter()
            .find(|(_, owner, column)| owner == table && columns.contains(&column.as_str()));
        if let Some((host, ..)) = host {
            folded.push((position, *host, object.clone()));
        }
    }
    for (_, host, object) in &folded {
        if let Op::Drop(Object::Column { dependents, .. }) = &mut findings.list[*host].op {
            dependents.push(object.clone());
        }
    }
    let gone: BTreeSet<usize> = folded.iter().map(|(position, ..)| *position).collect();
    let mut position = 0;
    findings.list.retain(|_| {
        position += 1;
        !gone.contains(&(position - 1))
    });
}

/// The table and columns of a constraint or index that can go with a column.
fn covered(object: &Object) -> Option<(&ObjectName, Vec<&str>)> {
    match object {
        Object::Unique { table, unique } => {
            let columns = unique.columns.iter().chain(&unique.include);
            Some((table, columns.map(String::as_str).collect()))
        }
        Object::ForeignKey { table, foreign_key } => Some((
            table,
            foreign_key.columns.iter().map(String::as_str).collect(),
        )),
        Object::Check { table, check } => {
            Some((table, check.columns.iter().map(String::as_str).collect()))
        }
        Object::Exclusion { table, exclusion } => Some((
            table,
            exclusion.columns.iter().map(String::as_str).collect(),
        )),
        Object::Index { table, index } => Some((table, index.columns().collect())),
        _ => None,
    }
}
