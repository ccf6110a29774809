//! `show`: one revision.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use stairway_core::plan::history::History;
use stairway_core::plan::report::RevisionReport;
use stairway_core::plan::revision::{Phase, RevisionId};
use stairway_core::plan::target::Target;
use stairway_core::{Error, plan::plan::PlanError};

use super::{Execute, Needs};
use crate::args::target;
use crate::error::CommandError;
use crate::report::{Outcome, Report};
use crate::session::{Session, counts_from_applied};
use crate::style::{Facts, GOOD, WARN, paint, revision, revisions, time, visible};

/// Show one revision
///
/// Its place in the graph, where its source lies, and when it was applied if the database can be
/// asked.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway show add_users
  stairway show head
  stairway show current")]
pub(crate) struct Arguments {
    /// A revision, or head, heads, current
    #[arg(value_name = "REV", allow_hyphen_values = true, value_parser = target)]
    revision: String,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        Needs::OneDatabase
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let graph = session.manager()?.graph();
        let history = session
            .annotations(counts_from_applied(&self.revision))
            .await?;
        let nothing = History::default();
        let ids = Target::parse(&self.revision)
            .and_then(|target| target.resolve(graph, history.as_ref().unwrap_or(&nothing)))
            .map_err(|error| Error::from(PlanError::from(error)))?;
        let revisions = RevisionReport::list(graph, history.as_ref(), &ids)
            .into_iter()
            .map(|report| Shown {
                children: graph.children(report.revision.as_str()),
                branches: graph.labels_of(report.revision.as_str()),
                phase: graph
                    .get(report.revision.as_str())
                    .and_then(|revision| revision.phase),
                report,
            })
            .collect();
        Ok(Outcome::done(ShowView { revisions }))
    }
}

#[derive(Serialize)]
struct Shown {
    #[serde(flatten)]
    report: RevisionReport,
    children: Vec<RevisionId>,
    branches: Vec<String>,
    phase: Option<Phase>,
}

struct ShowView {
    revisions: Vec<Shown>,
}

impl Report for ShowView {
    fn json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(&self.revisions)
    }

    fn text(&self) -> String {
        if self.revisions.is_empty() {
            return "That is no revision: nothing is applied there\n".to_owned();
        }
        self.revisions
            .iter()
            .map(text)
            .collect::<Vec<_>>()
            .join("\n")
    }
}

fn text(shown: &Shown) -> String {
    let report = &shown.report;
    let mut facts = Facts::new();
    facts.add("Revision", revision(&report.revision));
    facts.add("Message", visible(&report.message));
    facts.add("Parents", revisions(&report.parents));
    if !report.depends_on.is_empty() {
        facts.add("Depends on", revisions(&report.depends_on));
    }
    facts.add(
        "Children",
        if report.is_head {
            paint(GOOD, "none: it is a head")
        } else {
            revisions(&shown.children)
        },
    );
    if !shown.branches.is_empty() {
        facts.add("Branches", visible(&shown.branches.join(", ")));
    }
    if let Some(phase) = shown.phase {
        facts.add(
            "Phase",
            match phase {
                Phase::Expand => "expand: before the new application version",
                Phase::Backfill => "backfill: moves data",
                Phase::Contract => "contract: after the old application version is gone",
            },
        );
    }
    match (report.is_applied, report.applied_at) {
        (Some(true), at) => {
            let at = at.map_or_else(|| "yes".to_owned(), time);
            let current = if report.is_current == Some(true) {
                ", an applied head"
            } else {
                ""
            };
            facts.add("Applied", format!("{at}{current}"));
        }
        (Some(false), _) => {
            facts.add("Applied", paint(WARN, "no, pending"));
        }
        (None, _) => {}
    }
    if let Some(path) = &report.source_path {
        facts.add("Source", visible(path));
    }
    facts.text()
}
