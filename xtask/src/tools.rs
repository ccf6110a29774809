//! Running other programs.

use std::path::Path;
use std::process::{Command, ExitStatus};

use stairway_test_servers::process;

use crate::report::Failure;

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest)
}

/// The exit code of a program, to pass on as this program's own.
pub(crate) fn exit_code(status: ExitStatus) -> u8 {
    u8::try_from(process::exit_code(status)).unwrap_or(1)
}

/// Runs `command` in the repository's root and waits for it.
pub(crate) fn run(command: &mut Command) -> Result<ExitStatus, Failure> {
    command.current_dir(root()).status().map_err(|error| {
        Failure::failed(format!(
            "running {}: {error}",
            command.get_program().display()
        ))
    })
}

/// Runs `command` in the repository's root and returns what it wrote to stdout.
pub(crate) fn capture(command: &mut Command) -> Result<String, Failure> {
    let name = command.get_program().display().to_string();
    let output = command
        .current_dir(root())
        .output()
        .map_err(|error| Failure::failed(format!("running {name}: {error}")))?;
    if !output.status.success() {
        let errors = String::from_utf8_lossy(&output.stderr);
        return Err(Failure::failed(format!("{name} failed: {errors}")));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}
