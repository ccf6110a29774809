//! Every environment variable that docs/settings.md names.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use stairway_tests::{Backend, Finished, TestDatabase, available_backends, stairway};

use crate::calls::{call, expect, expect_words, json};

/// A value that the variable can't have. Texts and paths have none.
const UNUSABLE: &[(&str, &str)] = &[
    ("DATABASE_URL", "oracle://h/d"),
    ("STAIRWAY_CONFIG", "no/such/file.toml"),
    ("MIGRATION_WAIT_TIMEOUT", "soon"),
    ("MIGRATION_CONNECT_TIMEOUT", "soon"),
    ("MIGRATION_ANSWER_TIMEOUT", "soon"),
    ("MIGRATION_FAIL_ON_ERROR", "perhaps"),
    ("MIGRATION_DRY_RUN", "perhaps"),
    ("MIGRATION_CREATE_BACKUP", "perhaps"),
    ("MIGRATION_BACKUPS_KEPT", "0"),
    ("MIGRATION_AUTO_UPGRADE", "perhaps"),
    ("MIGRATION_LOCK_TIMEOUT", "soon"),
    ("MIGRATION_STATEMENT_LOCK_TIMEOUT", "soon"),
    ("MIGRATION_MAX_RETRY_ATTEMPTS", "-1"),
    ("MIGRATION_RETRY_DELAY", "soon"),
    ("MIGRATION_STRICT_ORDER", "perhaps"),
    ("MIGRATION_ALLOW_UNKNOWN", "perhaps"),
    ("MIGRATION_SINGLE_TRANSACTION", "perhaps"),
    ("MIGRATION_POOLER", "perhaps"),
    ("MIGRATION_ORPHAN", "perhaps"),
    ("MIGRATION_LOG_FORMAT", "xml"),
    ("MIGRATION_LOG_LEVEL", "loud"),
    ("MIGRATION_LOG_FILE", "no/such/directory/log"),
    ("MIGRATION_LOG_FILE_SIZE", "-1"),
    ("MIGRATION_LOG_FILES_KEPT", "many"),
    ("MIGRATION_WEBHOOK_URL", "carrier-pigeon"),
    ("MIGRATION_WEBHOOK_FORMAT", "morse"),
    ("MIGRATION_WEBHOOK_ON", "sundays"),
    ("MIGRATION_WEBHOOK_TIMEOUT", "presently"),
];

/// Variables that may have any value; what they do is tested below.
const ANY_VALUE: &[&str] = &[
    "MIGRATION_BACKUP_DIRECTORY",
    "MIGRATION_HISTORY_TABLE",
    "MIGRATION_HISTORY_SCHEMA",
    "MIGRATION_ACTOR",
    "MIGRATION_HOST",
    "MIGRATION_APPLICATION_VERSION",
    "MIGRATION_REVISIONS_DIRECTORY",
    "MIGRATION_COMPARE_INCLUDE",
    "MIGRATION_COMPARE_EXCLUDE",
    "MIGRATION_METRICS_FILE",
];

/// Runs a command with variables, on top of this database's URL.
#[track_caller]
fn with(database: &TestDatabase, variables: &[(&str, &str)], code: i32, line: &str) -> Finished {
    let program = stairway().args(line.split(' ')).database(database);
    let program = variables
        .iter()
        .fold(program, |program, (name, value)| program.env(name, value));
    let run = program.run();
    expect(&run, code, &format!("{variables:?} {line}"));
    run
}

fn sqlite() -> TestDatabase {
    TestDatabase::create(Backend::Sqlite)
}

fn state(database: &TestDatabase) -> String {
    let status = json(database.url(), 0, "status");
    status["state"].as_str().expect("a state").to_owned()
}

#[test]
fn every_documented_variable_is_in_one_of_the_lists_here() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/settings.md");
    let page = fs::read_to_string(path).expect("the page is there");
    let documented: BTreeSet<&str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next())
        .filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    let tested: BTreeSet<&str> = UNUSABLE
        .iter()
        .map(|(name, _)| *name)
        .chain(ANY_VALUE.iter().copied())
        .collect();
    assert_eq!(documented, tested);
}

#[test]
fn a_value_that_cannot_be_used_is_refused_and_names_its_variable_in_every_form_of_log() {
    let database = sqlite();
    for (name, value) in UNUSABLE {
        for line in ["status", "run", "upgrade --dry-run"] {
            let refused = with(&database, &[(name, value)], 2, line);
            // A file that is not there is named by its path.
            let word = if value.contains("no/such") {
                value
            } else {
                name
            };
            expect_words(&refused, &[word]);
        }
    }
    assert_eq!(state(&database), "empty");
}

#[test]
fn a_settings_file_elsewhere_is_read() {
    let database = sqlite();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = directory.path().join("elsewhere.toml");
    fs::write(&file, "actor = \"from the file\"\n").expect("a file can be written");
    let file = file.display().to_string();
    with(&database, &[("STAIRWAY_CONFIG", &file)], 0, "upgrade +1");
    let log = json(database.url(), 0, "log");
    assert_eq!(log[0]["actor"], "from the file", "{log}");
}

#[test]
fn who_where_and_which_version_is_written_down_is_settable() {
    let database = sqlite();
    let variables = [
        ("MIGRATION_ACTOR", "deploy bot"),
        ("MIGRATION_HOST", "blue"),
        ("MIGRATION_APPLICATION_VERSION", "7.8.9"),
    ];
    with(&database, &variables, 0, "upgrade +1");
    let log = json(database.url(), 0, "log");
    assert_eq!(log[0]["actor"], "deploy bot", "{log}");
    assert_eq!(log[0]["host"], "blue", "{log}");
    assert_eq!(log[0]["application_version"], "7.8.9", "{log}");
}

#[test]
fn what_run_does_is_settable() {
    let database = sqlite();
    with(&database, &[("MIGRATION_DRY_RUN", "true")], 0, "run");
    assert_eq!(state(&database), "empty");
    with(&database, &[("MIGRATION_AUTO_UPGRADE", "false")], 0, "run");
    assert_eq!(state(&database), "empty");

    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().display().to_string();
    let variables = [
        ("MIGRATION_CREATE_BACKUP", "true"),
        ("MIGRATION_BACKUP_DIRECTORY", path.as_str()),
    ];
    with(&database, &variables, 0, "run");
    assert_eq!(state(&database), "up_to_date");
    let backups = fs::read_dir(directory.path()).expect("it is there").count();
    assert_eq!(backups, 1);

    let unreachable = [
        ("DATABASE_URL", "postgres://app@127.0.0.1:1/gone"),
        ("MIGRATION_WAIT_TIMEOUT", "100ms"),
    ];
    let waited = with(&database, &unreachable, 5, "run");
    expect_words(&waited, &["within 0.1 s"]);
    let mut tolerant = unreachable.to_vec();
    tolerant.push(("MIGRATION_FAIL_ON_ERROR", "false"));
    with(&database, &tolerant, 0, "run");
}

#[test]
fn how_a_plan_is_made_is_settable() {
    let database = sqlite();
    call(database.url(), 0, "upgrade");
    // Two below the head are pending, as after a late merge, and one is not known.
    database.execute(
        "DELETE FROM seaql_migrations WHERE version = 'm20260225_090000_index_datasets_created_at'; \
         DROP INDEX \"idx-datasets-created_at\"",
    );
    let strict = [("MIGRATION_STRICT_ORDER", "true")];
    let refused = with(&database, &strict, 2, "upgrade");
    expect_words(&refused, &["m20260225_090000_index_datasets_created_at"]);
    database.execute("INSERT INTO seaql_migrations VALUES ('m20990101_000000_unknown', 1)");
    let refused = with(&database, &[], 2, "upgrade");
    expect_words(
        &refused,
        &[
            "m20260225_090000_index_datasets_created_at",
            "m20990101_000000_unknown",
        ],
    );
    with(
        &database,
        &[("MIGRATION_ALLOW_UNKNOWN", "true")],
        0,
        "upgrade",
    );
    assert_eq!(state(&database), "ahead");
}

#[test]
fn one_transaction_for_all_is_settable() {
    let database = sqlite();
    database.execute("CREATE TABLE experiments (mine int)");
    with(
        &database,
        &[("MIGRATION_SINGLE_TRANSACTION", "true")],
        1,
        "upgrade",
    );
    assert!(database.try_rows("SELECT * FROM users").is_err());
    with(&database, &[], 1, "upgrade");
    database.execute("SELECT * FROM users");
}

#[test]
fn where_the_history_is_kept_is_settable() {
    let database = sqlite();
    let table = [("MIGRATION_HISTORY_TABLE", "applied_here")];
    with(&database, &table, 0, "upgrade +2");
    assert_eq!(
        database.rows("SELECT count(*) FROM applied_here"),
        [[Some("2".to_owned())]]
    );
    assert!(database.try_rows("SELECT * FROM seaql_migrations").is_err());

    if available_backends().contains(&Backend::Postgres) {
        let database = TestDatabase::create(Backend::Postgres);
        database.execute("CREATE SCHEMA books");
        let schema = [("MIGRATION_HISTORY_SCHEMA", "books")];
        with(&database, &schema, 0, "upgrade +2");
        with(&database, &schema, 0, "upgrade +1");
        assert_eq!(
            database.rows("SELECT count(*) FROM books.seaql_migrations"),
            [[Some("3".to_owned())]]
        );
    }
}

#[test]
fn how_long_is_waited_for_whom_and_how_often_it_is_tried_is_settable() {
    if !available_backends().contains(&Backend::Postgres) {
        return;
    }
    let database = TestDatabase::create(Backend::Postgres);
    call(database.url(), 0, "upgrade +1");
    // The second revision refers to the table, which somebody has locked.
    let mut application = database.session();
    application.execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
    let variables = [
        ("MIGRATION_STATEMENT_LOCK_TIMEOUT", "100ms"),
        ("MIGRATION_MAX_RETRY_ATTEMPTS", "2"),
        ("MIGRATION_RETRY_DELAY", "10ms"),
    ];
    let failed = with(&database, &variables, 1, "upgrade");
    expect_words(&failed, &["(lock timeout)"]);
    let log = json(database.url(), 0, "log");
    let log = log.as_array().expect("a list");
    let failures = log.iter().filter(|entry| entry["outcome"] == "failed");
    assert_eq!(failures.count(), 3, "one attempt and two more: {log:?}");

    // A run that holds the migration lock, because it waits for the table.
    let holder = stairway()
        .args(["upgrade"])
        .database(&database)
        .env("MIGRATION_STATEMENT_LOCK_TIMEOUT", "5m")
        .spawn();
    stairway_tests::wait_until(
        "it holds the lock",
        std::time::Duration::from_mins(1),
        || holder.stderr().contains("Applying"),
    );
    let late = with(
        &database,
        &[("MIGRATION_LOCK_TIMEOUT", "100ms")],
        4,
        "upgrade",
    );
    expect_words(&late, &["migration lock"]);
    application.execute("COMMIT");
    let holder = holder.wait(std::time::Duration::from_mins(2));
    expect(&holder, 0, "the holder");
}

#[test]
fn the_log_is_settable() {
    let database = sqlite();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = directory.path().join("migration.log");
    let path = file.display().to_string();
    let plain = with(
        &database,
        &[("MIGRATION_LOG_FORMAT", "plain")],
        0,
        "run --dry-run",
    );
    assert!(!plain.stderr.contains("{\"timestamp\""), "{plain}");
    let quiet = with(
        &database,
        &[("MIGRATION_LOG_LEVEL", "error")],
        0,
        "upgrade +1",
    );
    assert!(!quiet.stderr.contains("INFO"), "{quiet}");
    let variables = [
        ("MIGRATION_LOG_FORMAT", "json"),
        ("MIGRATION_LOG_LEVEL", "debug"),
        ("MIGRATION_LOG_FILE", &path),
    ];
    let loud = with(&database, &variables, 0, "upgrade +1");
    assert!(loud.stderr.contains("CREATE TABLE"), "{loud}");
    assert!(
        loud.stderr.lines().all(|line| line.starts_with('{')),
        "{loud}"
    );
    let log = fs::read_to_string(file).expect("the log was written");
    assert!(
        log.contains("Database migration completed successfully"),
        "{log}"
    );
}

#[test]
fn a_log_file_that_is_full_is_put_aside_and_so_many_are_kept() {
    let database = sqlite();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let file = |name: &str| directory.path().join(name);
    let path = file("log").display().to_string();
    let variables = [
        ("MIGRATION_LOG_FILE", path.as_str()),
        ("MIGRATION_LOG_FILE_SIZE", "1"),
        ("MIGRATION_LOG_FILES_KEPT", "2"),
    ];
    for run in ["first", "second", "third"] {
        let full = format!("{run}\n{}", "x".repeat(1 << 20));
        fs::write(file("log"), full).expect("the file can be written");
        with(&database, &variables, 0, "upgrade +1");
        let log = fs::read_to_string(file("log")).expect("there is a new one");
        assert!(
            log.starts_with('{') && log.contains("step_finished"),
            "{log}"
        );
    }
    let first_line = |name: &str| {
        let text = fs::read_to_string(file(name)).expect("it was put aside");
        text.lines().next().map(str::to_owned)
    };
    assert_eq!(first_line("log.1").as_deref(), Some("third"));
    assert_eq!(first_line("log.2").as_deref(), Some("second"));
    assert!(!file("log.3").exists(), "the first is gone");
}

#[test]
fn where_new_revisions_go_is_settable() {
    let database = sqlite();
    let directory = tempfile::tempdir().expect("a directory can be made");
    let path = directory.path().display().to_string();
    let variables = [("MIGRATION_REVISIONS_DIRECTORY", path.as_str())];
    with(&database, &variables, 0, "create Invoices");
    assert_eq!(
        fs::read_dir(directory.path()).expect("it is there").count(),
        1
    );
}

#[test]
fn how_long_one_attempt_to_connect_takes_is_settable() {
    // Somebody who listens and never answers.
    let silent = std::net::TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = silent.local_addr().expect("it is bound").port();
    let database = sqlite();
    for scheme in ["postgres", "mysql"] {
        let url = format!("{scheme}://app@127.0.0.1:{port}/x");
        let variables = [
            ("DATABASE_URL", url.as_str()),
            ("MIGRATION_CONNECT_TIMEOUT", "100ms"),
        ];
        let run = with(&database, &variables, 5, "status");
        expect_words(&run, &["could not be reached"]);
    }
}

/// Kills nothing and ends nothing by itself: the holder of the lock is alive as the server sees it,
/// but gives no sign of life any more.
#[cfg(unix)]
fn with_silent_holder(backend: Backend, test: impl Fn(&TestDatabase)) {
    use stairway_tests::servers::process::Signal;

    const PATIENCE: std::time::Duration = std::time::Duration::from_mins(1);
    if !available_backends().contains(&backend) {
        return;
    }
    let database = TestDatabase::create(backend);
    call(database.url(), 0, "upgrade add_users_email_verified-1");
    let mut application = database.session();
    application.execute(match backend {
        Backend::MySql => "LOCK TABLES users WRITE",
        Backend::Postgres | Backend::Sqlite => "BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE",
    });
    // The next revision changes the table.
    let holder = stairway()
        .args(["upgrade", "+1"])
        .database(&database)
        .env("MIGRATION_STATEMENT_LOCK_TIMEOUT", "5m")
        .spawn();
    stairway_tests::wait_until("it holds the lock", PATIENCE, || {
        holder.stderr().contains("Applying")
            && database.rows("SELECT count(*) FROM stairway_lease") == [[Some("1".to_owned())]]
    });
    // As on a machine that has frozen, an hour ago.
    holder.signal(Signal::Stop);
    database.execute(match backend {
        Backend::MySql => "UPDATE stairway_lease SET seen_at = seen_at - INTERVAL 1 HOUR",
        Backend::Postgres | Backend::Sqlite => {
            "UPDATE stairway_lease SET seen_at = seen_at - interval '1 hour'"
        }
    });
    test(&database);
    drop(application);
}

#[test]
#[cfg(unix)]
fn what_becomes_of_the_statement_of_a_run_that_gives_no_sign_of_life_is_settable() {
    for backend in [Backend::Postgres, Backend::MySql] {
        with_silent_holder(backend, |database| {
            let waiting = [
                ("MIGRATION_ORPHAN", "wait"),
                ("MIGRATION_LOCK_TIMEOUT", "4s"),
            ];
            let waited = with(database, &waiting, 4, "upgrade +1");
            expect_words(&waited, &["has given no sign of life", "stairway unlock"]);
            // Its session ends; the table is still the application's, which is another matter.
            let cancelling = [
                ("MIGRATION_ORPHAN", "cancel"),
                ("MIGRATION_LOCK_TIMEOUT", "1m"),
                ("MIGRATION_STATEMENT_LOCK_TIMEOUT", "1s"),
                ("MIGRATION_MAX_RETRY_ATTEMPTS", "0"),
            ];
            let cancelled = with(database, &cancelling, 1, "upgrade +1");
            expect_words(&cancelled, &["on the server was ended", "(lock timeout)"]);
        });
    }
}

#[test]
fn whether_there_is_a_pooler_is_settable() {
    if !available_backends().contains(&Backend::Postgres) {
        return;
    }
    let database = TestDatabase::create(Backend::Postgres);
    // Found out or said, each step of its own transaction is safe either way.
    for (number, pooler) in ["detect", "direct", "transaction"].iter().enumerate() {
        with(&database, &[("MIGRATION_POOLER", pooler)], 0, "upgrade +1");
        let status = json(database.url(), 0, "status");
        assert_eq!(status["applied_count"], number + 1, "{status}");
    }
    // What is held between two steps is nothing behind a pooler, so nobody waits for it.
    let mut other = database.session();
    let key =
        "SELECT objid::bigint + (classid::bigint << 32) FROM pg_locks WHERE locktype = 'advisory'";
    let holder_of = |pooler: &str, other: &mut stairway_tests::Session| {
        other.execute("BEGIN; LOCK TABLE users IN ACCESS EXCLUSIVE MODE");
        let holder = stairway()
            .args(["upgrade", "+1"])
            .database(&database)
            .env("MIGRATION_POOLER", pooler)
            .env("MIGRATION_STATEMENT_LOCK_TIMEOUT", "5m")
            .spawn();
        stairway_tests::wait_until(
            "it waits for the table",
            std::time::Duration::from_mins(1),
            || holder.stderr().contains("Applying") && database.rows(key).len() == 1,
        );
        let leases = database.rows("SELECT count(*) FROM stairway_lease");
        other.execute("COMMIT");
        let holder = holder.wait(std::time::Duration::from_mins(2));
        expect(&holder, 0, pooler);
        leases
    };
    // With a session of its own it writes down who it is; behind a pooler its session is nobody's.
    assert_eq!(holder_of("direct", &mut other), [[Some("1".to_owned())]]);
    assert_eq!(
        holder_of("transaction", &mut other),
        [[Some("0".to_owned())]]
    );
}
