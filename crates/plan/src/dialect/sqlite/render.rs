//! Operations as SQL.
//!
//! What `ALTER TABLE` can do is done by it. For everything else the table is made anew, once for all
//! operations on it that stand together.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::Rendered;
use crate::op::{Alteration, ColumnAspect, Object, Op, Rename, Warning};
use crate::schema::{Column, ForeignKey, Index, ObjectName, Schema, Table, Trigger, View};

use super::alter;
use super::rebuild::{OnFailure, Rebuild};
use super::write::{self, quoted};
use super::{canonical, edit};

/// The operations as SQL, one entry for each.
pub(crate) fn render(ops: &[Op], before: &Schema) -> Vec<Rendered> {
    let mut renderer = Renderer {
        ops,
        schema: before.clone(),
        rendered: vec![None; ops.len()],
        rebuilds: BTreeMap::new(),
        inlined: BTreeMap::new(),
        applied: vec![false; ops.len()],
    };
    let groups = groups(ops);
    for at in 0..ops.len() {
        if let Some(group) = groups.iter().find(|group| group.first() == Some(&at)) {
            renderer.plan(group);
        }
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
    let tables = schema.tables.values();
    let mut sql: Vec<String> = tables.map(|table| table_text(table, schema)).collect();
    for table in schema.tables.values() {
        let name = &table.name.name;
        let indexes = table.indexes.values();
        sql.extend(indexes.map(|index| write::create_index(name, index)));
    }
    sql.extend(schema.views.values().map(|view| view.definition.clone()));
    let of_tables = schema.tables.values().flat_map(|t| t.triggers.values());
    let of_views = schema.views.values().flat_map(|v| v.triggers.values());
    sql.extend(of_tables.chain(of_views).map(|t| t.definition.clone()));
    sql
}

/// The statement that makes the table: as its author wrote it where that still says the same.
fn table_text(table: &Table, schema: &Schema) -> String {
    let written = table.options.sql.as_deref();
    written
        .and_then(|sql| edit::edit_table(sql, table, &schema.tables).ok())
        .unwrap_or_else(|| write::create_table(table))
}

/// Positions of the operations that change one table while its name and those of its columns stay.
fn groups(ops: &[Op]) -> Vec<Vec<usize>> {
    let mut groups: Vec<Vec<usize>> = Vec::new();
    let mut open: BTreeMap<&ObjectName, usize> = BTreeMap::new();
    for (at, op) in ops.iter().enumerate() {
        let Some(table) = op.table() else {
            continue;
        };
        match op {
            Op::Rename(Rename::Table { from, to }) => {
                open.remove(from);
                open.remove(to);
            }
            Op::Create(Object::Table(_))
            | Op::Drop(Object::Table(_))
            | Op::Rename(Rename::Column { .. }) => {
                open.remove(table);
            }
            _ => {
                let group = *open.entry(table).or_insert_with(|| {
                    groups.push(Vec::new());
                    groups.len() - 1
                });
                groups[group].push(at);
            }
        }
    }
    groups
}

struct Renderer<'a> {
    ops: &'a [Op],
    /// As the database is before the operation at hand.
    schema: Schema,
    rendered: Vec<Option<Rendered>>,
    /// Where tables are made anew, and the operations that this does.
    rebuilds: BTreeMap<usize, Vec<usize>>,
    /// Foreign keys that come with the column of the operation at the position.
    inlined: BTreeMap<usize, ForeignKey>,
    /// Whether `schema` has the operation's effect already.
    applied: Vec<bool>,
}

impl Renderer<'_> {
    /// Decides how the operations of a group are done.
    fn plan(&mut self, group: &[usize]) {
        let Some(table) = self.ops[group[0]].table() else {
            return;
        };
        let Some(table) = self.schema.tables.get(table) else {
            return;
        };
        let group_ops: Vec<&Op> = group.iter().map(|at| &self.ops[*at]).collect();
        let needing: Vec<usize> = group
            .iter()
            .copied()
            .filter(|at| self.needs_rebuild(&self.ops[*at], table, &group_ops))
            .collect();
        let inlined: Vec<Option<(usize, ForeignKey)>> = needing
            .iter()
            .map(|at| self.can_be_inlined(*at, group, &needing))
            .collect();
        if let Some(inlined) = inlined.into_iter().collect::<Option<Vec<_>>>() {
            for (at, (with, foreign_key)) in needing.into_iter().zip(inlined) {
                self.inlined.insert(with, foreign_key);
                self.rendered[at] = Some(Rendered {
                    done_with: Some(with),
                    ..Rendered::default()
                });
            }
            return;
        }
        let Some(first) = needing.first().copied() else {
            return;
        };
        let is_column = |op: &Op| {
            matches!(
                op,
                Op::Create(Object::Column { .. }) | Op::Drop(Object::Column { .. })
            )
        };
        let done: Vec<usize> = group
            .iter()
            .copied()
            .filter(|at| *at >= first || is_column(&self.ops[*at]))
            .collect();
        for at in &done {
            self.rendered[*at] = Some(Rendered {
                done_with: (*at != first).then_some(first),
                warnings: if needing.contains(at) {
                    BTreeSet::from([Warning::TableRebuild])
                } else {
                    BTreeSet::new()
                },
                ..Rendered::default()
            });
        }
        self.rebuilds.insert(first, done);
    }

    fn needs_rebuild(&self, op: &Op, table: &Table, group: &[&Op]) -> bool {
        match op {
            Op::Create(object) => match object {
                Object::Column {
                    column, dependents, ..
                } => {
                    alter::fill(op).is_some()
                        || !alter::can_add(column)
                        || dependents
                            .iter()
                            .any(|d| !matches!(d, Object::Index { .. }))
                }
                Object::PrimaryKey { .. }
                | Object::Unique { .. }
                | Object::ForeignKey { .. }
                | Object::Check { .. } => true,
                _ => false,
            },
            Op::Drop(object) => match object {
                Object::Column {
                    column, dependents, ..
                } => {
                    dependents
                        .iter()
                        .any(|d| !matches!(d, Object::Index { .. }))
                        || !alter::can_drop(column, table, &self.schema, group)
                }
                Object::PrimaryKey { .. }
                | Object::Unique { .. }
                | Object::ForeignKey { .. }
                | Object::Check { .. } => true,
                _ => false,
            },
            Op::Rename(rename) => matches!(rename, Rename::Constraint { .. }),
            Op::Alter(alteration) => match alteration {
                Alteration::Column { aspect, .. } => *aspect != ColumnAspect::Comment,
                Alteration::TableOptions { from, to, .. } => {
                    (from.strict, from.without_rowid) != (to.strict, to.without_rowid)
                }
                _ => false,
            },
        }
    }

    /// The operation that adds the column, if the one at the position adds a foreign key that can
    /// stand with the column.
    fn can_be_inlined(
        &self,
        at: usize,
        group: &[usize],
        needing: &[usize],
    ) -> Option<(usize, ForeignKey)> {
        let Op::Create(Object::ForeignKey { foreign_key, .. }) = &self.ops[at] else {
            return None;
        };
        let [only] = foreign_key.columns.as_slice() else {
            return None;
        };
        let with = group.iter().copied().find(|other| {
            matches!(
                &self.ops[*other],
                Op::Create(Object::Column { column, .. })
                    if column.name == *only && column.default.is_none()
            )
        })?;
        let is_taken = needing.iter().any(|other| {
            *other != at
                && matches!(
                    &self.ops[*other],
                    Op::Create(Object::ForeignKey { foreign_key, .. })
                        if foreign_key.columns == [only.clone()]
                )
        });
        (with < at && !needing.contains(&with) && !is_taken).then(|| (with, foreign_key.clone()))
    }

    fn step(&mut self, at: usize) {
        let op = &self.ops[at];
        if let Some(done) = self.rebuilds.get(&at).cloned() {
            self.rebuild(at, &done);
            return;
        }
        let waits = self
            .rebuilds
            .iter()
            .any(|(first, done)| at < *first && done.contains(&at));
        if waits || self.applied[at] {
            return;
        }
        if self.rendered[at].is_none() {
            self.rendered[at] = Some(self.alone(at, op));
        }
        if let Op::Rename(rename) = op {
            self.rename_in_texts(rename);
        }
        op.apply(&mut self.schema);
        self.applied[at] = true;
    }

    /// Makes a table anew, for all of the operations.
    fn rebuild(&mut self, at: usize, done: &[usize]) {
        let Some(name) = self.ops[at].table().cloned() else {
            return;
        };
        let Some(old) = self.schema.tables.get(&name).cloned() else {
            return;
        };
        let mut expressions = Vec::new();
        for position in done {
            let op = &self.ops[*position];
            expressions.extend(alter::fill(op));
            op.apply(&mut self.schema);
            self.applied[*position] = true;
        }
        if let Some(table) = self.schema.tables.get_mut(&name)
            && table.options.strict
            && !old.options.strict
        {
            for column in &mut table.columns {
                column.column_type = canonical::strict_type(&column.column_type);
            }
        }
        let Some(new) = self.schema.tables.get(&name) else {
            return;
        };
        let create = table_text(new, &self.schema);
        let rebuild = Rebuild::new(&old, new, create.clone(), &expressions, &self.schema);
        if let Some(table) = self.schema.tables.get_mut(&name) {
            table.options.sql = Some(create);
        }
        if let Some(rendered) = &mut self.rendered[at] {
            rendered.sql = rebuild.statements(OnFailure::RollBack);
            rendered.notes.push(format!(
                "SQLite cannot change this in place: {name} is copied into a new table"
            ));
        }
    }

    /// Renames in the statements of tables what SQLite renames in them.
    fn rename_in_texts(&mut self, rename: &Rename) {
        let renamed = |sql: &str| match rename {
            Rename::Table { from, to } => edit::rename_table(sql, &from.name, &to.name).ok(),
            Rename::Column {
                table, from, to, ..
            } => edit::rename_column(sql, &table.name, from, to).ok(),
            _ => None,
        };
        let (Rename::Table { from: table, .. } | Rename::Column { table, .. }) = rename else {
            return;
        };
        for other in self.schema.tables.values_mut() {
            let refers = other.foreign_keys.iter().any(|key| key.ref_table == *table);
            if other.name == *table || refers {
                other.options.sql = other.options.sql.as_deref().and_then(renamed);
            }
        }
    }

    /// An operation that needs no other.
    fn alone(&self, at: usize, op: &Op) -> Rendered {
        let sql = match op {
            Op::Create(object) => self.create(at, object),
            Op::Drop(object) => drop_object(object),
            Op::Rename(rename) => rename_object(rename),
            Op::Alter(alteration) => self.alter(alteration),
        };
        Rendered {
            sql,
            ..Rendered::default()
        }
    }

    fn create(&self, at: usize, object: &Object) -> Vec<String> {
        match object {
            Object::Table(table) => {
                let mut sql = vec![table_text(table, &self.schema)];
                let name = &table.name.name;
                let indexes = table.indexes.values();
                sql.extend(indexes.map(|index| write::create_index(name, index)));
                sql.extend(table.triggers.values().map(|t| t.definition.clone()));
                sql
            }
            Object::Column {
                table,
                column,
                dependents,
                ..
            } => {
                let mut sql = vec![add_column(table, column, self.inlined.get(&at))];
                sql.extend(dependents.iter().flat_map(|d| self.create(at, d)));
                sql
            }
            Object::View(view) => create_view(view),
            Object::Index { table, index } => vec![write::create_index(&table.name, index)],
            Object::Trigger { trigger, .. } => vec![trigger.definition.clone()],
            // Constraints come with the table, and SQLite has nothing of the rest.
            _ => Vec::new(),
        }
    }

    fn alter(&self, alteration: &Alteration) -> Vec<String> {
        match alteration {
            Alteration::View { from, to } => {
                let mut view = to.clone();
                // Its triggers go with it, and operations of their own change them.
                if let Some(known) = self.schema.views.get(&from.name) {
                    view.triggers.clone_from(&known.triggers);
                }
                let mut sql = vec![format!("DROP VIEW {}", quoted(&from.name.name))];
                sql.extend(create_view(&view));
                sql
            }
            Alteration::Trigger { from, to, .. } => {
                vec![drop_trigger(from), to.definition.clone()]
            }
            // SQLite keeps no comments and has nothing of the rest.
            _ => Vec::new(),
        }
    }
}

fn add_column(table: &ObjectName, column: &Column, foreign_key: Option<&ForeignKey>) -> String {
    let mut sql = format!(
        "ALTER TABLE {} ADD COLUMN {}",
        quoted(&table.name),
        write::column_definition(column, None)
    );
    if let Some(foreign_key) = foreign_key {
        sql.push(' ');
        sql.push_str(&write::named(foreign_key.name.as_deref()));
        sql.push_str(&write::references(foreign_key));
    }
    sql
}

fn create_view(view: &View) -> Vec<String> {
    let triggers = view.triggers.values().map(|t| t.definition.clone());
    std::iter::once(view.definition.clone())
        .chain(triggers)
        .collect()
}

fn drop_object(object: &Object) -> Vec<String> {
    match object {
        Object::Table(table) => vec![format!("DROP TABLE {}", quoted(&table.name.name))],
        Object::View(view) => vec![format!("DROP VIEW {}", quoted(&view.name.name))],
        Object::Index { index, .. } => vec![drop_index(index)],
        Object::Trigger { trigger, .. } => vec![drop_trigger(trigger)],
        Object::Column {
            table,
            column,
            dependents,
            ..
        } => {
            let mut sql: Vec<String> = dependents.iter().flat_map(drop_object).collect();
            sql.push(format!(
                "ALTER TABLE {} DROP COLUMN {}",
                quoted(&table.name),
                quoted(&column.name)
            ));
            sql
        }
        _ => Vec::new(),
    }
}

fn drop_index(index: &Index) -> String {
    format!("DROP INDEX {}", quoted(&index.name))
}

fn drop_trigger(trigger: &Trigger) -> String {
    format!("DROP TRIGGER {}", quoted(&trigger.name))
}

fn rename_object(rename: &Rename) -> Vec<String> {
    match rename {
        Rename::Table { from, to } => vec![format!(
            "ALTER TABLE {} RENAME TO {}",
            quoted(&from.name),
            quoted(&to.name)
        )],
        Rename::Column {
            table, from, to, ..
        } => vec![format!(
            "ALTER TABLE {} RENAME COLUMN {} TO {}",
            quoted(&table.name),
            quoted(from),
            quoted(to)
        )],
        Rename::Index {
            table, index, to, ..
        } => {
            let mut renamed = index.clone();
            renamed.name.clone_from(to);
            vec![
                drop_index(index),
                write::create_index(&table.name, &renamed),
            ]
        }
        Rename::Constraint { .. } | Rename::EnumValue { .. } => Vec::new(),
    }
}
