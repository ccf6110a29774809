//! Columns of a table that both sides have.

use super::Subject;
use super::context::{Context, Finding, Findings};
use super::renames::Renames;
use crate::op::{Alteration, ColumnAspect, Object, Op, Warning};
use crate::schema::{Column, Identity, IdentityKind, ObjectName, Schema, Table};

/// Finds what differs between the columns. Their order in the table does not count.
pub(super) fn find(
    context: &Context<'_>,
    renames: &Renames,
    from: &Table,
    to: &Table,
    findings: &mut Findings,
) {
    let candidate = |name: &str| {
        let key = (to.name.clone(), name.to_owned());
        renames.columns.get(&key).cloned()
    };
    for column in &to.columns {
        match from.column(&column.name) {
            Some(old) => find_in_column(context, from, to, old, column, findings),
            None if column.inherited => {}
            None => {
                let mut finding = Finding::new(add(context, &to.name, column));
                finding.candidate = candidate(&column.name);
                findings.list.push(warn_of_rename(finding));
            }
        }
    }
    for column in &from.columns {
        if to.column(&column.name).is_none() && !column.inherited {
            let mut finding = Finding::new(Op::Drop(Object::Column {
                table: to.name.clone(),
                column: column.clone(),
                dependents: Vec::new(),
                fill: None,
            }));
            finding.candidate = candidate(&column.name);
            findings.list.push(warn_of_rename(finding));
        }
    }
}

fn warn_of_rename(mut finding: Finding) -> Finding {
    if finding.candidate.is_some() {
        finding.warnings.insert(Warning::AmbiguousRename);
    }
    finding
}

fn add(context: &Context<'_>, table: &ObjectName, column: &Column) -> Op {
    let fill = column
        .needs_value()
        .then(|| context.questioner.fill_value(table, &column.name))
        .flatten();
    Op::Create(Object::Column {
        table: table.clone(),
        column: column.clone(),
        dependents: Vec::new(),
        fill,
    })
}

/// One operation for each aspect that differs, each starting where the one before ended.
struct Steps<'a> {
    table: &'a ObjectName,
    state: Column,
    ops: Vec<Op>,
}

impl Steps<'_> {
    fn step(
        &mut self,
        aspect: ColumnAspect,
        fill: Option<String>,
        change: impl FnOnce(&mut Column),
    ) {
        let from = self.state.clone();
        change(&mut self.state);
        self.ops.push(Op::Alter(Alteration::Column {
            table: self.table.clone(),
            aspect,
            from,
            to: self.state.clone(),
            fill,
        }));
    }
}

fn find_in_column(
    context: &Context<'_>,
    from_table: &Table,
    to_table: &Table,
    from: &Column,
    to: &Column,
    findings: &mut Findings,
) {
    let table = &to_table.name;
    let numbering_differs = from.identity.is_some() != to.identity.is_some();
    let same_type =
        if context.is_exact() || (numbering_differs && context.rules.numbers_one_type_only()) {
            from.column_type == to.column_type
        } else if to_table.options.strict && !from_table.options.strict {
            context.rules.strict_type(&from.column_type) == to.column_type
        } else {
            context.rules.same_type(&from.column_type, &to.column_type)
        };
    if same_type && let Some(note) = context.rules.unlike_keys(from_table, to_table, &to.name) {
        let name = context.short(table);
        findings
            .notes
            .push(format!("column {name}.{}: {note}", to.name));
    }
    let same_generation = match (&from.generated, &to.generated) {
        (None, None) => true,
        (Some(old), Some(new)) => {
            old.stored == new.stored
                && context.same_expression(
                    Subject::Generated,
                    table,
                    Some(&to.name),
                    &old.expression,
                    &new.expression,
                )
        }
        _ => false,
    };
    if !same_generation
        && !context
            .rules
            .alters_generation(from.generated.as_ref(), to.generated.as_ref())
    {
        recreate(context, table, from, to, findings);
        return;
    }

    let mut steps = Steps {
        table,
        state: from.clone(),
        ops: Vec::new(),
    };
    if !same_generation && from.generated.is_some() {
        steps.step(ColumnAspect::Generated, None, |column| {
            column.generated.clone_from(&to.generated);
        });
    }
    let same_default = context.same_default(
        Subject::Default,
        table,
        Some(&to.name),
        (from.default.as_ref(), &from.column_type),
        (to.default.as_ref(), &to.column_type),
    );
    if !same_type {
        steps.step(ColumnAspect::Type, None, |column| {
            column.column_type.clone_from(&to.column_type);
            // The old default may not fit the new type: it is taken off with the change, and set
            // again in the new type's spelling where it stays the same.
            column.default = if same_default {
                to.default.clone()
            } else {
                None
            };
            column.collation.clone_from(&to.collation);
            column.charset.clone_from(&to.charset);
            if let (Some(identity), Some(wanted)) = (&mut column.identity, &to.identity)
                && let (Some(options), Some(wanted)) = (&mut identity.sequence, &wanted.sequence)
            {
                options.data_type.clone_from(&wanted.data_type);
                options.max = wanted.max;
            }
        });
    } else if from.collation != to.collation || from.charset != to.charset {
        steps.step(ColumnAspect::Collation, None, |column| {
            column.collation.clone_from(&to.collation);
            column.charset.clone_from(&to.charset);
        });
    }
    find_identity_and_default(
        context,
        from_table,
        to_table,
        from,
        to,
        same_default,
        &mut steps,
    );
    find_nullability(context, from_table, to_table, to, &mut steps);
    if !same_generation && from.generated.is_none() {
        steps.step(ColumnAspect::Generated, None, |column| {
            column.generated.clone_from(&to.generated);
        });
    }
    let same_on_update = match (&steps.state.on_update, &to.on_update) {
        (None, None) => true,
        (Some(old), Some(new)) => {
            context.rules.canonical_expression(old) == context.rules.canonical_expression(new)
        }
        _ => false,
    };
    if !same_on_update {
        steps.step(ColumnAspect::OnUpdate, None, |column| {
            column.on_update.clone_from(&to.on_update);
        });
    }
    if steps.state.invisible != to.invisible {
        steps.step(ColumnAspect::Visibility, None, |column| {
            column.invisible = to.invisible;
        });
    }
    if steps.state.comment != to.comment {
        steps.step(ColumnAspect::Comment, None, |column| {
            column.comment.clone_from(&to.comment);
        });
    }
    // What comes from a parent table is changed there, but for its own default and comment.
    let keeps = |op: &Op| {
        let inherited = from.inherited && to.inherited;
        let own = matches!(
            op,
            Op::Alter(Alteration::Column {
                aspect: ColumnAspect::Default | ColumnAspect::Comment,
                ..
            })
        );
        !inherited || own
    };
    steps.ops.retain(keeps);
    for op in steps.ops {
        findings.push(op);
    }
}

fn find_identity_and_default(
    context: &Context<'_>,
    from_table: &Table,
    to_table: &Table,
    from: &Column,
    to: &Column,
    same_default: bool,
    steps: &mut Steps<'_>,
) {
    // A default must be gone before the column is numbered, and numbering before a default comes.
    let numbering_starts = from.identity.is_none() && to.identity.is_some();
    let default_aspect = |steps: &mut Steps<'_>| {
        if same_default {
            return;
        }
        // A default that the enum or composite type is about to lose must be gone before, and the
        // next one may only be there afterwards.
        let is_lost = || loses_values(context, from) || loses_form(context, from);
        if steps.state.default.is_some() && to.default.is_some() && is_lost() {
            steps.step(ColumnAspect::Default, None, |column| column.default = None);
        }
        if steps.state.default != to.default {
            steps.step(ColumnAspect::Default, None, |column| {
                column.default.clone_from(&to.default);
            });
        }
    };
    if numbering_starts {
        default_aspect(steps);
        // A numbered column takes no NULL.
        find_nullability(context, from_table, to_table, to, steps);
    }
    let identity_aspect = match (&from.identity, &to.identity) {
        (None, None) => None,
        (Some(old), Some(new)) => {
            (!same_identity(context, old, new)).then_some(ColumnAspect::Identity)
        }
        _ => Some(ColumnAspect::AutoIncrement),
    };
    if let Some(aspect) = identity_aspect {
        steps.step(aspect, None, |column| {
            column.identity.clone_from(&to.identity);
        });
    }
    if !numbering_starts {
        default_aspect(steps);
    }
}

/// Whether the column's enum has fewer values afterwards.
fn loses_values(context: &Context<'_>, column: &Column) -> bool {
    let values = |schema: &Schema| {
        let name = column.column_type.user_type.as_ref()?;
        schema
            .enums
            .get(name)
            .map(|enum_type| enum_type.values.clone())
    };
    match (values(context.from), values(context.to)) {
        (Some(from), Some(to)) => from.iter().any(|value| !to.contains(value)),
        _ => false,
    }
}

/// Whether the column's composite type has other attributes afterwards.
fn loses_form(context: &Context<'_>, column: &Column) -> bool {
    let attributes = |schema: &Schema| {
        let name = column.column_type.user_type.as_ref()?;
        let composite = schema.composites.get(name)?;
        Some(composite.attributes.clone())
    };
    attributes(context.from) != attributes(context.to)
}

/// Serial and `GENERATED BY DEFAULT AS IDENTITY` number alike.
fn same_identity(context: &Context<'_>, from: &Identity, to: &Identity) -> bool {
    let form = |identity: &Identity| {
        if !context.is_exact() && identity.kind == IdentityKind::Serial {
            IdentityKind::ByDefault
        } else {
            identity.kind
        }
    };
    let same_counting = match (&from.sequence, &to.sequence) {
        (Some(old), Some(new)) => old.counts_like(new),
        _ => true,
    };
    form(from) == form(to) && same_counting
}

fn find_nullability(
    context: &Context<'_>,
    from_table: &Table,
    to_table: &Table,
    to: &Column,
    steps: &mut Steps<'_>,
) {
    if steps.state.nullable == to.nullable {
        return;
    }
    let overlooked = context.rules.overlooks_null_in_keys()
        && from_table.is_key_column(&to.name)
        && to_table.is_key_column(&to.name)
        && !context.is_exact();
    if overlooked {
        return;
    }
    let fill = (!to.nullable)
        .then(|| context.questioner.fill_value(&to_table.name, &to.name))
        .flatten();
    steps.step(ColumnAspect::Nullable, fill, |column| {
        column.nullable = to.nullable;
    });
}

/// A generated column whose generation cannot be changed in place is dropped and added again: its
/// values follow from others.
fn recreate(
    context: &Context<'_>,
    table: &ObjectName,
    from: &Column,
    to: &Column,
    findings: &mut Findings,
) {
    findings.push(Op::Drop(Object::Column {
        table: table.clone(),
        column: from.clone(),
        dependents: Vec::new(),
        fill: None,
    }));
    findings.push(add(context, table, to));
}
