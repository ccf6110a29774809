//! Saying what is applied without running anything.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{PlanError, heads};
use crate::graph::{Links, RevisionGraph, Selection};
use crate::history::{History, Standing};
use crate::revision::RevisionId;
use crate::target::{Place, Resolver, Target};

/// Changes to the record of what is applied; no revision is run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampPlan {
    /// The applied heads before.
    pub from: Vec<RevisionId>,
    /// The applied heads after.
    pub to: Vec<RevisionId>,
    /// What is to count as applied, in the order in which it would be applied.
    pub add: Vec<RevisionId>,
    /// What is no longer to count as applied, latest applied first.
    pub remove: Vec<RevisionId>,
}

/// How a stamp treats what is recorded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StampOptions {
    /// Forget everything recorded first, also what this build does not know.
    pub purge: bool,
}

/// Works out how the record has to change so that a database counts as being at `targets`.
///
/// A target and everything below it is added, what stands above it is removed; other branches stay
/// as they are. `base` removes everything, `branch@base` that branch. Revisions that the graph does
/// not know stay unless the ledger says that they stand above a target, or `purge` is set.
///
/// # Errors
/// [`PlanError`] if a target can't be resolved, if one stands below another, or if `base` is given
/// among others.
pub fn plan_stamp<T: AsRef<str>>(
    graph: &RevisionGraph,
    history: &History,
    targets: &[T],
    options: StampOptions,
) -> Result<StampPlan, PlanError> {
    let standing = Standing::new(graph, history);
    let resolver = Resolver::new(graph, standing.known());
    let mut places = Vec::new();
    for target in targets {
        let target = Target::parse(target.as_ref())?;
        places.push(resolver.resolve(target.as_str())?.place);
    }
    check_apart(graph, &places)?;

    let everything: BTreeSet<usize> = (0..standing.entries().len()).collect();
    let removed = if options.purge || places.iter().any(|place| matches!(place, Place::Base)) {
        everything
    } else {
        above(graph, &standing, &places)
    };
    let at = places.iter().flat_map(Place::positions).copied();
    let present = graph.with_ancestors(at, Links::ParentsAndDependencies);

    let mut after = standing.known().clone();
    let removed_positions = removed
        .iter()
        .filter_map(|&entry| standing.entries()[entry].position);
    after.remove_all(&Selection::of(graph.len(), removed_positions));
    after.insert_all(&present);
    let mut added = present.clone();
    added.remove_all(standing.known());
    let stays = |position: Option<usize>| position.is_some_and(|at| present.contains(at));
    // What this build does not know is forgotten, too, where that was asked for.
    let forgotten = options
        .purge
        .then(|| history.replaced.iter().filter(|id| !graph.has_replaced(id)));
    Ok(StampPlan {
        from: heads(graph, standing.known()),
        to: heads(graph, &after),
        add: graph.ids(added.iter()),
        remove: removed
            .into_iter()
            .rev()
            .map(|entry| &standing.entries()[entry])
            .filter(|entry| !stays(entry.position))
            .map(|entry| entry.applied.id.clone())
            .chain(forgotten.into_iter().flatten().cloned())
            .collect(),
    })
}

/// Everything applied that stands above these places.
fn above(graph: &RevisionGraph, standing: &Standing<'_>, places: &[Place]) -> BTreeSet<usize> {
    let mut roots = Vec::new();
    let mut recorded = BTreeSet::new();
    for place in places {
        match place {
            Place::Base => {}
            Place::BaseOf(bases) => roots.extend_from_slice(bases),
            Place::Revisions(positions) => {
                for &position in positions {
                    roots.extend_from_slice(graph.children_at(position));
                    recorded.extend(standing.recorded_children(graph.id(position)));
                }
            }
        }
    }
    let from_roots = graph.with_descendants(roots, Links::ParentsAndDependencies);
    recorded.extend(standing.entries_at(&from_roots));
    standing.with_above(recorded)
}

/// Refuses targets of which one stands below another, and `base` beside others.
fn check_apart(graph: &RevisionGraph, places: &[Place]) -> Result<(), PlanError> {
    if places.len() > 1 && places.iter().any(|place| matches!(place, Place::Base)) {
        return Err(PlanError::BaseNotAlone);
    }
    let at: Vec<usize> = places.iter().flat_map(Place::positions).copied().collect();
    for &above in &at {
        let below = graph.with_ancestors([above], Links::Parents);
        if let Some(&lower) = at
            .iter()
            .find(|&&other| other != above && below.contains(other))
        {
            return Err(PlanError::Overlapping {
                below: graph.id(lower).clone(),
                above: graph.id(above).clone(),
            });
        }
    }
    Ok(())
}
