//! What production does to a run: processes killed at every point, many started at once, poolers in
//! between, sessions ended from outside. One module for each kind of blow.
//!
//! The application is `stairway-fault-app`. Where chance decides, its seed is printed with a failure;
//! `STAIRWAY_FAULT_SEED` repeats it, `STAIRWAY_FAULT_ROUNDS` asks for more rounds.

mod dice;
mod journal;
mod kill;
mod lost;
mod orphan;
mod picture;
mod pooler;
mod race;
mod relay;

use std::path::PathBuf;
use std::time::Duration;

use stairway_tests::{Backend, Program, TestDatabase};

/// Whoever takes longer hangs.
const DEADLINE: Duration = Duration::from_mins(3);

/// What a process that was killed exits with.
const KILLED: i32 = 137;

/// The application over these of its migrations.
fn app(migrations: &str, database: &TestDatabase) -> Program {
    app_at(migrations, database.url())
}

fn app_at(migrations: &str, url: &str) -> Program {
    Program::workspace("stairway-fault-app")
        .env("FAULT_MIGRATIONS", migrations)
        .env("DATABASE_URL", url)
        .env("MIGRATION_RETRY_DELAY", "50ms")
}

/// Brings the database to head, which must work.
#[track_caller]
fn upgrade(migrations: &str, database: &TestDatabase) {
    let upgraded = app(migrations, database).args(["upgrade"]).run();
    assert_eq!(upgraded.code, 0, "{upgraded}");
}

/// Upgrades until the process is killed at `place`, which must be reached.
#[track_caller]
fn kill_at(place: &str, migrations: &str, database: &TestDatabase) {
    let killed = app(migrations, database).env("FAULT_KILL", place).run();
    assert_eq!(killed.code, KILLED, "{place}: {killed}");
}

/// The one value that a query gives.
#[track_caller]
fn value(database: &TestDatabase, sql: &str) -> Option<String> {
    let mut rows = database.rows(sql);
    assert_eq!(rows.len(), 1, "{sql}: {rows:?}");
    rows.remove(0).remove(0)
}

/// What the migrations have witnessed, in order.
fn evidence(database: &TestDatabase) -> Vec<String> {
    let mut rows: Vec<String> = database
        .rows("SELECT what FROM evidence")
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    rows.sort();
    rows
}

/// The audit trail of the real command line: action, outcome and detail, oldest first.
fn trail(migrations: &str, database: &TestDatabase) -> Vec<(String, String, String)> {
    let log = app(migrations, database)
        .args(["log", "--limit", "10000", "--output", "json"])
        .run();
    assert_eq!(log.code, 0, "{log}");
    let text = |value: &serde_json::Value| value.as_str().unwrap_or_default().to_owned();
    let mut entries: Vec<_> = log
        .json()
        .as_array()
        .expect("a list of entries")
        .iter()
        .map(|entry| {
            (
                text(&entry["action"]),
                text(&entry["outcome"]),
                text(&entry["detail"]),
            )
        })
        .collect();
    entries.reverse();
    entries
}

/// A place outside of the database for a gate file.
struct Gate {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Gate {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory can be made");
        let path = directory.path().join("gate");
        Self {
            _directory: directory,
            path,
        }
    }

    fn wait_until_reached(&self) {
        stairway_tests::wait_until("the gate is reached", DEADLINE, || self.path.exists());
    }

    fn open(&self) {
        std::fs::remove_file(&self.path).expect("the gate was reached");
    }
}

/// The server's session that holds the migration lock.
fn holder(database: &TestDatabase) -> Option<i64> {
    let sql = match database.backend() {
        Backend::Postgres => {
            "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
             AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        }
        Backend::MySql => "SELECT session FROM stairway_lease",
        Backend::Sqlite => return None,
    };
    let rows = database.try_rows(sql).ok()?;
    rows.into_iter().flatten().flatten().next()?.parse().ok()
}

/// Ends a session of the server, as an administrator does.
fn end_session(database: &TestDatabase, session: i64) {
    match database.backend() {
        Backend::Postgres => database.execute(&format!("SELECT pg_terminate_backend({session})")),
        Backend::MySql => database.execute(&format!("KILL CONNECTION {session}")),
        Backend::Sqlite => panic!("SQLite has no sessions"),
    }
}

/// Whether the server still has a session.
fn has_session(database: &TestDatabase, session: i64) -> bool {
    let sql = match database.backend() {
        Backend::Postgres => format!("SELECT count(*) FROM pg_stat_activity WHERE pid = {session}"),
        Backend::MySql => {
            format!("SELECT count(*) FROM information_schema.PROCESSLIST WHERE ID = {session}")
        }
        Backend::Sqlite => return false,
    };
    value(database, &sql).as_deref() != Some("0")
}

/// The databases among these that this run tests on.
fn tested_among(backends: &[Backend]) -> Vec<Backend> {
    stairway_tests::available_backends()
        .into_iter()
        .filter(|backend| backends.contains(backend))
        .collect()
}
