//! The server's command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{ArgAction, Args, Parser, Subcommand};

use crate::settings::ReadyWhen;

/// The variables that this command line reads besides those of `stairway_core::settings`.
pub(super) const VARIABLES: [&str; 3] = [
    "STAIRWAY_LISTEN",
    "STAIRWAY_INTERNAL_LISTEN",
    "STAIRWAY_READY_WHEN",
];

const URL_HELP: &str =
    "Where the database is; better set DATABASE_URL, which other users of the machine can't see";

/// Migrates databases at start-up and serves health, metrics and a status page
#[derive(Debug, Parser)]
#[command(
    name = "stairway-server",
    version,
    max_term_width = 100,
    after_help = "\
The database is the one that --database-url, DATABASE_URL or stairway.toml name, else the embedded
SQLite file stairway.db; all of stairway.toml if it names several. Settings of the migration come
from the environment and from stairway.toml, as for the `stairway` command line.

Exit codes: 0 ended by a signal, 1 failed, 2 wrong usage or settings, 4 lock not obtained in time,
5 database unreachable, 130 and 143 ended by a second signal, which cancels the running statement.

Examples:
  stairway-server
  stairway-server --listen 0.0.0.0:8000 --internal-listen 127.0.0.1:9000
  stairway-server healthcheck"
)]
pub(super) struct Arguments {
    /// Where to listen
    #[arg(
        long,
        global = true,
        env = "STAIRWAY_LISTEN",
        value_name = "ADDRESS",
        default_value = "127.0.0.1:8000"
    )]
    pub(super) listen: String,
    /// Serve everything here, and on --listen only probes that name no revision and no error
    #[arg(long, env = "STAIRWAY_INTERNAL_LISTEN", value_name = "ADDRESS")]
    pub(super) internal_listen: Option<String>,
    /// When /health/ready says yes: up-to-date, up-to-date-or-ahead, nothing-pending, or started
    #[arg(
        long,
        env = "STAIRWAY_READY_WHEN",
        value_name = "POLICY",
        default_value_t
    )]
    pub(super) ready_when: ReadyWhen,
    #[arg(long, value_name = "URL", help = URL_HELP)]
    pub(super) database_url: Option<String>,
    /// Only the database of this name in the settings file
    #[arg(long, value_name = "NAME")]
    pub(super) database: Option<String>,
    /// The settings file [default: stairway.toml in the working directory, if there is one]
    #[arg(long, value_name = "FILE")]
    pub(super) config: Option<PathBuf>,
    /// The form of log lines on standard error: auto, plain or json
    #[arg(long, value_name = "FORM")]
    pub(super) log_format: Option<String>,
    /// Append the log to a file as JSON lines, too
    #[arg(long, value_name = "FILE")]
    pub(super) log_file: Option<String>,
    /// Say more: -v every statement and request, -vv what libraries say
    #[arg(short, long, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(super) verbose: u8,
    /// Say less: -q only warnings and errors, -qq only errors
    #[arg(short, long, action = ArgAction::Count)]
    pub(super) quiet: u8,
    #[command(subcommand)]
    pub(super) command: Option<Command>,
}

#[derive(Debug, Subcommand)]
pub(super) enum Command {
    /// Ask a running server how it is: exit code 0 if it says 200, 1 otherwise
    Healthcheck(HealthcheckArguments),
}

#[derive(Debug, Args)]
pub(super) struct HealthcheckArguments {
    /// The endpoint to ask
    #[arg(long, value_name = "PATH", default_value = "/health/ready")]
    pub(super) path: String,
    /// How long to wait for the answer, in seconds
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = seconds)]
    pub(super) timeout: Duration,
}

fn seconds(text: &str) -> Result<Duration, String> {
    match text.parse() {
        Ok(seconds @ 1..=3600) => Ok(Duration::from_secs(seconds)),
        _ => Err("it must be a whole number from 1 to 3600".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    //! The command line is sound, and its defaults are the safe ones.

    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn it_listens_on_this_machine_alone_unless_told_otherwise() {
        let arguments =
            Arguments::try_parse_from(["stairway-server"]).expect("no argument is needed");
        assert_eq!(arguments.listen, "127.0.0.1:8000");
        assert_eq!(arguments.ready_when, ReadyWhen::UpToDateOrAhead);
    }

    #[test]
    fn the_help_names_every_option() {
        insta::assert_snapshot!(Arguments::command().term_width(100).render_help());
    }
}
