//! Running cargo from a program that cargo itself runs.

use std::env;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The beginnings of the variables that cargo sets for the programs that it runs or tests.
const SET_BY_CARGO: &[&str] = &[
    "CARGO_BIN_",
    "CARGO_CRATE_NAME",
    "CARGO_MANIFEST_",
    "CARGO_PKG_",
    "CARGO_PRIMARY_PACKAGE",
    "OUT_DIR",
];

/// Cargo, the same that runs this program if one does, without what it has said about this
/// program's package.
pub fn command() -> Command {
    let mut command = Command::new(env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    forget_package(&mut command);
    command
}

/// Takes the variables that describe this program's package out of the environment of a command
/// that may run cargo. There are build scripts that ask to be run again when one of them changes
/// (that of `ring` does), and everything above them would be compiled again.
pub fn forget_package(command: &mut Command) {
    for (name, _) in env::vars_os() {
        let set_by_cargo = |name: &str| {
            SET_BY_CARGO
                .iter()
                .any(|beginning| name.starts_with(beginning))
        };
        if name.to_str().is_some_and(set_by_cargo) {
            command.env_remove(name);
        }
    }
}

/// Where cargo puts what it builds of the workspace at `root`.
pub fn target_directory(root: &Path) -> PathBuf {
    root.join(env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cargo_is_not_told_about_the_package_of_this_program() {
        // Cargo has set it for this test.
        assert!(env::var_os("CARGO_MANIFEST_DIR").is_some());
        let removed: Vec<_> = command()
            .get_envs()
            .filter(|(_, value)| value.is_none())
            .map(|(name, _)| name.to_owned())
            .collect();
        assert!(
            removed.iter().any(|name| name == "CARGO_MANIFEST_DIR"),
            "{removed:?}"
        );
        assert!(
            !removed
                .iter()
                .any(|name| name == "CARGO_HOME" || name == "PATH"),
            "{removed:?}"
        );
    }
}
