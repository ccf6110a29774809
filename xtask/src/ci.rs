//! `cargo xtask ci`: all that is checked before the tests run.

use std::process::ExitCode;

use clap::Args;
use stairway_test_servers::cargo;

use crate::report::{Failure, say};
use crate::tools;

/// Check formatting, lints, documentation and which crate may use which
///
/// `.ci/run` runs this and then `cargo xtask test`.
#[derive(Debug, Args)]
pub(crate) struct Arguments {}

/// A cargo command line that has to succeed.
struct Step {
    arguments: &'static [&'static str],
    variable: Option<(&'static str, &'static str)>,
}

const STEPS: &[Step] = &[
    Step {
        arguments: &["fmt", "--all", "--check"],
        variable: None,
    },
    Step {
        arguments: &[
            "clippy",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ],
        variable: None,
    },
    Step {
        arguments: &["doc", "--workspace", "--no-deps"],
        variable: Some(("RUSTDOCFLAGS", "-D warnings")),
    },
];

/// What a crate must not reach, directly or through others.
struct Layer {
    package: &'static str,
    must_not_use: &'static [&'static str],
}

/// Imports go downwards only: cli and server, which do not know one another; then migration and
/// entity; then core; then plan, which is pure. The helper for build scripts uses nothing.
const LAYERS: &[Layer] = &[
    Layer {
        package: "stairway-plan",
        must_not_use: &[
            "tokio",
            "sqlx",
            "sqlx-core",
            "sea-orm",
            "sea-orm-migration",
            "stairway-*",
        ],
    },
    Layer {
        package: "stairway-build",
        must_not_use: &["*"],
    },
    Layer {
        package: "stairway-core",
        must_not_use: &[
            "stairway-cli",
            "stairway-entity",
            "stairway-migration",
            "stairway-server",
            "stairway-test*",
        ],
    },
    Layer {
        package: "stairway-entity",
        must_not_use: &[
            "stairway-cli",
            "stairway-migration",
            "stairway-server",
            "stairway-test*",
        ],
    },
    Layer {
        package: "stairway-migration",
        must_not_use: &["stairway-cli", "stairway-server", "stairway-test*"],
    },
    Layer {
        package: "stairway-cli",
        must_not_use: &["stairway-server", "stairway-test*", "xtask"],
    },
    Layer {
        package: "stairway-server",
        must_not_use: &["stairway-cli", "stairway-test*", "xtask"],
    },
    Layer {
        package: "stairway-opentelemetry",
        must_not_use: &["stairway-*"],
    },
    Layer {
        package: "stairway-test-servers",
        must_not_use: &["*"],
    },
];

pub(crate) fn run(_: &Arguments) -> Result<ExitCode, Failure> {
    for Step {
        arguments,
        variable,
    } in STEPS
    {
        say(&format!("cargo {}", arguments.join(" ")));
        let mut command = cargo::command();
        let status = tools::run(command.args(*arguments).envs(*variable))?;
        if !status.success() {
            return Ok(ExitCode::from(tools::exit_code(status)));
        }
    }
    say("checking which crate uses which");
    let mut violations = Vec::new();
    for layer in LAYERS {
        let mut command = cargo::command();
        command.args([
            "tree",
            "--edges",
            "normal,build",
            "--prefix",
            "none",
            "--format",
            "{p}",
        ]);
        let tree = tools::capture(command.args(["--package", layer.package]))?;
        violations.extend(layer.violations(&tree));
    }
    if violations.is_empty() {
        return Ok(ExitCode::SUCCESS);
    }
    Err(Failure::failed(violations.join("\n")))
}

impl Layer {
    /// The forbidden crates in the output of `cargo tree`: one `name version ...` in each line, the
    /// package itself first.
    fn violations(&self, tree: &str) -> Vec<String> {
        let mut names: Vec<_> = tree
            .lines()
            .skip(1)
            .filter_map(|line| line.split_whitespace().next())
            .collect();
        names.sort_unstable();
        names.dedup();
        names
            .into_iter()
            .filter(|name| {
                self.must_not_use
                    .iter()
                    .any(|pattern| matches(pattern, name))
            })
            .map(|name| {
                let package = self.package;
                format!(
                    "{package} must not use {name}; to see how it does: \
                     cargo tree -p {package} -e normal,build -i {name}"
                )
            })
            .collect()
    }
}

/// A pattern is a name, or the beginning of one and a star.
fn matches(pattern: &str, name: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == name, |beginning| name.starts_with(beginning))
}

#[cfg(test)]
mod tests {
    use super::*;

    const TREE: &str = "app v0.1.0 (/src/app)\nserde v1.0.0\nstairway-core v0.1.0 (/src/core)\n\
                        tokio v1.0.0\ntokio v1.0.0 (*)\n";

    fn violations(must_not_use: &'static [&'static str]) -> Vec<String> {
        let layer = Layer {
            package: "app",
            must_not_use,
        };
        layer.violations(TREE)
    }

    #[test]
    fn a_forbidden_crate_is_named_once_with_the_command_that_shows_the_way_to_it() {
        assert_eq!(
            violations(&["tokio", "sqlx"]),
            [
                "app must not use tokio; to see how it does: cargo tree -p app -e normal,build -i tokio"
            ]
        );
    }

    #[test]
    fn a_star_stands_for_any_ending_and_the_package_itself_is_no_violation() {
        assert_eq!(violations(&["stairway-*"]).len(), 1);
        assert_eq!(violations(&["*"]).len(), 3);
        assert!(violations(&["app", "sea-*"]).is_empty());
    }
}
