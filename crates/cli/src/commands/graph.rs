//! `graph`: the revisions as a drawing.

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;
use stairway_core::plan::render::graph as draw;
use stairway_core::plan::report::RevisionReport;
use stairway_core::plan::revision::RevisionId;

use super::{Execute, Needs};
use crate::error::CommandError;
use crate::report::{Outcome, Report, versioned};
use crate::session::Session;

/// Draw the graph of revisions
///
/// Newest first. The database is asked only for --indicate-current.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway graph
  stairway graph --indicate-current
  stairway graph --format mermaid >> README.md
  stairway graph --format dot | dot -Tsvg > graph.svg")]
pub(crate) struct Arguments {
    /// How to draw it
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Show what is applied, too
    #[arg(short, long)]
    indicate_current: bool,
}

#[derive(Clone, Copy, Debug, Default, ValueEnum)]
enum Format {
    /// For a terminal
    #[default]
    Text,
    /// For Markdown pages
    Mermaid,
    /// For Graphviz
    Dot,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        if self.indicate_current {
            Needs::OneDatabase
        } else {
            Needs::Offline
        }
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let graph = session.manager()?.graph();
        let history = if self.indicate_current {
            session.annotations(true).await?
        } else {
            None
        };
        let drawing = match self.format {
            Format::Text => draw::text(graph, history.as_ref()),
            Format::Mermaid => draw::mermaid(graph, history.as_ref()),
            Format::Dot => draw::dot(graph, history.as_ref()),
        };
        let ids: Vec<RevisionId> = graph.iter().map(|revision| revision.id.clone()).collect();
        Ok(Outcome::done(GraphView {
            drawing,
            form: Form {
                heads: graph.heads(),
                bases: graph.bases(),
                revisions: RevisionReport::list(graph, history.as_ref(), &ids),
            },
        }))
    }
}

#[derive(Serialize)]
struct Form {
    heads: Vec<RevisionId>,
    bases: Vec<RevisionId>,
    revisions: Vec<RevisionReport>,
}

struct GraphView {
    drawing: String,
    form: Form,
}

impl Report for GraphView {
    fn json(&self) -> serde_json::Result<Value> {
        versioned(&self.form)
    }

    fn text(&self) -> String {
        if self.form.revisions.is_empty() {
            "There are no revisions\n".to_owned()
        } else {
            self.drawing.clone()
        }
    }
}
