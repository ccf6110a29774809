//! What a command gets to work with: one database, and somebody to talk to.

use std::sync::Arc;

use stairway_core::notify::RunLog;
use stairway_core::plan::history::History;
use stairway_core::plan::plan::Direction;
use stairway_core::settings::DatabasePolicy;
use stairway_core::side::Entities;
use stairway_core::{Error, Manager, MigrationSetError, RunOptions};

use crate::error::CommandError;
use crate::printer::Console;
use crate::report::RunView;
use crate::signals::Signals;

/// One database, for one command.
pub(crate) struct Session<'a> {
    pub(crate) manager: Result<Manager, MigrationSetError>,
    pub(crate) policy: DatabasePolicy,
    /// The project's entities, if the program was given them.
    pub(crate) entities: Option<Entities>,
    pub(crate) console: &'a Arc<Console>,
    pub(crate) signals: &'a Signals,
    /// What the manager's runs do, for the message about them.
    pub(crate) run_log: Arc<RunLog>,
    /// What the program was called, for scripts that call it.
    pub(crate) program: &'a str,
}

impl Session<'_> {
    /// The manager, unless the project's revisions make no graph.
    pub(crate) fn manager(&self) -> Result<&Manager, CommandError> {
        self.manager
            .as_ref()
            .map_err(|error| CommandError::Revisions(error.clone()))
    }

    /// Runs a plan, or does a dry run. Signals stop it between two steps.
    pub(crate) async fn run(
        &self,
        direction: Direction,
        target: &str,
        options: RunOptions,
    ) -> Result<RunView, CommandError> {
        let manager = self.manager()?;
        let report = self.gently(manager.run(direction, target, options)).await?;
        Ok(RunView {
            report,
            location: manager.config().location(),
        })
    }

    /// Does something that signals must not end in the middle: they ask the manager to stop it.
    pub(crate) async fn gently<T>(
        &self,
        work: impl Future<Output = Result<T, Error>>,
    ) -> Result<T, CommandError> {
        self.signals.stop_gently(self.manager()?.stop_handle());
        let result = work.await;
        self.signals.stop_at_once();
        Ok(result?)
    }

    /// Waits for the database if `--wait` asks for it.
    pub(crate) async fn wait_if_asked(&self, wait: Option<&String>) -> Result<(), CommandError> {
        if wait.is_some() {
            let manager = self.manager()?;
            manager
                .wait_for_database(manager.config().wait_timeout)
                .await?;
        }
        Ok(())
    }

    /// What the database says, to annotate what is known without it. If it can't be asked, that is an
    /// error only if the answer is `needed`.
    pub(crate) async fn annotations(&self, needed: bool) -> Result<Option<History>, CommandError> {
        match self.manager()?.read_history().await {
            Ok(history) => Ok(Some(history)),
            Err(error @ (Error::Unreachable { .. } | Error::Refused { .. })) if !needed => {
                self.console.note(&format!(
                    "nothing is said about what is applied, because {error}"
                ));
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Asks a question, and goes on only after a yes. `yes` says that the answer was given beforehand.
    ///
    /// # Errors
    /// [`CommandError::Declined`] after a no; [`CommandError::Usage`] if nobody is there to answer.
    pub(crate) async fn confirm(&self, question: &str, yes: bool) -> Result<(), CommandError> {
        if yes {
            return Ok(());
        }
        if !self.console.can_ask() {
            return Err(CommandError::usage_with_hint(
                "nothing was done: this needs a yes, and there is no terminal to ask on",
                "say yes beforehand with --yes",
            ));
        }
        let (console, question) = (Arc::clone(self.console), question.to_owned());
        let answer = tokio::task::spawn_blocking(move || console.ask(&question));
        tokio::select! {
            () = self.signals.received() => Err(CommandError::Interrupted),
            answer = answer => match answer {
                Ok(Ok(true)) => Ok(()),
                _ => Err(CommandError::Declined),
            },
        }
    }
}

/// Whether a target or range can only be understood by asking the database.
pub(crate) fn counts_from_applied(target: &str) -> bool {
    target.split(':').any(|place| {
        let place = place.rsplit('@').next().unwrap_or(place);
        place.starts_with(['+', '-']) || place.starts_with("current")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_that_count_from_what_is_applied_are_told_from_others() {
        for target in [
            "+1",
            "-2",
            "current",
            "left@-1",
            "base:current",
            "-3:",
            "current-1",
        ] {
            assert!(counts_from_applied(target), "{target}");
        }
        for target in ["head", "add_users", "rev-1", "a:b", ":", "base:heads"] {
            assert!(!counts_from_applied(target), "{target}");
        }
    }
}
