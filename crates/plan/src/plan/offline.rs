//! Plans for a database that is not asked: the range says where it stands.

use super::{Direction, Plan, PlanError, PlanOptions, plan};
use crate::graph::{Links, RevisionGraph, Selection};
use crate::history::History;
use crate::target::{Place, Range, Resolver, Steps, Target};

/// Works out the steps of an SQL script for a database of which nothing is known but what the range
/// says.
///
/// In `from:to`, `from` and everything below it counts as applied. An upgrade without `from` begins
/// at the base, and so does a single target; a downgrade must say where it begins.
///
/// # Errors
/// [`PlanError`] if the range can't be resolved, counts from what is applied, runs the other way, or
/// lacks the start that a downgrade needs.
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
    let (from, to) = range
        .as_ref()
        .map_or(("", target.as_str()), |range| range.sides(&resolver));
    if direction == Direction::Downgrade && (from.is_empty() || to.is_empty()) {
        return Err(PlanError::BothEndsNeeded {
            target: target.to_string(),
        });
    }
    check_ends(&resolver, direction, from, to)?;

    let start = match (&range, direction) {
        (None, _) => Place::Base,
        (Some(_), Direction::Downgrade) => resolver.resolve(from)?.place,
        (Some(range), Direction::Upgrade) => {
            let span = range.resolve(&resolver)?;
            if !span.is_point() && is_below(graph, &span.to.place, &span.from.place) {
                return Err(range.not_below(&resolver).into());
            }
            span.from.place
        }
    };
    let history = History::of(graph.ids(below(graph, &start).iter()));
    let to = if to.is_empty() { "heads" } else { to };
    let plan = plan(graph, &history, direction, to, PlanOptions::default())?;
    Ok(Plan {
        target: target.to_string(),
        ..plan
    })
}

/// Refuses ends that only a database could tell.
fn check_ends(
    resolver: &Resolver<'_>,
    direction: Direction,
    from: &str,
    to: &str,
) -> Result<(), PlanError> {
    let read = |end: &str| match end {
        "" => Ok((false, None)),
        end => resolver
            .read(end)
            .map(|r| (r.anchor == Some("current"), r.steps_alone())),
    };
    let (from_is_current, from_steps) = read(from)?;
    let (to_is_current, to_steps) = read(to)?;
    let from_counts_from_current = match from_steps {
        None => false,
        Some(Steps::Up(_)) => true,
        // Steps down to the start count from an end that stands by itself.
        Some(Steps::Down(_)) => direction == Direction::Downgrade || to_steps.is_some(),
    };
    let end = if from_is_current || from_counts_from_current {
        from
    } else if to_is_current {
        to
    } else {
        return Ok(());
    };
    Err(PlanError::DatabaseNeeded {
        target: end.to_owned(),
    })
}

fn below(graph: &RevisionGraph, place: &Place) -> Selection {
    let positions = place.positions().iter().copied();
    graph.with_ancestors(positions, Links::ParentsAndDependencies)
}

fn is_below(graph: &RevisionGraph, lower: &Place, upper: &Place) -> bool {
    let below = below(graph, upper);
    let lower = lower.positions();
    lower.iter().all(|&position| below.contains(position))
}
