//! Logging: every event becomes a log line, and log lines get somewhere.
//!
//! Lines have the target `stairway` and these fields: `event`, the event's name as in JSON;
//! `database`, its name among those configured; and those fields of the event that are set, under
//! their own names, with the unit in the name (`elapsed_ms`). A lock's holder is `holder_pid`,
//! `holder_host`, `holder_application`, `holder_since`.
//!
//! They are logged in spans: `stairway.run` for a run, in it `stairway.revision` for each attempt at a
//! revision, in it `stairway.statement` for each statement. `docs/server.md` lists their fields.

mod file;
pub(crate) mod spans;

use std::fmt;
use std::io::{self, Write};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use chrono::Utc;
use stairway_plan::event::{Event, EventKind, LockHolder, Stage};
use stairway_plan::plan::{Direction, Notice};
use stairway_plan::revision::RevisionId;
use tracing::field::{Field, Visit};
use tracing::{Subscriber, debug, error, info, trace, warn};
use tracing_subscriber::filter::{LevelFilter, Targets, filter_fn};
use tracing_subscriber::fmt::format::{FormatFields, Writer};
use tracing_subscriber::fmt::{FmtContext, FormatEvent, MakeWriter};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry::LookupSpan;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, Registry};

use crate::settings::DEFAULT_NAME;
use file::LogFile;
pub use file::LogRotation;

/// The form of log lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// Plain on a terminal, JSON otherwise.
    #[default]
    Auto,
    /// One line for people.
    Plain,
    /// One JSON object a line.
    Json,
}

/// The least urgent level that is logged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Only failures.
    Error,
    /// And what a person should look at.
    Warn,
    /// And what happens.
    #[default]
    Info,
    /// And every statement.
    Debug,
    /// And what libraries say.
    Trace,
}

impl LogLevel {
    /// Every level, the most urgent first.
    pub const ALL: [Self; 5] = [
        Self::Error,
        Self::Warn,
        Self::Info,
        Self::Debug,
        Self::Trace,
    ];

    fn filter(self) -> LevelFilter {
        match self {
            Self::Error => LevelFilter::ERROR,
            Self::Warn => LevelFilter::WARN,
            Self::Info => LevelFilter::INFO,
            Self::Debug => LevelFilter::DEBUG,
            Self::Trace => LevelFilter::TRACE,
        }
    }
}

/// Takes whole log lines, line feed included.
pub type LineSink = Arc<dyn Fn(&[u8]) + Send + Sync>;

/// How to log.
#[derive(Clone, Default)]
pub struct LogOptions {
    /// The form of the lines on standard error.
    pub format: LogFormat,
    /// The least urgent level.
    pub level: LogLevel,
    /// A file to which JSON lines are appended besides.
    pub file: Option<PathBuf>,
    /// When that file is put aside, and how many such files are kept.
    pub rotation: LogRotation,
    /// Targets whose lines are left out of standard error, because what they say is shown there
    /// otherwise. The log file gets them.
    pub hidden_targets: Vec<&'static str>,
    /// Where lines go instead of straight to standard error.
    pub sink: Option<LineSink>,
}

impl fmt::Debug for LogOptions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogOptions")
            .field("format", &self.format)
            .field("level", &self.level)
            .field("file", &self.file)
            .field("rotation", &self.rotation)
            .field("hidden_targets", &self.hidden_targets)
            .finish_non_exhaustive()
    }
}

/// Why logging could not be set up.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// The log file can't be opened for appending.
    #[error("the log file {} can't be written: {source}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
}

/// Sends log lines to standard error, and to a file if asked. Returns whether it did: `false` if the
/// program has a subscriber already, which then gets the lines.
///
/// # Errors
/// If the log file can't be opened.
pub fn init_logging(options: &LogOptions) -> Result<bool, LogError> {
    init_logging_with(options, Vec::new())
}

/// As [`init_logging`]; these layers get every span and event, too, for example to send spans
/// somewhere. What they don't want they have to filter themselves.
///
/// # Errors
/// If the log file can't be opened.
pub fn init_logging_with(options: &LogOptions, more: Vec<BoxedLayer>) -> Result<bool, LogError> {
    let json = match options.format {
        LogFormat::Auto => !io::IsTerminal::is_terminal(&io::stderr()),
        LogFormat::Plain => false,
        LogFormat::Json => true,
    };
    let writer = LineWriter {
        sink: options.sink.clone(),
    };
    let hidden = options.hidden_targets.clone();
    let on_stderr = levels(options.level);
    let shown = filter_fn(move |metadata| !hidden.contains(&metadata.target()));
    let stderr: BoxedLayer = if json {
        Box::new(json_layer(writer).with_filter(on_stderr).with_filter(shown))
    } else {
        let layer = tracing_subscriber::fmt::layer()
            .event_format(PlainLine)
            .with_writer(writer);
        Box::new(layer.with_filter(on_stderr).with_filter(shown))
    };
    let mut layers: Vec<BoxedLayer> = vec![stderr];
    if let Some(path) = &options.file {
        let file = LogFile::open(path, options.rotation).map_err(|source| LogError::File {
            path: path.clone(),
            source,
        })?;
        // Whoever asks for a file wants to read there what a quiet terminal did not show.
        let level = levels(options.level.max(LogLevel::Info));
        layers.push(Box::new(json_layer(Mutex::new(file)).with_filter(level)));
    }
    layers.extend(more);
    Ok(tracing_subscriber::registry()
        .with(layers)
        .try_init()
        .is_ok())
}

/// Keeps what a panicking migration says off standard error: it may hold a credential, and comes with
/// the error of its step, masked. Where it panicked becomes a log line. Other panics are told as ever.
/// For programs; a library has no say in this.
pub fn log_panics_of_migrations() {
    let otherwise = std::panic::take_hook();
    std::panic::set_hook(Box::new(move |panic| {
        let thread = std::thread::current();
        let is_migration = thread
            .name()
            .is_some_and(|name| name.starts_with(crate::bridge::THREAD));
        if !is_migration {
            otherwise(panic);
        } else if let Some(place) = panic.location() {
            error!(target: TARGET, event = "panic", "a migration panicked at {place}");
        }
    }));
}

/// What gets spans and events besides the log.
pub type BoxedLayer = Box<dyn Layer<Registry> + Send + Sync>;

/// The target of the lines that events become.
pub const TARGET: &str = "stairway";

fn json_layer<W>(writer: W) -> impl Layer<Registry> + Send + Sync
where
    W: for<'w> MakeWriter<'w> + Send + Sync + 'static,
{
    tracing_subscriber::fmt::layer()
        .json()
        .flatten_event(true)
        .with_current_span(false)
        .with_span_list(false)
        .with_writer(writer)
}

/// What is logged at a level: ours as it says; of the libraries only what is urgent, until everything
/// is asked for. Drivers quote statements, with values, in what they log below that.
fn levels(level: LogLevel) -> Targets {
    let others = match level {
        LogLevel::Error => LevelFilter::ERROR,
        LogLevel::Warn | LogLevel::Info => LevelFilter::WARN,
        LogLevel::Debug => LevelFilter::INFO,
        LogLevel::Trace => LevelFilter::TRACE,
    };
    let drivers = if level == LogLevel::Trace {
        LevelFilter::TRACE
    } else {
        LevelFilter::ERROR
    };
    Targets::new()
        .with_default(others)
        .with_target(TARGET, level.filter())
        .with_target("sqlx", drivers)
        // It quotes parameters of a URL that it does not know, such as a misspelt `password`.
        .with_target("sqlx_postgres::options", LevelFilter::OFF)
        .with_target("sea_orm", drivers)
        .with_target("sea_orm_migration", drivers)
}

/// A line for people: time, level, the database if it has a name, and the message. The fields of our
/// own lines say nothing more, but for the text of a statement; those of others are all shown.
struct PlainLine;

impl<S, N> FormatEvent<S, N> for PlainLine
where
    S: Subscriber + for<'l> LookupSpan<'l>,
    N: for<'w> FormatFields<'w> + 'static,
{
    fn format_event(
        &self,
        _context: &FmtContext<'_, S, N>,
        mut writer: Writer<'_>,
        event: &tracing::Event<'_>,
    ) -> fmt::Result {
        let metadata = event.metadata();
        let mut words = Words::default();
        event.record(&mut words);
        let time = Utc::now().format("%Y-%m-%dT%H:%M:%SZ");
        write!(writer, "{time} {:>5} ", metadata.level().as_str())?;
        if !words.database.is_empty() && words.database != DEFAULT_NAME {
            write!(writer, "[{}] ", words.database)?;
        }
        if metadata.target().starts_with(TARGET) {
            writer.write_str(&words.message)?;
        } else {
            write!(
                writer,
                "{}: {}{}",
                metadata.target(),
                words.message,
                words.others
            )?;
        }
        if !words.sql.is_empty() {
            write!(writer, ": {}", words.sql)?;
        }
        writeln!(writer)
    }
}

/// The fields of a log line.
#[derive(Default)]
struct Words {
    message: String,
    database: String,
    sql: String,
    others: String,
}

impl Visit for Words {
    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => self.message = on_one_line(value),
            "database" => self.database = on_one_line(value),
            "sql" => self.sql = on_one_line(value),
            name => {
                self.others.extend([" ", name, "=", &on_one_line(value)]);
            }
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

/// Text from elsewhere, which must neither end the line nor steer a terminal.
fn on_one_line(text: &str) -> String {
    let escaped = |c: char| match c {
        '\n' | '\t' => " ".to_owned(),
        c if c.is_control() => c.escape_unicode().to_string(),
        c => c.to_string(),
    };
    text.trim_end().chars().map(escaped).collect()
}

/// Hands whole lines to the sink, or to standard error.
#[derive(Clone)]
struct LineWriter {
    sink: Option<LineSink>,
}

impl<'w> MakeWriter<'w> for LineWriter {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}

impl Write for LineWriter {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        match &self.sink {
            Some(sink) => {
                sink(line);
                Ok(line.len())
            }
            None => io::stderr().lock().write(line),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().lock().flush()
    }
}

/// Logs an event. What an operator greps for: `Starting database migration to head...`,
/// `Database migration completed successfully`, `Migration failed: `.
pub fn log_event(event: &Event) {
    let database = event.database.as_str();
    match &event.kind {
        EventKind::WaitingForDatabase {
            attempt,
            error,
            retry_in_ms,
            time_left_ms,
        } => warn!(
            target: TARGET, event = "waiting_for_database", database, attempt, error = %error, retry_in_ms, time_left_ms,
            "Waiting for the database, {:.0} s left: {error}", seconds(*time_left_ms)
        ),
        EventKind::DatabaseReachable {
            dialect,
            server_version,
            elapsed_ms,
        } => info!(
            target: TARGET, event = "database_reachable", database, dialect = %dialect,
            server_version = %server_version, elapsed_ms,
            "The database answers: {server_version}"
        ),
        EventKind::StageStarted { stage } => debug!(
            target: TARGET, event = "stage_started", database, stage = stage_name(*stage),
            "Stage: {}", stage_name(*stage)
        ),
        EventKind::RunStarted {
            run_id,
            direction,
            target,
            steps,
        } => info!(
            target: TARGET, event = "run_started", database, run_id = %run_id, direction = word(*direction),
            to = %target, steps,
            "{}", starting(*direction, target)
        ),
        EventKind::Notice { notice } => log_notice(database, notice),
        EventKind::Warning { message } => {
            warn!(target: TARGET, event = "warning", database, "{message}");
        }
        EventKind::WaitingForLock {
            holder,
            waited_ms,
            time_left_ms,
        } => {
            log_waiting_for_lock(database, holder.as_ref(), *waited_ms, *time_left_ms);
        }
        EventKind::LockAcquired { waited_ms } => debug!(
            target: TARGET, event = "lock_acquired", database, waited_ms, "The migration lock is held"
        ),
        EventKind::LockReleased => debug!(
            target: TARGET, event = "lock_released", database, "The migration lock is released"
        ),
        EventKind::BackupStarted { destination } => info!(
            target: TARGET, event = "backup_started", database, destination = %destination,
            "Writing a backup to {destination}"
        ),
        EventKind::BackupFinished {
            destination,
            bytes,
            elapsed_ms,
        } => info!(
            target: TARGET, event = "backup_finished", database, destination = %destination, bytes, elapsed_ms,
            "Backup written and verified: {destination}"
        ),
        EventKind::StepStarted { .. }
        | EventKind::StepFinished { .. }
        | EventKind::StepFailed { .. } => {
            log_step(database, &event.kind);
        }
        EventKind::StatementStarted { .. }
        | EventKind::StatementFinished { .. }
        | EventKind::StatementSkipped { .. } => log_statement(database, &event.kind),
        EventKind::Retrying {
            attempt,
            max_attempts,
            error,
            retry_in_ms,
        } => warn!(
            target: TARGET, event = "retrying", database, attempt, max_attempts, error = %error, retry_in_ms,
            "Trying again in {:.1} s ({attempt} of {max_attempts}): {error}", seconds(*retry_in_ms)
        ),
        EventKind::Verified { state, current } => info!(
            target: TARGET, event = "verified", database, state = state.as_str(), current = %list(current),
            "Verified: the database is {state}"
        ),
        EventKind::RunFinished {
            run_id,
            steps,
            elapsed_ms,
        } => info!(
            target: TARGET, event = "run_finished", database, run_id = %run_id, steps, elapsed_ms,
            "Database migration completed successfully"
        ),
        EventKind::RunFailed {
            run_id,
            steps_done,
            elapsed_ms,
            error,
        } => error!(
            target: TARGET, event = "run_failed", database, run_id = %run_id, steps_done, elapsed_ms, error = %error,
            "Migration failed: {error}"
        ),
        EventKind::StopRequested => warn!(
            target: TARGET, event = "stop_requested", database, "Asked to stop: stopping after the running revision"
        ),
    }
}

fn log_notice(database: &str, notice: &Notice) {
    match notice {
        Notice::OutOfOrder { revisions } => warn!(
            target: TARGET, event = "notice", kind = "out_of_order", database, revisions = %list(revisions),
            "Applied below later revisions: {}", list(revisions)
        ),
        Notice::UnknownRevisions { revisions } => warn!(
            target: TARGET, event = "notice", kind = "unknown_revisions", database, revisions = %list(revisions),
            "The database has revisions that this build does not know: {}", list(revisions)
        ),
        Notice::OtherBranches { branch, revisions } => warn!(
            target: TARGET, event = "notice", kind = "other_branches", database, branch = %branch,
            revisions = %list(revisions),
            "Going below {branch} takes these revisions of other branches back, too: {}", list(revisions)
        ),
    }
}

fn log_waiting_for_lock(
    database: &str,
    holder: Option<&LockHolder>,
    waited_ms: u64,
    time_left_ms: u64,
) {
    let pid = holder.and_then(|holder| holder.pid);
    let host = holder.and_then(|holder| holder.host.as_deref());
    let application = holder.and_then(|holder| holder.application.as_deref());
    let since = holder
        .and_then(|holder| holder.since)
        .map(|since| since.to_rfc3339());
    info!(
        target: TARGET, event = "waiting_for_lock", database, waited_ms, time_left_ms, holder_pid = pid,
        holder_host = host, holder_application = application, holder_since = since.as_deref(),
        "Waiting for the migration lock{}, {:.0} s left", held_by(holder), seconds(time_left_ms)
    );
}

/// The holder of a lock as the end of a sentence: `, held by NAME, process 7 on HOST since TIME`.
/// Nothing if nothing is known.
pub fn held_by(holder: Option<&LockHolder>) -> String {
    let Some(holder) = holder else {
        return String::new();
    };
    let mut words = Vec::new();
    if let Some(application) = holder
        .application
        .as_deref()
        .filter(|name| !name.is_empty())
    {
        words.push(application.to_owned());
    }
    if let Some(pid) = holder.pid {
        words.push(format!("process {pid}"));
    }
    let mut text = words.join(", ");
    if let Some(host) = holder.host.as_deref().filter(|host| !host.is_empty()) {
        text.push_str(if text.is_empty() {
            "someone on "
        } else {
            " on "
        });
        text.push_str(host);
    }
    if let Some(since) = holder.since {
        text.push_str(if text.is_empty() {
            "someone since "
        } else {
            " since "
        });
        text.push_str(&since.format("%Y-%m-%d %H:%M:%S UTC").to_string());
    }
    if text.is_empty() {
        text
    } else {
        format!(", held by {text}")
    }
}

fn log_step(database: &str, kind: &EventKind) {
    match kind {
        EventKind::StepStarted {
            revision,
            message,
            direction,
            position,
            total,
            transactional,
        } => info!(
            target: TARGET, event = "step_started", database, revision = %revision, direction = word(*direction),
            position, total, transactional,
            "{} {revision} ({position} of {total}): {message}",
            match direction { Direction::Upgrade => "Applying", Direction::Downgrade => "Taking back" }
        ),
        EventKind::StepFinished {
            revision,
            direction,
            elapsed_ms,
            statements,
            rows_affected,
        } => info!(
            target: TARGET, event = "step_finished", database, revision = %revision, direction = word(*direction),
            elapsed_ms, statements, rows_affected,
            "{} {revision} in {elapsed_ms} ms",
            match direction { Direction::Upgrade => "Applied", Direction::Downgrade => "Took back" }
        ),
        EventKind::StepFailed {
            revision,
            direction,
            elapsed_ms,
            error,
            rolled_back,
        } => error!(
            target: TARGET, event = "step_failed", database, revision = %revision, direction = word(*direction),
            elapsed_ms, error = %error, rolled_back,
            "The {} of {revision} failed, {}", word(*direction),
            if *rolled_back { "nothing of it is left" } else { "it may have left something behind" }
        ),
        _ => {}
    }
}

fn log_statement(database: &str, kind: &EventKind) {
    match kind {
        EventKind::StatementStarted {
            revision,
            index,
            sql,
        } => debug!(
            target: TARGET, event = "statement_started", database, revision = %revision, index, sql = %sql,
            "Statement {index} of {revision}"
        ),
        EventKind::StatementFinished {
            revision,
            index,
            rows_affected,
            elapsed_ms,
        } => trace!(
            target: TARGET, event = "statement_finished", database, revision = %revision, index, rows_affected,
            elapsed_ms,
            "Statement {index} of {revision} done"
        ),
        EventKind::StatementSkipped {
            revision,
            index,
            sql,
        } => info!(
            target: TARGET, event = "statement_skipped", database, revision = %revision, index, sql = %sql,
            "Statement {index} of {revision} was done by an earlier attempt"
        ),
        _ => {}
    }
}

/// The first line of a run.
fn starting(direction: Direction, target: &str) -> String {
    match (direction, target) {
        (Direction::Upgrade, "head" | "heads") => {
            "Starting database migration to head...".to_owned()
        }
        (Direction::Upgrade, target) => format!("Starting database migration to {target}..."),
        (Direction::Downgrade, target) => format!("Starting database downgrade to {target}..."),
    }
}

fn word(direction: Direction) -> &'static str {
    match direction {
        Direction::Upgrade => "upgrade",
        Direction::Downgrade => "downgrade",
    }
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Connect => "connect",
        Stage::Inspect => "inspect",
        Stage::Backup => "backup",
        Stage::Migrate => "migrate",
        Stage::Verify => "verify",
        Stage::Ready => "ready",
    }
}

fn list(revisions: &[RevisionId]) -> String {
    revisions
        .iter()
        .map(RevisionId::as_str)
        .collect::<Vec<_>>()
        .join(", ")
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal at most")]
fn seconds(milliseconds: u64) -> f64 {
    milliseconds as f64 / 1000.0
}

#[cfg(test)]
mod tests;
