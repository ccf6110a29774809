//! The revisions of a range, for looking at them.

use super::PlanError;
use crate::graph::RevisionGraph;
use crate::history::{History, Standing};
use crate::revision::RevisionId;
use crate::target::{Range, Resolver};

/// The revisions of a range in the order in which they would be applied, both ends included.
///
/// From the base, everything that the end needs is there; from a revision, what follows it up to the
/// end. A branch in front of the start leaves the other branches out.
///
/// # Errors
/// [`PlanError`] if an end can't be resolved or the start does not stand below the end.
pub fn select_range(
    graph: &RevisionGraph,
    history: &History,
    range: &Range,
) -> Result<Vec<RevisionId>, PlanError> {
    let standing = Standing::new(graph, history);
    let resolver = Resolver::new(graph, standing.known());
    let span = range.resolve(&resolver)?;
    let selected = graph.ids(span.select(graph).iter());
    if selected.is_empty() && !span.is_point() {
        return Err(range.not_below(&resolver).into());
    }
    Ok(selected)
}
