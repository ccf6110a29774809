//! `history`: the revisions, newest first.

use clap::Args;
use stairway_core::Error;
use stairway_core::plan::history::History;
use stairway_core::plan::plan::select_range;
use stairway_core::plan::report::RevisionReport;
use stairway_core::plan::revision::RevisionId;
use stairway_core::plan::target::Range;

use super::{Execute, Needs};
use crate::args::target;
use crate::error::CommandError;
use crate::report::{Outcome, RevisionList};
use crate::session::{Session, counts_from_applied};
use crate::style::names;

/// List the revisions, newest first
///
/// What is applied, and when, is shown if the database can be asked. For who applied it see `log`.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway history
  stairway history --indicate-current
  stairway history add_users:head
  stairway history -3:current
  stairway history --offline")]
pub(crate) struct Arguments {
    /// FROM:TO, FROM: or :TO, both ends included
    #[arg(allow_hyphen_values = true, value_parser = target)]
    range: Option<String>,
    /// Mark the applied heads; fails if the database can't be asked
    #[arg(short, long)]
    indicate_current: bool,
    /// Do not ask the database
    #[arg(long, conflicts_with = "indicate_current")]
    offline: bool,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        if self.offline {
            Needs::Offline
        } else {
            Needs::Databases
        }
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let graph = session.manager()?.graph();
        let history = if self.offline {
            None
        } else {
            let needed =
                self.indicate_current || self.range.as_deref().is_some_and(counts_from_applied);
            session.annotations(needed).await?
        };
        if let Some(history) = &history {
            let applied = history
                .applied_ids()
                .filter(|id| !graph.contains(id.as_str()));
            let unknown: Vec<RevisionId> = applied.cloned().collect();
            if !unknown.is_empty() {
                session.console.warning(&format!(
                    "the database also has revisions that this build does not know: {}",
                    names(&unknown)
                ));
            }
        }
        let mut ids: Vec<RevisionId> = match &self.range {
            None => graph.iter().map(|revision| revision.id.clone()).collect(),
            Some(range) => {
                let nothing = History::default();
                let range = Range::parse(range).map_err(|error| Error::Plan(error.into()))?;
                select_range(graph, history.as_ref().unwrap_or(&nothing), &range)
                    .map_err(Error::from)?
            }
        };
        ids.reverse();
        Ok(Outcome::done(RevisionList {
            revisions: RevisionReport::list(graph, history.as_ref(), &ids),
            empty: "There are no revisions",
            indicate_current: true,
        }))
    }
}
