//! What a run leaves for Prometheus: a file for the textfile collector of the node exporter.

use std::path::PathBuf;
use std::sync::Arc;

use stairway_core::{Manager, MetricsObserver, Observer};

use crate::printer::Console;

/// The metrics of this call's runs, and the file that gets them.
pub(crate) struct Measurement {
    file: PathBuf,
    metrics: Arc<MetricsObserver>,
}

impl Measurement {
    pub(crate) fn of(file: PathBuf, databases: impl IntoIterator<Item = String>) -> Self {
        Self {
            file,
            metrics: Arc::new(MetricsObserver::new(databases)),
        }
    }

    /// Who counts what happens in runs.
    pub(crate) fn observer(&self) -> Arc<dyn Observer> {
        Arc::clone(&self.metrics) as Arc<dyn Observer>
    }

    /// Takes note of where the database is now that its run has ended.
    pub(crate) async fn look(&self, manager: &Manager) {
        match manager.migration_status().await {
            Ok(status) => self.metrics.record_status(&status),
            Err(_) => self.metrics.record_unreadable(&manager.config().name),
        }
    }

    /// Writes the file. Whatever becomes of it, the command's result stays what it is.
    pub(crate) fn write(&self, console: &Console) {
        let file = self.file.display();
        if self.file.extension().is_none_or(|ending| ending != "prom") {
            console.warning(&format!(
                "the metrics file {file} has to end in .prom: the collector reads no other"
            ));
        }
        if let Err(error) = self.metrics.write_textfile(&self.file) {
            console.warning(&format!(
                "the metrics file {file} can't be written: {error}"
            ));
        }
    }
}
