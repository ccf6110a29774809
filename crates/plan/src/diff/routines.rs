//! Sequences, functions and views.

use super::context::{Context, Finding, Findings};
use super::renames::Renames;
use super::types::comment;
use super::{Subject, indexes, rules_of_rows};
use crate::op::{Alteration, CommentTarget, Object, Op, Rename};
use crate::schema::{Function, FunctionKind, Schema, Sequence, View};

/// Finds what differs between the sequences that stand alone.
pub(super) fn find_sequences(context: &Context<'_>, findings: &mut Findings) {
    let (from, to) = (context.from, context.to);
    let same = |a: &Sequence, b: &Sequence| a.options == b.options && a.owned_by == b.owned_by;
    for (name, wanted) in &to.sequences {
        match from.sequences.get(name) {
            None => findings.push(Op::Create(Object::Sequence(wanted.clone()))),
            Some(old) => {
                if !same(old, wanted) {
                    findings.push(Op::Alter(Alteration::Sequence {
                        from: old.clone(),
                        to: wanted.clone(),
                    }));
                }
                if old.comment != wanted.comment {
                    findings.push(comment(
                        CommentTarget::Sequence(name.clone()),
                        old.comment.as_ref(),
                        wanted.comment.as_ref(),
                    ));
                }
            }
        }
    }
    for (name, old) in &from.sequences {
        if !to.sequences.contains_key(name) {
            findings.push(Op::Drop(Object::Sequence(old.clone())));
        }
    }
}

/// Finds what differs between the functions and procedures.
pub(super) fn find_functions(context: &Context<'_>, findings: &mut Findings) {
    let (from, to) = (context.from, context.to);
    for (key, wanted) in &to.functions {
        let Some(old) = from.functions.get(key) else {
            findings.push(Op::Create(Object::Function(wanted.clone())));
            continue;
        };
        let same_text = normalised(&old.definition) == normalised(&wanted.definition);
        let replaceable = same_head(old, wanted) && context.rules.replaces_functions();
        if !same_text && replaceable {
            findings.push(Op::Alter(Alteration::Function {
                from: old.clone(),
                to: wanted.clone(),
            }));
        } else if !same_text {
            findings.push(Op::Drop(Object::Function(old.clone())));
            findings.push(Op::Create(Object::Function(wanted.clone())));
            continue;
        }
        if old.comment != wanted.comment {
            let is_procedure = wanted.kind == FunctionKind::Procedure;
            findings.push(comment(
                CommentTarget::Function(key.clone(), is_procedure),
                old.comment.as_ref(),
                wanted.comment.as_ref(),
            ));
        }
    }
    for (key, old) in &from.functions {
        if !to.functions.contains_key(key) {
            findings.push(Op::Drop(Object::Function(old.clone())));
        }
    }
}

/// Line ends and white space at the end say nothing.
fn normalised(definition: &str) -> String {
    let lines: Vec<&str> = definition.lines().map(str::trim_end).collect();
    lines.join("\n").trim_end().to_owned()
}

/// What `CREATE OR REPLACE` cannot change.
fn same_head(a: &Function, b: &Function) -> bool {
    a.kind == b.kind && a.parameters == b.parameters && a.returns == b.returns
}

/// Finds what differs between the views.
///
/// `original` is the first schema before renames: a view is dropped while everything still has its
/// old name, so that its old definition can be put up again when that is reversed.
pub(super) fn find_views(
    context: &Context<'_>,
    original: &Schema,
    renames: &Renames,
    findings: &mut Findings,
) {
    let (from, to) = (original, context.to);
    for (name, wanted) in &to.views {
        let Some(old) = from.views.get(name) else {
            findings.push(Op::Create(Object::View(wanted.clone())));
            continue;
        };
        let same_query = same_columns(old, wanted)
            && context.same_expression(
                Subject::View,
                name,
                None,
                &renamed(context, renames, &old.definition),
                &wanted.definition,
            );
        if old.materialized != wanted.materialized || !same_query {
            let replaceable = !old.materialized
                && !wanted.materialized
                && old.triggers == wanted.triggers
                && context.rules.replaces_view(old, wanted);
            if replaceable {
                findings.push(Op::Alter(Alteration::View {
                    from: old.clone(),
                    to: wanted.clone(),
                }));
                find_view_comments(old, wanted, findings);
            } else {
                findings.push(Op::Drop(Object::View(old.clone())));
                findings.list.push(
                    Finding::new(Op::Create(Object::View(wanted.clone())))
                        .noting("privileges granted on the old view must be granted again"),
                );
            }
            continue;
        }
        if old.options != wanted.options {
            findings.push(Op::Alter(Alteration::View {
                from: old.clone(),
                to: wanted.clone(),
            }));
        }
        indexes::find_between(context, name, &old.indexes, &wanted.indexes, findings);
        rules_of_rows::find_triggers(context, name, &old.triggers, &wanted.triggers, findings);
        find_view_comments(old, wanted, findings);
    }
    for (name, old) in &from.views {
        if !to.views.contains_key(name) {
            findings.push(Op::Drop(Object::View(old.clone())));
        }
    }
}

/// The query after the renames, as far as replacing names in it tells.
fn renamed(context: &Context<'_>, renames: &Renames, definition: &str) -> String {
    let mut text = definition.to_owned();
    for op in &renames.ops {
        let names = match op {
            Op::Rename(Rename::Table { from, to }) => (&from.name, &to.name),
            Op::Rename(Rename::Column { from, to, .. }) => (from, to),
            _ => continue,
        };
        text = context.rules.rename_in_expression(&text, names.0, names.1);
    }
    text
}

fn same_columns(a: &View, b: &View) -> bool {
    a.columns.len() == b.columns.len()
        && a.columns
            .iter()
            .zip(&b.columns)
            .all(|(a, b)| a.name == b.name)
}

fn find_view_comments(old: &View, wanted: &View, findings: &mut Findings) {
    if old.comment != wanted.comment {
        findings.push(comment(
            CommentTarget::View(wanted.name.clone(), wanted.materialized),
            old.comment.as_ref(),
            wanted.comment.as_ref(),
        ));
    }
    let columns = wanted.columns.iter().map(|column| &column.name);
    for column in columns {
        let (before, after) = (
            old.column_comments.get(column),
            wanted.column_comments.get(column),
        );
        if before != after {
            findings.push(comment(
                CommentTarget::ViewColumn(wanted.name.clone(), column.clone()),
                before,
                after,
            ));
        }
    }
}
