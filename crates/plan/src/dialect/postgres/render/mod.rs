//! Operations as SQL.

mod column;
mod composite;
mod constraint;
mod object;
mod table;
mod user_type;

use super::quote;
use crate::dialect::Rendered;
use crate::op::{Alteration, CommentTarget, Object, Op, Rename};
use crate::schema::{CompositeType, ObjectName, RangeType, Schema};

/// The operations as SQL, one entry for each, in order.
pub(super) fn render(ops: &[Op], before: &Schema) -> Vec<Rendered> {
    let mut state = before.clone();
    let mut rendered = Vec::with_capacity(ops.len());
    let mut position = 0;
    while position < ops.len() {
        let swap = user_type::swap_at(ops, position);
        if let Some(swap) = swap {
            rendered.extend(user_type::render_swap(&swap, position, &state));
            for op in &ops[position..position + swap.length] {
                op.apply(&mut state);
            }
            position += swap.length;
            continue;
        }
        let op = &ops[position];
        rendered.push(one(op, &state));
        op.apply(&mut state);
        position += 1;
    }
    rendered
}

/// A schema as a script that makes it in an empty database.
pub(super) fn render_schema(schema: &Schema) -> Vec<String> {
    let empty = Schema::empty(
        schema.dialect,
        schema.server.clone(),
        schema.default_schema.clone(),
    );
    let mut empty = empty;
    // `public` is there in an empty database.
    if let Some(public) = schema.namespaces.get("public") {
        empty.namespaces.insert("public".to_owned(), public.clone());
    }
    let options = crate::diff::DiffOptions::default();
    let answers = crate::diff::Answers::new();
    let difference = crate::diff::diff(&empty, schema, &options, &crate::diff::PureJudge, &answers);
    difference
        .map(|difference| {
            difference
                .sql()
                .into_iter()
                .map(ToOwned::to_owned)
                .collect()
        })
        .unwrap_or_default()
}

fn one(op: &Op, state: &Schema) -> Rendered {
    let mut rendered = Rendered::default();
    match op {
        Op::Create(object) => rendered.sql = create(object),
        Op::Drop(object) => rendered.sql = drop(object),
        Op::Rename(rename) => rendered.sql = vec![rename_sql(rename, state)],
        Op::Alter(alteration) => {
            rendered.sql = alter(alteration, state);
            if composite::is_made_anew(alteration) {
                rendered.notes.push(
                    "the type is made anew and its columns are moved over, which writes their tables anew"
                        .to_owned(),
                );
            }
            if let Alteration::EnumAdd { .. } = alteration {
                rendered.commit_after = true;
                rendered.notes.push(
                    "the new value can be used only after this has been committed".to_owned(),
                );
            }
        }
    }
    rendered
}

fn create(object: &Object) -> Vec<String> {
    match object {
        Object::Schema { name, comment } => {
            let mut sql = vec![format!("CREATE SCHEMA {}", quote::name(name))];
            if comment.is_some() {
                sql.push(comment_sql(
                    &CommentTarget::Schema(name.clone()),
                    comment.as_ref(),
                ));
            }
            sql
        }
        Object::Extension { name, extension } => vec![format!(
            "CREATE EXTENSION IF NOT EXISTS {} WITH SCHEMA {}",
            quote::name(name),
            quote::name(&extension.schema)
        )],
        Object::Enum(enum_type) => user_type::create_enum(enum_type),
        Object::Domain(domain) => user_type::create_domain(domain),
        Object::Composite(composite) => composite::create(composite),
        Object::Range(range) => composite::create_range(range),
        Object::Sequence(sequence) => object::create_sequence(sequence),
        Object::Function(function) => object::create_function(function),
        Object::View(view) => object::create_view(view),
        Object::Table(table) => table::create(table),
        Object::Column {
            table,
            column,
            dependents,
            fill,
        } => {
            let mut sql = column::add(table, column, fill.as_ref());
            sql.extend(dependents.iter().flat_map(create));
            sql
        }
        Object::PrimaryKey { table, key } => constraint::add(
            table,
            &constraint::primary_key(key),
            key.name.as_ref(),
            key.comment.as_ref(),
        ),
        Object::Unique { table, unique } => constraint::add(
            table,
            &constraint::unique(unique),
            unique.name.as_ref(),
            unique.comment.as_ref(),
        ),
        Object::ForeignKey { table, foreign_key } => constraint::add(
            table,
            &constraint::foreign_key(foreign_key),
            foreign_key.name.as_ref(),
            foreign_key.comment.as_ref(),
        ),
        Object::Check { table, check } => constraint::add(
            table,
            &constraint::check(check),
            check.name.as_ref(),
            check.comment.as_ref(),
        ),
        Object::Exclusion { table, exclusion } => constraint::add(
            table,
            &constraint::exclusion(exclusion),
            Some(&exclusion.name),
            exclusion.comment.as_ref(),
        ),
        Object::Index { table, index } => object::create_index(table, index),
        Object::Trigger { table, trigger } => object::create_trigger(table, trigger),
        Object::Policy { table, policy } => object::create_policy(table, policy),
    }
}

fn drop(object: &Object) -> Vec<String> {
    let drop_constraint = |table: &ObjectName, name: Option<&String>| {
        let name = name.cloned().unwrap_or_default();
        vec![format!(
            "ALTER TABLE {} DROP CONSTRAINT {}",
            quote::object(table),
            quote::name(&name)
        )]
    };
    match object {
        Object::Schema { name, .. } => vec![format!("DROP SCHEMA {}", quote::name(name))],
        Object::Extension { name, .. } => vec![format!("DROP EXTENSION {}", quote::name(name))],
        Object::Enum(enum_type) => vec![format!("DROP TYPE {}", quote::object(&enum_type.name))],
        Object::Composite(CompositeType { name, .. }) | Object::Range(RangeType { name, .. }) => {
            vec![format!("DROP TYPE {}", quote::object(name))]
        }
        Object::Domain(domain) => vec![format!("DROP DOMAIN {}", quote::object(&domain.name))],
        Object::Sequence(sequence) => {
            vec![format!("DROP SEQUENCE {}", quote::object(&sequence.name))]
        }
        Object::Function(function) => vec![object::drop_function(function)],
        Object::View(view) => vec![format!(
            "DROP {} {}",
            object::view_kind(view.materialized),
            quote::object(&view.name)
        )],
        Object::Table(table) => vec![format!("DROP TABLE {}", quote::object(&table.name))],
        // Constraints and indexes over the column go with it.
        Object::Column { table, column, .. } => vec![format!(
            "ALTER TABLE {} DROP COLUMN {}",
            quote::object(table),
            quote::name(&column.name)
        )],
        Object::PrimaryKey { table, key } => drop_constraint(table, key.name.as_ref()),
        Object::Unique { table, unique } => drop_constraint(table, unique.name.as_ref()),
        Object::ForeignKey { table, foreign_key } => {
            drop_constraint(table, foreign_key.name.as_ref())
        }
        Object::Check { table, check } => drop_constraint(table, check.name.as_ref()),
        Object::Exclusion { table, exclusion } => drop_constraint(table, Some(&exclusion.name)),
        Object::Index { table, index } => vec![format!(
            "DROP INDEX {}",
            quote::object(&table.sibling(index.name.clone()))
        )],
        Object::Trigger { table, trigger } => vec![format!(
            "DROP TRIGGER {} ON {}",
            quote::name(&trigger.name),
            quote::object(table)
        )],
        Object::Policy { table, policy } => vec![format!(
            "DROP POLICY {} ON {}",
            quote::name(&policy.name),
            quote::object(table)
        )],
    }
}

fn rename_sql(rename: &Rename, state: &Schema) -> String {
    match rename {
        Rename::Table { from, to } => format!(
            "ALTER TABLE {} RENAME TO {}",
            quote::object(from),
            quote::name(&to.name)
        ),
        Rename::Column {
            table, from, to, ..
        } => format!(
            "ALTER TABLE {} RENAME COLUMN {} TO {}",
            quote::object(table),
            quote::name(from),
            quote::name(to)
        ),
        Rename::Index {
            table, from, to, ..
        } => format!(
            "ALTER INDEX {} RENAME TO {}",
            quote::object(&table.sibling(from.clone())),
            quote::name(to)
        ),
        Rename::Constraint { table, from, to } => {
            let kind = if state.domains.contains_key(table) {
                "DOMAIN"
            } else {
                "TABLE"
            };
            format!(
                "ALTER {kind} {} RENAME CONSTRAINT {} TO {}",
                quote::object(table),
                quote::name(from),
                quote::name(to)
            )
        }
        Rename::EnumValue {
            enum_type,
            from,
            to,
        } => format!(
            "ALTER TYPE {} RENAME VALUE {} TO {}",
            quote::object(enum_type),
            quote::text(from),
            quote::text(to)
        ),
    }
}

fn alter(alteration: &Alteration, state: &Schema) -> Vec<String> {
    match alteration {
        Alteration::Column {
            table,
            aspect,
            from,
            to,
            fill,
        } => column::alter(table, *aspect, from, to, fill.as_ref(), state),
        Alteration::EnumAdd { to, value, .. } => vec![user_type::add_value(to, value)],
        // Swaps are rendered together; see `render`.
        Alteration::EnumRemove { .. } | Alteration::EnumReorder { .. } => Vec::new(),
        Alteration::Composite {
            from,
            to,
            uses,
            embedded,
        } => composite::alter(from, to, uses, *embedded, state),
        Alteration::Domain { from, to, uses } => user_type::alter_domain(from, to, uses, state),
        Alteration::Sequence { from, to } => object::alter_sequence(from, to),
        Alteration::Function { to, .. } => object::create_function(to),
        Alteration::View { from, to } => object::alter_view(from, to),
        Alteration::Trigger { table, to, .. } => vec![object::trigger_firing(table, to)],
        Alteration::Policy { table, to, .. } => vec![object::alter_policy(table, to)],
        Alteration::TableOptions { table, from, to } => table::alter_options(table, from, to),
        Alteration::Extension { name, from, to } => {
            let mut sql = Vec::new();
            if from.version != to.version {
                sql.push(format!(
                    "ALTER EXTENSION {} UPDATE TO {}",
                    quote::name(name),
                    quote::text(&to.version)
                ));
            }
            if from.schema != to.schema {
                sql.push(format!(
                    "ALTER EXTENSION {} SET SCHEMA {}",
                    quote::name(name),
                    quote::name(&to.schema)
                ));
            }
            sql
        }
        Alteration::Comment { target, to, .. } => vec![comment_sql(target, to.as_ref())],
        Alteration::Validate {
            table,
            name,
            to,
            constraint,
            ..
        } => {
            if *to {
                vec![format!(
                    "ALTER TABLE {} VALIDATE CONSTRAINT {}",
                    quote::object(table),
                    quote::name(name)
                )]
            } else {
                constraint::invalidate(table, constraint)
            }
        }
    }
}

/// `COMMENT ON ...`
pub(super) fn comment_sql(target: &CommentTarget, value: Option<&String>) -> String {
    let what = match target {
        CommentTarget::Schema(name) => format!("SCHEMA {}", quote::name(name)),
        CommentTarget::Table(name) => format!("TABLE {}", quote::object(name)),
        CommentTarget::View(name, materialized) => {
            format!(
                "{} {}",
                object::view_kind(*materialized),
                quote::object(name)
            )
        }
        CommentTarget::ViewColumn(name, column) => {
            format!("COLUMN {}.{}", quote::object(name), quote::name(column))
        }
        CommentTarget::Enum(name) | CommentTarget::Type(name) => {
            format!("TYPE {}", quote::object(name))
        }
        CommentTarget::Domain(name) => format!("DOMAIN {}", quote::object(name)),
        CommentTarget::Sequence(name) => format!("SEQUENCE {}", quote::object(name)),
        CommentTarget::Function(key, is_procedure) => {
            let kind = if *is_procedure {
                "PROCEDURE"
            } else {
                "FUNCTION"
            };
            format!("{kind} {}", object::signature(key))
        }
        CommentTarget::Index(table, name) => {
            format!("INDEX {}", quote::object(&table.sibling(name.clone())))
        }
        CommentTarget::Constraint(table, name) => {
            format!(
                "CONSTRAINT {} ON {}",
                quote::name(name),
                quote::object(table)
            )
        }
        CommentTarget::Trigger(table, name) => {
            format!("TRIGGER {} ON {}", quote::name(name), quote::object(table))
        }
        CommentTarget::Policy(table, name) => {
            format!("POLICY {} ON {}", quote::name(name), quote::object(table))
        }
    };
    format!("COMMENT ON {what} IS {}", quote::comment(value))
}
