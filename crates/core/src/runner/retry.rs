//! Attempt after attempt: what is tried again, and what became of a commit that was not answered.

use std::time::Duration;

use stairway_plan::event::EventKind;
use stairway_plan::history::History;

use crate::error::{Error, Remains};

use super::{Order, Runner, Standing, Tally};

/// How an attempt ended that did not fail.
pub(super) enum Round {
    /// There is nothing left to do.
    Complete(Standing),
    /// There is more to do, on a new session.
    NewSession,
}

impl Runner {
    /// Attempt after attempt. One that got further than the one before it does not use up retries.
    pub(super) async fn attempts(
        &self,
        order: &Order,
        tally: &mut Tally,
    ) -> Result<Standing, Error> {
        let mut attempt = 1;
        let mut failures = 0;
        // What the attempt before this one ended with.
        let mut before = None;
        loop {
            let completed = tally.achieved.completed.len();
            let error = match self.attempt(order, attempt, tally).await {
                Ok(Round::Complete(standing)) => return Ok(standing),
                Ok(Round::NewSession) => continue,
                Err(error) => error,
            };
            if tally.achieved.completed.len() > completed {
                failures = 0;
            }
            failures += 1;
            if !error.is_transient() {
                return Err(match error {
                    // What is left of a step is more than that the next one was not begun.
                    Error::Stopped { .. } => before
                        .filter(Error::leaves_step)
                        .unwrap_or_else(|| Self::stopped(tally)),
                    error => error.after(before),
                });
            }
            if failures > order.retries {
                let error = error.after(before.take());
                if let Some(history) = self.settle(order, tally, error).await? {
                    return Ok(Standing::Read(history));
                }
                failures = 0;
                attempt += 1;
                continue;
            }
            let error = error.after(before.take());
            let pause = backoff(self.config.retry_delay, failures);
            self.observers.emit(EventKind::Retrying {
                attempt: failures,
                max_attempts: order.retries,
                error: self.config.redact(&error.to_string()),
                retry_in_ms: crate::milliseconds(pause),
            });
            attempt += 1;
            if self.stop.sleep(pause).await.is_err() {
                // The failure says more than that it was not tried again.
                return Err(error);
            }
            before = Some(error);
        }
    }

    /// After the last attempt: finds out what became of a commit that was not answered. If it was
    /// done, nothing has failed, and there is nothing left to do or the run goes on.
    async fn settle(
        &self,
        order: &Order,
        tally: &mut Tally,
        failed: Error,
    ) -> Result<Option<History>, Error> {
        let Some(revision) = tally
            .achieved
            .uncertain
            .first()
            .map(|outcome| outcome.revision.clone())
        else {
            return Err(failed);
        };
        let known = tally.achieved.completed.len();
        tally.only_look = true;
        let looked = self.attempt(order, 2, tally).await;
        tally.only_look = false;
        let Ok(Round::Complete(Standing::Read(history))) = looked else {
            return Err(failed);
        };
        if tally.achieved.completed.len() > known {
            let is_done = self.plan_left(order, &history, tally)?.steps.is_empty();
            return Ok(is_done.then_some(history));
        }
        Err(match failed {
            Error::Step(mut step) => {
                let left = history
                    .interrupted
                    .iter()
                    .find(|interrupted| interrupted.revision == revision);
                step.remains = left.map_or(Remains::Nothing, |interrupted| {
                    let last = u64::from(interrupted.in_doubt.is_some());
                    Remains::Statements(interrupted.statements_done + last)
                });
                Error::Step(step)
            }
            Error::Database {
                doing,
                failure,
                message,
            } => Error::Database {
                doing,
                failure,
                message: format!("{message}; nothing of the run is left"),
            },
            other => other,
        })
    }

    pub(super) fn stopped(tally: &Tally) -> Error {
        let applied = tally.achieved.completed.len();
        let planned = tally.plan.as_ref().map_or(applied, |plan| plan.steps.len());
        Error::Stopped {
            applied: applied as u64,
            remaining: planned.saturating_sub(applied) as u64,
        }
    }
}

/// The pause before a retry: it doubles with each, with up to a quarter of jitter.
fn backoff(base: Duration, attempt: u32) -> Duration {
    let doubled = base.saturating_mul(1_u32 << (attempt - 1).min(6));
    doubled.mul_f64(1.0 + fastrand::f64() * 0.25)
}
