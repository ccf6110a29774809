//! What of a plan is left to be done, found out before the lock is there, while it is waited for, and
//! under it.

use std::collections::HashSet;

use stairway_plan::event::EventKind;
use stairway_plan::graph::RevisionGraph;
use stairway_plan::history::History;
use stairway_plan::plan::{Direction, Notice, Plan, plan};
use stairway_plan::revision::RevisionId;

use crate::BoxFuture;
use crate::connection::Session;
use crate::error::Error;
use crate::lock::StillNeeded;
use crate::recorder;

use super::refusals::is_same;
use super::{Order, Runner, Tally};

impl Order {
    /// Whether nothing is to be done once every revision of the graph is applied.
    pub(super) fn leads_to_all_heads(&self, graph: &RevisionGraph) -> bool {
        self.direction == Direction::Upgrade
            && match self.target.as_str() {
                "heads" => true,
                "head" => graph.heads().len() == 1,
                _ => false,
            }
    }
}

impl Runner {
    /// The plan for what is left of the order.
    pub(super) fn plan_left(
        &self,
        order: &Order,
        history: &History,
        tally: &Tally,
    ) -> Result<Plan, Error> {
        let completed = tally.achieved.completed.len();
        self.left_of(order, history, tally.plan.as_ref(), completed)
    }

    /// The plan for what is left after so many steps of the plan that was made under the lock, or of
    /// the order if none was made yet.
    pub(super) fn left_of(
        &self,
        order: &Order,
        history: &History,
        made: Option<&Plan>,
        completed: usize,
    ) -> Result<Plan, Error> {
        let mut left = match made {
            None => plan(
                self.migrations.graph(),
                history,
                order.direction,
                &order.target,
                self.config.plan,
            )?,
            Some(made) => {
                let applied: HashSet<&RevisionId> = history.applied_ids().collect();
                let wanted = order.direction == Direction::Upgrade;
                let mut left = made.clone();
                left.steps
                    .retain(|step| applied.contains(&step.revision) != wanted);
                left
            }
        };
        if let Some(steps) = order.steps {
            let steps = steps.saturating_sub(completed);
            left.limit(steps, self.migrations.graph(), history);
        }
        Ok(left)
    }

    /// Says once what the run is going to do.
    pub(super) fn announce(
        &self,
        order: &Order,
        tally: &mut Tally,
        steps: usize,
        notices: &[Notice],
    ) {
        if tally.announced {
            return;
        }
        tally.announced = true;
        self.observers.emit(EventKind::RunStarted {
            run_id: tally.run_id.clone(),
            direction: order.direction,
            target: order.target.clone(),
            steps: steps as u64,
        });
        for notice in notices {
            self.observers.emit(EventKind::Notice {
                notice: notice.clone(),
            });
        }
    }

    /// Whether the order leads to all heads and everything is applied, found out with as little as
    /// possible.
    pub(super) async fn is_done_at_a_glance(
        &self,
        session: &mut Session,
        order: &Order,
    ) -> Result<bool, Error> {
        let graph = self.migrations.graph();
        if !order.leads_to_all_heads(graph) {
            return Ok(false);
        }
        recorder::is_up_to_date(session, &self.books, graph).await
    }
}

/// What was begun is ended before anything else is begun. What it stands on was there when it began.
pub(super) fn interrupted_first(mut plan: Plan, history: &History) -> Plan {
    plan.steps.sort_by_key(|step| {
        !history
            .interrupted
            .iter()
            .any(|interrupted| is_same(step, interrupted))
    });
    plan
}

/// A run that waits for the lock is needed as long as its plan has steps.
pub(super) struct Unfinished<'run> {
    pub(super) runner: &'run Runner,
    pub(super) order: &'run Order,
    pub(super) made: Option<Plan>,
    pub(super) completed: usize,
    /// What became of its last commit is known.
    pub(super) is_settled: bool,
    /// Seen at a glance: everything is applied.
    pub(super) is_up_to_date: bool,
}

impl StillNeeded for Unfinished<'_> {
    fn is_still_needed<'a>(
        &'a mut self,
        session: &'a mut Session,
    ) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(async move {
            if !self.is_settled {
                return Ok(true);
            }
            let runner = self.runner;
            if runner.is_done_at_a_glance(session, self.order).await? {
                self.is_up_to_date = true;
                return Ok(false);
            }
            let history = runner.history(session, &runner.books).await?;
            let plan = runner.left_of(self.order, &history, self.made.as_ref(), self.completed)?;
            Ok(!plan.steps.is_empty() || !history.interrupted.is_empty())
        })
    }
}
