//! Comparing two databases, with a server as the judge of sameness.

mod judge;
mod location;

use std::fmt::Write as _;

use serde::Serialize;
use stairway_plan::dialect::{Dialect, rules};
use stairway_plan::diff::{DiffError, DiffOptions, Difference, Questioner, Verdicts, diff};
use stairway_plan::op::Change;
use stairway_plan::schema::Schema;
use thiserror::Error;

use crate::inspect::{Connection, InspectError, InspectOptions, inspect};

pub use location::without_credentials;

/// How often the comparison and the judge take turns at most. One turn is enough unless an answer
/// leads to a new question.
const TURNS: usize = 4;

/// One side of a comparison.
#[derive(Clone, Debug)]
pub enum Source {
    /// A live database.
    Url(String),
    /// A schema that was read before. `label` says where, for people.
    Schema { label: String, schema: Box<Schema> },
}

/// How to compare.
#[derive(Clone, Debug, Default)]
pub struct CompareOptions {
    /// What counts as a difference.
    pub diff: DiffOptions,
    /// What to read.
    pub inspect: InspectOptions,
}

/// What leads from one schema to another. Its JSON form is that of `schema diff --output json`.
#[derive(Clone, Debug, Serialize)]
pub struct Comparison {
    /// The first side, without credentials.
    pub from: String,
    /// The second side, without credentials.
    pub to: String,
    /// The kind of database.
    pub dialect: Dialect,
    /// What to do, in order.
    pub changes: Vec<Change>,
    /// What was seen and takes no part in the comparison, for people.
    pub not_compared: Vec<String>,
    /// What is different and stays so, for people.
    pub notes: Vec<String>,
}

/// Why two sides could not be compared.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CompareError {
    /// A side could not be read.
    #[error("cannot read {location}: {source}")]
    Inspect {
        location: String,
        source: InspectError,
    },
    /// The sides are of different kinds.
    #[error(transparent)]
    Diff(#[from] DiffError),
}

/// Compares two sides. Writes nothing to either.
///
/// Texts that look different are put to the server of the second side, or of the first one if only
/// that is live. When it gives no answer, text decides.
///
/// # Errors
///
/// When a side cannot be read, or the sides are of different database kinds.
pub async fn compare(
    from: &Source,
    to: &Source,
    options: &CompareOptions,
    questioner: &(dyn Questioner + Sync),
) -> Result<Comparison, CompareError> {
    let (from, to) = tokio::join!(
        Side::open(from, &options.inspect),
        Side::open(to, &options.inspect)
    );
    let (mut from, mut to) = match (from, to) {
        (Ok(from), Ok(to)) => (from, to),
        (Ok(opened), Err(error)) | (Err(error), Ok(opened)) => {
            opened.close().await;
            return Err(error);
        }
        (Err(error), Err(_)) => return Err(error),
    };
    let compared = compare_sides(&mut from, &mut to, options, questioner).await;
    from.close().await;
    to.close().await;
    compared
}

/// Compares two sides that have been read. Writes nothing to either. See [`compare`].
///
/// # Errors
///
/// When the sides are of different database kinds.
pub async fn compare_sides(
    from: &mut Side,
    to: &mut Side,
    options: &CompareOptions,
    questioner: &(dyn Questioner + Sync),
) -> Result<Comparison, CompareError> {
    let difference = turn_by_turn(from, to, options, questioner).await?;
    Ok(Comparison {
        from: from.label.clone(),
        to: to.label.clone(),
        dialect: from.schema.dialect,
        changes: difference.changes,
        not_compared: difference.not_compared,
        notes: difference.notes,
    })
}

pub(crate) async fn turn_by_turn(
    from: &mut Side,
    to: &mut Side,
    options: &CompareOptions,
    questioner: &(dyn Questioner + Sync),
) -> Result<Difference, CompareError> {
    let mut verdicts = Verdicts::default();
    let mut difference = diff(
        &from.schema,
        &to.schema,
        &options.diff,
        &verdicts,
        questioner,
    )?;
    for _ in 0..TURNS {
        let open = verdicts.take_open();
        if open.is_empty() {
            break;
        }
        let (connection, schema) = match (&mut to.connection, &mut from.connection) {
            (Some(connection), _) => (connection, &to.schema),
            (None, Some(connection)) => (connection, &from.schema),
            (None, None) => break,
        };
        let answers = judge::answer(connection, schema, open).await;
        let complaint = answers.complaint;
        for (question, same) in answers.given {
            verdicts.answer(question, same);
        }
        difference = diff(
            &from.schema,
            &to.schema,
            &options.diff,
            &verdicts,
            questioner,
        )?;
        difference.notes.extend(complaint.clone());
        if complaint.is_some() {
            break;
        }
    }
    Ok(difference)
}

/// One side with its schema read, and still connected if it is a live database.
#[derive(Debug)]
pub struct Side {
    pub(crate) label: String,
    pub(crate) schema: Schema,
    pub(crate) connection: Option<Connection>,
}

impl Side {
    /// Reads a side.
    ///
    /// # Errors
    ///
    /// When the database does not answer or its catalogue cannot be read.
    pub async fn open(source: &Source, options: &InspectOptions) -> Result<Self, CompareError> {
        match source {
            Source::Url(url) => {
                let label = without_credentials(url);
                let wrap = |source| CompareError::Inspect {
                    location: label.clone(),
                    source,
                };
                let mut connection = Connection::open(url).await.map_err(wrap)?;
                let schema = inspect(&mut connection, options).await.map_err(wrap)?;
                Ok(Self {
                    label,
                    schema,
                    connection: Some(connection),
                })
            }
            Source::Schema { label, schema } => Ok(Self {
                label: label.clone(),
                schema: schema.as_ref().clone(),
                connection: None,
            }),
        }
    }

    /// What was read.
    pub fn schema(&self) -> &Schema {
        &self.schema
    }

    /// Reads a live database again. A schema that is not live stays as it is.
    ///
    /// # Errors
    ///
    /// When the catalogue cannot be read.
    pub async fn refresh(&mut self, options: &InspectOptions) -> Result<(), CompareError> {
        if let Some(connection) = &mut self.connection {
            self.schema =
                inspect(connection, options)
                    .await
                    .map_err(|source| CompareError::Inspect {
                        location: self.label.clone(),
                        source,
                    })?;
        }
        Ok(())
    }

    /// Says goodbye to the server, if there is one.
    pub async fn close(self) {
        if let Some(connection) = self.connection
            && let Err(error) = connection.close().await
        {
            tracing::debug!(%error, "closing the connection failed");
        }
    }
}

impl Comparison {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }

    /// A script for the database's own shell that makes the first side like the second one. Empty
    /// when there is nothing to do.
    pub fn script(&self) -> String {
        let parts = self
            .changes
            .iter()
            .map(|change| (change.description.clone(), &change.sql));
        self.written(parts)
    }

    /// A script that takes [`Comparison::script`] back. Rows that were dropped do not come back.
    pub fn reverse_script(&self) -> String {
        let parts = self.changes.iter().rev().map(|change| {
            let reverse = change.op.reverse();
            let words = reverse.describe(change.dialect, change.default_schema.as_deref());
            (words, &change.reverse_sql)
        });
        self.written(parts)
    }

    fn written<'a>(&self, parts: impl Iterator<Item = (String, &'a Vec<String>)>) -> String {
        let rules = rules(self.dialect);
        let [before, after] = rules.script_frame();
        let mut script = String::new();
        if self.is_empty() {
            return script;
        }
        for statement in before {
            let _ = writeln!(script, "{}", rules.script_statement(statement));
        }
        for (description, statements) in parts {
            for line in description.lines() {
                // Writing to a string cannot fail.
                let _ = writeln!(script, "-- {line}");
            }
            for statement in statements {
                script.push_str(&rules.script_statement(statement));
                script.push('\n');
            }
        }
        for statement in after {
            let _ = writeln!(script, "{}", rules.script_statement(statement));
        }
        script
    }
}
