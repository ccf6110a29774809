//! The steps of a run, each for itself or all in one transaction.

use stairway_plan::event::EventKind;
use stairway_plan::plan::Step;

use crate::connection::Failure;
use crate::error::Error;
use crate::executor::Executor;

/// How far an executor came without a failure.
pub(super) enum Progress {
    Complete,
    /// The session has to be replaced before the next step.
    NewSession,
}

impl Executor<'_> {
    /// Runs steps one after another, each for itself. Stops between two of them when asked to.
    pub(super) async fn run_each(
        &mut self,
        steps: &[Step],
        can_be_renewed: bool,
    ) -> Result<Progress, Error> {
        let progress = self.run_until_spent(steps, can_be_renewed).await;
        self.leave_begun().await;
        progress
    }

    async fn run_until_spent(
        &mut self,
        steps: &[Step],
        can_be_renewed: bool,
    ) -> Result<Progress, Error> {
        for index in 0..steps.len() {
            self.check_stop()?;
            if self.needs_new_session() {
                if can_be_renewed {
                    return Ok(Progress::NewSession);
                }
                self.tidy_connection().await.map_err(|error| {
                    Error::query("putting the session back", self.session.dialect(), &error)
                })?;
            }
            if let Some(outcome) = self.run_step(steps, index, false).await? {
                self.achieved.outcomes.push(outcome);
            }
        }
        Ok(Progress::Complete)
    }

    /// Runs steps in one transaction: all or nothing.
    pub(super) async fn run_in_one_transaction(&mut self, steps: &[Step]) -> Result<(), Error> {
        let completed_before = self.achieved.completed.len();
        if !self.begin_outer().await? {
            drop(self.session.run("ROLLBACK").await);
            return Err(Error::LockLost { applied: 0 });
        }
        let mut outcomes = Vec::new();
        let mut result = Ok(());
        for index in 0..steps.len() {
            let step_result = match self.check_stop() {
                Ok(()) => self.run_step(steps, index, true).await,
                Err(stopped) => Err(stopped),
            };
            match step_result {
                Ok(outcome) => outcomes.extend(outcome),
                Err(error) => {
                    result = Err(error);
                    break;
                }
            }
        }
        let mut is_uncertain = false;
        if result.is_ok() {
            result = self.commit_outer().await;
            is_uncertain = result
                .as_ref()
                .is_err_and(|error| error.failure() == Some(Failure::ConnectionLost));
        }
        match result {
            Ok(()) => {
                self.achieved.outcomes.append(&mut outcomes);
                Ok(())
            }
            Err(error) => {
                // Where the connection is lost, the server has done so.
                drop(self.session.run("ROLLBACK").await);
                self.achieved.completed.truncate(completed_before);
                if is_uncertain {
                    self.achieved.uncertain = outcomes;
                }
                Err(error.without_completed())
            }
        }
    }

    fn check_stop(&self) -> Result<(), Error> {
        self.stop.check().inspect_err(|_| {
            self.observers.emit(EventKind::StopRequested);
        })
    }
}
