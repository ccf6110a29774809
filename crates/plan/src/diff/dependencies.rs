//! What needs what: the catalogue's own knowledge together with what the model shows.

use std::collections::{BTreeMap, BTreeSet};

use crate::op::{Alteration, CommentTarget, Object, Op, Rename};
use crate::schema::{Named, ObjectName, ObjectRef, Schema, Table, TypeKind};

/// The dependencies of one schema, in both directions.
#[derive(Debug, Default)]
pub(super) struct Dependencies {
    dependents: BTreeMap<ObjectRef, BTreeSet<ObjectRef>>,
    needs: BTreeMap<ObjectRef, BTreeSet<ObjectRef>>,
}

impl Dependencies {
    /// Of everything in the schema.
    pub(super) fn of(schema: &Schema) -> Self {
        let mut dependencies = Self::default();
        for dependency in &schema.dependencies {
            dependencies.add(dependency.dependent.clone(), dependency.needs.clone());
        }
        for table in schema.tables.values() {
            for (dependent, needs) in of_table(table) {
                dependencies.add(dependent, needs);
            }
        }
        for view in schema.views.values() {
            for name in view.triggers.keys() {
                let trigger = ObjectRef::Trigger {
                    table: view.name.clone(),
                    name: name.clone(),
                };
                let name = view.name.clone();
                dependencies.add(trigger, ObjectRef::View { name });
            }
        }
        dependencies
    }

    fn add(&mut self, dependent: ObjectRef, needs: ObjectRef) {
        self.dependents
            .entry(needs.clone())
            .or_default()
            .insert(dependent.clone());
        self.needs.entry(dependent).or_default().insert(needs);
    }

    /// What needs the object.
    pub(super) fn dependents(&self, object: &ObjectRef) -> impl Iterator<Item = &ObjectRef> {
        self.dependents.get(object).into_iter().flatten()
    }

    /// What the object needs.
    pub(super) fn needs(&self, object: &ObjectRef) -> impl Iterator<Item = &ObjectRef> {
        self.needs.get(object).into_iter().flatten()
    }
}

/// What the parts of a table need, as the table itself shows it.
pub(super) fn of_table(table: &Table) -> Vec<(ObjectRef, ObjectRef)> {
    let whole = ObjectRef::Table {
        name: table.name.clone(),
    };
    let column = |name: &String| ObjectRef::Column {
        table: table.name.clone(),
        column: name.clone(),
    };
    let constraint = |name: &Option<String>| ObjectRef::Constraint {
        table: table.name.clone(),
        name: name.clone().unwrap_or_default(),
    };
    let mut list = Vec::new();
    if let Some(schema) = &table.name.schema {
        let name = schema.clone();
        list.push((whole.clone(), ObjectRef::Namespace { name }));
    }
    for parent in &table.options.inherits {
        let name = parent.clone();
        list.push((whole.clone(), ObjectRef::Table { name }));
    }
    for item in &table.columns {
        if let Some(name) = item.column_type.user_type.clone()
            && item.column_type.kind != TypeKind::Builtin
        {
            let needed = ObjectRef::Type { name };
            list.push((whole.clone(), needed.clone()));
            list.push((column(&item.name), needed));
        }
    }
    if let Some(key) = &table.primary_key {
        for name in key.columns.iter().chain(&key.include) {
            list.push((constraint(&key.name), column(name)));
        }
    }
    for unique in &table.uniques {
        for name in unique.columns.iter().chain(&unique.include) {
            list.push((constraint(&unique.name), column(name)));
        }
    }
    for check in &table.checks {
        for name in &check.columns {
            list.push((constraint(&check.name), column(name)));
        }
    }
    for exclusion in &table.exclusions {
        for name in &exclusion.columns {
            list.push((constraint(&Some(exclusion.name.clone())), column(name)));
        }
    }
    for foreign_key in &table.foreign_keys {
        let me = constraint(&foreign_key.name);
        for name in &foreign_key.columns {
            list.push((me.clone(), column(name)));
        }
        if foreign_key.ref_table != table.name {
            let name = foreign_key.ref_table.clone();
            list.push((whole.clone(), ObjectRef::Table { name: name.clone() }));
            list.push((me.clone(), ObjectRef::Table { name }));
        }
        for name in &foreign_key.ref_columns {
            let needed = ObjectRef::Column {
                table: foreign_key.ref_table.clone(),
                column: name.clone(),
            };
            list.push((me.clone(), needed));
        }
    }
    for index in table.indexes.values() {
        let me = ObjectRef::Index {
            table: table.name.clone(),
            name: index.name.clone(),
        };
        for name in index.columns() {
            list.push((me.clone(), column(&name.to_owned())));
        }
    }
    for name in table.triggers.keys() {
        let me = ObjectRef::Trigger {
            table: table.name.clone(),
            name: name.clone(),
        };
        list.push((me, whole.clone()));
    }
    for name in table.policies.keys() {
        let me = ObjectRef::Policy {
            table: table.name.clone(),
            name: name.clone(),
        };
        list.push((me, whole.clone()));
    }
    list
}

impl Object {
    /// What it is, for dependencies. A table stands for its columns and constraints too.
    pub(super) fn refs(&self) -> Vec<ObjectRef> {
        let constraint = |table: &ObjectName, name: &Option<String>| ObjectRef::Constraint {
            table: table.clone(),
            name: name.clone().unwrap_or_default(),
        };
        vec![match self {
            Self::Schema { name, .. } => ObjectRef::Namespace { name: name.clone() },
            Self::Extension { name, .. } => ObjectRef::Extension { name: name.clone() },
            Self::Enum(item) => ObjectRef::Type { name: item.key() },
            Self::Domain(item) => ObjectRef::Type { name: item.key() },
            Self::Composite(item) => ObjectRef::Type { name: item.key() },
            Self::Range(item) => {
                let names = [&item.name].into_iter().chain(&item.multirange);
                return names
                    .map(|name| ObjectRef::Type { name: name.clone() })
                    .collect();
            }
            Self::Sequence(item) => ObjectRef::Sequence { name: item.key() },
            Self::Function(item) => ObjectRef::Function { name: item.key() },
            Self::View(item) => ObjectRef::View { name: item.key() },
            Self::Table(table) => return table_refs(table),
            Self::Column { table, column, .. } => ObjectRef::Column {
                table: table.clone(),
                column: column.name.clone(),
            },
            Self::PrimaryKey { table, key } => constraint(table, &key.name),
            Self::Unique { table, unique } => constraint(table, &unique.name),
            Self::ForeignKey { table, foreign_key } => constraint(table, &foreign_key.name),
            Self::Check { table, check } => constraint(table, &check.name),
            Self::Exclusion { table, exclusion } => {
                constraint(table, &Some(exclusion.name.clone()))
            }
            Self::Index { table, index } => ObjectRef::Index {
                table: table.clone(),
                name: index.name.clone(),
            },
            Self::Trigger { table, trigger } => ObjectRef::Trigger {
                table: table.clone(),
                name: trigger.name.clone(),
            },
            Self::Policy { table, policy } => ObjectRef::Policy {
                table: table.clone(),
                name: policy.name.clone(),
            },
        }]
    }
}

fn table_refs(table: &Table) -> Vec<ObjectRef> {
    let mut refs = vec![ObjectRef::Table {
        name: table.name.clone(),
    }];
    for column in &table.columns {
        refs.push(ObjectRef::Column {
            table: table.name.clone(),
            column: column.name.clone(),
        });
    }
    let names = table
        .primary_key
        .iter()
        .map(|key| &key.name)
        .chain(table.uniques.iter().map(|unique| &unique.name))
        .chain(table.checks.iter().map(|check| &check.name))
        .chain(table.foreign_keys.iter().map(|key| &key.name))
        .flatten()
        .chain(table.exclusions.iter().map(|exclusion| &exclusion.name));
    for name in names {
        refs.push(ObjectRef::Constraint {
            table: table.name.clone(),
            name: name.clone(),
        });
    }
    for name in table.indexes.keys() {
        refs.push(ObjectRef::Index {
            table: table.name.clone(),
            name: name.clone(),
        });
    }
    for name in table.triggers.keys() {
        refs.push(ObjectRef::Trigger {
            table: table.name.clone(),
            name: name.clone(),
        });
    }
    for name in table.policies.keys() {
        refs.push(ObjectRef::Policy {
            table: table.name.clone(),
            name: name.clone(),
        });
    }
    refs
}

impl Op {
    /// What an operation that changes something in place works on.
    pub(super) fn altered(&self) -> Option<ObjectRef> {
        let Self::Alter(alteration) = self else {
            return None;
        };
        Some(match alteration {
            Alteration::Column { table, to, .. } => ObjectRef::Column {
                table: table.clone(),
                column: to.name.clone(),
            },
            Alteration::EnumAdd { to, .. }
            | Alteration::EnumRemove { to, .. }
            | Alteration::EnumReorder { to, .. } => ObjectRef::Type { name: to.key() },
            Alteration::Domain { to, .. } => ObjectRef::Type { name: to.key() },
            Alteration::Composite { to, .. } => ObjectRef::Type { name: to.key() },
            Alteration::Sequence { to, .. } => ObjectRef::Sequence { name: to.key() },
            Alteration::Function { to, .. } => ObjectRef::Function { name: to.key() },
            Alteration::View { to, .. } => ObjectRef::View { name: to.key() },
            Alteration::Trigger { table, to, .. } => ObjectRef::Trigger {
                table: table.clone(),
                name: to.name.clone(),
            },
            Alteration::Policy { table, to, .. } => ObjectRef::Policy {
                table: table.clone(),
                name: to.name.clone(),
            },
            Alteration::TableOptions { table, .. } => ObjectRef::Table {
                name: table.clone(),
            },
            Alteration::Extension { name, .. } => ObjectRef::Extension { name: name.clone() },
            Alteration::Validate { table, name, .. } => ObjectRef::Constraint {
                table: table.clone(),
                name: name.clone(),
            },
            Alteration::Comment { target, .. } => return Some(comment_ref(target)),
        })
    }

    /// Whether the operation is about the object or something that comes and goes with it.
    pub(super) fn concerns(&self, object: &ObjectRef) -> bool {
        if let ObjectRef::View { name } = object
            && self.table() == Some(name)
        {
            return true;
        }
        match self {
            Self::Create(item) | Self::Drop(item) => item.refs().contains(object),
            Self::Alter(_) => self.altered().as_ref() == Some(object),
            Self::Rename(Rename::Index {
                table, from, to, ..
            }) => {
                matches!(object, ObjectRef::Index { table: t, name } if t == table && (name == from || name == to))
            }
            Self::Rename(Rename::Constraint { table, from, to }) => {
                matches!(object, ObjectRef::Constraint { table: t, name } if t == table && (name == from || name == to))
            }
            Self::Rename(_) => false,
        }
    }
}

fn comment_ref(target: &CommentTarget) -> ObjectRef {
    match target.clone() {
        CommentTarget::Schema(name) => ObjectRef::Namespace { name },
        CommentTarget::Table(name) => ObjectRef::Table { name },
        CommentTarget::View(name, _) | CommentTarget::ViewColumn(name, _) => {
            ObjectRef::View { name }
        }
        CommentTarget::Enum(name) | CommentTarget::Domain(name) | CommentTarget::Type(name) => {
            ObjectRef::Type { name }
        }
        CommentTarget::Sequence(name) => ObjectRef::Sequence { name },
        CommentTarget::Function(name, _) => ObjectRef::Function { name },
        CommentTarget::Index(table, name) => ObjectRef::Index { table, name },
        CommentTarget::Constraint(table, name) => ObjectRef::Constraint { table, name },
        CommentTarget::Trigger(table, name) => ObjectRef::Trigger { table, name },
        CommentTarget::Policy(table, name) => ObjectRef::Policy { table, name },
    }
}
