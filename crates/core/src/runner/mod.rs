//! One run: connect, look, plan, lock, look again, back up, run the steps, verify; tried again after
//! transient failures.

use std::collections::HashSet;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use stairway_plan::bookkeeping::{Bookkeeping, Who};
use stairway_plan::event::EventKind;
use stairway_plan::history::History;
use stairway_plan::plan::{Direction, Plan};
use stairway_plan::position::{ChecksumComparison, DatabaseState, Position};
use stairway_plan::revision::RevisionId;

use crate::config::Config;
use crate::error::Error;
use crate::executor::{Achieved, StepOutcome};
use crate::migrations::MigrationSet;
use crate::observer::Observers;
use crate::stop::Stop;
mod attempt;
mod refusals;
mod remaining;
mod retry;
mod steps;

/// What a run is to do.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) direction: Direction,
    pub(crate) target: String,
    pub(crate) backup: bool,
    pub(crate) steps: Option<usize>,
    /// Wait for a database that does not answer.
    pub(crate) wait: bool,
    /// How often to try again after a transient failure.
    pub(crate) retries: u32,
}

/// What a run did.
#[derive(Clone, Debug)]
pub(crate) struct Done {
    pub(crate) run_id: String,
    pub(crate) from: Vec<RevisionId>,
    pub(crate) to: Vec<RevisionId>,
    pub(crate) steps: Vec<StepOutcome>,
    pub(crate) backup: Option<PathBuf>,
    pub(crate) elapsed: Duration,
}

/// Everything that a run needs and that outlives its attempts.
#[derive(Clone, Debug)]
pub(crate) struct Runner {
    pub(crate) migrations: MigrationSet,
    pub(crate) config: Config,
    pub(crate) books: Bookkeeping,
    pub(crate) observers: Observers,
    pub(crate) stop: Stop,
}

/// What the attempts of one run have in common.
#[derive(Debug, Default)]
struct Tally {
    run_id: String,
    from: Option<Vec<RevisionId>>,
    achieved: Achieved,
    announced: bool,
    backup: Option<PathBuf>,
    /// The plan made under the lock. It is made once: a target such as `-1` would mean another
    /// revision after a part of it was done.
    plan: Option<Plan>,
    /// Only to find out what became of a commit; no step is run any more.
    only_look: bool,
}

/// Where an attempt has found or left the database.
#[derive(Debug)]
enum Standing {
    /// All that the code knows is applied and nothing else; these are its heads.
    UpToDate(Vec<RevisionId>),
    /// As its history says.
    Read(History),
}

impl Runner {
    /// Runs, and tries again after transient failures.
    pub(crate) async fn run(&self, order: &Order) -> Result<Done, Error> {
        let began = Instant::now();
        let mut tally = Tally {
            run_id: new_run_id(),
            ..Tally::default()
        };
        self.observers
            .run_begins(&tally.run_id, order.direction, &order.target);
        let result = self.attempts(order, &mut tally).await;
        let elapsed = began.elapsed();
        let result = result.and_then(|standing| self.verify(order, &tally, standing));
        match result {
            Ok(to) => {
                self.observers.emit(EventKind::RunFinished {
                    run_id: tally.run_id.clone(),
                    steps: tally.achieved.outcomes.len() as u64,
                    elapsed_ms: crate::milliseconds(elapsed),
                });
                Ok(Done {
                    run_id: tally.run_id,
                    from: tally.from.unwrap_or_default(),
                    to,
                    steps: tally.achieved.outcomes,
                    backup: tally.backup,
                    elapsed,
                })
            }
            Err(error) => {
                self.observers.emit(EventKind::RunFailed {
                    run_id: tally.run_id,
                    steps_done: tally.achieved.outcomes.len() as u64,
                    elapsed_ms: crate::milliseconds(elapsed),
                    error: self.config.redact(&error.to_string()),
                });
                Err(error)
            }
        }
    }

    /// Checks that the history now says what the run did. Returns the applied heads.
    fn verify(
        &self,
        order: &Order,
        tally: &Tally,
        standing: Standing,
    ) -> Result<Vec<RevisionId>, Error> {
        let history = match standing {
            Standing::Read(history) => history,
            Standing::UpToDate(heads) => {
                let (state, current) = (DatabaseState::UpToDate, heads.clone());
                self.observers.emit(EventKind::Verified { state, current });
                return Ok(heads);
            }
        };
        let position = Position::of(
            self.migrations.graph(),
            &history,
            &ChecksumComparison::default(),
        );
        let applied: HashSet<&RevisionId> = history.applied_ids().collect();
        let wanted = order.direction == Direction::Upgrade;
        let planned = tally.plan.iter().flat_map(|plan| &plan.steps);
        let planned = planned.map(|step| &step.revision);
        if let Some(wrong) = tally
            .achieved
            .completed
            .iter()
            .chain(planned)
            .find(|revision| applied.contains(revision) != wanted)
        {
            return Err(Error::NotVerified {
                state: position.state,
                expected: vec![wrong.clone()],
                found: position.current,
            });
        }
        self.observers.emit(EventKind::Verified {
            state: position.state,
            current: position.current.clone(),
        });
        Ok(position.current)
    }

    pub(crate) fn who(&self, run_id: &str) -> Who {
        Who {
            run_id: run_id.to_owned(),
            actor: self.config.actor.clone(),
            host: self.config.host.clone(),
            application_version: self.config.application_version.clone(),
        }
    }
}

/// Identifies a run in the audit trail: its time and a random part.
pub(crate) fn new_run_id() -> String {
    format!(
        "{:x}-{:08x}",
        chrono::Utc::now().timestamp_millis(),
        fastrand::u32(..)
    )
}
