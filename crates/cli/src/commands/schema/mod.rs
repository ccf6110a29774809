//! `schema`: schemas as values.

mod diff;
mod inspect;

use clap::{Args, Subcommand};
use stairway_core::settings::Overrides;

use super::{Execute, Needs};
use crate::error::CommandError;
use crate::report::Outcome;
use crate::session::Session;

/// Read a schema, or compare two
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    Diff(diff::Arguments),
    Inspect(inspect::Arguments),
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        match &self.action {
            Action::Diff(arguments) => arguments.needs(),
            Action::Inspect(arguments) => arguments.needs(),
        }
    }

    fn overrides(&self, overrides: &mut Overrides) {
        match &self.action {
            Action::Diff(arguments) => arguments.overrides(overrides),
            Action::Inspect(arguments) => arguments.overrides(overrides),
        }
    }

    fn has_sql_form(&self) -> bool {
        true
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        match &self.action {
            Action::Diff(arguments) => arguments.execute(session).await,
            Action::Inspect(arguments) => arguments.execute(session).await,
        }
    }
}
