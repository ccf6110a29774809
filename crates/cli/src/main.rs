//! The command line over the reference application's migrations.

use std::process::ExitCode;

use stairway_core::MigrationSet;

fn main() -> ExitCode {
    let migrations = MigrationSet::from_sources::<stairway_migration::Migrator>(stairway_migration::SOURCES);
    stairway_cli::CommandLine::new(migrations).application_version(env!("CARGO_PKG_VERSION")).run()
}
