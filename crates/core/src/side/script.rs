//! Running a person's SQL statement by statement.

use stairway_plan::sql::{StatementText, TextKind, split};

use super::reach;
use crate::connection::Session;

/// A statement that failed.
#[derive(Debug, thiserror::Error)]
#[error("{script}, line {line}: {message}\n  in: {statement}")]
pub struct ScriptError {
    /// The file, or what else the statement stands in.
    pub script: String,
    /// The line on which the statement begins.
    pub line: usize,
    /// What the server said.
    pub message: String,
    /// The beginning of the statement.
    pub statement: String,
}

/// Runs a script, unless a statement of it would reach beyond the session's database. What only a
/// client program understands, and rows for `COPY`, are passed over: a schema has no rows.
pub(super) async fn run(
    session: &mut Session,
    script: &str,
    text: &str,
) -> Result<(), ScriptError> {
    let failed = |piece: &StatementText<'_>, message: String| ScriptError {
        script: script.to_owned(),
        line: piece.start_line,
        message,
        statement: beginning(piece.text),
    };
    let mut pieces = split(text, session.dialect());
    pieces.retain(|piece| piece.kind == TextKind::Sql);
    for piece in &pieces {
        if let Some(why) = reach::outside(piece.text, session.dialect()) {
            let message = format!("{why}, which a scratch database does not stand for");
            return Err(failed(piece, message));
        }
    }
    for piece in &pieces {
        session.run(piece.text).await.map_err(|error| {
            let message = match error {
                sqlx::Error::Database(error) => error.message().to_owned(),
                other => other.to_string(),
            };
            failed(piece, message)
        })?;
    }
    Ok(())
}

/// Enough of a statement to recognise it.
pub(super) fn beginning(statement: &str) -> String {
    let line = statement.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= 200 {
        return line;
    }
    let mut short: String = line.chars().take(200).collect();
    short.push('…');
    short
}
