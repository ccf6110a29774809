//! A difference as a script for the database's own client, and the way back.

use std::collections::BTreeSet;

use crate::dialect::{Dialect, rules};
use crate::diff::Difference;
use crate::op::{Alteration, Change, Object, Op, Origin, Risk, Warning};
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
    let loses = match op {
        Op::Drop(Object::Table(_) | Object::Column { .. }) => *origin == Origin::Difference,
        Op::Alter(Alteration::EnumRemove { .. }) => true,
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
    for change in &difference.changes {
        text.push('\n');
        push_comment(&mut text, &change.description);
        for statement in &change.sql {
            push(&mut text, statement);
        }
        if change.commit_after && own_frame {
            push(&mut text, "COMMIT");
            push(&mut text, "BEGIN");
        }
    }
    text.push('\n');
    if own_frame {
        push(&mut text, "COMMIT");
    }
    for statement in end {
        push(&mut text, statement);
    }
    text
}

fn push_comment(text: &mut String, words: &str) {
    for line in words.lines() {
        text.push_str("-- ");
        text.push_str(line);
        text.push('\n');
    }
}
