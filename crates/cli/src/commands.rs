//! One file per command: its options, what it does, what it returns.

mod backup;
mod branches;
mod check;
mod completions;
mod create;
mod current;
mod downgrade;
mod graph;
mod heads;
mod history;
mod log;
mod merge;
mod repair;
mod run;
mod schema;
mod show;
mod stamp;
mod status;
mod unlock;
mod upgrade;
mod wait;

use stairway_core::settings::Overrides;

use crate::error::CommandError;
use crate::report::Outcome;
use crate::session::Session;

/// What a command needs of the settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// No database.
    Offline,
    /// One database, because it asks a person or writes one file.
    OneDatabase,
    /// One database, or each in turn.
    Databases,
}

/// A command.
pub(crate) trait Execute {
    /// What it needs of the settings.
    fn needs(&self) -> Needs {
        Needs::Databases
    }

    /// What its options say about settings.
    fn overrides(&self, _overrides: &mut Overrides) {}

    /// Whether log lines are JSON unless a terminal reads them, when nobody says what they should be.
    fn runs_unattended(&self) -> bool {
        false
    }

    /// Whether it runs migrations, so that there is something to measure.
    fn is_measured(&self) -> bool {
        false
    }

    /// Whether the result can be SQL.
    fn has_sql_form(&self) -> bool {
        false
    }

    /// Does it, for one database.
    fn execute(
        &self,
        session: &Session<'_>,
    ) -> impl Future<Output = Result<Outcome, CommandError>> + Send;
}

/// The list of commands: the variant's name and the module, whose arguments carry the help text.
macro_rules! commands {
    ($($(#[$meta:meta])* $name:ident => $module:ident),* $(,)?) => {
        /// What to do.
        #[derive(Debug, clap::Subcommand)]
        pub(crate) enum Command {
            $($(#[$meta])* $name($module::Arguments),)*
        }

        impl Execute for Command {
            fn needs(&self) -> Needs {
                match self { $(Self::$name(arguments) => arguments.needs(),)* }
            }

            fn overrides(&self, overrides: &mut Overrides) {
                match self { $(Self::$name(arguments) => arguments.overrides(overrides),)* }
            }

            fn runs_unattended(&self) -> bool {
                match self { $(Self::$name(arguments) => arguments.runs_unattended(),)* }
            }

            fn is_measured(&self) -> bool {
                match self { $(Self::$name(arguments) => arguments.is_measured(),)* }
            }

            fn has_sql_form(&self) -> bool {
                match self { $(Self::$name(arguments) => arguments.has_sql_form(),)* }
            }

            async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
                match self { $(Self::$name(arguments) => arguments.execute(session).await,)* }
            }
        }
    };
}

commands! {
    Status => status,
    Upgrade => upgrade,
    Downgrade => downgrade,
    Run => run,
    Create => create,
    Current => current,
    Heads => heads,
    Branches => branches,
    Show => show,
    History => history,
    Log => log,
    Graph => graph,
    Merge => merge,
    Stamp => stamp,
    Check => check,
    Schema => schema,
    Wait => wait,
    Backup => backup,
    Unlock => unlock,
    Repair => repair,
    Completions => completions,
}
