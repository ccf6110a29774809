//! The way up.

use std::collections::HashSet;

use super::{Direction, Notice, Plan, PlanError, PlanOptions, Step, heads, step};
use crate::graph::{Links, RevisionGraph};
use crate::history::{History, Standing};
use crate::revision::RevisionId;
use crate::target::{Place, Resolver, Steps, Target};

pub(super) fn plan(
    graph: &RevisionGraph,
    history: &History,
    target: &Target,
    options: PlanOptions,
) -> Result<Plan, PlanError> {
    let standing = Standing::new(graph, history);
    let applied = standing.known();
    let targets = targets(&Resolver::new(graph, applied), target)?;

    let mut to_apply = graph.with_ancestors(targets, Links::ParentsAndDependencies);
    to_apply.remove_all(applied);
    let mut out_of_order = standing.out_of_order(graph);
    out_of_order.retain_all(&to_apply);

    check_replacements(graph, history, to_apply.iter())?;

    let pending = graph.ids(to_apply.iter());
    let late = graph.ids(out_of_order.iter());
    let unknown = standing.unknown();
    if !unknown.is_empty() && !pending.is_empty() && !options.allow_unknown {
        return Err(PlanError::Diverged { unknown, pending });
    }
    if !late.is_empty() && options.strict_order {
        return Err(PlanError::OutOfOrder { revisions: late });
    }

    let mut notices = Vec::new();
    if !late.is_empty() {
        notices.push(Notice::OutOfOrder { revisions: late });
    }
    if !unknown.is_empty() {
        notices.push(Notice::UnknownRevisions { revisions: unknown });
    }
    let mut after = applied.clone();
    after.insert_all(&to_apply);
    Ok(Plan {
        direction: Direction::Upgrade,
        target: target.to_string(),
        from: heads(graph, applied),
        to: heads(graph, &after),
        steps: to_be_recorded(graph, history)
            .chain(
                to_apply
                    .iter()
                    .map(|at| step(graph, at, Direction::Upgrade, out_of_order.contains(at))),
            )
            .collect(),
        notices,
    })
}

/// Refuses to run a revision of whose work a part is done.
fn check_replacements(
    graph: &RevisionGraph,
    history: &History,
    to_apply: impl Iterator<Item = usize>,
) -> Result<(), PlanError> {
    if !graph.has_replacements() {
        return Ok(());
    }
    let recorded: HashSet<&RevisionId> = history.applied_ids().collect();
    for at in to_apply {
        let revision = graph.at(at);
        let (applied, missing): (Vec<RevisionId>, Vec<RevisionId>) = revision
            .replaces
            .iter()
            .cloned()
            .partition(|id| recorded.contains(id));
        if !applied.is_empty() {
            return Err(PlanError::PartlyReplaced {
                revision: revision.id.clone(),
                applied,
                missing,
            });
        }
    }
    Ok(())
}

/// The revisions that count as applied without being recorded. They are recorded first: their record
/// is needed once the code no longer says what they replace.
fn to_be_recorded(graph: &RevisionGraph, history: &History) -> impl Iterator<Item = Step> {
    let counted = history.applied.iter().filter(|entry| entry.by_replacement);
    counted
        .filter_map(|entry| graph.position(entry.id.as_str()))
        .map(|at| Step {
            only_recorded: true,
            ..step(graph, at, Direction::Upgrade, false)
        })
}

fn targets(resolver: &Resolver<'_>, target: &Target) -> Result<Vec<usize>, PlanError> {
    let wrong_direction = || PlanError::WrongDirection {
        target: target.to_string(),
        direction: Direction::Upgrade,
    };
    let reading = resolver.read(target.as_str())?;
    if matches!(reading.steps_alone(), Some(Steps::Down(_))) {
        return Err(wrong_direction());
    }
    match resolver.destination(target.as_str(), reading)?.place {
        Place::Base | Place::BaseOf(_) => Err(wrong_direction()),
        Place::Revisions(positions) => Ok(positions),
    }
}
