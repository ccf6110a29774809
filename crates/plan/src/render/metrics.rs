//! What happened to databases, counted, and as text in the Prometheus exposition format 0.0.4.
//!
//! Feed [`MigrationMetrics`] with every [`Event`] of the runs of this process and with every
//! [`StatusReport`] that is read, and render it when somebody asks. The same text is what a server
//! answers to a scrape and what a one-shot run leaves in a file for the textfile collector.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::event::{Event, EventKind, Stage};
use crate::plan::Direction;
use crate::position::DatabaseState;
use crate::report::StatusReport;

/// The media type of the rendered text.
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The upper bounds of the duration histogram: milliseconds and how the bound is written. From a
/// catalogue change that takes milliseconds to a table rewrite that takes an hour.
const DURATION_BOUNDS: [(u64, &str); 12] = [
    (10, "0.01"),
    (50, "0.05"),
    (100, "0.1"),
    (500, "0.5"),
    (1_000, "1"),
    (5_000, "5"),
    (10_000, "10"),
    (30_000, "30"),
    (60_000, "60"),
    (300_000, "300"),
    (900_000, "900"),
    (3_600_000, "3600"),
];

/// What is counted and measured, by database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MigrationMetrics {
    databases: BTreeMap<String, DatabaseMetrics>,
}

/// What is counted and measured of one database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct DatabaseMetrics {
    standing: Option<Standing>,
    running: bool,
    upgrades: DurationHistogram,
    downgrades: DurationHistogram,
    failures: u64,
    retries: u64,
    lock_wait_ms: u64,
    waiting_for_lock: bool,
    last_success: Option<DateTime<Utc>>,
    last_run_ms: Option<u64>,
}

/// Where a database stood when it was last read. Absent while it can't be read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Standing {
    state: DatabaseState,
    up_to_date: bool,
    /// Only a status report says how many are pending and which revisions are where.
    detail: Option<Detail>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Detail {
    pending: usize,
    applied: usize,
    dialect: String,
    current: String,
    head: String,
}

/// Steps of one direction that ended well, by how long they took.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct DurationHistogram {
    /// Steps within each bound and above the one before it.
    buckets: [u64; DURATION_BOUNDS.len()],
    count: u64,
    sum_ms: u64,
}

impl DurationHistogram {
    fn record(&mut self, elapsed_ms: u64) {
        if let Some(bucket) = DURATION_BOUNDS
            .iter()
            .position(|&(bound, _)| elapsed_ms <= bound)
        {
            self.buckets[bucket] += 1;
        }
        self.count += 1;
        self.sum_ms = self.sum_ms.saturating_add(elapsed_ms);
    }
}

impl MigrationMetrics {
    /// Nothing counted yet, for these databases. A database that is named here has its series from
    /// the start, so that a rate over its first failure is seen.
    pub fn new<N: Into<String>>(databases: impl IntoIterator<Item = N>) -> Self {
        let databases = databases
            .into_iter()
            .map(|name| (name.into(), DatabaseMetrics::default()))
            .collect();
        Self { databases }
    }

    /// Counts an event of a run.
    pub fn observe(&mut self, event: &Event) {
        let metrics = self.database(&event.database);
        match &event.kind {
            // Every attempt of a run begins with connecting; the lock is waited for before the run is
            // announced.
            EventKind::StageStarted {
                stage: Stage::Connect,
            } => {
                metrics.running = true;
                metrics.lock_wait_ms = 0;
                metrics.waiting_for_lock = false;
            }
            EventKind::WaitingForLock { waited_ms, .. } => {
                metrics.lock_wait_ms = *waited_ms;
                metrics.waiting_for_lock = true;
            }
            EventKind::LockAcquired { waited_ms } => {
                metrics.lock_wait_ms = *waited_ms;
                metrics.waiting_for_lock = false;
            }
            EventKind::StepFinished {
                direction,
                elapsed_ms,
                ..
            } => match direction {
                Direction::Upgrade => metrics.upgrades.record(*elapsed_ms),
                Direction::Downgrade => metrics.downgrades.record(*elapsed_ms),
            },
            EventKind::Retrying { .. } => metrics.retries += 1,
            EventKind::Verified { state, .. } => {
                metrics.standing = Some(Standing {
                    state: *state,
                    up_to_date: *state == DatabaseState::UpToDate,
                    detail: None,
                });
            }
            EventKind::RunFinished { elapsed_ms, .. } => {
                metrics.running = false;
                metrics.waiting_for_lock = false;
                metrics.last_success = Some(event.timestamp);
                metrics.last_run_ms = Some(*elapsed_ms);
            }
            EventKind::RunFailed { elapsed_ms, .. } => {
                metrics.running = false;
                metrics.waiting_for_lock = false;
                metrics.failures += 1;
                metrics.last_run_ms = Some(*elapsed_ms);
            }
            EventKind::WaitingForDatabase { .. } => metrics.standing = None,
            EventKind::DatabaseReachable { .. }
            | EventKind::StageStarted { .. }
            | EventKind::RunStarted { .. }
            | EventKind::Notice { .. }
            | EventKind::Warning { .. }
            | EventKind::LockReleased
            | EventKind::BackupStarted { .. }
            | EventKind::BackupFinished { .. }
            | EventKind::StepStarted { .. }
            | EventKind::StatementStarted { .. }
            | EventKind::StatementFinished { .. }
            | EventKind::StatementSkipped { .. }
            | EventKind::StepFailed { .. }
            | EventKind::StopRequested => {}
        }
    }

    /// Takes note of where a database stands.
    pub fn record_status(&mut self, status: &StatusReport) {
        let revision = |id: &Option<crate::revision::RevisionId>| {
            id.as_ref()
                .map(|id| id.as_str().to_owned())
                .unwrap_or_default()
        };
        self.database(&status.database).standing = Some(Standing {
            state: status.state,
            up_to_date: status.is_up_to_date,
            detail: Some(Detail {
                pending: status.pending_count,
                applied: status.applied_count,
                dialect: status.dialect.clone(),
                current: revision(&status.current_revision),
                head: revision(&status.head_revision),
            }),
        });
    }

    /// Takes note that a database could not be read: what was known of its state no longer counts.
    pub fn record_unreadable(&mut self, database: &str) {
        self.database(database).standing = None;
    }

    fn database(&mut self, name: &str) -> &mut DatabaseMetrics {
        self.databases.entry(name.to_owned()).or_default()
    }

    /// The text that Prometheus scrapes: every family with its HELP and TYPE, databases by name.
    pub fn render(&self) -> String {
        let mut text = Exposition::default();

        text.family("db_migration_up_to_date", "gauge", UP_TO_DATE_HELP);
        for (labels, metrics) in self.labelled() {
            let up_to_date = metrics
                .standing
                .as_ref()
                .is_some_and(|standing| standing.up_to_date);
            text.sample("db_migration_up_to_date", &labels, u8::from(up_to_date));
        }

        text.family("db_migration_database_readable", "gauge", READABLE_HELP);
        for (labels, metrics) in self.labelled() {
            let readable = u8::from(metrics.standing.is_some());
            text.sample("db_migration_database_readable", &labels, readable);
        }

        text.family("db_migration_state", "gauge", STATE_HELP);
        for (labels, metrics) in self.labelled() {
            let state = metrics
                .standing
                .as_ref()
                .map_or("unknown", |standing| standing.state.as_str());
            let names = DatabaseState::ALL
                .iter()
                .map(|state| state.as_str())
                .chain(["unknown"]);
            for name in names {
                let labels = format!("{labels},state=\"{name}\"");
                text.sample("db_migration_state", &labels, u8::from(name == state));
            }
        }

        text.family("db_migration_pending", "gauge", PENDING_HELP);
        for (labels, detail) in self.detailed() {
            text.sample("db_migration_pending", &labels, detail.pending);
        }

        text.family("db_migration_applied_revisions", "gauge", APPLIED_HELP);
        for (labels, detail) in self.detailed() {
            text.sample("db_migration_applied_revisions", &labels, detail.applied);
        }

        text.family("db_migration_info", "gauge", INFO_HELP);
        for (labels, detail) in self.detailed() {
            let labels = format!(
                "{labels},dialect=\"{}\",current_revision=\"{}\",head_revision=\"{}\"",
                escape_label(&detail.dialect),
                escape_label(&detail.current),
                escape_label(&detail.head)
            );
            text.sample("db_migration_info", &labels, 1);
        }

        text.family("db_migration_running", "gauge", RUNNING_HELP);
        for (labels, metrics) in self.labelled() {
            text.sample("db_migration_running", &labels, u8::from(metrics.running));
        }

        text.family("db_migration_applied_total", "counter", APPLIED_TOTAL_HELP);
        for (labels, metrics) in self.labelled() {
            text.sample(
                "db_migration_applied_total",
                &labels,
                metrics.upgrades.count,
            );
        }

        text.family(
            "db_migration_reverted_total",
            "counter",
            REVERTED_TOTAL_HELP,
        );
        for (labels, metrics) in self.labelled() {
            text.sample(
                "db_migration_reverted_total",
                &labels,
                metrics.downgrades.count,
            );
        }

        text.family("db_migration_failures_total", "counter", FAILURES_HELP);
        for (labels, metrics) in self.labelled() {
            text.sample("db_migration_failures_total", &labels, metrics.failures);
        }

        text.family("db_migration_retries_total", "counter", RETRIES_HELP);
        for (labels, metrics) in self.labelled() {
            text.sample("db_migration_retries_total", &labels, metrics.retries);
        }

        text.family("db_migration_duration_seconds", "histogram", DURATION_HELP);
        for (labels, metrics) in self.labelled() {
            text.histogram(
                &format!("{labels},direction=\"upgrade\""),
                &metrics.upgrades,
            );
            text.histogram(
                &format!("{labels},direction=\"downgrade\""),
                &metrics.downgrades,
            );
        }

        text.family(
            "db_migration_last_run_duration_seconds",
            "gauge",
            LAST_RUN_HELP,
        );
        for (labels, metrics) in self.labelled() {
            if let Some(elapsed_ms) = metrics.last_run_ms {
                let seconds = seconds(elapsed_ms);
                text.sample("db_migration_last_run_duration_seconds", &labels, seconds);
            }
        }

        text.family(
            "db_migration_last_success_timestamp_seconds",
            "gauge",
            LAST_SUCCESS_HELP,
        );
        for (labels, metrics) in self.labelled() {
            if let Some(at) = metrics.last_success {
                let at = at.timestamp();
                text.sample("db_migration_last_success_timestamp_seconds", &labels, at);
            }
        }

        text.family("db_migration_lock_wait_seconds", "gauge", LOCK_WAIT_HELP);
        for (labels, metrics) in self.labelled() {
            let waited = seconds(metrics.lock_wait_ms);
            text.sample("db_migration_lock_wait_seconds", &labels, waited);
        }

        text.family("db_migration_lock_waiting", "gauge", LOCK_WAITING_HELP);
        for (labels, metrics) in self.labelled() {
            let waiting = u8::from(metrics.waiting_for_lock);
            text.sample("db_migration_lock_waiting", &labels, waiting);
        }

        text.0
    }

    /// Every database with its label.
    fn labelled(&self) -> impl Iterator<Item = (String, &DatabaseMetrics)> {
        self.databases
            .iter()
            .map(|(name, metrics)| (format!("database=\"{}\"", escape_label(name)), metrics))
    }

    /// Every database whose status was read, with its label.
    fn detailed(&self) -> impl Iterator<Item = (String, &Detail)> {
        self.labelled().filter_map(|(labels, metrics)| {
            let detail = metrics.standing.as_ref()?.detail.as_ref()?;
            Some((labels, detail))
        })
    }
}

const UP_TO_DATE_HELP: &str = "1 if the database was read and every revision of this build is applied, and no other; \
     0 otherwise.";
const READABLE_HELP: &str =
    "1 if the state could be read from the database when it was last asked.";
const STATE_HELP: &str =
    "1 for the state that the database is in, 0 for the others; unknown while it can't be read.";
const PENDING_HELP: &str = "Revisions that an upgrade would apply.";
const APPLIED_HELP: &str = "Revisions of this build that are applied.";
const INFO_HELP: &str =
    "Always 1; the labels say which revision the database is at and which it should be at.";
const RUNNING_HELP: &str = "1 while this process runs an upgrade or a downgrade.";
const APPLIED_TOTAL_HELP: &str = "Revisions that this process has applied.";
const REVERTED_TOTAL_HELP: &str = "Revisions that this process has taken back.";
const FAILURES_HELP: &str =
    "Runs of this process that failed or were stopped, retries included in one run.";
const RETRIES_HELP: &str = "Attempts that failed for a passing reason and were made again.";
const DURATION_HELP: &str =
    "How long the revisions took that this process applied or took back, each by itself.";
const LAST_RUN_HELP: &str = "How long the latest run of this process took, waiting included.";
const LAST_SUCCESS_HELP: &str =
    "When a run of this process last ended well, one with nothing to do included.";
const LOCK_WAIT_HELP: &str =
    "How long the latest run has waited for the migration lock; grows while it waits.";
const LOCK_WAITING_HELP: &str = "1 while a run of this process waits for the migration lock.";

/// Text that is being put together.
#[derive(Default)]
struct Exposition(String);

impl Exposition {
    fn family(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        self.line(format_args!("# HELP {name} {help}"));
        self.line(format_args!("# TYPE {name} {kind}"));
    }

    fn sample(&mut self, name: &str, labels: &str, value: impl std::fmt::Display) {
        self.line(format_args!("{name}{{{labels}}} {value}"));
    }

    fn histogram(&mut self, labels: &str, histogram: &DurationHistogram) {
        let mut within = 0;
        for ((_, bound), bucket) in DURATION_BOUNDS.iter().zip(histogram.buckets) {
            within += bucket;
            let labels = format!("{labels},le=\"{bound}\"");
            self.sample("db_migration_duration_seconds_bucket", &labels, within);
        }
        let every = format!("{labels},le=\"+Inf\"");
        self.sample(
            "db_migration_duration_seconds_bucket",
            &every,
            histogram.count,
        );
        self.sample(
            "db_migration_duration_seconds_sum",
            labels,
            seconds(histogram.sum_ms),
        );
        self.sample(
            "db_migration_duration_seconds_count",
            labels,
            histogram.count,
        );
    }

    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing to a String does not fail.
        let _ = writeln!(self.0, "{line}");
    }
}

/// Milliseconds as decimal seconds, exactly.
fn seconds(ms: u64) -> String {
    match ms % 1000 {
        0 => (ms / 1000).to_string(),
        rest => format!("{}.{rest:03}", ms / 1000),
    }
}

/// A label's value as the format wants it between quotes.
fn escape_label(value: &str) -> String {
    value
        .replace('\\', "\\\\")
        .replace('"', "\\\"")
        .replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
