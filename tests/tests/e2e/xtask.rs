//! `cargo xtask` itself, with a stand-in for the cargo that it runs.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stairway_tests::servers::process::{self, Signal};
use stairway_tests::{Backend, Program, Session, available_backends, has_programs, wait_until};
use tempfile::TempDir;

const DEADLINE: Duration = Duration::from_mins(2);

/// The program, and the directory of the script that it takes for cargo.
fn xtask(script: &str) -> (Program, TempDir) {
    let directory = TempDir::new().expect("a temporary directory can be made");
    let cargo = directory.path().join("cargo");
    fs::write(&cargo, format!("#!/bin/sh\n{script}\n")).expect("a file can be written");
    fs::set_permissions(&cargo, fs::Permissions::from_mode(0o755)).expect("the file is ours");
    (Program::workspace("xtask").env("CARGO", cargo), directory)
}

/// The back-ends whose servers this machine can start.
fn startable() -> Vec<Backend> {
    available_backends()
        .into_iter()
        .filter(|backend| match backend {
            Backend::Sqlite => true,
            Backend::Postgres => has_programs(&["initdb", "pg_dump", "pgbouncer", "shellcheck"]),
            Backend::MySql => has_programs(&[
                "mariadbd",
                "mariadb-install-db",
                "mariadb-dump",
                "shellcheck",
            ]),
        })
        .collect()
}

fn names(backends: &[Backend]) -> String {
    backends
        .iter()
        .map(|backend| backend.name())
        .collect::<Vec<_>>()
        .join(",")
}

/// The directories of the servers that xtask says it has started.
fn server_directories(stderr: &str) -> Vec<PathBuf> {
    stderr
        .lines()
        .filter(|line| line.contains("started"))
        .filter_map(|line| {
            line.rsplit_once(" in ")
                .map(|(_, path)| PathBuf::from(path))
        })
        .collect()
}

#[test]
fn arguments_and_the_exit_code_are_passed_through_and_no_server_is_started_for_sqlite() {
    let (xtask, _script) =
        xtask(r#"printf '[%s]' "$@"; env | grep ^STAIRWAY_TEST_ | sort; exit 7"#);
    let run = xtask
        .args([
            "test",
            "--databases",
            "sqlite",
            "--",
            "--release",
            "a name",
            "",
            "--",
            "--nocapture",
        ])
        .env(
            "STAIRWAY_TEST_POSTGRES_URL",
            "postgres://unused@127.0.0.1:1/unused",
        )
        .run();
    assert_eq!(run.code, 7, "{run}");
    let (arguments, variables) = run
        .stdout
        .split_at(run.stdout.rfind(']').expect("arguments") + 1);
    assert_eq!(
        arguments,
        "[test][--workspace][--no-fail-fast][--release][a name][][--][--nocapture]"
    );
    let variables: Vec<_> = variables
        .lines()
        .filter(|line| !line.contains("PROGRAMS"))
        .collect();
    assert_eq!(variables, ["STAIRWAY_TEST_DATABASES=sqlite"]);
    assert_eq!(server_directories(&run.stderr), [] as [&Path; 0]);
}

#[test]
fn a_server_whose_url_is_given_is_used_instead_of_starting_one() {
    let (xtask, _script) = xtask("echo $STAIRWAY_TEST_DATABASES $STAIRWAY_TEST_MYSQL_URL");
    let url = "mysql://me:secret@127.0.0.1:1/given";
    let run = xtask
        .args(["test", "--databases=mysql"])
        .env("STAIRWAY_TEST_MYSQL_URL", url)
        .run();
    // Once for the workspace, and once for the programs that send spans.
    let expected = format!("mysql {url}\n").repeat(2);
    assert_eq!((run.code, &run.stdout), (0, &expected), "{run}");
    assert!(
        run.stderr
            .contains("using the mysql server at mysql://me@127.0.0.1:1/given"),
        "{run}"
    );
    assert!(!run.stderr.contains("secret"), "{run}");
}

#[test]
fn an_unknown_database_is_wrong_usage_and_the_known_ones_are_named() {
    let (xtask, _script) = xtask("echo not reached");
    let run = xtask.args(["test", "--databases", "oracle"]).run();
    assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{run}");
    assert!(
        run.stderr.contains("known are sqlite, postgres, mysql"),
        "{run}"
    );
}

#[test]
fn migrate_passes_every_argument_to_the_command_line_and_its_exit_code_back() {
    let (xtask, _script) = xtask(r#"printf '[%s]' "$@"; exit 3"#);
    let arguments = [
        "--help",
        "create",
        "two words",
        "",
        "--",
        "-x",
        "--databases",
    ];
    let run = xtask.args(["migrate"]).args(arguments).run();
    let passed: Vec<_> = arguments
        .iter()
        .map(|argument| format!("[{argument}]"))
        .collect();
    assert_eq!(
        run.stdout,
        format!("[run][--quiet][--bin][stairway][--]{}", passed.concat()),
        "{run}"
    );
    assert_eq!(run.code, 3);
}

#[test]
fn servers_are_up_while_the_tests_run_and_gone_afterwards() {
    let backends = startable();
    let (xtask, script) = xtask(
        r#"echo "$STAIRWAY_TEST_POSTGRES_URL,$STAIRWAY_TEST_MYSQL_URL,"
        while [ ! -e "$(dirname "$0")/go" ]; do sleep 0.1; done"#,
    );
    let mut run = xtask
        .args(["test", "--databases", &names(&backends)])
        .spawn();
    wait_until("the tests run", DEADLINE, || {
        assert!(run.is_running(), "{}", run.stderr());
        run.stdout().ends_with('\n')
    });
    let output = run.stdout();
    let urls: Vec<_> = output.split(',').collect();
    for backend in &backends {
        let url = match backend {
            Backend::Sqlite => continue,
            Backend::Postgres => urls[0],
            Backend::MySql => urls[1],
        };
        let mut session = Session::try_open(*backend, url).expect("the server is there");
        session.execute("SELECT 1");
    }
    let directories = server_directories(&run.stderr());
    assert_eq!(
        directories.len(),
        backends
            .iter()
            .filter(|backend| backend.url_variable().is_some())
            .count()
    );
    fs::write(script.path().join("go"), "").expect("a file can be written");
    let run = run.wait(DEADLINE);
    assert_eq!(run.code, 0, "{run}");
    for directory in directories {
        assert!(!directory.exists(), "{} is left", directory.display());
    }
}

#[test]
fn servers_and_tests_are_gone_however_the_run_is_ended() {
    let backends = names(&startable());
    for (signal, code) in [
        (Signal::Interrupt, 130),
        (Signal::Terminate, 143),
        (Signal::Kill, 137),
    ] {
        let (xtask, _script) = xtask("echo $$; exec sleep 600");
        let mut run = xtask.args(["test", "--databases", &backends]).spawn();
        wait_until("the tests run", DEADLINE, || {
            assert!(run.is_running(), "{}", run.stderr());
            run.stdout().ends_with('\n')
        });
        let tests: u32 = run.stdout().trim().parse().expect("a process id");
        let directories = server_directories(&run.stderr());
        run.signal(signal);
        let run = run.wait(DEADLINE);
        assert_eq!(run.code, code, "{run}");
        if signal == Signal::Kill {
            // Nobody can end the tests for a program that is killed; they lose their servers.
            process::send(Signal::Kill, &[tests]).expect("there is a shell");
        }
        wait_until("the tests have ended", DEADLINE, || {
            process::running(&[tests]).is_empty()
        });
        wait_until("the servers are gone", DEADLINE, || {
            !directories.iter().any(|path| path.exists())
        });
    }
}
