//! What the pages show, taken from the pages themselves: the commands of a section in their order, and
//! below each what it prints.

mod output;
mod section;
mod shell;

use std::fs;
use std::path::{Path, PathBuf};

pub(crate) use output::difference;
pub(crate) use section::{Block, Section, Shown, blocks, headings};
pub(crate) use shell::Shell;

/// The repository.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// A page, by its path in the repository.
#[track_caller]
pub(crate) fn read(page: &str) -> String {
    fs::read_to_string(root().join(page)).unwrap_or_else(|error| panic!("{page}: {error}"))
}
