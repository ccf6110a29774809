//! Finds migration revisions in a directory at build time.
//!
//! One revision is one file and there is no list to edit: two branches that each add a revision
//! never touch the same line. A migration crate needs two lines in its build script,
//!
//! ```text
//! // build.rs
//! fn main() {
//!     stairway_build::discover("src/revisions");
//! }
//! ```
//!
//! and one in its `src/lib.rs`:
//!
//! ```text
//! include!(concat!(env!("OUT_DIR"), "/revisions.rs"));
//! ```
//!
//! which brings in
//!
//! - one private module per `*.rs` file of the directory (`mod.rs` excepted), named like the file;
//! - `Migrator`, an ordinary `sea_orm_migration::MigratorTrait` with each module's `Migration`, in
//!   bytewise order of the names;
//! - `SOURCES`, what the files say of themselves: a `&[stairway_core::RevisionSource]` with each
//!   file's name, module comment, fingerprint and path, in the same order.
//!
//! The migration crate depends on `sea-orm-migration` and `stairway-core`; this crate depends on
//! nothing, since everything else waits for it.

mod directory;
mod fingerprint;
mod generate;

use std::path::{Path, PathBuf};

use directory::Discovery;

/// Lists `directory`, which is relative to the crate's own, and writes `$OUT_DIR/revisions.rs`.
///
/// To be called from a build script. Cargo runs it again when a file in the directory is added,
/// changed or removed.
///
/// # Errors
///
/// There is nothing to handle: a missing directory, an unreadable file or a name that can't be a
/// module fails the build with a message that says what to do. An empty directory is no error.
#[expect(
    clippy::print_stdout,
    reason = "cargo reads a build script's instructions from its standard output"
)]
pub fn discover(directory: impl AsRef<Path>) {
    let instructions = match run(directory.as_ref()) {
        Ok(discovery) => discovery.watched.iter().map(|path| watch(path)).collect(),
        Err(problems) => problems
            .iter()
            .map(|problem| error(problem))
            .collect::<Vec<_>>(),
    };
    for instruction in instructions {
        println!("{instruction}");
    }
}

/// Does the work of [`discover`] and returns what was found, or every problem in one line each.
fn run(directory: &Path) -> Result<Discovery, Vec<String>> {
    let manifest_directory = cargo_directory("CARGO_MANIFEST_DIR")?;
    let output_directory = cargo_directory("OUT_DIR")?;
    let discovery = directory::read(&manifest_directory, directory)?;
    let output = output_directory.join("revisions.rs");
    std::fs::write(&output, generate::generate(&discovery.revisions))
        .map_err(|error| vec![format!("{} cannot be written: {error}", output.display())])?;
    Ok(discovery)
}

/// A directory that cargo names in the environment of every build script.
fn cargo_directory(variable: &str) -> Result<PathBuf, Vec<String>> {
    std::env::var_os(variable).map(PathBuf::from).ok_or_else(|| {
        vec![format!(
            "{variable} is not set: call stairway_build::discover from a build script that cargo runs"
        )]
    })
}

/// The instruction that makes cargo run the build script again when `path` changes.
fn watch(path: &str) -> String {
    format!("cargo::rerun-if-changed={path}")
}

/// The instruction that fails the build. Cargo reads one line, so a message must be one.
fn error(problem: &str) -> String {
    format!("cargo::error={}", problem.replace(['\r', '\n'], " "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_problem_reaches_cargo_as_one_line() {
        assert_eq!(error("a\nb\r\nc"), "cargo::error=a b  c");
    }

    #[test]
    fn a_watched_path_is_an_instruction_to_cargo() {
        assert_eq!(
            watch("src/revisions"),
            "cargo::rerun-if-changed=src/revisions"
        );
    }
}
