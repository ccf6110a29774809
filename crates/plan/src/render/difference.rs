//! A difference as a script for the database's own client, and the way back.

use std::collections::BTreeSet;

use crate::dialect::{Dialect, rules};
use crate::diff::Difference;
use crate::op::{Alteration, Change, ColumnAspect, Object, Op, Origin, Risk, Warning};
use crate::schema::Schema;

/// The way back: the changes in reverse order, each turned round, with its SQL. `judged` is the
/// comparison made the other way round, where there is one: it knows the risk of what it has in
/// common with the way back.
pub fn reversed(difference: &Difference, to: &Schema, judged: Option<&Difference>) -> Difference {
    let last = difference.changes.len().saturating_sub(1);
    let changes = difference.changes.iter().rev();
    let changes = changes.map(|change| {
        let op = change.op.reverse();
        let known = judged
            .into_iter()
            .flat_map(|judged| &judged.changes)
            .find(|known| known.op == op);
        let (risk, warnings, notes) = match known {
            Some(known) => (known.risk, known.warnings.clone(), known.notes.clone()),
            None => guess(&op, &change.origin),
        };
        let commit_after =
            to.dialect == Dialect::Postgres && matches!(op, Op::Alter(Alteration::EnumAdd { .. }));
        Change {
            description: op.describe(to.dialect, to.default_schema.as_deref()),
            dialect: to.dialect,
            default_schema: to.default_schema.clone(),
            op,
            origin: change.origin.clone(),
            risk,
            warnings,
            notes,
            rename_candidate: None,
            sql: change.reverse_sql.clone(),
            reverse_sql: change.sql.clone(),
            done_with: change.done_with.map(|position| last - position),
            commit_after,
        }
    });
    Difference {
        changes: changes.collect(),
        not_compared: difference.not_compared.clone(),
        notes: difference.notes.clone(),
    }
}

/// The risk of what a comparison the other way round does differently.
fn guess(op: &Op, origin: &Origin) -> (Risk, BTreeSet<Warning>, Vec<String>) {
    if let Op::Create(Object::Column { column, .. }) = op
        && column.needs_value()
    {
        return (
            Risk::MayFail,
            [Warning::NotNullWithoutDefault].into(),
            Vec::new(),
        );
    }
    let loses = match op {
        Op::Drop(Object::Table(_) | Object::Column { .. }) => *origin == Origin::Difference,
        Op::Alter(Alteration::EnumRemove { .. }) => true,
        Op::Alter(Alteration::Composite {
            from,
            to,
            uses,
            embedded,
        }) => {
            let mut attributes = from.attributes.iter();
            (*embedded || !uses.is_empty())
                && attributes.any(|attribute| to.attribute(&attribute.name).is_none())
        }
        Op::Create(_) | Op::Drop(_) | Op::Rename(_) | Op::Alter(_) => false,
    };
    if loses {
        (Risk::DataLoss, [Warning::DataLoss].into(), Vec::new())
    } else {
        let may_fail = matches!(op, Op::Alter(Alteration::Column { .. }))
            || matches!(
                op,
                Op::Create(
                    Object::Unique { .. } | Object::ForeignKey { .. } | Object::Check { .. }
                )
            );
        let risk = if may_fail { Risk::MayFail } else { Risk::Safe };
        (risk, BTreeSet::new(), Vec::new())
    }
}

/// A script that makes the changes to `before`, for psql, mariadb/mysql or sqlite3.
///
/// PostgreSQL and SQLite make it in one transaction, PostgreSQL but for what must be committed before
/// it can be used; MySQL commits each statement. Nothing to do gives a comment.
pub fn script(difference: &Difference, before: &Schema) -> String {
    if difference.changes.is_empty() {
        return "-- Nothing to do.\n".to_owned();
    }
    let rules = rules(before.dialect);
    let is_postgres = before.dialect == Dialect::Postgres;
    let [begin, end] = rules.script_frame();
    let mut text = String::new();
    let push = |text: &mut String, statement: &str| {
        text.push_str(&rules.script_statement(statement));
        text.push('\n');
    };
    for statement in begin {
        push(&mut text, statement);
    }
    let own_frame = is_postgres && begin.is_empty();
    if own_frame {
        push(&mut text, "BEGIN");
    }
    let strict = rules.strict_frame();
    let mut is_strict = false;
    for (position, change) in difference.changes.iter().enumerate() {
        // Triggers and routines keep the mode in which they are made, so it goes as it comes.
        if let Some([start, stop]) = strict
            && !change.sql.is_empty()
            && is_strict != changes_values(difference, position)
        {
            is_strict = !is_strict;
            text.push('\n');
            for statement in if is_strict { start } else { stop } {
                push(&mut text, statement);
            }
        }
        text.push('\n');
        push_comment(&mut text, &change.description);
        for note in &change.notes {
            push_comment(&mut text, &format!("CHECK: {note}"));
        }
        for statement in &change.sql {
            push(&mut text, statement);
        }
        if change.commit_after && own_frame {
            push(&mut text, "COMMIT");
            push(&mut text, "BEGIN");
        }
    }
    text.push('\n');
    if let Some([_, stop]) = strict
        && is_strict
    {
        for statement in stop {
            push(&mut text, statement);
        }
    }
    if own_frame {
        push(&mut text, "COMMIT");
    }
    for statement in end {
        push(&mut text, statement);
    }
    text
}

/// Whether the statements of the change may have to change values that are there.
fn changes_values(difference: &Difference, position: usize) -> bool {
    let mut changes = difference.changes.iter().enumerate();
    changes.any(|(other, change)| {
        (other == position || change.done_with == Some(position))
            && match &change.op {
                Op::Create(Object::Column { column, fill, .. }) => {
                    fill.is_some() || column.needs_value()
                }
                Op::Alter(Alteration::Column { aspect, .. }) => !matches!(
                    aspect,
                    ColumnAspect::Default | ColumnAspect::Comment | ColumnAspect::Visibility
                ),
                _ => false,
            }
    })
}

fn push_comment(text: &mut String, words: &str) {
    // A carriage return ends a comment too.
    for line in words.split(['\n', '\r']) {
        text.push_str("-- ");
        text.push_str(line);
        text.push('\n');
    }
}
