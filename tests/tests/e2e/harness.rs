//! The harness itself: a test that trusts a broken harness proves nothing.

use std::time::Duration;

use stairway_tests::{
    Backend, Program, Rows, TestDatabase, available_backends, on_each_backend, wait_until,
};

fn texts(values: &[&[Option<&str>]]) -> Rows {
    values
        .iter()
        .map(|row| row.iter().map(|value| value.map(str::to_owned)).collect())
        .collect()
}

#[test]
fn values_of_every_kind_come_back_as_text() {
    on_each_backend(|database| {
        let (real, binary) = match database.backend() {
            Backend::Sqlite => ("REAL", "BLOB"),
            Backend::Postgres => ("double precision", "bytea"),
            Backend::MySql => ("double", "blob"),
        };
        database.execute(&format!(
            "CREATE TABLE kinds (number bigint, measure {real}, words text, bytes {binary}, absent text)"
        ));
        let bytes = match database.backend() {
            Backend::Sqlite | Backend::MySql => "x'00ff'",
            Backend::Postgres => r"'\x00ff'",
        };
        database.execute(&format!(
            "INSERT INTO kinds VALUES (-42, 1.5, 'grüß', {bytes}, NULL)"
        ));
        assert_eq!(
            database.rows("SELECT number, measure, words, bytes, absent FROM kinds"),
            texts(&[&[Some("-42"), Some("1.5"), Some("grüß"), Some("0x00ff"), None]]),
        );
    });
}

#[test]
fn several_statements_at_once_give_the_rows_of_all() {
    on_each_backend(|database| {
        let rows = database.rows(
            "CREATE TABLE t (id int); INSERT INTO t VALUES (7), (8); SELECT id FROM t ORDER BY id",
        );
        assert_eq!(rows, texts(&[&[Some("7")], &[Some("8")]]));
    });
}

#[test]
fn a_failing_statement_says_what_the_database_said() {
    on_each_backend(|database| {
        let error = database
            .try_rows("SELECT * FROM no_such_table")
            .expect_err("there is no such table");
        assert!(error.to_string().contains("no_such_table"), "{error}");
    });
}

#[test]
fn each_test_database_is_empty_and_its_own() {
    on_each_backend(|one| {
        let other = TestDatabase::create(one.backend());
        one.execute("CREATE TABLE only_in_one (id int)");
        assert!(other.try_rows("SELECT * FROM only_in_one").is_err());
    });
}

#[test]
fn a_dropped_database_is_gone_although_a_session_was_left_in_it() {
    for backend in available_backends() {
        let database = TestDatabase::create(backend);
        let watcher = TestDatabase::create(backend);
        let name = database.name().to_owned();
        let file = database.file();
        let mut session = database.session();
        session.execute("CREATE TABLE t (id int); BEGIN; INSERT INTO t VALUES (1)");
        drop(database);
        let remaining = match backend {
            Backend::Sqlite => {
                let file = file.expect("an SQLite database is a file");
                assert!(!file.exists(), "{} is still there", file.display());
                continue;
            }
            Backend::Postgres => {
                format!("SELECT datname FROM pg_database WHERE datname = '{name}'")
            }
            Backend::MySql => {
                format!(
                    "SELECT schema_name FROM information_schema.schemata WHERE schema_name = '{name}'"
                )
            }
        };
        assert_eq!(
            watcher.rows(&remaining),
            Rows::new(),
            "{name} is still on {backend}"
        );
        assert!(
            session.try_rows("SELECT 1").is_err(),
            "the session on {backend} outlives its database"
        );
    }
}

#[test]
fn what_an_open_transaction_does_is_seen_only_after_its_commit() {
    on_each_backend(|database| {
        database.execute("CREATE TABLE t (id int)");
        let mut session = database.session();
        session.execute("BEGIN");
        session.execute("INSERT INTO t VALUES (1)");
        assert_eq!(database.rows("SELECT id FROM t"), Rows::new());
        session.execute("COMMIT");
        assert_eq!(database.rows("SELECT id FROM t"), texts(&[&[Some("1")]]));
    });
}

#[tokio::test]
async fn the_harness_works_inside_an_asynchronous_test_too() {
    on_each_backend(|database| assert_eq!(database.rows("SELECT 1"), texts(&[&[Some("1")]])));
}

#[test]
fn the_command_line_and_the_server_are_built_and_found() {
    for name in ["stairway", "stairway-server", "xtask"] {
        let program = Program::workspace(name);
        assert!(
            program
                .working_directory()
                .read_dir()
                .expect("a directory")
                .next()
                .is_none()
        );
    }
}

#[test]
#[cfg(unix)]
fn a_program_sees_none_of_the_settings_of_the_person_who_runs_the_tests() {
    let run = Program::at("sh")
        .args(["-c", "env; pwd; echo wrong >&2; exit 7"])
        .env("MIGRATION_DRY_RUN", "true")
        .run();
    assert_eq!(run.code, 7, "{run}");
    assert_eq!(run.stderr, "wrong\n");
    let mut variables = run.stdout.lines().filter(|line| {
        ["DATABASE_URL=", "MIGRATION_", "STAIRWAY_"]
            .iter()
            .any(|name| line.starts_with(name))
    });
    assert_eq!(
        variables.next(),
        Some("MIGRATION_DRY_RUN=true"),
        "set for this program"
    );
    assert_eq!(variables.next(), None);
}

#[test]
#[cfg(unix)]
fn a_running_program_can_be_watched_and_ended_by_a_signal() {
    use stairway_tests::servers::process::Signal;

    let mut program = Program::at("sh")
        .args(["-c", "echo begun; exec sleep 600"])
        .spawn();
    wait_until("the program has begun", Duration::from_mins(1), || {
        program.stdout() == "begun\n"
    });
    assert!(program.is_running());
    program.signal(Signal::Terminate);
    assert_eq!(program.wait(Duration::from_mins(1)).code, 143);
}

#[test]
#[should_panic(expected = "in vain for this: never true")]
fn waiting_in_vain_fails_and_says_for_what() {
    wait_until("never true", Duration::from_millis(30), || false);
}
