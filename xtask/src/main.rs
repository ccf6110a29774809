//! Everything that is done to this repository, as one program: `cargo xtask <command>`.

mod bench;
mod checkers;
mod ci;
mod migrate;
mod packages;
mod report;
mod test;
mod tools;

use std::process::ExitCode;

use clap::Parser;

/// Everything that is done to this repository. Run it in the repository's root.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
enum Command {
    Test(test::Arguments),
    Ci(ci::Arguments),
    Migrate(migrate::Arguments),
    Bench(bench::Arguments),
}

fn main() -> ExitCode {
    let outcome = match Command::parse() {
        Command::Test(arguments) => test::run(&arguments),
        Command::Ci(arguments) => ci::run(&arguments),
        Command::Migrate(arguments) => migrate::run(&arguments),
        Command::Bench(arguments) => bench::run(&arguments),
    };
    outcome.unwrap_or_else(|failure| {
        report::say(&failure.message);
        ExitCode::from(failure.code)
    })
}
