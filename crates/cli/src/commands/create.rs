//! `create`: a new revision file.

use std::fmt::Write as _;

use clap::Args;
use serde_json::{Map, Value};
use stairway_core::plan::diff::Difference;
use stairway_core::plan::render::migration::{render, render_sql};
use stairway_core::settings::Overrides;
use stairway_core::side::Side;
use stairway_core::{CreatedRevision, DatabaseSource, NewRevision};

use super::{Execute, Needs};
use crate::asking::Asking;
use crate::comparison::{AnswerArguments, FilterArguments, compare, name_unused, summary};
use crate::error::CommandError;
use crate::report::{Outcome, Report, versioned};
use crate::session::Session;
use crate::style::{GOOD, paint, revision, revisions, visible};

/// Write a new revision file
///
/// Writes a revision file that compiles, with its parents and its message in the module comment, and
/// `up` and `down` to fill in. The database is not asked.
///
/// With --autogenerate the entities are made in a scratch database and compared with the database, or
/// with the revisions replayed in a scratch database; `up` and `down` are written from the
/// difference. Without a difference no file is written.
#[derive(Debug, Args)]
#[command(after_help = "\
Say what the revision does: the message becomes its name and is what people read in a log at night.

Examples:
  stairway create \"Add user preferences table\"
  stairway create \"Add bio to users\" --autogenerate
  stairway create \"Rename users.name\" --autogenerate --rename users.name=full_name --preview
  stairway create \"Index datasets by creation time\" --sql
  stairway create \"Add reporting tables\" --branch-label reporting --head base
  stairway create \"Use the new tables\" --depends-on reporting@head")]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is an option of its own on the command line"
)]
pub(crate) struct Arguments {
    /// One line that says what the revision does
    message: String,
    /// The revision that it follows, if not the only head; `base` starts a branch of its own
    #[arg(long, value_name = "REV")]
    head: Vec<String>,
    /// Let it follow a revision that is no head, which starts a branch there
    #[arg(long)]
    splice: bool,
    /// A name for the branch that starts with it
    #[arg(long, value_name = "LABEL")]
    branch_label: Option<String>,
    /// A revision that must be applied first although it is on another branch
    #[arg(long, value_name = "REV")]
    depends_on: Vec<String>,
    /// Write `up` and `down` as SQL statements
    #[arg(long)]
    sql: bool,
    /// Compare the entities with the database, and write what makes the database like them
    #[arg(long)]
    autogenerate: bool,
    /// What the entities are compared with
    #[arg(
        long,
        value_enum,
        value_name = "SIDE",
        default_value_t,
        requires = "autogenerate"
    )]
    from: Current,
    /// Print the revision and write nothing
    #[arg(long, requires = "autogenerate")]
    preview: bool,
    #[command(flatten)]
    answers: AnswerArguments,
    #[command(flatten)]
    filter: FilterArguments,
    /// Where to write it [default: migration/src/revisions]
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<String>,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        if self.autogenerate {
            Needs::OneDatabase
        } else {
            Needs::Offline
        }
    }

    fn overrides(&self, overrides: &mut Overrides) {
        overrides.set("revisions_directory", self.directory.as_ref());
        self.filter.overrides(overrides);
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        if self.autogenerate {
            return self.autogenerate(session).await;
        }
        let request = self.request()?;
        let created = session.manager()?.create_revision(&request)?;
        for warning in &created.warnings {
            session.console.warning(warning);
        }
        Ok(Outcome::done(CreatedView { created }))
    }
}

impl Arguments {
    fn request(&self) -> Result<NewRevision, CommandError> {
        Ok(NewRevision {
            message: one_line(&self.message)?,
            heads: self.head.clone(),
            splice: self.splice,
            branch_label: self.branch_label.clone(),
            depends_on: self.depends_on.clone(),
            up_and_down: self
                .sql
                .then(|| (sql_body("applies"), sql_body("takes back"))),
            source: None,
            directory: None,
        })
    }

    async fn autogenerate(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let manager = session.manager()?;
        let mut request = self.request()?;
        let from = match self.from {
            Current::Revisions => Side::Revisions,
            Current::Database => {
                let status = manager.migration_status().await?;
                if !status.is_up_to_date {
                    return Err(CommandError::usage_with_hint(
                        format!(
                            "the database is not at the head ({}), so comparing with it would write again what is pending",
                            status.state
                        ),
                        "run `stairway upgrade` first, or compare with --from revisions",
                    ));
                }
                match &manager.config().database {
                    DatabaseSource::Url(url) => Side::Database(url.clone()),
                    DatabaseSource::Connection(_) => Side::Revisions,
                }
            }
        };
        let answers = self.answers.answers()?;
        let asking = Asking::new(answers.clone(), session.console);
        let compared = compare(session, &from, &Side::Entities, &asking).await?;
        let difference = &compared.difference;
        name_unused(session, &answers, difference);
        let mut view = AutogeneratedView {
            created: None,
            source: None,
            difference: difference.clone(),
            from: self.from,
        };
        if difference.changes.is_empty() {
            return Ok(Outcome::done(view));
        }
        let source = if self.sql {
            render_sql(difference, &compared.from)
        } else {
            render(difference, &compared.from)
        };
        request.up_and_down = None;
        request.source = Some(source.map_err(|error| CommandError::Failed(error.to_string()))?);
        let created = if self.preview {
            let (created, source) = manager.draft_revision(&request)?;
            view.source = Some(source);
            created
        } else {
            manager.create_revision(&request)?
        };
        for warning in &created.warnings {
            session.console.warning(warning);
        }
        view.created = Some(created);
        Ok(Outcome::done(view))
    }
}

/// What the entities are compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
enum Current {
    /// The database, which must be at the head
    #[default]
    Database,
    /// The revisions, replayed in a scratch database
    Revisions,
}

/// What was found, and the file for it.
struct AutogeneratedView {
    created: Option<CreatedRevision>,
    /// The text, where nothing was written.
    source: Option<String>,
    difference: Difference,
    from: Current,
}

impl Report for AutogeneratedView {
    fn json(&self) -> serde_json::Result<Value> {
        let mut fields = Map::new();
        match &self.created {
            Some(created) => {
                if let Value::Object(created) = serde_json::to_value(created)? {
                    fields.extend(created);
                }
            }
            None => {
                fields.insert("revision".to_owned(), Value::Null);
            }
        }
        let written = self.created.is_some() && self.source.is_none();
        fields.insert("written".to_owned(), Value::from(written));
        if let Some(source) = &self.source {
            fields.insert("source".to_owned(), Value::from(source.as_str()));
        }
        fields.insert(
            "changes".to_owned(),
            serde_json::to_value(&self.difference.changes)?,
        );
        fields.insert(
            "not_compared".to_owned(),
            serde_json::to_value(&self.difference.not_compared)?,
        );
        fields.insert(
            "notes".to_owned(),
            serde_json::to_value(&self.difference.notes)?,
        );
        versioned(&fields)
    }

    fn text(&self) -> String {
        let mut text = summary(&self.difference);
        match (&self.created, &self.source) {
            (Some(created), None) => {
                text.push('\n');
                text.push_str(
                    &CreatedView {
                        created: created.clone(),
                    }
                    .text(),
                );
                text.push_str(
                    "  Read it before you commit it, above all the lines that say CHECK.\n",
                );
            }
            (Some(created), Some(source)) => {
                let _ = write!(
                    text,
                    "\n{} {}\n\n{source}",
                    paint(GOOD, "Would write"),
                    visible(&created.path.display().to_string())
                );
            }
            (None, _) => {
                let current = match self.from {
                    Current::Database => "the database is",
                    Current::Revisions => "the revisions make",
                };
                let _ = writeln!(
                    text,
                    "The entities say what {current}: no file was written."
                );
            }
        }
        text
    }
}

/// A message on one line, which must say something.
pub(super) fn one_line(message: &str) -> Result<String, CommandError> {
    let line = message.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().any(char::is_alphanumeric) {
        Ok(line)
    } else {
        Err(CommandError::usage_with_hint(
            "the message says nothing",
            "say what the revision does, for example \"Add user preferences table\"",
        ))
    }
}

/// A body that runs statements one by one, so that each is journalled for itself.
fn sql_body(does: &str) -> String {
    format!(
        "        // What {does} the revision, one statement each.
        let statements: &[&str] = &[];
        for statement in statements {{
            manager
                .get_connection()
                .execute_unprepared(statement)
                .await?;
        }}
        Ok(())
"
    )
}

/// A new file for people and programs.
pub(super) struct CreatedView {
    pub(super) created: CreatedRevision,
}

impl Report for CreatedView {
    fn json(&self) -> serde_json::Result<Value> {
        versioned(&self.created)
    }

    fn text(&self) -> String {
        let created = &self.created;
        let follows = if created.parents.is_empty() {
            "follows nothing: it starts the history".to_owned()
        } else {
            format!("follows {}", revisions(&created.parents))
        };
        format!(
            "{} {}\n  {} {follows}\n",
            paint(GOOD, "Created"),
            visible(&created.path.display().to_string()),
            revision(&created.revision)
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_put_on_one_line_and_must_say_something() {
        assert_eq!(one_line(" Add\n users  table ").unwrap(), "Add users table");
        for empty in ["", "  ", "--", "\n"] {
            assert!(one_line(empty).is_err(), "{empty:?}");
        }
    }
}
