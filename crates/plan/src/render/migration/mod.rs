//! A difference as an ordinary sea-orm migration: Rust source that sea-orm-cli would run too.
//!
//! Operations become sea-query calls where sea-query has a form for them on the database that was
//! compared, and SQL in a string where it has none. Each operation stands under a comment that says
//! what it does, its SQL where the code does not show it, and what needs a person's eye.

mod column;
mod operation;
mod source;
mod table;

use crate::diff::Difference;
use crate::op::{Alteration, Change, Object, Op, Origin, Risk, Warning};
use crate::schema::Schema;

use operation::Form;
use source::Body;

/// Why a difference could not be written as Rust.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "the generated code can't be formatted, which is a mistake in Stairway: {reason}\n{source_text}"
)]
pub struct RenderError {
    /// What the parser said.
    pub reason: String,
    /// The code as far as it went.
    pub source_text: String,
}

/// The Rust source of a revision that makes the changes, and takes them back, after the module
/// comment. `before` is the schema that the changes are made to.
///
/// # Errors
/// When the code does not parse, which would be a mistake in here.
pub fn render(difference: &Difference, before: &Schema) -> Result<String, RenderError> {
    let after = difference.applied_to(before);
    let mut up = Body::new();
    let mut down = Body::new();
    for note in &difference.notes {
        up.comment(&format!("Left as it is: {note}"));
    }
    for (position, change) in difference.changes.iter().enumerate() {
        upwards(&mut up, difference, position, change, &after);
    }
    let lost = losses(difference);
    if !lost.is_empty() {
        down.comment("What does not come back:");
        for line in lost {
            down.comment(&format!("  {line}"));
        }
    }
    for (position, change) in difference.changes.iter().enumerate().rev() {
        downwards(&mut down, difference, position, change, before);
    }
    source::file(&up, &down, before.dialect)
}

/// The revision as plain SQL: each statement run as it is. `before` is the schema that the changes are
/// made to.
///
/// # Errors
/// As [`render`].
pub fn render_sql(difference: &Difference, before: &Schema) -> Result<String, RenderError> {
    let mut up = Body::new();
    let mut down = Body::new();
    for (position, change) in difference.changes.iter().enumerate() {
        heading(&mut up, change);
        match change.done_with {
            Some(with) if change.sql.is_empty() => {
                done_with(&mut up, difference, position, with);
            }
            _ => up.execute_all(&change.sql),
        }
    }
    for change in difference.changes.iter().rev() {
        down.comment(&reverse_description(change));
        down.execute_all(&change.reverse_sql);
    }
    source::file(&up, &down, before.dialect)
}

fn upwards(
    body: &mut Body,
    difference: &Difference,
    position: usize,
    change: &Change,
    after: &Schema,
) {
    heading(body, change);
    if change.sql.is_empty()
        && let Some(with) = change.done_with
    {
        done_with(body, difference, position, with);
        return;
    }
    let filled = matches!(&change.op, Op::Create(Object::Column { fill: Some(_), .. }));
    let mut changes = difference.changes.iter();
    let does_more = changes.any(|other| other.done_with == Some(position));
    let three_steps = filled || change.warnings.contains(&Warning::NotNullWithoutDefault);
    if three_steps && !does_more && operation::add_in_three_steps(body, change, after) {
        return;
    }
    let alone = is_alone(difference, position, |change| &change.sql);
    write(
        body,
        &operation::form(change, &change.op, &change.sql, alone),
        &change.sql,
    );
    if change.commit_after && position + 1 < difference.changes.len() {
        body.comment("PostgreSQL lets nothing use the new value before it is committed: if a change below does, move");
        body.comment("it into a revision of its own.");
    }
}

fn downwards(
    body: &mut Body,
    difference: &Difference,
    position: usize,
    change: &Change,
    before: &Schema,
) {
    body.blank();
    for line in reverse_description(change).lines() {
        body.comment(line);
    }
    if change.reverse_sql.is_empty()
        && let Some(with) = change.done_with
    {
        let first = difference
            .changes
            .get(with)
            .map(reverse_description)
            .unwrap_or_default();
        body.comment(&format!(
            "Done with: {}",
            first.lines().next().unwrap_or_default()
        ));
        return;
    }
    let op = change.op.reverse();
    if let Op::Create(Object::Column { table, column, .. }) = &op
        && column.needs_value()
    {
        body.comment(&format!(
            "This fails if {} has rows by then: give the column a default, or fill it first.",
            before.short_name(table)
        ));
    }
    let alone = is_alone(difference, position, |change| &change.reverse_sql);
    write(
        body,
        &operation::form(change, &op, &change.reverse_sql, alone),
        &change.reverse_sql,
    );
}

/// Whether the statements of the change do this change and no other: which other one they do is only
/// known for the way forth, so another change of the same table without statements is reason enough.
fn is_alone(
    difference: &Difference,
    position: usize,
    statements: impl Fn(&Change) -> &Vec<String>,
) -> bool {
    let table = difference.changes[position].op.table();
    let mut others = difference.changes.iter().enumerate();
    others.all(|(other, change)| {
        other == position || !statements(change).is_empty() || change.op.table() != table
    })
}

fn write(body: &mut Body, form: &Form, sql: &[String]) {
    match form {
        Form::Code { code, done } => {
            for statement in sql.iter().take(*done) {
                body.preview(statement);
            }
            body.code(code);
            body.execute_all(sql.get(*done..).unwrap_or_default());
        }
        Form::Sql => body.execute_all(sql),
    }
}

/// What the change does and what to look at.
fn heading(body: &mut Body, change: &Change) {
    body.blank();
    for line in change.description.lines() {
        body.comment(line);
    }
    if let Origin::InTheWay { object } = &change.origin {
        body.comment(&format!("  It is in the way of: {object}"));
    }
    let risk = match change.risk {
        Risk::Safe => None,
        Risk::Rewrites => Some("CHECK: writes the whole table anew and blocks it meanwhile."),
        Risk::MayFail => Some("CHECK: fails if existing rows do not fit."),
        Risk::DataLoss => Some("CHECK: data is lost and can't be brought back."),
    };
    if let Some(words) = risk {
        body.comment(words);
    }
    for note in &change.notes {
        body.comment(&format!("CHECK: {note}"));
    }
}

fn done_with(body: &mut Body, difference: &Difference, position: usize, with: usize) {
    let place = if with > position { "below" } else { "above" };
    let first = difference
        .changes
        .get(with)
        .map(|change| change.description.as_str());
    let first = first.unwrap_or_default().lines().next().unwrap_or_default();
    body.comment(&format!("Done {place}, with: {first}"));
}

fn reverse_description(change: &Change) -> String {
    change
        .op
        .reverse()
        .describe(change.dialect, change.default_schema.as_deref())
}

/// What the way back cannot restore.
fn losses(difference: &Difference) -> Vec<String> {
    let mut losses = Vec::new();
    for change in &difference.changes {
        if change.origin != Origin::Difference {
            continue;
        }
        let what = match &change.op {
            Op::Drop(Object::Table(table)) => format!("the rows of {}", table.name.name),
            Op::Drop(Object::Column { table, column, .. }) => {
                format!("the values of {}.{}", table.name, column.name)
            }
            Op::Alter(Alteration::EnumRemove { to, value, .. }) => {
                format!("which rows had the value {value} of {}", to.name.name)
            }
            Op::Alter(Alteration::Composite { to, .. }) if change.risk == Risk::DataLoss => {
                format!("what rows had in attributes of {} that go", to.name.name)
            }
            Op::Alter(Alteration::Column { table, to, .. }) if change.risk == Risk::DataLoss => {
                format!("what the change of {}.{} cut off", table.name, to.name)
            }
            _ => continue,
        };
        losses.push(what);
    }
    losses
}
