//! What the second schema does not say because a SeaORM entity has no words for it.
//!
//! The principle: silence about something that cannot be expressed is not a wish. What only the first
//! schema has of that kind is taken over into the second one before they are compared, and named. A
//! second schema that does say something - another check of the same name, an index with an `INCLUDE`
//! - is taken at its word.
//!
//! An entity can express: tables, columns with type, nullability, default, comment and numbering,
//! primary keys, unique keys, plain indexes, foreign keys with their actions, enums that a column
//! uses, and the PostgreSQL schema of its table.

use std::collections::BTreeSet;

use super::Context;
use crate::schema::{
    Check, Column, Deferrability, ForeignKey, IdentityKind, Index, MatchType, ObjectName,
    ObjectRef, Schema, SequenceOptions, Table, TableOptions, TypeKind, Unique,
};

/// Takes over into `to` what only `from` has and an entity cannot express. Returns what that was,
/// for people.
pub(super) fn fill(context: &Context<'_>, to: &mut Schema) -> Vec<String> {
    let from = context.from;
    let mut filled = Filled {
        context: *context,
        lost: BTreeSet::new(),
        left: Vec::new(),
    };
    filled.namespaces(to);
    filled.lost = lost(from, to);
    for (name, extension) in &from.extensions {
        if !to.extensions.contains_key(name) {
            to.extensions.insert(name.clone(), extension.clone());
            filled.leave(format!("extension {name}"));
        }
    }
    for (name, domain) in &from.domains {
        if !to.domains.contains_key(name) {
            to.domains.insert(name.clone(), domain.clone());
            filled.leave(format!("domain {}", context.short(name)));
        }
    }
    for (name, sequence) in &from.sequences {
        // One of that name may be about to be made for a serial column.
        let is_taken = to.tables.values().any(|table| {
            table.name.schema == name.schema
                && table.columns.iter().any(|column| {
                    let identity = column.identity.as_ref();
                    identity.and_then(|identity| identity.sequence_name.as_ref())
                        == Some(&name.name)
                })
        });
        // It goes with the column that owns it.
        let is_orphaned = sequence.owned_by.as_ref().is_some_and(|owner| {
            let table = to.tables.get(&owner.table);
            table.is_none_or(|table| table.column(&owner.column).is_none())
        });
        if !to.sequences.contains_key(name) && !is_taken && !is_orphaned {
            to.sequences.insert(name.clone(), sequence.clone());
            filled.leave(format!("sequence {}", context.short(name)));
        }
    }
    for (name, function) in &from.functions {
        if !to.functions.contains_key(name) {
            to.functions.insert(name.clone(), function.clone());
            filled.leave(format!("function {}", context.short(name)));
        }
    }
    for (name, view) in &from.views {
        match to.views.get_mut(name) {
            None if filled
                .lost
                .contains(&ObjectRef::View { name: name.clone() }) => {}
            None if !to.tables.contains_key(name) => {
                to.views.insert(name.clone(), view.clone());
                filled.leave(format!("view {}", context.short(name)));
            }
            None => {}
            Some(wanted) => {
                for (index_name, index) in &view.indexes {
                    if !wanted.indexes.contains_key(index_name) {
                        wanted.indexes.insert(index_name.clone(), index.clone());
                        filled.leave(format!("index {index_name} on {}", context.short(name)));
                    }
                }
                for (trigger_name, trigger) in &view.triggers {
                    if !wanted.triggers.contains_key(trigger_name) {
                        wanted
                            .triggers
                            .insert(trigger_name.clone(), trigger.clone());
                        filled.leave(format!("trigger {trigger_name} on {}", context.short(name)));
                    }
                }
            }
        }
    }
    filled.enums(to);
    filled.composites_and_ranges(to);
    for (name, table) in &from.tables {
        if let Some(wanted) = to.tables.get_mut(name) {
            filled.table(table, wanted);
        }
    }
    for dependency in &from.dependencies {
        to.dependencies.insert(dependency.clone());
    }
    filled.left
}

/// Views, triggers and policies that cannot stay because something that they need goes.
fn lost(from: &Schema, to: &Schema) -> BTreeSet<ObjectRef> {
    let is_gone = |needed: &ObjectRef| match needed {
        ObjectRef::Table { name } => {
            from.tables.contains_key(name) && !to.tables.contains_key(name)
        }
        ObjectRef::Column { table, column } if from.composites.contains_key(table) => to
            .composites
            .get(table)
            .is_some_and(|composite| composite.attribute(column).is_none()),
        ObjectRef::Column { table, column } => match to.tables.get(table) {
            Some(table) => table.column(column).is_none(),
            None => from.tables.contains_key(table),
        },
        _ => false,
    };
    let mut lost: BTreeSet<ObjectRef> = BTreeSet::new();
    loop {
        let before = lost.len();
        for dependency in &from.dependencies {
            let is_meant = match &dependency.dependent {
                ObjectRef::View { name } => !to.views.contains_key(name),
                ObjectRef::Trigger { .. } | ObjectRef::Policy { .. } => true,
                _ => false,
            };
            let needed = &dependency.needs;
            let of_lost_view = match needed {
                ObjectRef::Column { table, .. } => lost.contains(&ObjectRef::View {
                    name: table.clone(),
                }),
                other => lost.contains(other),
            };
            if is_meant && (is_gone(needed) || of_lost_view) {
                lost.insert(dependency.dependent.clone());
            }
        }
        if lost.len() == before {
            return lost;
        }
    }
}

struct Filled<'a> {
    context: Context<'a>,
    /// What cannot stay.
    lost: BTreeSet<ObjectRef>,
    left: Vec<String>,
}

impl Filled<'_> {
    fn leave(&mut self, what: impl std::fmt::Display) {
        self.left.push(format!("{what}: only in the first schema"));
    }

    /// Schemas that the second side does not have are out of scope with everything in them.
    fn namespaces(&mut self, to: &mut Schema) {
        let from = self.context.from;
        let foreign: BTreeSet<&String> = from
            .namespaces
            .keys()
            .filter(|name| !to.namespaces.contains_key(*name))
            .collect();
        for name in &foreign {
            to.namespaces
                .insert((*name).clone(), from.namespaces[*name].clone());
            self.leave(format!("schema {name} with everything in it"));
        }
        let is_foreign =
            |name: &ObjectName| name.schema.as_ref().is_some_and(|s| foreign.contains(s));
        for (name, table) in from.tables.iter().filter(|(name, _)| is_foreign(name)) {
            to.tables.insert(name.clone(), table.clone());
        }
        for (name, view) in from.views.iter().filter(|(name, _)| is_foreign(name)) {
            to.views.insert(name.clone(), view.clone());
        }
        for (name, object) in from.enums.iter().filter(|(name, _)| is_foreign(name)) {
            to.enums.insert(name.clone(), object.clone());
        }
        for (name, object) in from.domains.iter().filter(|(name, _)| is_foreign(name)) {
            to.domains.insert(name.clone(), object.clone());
        }
        for (name, object) in from.composites.iter().filter(|(name, _)| is_foreign(name)) {
            to.composites.insert(name.clone(), object.clone());
        }
        for (name, object) in from.ranges.iter().filter(|(name, _)| is_foreign(name)) {
            to.ranges.insert(name.clone(), object.clone());
        }
        for (name, object) in from.sequences.iter().filter(|(name, _)| is_foreign(name)) {
            to.sequences.insert(name.clone(), object.clone());
        }
        for (name, object) in from.functions.iter().filter(|(name, _)| is_foreign(name)) {
            to.functions.insert(name.clone(), object.clone());
        }
    }

    /// An enum that no column used belongs to someone else.
    fn enums(&mut self, to: &mut Schema) {
        let from = self.context.from;
        for (name, enum_type) in &from.enums {
            if to.enums.contains_key(name) {
                continue;
            }
            let is_used_by = |schema: &Schema| {
                schema
                    .tables
                    .values()
                    .flat_map(|table| &table.columns)
                    .any(|column| column.column_type.is_of(name))
            };
            if !is_used_by(from) || is_used_by(to) {
                to.enums.insert(name.clone(), enum_type.clone());
                self.leave(format!("enum {}", self.context.short(name)));
            }
        }
    }

    /// Composite and range types are nothing that an entity has words for.
    fn composites_and_ranges(&mut self, to: &mut Schema) {
        let from = self.context.from;
        for (name, composite) in &from.composites {
            if !to.composites.contains_key(name) {
                to.composites.insert(name.clone(), composite.clone());
                self.leave(format!("composite type {}", self.context.short(name)));
            }
        }
        for (name, range) in &from.ranges {
            if !to.ranges.contains_key(name) {
                to.ranges.insert(name.clone(), range.clone());
                self.leave(format!("range type {}", self.context.short(name)));
            }
        }
    }

    fn table(&mut self, from: &Table, to: &mut Table) {
        let name = self.context.short(&from.name);
        self.options(&name, &from.options, &mut to.options);
        for column in &from.columns {
            if let Some(wanted) = to.column_mut(&column.name) {
                self.column(&name, column, wanted);
            }
        }
        if let (Some(from), Some(to)) = (&from.primary_key, &mut to.primary_key)
            && from.columns == to.columns
        {
            take_list(&from.include, &mut to.include);
            take_deferrability(from.deferrability, &mut to.deferrability);
            take(from.on_conflict.as_ref(), &mut to.on_conflict);
            take_list(&from.prefix_lengths, &mut to.prefix_lengths);
        }
        self.uniques(&name, from, to);
        for foreign_key in &from.foreign_keys {
            self.foreign_key(&name, foreign_key, to);
        }
        for check in &from.checks {
            self.check(&name, check, to);
        }
        for exclusion in &from.exclusions {
            let is_stated = to.exclusions.iter().any(|other| {
                other.name == exclusion.name || other.definition == exclusion.definition
            });
            if !is_stated && has_columns(to, &exclusion.columns) {
                to.exclusions.push(exclusion.clone());
                self.leave(format!("exclusion {} of {name}", exclusion.name));
            }
        }
        for (index_name, index) in &from.indexes {
            self.index(&name, index_name, index, to);
        }
        for (trigger_name, trigger) in &from.triggers {
            let reference = ObjectRef::Trigger {
                table: from.name.clone(),
                name: trigger_name.clone(),
            };
            if !to.triggers.contains_key(trigger_name) && !self.lost.contains(&reference) {
                to.triggers.insert(trigger_name.clone(), trigger.clone());
                self.leave(format!("trigger {trigger_name} on {name}"));
            }
        }
        for (policy_name, policy) in &from.policies {
            let reference = ObjectRef::Policy {
                table: from.name.clone(),
                name: policy_name.clone(),
            };
            if !to.policies.contains_key(policy_name) && !self.lost.contains(&reference) {
                to.policies.insert(policy_name.clone(), policy.clone());
                self.leave(format!("policy {policy_name} on {name}"));
            }
        }
        to.sort();
    }

    fn options(&mut self, table: &str, from: &TableOptions, to: &mut TableOptions) {
        let before = to.clone();
        to.unlogged |= from.unlogged;
        to.row_security |= from.row_security;
        to.force_row_security |= from.force_row_security;
        to.strict |= from.strict;
        to.without_rowid |= from.without_rowid;
        take(from.partition_by.as_ref(), &mut to.partition_by);
        take(from.engine.as_ref(), &mut to.engine);
        take(from.charset.as_ref(), &mut to.charset);
        take(from.collation.as_ref(), &mut to.collation);
        take(from.create_options.as_ref(), &mut to.create_options);
        take_list(&from.inherits, &mut to.inherits);
        for (name, value) in &from.storage {
            to.storage
                .entry(name.clone())
                .or_insert_with(|| value.clone());
        }
        if *to != before {
            self.leave(format!("options of table {table}"));
        }
    }

    fn column(&mut self, table: &str, from: &Column, to: &mut Column) {
        let named = format!("{table}.{}", from.name);
        if from.generated.is_some() && to.generated.is_none() && to.default.is_none() {
            to.generated.clone_from(&from.generated);
            to.nullable = from.nullable;
            self.leave(format!("generation of column {named}"));
        }
        if self.is_domain_over(from, to) {
            to.column_type.clone_from(&from.column_type);
            to.collation.clone_from(&from.collation);
            self.leave(format!("domain of column {named}"));
        }
        if from.collation.is_some() && to.collation.is_none() {
            to.collation.clone_from(&from.collation);
            self.leave(format!("collation of column {named}"));
        }
        if from.charset.is_some() && to.charset.is_none() {
            to.charset.clone_from(&from.charset);
            self.leave(format!("character set of column {named}"));
        }
        if from.on_update.is_some() && to.on_update.is_none() {
            to.on_update.clone_from(&from.on_update);
            self.leave(format!("on update of column {named}"));
        }
        if from.invisible && !to.invisible {
            to.invisible = true;
            self.leave(format!("visibility of column {named}"));
        }
        to.inherited |= from.inherited;
        if let (Some(old), Some(new)) = (&from.identity, &mut to.identity) {
            if old.kind == IdentityKind::Always && new.kind != IdentityKind::Always {
                new.kind = IdentityKind::Always;
                self.leave(format!("`generated always` of column {named}"));
            }
            // How the sequence counts is the server's business as long as nobody says otherwise.
            let says_nothing = new
                .sequence
                .as_ref()
                .is_none_or(SequenceOptions::is_default);
            if says_nothing && old.sequence.as_ref().is_some_and(|o| !o.is_default()) {
                new.sequence.clone_from(&old.sequence);
                self.leave(format!("sequence options of column {named}"));
            }
        }
        if self.context.rules.numbers_keys_anyway()
            && from.identity.is_some()
            && to.identity.is_none()
        {
            to.identity.clone_from(&from.identity);
            self.leave(format!("numbering of column {named}"));
        }
    }

    fn is_domain_over(&self, from: &Column, to: &Column) -> bool {
        let Some(domain) = from
            .column_type
            .user_type
            .as_ref()
            .filter(|_| from.column_type.kind == TypeKind::Domain)
            .and_then(|name| self.context.from.domains.get(name))
        else {
            return false;
        };
        let rules = self.context.rules;
        from.column_type.array_dimensions == 0
            && rules.same_type(&domain.base_type, &to.column_type)
    }

    fn uniques(&mut self, table: &str, from: &Table, to: &mut Table) {
        for unique in &from.uniques {
            let wanted: Option<&mut Unique> =
                to.uniques.iter_mut().find(|u| u.columns == unique.columns);
            let Some(wanted) = wanted else { continue };
            let before = wanted.clone();
            wanted.nulls_not_distinct |= unique.nulls_not_distinct;
            take_list(&unique.include, &mut wanted.include);
            take_deferrability(unique.deferrability, &mut wanted.deferrability);
            take(unique.on_conflict.as_ref(), &mut wanted.on_conflict);
            if *wanted != before {
                self.leave(format!(
                    "options of unique {table} ({})",
                    unique.columns.join(", ")
                ));
            }
        }
    }

    fn foreign_key(&mut self, table: &str, from: &ForeignKey, to: &mut Table) {
        let wanted = to.foreign_keys.iter_mut().find(|wanted| {
            wanted.columns == from.columns
                && wanted.ref_table == from.ref_table
                && wanted.ref_columns == from.ref_columns
        });
        let Some(wanted) = wanted else { return };
        let before = wanted.clone();
        take_deferrability(from.deferrability, &mut wanted.deferrability);
        if wanted.match_type == MatchType::Simple {
            wanted.match_type = from.match_type;
        }
        if wanted.on_delete == from.on_delete {
            take_list(&from.on_delete_columns, &mut wanted.on_delete_columns);
        }
        if *wanted != before {
            self.leave(format!(
                "options of foreign key {table} ({})",
                from.columns.join(", ")
            ));
        }
    }

    fn check(&mut self, table: &str, check: &Check, to: &mut Table) {
        let rules = self.context.rules;
        let canonical = rules.canonical_expression(&check.expression);
        let is_stated = to.checks.iter().any(|other| {
            (check.name.is_some() && other.name == check.name)
                || rules.canonical_expression(&other.expression) == canonical
        });
        if is_stated || !has_columns(to, &check.columns) {
            return;
        }
        to.checks.push(check.clone());
        let called = check
            .name
            .clone()
            .unwrap_or_else(|| format!("({})", rules.short_expression(&check.expression)));
        self.leave(format!("check {called} of {table}"));
    }

    fn index(&mut self, table: &str, name: &str, index: &Index, to: &mut Table) {
        let columns: Vec<String> = index.columns().map(ToOwned::to_owned).collect();
        if !has_columns(to, &columns) {
            return;
        }
        if let Some(wanted) = to.indexes.get_mut(name) {
            if take_index_options(index, wanted) {
                self.leave(format!("options of index {name} on {table}"));
            }
            return;
        }
        let has_twin = to
            .indexes
            .values()
            .any(|other| is_same_but_for_name(index, other));
        if !is_expressible(index) && !has_twin {
            to.indexes.insert(name.to_owned(), index.clone());
            self.leave(format!("index {name} on {table}"));
        }
    }
}

/// Whether an entity can ask for an index of this form.
fn is_expressible(index: &Index) -> bool {
    index.method == "btree"
        && index.plain_columns().is_some()
        && index.include.is_empty()
        && index.predicate.is_none()
        && !index.nulls_not_distinct
        && !index.invisible
        && index.options.is_empty()
}

fn is_same_but_for_name(a: &Index, b: &Index) -> bool {
    a.unique == b.unique && a.method == b.method && a.keys == b.keys && a.predicate == b.predicate
}

/// Takes over what the wanted index of the same name and keys leaves unsaid. Says whether there was
/// something.
fn take_index_options(from: &Index, to: &mut Index) -> bool {
    let same_keys = from.keys.len() == to.keys.len()
        && from
            .keys
            .iter()
            .zip(&to.keys)
            .all(|(a, b)| a.column == b.column && a.column.is_some());
    if from.unique != to.unique || !same_keys || !is_expressible(to) {
        return false;
    }
    let before = to.clone();
    let name = std::mem::take(&mut to.name);
    let comment = to.comment.take();
    let valid = to.valid;
    *to = from.clone();
    to.name = name;
    to.comment = comment;
    to.valid = valid;
    *to != before
}

fn has_columns(table: &Table, columns: &[String]) -> bool {
    columns.iter().all(|name| table.column(name).is_some())
}

fn take<T: Clone>(from: Option<&T>, to: &mut Option<T>) {
    if to.is_none() {
        *to = from.cloned();
    }
}

fn take_list<T: Clone>(from: &[T], to: &mut Vec<T>) {
    if to.is_empty() {
        *to = from.to_vec();
    }
}

fn take_deferrability(from: Deferrability, to: &mut Deferrability) {
    if *to == Deferrability::NotDeferrable {
        *to = from;
    }
}
