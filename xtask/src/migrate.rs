//! `cargo xtask migrate`: the `stairway` command line over the reference application.

use std::ffi::OsString;
use std::process::{Command, ExitCode};

use clap::Args;
use stairway_test_servers::cargo;

use crate::report::Failure;
use crate::tools;

/// Run the stairway command line over the reference application's migrations
///
/// All arguments are passed on as they are: `cargo xtask migrate upgrade --dry-run`,
/// `cargo xtask migrate --help`. Cargo builds what has changed first. Relative paths are meant from
/// the repository's root.
#[derive(Debug, Args)]
#[command(disable_help_flag = true)]
pub(crate) struct Arguments {
    #[arg(
        trailing_var_arg = true,
        allow_hyphen_values = true,
        value_name = "STAIRWAY ARGUMENTS"
    )]
    arguments: Vec<OsString>,
}

/// The command line is run and not linked in, so that the commands that check the sources need none
/// of them to compile.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut command = cargo::command();
    command
        .args(["run", "--quiet", "--bin", "stairway", "--"])
        .args(&arguments.arguments)
        .current_dir(tools::root());
    become_program(&mut command)
}

/// The program takes this one's place: signals reach it directly.
#[cfg(unix)]
fn become_program(command: &mut Command) -> Result<ExitCode, Failure> {
    use std::os::unix::process::CommandExt;
    let error = command.exec();
    Err(Failure::failed(format!("running cargo: {error}")))
}

#[cfg(not(unix))]
fn become_program(command: &mut Command) -> Result<ExitCode, Failure> {
    tools::run(command).map(|status| ExitCode::from(tools::exit_code(status)))
}
