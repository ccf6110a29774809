//! `create`: a new revision file.

use clap::Args;
use serde_json::Value;
use stairway_core::settings::Overrides;
use stairway_core::{CreatedRevision, NewRevision};

use super::{Execute, Needs};
use crate::error::CommandError;
use crate::report::{Outcome, Report, versioned};
use crate::session::Session;
use crate::style::{GOOD, paint, revision, revisions, visible};

/// Write a new revision file
///
/// Writes a revision file that compiles, with its parents and its message in the module comment, and
/// `up` and `down` to fill in. The database is not asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Say what the revision does: the message becomes its name and is what people read in a log at night.

Examples:
  stairway create \"Add user preferences table\"
  stairway create \"Index datasets by creation time\" --sql
  stairway create \"Add reporting tables\" --branch-label reporting --head base
  stairway create \"Use the new tables\" --depends-on reporting@head")]
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
    /// Write `up` and `down` as lists of SQL statements
    #[arg(long)]
    sql: bool,
    /// Where to write it [default: migration/src/revisions]
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<String>,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        Needs::Offline
    }

    fn overrides(&self, overrides: &mut Overrides) {
        overrides.set("revisions_directory", self.directory.as_ref());
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let request = NewRevision {
            message: one_line(&self.message)?,
            heads: self.head.clone(),
            splice: self.splice,
            branch_label: self.branch_label.clone(),
            depends_on: self.depends_on.clone(),
            up_and_down: self
                .sql
                .then(|| (sql_body("applies"), sql_body("takes back"))),
            directory: None,
        };
        let created = session.manager()?.create_revision(&request)?;
        for warning in &created.warnings {
            session.console.warning(warning);
        }
        Ok(Outcome::done(CreatedView { created }))
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
