//! `--events`: every event as a JSON line.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};

use stairway_core::Observer;
use stairway_core::plan::event::Event;

use crate::error::CommandError;
use crate::printer::Console;

/// Writes every event as a JSON line.
pub(crate) struct EventLines {
    to: Destination,
}

enum Destination {
    Console(Arc<Console>),
    File(Mutex<File>),
}

impl EventLines {
    /// Lines to standard output if the path is `-`, else to a new file.
    pub(crate) fn open(path: &Path, console: &Arc<Console>) -> Result<Self, CommandError> {
        let to = if path.as_os_str() == "-" {
            if !console.is_text() {
                return Err(CommandError::usage(
                    "--events - and --output json both write to standard output",
                ));
            }
            Destination::Console(Arc::clone(console))
        } else {
            let file = File::create(path).map_err(|error| {
                CommandError::usage(format!(
                    "the file for events {} can't be written: {error}",
                    path.display()
                ))
            })?;
            Destination::File(Mutex::new(file))
        };
        Ok(Self { to })
    }
}

impl Observer for EventLines {
    fn observe(&self, event: &Event) {
        let Ok(mut line) = serde_json::to_string(event) else {
            return;
        };
        line.push('\n');
        match &self.to {
            Destination::Console(console) => console.text(&line),
            Destination::File(file) => {
                let mut file = file.lock().unwrap_or_else(PoisonError::into_inner);
                // A full disk must not stop a migration that is on its way.
                drop(file.write_all(line.as_bytes()));
            }
        }
    }
}
