//! Numbers for Prometheus: collected from the runs of this process, read by a scrape or from a file.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use stairway_plan::event::Event;
use stairway_plan::render::metrics::MigrationMetrics;
use stairway_plan::report::StatusReport;

use crate::observer::Observer;

/// Counts what happens in runs. Give it to a manager with
/// [`Manager::with_observer`](crate::Manager::with_observer); several managers may share one.
#[derive(Debug, Default)]
pub struct MetricsObserver {
    metrics: Mutex<MigrationMetrics>,
}

impl MetricsObserver {
    /// Nothing counted yet, for the databases of these names.
    pub fn new<N: Into<String>>(databases: impl IntoIterator<Item = N>) -> Self {
        Self {
            metrics: Mutex::new(MigrationMetrics::new(databases)),
        }
    }

    /// Takes note of where a database stands. Events alone tell the state after a run, but not what
    /// is pending.
    pub fn record_status(&self, status: &StatusReport) {
        self.metrics().record_status(status);
    }

    /// Takes note that a database could not be read.
    pub fn record_unreadable(&self, database: &str) {
        self.metrics().record_unreadable(database);
    }

    /// The text that Prometheus scrapes, in the exposition format 0.0.4.
    pub fn render(&self) -> String {
        self.metrics().render()
    }

    /// Writes the text to a file for the textfile collector of Prometheus' node exporter, which reads
    /// files that end in `.prom`. The file is replaced at once: a reader sees the old or the new text,
    /// never a part.
    ///
    /// # Errors
    /// If the file can't be written beside its final place, or not be put there.
    pub fn write_textfile(&self, path: &Path) -> io::Result<()> {
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".{}.tmp", std::process::id()));
        let unfinished: PathBuf = path.with_file_name(name);
        let written =
            fs::write(&unfinished, self.render()).and_then(|()| fs::rename(&unfinished, path));
        if written.is_err() {
            // What is left of it must not be taken for something; if it can't be removed either, the
            // first error says why.
            let _ = fs::remove_file(&unfinished);
        }
        written
    }

    fn metrics(&self) -> MutexGuard<'_, MigrationMetrics> {
        self.metrics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for MetricsObserver {
    fn observe(&self, event: &Event) {
        self.metrics().observe(event);
    }
}

#[cfg(test)]
mod tests {
    //! A collector that reads at any moment gets a whole file.

    use stairway_plan::event::EventKind;

    use super::*;

    #[test]
    fn the_textfile_is_replaced_whole_and_nothing_else_is_left() {
        let directory = tempfile::TempDir::new().expect("a temporary directory");
        let path = directory.path().join("stairway.prom");
        let metrics = MetricsObserver::new(["default"]);
        for run in 1..=2 {
            metrics.observe(&Event {
                timestamp: chrono::Utc::now(),
                database: "default".to_owned(),
                kind: EventKind::RunFailed {
                    run_id: run.to_string(),
                    steps_done: 0,
                    elapsed_ms: 1,
                    error: "no".to_owned(),
                },
            });
            metrics.write_textfile(&path).expect("it can be written");
            let text = fs::read_to_string(&path).expect("it is there");
            assert_eq!(text, metrics.render());
            assert!(text.contains(&format!(
                "db_migration_failures_total{{database=\"default\"}} {run}\n"
            )));
        }
        let files = fs::read_dir(directory.path()).expect("it is there").count();
        assert_eq!(files, 1);
    }

    #[test]
    fn a_place_that_can_not_be_written_is_an_error() {
        let metrics = MetricsObserver::new(["default"]);
        assert!(
            metrics
                .write_textfile(Path::new("/nowhere/at/all/x.prom"))
                .is_err()
        );
        assert!(metrics.write_textfile(Path::new("")).is_err());
    }
}
