//! Operations as SQL.
//!
//! Every change of a column restates the column, so all operations on one table that can be done
//! together become one `ALTER TABLE`: the table is copied once at most, and what only works together
//! (a key and the column that it numbers) comes together.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::Rendered;
use crate::op::{Alteration, Object, Op, Rename};
use crate::schema::{Column, ForeignKey, Function, FunctionKind, Index, ObjectName, Schema, Table};

use super::catalogue::is_mariadb;
use super::read::{own_index_name, unlisted_index};
use super::write::{self, quoted};
use super::{alter, triggers};

/// The operations as SQL, one entry for each.
pub(crate) fn render(ops: &[Op], before: &Schema) -> Vec<Rendered> {
    let mut renderer = Renderer {
        ops,
        schema: before.clone(),
        rendered: vec![None; ops.len()],
        applied: vec![false; ops.len()],
        alters: BTreeMap::new(),
        indexes_of_created: BTreeMap::new(),
        triggers: BTreeMap::new(),
    };
    renderer.plan();
    for at in 0..ops.len() {
        renderer.step(at);
    }
    renderer
        .rendered
        .into_iter()
        .map(Option::unwrap_or_default)
        .collect()
}

/// A schema as statements that make it in an empty database.
pub(crate) fn render_schema(schema: &Schema) -> Vec<String> {
    let mut sql = Vec::new();
    let mut later = Vec::new();
    let mut made: BTreeSet<&ObjectName> = BTreeSet::new();
    for table in schema.tables.values() {
        let mut without = table.clone();
        made.insert(&table.name);
        without
            .foreign_keys
            .retain(|key| made.contains(&key.ref_table));
        for key in &table.foreign_keys {
            if !without.foreign_keys.contains(key) {
                later.push(add_foreign_key(&table.name, key, Some(table)));
            }
        }
        sql.push(write::create_table(&without, &[], &schema.server));
    }
    sql.extend(later);
    sql.extend(schema.functions.values().map(|f| f.definition.clone()));
    sql.extend(views_in_order(schema));
    for table in schema.tables.values() {
        let triggers = triggers::in_order(table.triggers.values().collect());
        sql.extend(triggers.into_iter().map(|t| t.definition.clone()));
    }
    sql
}

/// The statements that make the views, each after those that it reads.
fn views_in_order(schema: &Schema) -> Vec<String> {
    use crate::schema::ObjectRef;
    let mut waiting: Vec<&ObjectName> = schema.views.keys().collect();
    let mut sql = Vec::new();
    while !waiting.is_empty() {
        let is_ready = |name: &ObjectName| {
            !schema.dependencies.iter().any(|dependency| {
                let reads = matches!(
                    &dependency.needs,
                    ObjectRef::View { name: other } if waiting.contains(&other)
                );
                dependency.dependent == (ObjectRef::View { name: name.clone() }) && reads
            })
        };
        let next = waiting.iter().position(|name| is_ready(name)).unwrap_or(0);
        let name = waiting.remove(next);
        sql.extend(schema.views.get(name).map(write::view));
    }
    sql
}

struct Renderer<'a> {
    ops: &'a [Op],
    /// As the database is before the operation at hand.
    schema: Schema,
    rendered: Vec<Option<Rendered>>,
    /// Whether `schema` has the operation's effect already.
    applied: Vec<bool>,
    /// Where tables are altered, and the operations that this does.
    alters: BTreeMap<usize, Vec<usize>>,
    /// Indexes that come with the table of the operation at the position.
    indexes_of_created: BTreeMap<usize, Vec<Index>>,
    /// Where triggers of a table are made, and the operations that this does.
    triggers: BTreeMap<usize, Vec<usize>>,
}

impl Renderer<'_> {
    /// Decides which operations are done together.
    fn plan(&mut self) {
        let mut open: BTreeMap<ObjectName, Vec<usize>> = BTreeMap::new();
        let mut groups: Vec<Vec<usize>> = Vec::new();
        let mut created: BTreeMap<ObjectName, usize> = BTreeMap::new();
        let mut triggers: BTreeMap<ObjectName, Vec<usize>> = BTreeMap::new();
        let dropped = self.dropped_tables();
        let ops = self.ops;
        for (at, op) in ops.iter().enumerate() {
            let Some(table) = op.table().cloned() else {
                continue;
            };
            match op {
                Op::Create(Object::Table(_)) => {
                    created.insert(table, at);
                }
                Op::Create(Object::Index { index, .. }) if created.contains_key(&table) => {
                    let with = created[&table];
                    self.indexes_of_created
                        .entry(with)
                        .or_default()
                        .push(index.clone());
                    self.done_with(at, with);
                }
                // What goes with its table needs nothing of its own.
                Op::Drop(Object::Index { .. } | Object::Trigger { .. })
                    if dropped.get(&table).is_some_and(|drop| at < *drop) =>
                {
                    self.done_with(at, dropped[&table]);
                }
                Op::Rename(Rename::Table { from, to }) => {
                    groups.extend(open.remove(from));
                    groups.extend(open.remove(to));
                }
                Op::Rename(Rename::Column { .. }) => groups.extend(open.remove(&table)),
                Op::Create(Object::Trigger { .. }) => {
                    triggers.entry(table).or_default().push(at);
                }
                _ if alter::is_filled(op)
                    || (is_plainly_unfilled(op)
                        && self.keeps_a_column(&table)
                        && !self.moves_a_numbered_key(&table)) =>
                {
                    groups.extend(open.remove(&table));
                    groups.push(vec![at]);
                }
                _ if alter::is_clause(op) => open.entry(table).or_default().push(at),
                _ => {}
            }
        }
        groups.extend(open.into_values());
        for group in groups {
            self.place(&group);
        }
        for group in triggers.into_values() {
            for at in &group[1..] {
                self.done_with(*at, group[0]);
            }
            self.triggers.insert(group[0], group);
        }
    }

    /// Whether a column of the table stays: one whose columns are all exchanged needs them dropped
    /// and added together.
    fn keeps_a_column(&self, table: &ObjectName) -> bool {
        let renamed = self.ops.iter().find_map(|op| match op {
            Op::Rename(Rename::Table { from, to }) if to == table => Some(from),
            _ => None,
        });
        let Some(before) = self.schema.tables.get(renamed.unwrap_or(table)) else {
            return false;
        };
        let dropped = self.ops.iter().filter(
            |op| matches!(op, Op::Drop(Object::Column { table: other, .. }) if other == table),
        );
        dropped.count() < before.columns.len()
    }

    /// Whether the key of a numbered column goes: the server takes that only together with what
    /// becomes of the column.
    fn moves_a_numbered_key(&self, table: &ObjectName) -> bool {
        let is_numbered = self.schema.tables.get(table).is_some_and(|before| {
            let mut columns = before.columns.iter();
            columns.any(|column| column.identity.is_some())
        });
        is_numbered
            && self.ops.iter().any(|op| {
                op.table() == Some(table)
                    && matches!(
                        op,
                        Op::Drop(
                            Object::PrimaryKey { .. }
                                | Object::Unique { .. }
                                | Object::Index { .. }
                        )
                    )
            })
    }

    fn dropped_tables(&self) -> BTreeMap<ObjectName, usize> {
        let drops = self.ops.iter().enumerate().filter_map(|(at, op)| match op {
            Op::Drop(Object::Table(table)) => Some((table.name.clone(), at)),
            _ => None,
        });
        drops.collect()
    }

    fn done_with(&mut self, at: usize, with: usize) {
        self.rendered[at] = Some(Rendered {
            done_with: Some(with),
            ..Rendered::default()
        });
    }

    /// The operations become one statement at the first of them that comes after every foreign key
    /// in its way is gone.
    fn place(&mut self, group: &[usize]) {
        let (Some(first), Some(last)) = (group.first(), group.last()) else {
            return;
        };
        let Some(table) = self.ops[*first].table() else {
            return;
        };
        let hindrance = (*first..*last)
            .rev()
            .find(|at| frees(&self.ops[*at], table));
        let place = match hindrance {
            Some(hindrance) => group.iter().copied().find(|at| *at > hindrance),
            None => Some(*first),
        };
        let place = place.unwrap_or(*last);
        for at in group {
            if *at != place {
                self.done_with(*at, place);
            }
        }
        self.alters.insert(place, group.to_vec());
    }

    fn step(&mut self, at: usize) {
        if let Some(group) = self.alters.get(&at).cloned() {
            let mut rendered = self.alter(&group);
            for earlier in group.iter().filter(|other| **other <= at) {
                rendered.sql.extend(self.foreign_keys_of_column(*earlier));
            }
            self.rendered[at] = Some(rendered);
            return;
        }
        if self.applied[at] {
            // The column is there since an earlier statement; what it refers to may not have been.
            let sql = self.foreign_keys_of_column(at);
            if !sql.is_empty() {
                self.rendered[at] = Some(Rendered {
                    sql,
                    ..Rendered::default()
                });
            }
            return;
        }
        if let Some(group) = self.triggers.get(&at).cloned() {
            let rendered = self.create_triggers(&group);
            self.rendered[at] = Some(rendered);
            return;
        }
        let waits = self
            .alters
            .iter()
            .any(|(place, group)| at < *place && group.contains(&at));
        if waits {
            return;
        }
        let op = &self.ops[at];
        if self.rendered[at].is_none() {
            self.rendered[at] = Some(Rendered {
                sql: self.alone(at, op),
                ..Rendered::default()
            });
        }
        op.apply(&mut self.schema);
        self.applied[at] = true;
    }

    /// The foreign keys that come with the column that the operation makes, if it makes one.
    fn foreign_keys_of_column(&self, at: usize) -> Vec<String> {
        let Op::Create(Object::Column {
            table, dependents, ..
        }) = &self.ops[at]
        else {
            return Vec::new();
        };
        let keys = dependents.iter().filter_map(|object| match object {
            Object::ForeignKey { foreign_key, .. } => Some(foreign_key),
            _ => None,
        });
        keys.map(|key| add_foreign_key(table, key, self.schema.tables.get(table)))
            .collect()
    }

    /// One `ALTER TABLE` for all of the operations.
    fn alter(&mut self, group: &[usize]) -> Rendered {
        let ops: Vec<&Op> = group.iter().map(|at| &self.ops[*at]).collect();
        let Some(name) = ops.first().and_then(|op| op.table()).cloned() else {
            return Rendered::default();
        };
        let Some(before) = self.schema.tables.get(&name).cloned() else {
            return Rendered::default();
        };
        for (at, op) in group.iter().zip(&ops) {
            op.apply(&mut self.schema);
            self.applied[*at] = true;
        }
        let Some(after) = self.schema.tables.get(&name) else {
            return Rendered::default();
        };
        let unfilled = ops.iter().filter_map(|op| alter::unfilled(op));
        Rendered {
            sql: alter::statements(&ops, &before, after, &self.schema.server),
            notes: unfilled.map(in_steps).collect(),
            ..Rendered::default()
        }
    }

    /// Makes the triggers in the order in which they fire.
    fn create_triggers(&mut self, group: &[usize]) -> Rendered {
        let mut made = Vec::new();
        for at in group {
            if let Op::Create(Object::Trigger { table, trigger }) = &self.ops[*at] {
                made.push((table, trigger));
                self.applied[*at] = true;
            }
        }
        let mut sql = Vec::new();
        for trigger in triggers::in_order(made.iter().map(|(_, trigger)| *trigger).collect()) {
            let Some((table, _)) = made.first() else {
                break;
            };
            if let Some(table) = self.schema.tables.get_mut(table) {
                sql.push(triggers::create(trigger, &table.triggers));
                table.triggers.insert(trigger.name.clone(), trigger.clone());
            }
        }
        Rendered {
            sql,
            ..Rendered::default()
        }
    }

    fn alone(&self, at: usize, op: &Op) -> Vec<String> {
        match op {
            Op::Create(object) => self.create(at, object),
            Op::Drop(object) => self.drop(object),
            Op::Rename(rename) => self.rename(rename),
            Op::Alter(alteration) => match alteration {
                Alteration::View { to, .. } => vec![write::view(to)],
                Alteration::Function { from, to } => {
                    vec![drop_function(from), to.definition.clone()]
                }
                Alteration::Trigger { from, to, .. } => vec![
                    format!("DROP TRIGGER {}", quoted(&from.name)),
                    to.definition.clone(),
                ],
                _ => Vec::new(),
            },
        }
    }

    fn create(&self, at: usize, object: &Object) -> Vec<String> {
        match object {
            Object::Table(table) => {
                let indexes = self.indexes_of_created.get(&at);
                let indexes: Vec<&Index> = indexes.into_iter().flatten().collect();
                let mut sql = vec![write::create_table(table, &indexes, &self.schema.server)];
                let triggers = triggers::in_order(table.triggers.values().collect());
                sql.extend(triggers.into_iter().map(|t| t.definition.clone()));
                sql
            }
            Object::View(view) => vec![write::view(view)],
            Object::Function(function) => vec![function.definition.clone()],
            Object::ForeignKey { table, foreign_key } => {
                let known = self.schema.tables.get(table);
                vec![add_foreign_key(table, foreign_key, known)]
            }
            // Clauses are rendered together; MySQL has nothing of the rest.
            _ => Vec::new(),
        }
    }

    fn drop(&self, object: &Object) -> Vec<String> {
        match object {
            Object::Table(table) => vec![format!("DROP TABLE {}", quoted(&table.name.name))],
            Object::View(view) => vec![format!("DROP VIEW {}", quoted(&view.name.name))],
            Object::Function(function) => vec![drop_function(function)],
            Object::Trigger { trigger, .. } => {
                vec![format!("DROP TRIGGER {}", quoted(&trigger.name))]
            }
            Object::ForeignKey { table, foreign_key } => {
                vec![self.drop_foreign_key(table, foreign_key)]
            }
            _ => Vec::new(),
        }
    }

    /// The server leaves the index behind that it made for the foreign key, so it goes too, unless
    /// another foreign key uses it by now.
    fn drop_foreign_key(&self, table: &ObjectName, foreign_key: &ForeignKey) -> String {
        let name = foreign_key.name.as_deref().unwrap_or_default();
        let mut sql = format!(
            "ALTER TABLE {} DROP FOREIGN KEY {}",
            quoted(&table.name),
            quoted(name)
        );
        let Some(known) = self.schema.tables.get(table) else {
            return sql;
        };
        let own = own_index_name(foreign_key);
        let Some(index) = unlisted_index(known, foreign_key).filter(|i| Some(i) == own) else {
            return sql;
        };
        let heir = known.foreign_keys.iter().find(|other| {
            other.name != foreign_key.name && super::read::serves(&foreign_key.columns, other)
        });
        let clause = match heir.and_then(own_index_name) {
            None => format!(", DROP INDEX {}", quoted(&index)),
            Some(heir) if *heir != index => {
                format!(", RENAME INDEX {} TO {}", quoted(&index), quoted(heir))
            }
            Some(_) => String::new(),
        };
        sql.push_str(&clause);
        sql
    }

    fn rename(&self, rename: &Rename) -> Vec<String> {
        match rename {
            Rename::Table { from, to } => vec![format!(
                "ALTER TABLE {} RENAME TO {}",
                quoted(&from.name),
                quoted(&to.name)
            )],
            Rename::Column {
                table, from, to, ..
            } => vec![self.rename_column(table, from, to)],
            Rename::Constraint { table, from, to } => self.rename_constraint(table, from, to),
            Rename::Index { .. } | Rename::EnumValue { .. } => Vec::new(),
        }
    }

    fn rename_column(&self, table: &ObjectName, from: &str, to: &str) -> String {
        let server = &self.schema.server;
        let knows_rename = if is_mariadb(server) {
            server.version_number >= (10, 5, 2)
        } else {
            server.version_number >= (8, 0, 0)
        };
        let known = self.schema.tables.get(table);
        let column = known.and_then(|known| known.column(from).cloned());
        match (known, column) {
            (Some(known), Some(mut column)) if !knows_rename => {
                to.clone_into(&mut column.name);
                format!(
                    "ALTER TABLE {} CHANGE COLUMN {} {}",
                    quoted(&table.name),
                    quoted(from),
                    write::column(&column, known, server)
                )
            }
            _ => format!(
                "ALTER TABLE {} RENAME COLUMN {} TO {}",
                quoted(&table.name),
                quoted(from),
                quoted(to)
            ),
        }
    }

    /// A unique key can be renamed; a foreign key or check is dropped and made again.
    fn rename_constraint(&self, table: &ObjectName, from: &str, to: &str) -> Vec<String> {
        let Some(known) = self.schema.tables.get(table) else {
            return Vec::new();
        };
        let is_meant = |name: &Option<String>| name.as_deref() == Some(from);
        let alter = format!("ALTER TABLE {}", quoted(&table.name));
        if known.uniques.iter().any(|unique| is_meant(&unique.name)) {
            return vec![format!(
                "{alter} RENAME INDEX {} TO {}",
                quoted(from),
                quoted(to)
            )];
        }
        if let Some(key) = known.foreign_keys.iter().find(|key| is_meant(&key.name)) {
            let mut renamed = key.clone();
            renamed.name = Some(to.to_owned());
            return vec![
                self.drop_foreign_key(table, key),
                add_foreign_key(table, &renamed, None),
            ];
        }
        if let Some(check) = known.checks.iter().find(|check| is_meant(&check.name)) {
            let mut renamed = check.clone();
            renamed.name = Some(to.to_owned());
            return vec![format!(
                "{alter} {}, ADD {}",
                alter::drop_check(check, &self.schema.server),
                write::check(&renamed)
            )];
        }
        Vec::new()
    }
}

/// Whether the operation adds a column, and nothing with it, without a value for the rows that are
/// there. Standing alone, a revision can show its steps.
fn is_plainly_unfilled(op: &Op) -> bool {
    let is_plain = matches!(
        op,
        Op::Create(Object::Column { dependents, .. }) if dependents.is_empty()
    );
    is_plain && alter::unfilled(op).is_some()
}

fn in_steps(column: &Column) -> String {
    format!(
        "{} takes NULL at first, or the server would make up values: rows that have none by the last step make it fail",
        column.name
    )
}

/// Whether the operation takes a foreign key away that holds the table or its columns.
fn frees(op: &Op, table: &ObjectName) -> bool {
    match op {
        Op::Drop(Object::ForeignKey {
            table: owner,
            foreign_key,
        }) => owner == table || foreign_key.ref_table == *table,
        Op::Drop(Object::Table(dropped)) => dropped
            .foreign_keys
            .iter()
            .any(|key| key.ref_table == *table),
        Op::Drop(Object::Column {
            table: owner,
            dependents,
            ..
        }) => {
            owner != table
                && dependents.iter().any(|object| {
                    matches!(object, Object::ForeignKey { foreign_key, .. }
                        if foreign_key.ref_table == *table)
                })
        }
        _ => false,
    }
}

/// Adds a foreign key. An index of its own that is not named as the constraint is made by name.
fn add_foreign_key(name: &ObjectName, foreign_key: &ForeignKey, table: Option<&Table>) -> String {
    let index = table
        .and_then(|table| write::named_own_index(table, foreign_key))
        .map_or_else(String::new, |index| format!("ADD {index}, "));
    format!(
        "ALTER TABLE {} {index}ADD {}",
        quoted(&name.name),
        write::foreign_key(foreign_key)
    )
}

fn drop_function(function: &Function) -> String {
    let kind = match function.kind {
        FunctionKind::Function => "FUNCTION",
        FunctionKind::Procedure => "PROCEDURE",
    };
    format!("DROP {kind} {}", quoted(&function.name.name))
}
