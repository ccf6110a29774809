//! `heads`: the revisions that no other follows.

use clap::Args;
use stairway_core::plan::report::RevisionReport;

use super::{Execute, Needs};
use crate::error::CommandError;
use crate::report::{Outcome, RevisionList};
use crate::session::Session;

/// Show the heads of the graph
///
/// More than one means that branches were not merged: see `merge`. The database is not asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway heads
  stairway heads --output json | jq length")]
pub(crate) struct Arguments {}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        Needs::Offline
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let graph = session.manager()?.graph();
        let revisions = RevisionReport::list(graph, None, &graph.heads());
        if revisions.len() > 1 {
            session.console.note(
                "join them with `stairway merge`, so that there is one way for every database",
            );
        }
        Ok(Outcome::done(RevisionList {
            revisions,
            empty: "There are no revisions",
            indicate_current: false,
        }))
    }
}
