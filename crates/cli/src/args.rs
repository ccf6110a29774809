//! The command line as clap sees it. No logic: what the words mean is settled in `invocation`.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::builder::styling::{AnsiColor, Styles};
use clap::{ArgAction, Args, Parser};
use stairway_core::settings::Overrides;

use crate::commands::Command;
use crate::printer::OutputFormat;

const STYLES: Styles = Styles::styled()
    .header(AnsiColor::Green.on_default().bold())
    .usage(AnsiColor::Green.on_default().bold())
    .literal(AnsiColor::Cyan.on_default().bold())
    .placeholder(AnsiColor::Cyan.on_default());

/// Migrates databases: exactly once, never half, and says what it does.
#[derive(Debug, Parser)]
#[command(
    name = "stairway",
    version,
    styles = STYLES,
    max_term_width = 100,
    arg_required_else_help = true,
    subcommand_required = true,
    infer_subcommands = false,
    long_about = "Migrates databases: exactly once, never half, and says what it does.\n\n\
        The database is the one that --database-url, DATABASE_URL or stairway.toml name, else the embedded \
        SQLite file stairway.db. `status` says where it stands, `upgrade` brings it to the head, `run` is what a \
        container runs before the service starts.",
    after_help = "\
Revisions are named by id, by a unique part of one (m20260102, add_users), by branch label, or as
head, heads, base, current; +2 and -1 count from what is applied, REV+1 and REV-1 from a revision,
BRANCH@head is the head of a branch, FROM:TO a range.

Exit codes: 0 done, 1 failed, 2 wrong usage or settings, 3 not up to date (where asked for),
4 lock not obtained in time, 5 database unreachable, 130 and 143 stopped by a signal.

Examples:
  stairway status
  stairway upgrade
  stairway upgrade --dry-run
  stairway downgrade -1
  stairway create \"Add user preferences table\""
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) global: GlobalArguments,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Options of every command.
#[derive(Debug, Args)]
#[command(next_help_heading = "Options of every command")]
pub(crate) struct GlobalArguments {
    /// Where the database is; prefer `DATABASE_URL`, since other users can see a command line
    #[arg(
        long,
        global = true,
        value_name = "URL",
        conflicts_with = "all",
        hide_env_values = true
    )]
    pub(crate) database_url: Option<String>,
    /// The database of this name in the settings file
    #[arg(long, global = true, value_name = "NAME", conflicts_with = "all")]
    pub(crate) database: Option<String>,
    /// Each database of the settings file in turn; one that fails does not stop the others
    #[arg(long, global = true)]
    pub(crate) all: bool,
    /// The settings file [default: stairway.toml in the working directory, if there is one]
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// The form of the result on standard output: text or json
    #[arg(
        long,
        global = true,
        value_enum,
        default_value_t,
        hide_possible_values = true,
        value_name = "FORM"
    )]
    pub(crate) output: OutputFormat,
    /// Say more: -v every statement, -vv what libraries say
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet")]
    pub(crate) verbose: u8,
    /// Say less: -q only warnings and errors, -qq only errors
    #[arg(short, long, global = true, action = ArgAction::Count)]
    pub(crate) quiet: u8,
    /// The form of log lines on standard error: auto, plain or json
    #[arg(long, global = true, value_name = "FORM")]
    pub(crate) log_format: Option<String>,
    /// Append the log to a file as JSON lines, too
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) log_file: Option<String>,
    /// Log lines instead of a progress display, also on a terminal
    #[arg(long, global = true)]
    pub(crate) no_progress: bool,
    /// Write every event as a JSON line to a file, or to standard output with `-`
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) events: Option<PathBuf>,
}

/// How to go from one place to another: options of `upgrade` and `downgrade`.
#[derive(Debug, Args)]
pub(crate) struct MigrationArguments {
    /// Only show the steps and the SQL of each; change nothing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
        conflicts_with = "sql")]
    pub(crate) dry_run: Option<String>,
    /// Print an SQL script for a range of revisions, without asking the database
    #[arg(long, conflicts_with_all = ["backup", "steps", "wait", "single_transaction"])]
    pub(crate) sql: bool,
    /// Take at most this many steps
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) steps: Option<u32>,
    /// Write a backup first; if that fails nothing is migrated
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) backup: Option<String>,
    /// How long to wait for another run that holds the lock, such as 30s or 5m [default: 10m]
    #[arg(long, value_name = "DURATION")]
    pub(crate) lock_timeout: Option<String>,
    /// Wait for a database that does not answer yet, at most this long [default: 60s]
    #[arg(long, value_name = "DURATION", num_args = 0..=1, require_equals = true, default_missing_value = "")]
    pub(crate) wait: Option<String>,
    /// All steps in one transaction: all or nothing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) single_transaction: Option<String>,
}

/// What planning an upgrade refuses and allows.
#[derive(Debug, Args)]
pub(crate) struct PlanArguments {
    /// Refuse to apply a revision that stands below an applied one (a late merge)
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) strict_order: Option<String>,
    /// Go on although the database has revisions that this build does not know
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    pub(crate) allow_unknown: Option<String>,
}

impl MigrationArguments {
    pub(crate) fn overrides(&self, overrides: &mut Overrides) {
        overrides.set("dry_run", self.dry_run.as_ref());
        overrides.set("create_backup", self.backup.as_ref());
        overrides.set("lock_timeout", self.lock_timeout.as_ref());
        overrides.set(
            "wait_timeout",
            self.wait.as_ref().filter(|wait| !wait.is_empty()),
        );
        overrides.set("single_transaction", self.single_transaction.as_ref());
    }

    pub(crate) fn steps(&self) -> Option<usize> {
        self.steps.map(|steps| steps as usize)
    }
}

impl PlanArguments {
    pub(crate) fn overrides(&self, overrides: &mut Overrides) {
        overrides.set("strict_order", self.strict_order.as_ref());
        overrides.set("allow_unknown", self.allow_unknown.as_ref());
    }
}

/// Reads a target or range that may begin with a sign. What looks like an option is a misspelt one.
pub(crate) fn target(text: &str) -> Result<String, String> {
    let digit_after_sign = |rest: &str| rest.starts_with(|c: char| c.is_ascii_digit());
    match text.strip_prefix('-') {
        Some(rest) if !digit_after_sign(rest) => Err("there is no such option".to_owned()),
        _ if text.trim().is_empty() => Err("it is empty".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

/// Joins `--wait 60` to `--wait=60`, which is how clap tells the duration, which may be left out, from
/// a target that follows.
pub(crate) fn join_wait(args: impl IntoIterator<Item = OsString>) -> Vec<OsString> {
    let mut joined: Vec<OsString> = Vec::new();
    let mut after_wait = false;
    for arg in args {
        let duration = arg.to_str().filter(|text| {
            after_wait
                && text.starts_with(|c: char| c.is_ascii_digit())
                && stairway_core::settings::parse_duration(text).is_ok()
        });
        if let (Some(duration), Some(wait)) = (duration, joined.last_mut()) {
            wait.push("=");
            wait.push(duration);
            after_wait = false;
        } else {
            after_wait = arg == "--wait";
            joined.push(arg);
        }
    }
    joined
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    fn parse(line: &str) -> Result<Arguments, clap::Error> {
        let words = line.split_whitespace().map(OsString::from);
        Arguments::try_parse_from(join_wait(
            [OsString::from("stairway")].into_iter().chain(words),
        ))
    }

    #[test]
    fn the_definition_is_sound() {
        Arguments::command().debug_assert();
    }

    #[test]
    fn targets_with_signs_need_no_dashes_in_front() {
        for line in [
            "downgrade -1",
            "downgrade -2 --yes",
            "downgrade --yes -1 --dry-run",
            "downgrade left@-1",
            "upgrade +2",
            "upgrade +2 -v",
            "upgrade -v +2",
            "upgrade rev-1",
            "upgrade --sql a:b",
            "downgrade --sql head:-1",
            "history -3:current",
            "history -3:current -i",
            "history -i -3:current",
            "history :head",
            "stamp base --purge",
            "stamp a b --dry-run",
            "show head-1",
        ] {
            assert!(parse(line).is_ok(), "{line}: {}", parse(line).unwrap_err());
        }
    }

    #[test]
    fn misspelt_options_are_not_taken_for_targets() {
        for line in [
            "downgrade --dryrun",
            "upgrade --yess",
            "downgrade -x",
            "history --indicate",
            "upgrade --stpes 2",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn wait_takes_its_duration_with_and_without_an_equals_sign_or_none() {
        let wait = |line: &str| match parse(line).unwrap().command {
            Command::Upgrade(upgrade) => (upgrade.migration.wait, upgrade.target),
            _ => unreachable!(),
        };
        assert_eq!(wait("upgrade --wait"), (Some(String::new()), None));
        assert_eq!(wait("upgrade --wait 2m"), (Some("2m".to_owned()), None));
        assert_eq!(
            wait("upgrade --wait=2m head"),
            (Some("2m".to_owned()), Some("head".to_owned()))
        );
        assert_eq!(
            wait("upgrade --wait head"),
            (Some(String::new()), Some("head".to_owned()))
        );
    }

    #[test]
    fn options_of_every_command_stand_before_or_after_it() {
        for line in [
            "--output json status",
            "status --output json",
            "-v --database x upgrade",
            "upgrade --all -q",
        ] {
            assert!(parse(line).is_ok(), "{line}");
        }
        for line in [
            "status --all --database x",
            "status --all --database-url sqlite::memory:",
            "status -v -q",
        ] {
            assert!(parse(line).is_err(), "{line}");
        }
    }

    #[test]
    fn every_help_text_is_as_recorded() {
        let mut command = Arguments::command()
            .term_width(100)
            .color(clap::ColorChoice::Never);
        command.build();
        insta::assert_snapshot!("help-stairway", command.render_long_help());
        let names: Vec<String> = command
            .get_subcommands()
            .map(|sub| sub.get_name().to_owned())
            .collect();
        for name in names.iter().filter(|name| *name != "help") {
            let sub = command.find_subcommand_mut(name).unwrap();
            let mut sub = sub.clone().term_width(100);
            insta::assert_snapshot!(format!("help-{name}"), sub.render_long_help());
        }
    }

    #[test]
    fn the_page_of_the_command_line_names_every_command_and_option() {
        let page = include_str!("../../../docs/cli.md");
        let mut command = Arguments::command();
        command.build();
        for sub in command
            .get_subcommands()
            .filter(|sub| sub.get_name() != "help")
        {
            let name = sub.get_name();
            let example = format!("stairway {name}");
            assert!(
                page.contains(&example),
                "docs/cli.md has no example of {name}"
            );
            for long in sub
                .get_arguments()
                .filter_map(clap::Arg::get_long)
                .filter(|long| *long != "help")
            {
                assert!(
                    page.contains(&format!("--{long}")),
                    "docs/cli.md lacks --{long} of {name}"
                );
            }
        }
    }
}
