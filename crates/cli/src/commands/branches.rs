//! `branches`: where the graph branches.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use stairway_core::plan::report::RevisionReport;
use stairway_core::plan::revision::RevisionId;

use super::{Execute, Needs};
use crate::error::CommandError;
use crate::report::{Outcome, Report};
use crate::session::Session;
use crate::style::{REVISION, paint, revision, visible};

/// Show where the graph branches
///
/// The revisions that more than one other follows, and those that follow them. The database is not
/// asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway branches
  stairway graph")]
pub(crate) struct Arguments {}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        Needs::Offline
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let graph = session.manager()?.graph();
        let present = |ids: &[RevisionId]| {
            RevisionReport::list(graph, None, ids)
                .into_iter()
                .map(|report| Child {
                    branch_labels: graph.labels_of(report.revision.as_str()),
                    revision: report.revision,
                    message: report.message,
                })
                .collect()
        };
        let points = graph
            .branch_points()
            .iter()
            .filter_map(|id| RevisionReport::new(graph, None, id))
            .map(|report| BranchPoint {
                children: present(&graph.children(report.revision.as_str())),
                revision: report.revision,
                message: report.message,
            })
            .collect();
        Ok(Outcome::done(Branches { points }))
    }
}

#[derive(Serialize)]
struct BranchPoint {
    revision: RevisionId,
    message: String,
    children: Vec<Child>,
}

#[derive(Serialize)]
struct Child {
    revision: RevisionId,
    message: String,
    branch_labels: Vec<String>,
}

struct Branches {
    points: Vec<BranchPoint>,
}

impl Report for Branches {
    fn json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(&self.points)
    }

    fn text(&self) -> String {
        if self.points.is_empty() {
            return "The graph does not branch\n".to_owned();
        }
        let mut text = String::new();
        for point in &self.points {
            let _ = writeln!(
                text,
                "{}  {}",
                revision(&point.revision),
                visible(&point.message)
            );
            for child in &point.children {
                let labels: Vec<String> = child
                    .branch_labels
                    .iter()
                    .map(|label| format!(" @{}", visible(label)))
                    .collect();
                let _ = writeln!(
                    text,
                    "  -> {}{}  {}",
                    revision(&child.revision),
                    paint(REVISION, &labels.concat()),
                    visible(&child.message)
                );
            }
        }
        text
    }
}
