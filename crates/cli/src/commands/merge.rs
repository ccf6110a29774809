//! `merge`: a revision that joins heads.

use clap::Args;
use stairway_core::NewRevision;
use stairway_core::plan::graph::merge_parents;
use stairway_core::settings::Overrides;

use super::create::{CreatedView, one_line};
use super::{Execute, Needs};
use crate::error::CommandError;
use crate::report::Outcome;
use crate::session::Session;

/// Write a revision that joins heads
///
/// When two people have added a revision each, the graph has two heads; this writes the revision that
/// follows both. The database is not asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway merge
  stairway merge -m \"Merge reporting into main\"
  stairway merge add_invoices add_refunds")]
pub(crate) struct Arguments {
    /// The heads to join [default: all heads]
    #[arg(value_name = "REV")]
    revisions: Vec<String>,
    /// One line that says what is joined
    #[arg(short, long)]
    message: Option<String>,
    /// A name for the branch that starts with it
    #[arg(long, value_name = "LABEL")]
    branch_label: Option<String>,
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
        let manager = session.manager()?;
        let parents = merge_parents(manager.graph(), &self.revisions)
            .map_err(|error| CommandError::usage(error.to_string()))?;
        let message = if let Some(message) = &self.message {
            one_line(message)?
        } else {
            let graph = manager.graph();
            let messages = parents.iter().filter_map(|id| graph.get(id.as_str()));
            let messages: Vec<&str> = messages.map(|revision| revision.message.as_str()).collect();
            format!("Merge {}", messages.join(" and "))
        };
        let created = manager.create_revision(&NewRevision {
            message,
            heads: parents.iter().map(ToString::to_string).collect(),
            branch_label: self.branch_label.clone(),
            ..NewRevision::default()
        })?;
        for warning in &created.warnings {
            session.console.warning(warning);
        }
        Ok(Outcome::done(CreatedView { created }))
    }
}
