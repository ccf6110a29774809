//! `current`: the applied heads.

use clap::Args;
use stairway_core::plan::position::{ChecksumComparison, Position};
use stairway_core::plan::report::RevisionReport;

use super::Execute;
use crate::error::CommandError;
use crate::report::{Outcome, RevisionList};
use crate::session::Session;
use crate::style::names;

/// Show the applied heads
///
/// Several are shown where branches are applied that were never merged. Only reads.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway current
  stairway current --output json | jq -r '.[].revision'")]
pub(crate) struct Arguments {}

impl Execute for Arguments {
    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let manager = session.manager()?;
        let history = manager.read_history().await?;
        let position = Position::of(manager.graph(), &history, &ChecksumComparison::default());
        if !position.unknown.is_empty() {
            session.console.warning(&format!(
                "the database also has revisions that this build does not know: {}",
                names(&position.unknown)
            ));
        }
        let revisions = RevisionReport::list(manager.graph(), Some(&history), &position.current);
        Ok(Outcome::done(RevisionList {
            revisions,
            empty: "Nothing is applied",
            indicate_current: false,
        }))
    }
}
