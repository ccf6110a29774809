//! Programs that check deployment files, which Debian does not have: from the Python package index,
//! into a directory of the build.

use std::path::Path;
use std::process::{Command, Stdio};

use stairway_test_servers::{cargo, programs};

use crate::report::say;
use crate::tools;

/// Which programs, in which versions; relative to the repository's root.
const LIST: &str = "tests/checkers.txt";

/// Installs what the list names, unless it is there already. Without it the tests that need it leave
/// themselves out, and say so: a machine without the package index can still run all others.
pub(crate) fn provide() {
    let directory = cargo::target_directory(tools::root()).join("checkers");
    let Ok(list) = std::fs::read_to_string(tools::root().join(LIST)) else {
        return;
    };
    let installed = directory.join("installed.txt");
    if std::fs::read_to_string(&installed).is_ok_and(|there| there == list) {
        return;
    }
    say("installing what checks the deployment files, from the Python package index");
    if let Err(reason) = install(&directory)
        .and_then(|()| std::fs::write(&installed, list).map_err(|error| error.to_string()))
    {
        say(&format!(
            "CHECKS OF DEPLOYMENT FILES ARE LEFT OUT: {reason}. They need pip3 (Debian: \
             python3-pip) and the package index"
        ));
    }
}

fn install(directory: &Path) -> Result<(), String> {
    let pip = programs::find("pip3").ok_or("there is no pip3")?;
    // A directory of its own, which neither the system's nor the person's Python sees.
    run(Command::new(pip)
        .args([
            "install",
            "--quiet",
            "--disable-pip-version-check",
            "--upgrade",
        ])
        .args(["--requirement", LIST, "--target"])
        .arg(directory))
}

fn run(command: &mut Command) -> Result<(), String> {
    command.stdin(Stdio::null()).stdout(Stdio::null());
    match tools::run(command) {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(format!(
            "{} ended with {status}",
            command.get_program().display()
        )),
        Err(failure) => Err(failure.message),
    }
}
