mod downgrade;
mod offline;
mod properties;
mod replacement;
mod select;
mod stamp;
mod upgrade;

use super::*;
use crate::graph::Links;
use crate::sample::words;

/// The steps of a plan and the heads that they lead to, as `steps => heads`, or why there is none.
///
/// On the way it checks what holds for every plan: it starts from the applied heads, each step can be
/// taken when its turn comes, and the steps lead where the plan says.
fn outcome(
    graph: &RevisionGraph,
    history: &History,
    direction: Direction,
    target: &str,
    options: PlanOptions,
) -> String {
    match plan(graph, history, direction, target, options) {
        Err(error) => format!("refused: {error}"),
        Ok(plan) => {
            let heads = walk(graph, history, &plan);
            let steps: Vec<RevisionId> = plan.steps.iter().map(|s| s.revision.clone()).collect();
            format!("{} => {}", words(&steps), words(&heads))
                .trim()
                .to_owned()
        }
    }
}

/// Takes the steps of a plan and returns the heads after them.
fn walk(graph: &RevisionGraph, history: &History, plan: &Plan) -> Vec<RevisionId> {
    let mut applied: Vec<RevisionId> = history.applied_ids().cloned().collect();
    assert_eq!(plan.from, graph.heads_of(&applied));
    for step in &plan.steps {
        let id = &step.revision;
        assert_eq!(step.direction, plan.direction);
        match plan.direction {
            Direction::Upgrade => {
                assert!(!applied.contains(id), "{id} is applied already");
                for below in graph.ancestors(id.as_str(), Links::ParentsAndDependencies) {
                    assert!(applied.contains(&below), "{id} comes before {below}");
                }
                applied.push(id.clone());
            }
            Direction::Downgrade => {
                let before = applied.len();
                applied.retain(|applied| applied != id);
                assert_eq!(applied.len() + 1, before, "{id} is not applied");
            }
        }
    }
    assert_eq!(plan.to, graph.heads_of(&applied));
    plan.to.clone()
}
