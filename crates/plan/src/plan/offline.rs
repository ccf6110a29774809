//! Plans for a database that is not asked: the range says where it stands.

use super::{Direction, Plan, PlanError, PlanOptions, plan};
use crate::graph::{Links, RevisionGraph, Selection};
use crate::history::History;
use crate::target::{Place, Range, Resolver, Target};

/// Works out the steps of an SQL script for a database of which nothing is known but what the range
/// says.
///
/// In `from:to`, `from` and everything below it counts as applied. An upgrade without `from` begins
/// at the base, and so does a single target; a downgrade must say where it begins.
///
/// # Errors
/// [`PlanError`] if the range can't be resolved, runs the other way, or lacks the start that a
/// downgrade needs.
pub fn plan_offline(
    graph: &RevisionGraph,
    direction: Direction,
    range: &str,
) -> Result<Plan, PlanError> {
    let target = Target::parse(range)?;
    let nothing_applied = graph.select([]);
    let resolver = Resolver::new(graph, &nothing_applied);
    let is_single = resolver.read_exactly(target.as_str()).is_some();
    let range = Range::parse(target.as_str()).ok().filter(|_| !is_single);
    let (start, to) = match (&range, direction) {
        (Some(range), Direction::Upgrade) => {
            let span = range.resolve(&resolver)?;
            let (_, to) = range.sides(&resolver);
            if !span.is_point() && is_below(graph, span.to.place.positions(), &span.from.place) {
                return Err(range.not_below(&resolver).into());
            }
            (span.from.place, if to.is_empty() { "heads" } else { to })
        }
        (Some(range), Direction::Downgrade) => match range.sides(&resolver) {
            ("", _) | (_, "") => return Err(both_ends_needed(&target)),
            (from, to) => (resolver.resolve(from)?.place, to),
        },
        (None, Direction::Upgrade) => (Place::Base, target.as_str()),
        (None, Direction::Downgrade) => return Err(both_ends_needed(&target)),
    };
    let applied = below(graph, &start);
    let history = History::of(graph.ids(applied.iter()));
    let plan = plan(graph, &history, direction, to, PlanOptions::default())?;
    Ok(Plan {
        target: target.to_string(),
        ..plan
    })
}

fn below(graph: &RevisionGraph, place: &Place) -> Selection {
    let positions = place.positions().iter().copied();
    graph.with_ancestors(positions, Links::ParentsAndDependencies)
}

fn is_below(graph: &RevisionGraph, positions: &[usize], place: &Place) -> bool {
    let below = below(graph, place);
    positions.iter().all(|&position| below.contains(position))
}

fn both_ends_needed(target: &Target) -> PlanError {
    PlanError::BothEndsNeeded {
        target: target.to_string(),
    }
}
