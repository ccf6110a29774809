//! What would be done to a database, worked out once, as a value.

mod downgrade;
mod error;
mod offline;
mod select;
mod stamp;
#[cfg(test)]
mod tests;
mod upgrade;

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

pub use error::PlanError;
pub use offline::plan_offline;
pub use select::select_range;
pub use stamp::{StampOptions, StampPlan, plan_stamp};

use crate::graph::{RevisionGraph, Selection};
use crate::history::History;
use crate::revision::RevisionId;
use crate::target::Target;

/// Which way a step goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// `up`
    Upgrade,
    /// `down`
    Downgrade,
}

impl Direction {
    /// The direction's name in JSON, in the audit trail and in sentences.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Upgrade => "upgrade",
            Self::Downgrade => "downgrade",
        }
    }
}

/// One revision to be applied or taken back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Step {
    /// The revision.
    pub revision: RevisionId,
    /// Its message.
    pub message: String,
    /// Which way.
    pub direction: Direction,
    /// An upgrade of a revision that stands below one already applied (a late merge).
    pub out_of_order: bool,
    /// All that the revision replaces is applied: it is only recorded, and nothing is run.
    #[serde(default)]
    pub only_recorded: bool,
}

/// The steps that lead from where a database is to a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Plan {
    /// Which way all steps go.
    pub direction: Direction,
    /// The target as the user wrote it.
    pub target: String,
    /// The heads of the applied revisions before.
    pub from: Vec<RevisionId>,
    /// The heads of the applied revisions after.
    pub to: Vec<RevisionId>,
    /// What to do, in order.
    pub steps: Vec<Step>,
    /// What a person should know although it stops nothing.
    pub notices: Vec<Notice>,
}

impl Plan {
    /// Keeps only the first steps, and says where these lead. The history is the one that the plan
    /// was made for.
    pub fn limit(&mut self, steps: usize, graph: &RevisionGraph, history: &History) {
        if self.steps.len() <= steps {
            return;
        }
        self.steps.truncate(steps);
        let taken = || self.steps.iter().map(|step| &step.revision);
        let applied: Vec<RevisionId> = match self.direction {
            Direction::Upgrade => history.applied_ids().chain(taken()).cloned().collect(),
            Direction::Downgrade => {
                let taken: HashSet<&RevisionId> = taken().collect();
                let stays = |id: &&RevisionId| !taken.contains(*id);
                history.applied_ids().filter(stays).cloned().collect()
            }
        };
        self.to = graph.heads_of(&applied);
    }
}

/// Something a person should know before a plan runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Notice {
    /// These pending revisions stand below applied ones and are applied all the same.
    OutOfOrder { revisions: Vec<RevisionId> },
    /// The database has these revisions that this build does not know.
    UnknownRevisions { revisions: Vec<RevisionId> },
    /// A downgrade of this branch takes these revisions of other branches back too, because they
    /// stand on what goes.
    OtherBranches {
        branch: String,
        revisions: Vec<RevisionId>,
    },
}

/// How cautious planning is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlanOptions {
    /// Refuse to apply a revision below one that is already applied.
    pub strict_order: bool,
    /// Go on although the database has revisions that this build does not know.
    pub allow_unknown: bool,
}

/// Works out the steps that lead a database to a target. Nothing is read or written.
///
/// An upgrade applies what is missing of the target and of everything below it, parents and
/// dependencies first. A downgrade takes back what was applied above the target, latest applied
/// first; a number of steps alone (`-2`) takes back so many revisions. Interrupted steps do not
/// count here. The history is to be [as the graph sees it](History::seen_by).
///
/// # Errors
/// [`PlanError`] if the target can't be resolved, if there is more than one way to understand it, or
/// if the plan would go against what is applied.
pub fn plan(
    graph: &RevisionGraph,
    history: &History,
    direction: Direction,
    target: &str,
    options: PlanOptions,
) -> Result<Plan, PlanError> {
    let target = Target::parse(target)?;
    match direction {
        Direction::Upgrade => upgrade::plan(graph, history, &target, options),
        Direction::Downgrade => downgrade::plan(graph, history, &target, options),
    }
}

/// The applied heads among known revisions.
fn heads(graph: &RevisionGraph, applied: &Selection) -> Vec<RevisionId> {
    graph.ids(graph.tips_of(applied))
}

fn step(graph: &RevisionGraph, position: usize, direction: Direction, out_of_order: bool) -> Step {
    let revision = graph.at(position);
    Step {
        revision: revision.id.clone(),
        message: revision.message.clone(),
        direction,
        out_of_order,
        only_recorded: false,
    }
}
