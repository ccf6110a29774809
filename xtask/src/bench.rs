//! `cargo xtask bench`: what Stairway costs, against something else in the same run.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Args;
use stairway_test_servers::cargo;

use crate::report::Failure;
use crate::tools;

/// Measure what Stairway costs, and print it as Markdown
///
/// Starts throw-away servers that keep what they commit. Every figure is a ratio to something else
/// measured in the same run, so it can be read on any machine. Measurements: planning, start, apply,
/// contention, memory, compare, build; all of them take about half an hour.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Which measurements; all if none is named
    #[arg(value_name = "MEASUREMENT")]
    measurements: Vec<OsString>,
}

/// Builds the program in the profile that is shipped and runs it.
pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut command = cargo::command();
    command
        .args([
            "run",
            "--quiet",
            "--release",
            "--bin",
            "stairway-bench",
            "--",
        ])
        .args(&arguments.measurements)
        .current_dir(tools::root());
    Ok(ExitCode::from(tools::exit_code(tools::run(&mut command)?)))
}
