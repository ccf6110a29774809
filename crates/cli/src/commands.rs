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

    /// Whether a first signal lets it go on to the end of a step. Otherwise it ends at once, which is
    /// safe for whatever only reads or does everything in one transaction.
    fn stops_between_steps(&self) -> bool {
        false
    }

    /// Whether log lines are JSON unless a terminal reads them, when nobody says what they should be.
    fn runs_unattended(&self) -> bool {
        false
    }

    /// Whether the result can be SQL.
    fn has_sql_form(&self) -> bool {
        false
    }

    /// Does it, for one database.
    fn execute(&self, session: &Session<'_>) -> impl Future<Output = Result<Outcome, CommandError>> + Send;
}

/// The list of commands: name of the variant, module, and the help text's first line.
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

            fn stops_between_steps(&self) -> bool {
                match self { $(Self::$name(arguments) => arguments.stops_between_steps(),)* }
            }

            fn runs_unattended(&self) -> bool {
                match self { $(Self::$name(arguments) => arguments.runs_unattended(),)* }
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
    /// Show where the database stands and what is pending
    Status => status,
    /// Apply revisions
    Upgrade => upgrade,
    /// Take revisions back
    Downgrade => downgrade,
    /// Start-up: wait for the database, back it up if asked, upgrade it, verify
    Run => run,
    /// Write a new revision file
    Create => create,
    /// Show the applied heads
    Current => current,
    /// Show the heads of the graph
    Heads => heads,
    /// Show where the graph branches
    Branches => branches,
    /// Show one revision
    Show => show,
    /// List the revisions, newest first
    History => history,
    /// Show the audit trail: who did what, when, and how it ended
    Log => log,
    /// Draw the graph of revisions
    Graph => graph,
    /// Write a revision that joins heads
    Merge => merge,
    /// Record revisions as applied, or not, without running them
    Stamp => stamp,
    /// Find what continuous integration should refuse
    Check => check,
    /// Read a schema, or compare two
    Schema => schema,
    /// Wait until the database answers
    Wait => wait,
    /// Write a backup of the database
    Backup => backup,
    /// Show who holds the migration lock, and end its session
    Unlock => unlock,
    /// Settle a revision that was interrupted
    Repair => repair,
    /// Print a completion script for a shell
    Completions => completions,
}
