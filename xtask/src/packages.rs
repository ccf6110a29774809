//! What the tests need beyond Rust: one table, installed where that is possible.

use std::path::Path;
use std::process::Command;

use stairway_test_servers::{Backend, programs};

use crate::report::{Failure, say};
use crate::tools;

/// A program that tests run, under any of its names.
struct Requirement {
    programs: &'static [&'static str],
    /// The Debian package that has it.
    package: &'static str,
    needed_by: Need,
}

#[derive(PartialEq)]
enum Need {
    /// Tests on this database.
    Of(Backend),
    /// Tests of any database that has a server: a run without servers asks for nothing.
    Checkers,
}

const REQUIREMENTS: &[Requirement] = &[
    Requirement {
        programs: &["initdb"],
        package: "postgresql",
        needed_by: Need::Of(Backend::Postgres),
    },
    Requirement {
        programs: &["pg_dump"],
        package: "postgresql-client",
        needed_by: Need::Of(Backend::Postgres),
    },
    Requirement {
        programs: &["pgbouncer"],
        package: "pgbouncer",
        needed_by: Need::Of(Backend::Postgres),
    },
    Requirement {
        programs: &["mariadbd", "mysqld"],
        package: "mariadb-server",
        needed_by: Need::Of(Backend::MySql),
    },
    Requirement {
        programs: &["mariadb-install-db", "mysql_install_db"],
        package: "mariadb-server",
        needed_by: Need::Of(Backend::MySql),
    },
    Requirement {
        programs: &["mariadb-dump", "mysqldump"],
        package: "mariadb-client",
        needed_by: Need::Of(Backend::MySql),
    },
    Requirement {
        programs: &["shellcheck"],
        package: "shellcheck",
        needed_by: Need::Checkers,
    },
    Requirement {
        programs: &["promtool"],
        package: "prometheus",
        needed_by: Need::Checkers,
    },
    Requirement {
        programs: &["chromium"],
        package: "chromium",
        needed_by: Need::Checkers,
    },
    Requirement {
        programs: &["jq"],
        package: "jq",
        needed_by: Need::Checkers,
    },
    Requirement {
        programs: &["curl"],
        package: "curl",
        needed_by: Need::Checkers,
    },
    Requirement {
        programs: &["pip3"],
        package: "python3-pip",
        needed_by: Need::Checkers,
    },
    Requirement {
        programs: &["faketime"],
        package: "faketime",
        needed_by: Need::Checkers,
    },
];

/// Packages of `backends` that this machine lacks, each once.
pub(crate) fn missing(backends: &[Backend]) -> Vec<&'static str> {
    missing_with(backends, |programs| programs::find_any(programs).is_some())
}

fn missing_with(backends: &[Backend], installed: impl Fn(&[&str]) -> bool) -> Vec<&'static str> {
    let with_server = backends.iter().any(|backend| *backend != Backend::Sqlite);
    let mut packages: Vec<_> = REQUIREMENTS
        .iter()
        .filter(|requirement| match requirement.needed_by {
            Need::Of(backend) => backends.contains(&backend),
            Need::Checkers => with_server,
        })
        .filter(|requirement| !installed(requirement.programs))
        .map(|requirement| requirement.package)
        .collect();
    packages.dedup();
    packages
}

/// Whether [`install`] can work: only root may install, and only Debian's package names are known.
pub(crate) fn installable() -> bool {
    let root = Command::new("id").arg("-u").output();
    Path::new("/etc/debian_version").exists()
        && programs::find("apt-get").is_some()
        && root.is_ok_and(|id| id.stdout.trim_ascii() == b"0")
}

/// Installs `packages` with apt-get, without touching those that are there already.
pub(crate) fn install(packages: &[&str]) -> Result<(), Failure> {
    let list = packages.join(" ");
    say(&format!(
        "installing what the tests need: apt-get install {list}"
    ));
    let update = tools::run(Command::new("apt-get").args(["-qq", "update"]))?;
    if !update.success() {
        say("apt-get update failed; trying with the package lists that are there");
    }
    let status = tools::run(
        Command::new("apt-get")
            .args([
                "-qq",
                "--yes",
                "--no-upgrade",
                "--no-install-recommends",
                "install",
            ])
            .args(packages)
            .env("DEBIAN_FRONTEND", "noninteractive"),
    )?;
    if status.success() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "apt-get could not install {list}. Install them, or run the tests that need no servers: \
         cargo xtask test --databases sqlite"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_without_servers_asks_for_nothing() {
        assert!(missing_with(&[Backend::Sqlite], |_| false).is_empty());
    }

    #[test]
    fn each_missing_package_is_named_once_and_only_for_the_databases_in_question() {
        assert_eq!(
            missing_with(&[Backend::Sqlite, Backend::MySql], |_| false),
            [
                "mariadb-server",
                "mariadb-client",
                "shellcheck",
                "prometheus",
                "chromium",
                "jq",
                "curl",
                "python3-pip",
                "faketime"
            ]
        );
        assert_eq!(
            missing_with(&[Backend::Postgres], |programs| programs
                .contains(&"initdb")),
            [
                "postgresql-client",
                "pgbouncer",
                "shellcheck",
                "prometheus",
                "chromium",
                "jq",
                "curl",
                "python3-pip",
                "faketime"
            ]
        );
    }

    #[test]
    fn a_program_with_two_names_is_there_under_either() {
        let old_names = |programs: &[&str]| {
            programs.iter().any(|name| {
                let database = ["mysqld", "mysql_install_db", "mysqldump"];
                let checkers = [
                    "shellcheck",
                    "promtool",
                    "chromium",
                    "jq",
                    "curl",
                    "pip3",
                    "faketime",
                ];
                database.contains(name) || checkers.contains(name)
            })
        };
        assert!(missing_with(&[Backend::MySql], old_names).is_empty());
    }
}
