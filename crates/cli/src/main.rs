//! The command line over the reference application's migrations.

use std::process::ExitCode;

use stairway_core::MigrationSet;
use stairway_core::side::Entities;

fn main() -> ExitCode {
    let migrations =
        MigrationSet::from_sources::<stairway_migration::Migrator>(stairway_migration::SOURCES);
    stairway_cli::CommandLine::new(migrations)
        .entities(Entities::new(stairway_entity::schema))
        .application_version(env!("CARGO_PKG_VERSION"))
        .run()
}
