//! The server as a program, over a project's migrations.

mod arguments;
mod exit_code;
mod healthcheck;
mod signals;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fmt;
use std::io::{self, Write as _};
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use stairway_core::settings::{self, Overrides, Selection, Settings, SettingsError};
use stairway_core::telemetry::{
    BoxedLayer, LogLevel, LogOptions, init_logging_with, log_panics_of_migrations,
};
use stairway_core::{Manager, MigrationSet, MigrationSetError};
use tokio::net::TcpListener;

use crate::run::{RunError, Server};
use crate::settings::ServerSettings;
use crate::state::ServerState;
use arguments::{Arguments, Command};
use signals::Signals;

/// The server as a program: a project with migrations of its own gets all of it with one call.
///
/// ```no_run
/// use std::process::ExitCode;
///
/// use stairway_core::MigrationSet;
/// # use stairway_core::sea_orm_migration::{MigrationTrait, MigratorTrait};
/// # struct Migrator;
/// # impl MigratorTrait for Migrator {
/// #     fn migrations() -> Vec<Box<dyn MigrationTrait>> { Vec::new() }
/// # }
///
/// fn main() -> ExitCode {
///     let migrations = MigrationSet::from_migrator::<Migrator>();
///     stairway_server::ServerProgram::new(migrations).run()
/// }
/// ```
#[derive(Clone, Debug)]
pub struct ServerProgram {
    migrations: Result<MigrationSet, MigrationSetError>,
    by_database: BTreeMap<String, Result<MigrationSet, MigrationSetError>>,
    application_version: Option<String>,
}

impl ServerProgram {
    /// The program over these migrations.
    pub fn new(migrations: Result<MigrationSet, MigrationSetError>) -> Self {
        Self {
            migrations,
            by_database: BTreeMap::new(),
            application_version: None,
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

    /// The application's version, for `/health` and, unless the settings name another, for the audit
    /// trail; for example `env!("CARGO_PKG_VERSION")`.
    #[must_use]
    pub fn application_version(mut self, version: impl Into<String>) -> Self {
        self.application_version = Some(version.into());
        self
    }

    /// Runs with the arguments of the process, until a signal ends it. Returns the exit code: 0 when
    /// it was asked to end, otherwise that of the command line for the same failure.
    pub fn run(self) -> ExitCode {
        self.run_from(std::env::args_os())
    }

    /// Runs with these arguments. The first is what the program is called.
    pub fn run_from<I>(self, args: I) -> ExitCode
    where
        I: IntoIterator,
        I::Item: Into<OsString> + Clone,
    {
        let arguments = match Arguments::try_parse_from(args) {
            Ok(arguments) => arguments,
            Err(error) => {
                // Help and version are no errors and go to standard output.
                drop(error.print());
                return code(if error.use_stderr() {
                    exit_code::USAGE
                } else {
                    exit_code::DONE
                });
            }
        };
        match &arguments.command {
            Some(Command::Healthcheck(check)) => code(healthcheck::run(&arguments, check)),
            None => match self.serve(&arguments) {
                Ok(exit) => code(exit),
                Err(failure) => {
                    tell(&format!("error: {}", failure.message));
                    code(failure.code)
                }
            },
        }
    }

    fn serve(&self, arguments: &Arguments) -> Result<u8, Failure> {
        let variables = |name: &str| std::env::var_os(name);
        let settings = resolve(arguments, &variables)?;
        let level = match (arguments.verbose, arguments.quiet) {
            (0, 0) => settings.log.level.unwrap_or_default(),
            (0, 1) => LogLevel::Warn,
            (0, _) => LogLevel::Error,
            (1, _) => LogLevel::Debug,
            (_, _) => LogLevel::Trace,
        };
        // Dropped last, so that nothing of what happens is left unsent.
        let traces = Traces::begin(self.application_version.as_deref())?;
        let options = LogOptions {
            format: settings.log.format.unwrap_or_default(),
            level,
            file: settings.log.file.clone(),
            rotation: settings.log.rotation,
            ..LogOptions::default()
        };
        init_logging_with(&options, traces.layers()).map_err(Failure::usage)?;
        log_panics_of_migrations();
        for notice in &settings.notices {
            tracing::warn!(event = "note", "{notice}");
        }
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        for (name, meant) in settings::misspelt_variables(names) {
            if !arguments::VARIABLES.contains(&name.as_str()) {
                tracing::warn!("the variable {name} means nothing here: did you mean {meant}?");
            }
        }
        let state = self.state(arguments, settings)?;
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(Failure::failed)?;
        let result = runtime.block_on(listen_and_serve(arguments, state));
        // A question to a database that hangs must not keep the process.
        runtime.shutdown_background();
        result
    }

    fn state(&self, arguments: &Arguments, settings: Settings) -> Result<ServerState, Failure> {
        let mut managers = Vec::with_capacity(settings.databases.len());
        let mut goes_on_without = BTreeSet::new();
        for database in settings.databases {
            let mut config = database.config.map_err(Failure::usage)?;
            if database.dry_run {
                config.auto_upgrade = false;
            }
            if config.application_version.is_none() {
                config
                    .application_version
                    .clone_from(&self.application_version);
            }
            if !database.fail_on_error {
                goes_on_without.insert(database.name.clone());
            }
            let migrations = self
                .by_database
                .get(&database.name)
                .unwrap_or(&self.migrations);
            let migrations = migrations.clone().map_err(Failure::usage)?;
            managers.push(Manager::new(migrations, config));
        }
        let mut server = ServerSettings {
            ready_when: arguments.ready_when,
            goes_on_without,
            ..ServerSettings::default()
        };
        if let Some(version) = &self.application_version {
            server.version.clone_from(version);
        }
        ServerState::new(managers, server).map_err(Failure::usage)
    }
}

/// The settings of the database that is meant; of all in the settings file, if it names several and
/// none of them is meant.
fn resolve(arguments: &Arguments, variables: settings::Variables<'_>) -> Result<Settings, Failure> {
    let file = settings::find_file(arguments.config.as_deref(), variables, Path::new(""))
        .map_err(Failure::usage)?;
    let mut overrides = Overrides {
        database_url: arguments.database_url.clone(),
        ..Overrides::default()
    };
    overrides.set("log_format", arguments.log_format.as_ref());
    overrides.set("log_file", arguments.log_file.as_ref());
    if let Some(name) = &arguments.database {
        overrides.selection = Selection::Named(name.clone());
    }
    let settled = match settings::resolve(&overrides, variables, file.as_ref()) {
        Err(SettingsError::SeveralDatabases { .. }) => {
            overrides.selection = Selection::All;
            settings::resolve(&overrides, variables, file.as_ref())
        }
        other => other,
    };
    settled.map_err(Failure::usage)
}

async fn listen_and_serve(arguments: &Arguments, state: ServerState) -> Result<u8, Failure> {
    let mut signals = Signals::listen(state.clone()).map_err(Failure::failed)?;
    // Before anything else, so that probes are answered from the start.
    let listener = bind(&arguments.listen, "--listen or STAIRWAY_LISTEN").await?;
    let mut server = Server::new(state);
    if let Some(address) = &arguments.internal_listen {
        let option = "--internal-listen or STAIRWAY_INTERNAL_LISTEN";
        server = server.with_internal_listener(bind(address, option).await?);
    }
    match server.run(listener, signals.first()).await {
        Ok(()) => Ok(signals.exit_code()),
        // Start-up has logged it.
        Err(RunError::Startup(error)) => {
            let code = exit_code::of(&error.source);
            tracing::error!(database = %error.database, exit_code = code, "the server ends with exit code {code}, because start-up failed");
            Ok(code)
        }
        Err(error) => Err(Failure::failed(error)),
    }
}

async fn bind(address: &str, option: &str) -> Result<TcpListener, Failure> {
    TcpListener::bind(address).await.map_err(|error| {
        Failure::failed(format!(
            "can't listen on {address}: {error}; choose another address with {option}"
        ))
    })
}

/// Where spans go besides the log, in a build that can send them.
struct Traces {
    #[cfg(feature = "opentelemetry")]
    exporter: Option<stairway_opentelemetry::Exporter>,
}

impl Traces {
    #[cfg(feature = "opentelemetry")]
    fn begin(version: Option<&str>) -> Result<Self, Failure> {
        let exporter =
            stairway_opentelemetry::Exporter::from_environment("stairway-server", version);
        Ok(Self {
            exporter: exporter.map_err(Failure::usage)?,
        })
    }

    #[cfg(feature = "opentelemetry")]
    fn layers(&self) -> Vec<BoxedLayer> {
        let exporter = self.exporter.iter();
        exporter
            .map(stairway_opentelemetry::Exporter::layer)
            .collect()
    }

    #[cfg(not(feature = "opentelemetry"))]
    #[expect(
        clippy::unnecessary_wraps,
        reason = "a build that can send spans may fail here"
    )]
    fn begin(_version: Option<&str>) -> Result<Self, Failure> {
        Ok(Self {})
    }

    #[cfg(not(feature = "opentelemetry"))]
    #[expect(
        clippy::unused_self,
        reason = "a build that can send spans has an exporter"
    )]
    fn layers(&self) -> Vec<BoxedLayer> {
        Vec::new()
    }
}

/// Why the program ends before it serves.
struct Failure {
    code: u8,
    message: String,
}

impl Failure {
    fn usage(error: impl fmt::Display) -> Self {
        Self {
            code: exit_code::USAGE,
            message: error.to_string(),
        }
    }

    fn failed(error: impl fmt::Display) -> Self {
        Self {
            code: exit_code::FAILED,
            message: error.to_string(),
        }
    }
}

/// A line on standard error. Nobody is left to be told if that can't be written.
fn tell(line: &str) {
    drop(writeln!(io::stderr(), "{line}"));
}

fn code(code: u8) -> ExitCode {
    ExitCode::from(code)
}
