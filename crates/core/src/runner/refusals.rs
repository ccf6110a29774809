//! Plans that are refused before anything is done.

use stairway_plan::history::{History, InterruptedStep};
use stairway_plan::plan::{Plan, Step};
use stairway_plan::sql::Dialect;

use crate::error::{Error, InDoubt};
use crate::executor::{Safety, safety_of};
use crate::lock::Footing;

use super::Runner;

impl Runner {
    /// An interrupted step must be among those that are run, in the same direction, before anything
    /// else is done.
    pub(super) fn check_interrupted(&self, history: &History, plan: &Plan) -> Result<(), Error> {
        let is_continued = |interrupted: &InterruptedStep| {
            plan.steps.iter().any(|step| is_same(step, interrupted))
        };
        match history
            .interrupted
            .iter()
            .find(|interrupted| !is_continued(interrupted))
        {
            None => Ok(()),
            Some(step) => Err(Error::InDoubt(Box::new(InDoubt {
                step: step.clone(),
                reason: format!(
                    "this run does not include it: run the {} again first, or settle it",
                    step.direction.as_str()
                ),
                location: self.config.location(),
            }))),
        }
    }

    /// Refuses before anything is done what can't be done with these steps.
    pub(super) fn check_steps(
        &self,
        dialect: Dialect,
        plan: &Plan,
        history: &History,
    ) -> Result<(), Error> {
        if !self.config.single_transaction || plan.steps.is_empty() {
            return Ok(());
        }
        if dialect == Dialect::MySql {
            return Err(Error::Unsupported(
                "a single transaction is not possible here: MySQL and MariaDB commit at every definition".to_owned(),
            ));
        }
        match self.first_journalled(dialect, &plan.steps, history) {
            None => Ok(()),
            Some(step) => Err(Error::Unsupported(format!(
                "a single transaction is not possible: {} says `use_transaction() = Some(false)`, or was interrupted \
                 when it did",
                step.revision
            ))),
        }
    }

    /// Behind a pooler only transactional steps can be made safe.
    pub(super) fn check_pooled_steps(
        &self,
        footing: Footing,
        plan: &Plan,
        history: &History,
    ) -> Result<(), Error> {
        if footing == Footing::Direct {
            return Ok(());
        }
        match self.first_journalled(Dialect::Postgres, &plan.steps, history) {
            None => Ok(()),
            Some(step) => Err(Error::Unsupported(format!(
                "{} runs outside a transaction, which can't be made safe through a connection pooler: nothing was \
                 done; use the database's direct URL for it",
                step.revision
            ))),
        }
    }

    fn first_journalled<'plan>(
        &self,
        dialect: Dialect,
        steps: &'plan [Step],
        history: &History,
    ) -> Option<&'plan Step> {
        steps.iter().find(|step| {
            let was_journalled = history
                .interrupted
                .iter()
                .any(|interrupted| is_same(step, interrupted));
            was_journalled
                || self
                    .migrations
                    .migration(&step.revision)
                    .is_some_and(|migration| {
                        safety_of(dialect, &*migration) != Safety::Transactional
                    })
        })
    }
}

pub(super) fn is_same(step: &Step, interrupted: &InterruptedStep) -> bool {
    step.revision == interrupted.revision && step.direction == interrupted.direction
}
