//! The command line, as a library: a project with migrations of its own gets all of it with one call.
//!
//! ```no_run
//! use std::process::ExitCode;
//!
//! use stairway_core::MigrationSet;
//! # use stairway_core::sea_orm_migration::{MigrationTrait, MigratorTrait};
//! # struct Migrator;
//! # impl MigratorTrait for Migrator {
//! #     fn migrations() -> Vec<Box<dyn MigrationTrait>> { Vec::new() }
//! # }
//!
//! fn main() -> ExitCode {
//!     stairway_cli::run(MigrationSet::from_migrator::<Migrator>())
//! }
//! ```
//!
//! Arguments are settled into settings, a command works on one database at a time and returns a
//! report, and the printer writes it: commands read no environment and print nothing.

mod args;
mod asking;
mod commands;
mod comparison;
mod error;
mod events;
pub mod exit_code;
mod invocation;
mod measure;
mod notify;
mod printer;
mod progress;
mod report;
mod session;
mod signals;
mod style;
mod traces;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::process::ExitCode;

use stairway_core::side::Entities;
use stairway_core::{MigrationSet, MigrationSetError};

/// Runs the command line over a project's migrations, with the arguments of the process. Returns the
/// process's exit code: see [`exit_code`].
///
/// Migrations that make no graph are an error of most commands, and a finding of `check`.
pub fn run(migrations: Result<MigrationSet, MigrationSetError>) -> ExitCode {
    CommandLine::new(migrations).run()
}

/// Like [`run`], with these arguments. The first is what the program is called.
pub fn run_from<I>(args: I, migrations: Result<MigrationSet, MigrationSetError>) -> ExitCode
where
    I: IntoIterator,
    I::Item: Into<OsString>,
{
    CommandLine::new(migrations).run_from(args)
}

/// The command line over a project's migrations.
#[derive(Clone, Debug)]
pub struct CommandLine {
    pub(crate) migrations: Result<MigrationSet, MigrationSetError>,
    pub(crate) by_database: BTreeMap<String, Result<MigrationSet, MigrationSetError>>,
    pub(crate) application_version: Option<String>,
    pub(crate) entities: Option<Entities>,
}

impl CommandLine {
    /// A command line over these migrations.
    pub fn new(migrations: Result<MigrationSet, MigrationSetError>) -> Self {
        Self {
            migrations,
            by_database: BTreeMap::new(),
            application_version: None,
            entities: None,
        }
    }

    /// Gives the database of this name in the settings file migrations of its own.
    #[must_use]
    pub fn for_database(
        mut self,
        name: impl Into<String>,
        migrations: Result<MigrationSet, MigrationSetError>,
    ) -> Self {
        self.by_database.insert(name.into(), migrations);
        self
    }

    /// The project's SeaORM entities, which `create --autogenerate`, `check` and `schema diff` compare
    /// with revisions and databases.
    #[must_use]
    pub fn entities(mut self, entities: Entities) -> Self {
        self.entities = Some(entities);
        self
    }

    /// The application's version for the audit trail, unless the settings name another; for example
    /// `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn application_version(mut self, version: impl Into<String>) -> Self {
        self.application_version = Some(version.into());
        self
    }

    /// Runs with the arguments of the process.
    pub fn run(self) -> ExitCode {
        self.run_from(std::env::args_os())
    }

    /// Runs with these arguments. The first is what the program is called.
    pub fn run_from<I>(self, args: I) -> ExitCode
    where
        I: IntoIterator,
        I::Item: Into<OsString>,
    {
        ExitCode::from(invocation::run(
            &self,
            args.into_iter().map(Into::into).collect(),
        ))
    }

    /// The migrations of the database of this name.
    pub(crate) fn migrations_of(&self, database: &str) -> &Result<MigrationSet, MigrationSetError> {
        self.by_database.get(database).unwrap_or(&self.migrations)
    }
}
