//! From arguments to an exit code: settings, logging, one database after another.

use std::ffi::OsString;
use std::io::{self, IsTerminal};
use std::path::Path;
use std::sync::Arc;

use clap::{CommandFactory, FromArgMatches};
use serde_json::{Value, json};
use stairway_core::notify::RunLog;
use stairway_core::settings::{
    self, DatabasePolicy, DatabaseSettings, LogSettings, Overrides, Selection, Settings,
};
use stairway_core::telemetry::{self, LogFormat, LogLevel, LogOptions};
use stairway_core::{Config, Manager, Observer};

use crate::CommandLine;
use crate::args::{Arguments, GlobalArguments, join_wait};
use crate::commands::{Execute, Needs};
use crate::error::CommandError;
use crate::events::EventLines;
use crate::exit_code;
use crate::measure::Measurement;
use crate::printer::{self, Console, OutputFormat, to_json};
use crate::progress::Progress;
use crate::report::Outcome;
use crate::session::Session;
use crate::signals::Signals;
use crate::style::{BAD, GOOD, HEADING, Table, paint, plain, styled, visible};
use crate::traces::Traces;

/// Runs the command that the arguments name.
pub(crate) fn run(command_line: &CommandLine, args: Vec<OsString>) -> u8 {
    let program = program_name(args.first());
    let matches = Arguments::command().try_get_matches_from(join_wait(args));
    let arguments = match matches.and_then(|matches| Arguments::from_arg_matches(&matches)) {
        Ok(arguments) => arguments,
        Err(error) => return printer::usage(&error),
    };
    let settings = settle(&arguments);
    let log = settings
        .as_ref()
        .map_or_else(|_| LogSettings::default(), |settings| settings.log.clone());
    let display = Display::of(&arguments, &log);
    let console = Arc::new(display.console(&arguments.global));
    // Dropped last, so that nothing of what happens is left unsent.
    let (traces, begun) = match Traces::begin(command_line.application_version.as_deref()) {
        Ok(traces) => (traces, Ok(())),
        Err(error) => (Traces::default(), Err(error)),
    };
    let logging = begun.and_then(|()| display.log(&arguments.global, &log, &traces, &console));
    telemetry::log_panics_of_migrations();
    if logging.is_err() {
        // What is wrong with the log has to be said somewhere.
        let without_file = LogSettings { file: None, ..log };
        let without_traces = Traces::default();
        drop(display.log(&arguments.global, &without_file, &without_traces, &console));
    }
    let result = logging.and(settings).and_then(|settings| {
        Invocation {
            command_line,
            arguments: &arguments,
            console: &console,
            display,
            program,
        }
        .run(settings)
    });
    let code = result.unwrap_or_else(|error| {
        console.error(&error, None, None);
        error.exit_code(None)
    });
    console.exit_code(code)
}

/// What the program was called, without its directory.
fn program_name(first: Option<&OsString>) -> String {
    first
        .and_then(|path| Path::new(path).file_stem())
        .map_or_else(
            || "stairway".to_owned(),
            |name| name.to_string_lossy().into_owned(),
        )
}

/// Finds the settings that hold.
fn settle(arguments: &Arguments) -> Result<Settings, CommandError> {
    let (global, command) = (&arguments.global, &arguments.command);
    if global.output == OutputFormat::Sql && !command.has_sql_form() {
        return Err(CommandError::usage(
            "this command's result has no SQL form: use --output text or json",
        ));
    }
    let mut overrides = Overrides {
        database_url: global.database_url.clone(),
        ..Overrides::default()
    };
    overrides.set("log_format", global.log_format.as_ref());
    overrides.set("log_file", global.log_file.as_ref());
    command.overrides(&mut overrides);
    overrides.selection = selection(global, command.needs())?;
    if overrides.selection == Selection::Offline(None) {
        overrides.database_url = None;
    }
    let variables = |name: &str| std::env::var_os(name);
    let file = settings::find_file(global.config.as_deref(), &variables, Path::new(""))?;
    Ok(settings::resolve(&overrides, &variables, file.as_ref())?)
}

/// Which databases the command is about.
fn selection(global: &GlobalArguments, needs: Needs) -> Result<Selection, CommandError> {
    match (needs, global.all, &global.database) {
        (Needs::Databases, true, _) => Ok(Selection::All),
        (Needs::OneDatabase, true, _) => Err(CommandError::usage_with_hint(
            "this command is for one database",
            "name it with --database NAME",
        )),
        (Needs::Offline, true, _) => Err(CommandError::usage(
            "--all is for commands that ask a database, and this one asks none",
        )),
        (Needs::Offline, false, name) => Ok(Selection::Offline(name.clone())),
        (_, false, Some(name)) => Ok(Selection::Named(name.clone())),
        (_, false, None) => Ok(Selection::Implied),
    }
}

/// How standard error is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Display {
    /// For a person who watches: spinner and lines.
    Terminal,
    /// Log lines for people.
    Plain,
    /// Log lines for programs, and nothing else.
    Json,
}

impl Display {
    fn of(arguments: &Arguments, log: &LogSettings) -> Self {
        let terminal = io::stderr().is_terminal();
        match log.format.unwrap_or_default() {
            LogFormat::Json => Self::Json,
            LogFormat::Auto if terminal && !arguments.global.no_progress => Self::Terminal,
            LogFormat::Auto if !terminal && arguments.command.runs_unattended() => Self::Json,
            LogFormat::Auto | LogFormat::Plain => Self::Plain,
        }
    }

    fn console(self, global: &GlobalArguments) -> Console {
        Console::new(global.output, self == Self::Json, global.quiet > 0)
    }

    fn log(
        self,
        global: &GlobalArguments,
        log: &LogSettings,
        traces: &Traces,
        console: &Arc<Console>,
    ) -> Result<(), CommandError> {
        let level = level(global, log);
        let hidden_targets = match self {
            Self::Terminal => vec![telemetry::TARGET, printer::TARGET],
            Self::Plain => vec![printer::TARGET],
            Self::Json => Vec::new(),
        };
        let options = LogOptions {
            format: if self == Self::Json {
                LogFormat::Json
            } else {
                LogFormat::Plain
            },
            level,
            file: log.file.clone(),
            rotation: log.rotation,
            hidden_targets,
            sink: Some(console.line_sink()),
        };
        if !telemetry::init_logging_with(&options, traces.layers())? && log.file.is_some() {
            console.warning("the program logs in its own way already: the log file is not written");
        }
        Ok(())
    }
}

fn level(global: &GlobalArguments, log: &LogSettings) -> LogLevel {
    match (global.verbose, global.quiet) {
        (0, 0) => log.level.unwrap_or_default(),
        (1, _) => LogLevel::Debug,
        (2.., _) => LogLevel::Trace,
        (0, 1) => LogLevel::Warn,
        (0, 2..) => LogLevel::Error,
    }
}

/// One call of the program.
struct Invocation<'a> {
    command_line: &'a CommandLine,
    arguments: &'a Arguments,
    console: &'a Arc<Console>,
    display: Display,
    program: String,
}

/// What came of one database.
struct Ended {
    name: String,
    result: Result<Outcome, CommandError>,
    code: u8,
}

impl Invocation<'_> {
    fn run(&self, settings: Settings) -> Result<u8, CommandError> {
        for notice in &settings.notices {
            self.console.note(notice);
        }
        let names = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok());
        for (name, known) in settings::misspelt_variables(names) {
            self.console.warning(&format!(
                "the environment variable {name} means nothing here; did you mean {known}?"
            ));
        }
        // One thread that waits for the database by itself: with workers, each answer would wake one of
        // them, which would wake this one, for a sixth more CPU. Migrations and signals have their own.
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|error| CommandError::usage(format!("no runtime can be started: {error}")))?;
        let result = runtime.block_on(self.run_on_all(settings));
        // Somebody may still be asked a question that a signal has answered.
        runtime.shutdown_background();
        result
    }

    async fn run_on_all(&self, settings: Settings) -> Result<u8, CommandError> {
        let signals = Signals::listen(self.console).map_err(|error| {
            CommandError::usage(format!("signals can't be listened to: {error}"))
        })?;
        let mut observers = self.observers()?;
        let measurement = settings
            .metrics_file
            .clone()
            .filter(|_| self.arguments.command.is_measured())
            .map(|file| {
                let databases = settings.databases.iter();
                Measurement::of(file, databases.map(|database| database.name.clone()))
            });
        observers.extend(measurement.as_ref().map(Measurement::observer));
        let code = self
            .run_on_each(settings, &signals, &observers, measurement.as_ref())
            .await;
        if let Some(measurement) = &measurement {
            measurement.write(self.console);
        }
        code
    }

    async fn run_on_each(
        &self,
        settings: Settings,
        signals: &Signals,
        observers: &[Arc<dyn Observer>],
        measurement: Option<&Measurement>,
    ) -> Result<u8, CommandError> {
        if !self.arguments.global.all {
            let mut code = exit_code::DONE;
            for database in settings.databases {
                let ended = self.run_on(database, signals, observers, measurement).await;
                self.show(&ended, signals)?;
                code = ended.code;
            }
            return Ok(code);
        }
        let mut all = Vec::with_capacity(settings.databases.len());
        for database in settings.databases {
            let ended = if signals.code().is_some() {
                Ended {
                    name: database.name,
                    result: Err(CommandError::Interrupted),
                    code: exit_code::INTERRUPTED,
                }
            } else {
                self.console.aside(&format!(
                    "{}\n",
                    paint(HEADING, &format!("== {} ==", visible(&database.name)))
                ));
                let ended = self.run_on(database, signals, observers, measurement).await;
                self.show_one_of_several(&ended, signals)?;
                ended
            };
            all.push(ended);
        }
        self.summarise(&all, signals)?;
        Ok(all
            .iter()
            .map(|ended| ended.code)
            .max_by_key(|code| exit_code::severity(*code))
            .unwrap_or_default())
    }

    async fn run_on(
        &self,
        database: DatabaseSettings,
        signals: &Signals,
        observers: &[Arc<dyn Observer>],
        measurement: Option<&Measurement>,
    ) -> Ended {
        let name = database.name.clone();
        let result = self
            .execute(database, signals, observers, measurement)
            .await;
        let code = match &result {
            Ok(outcome) => outcome.code,
            Err(error) => error.exit_code(signals.code()),
        };
        Ended { name, result, code }
    }

    async fn execute(
        &self,
        database: DatabaseSettings,
        signals: &Signals,
        observers: &[Arc<dyn Observer>],
        measurement: Option<&Measurement>,
    ) -> Result<Outcome, CommandError> {
        let policy = DatabasePolicy {
            dry_run: database.dry_run,
            fail_on_error: database.fail_on_error,
        };
        let mut config: Config = database.config?;
        if config.application_version.is_none() {
            config
                .application_version
                .clone_from(&self.command_line.application_version);
        }
        let run_log = Arc::new(RunLog::default());
        let manager = match self.command_line.migrations_of(&database.name) {
            Ok(migrations) => {
                let manager = Manager::new(migrations.clone(), config)
                    .with_observer(Arc::clone(&run_log) as Arc<dyn Observer>);
                Ok(observers.iter().fold(manager, |manager, observer| {
                    manager.with_observer(Arc::clone(observer))
                }))
            }
            Err(error) => Err(error.clone()),
        };
        let session = Session {
            manager,
            policy,
            entities: self.command_line.entities.clone(),
            console: self.console,
            signals,
            run_log,
            program: &self.program,
        };
        let executing = self.arguments.command.execute(&session);
        let result = tokio::select! {
            result = executing => result,
            () = signals.received() => Err(CommandError::Interrupted),
        };
        if let (Some(measurement), Ok(manager)) = (measurement, &session.manager) {
            measurement.look(manager).await;
        }
        result
    }

    /// Who is told of events.
    fn observers(&self) -> Result<Vec<Arc<dyn Observer>>, CommandError> {
        let mut observers: Vec<Arc<dyn Observer>> = Vec::new();
        let global = &self.arguments.global;
        if self.display == Display::Terminal && global.quiet == 0 {
            observers.push(Arc::new(Progress::new(
                Arc::clone(self.console),
                global.verbose > 0,
            )));
        }
        if let Some(path) = &global.events {
            observers.push(Arc::new(EventLines::open(path, self.console)?));
        }
        Ok(observers)
    }

    fn show(&self, ended: &Ended, signals: &Signals) -> Result<(), CommandError> {
        match &ended.result {
            Ok(outcome) => self.console.result(outcome.report.as_ref()),
            Err(error) => {
                self.console.error(error, signals.code(), None);
                Ok(())
            }
        }
    }

    /// Text is shown as it comes; JSON at the end, as one value.
    fn show_one_of_several(&self, ended: &Ended, signals: &Signals) -> Result<(), CommandError> {
        match &ended.result {
            Ok(outcome) if self.console.output() == OutputFormat::Text => {
                self.console.result(outcome.report.as_ref())
            }
            Ok(_) => Ok(()),
            Err(error) => {
                self.console.error(error, signals.code(), Some(&ended.name));
                Ok(())
            }
        }
    }

    fn summarise(&self, all: &[Ended], signals: &Signals) -> Result<(), CommandError> {
        if self.console.output() == OutputFormat::Json {
            let databases = all
                .iter()
                .map(|ended| json_of(ended, signals))
                .collect::<Result<Vec<Value>, _>>()?;
            self.console
                .json(&json!({ "schema_version": 1, "databases": databases }));
            return Ok(());
        }
        let mut table = Table::new(&["database", "code", "outcome"]);
        for ended in all {
            let style = if ended.code == exit_code::DONE {
                GOOD
            } else {
                BAD
            };
            let words = match &ended.result {
                Ok(_) => exit_code::name(ended.code).to_owned(),
                Err(error) => error.sentence(),
            };
            table.row(vec![
                plain(visible(&ended.name)),
                styled(style, ended.code.to_string()),
                plain(visible(words.lines().next().unwrap_or_default())),
            ]);
        }
        self.console.aside(&format!(
            "{}\n{}",
            paint(HEADING, "== summary =="),
            table.text()
        ));
        Ok(())
    }
}

/// One database's part of the result for several.
fn json_of(ended: &Ended, signals: &Signals) -> Result<Value, CommandError> {
    Ok(match &ended.result {
        Ok(outcome) => json!({
            "database": ended.name, "exit_code": ended.code, "result": to_json(outcome.report.as_ref())?,
        }),
        Err(error) => json!({
            "database": ended.name, "exit_code": ended.code, "error": error.json(signals.code()),
        }),
    })
}

/// The commands' names, so that the settings table can't name an option that no command has.
#[cfg(test)]
mod tests {
    use stairway_core::settings::SETTINGS;

    use super::*;

    #[test]
    fn every_option_that_the_settings_name_exists() {
        let mut command = Arguments::command();
        command.build();
        let options: Vec<String> = command
            .get_subcommands()
            .flat_map(|sub| {
                sub.get_arguments()
                    .filter_map(|arg| arg.get_long())
                    .map(|long| format!("--{long}"))
            })
            .collect();
        for flag in SETTINGS
            .iter()
            .filter_map(|setting| setting.flag)
            .chain(["--database-url", "--config"])
        {
            assert!(options.iter().any(|option| option == flag), "{flag}");
        }
    }

    #[test]
    fn every_setting_that_a_command_gives_exists() {
        for line in [
            "upgrade --dry-run --backup --lock-timeout 1 --wait=1 --single-transaction --strict-order --allow-unknown",
            "downgrade -1 --dry-run --backup --lock-timeout 1 --wait=1 --single-transaction",
            "run --dry-run --backup --lock-timeout 1 --wait 1 --strict-order --allow-unknown",
            "create x --directory y",
            "merge --directory y",
            "stamp x --dry-run --lock-timeout 1",
            "wait --timeout 1",
            "backup --directory y",
        ] {
            let words = ["stairway"].into_iter().chain(line.split(' '));
            let matches = Arguments::command().get_matches_from(words);
            let arguments = Arguments::from_arg_matches(&matches).unwrap();
            let mut overrides = Overrides::default();
            arguments.command.overrides(&mut overrides);
            let options = line.matches(" --").count();
            assert_eq!(overrides.values.len(), options, "{line}: {overrides:?}");
            settings::resolve(&overrides, &|_| None, None).unwrap();
        }
    }

    #[test]
    fn several_databases_are_only_for_commands_that_ask_one() {
        let global = |line: &str| {
            let matches = Arguments::command().get_matches_from(line.split(' '));
            let arguments = Arguments::from_arg_matches(&matches).unwrap();
            selection(&arguments.global, arguments.command.needs())
                .map_err(|error| error.to_string())
        };
        assert_eq!(global("s status --all"), Ok(Selection::All));
        assert_eq!(global("s status"), Ok(Selection::Implied));
        assert_eq!(
            global("s status --database x"),
            Ok(Selection::Named("x".to_owned()))
        );
        assert_eq!(
            global("s heads --database x"),
            Ok(Selection::Offline(Some("x".to_owned())))
        );
        assert_eq!(
            global("s unlock --all"),
            Err("this command is for one database".to_owned())
        );
        assert!(global("s heads --all").is_err());
    }
}
