//! The way up.

use super::{Direction, Notice, Plan, PlanError, PlanOptions, heads, step};
use crate::graph::{Links, RevisionGraph};
use crate::history::{History, Standing};
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
        steps: to_apply
            .iter()
            .map(|at| step(graph, at, Direction::Upgrade, out_of_order.contains(at)))
            .collect(),
        notices,
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
