//! A difference as a script for the database's own client, and the way back.

use std::collections::BTreeSet;

use crate::dialect::Dialect;
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
            commit_after: false,
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

/// A script that makes the changes, for psql, mariadb/mysql or sqlite3.
///
/// PostgreSQL and SQLite make it in one transaction, but for what must be committed before it can be
/// used; MySQL commits each statement. Nothing to do gives a comment.
pub fn script(difference: &Difference, dialect: Dialect) -> String {
    if difference.changes.is_empty() {
        return "-- Nothing to do.\n".to_owned();
    }
    let statements: Vec<&str> = difference.sql();
    let own_transaction = dialect == Dialect::Mysql
        || statements.iter().any(|statement| {
            let word = first_word(statement);
            ["PRAGMA", "BEGIN", "COMMIT"]
                .iter()
                .any(|own| word.eq_ignore_ascii_case(own))
        });
    let mut text = String::new();
    if !own_transaction {
        text.push_str("BEGIN;\n\n");
    }
    for (position, change) in difference.changes.iter().enumerate() {
        for line in change.description.lines() {
            text.push_str(&format!("-- {line}\n"));
        }
        if change.sql.is_empty()
            && let Some(with) = change
                .done_with
                .and_then(|with| difference.changes.get(with))
        {
            let when = if change.done_with > Some(position) {
                "below"
            } else {
                "above"
            };
            let what = with.description.lines().next().unwrap_or_default();
            text.push_str(&format!("-- done {when}, with: {what}\n"));
        }
        for statement in &change.sql {
            push_statement(&mut text, statement, dialect);
        }
        if change.commit_after && !own_transaction {
            text.push_str("COMMIT;\nBEGIN;\n");
        }
        text.push('\n');
    }
    if own_transaction {
        text.truncate(text.trim_end().len());
        text.push('\n');
    } else {
        text.push_str("COMMIT;\n");
    }
    text
}

/// Statements for the client program, each ended as it needs.
pub fn push_statement(script: &mut String, statement: &str, dialect: Dialect) {
    let statement = statement.trim_end().trim_end_matches(';');
    // The mysql client takes a semicolon inside the body of a stored program for its end.
    let is_program = dialect == Dialect::Mysql && statement.contains(';') && {
        let words: Vec<String> = statement
            .split_whitespace()
            .take(8)
            .map(str::to_ascii_uppercase)
            .collect();
        words.first().is_some_and(|word| word == "CREATE")
            && words.iter().any(|word| {
                matches!(
                    word.as_str(),
                    "TRIGGER" | "FUNCTION" | "PROCEDURE" | "EVENT"
                )
            })
    };
    if is_program {
        script.push_str(&format!("DELIMITER $$\n{statement}$$\nDELIMITER ;\n"));
    } else {
        script.push_str(statement);
        // A comment at the end would swallow the semicolon.
        if statement
            .lines()
            .last()
            .is_some_and(|line| line.contains("--"))
        {
            script.push('\n');
        }
        script.push_str(";\n");
    }
}

fn first_word(statement: &str) -> &str {
    statement
        .split(|c: char| !c.is_ascii_alphabetic())
        .next()
        .unwrap_or_default()
}
