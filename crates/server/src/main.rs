//! The server over the reference application's migrations.

use std::process::ExitCode;

use stairway_core::MigrationSet;
use stairway_server::ServerProgram;

fn main() -> ExitCode {
    let sources = stairway_migration::SOURCES;
    let migrations = MigrationSet::from_sources::<stairway_migration::Migrator>(sources);
    ServerProgram::new(migrations)
        .application_version(env!("CARGO_PKG_VERSION"))
        .run()
}
