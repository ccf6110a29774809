//! What users copy to deploy: container, Kubernetes, alert and pipeline files, and the message that a
//! run sends.

mod commands;
mod files;
mod metrics_file;
#[cfg(target_os = "linux")]
mod runbook;
mod webhook;

use std::fs;
use std::path::{Path, PathBuf};

/// Whether the commands of this section are run by a test of its own.
#[cfg(target_os = "linux")]
pub(crate) fn has_test_of_its_own(page: &str, heading: &str) -> bool {
    runbook::SECTIONS.contains(&(page, heading))
}

/// A file of the repository.
fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name)
}

fn read(name: &str) -> String {
    fs::read_to_string(path(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

/// The files below a directory whose names end so, as paths from the repository's root.
fn files_below(directory: &str, ending: &str) -> Vec<String> {
    let mut found = Vec::new();
    for entry in fs::read_dir(path(directory)).expect("the directory is there") {
        let entry = entry.expect("the directory can be read");
        let name = format!("{directory}/{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            found.extend(files_below(&name, ending));
        } else if name.ends_with(ending) {
            found.push(name);
        }
    }
    found.sort();
    found
}
