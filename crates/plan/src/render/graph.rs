//! The revision graph as a picture: drawn in text, for Mermaid, for Graphviz.
//!
//! Names and messages come from elsewhere: each form escapes what would mean something in it.

mod diagram;
mod lanes;
#[cfg(test)]
mod tests;

pub use diagram::{dot, mermaid};
pub use lanes::text;

use crate::graph::{RevisionGraph, Selection};
use crate::history::{History, Standing};
use crate::revision::{Revision, RevisionId, message_from_id};

/// What a picture says beside a revision's name.
struct Marks<'a> {
    graph: &'a RevisionGraph,
    heads: Selection,
    database: Option<Database>,
}

/// What a database says, if it was asked.
struct Database {
    applied: Selection,
    current: Selection,
    unknown: Vec<RevisionId>,
}

impl<'a> Marks<'a> {
    fn new(graph: &'a RevisionGraph, history: Option<&History>) -> Self {
        let database = history.map(|history| {
            let standing = Standing::new(graph, history);
            Database {
                applied: standing.known().clone(),
                current: Selection::of(graph.len(), graph.tips_of(standing.known())),
                unknown: standing.unknown(),
            }
        });
        Self {
            graph,
            heads: Selection::of(graph.len(), graph.head_positions()),
            database,
        }
    }

    /// Whether it is applied, if a database was asked.
    fn is_applied(&self, position: usize) -> Option<bool> {
        let database = self.database.as_ref()?;
        Some(database.applied.contains(position))
    }

    fn unknown(&self) -> &[RevisionId] {
        self.database
            .as_ref()
            .map_or(&[], |database| &database.unknown)
    }

    /// Words about a revision: where it stands and what it is called.
    fn words(&self, position: usize) -> Vec<String> {
        let revision = self.graph.at(position);
        let is_current = |database: &Database| database.current.contains(position);
        let labels = revision
            .branch_labels
            .iter()
            .map(|label| format!("branch {label}"));
        let mut words: Vec<String> = labels.collect();
        if self.heads.contains(position) {
            words.push("head".to_owned());
        }
        if self.database.as_ref().is_some_and(is_current) {
            words.push("current".to_owned());
        }
        words
    }
}

/// The message, unless it only repeats the words of the id.
fn message(revision: &Revision) -> Option<&str> {
    let says_more = revision.message != message_from_id(revision.id.as_str());
    Some(revision.message.as_str()).filter(|message| says_more && !message.is_empty())
}
