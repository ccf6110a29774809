//! What an operation makes of a schema value.

use std::collections::BTreeSet;

use super::{Alteration, CommentTarget, Object, Op, Rename};
use crate::dialect::rules;
use crate::schema::{
    Dependency, Named, Namespace, ObjectName, ObjectRef, Schema, SequenceOwner, Table,
};

impl Op {
    /// Changes the value as the operation changes the database. What the operation works on and is
    /// not there is passed over: the database would refuse the statement.
    pub fn apply(&self, schema: &mut Schema) {
        match self {
            Self::Create(object) => create(object, schema),
            Self::Drop(object) => drop_object(object, schema),
            Self::Rename(rename) => apply_rename(rename, schema),
            Self::Alter(alteration) => alter(alteration, schema),
        }
    }
}

fn create(object: &Object, schema: &mut Schema) {
    match object {
        Object::Schema { name, comment } => {
            let namespace = Namespace {
                comment: comment.clone(),
            };
            schema.namespaces.insert(name.clone(), namespace);
        }
        Object::Extension { name, extension } => {
            schema.extensions.insert(name.clone(), extension.clone());
        }
        Object::Enum(enum_type) => {
            schema.enums.insert(enum_type.key(), enum_type.clone());
        }
        Object::Domain(domain) => {
            schema.domains.insert(domain.key(), domain.clone());
        }
        Object::Composite(composite) => {
            schema.composites.insert(composite.key(), composite.clone());
        }
        Object::Range(range) => {
            schema.ranges.insert(range.key(), range.clone());
        }
        Object::Sequence(sequence) => {
            schema.sequences.insert(sequence.key(), sequence.clone());
        }
        Object::Function(function) => {
            schema.functions.insert(function.key(), function.clone());
        }
        Object::View(view) => {
            schema.views.insert(view.key(), view.clone());
        }
        Object::Table(table) => {
            schema.tables.insert(table.key(), table.clone());
        }
        Object::Column {
            table,
            column,
            dependents,
            ..
        } => {
            if let Some(table) = schema.tables.get_mut(table) {
                table.columns.push(column.clone());
            }
            for dependent in dependents {
                create(dependent, schema);
            }
        }
        Object::Index { table, index } => {
            if let Some(table) = schema.tables.get_mut(table) {
                table.indexes.insert(index.name.clone(), index.clone());
            } else if let Some(view) = schema.views.get_mut(table) {
                view.indexes.insert(index.name.clone(), index.clone());
            }
        }
        Object::Trigger { table, trigger } => {
            if let Some(table) = schema.tables.get_mut(table) {
                table.triggers.insert(trigger.name.clone(), trigger.clone());
            } else if let Some(view) = schema.views.get_mut(table) {
                view.triggers.insert(trigger.name.clone(), trigger.clone());
            }
        }
        Object::PrimaryKey { table, key } => on_table(schema, table, |table| {
            table.primary_key = Some(key.clone());
        }),
        Object::Unique { table, unique } => on_table(schema, table, |table| {
            table.uniques.push(unique.clone());
        }),
        Object::ForeignKey { table, foreign_key } => on_table(schema, table, |table| {
            table.foreign_keys.push(foreign_key.clone());
        }),
        Object::Check { table, check } => on_table(schema, table, |table| {
            table.checks.push(check.clone());
        }),
        Object::Exclusion { table, exclusion } => on_table(schema, table, |table| {
            table.exclusions.push(exclusion.clone());
        }),
        Object::Policy { table, policy } => on_table(schema, table, |table| {
            table.policies.insert(policy.name.clone(), policy.clone());
        }),
    }
}

fn drop_object(object: &Object, schema: &mut Schema) {
    match object {
        Object::Schema { name, .. } => {
            schema.namespaces.remove(name);
        }
        Object::Extension { name, .. } => {
            schema.extensions.remove(name);
        }
        Object::Enum(enum_type) => {
            schema.enums.remove(&enum_type.key());
        }
        Object::Domain(domain) => {
            schema.domains.remove(&domain.key());
        }
        Object::Composite(composite) => {
            schema.composites.remove(&composite.key());
        }
        Object::Range(range) => {
            schema.ranges.remove(&range.key());
        }
        Object::Sequence(sequence) => {
            schema.sequences.remove(&sequence.key());
        }
        Object::Function(function) => {
            schema.functions.remove(&function.key());
        }
        Object::View(view) => {
            schema.views.remove(&view.key());
        }
        Object::Table(table) => {
            schema.tables.remove(&table.key());
        }
        Object::Column {
            table,
            column,
            dependents,
            ..
        } => {
            for dependent in dependents {
                drop_object(dependent, schema);
            }
            on_table(schema, table, |table| {
                table.columns.retain(|other| other.name != column.name);
            });
        }
        Object::Index { table, index } => {
            if let Some(table) = schema.tables.get_mut(table) {
                table.indexes.remove(&index.name);
            } else if let Some(view) = schema.views.get_mut(table) {
                view.indexes.remove(&index.name);
            }
        }
        Object::Trigger { table, trigger } => {
            if let Some(table) = schema.tables.get_mut(table) {
                table.triggers.remove(&trigger.name);
            } else if let Some(view) = schema.views.get_mut(table) {
                view.triggers.remove(&trigger.name);
            }
        }
        Object::PrimaryKey { table, .. } => {
            on_table(schema, table, |table| table.primary_key = None);
        }
        Object::Unique { table, unique } => on_table(schema, table, |table| {
            remove_one(&mut table.uniques, |other| {
                other.name == unique.name && other.columns == unique.columns
            });
        }),
        Object::ForeignKey { table, foreign_key } => on_table(schema, table, |table| {
            remove_one(&mut table.foreign_keys, |other| other == foreign_key);
        }),
        Object::Check { table, check } => on_table(schema, table, |table| {
            remove_one(&mut table.checks, |other| {
                other.name == check.name
                    && (check.name.is_some() || other.expression == check.expression)
            });
        }),
        Object::Exclusion { table, exclusion } => on_table(schema, table, |table| {
            remove_one(&mut table.exclusions, |other| other.name == exclusion.name);
        }),
        Object::Policy { table, policy } => on_table(schema, table, |table| {
            table.policies.remove(&policy.name);
        }),
    }
}

fn on_table(schema: &mut Schema, name: &ObjectName, change: impl FnOnce(&mut Table)) {
    if let Some(table) = schema.tables.get_mut(name) {
        change(table);
        table.sort();
    }
}

/// Removes the first item that is meant: several may be alike.
fn remove_one<T>(items: &mut Vec<T>, is_meant: impl Fn(&T) -> bool) {
    if let Some(position) = items.iter().position(is_meant) {
        items.remove(position);
    }
}

fn alter(alteration: &Alteration, schema: &mut Schema) {
    match alteration {
        Alteration::Column {
            table, from, to, ..
        } => on_table(schema, table, |table| {
            if let Some(column) = table.column_mut(&from.name) {
                column.clone_from(to);
            }
        }),
        Alteration::EnumAdd { from, to, .. }
        | Alteration::EnumRemove { from, to, .. }
        | Alteration::EnumReorder { from, to, .. } => {
            if let Some(enum_type) = schema.enums.get_mut(&from.name) {
                enum_type.values.clone_from(&to.values);
            }
        }
        Alteration::Domain { from, to, .. } => {
            if let Some(domain) = schema.domains.get_mut(&from.name) {
                let comment = domain.comment.take();
                *domain = to.clone();
                domain.comment = comment;
            }
        }
        Alteration::Composite { from, to, .. } => {
            if let Some(composite) = schema.composites.get_mut(&from.name) {
                composite.attributes.clone_from(&to.attributes);
            }
        }
        Alteration::Sequence { from, to } => {
            if let Some(sequence) = schema.sequences.get_mut(&from.name) {
                let comment = sequence.comment.take();
                *sequence = to.clone();
                sequence.comment = comment;
            }
        }
        Alteration::Function { from, to } => {
            if let Some(function) = schema.functions.get_mut(&from.key()) {
                let comment = function.comment.take();
                *function = to.clone();
                function.comment = comment;
            }
        }
        Alteration::View { from, to } => {
            if let Some(view) = schema.views.get_mut(&from.name) {
                view.definition.clone_from(&to.definition);
                view.columns.clone_from(&to.columns);
                view.options.clone_from(&to.options);
            }
        }
        Alteration::Trigger { table, from, to } => {
            let triggers = match schema.tables.get_mut(table) {
                Some(table) => &mut table.triggers,
                None => match schema.views.get_mut(table) {
                    Some(view) => &mut view.triggers,
                    None => return,
                },
            };
            if let Some(trigger) = triggers.get_mut(&from.name) {
                trigger.definition.clone_from(&to.definition);
                trigger.firing.clone_from(&to.firing);
            }
        }
        Alteration::Policy { table, from, to } => on_table(schema, table, |table| {
            if let Some(policy) = table.policies.get_mut(&from.name) {
                policy.roles.clone_from(&to.roles);
                policy.using.clone_from(&to.using);
                policy.check.clone_from(&to.check);
            }
        }),
        Alteration::TableOptions { table, to, .. } => on_table(schema, table, |table| {
            let sql = table.options.sql.take();
            table.options = to.clone();
            table.options.sql = sql;
        }),
        Alteration::Extension { name, to, .. } => {
            schema.extensions.insert(name.clone(), to.clone());
        }
        Alteration::Comment { target, to, .. } => set_comment(target, to.as_ref(), schema),
        Alteration::Validate {
            table, name, to, ..
        } => on_table(schema, table, |table| {
            let is_meant = |other: &Option<String>| other.as_ref() == Some(name);
            for foreign_key in &mut table.foreign_keys {
                if is_meant(&foreign_key.name) {
                    foreign_key.validated = *to;
                }
            }
            for check in &mut table.checks {
                if is_meant(&check.name) {
                    check.validated = *to;
                }
            }
        }),
    }
}

fn set_comment(target: &CommentTarget, comment: Option<&String>, schema: &mut Schema) {
    let comment = comment.cloned();
    match target {
        CommentTarget::Schema(name) => {
            if let Some(namespace) = schema.namespaces.get_mut(name) {
                namespace.comment = comment;
            }
        }
        CommentTarget::Table(name) => on_table(schema, name, |table| table.comment = comment),
        CommentTarget::View(name, _) => {
            if let Some(view) = schema.views.get_mut(name) {
                view.comment = comment;
            }
        }
        CommentTarget::ViewColumn(name, column) => {
            if let Some(view) = schema.views.get_mut(name) {
                match comment {
                    Some(comment) => view.column_comments.insert(column.clone(), comment),
                    None => view.column_comments.remove(column),
                };
            }
        }
        CommentTarget::Enum(name) => {
            if let Some(enum_type) = schema.enums.get_mut(name) {
                enum_type.comment = comment;
            }
        }
        CommentTarget::Domain(name) => {
            if let Some(domain) = schema.domains.get_mut(name) {
                domain.comment = comment;
            }
        }
        CommentTarget::Type(name) => {
            if let Some(composite) = schema.composites.get_mut(name) {
                composite.comment = comment;
            } else if let Some(range) = schema.ranges.get_mut(name) {
                range.comment = comment;
            }
        }
        CommentTarget::Sequence(name) => {
            if let Some(sequence) = schema.sequences.get_mut(name) {
                sequence.comment = comment;
            }
        }
        CommentTarget::Function(name, _) => {
            if let Some(function) = schema.functions.get_mut(name) {
                function.comment = comment;
            }
        }
        CommentTarget::Index(table, name) => {
            let indexes = match schema.tables.get_mut(table) {
                Some(table) => &mut table.indexes,
                None => match schema.views.get_mut(table) {
                    Some(view) => &mut view.indexes,
                    None => return,
                },
            };
            if let Some(index) = indexes.get_mut(name) {
                index.comment = comment;
            }
        }
        CommentTarget::Constraint(table, name) => on_table(schema, table, |table| {
            let is_meant = |other: &Option<String>| other.as_ref() == Some(name);
            if let Some(key) = table.primary_key.as_mut().filter(|key| is_meant(&key.name)) {
                key.comment.clone_from(&comment);
            }
            for unique in table.uniques.iter_mut().filter(|c| is_meant(&c.name)) {
                unique.comment.clone_from(&comment);
            }
            for foreign_key in table.foreign_keys.iter_mut().filter(|c| is_meant(&c.name)) {
                foreign_key.comment.clone_from(&comment);
            }
            for check in table.checks.iter_mut().filter(|c| is_meant(&c.name)) {
                check.comment.clone_from(&comment);
            }
            for exclusion in table.exclusions.iter_mut().filter(|c| c.name == *name) {
                exclusion.comment.clone_from(&comment);
            }
        }),
        CommentTarget::Trigger(table, name) => on_table(schema, table, |table| {
            if let Some(trigger) = table.triggers.get_mut(name) {
                trigger.comment = comment;
            }
        }),
        CommentTarget::Policy(table, name) => on_table(schema, table, |table| {
            if let Some(policy) = table.policies.get_mut(name) {
                policy.comment = comment;
            }
        }),
    }
}

fn apply_rename(rename: &Rename, schema: &mut Schema) {
    match rename {
        Rename::Table { from, to } => rename_table(schema, from, to),
        Rename::Column {
            table, from, to, ..
        } => rename_column(schema, table, from, to),
        Rename::Index {
            table, from, to, ..
        } => {
            let indexes = match schema.tables.get_mut(table) {
                Some(table) => &mut table.indexes,
                None => match schema.views.get_mut(table) {
                    Some(view) => &mut view.indexes,
                    None => return,
                },
            };
            if let Some(mut index) = indexes.remove(from) {
                index.name.clone_from(to);
                indexes.insert(to.clone(), index);
            }
        }
        Rename::Constraint { table, from, to } => on_table(schema, table, |table| {
            let rename = |name: &mut Option<String>| {
                if name.as_ref() == Some(from) {
                    *name = Some(to.clone());
                }
            };
            if let Some(key) = &mut table.primary_key {
                rename(&mut key.name);
            }
            table.uniques.iter_mut().for_each(|c| rename(&mut c.name));
            table
                .foreign_keys
                .iter_mut()
                .for_each(|c| rename(&mut c.name));
            table.checks.iter_mut().for_each(|c| rename(&mut c.name));
            for exclusion in &mut table.exclusions {
                if exclusion.name == *from {
                    exclusion.name.clone_from(to);
                }
            }
        }),
        Rename::EnumValue {
            enum_type,
            from,
            to,
        } => rename_enum_value(schema, enum_type, from, to),
    }
}

fn rename_enum_value(schema: &mut Schema, name: &ObjectName, from: &str, to: &str) {
    let Some(enum_type) = schema.enums.get_mut(name) else {
        return;
    };
    for value in enum_type.values.iter_mut().filter(|value| *value == from) {
        to.clone_into(value);
    }
    // Wherever the value stands as a constant, the server says the new name.
    let quoted = |value: &str| format!("'{}'::", value.replace('\'', "''"));
    let spelled = schema
        .tables
        .values()
        .flat_map(|table| &table.columns)
        .find(|column| column.column_type.is_of(name))
        .map(|column| column.column_type.text.trim_end_matches("[]").to_owned());
    let Some(spelled) = spelled else {
        return;
    };
    let (old, new) = (
        format!("{}{spelled}", quoted(from)),
        format!("{}{spelled}", quoted(to)),
    );
    for table in schema.tables.values_mut() {
        for text in table.expressions_mut() {
            *text = text.replace(&old, &new);
        }
        table.sort();
    }
}

fn rename_table(schema: &mut Schema, from: &ObjectName, to: &ObjectName) {
    let Some(mut table) = schema.tables.remove(from) else {
        return;
    };
    table.name.clone_from(to);
    let rules = rules(schema.dialect);
    for trigger in table.triggers.values_mut() {
        trigger.definition =
            rules.trigger_after_table_rename(&trigger.definition, &from.name, &to.name);
    }
    schema.tables.insert(to.clone(), table);
    for table in schema.tables.values_mut() {
        for foreign_key in &mut table.foreign_keys {
            if foreign_key.ref_table == *from {
                foreign_key.ref_table.clone_from(to);
            }
        }
        for parent in &mut table.options.inherits {
            if parent == from {
                parent.clone_from(to);
            }
        }
        table.sort();
    }
    for sequence in schema.sequences.values_mut() {
        if let Some(SequenceOwner { table, .. }) = &mut sequence.owned_by
            && table == from
        {
            table.clone_from(to);
        }
    }
    let rename = |reference: &ObjectRef| match reference.clone() {
        ObjectRef::Table { name } if name == *from => ObjectRef::Table { name: to.clone() },
        ObjectRef::Column { table, column } if table == *from => ObjectRef::Column {
            table: to.clone(),
            column,
        },
        ObjectRef::Constraint { table, name } if table == *from => ObjectRef::Constraint {
            table: to.clone(),
            name,
        },
        ObjectRef::Index { table, name } if table == *from => ObjectRef::Index {
            table: to.clone(),
            name,
        },
        ObjectRef::Trigger { table, name } if table == *from => ObjectRef::Trigger {
            table: to.clone(),
            name,
        },
        ObjectRef::Policy { table, name } if table == *from => ObjectRef::Policy {
            table: to.clone(),
            name,
        },
        other => other,
    };
    rename_dependencies(schema, rename);
}

fn rename_column(schema: &mut Schema, table_name: &ObjectName, from: &str, to: &str) {
    let rules = rules(schema.dialect);
    let rename = |name: &mut String| {
        if name == from {
            to.clone_into(name);
        }
    };
    let rename_text = |text: &mut String| *text = rules.rename_in_expression(text, from, to);
    on_table(schema, table_name, |table| {
        for column in &mut table.columns {
            rename(&mut column.name);
            if let Some(generated) = &mut column.generated {
                rename_text(&mut generated.expression);
            }
        }
        if let Some(key) = &mut table.primary_key {
            key.columns.iter_mut().for_each(rename);
            key.include.iter_mut().for_each(rename);
        }
        for unique in &mut table.uniques {
            unique.columns.iter_mut().for_each(rename);
            unique.include.iter_mut().for_each(rename);
        }
        for foreign_key in &mut table.foreign_keys {
            foreign_key.columns.iter_mut().for_each(rename);
            foreign_key.on_delete_columns.iter_mut().for_each(rename);
        }
        for check in &mut table.checks {
            check.columns.iter_mut().for_each(rename);
            rename_text(&mut check.expression);
        }
        for exclusion in &mut table.exclusions {
            exclusion.columns.iter_mut().for_each(rename);
            rename_text(&mut exclusion.definition);
        }
        for index in table.indexes.values_mut() {
            index.include.iter_mut().for_each(rename);
            index.expression_columns.iter_mut().for_each(rename);
            for key in &mut index.keys {
                key.column.iter_mut().for_each(rename);
                key.expression.iter_mut().for_each(rename_text);
            }
            index.predicate.iter_mut().for_each(rename_text);
        }
        for trigger in table.triggers.values_mut() {
            if !rules.keeps_trigger_bodies() {
                rename_text(&mut trigger.definition);
            }
        }
        for policy in table.policies.values_mut() {
            policy.using.iter_mut().for_each(rename_text);
            policy.check.iter_mut().for_each(rename_text);
        }
    });
    for table in schema.tables.values_mut() {
        for foreign_key in &mut table.foreign_keys {
            if foreign_key.ref_table == *table_name {
                foreign_key.ref_columns.iter_mut().for_each(rename);
            }
        }
        table.sort();
    }
    for sequence in schema.sequences.values_mut() {
        if let Some(owner) = &mut sequence.owned_by
            && owner.table == *table_name
        {
            rename(&mut owner.column);
        }
    }
    rename_dependencies(schema, |reference| match reference {
        ObjectRef::Column { table, column } if table == table_name && column == from => {
            ObjectRef::Column {
                table: table.clone(),
                column: to.to_owned(),
            }
        }
        other => other.clone(),
    });
}

fn rename_dependencies(schema: &mut Schema, rename: impl Fn(&ObjectRef) -> ObjectRef) {
    let renamed: BTreeSet<Dependency> = schema
        .dependencies
        .iter()
        .map(|dependency| Dependency {
            dependent: rename(&dependency.dependent),
            needs: rename(&dependency.needs),
        })
        .collect();
    schema.dependencies = renamed;
}
