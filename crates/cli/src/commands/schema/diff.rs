//! `schema diff`: what makes one schema like another.

use clap::Args;
use serde_json::{Map, Value, json};
use stairway_core::Error;
use stairway_core::plan::diff::Difference;
use stairway_core::plan::render::difference::script;
use stairway_core::plan::schema::Schema;
use stairway_core::settings::Overrides;
use stairway_core::side::Side;

use crate::commands::{Execute, Needs};
use crate::comparison::{
    AnswerArguments, FilterArguments, compare, name_unused, summary, way_back,
};
use crate::error::CommandError;
use crate::exit_code;
use crate::report::{Outcome, Report, versioned};
use crate::session::Session;

/// Say what makes one schema like another
///
/// Says what makes the first schema like the second one: as a list, as JSON, or as a script for
/// psql, mariadb or sqlite3.
///
/// A side is a database URL, the path of an SQL file, `entities` or `revisions`. A database that is
/// named is only read. Files, entities and revisions are made in a scratch database, on the server of
/// the other side or of the configured database, which is dropped again.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway schema diff --from postgres://localhost/shop --to entities
  stairway schema diff --from revisions --to entities --exit-code
  stairway schema diff --from old.sql --to new.sql --output sql
  stairway schema diff --from $STAGING --to $PRODUCTION --exclude 'audit.*' --output json")]
pub(crate) struct Arguments {
    /// What is changed: a database URL, an SQL file, `entities` or `revisions`
    #[arg(long, value_name = "SIDE")]
    from: String,
    /// What it shall become like: a database URL, an SQL file, `entities` or `revisions`
    #[arg(long, value_name = "SIDE")]
    to: String,
    /// Show the way back instead
    #[arg(long)]
    reverse: bool,
    /// Exit with 3 if there is a difference
    #[arg(long)]
    exit_code: bool,
    #[command(flatten)]
    answers: AnswerArguments,
    #[command(flatten)]
    filter: FilterArguments,
}

struct DiffReport {
    from: String,
    to: String,
    /// What the changes are made to.
    before: Schema,
    difference: Difference,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        // A server is given already if one side is a database.
        let names_server = [&self.from, &self.to]
            .iter()
            .any(|text| matches!(Side::parse(text), Ok(Side::Database(_)) | Err(_)));
        if names_server {
            Needs::Offline
        } else {
            Needs::OneDatabase
        }
    }

    fn overrides(&self, overrides: &mut Overrides) {
        self.filter.overrides(overrides);
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let from = Side::parse(&self.from).map_err(Error::from)?;
        let to = Side::parse(&self.to).map_err(Error::from)?;
        let answers = self.answers.answers()?;
        let compared = compare(session, &from, &to, &answers).await?;
        name_unused(session, &answers, &compared.difference);
        let before = if self.reverse {
            compared.difference.applied_to(&compared.from)
        } else {
            compared.from.clone()
        };
        let (from, to, difference) = if self.reverse {
            (to, from, way_back(&compared, &answers)?)
        } else {
            (from, to, compared.difference)
        };
        let found = !difference.changes.is_empty();
        let report = DiffReport {
            from: from.to_string(),
            to: to.to_string(),
            before,
            difference,
        };
        let code = if found && self.exit_code {
            exit_code::DIFFERENT
        } else {
            exit_code::DONE
        };
        Ok(Outcome::with_code(report, code))
    }
}

impl Report for DiffReport {
    fn json(&self) -> serde_json::Result<Value> {
        let mut fields = Map::new();
        fields.insert("from".to_owned(), json!(self.from));
        fields.insert("to".to_owned(), json!(self.to));
        fields.insert("dialect".to_owned(), json!(self.before.dialect));
        fields.insert(
            "changes".to_owned(),
            serde_json::to_value(&self.difference.changes)?,
        );
        fields.insert(
            "not_compared".to_owned(),
            json!(self.difference.not_compared),
        );
        fields.insert("notes".to_owned(), json!(self.difference.notes));
        versioned(&fields)
    }

    fn text(&self) -> String {
        summary(&self.difference)
    }

    fn sql(&self) -> Option<String> {
        Some(script(&self.difference, &self.before))
    }
}
