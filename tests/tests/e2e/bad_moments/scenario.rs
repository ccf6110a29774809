//! Migrations that a test writes, the program that runs them, and what is left of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::{Value, json};
use stairway_tests::servers::{Server, ServerOptions, mariadb, postgres};
use stairway_tests::{
    Backend, Finished, Program, Rows, Running, TestDatabase, available_backends, has_programs,
};
use tempfile::TempDir;

use crate::calls::expect;

/// Whatever is waited for comes sooner, on a busy machine too.
pub(super) const DEADLINE: Duration = Duration::from_mins(2);

/// A revision that does this.
pub(super) fn revision<A: Into<Value>>(name: &str, up: impl IntoIterator<Item = A>) -> Value {
    let up: Vec<Value> = up.into_iter().map(Into::into).collect();
    json!({ "name": name, "up": up })
}

/// The same, outside of a transaction.
pub(super) fn outside(mut revision: Value) -> Value {
    revision["transaction"] = json!(false);
    revision
}

/// A statement that runs for a minute unless it is ended; SQLite has none.
pub(super) fn long_statement(backend: Backend) -> &'static str {
    match backend {
        Backend::Postgres => "SELECT pg_sleep(60)",
        Backend::MySql => "INSERT INTO half SELECT SLEEP(60)",
        // So many steps that it takes minutes, inside SQLite's own machine.
        Backend::Sqlite => {
            "UPDATE numbers SET n = (WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c \
             WHERE x < 2000000000) SELECT count(*) FROM c)"
        }
    }
}

/// Three revisions: definitions and data in each, every data change leaves a trace of being done twice.
pub(super) fn shop() -> Vec<Value> {
    vec![
        revision(
            "m1_evidence",
            [
                "CREATE TABLE evidence (what varchar(50) NOT NULL)",
                "CREATE TABLE numbers (id int PRIMARY KEY, n bigint NOT NULL)",
                "INSERT INTO numbers VALUES (1, 1), (2, 2)",
                "INSERT INTO evidence VALUES ('one')",
            ],
        ),
        revision(
            "m2_counted",
            [
                "UPDATE numbers SET n = n + 10",
                "ALTER TABLE numbers ADD COLUMN note varchar(20)",
                "INSERT INTO evidence VALUES ('two')",
                "CREATE INDEX numbers_n ON numbers (n)",
            ],
        ),
        revision(
            "m3_last",
            [
                "CREATE TABLE later (id int PRIMARY KEY)",
                "UPDATE numbers SET n = n * 2",
                "INSERT INTO evidence VALUES ('three')",
            ],
        ),
    ]
}

/// Fails unless [`shop`] was applied, each revision once.
#[track_caller]
pub(super) fn expect_shop(database: &TestDatabase, scenario: &Scenario) {
    let rows = |sql: &str| database.rows(sql);
    assert_eq!(
        rows("SELECT what FROM evidence ORDER BY what"),
        texts(&[&["one"], &["three"], &["two"]])
    );
    assert_eq!(
        rows("SELECT n FROM numbers ORDER BY id"),
        texts(&[&["22"], &["24"]])
    );
    assert_eq!(rows("SELECT count(*) FROM later"), texts(&[&["0"]]));
    rows("SELECT note FROM numbers");
    let names = ["m1_evidence", "m2_counted", "m3_last"];
    assert_eq!(
        scenario.succeeded("upgrade"),
        names.map(|name| (name.to_owned(), 1)).into(),
        "each exactly once"
    );
    let status = scenario.call(0, "--output json status --exit-code").json();
    assert_eq!(status["state"], "up_to_date", "{status}");
    assert_eq!(
        rows("SELECT count(*) FROM stairway_journal"),
        texts(&[&["0"]]),
        "nothing is left in the journal"
    );
}

pub(super) fn texts(rows: &[&[&str]]) -> Rows {
    rows.iter()
        .map(|row| row.iter().map(|text| Some((*text).to_owned())).collect())
        .collect()
}

/// A database's URL, the migrations, and settings for the program that runs them.
pub(super) struct Scenario {
    directory: TempDir,
    url: String,
    settings: Vec<(String, String)>,
}

impl Scenario {
    pub(super) fn new(url: &str, revisions: &[Value]) -> Self {
        let directory = tempfile::tempdir().expect("a directory can be made");
        let scenario = Self {
            directory,
            url: url.to_owned(),
            settings: vec![("MIGRATION_RETRY_DELAY".to_owned(), "10ms".to_owned())],
        };
        scenario.write(revisions);
        scenario
    }

    /// For every run from now on.
    #[must_use]
    pub(super) fn with(mut self, variable: &str, value: &str) -> Self {
        self.settings.push((variable.to_owned(), value.to_owned()));
        self
    }

    /// The same migrations on another URL.
    #[must_use]
    pub(super) fn at(&self, url: &str) -> Self {
        let text = fs::read_to_string(self.script()).expect("it was written");
        let revisions: Vec<Value> = serde_json::from_str(&text).expect("it is a list");
        let mut scenario = Self::new(url, &revisions);
        scenario.settings.clone_from(&self.settings);
        scenario
    }

    /// Other migrations, as after a new build.
    pub(super) fn write(&self, revisions: &[Value]) {
        let text = serde_json::to_string(revisions).expect("JSON can be written");
        fs::write(self.script(), text).expect("a file can be written");
    }

    /// A file that a migration can wait for.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    fn script(&self) -> PathBuf {
        self.file("script.json")
    }

    /// The program with the arguments in `line`, which blanks separate.
    pub(super) fn program(&self, line: &str) -> Program {
        let program = Program::workspace("stairway-fault-app")
            .args(line.split_whitespace())
            .env("DATABASE_URL", &self.url)
            .env(
                "FAULT_MIGRATIONS",
                format!("script:{}", self.script().display()),
            );
        self.settings
            .iter()
            .fold(program, |program, (name, value)| program.env(name, value))
    }

    /// Runs it to its end.
    #[track_caller]
    pub(super) fn call(&self, code: i32, line: &str) -> Finished {
        let run = self.program(line).run();
        expect(&run, code, line);
        run
    }

    pub(super) fn spawn(&self, line: &str) -> Running {
        self.program(line).spawn()
    }

    /// The audit trail, newest first.
    #[track_caller]
    pub(super) fn trail(&self) -> Vec<Value> {
        let log = self.call(0, "--output json log --limit 10000").json();
        log.as_array().expect("a list of entries").clone()
    }

    /// How often each revision succeeded, by the audit trail.
    #[track_caller]
    pub(super) fn succeeded(&self, action: &str) -> BTreeMap<String, usize> {
        let mut times = BTreeMap::new();
        for entry in self.trail() {
            if entry["action"] == action && entry["outcome"] == "succeeded" {
                let revision = entry["revision"].as_str().expect("a name").to_owned();
                *times.entry(revision).or_default() += 1;
            }
        }
        times
    }

    /// Where the database stands, in one word.
    #[track_caller]
    pub(super) fn state(&self) -> String {
        let status = self.call(0, "--output json status").json();
        status["state"].as_str().expect("a word").to_owned()
    }
}

/// A server of the test's own, if this kind is tested and installed.
pub(super) fn own_server(backend: Backend, options: &ServerOptions) -> Option<Server> {
    if !available_backends().contains(&backend) {
        return None;
    }
    let server = match backend {
        Backend::Postgres if has_programs(&["initdb"]) => postgres::start(options),
        Backend::MySql if has_programs(&["mariadbd", "mariadb-install-db"]) => {
            mariadb::start(options)
        }
        Backend::Sqlite | Backend::Postgres | Backend::MySql => return None,
    };
    Some(server.expect("the server starts"))
}

/// The database that a server has from the start.
pub(super) fn first_database(backend: Backend) -> &'static str {
    match backend {
        Backend::Postgres | Backend::Sqlite => "postgres",
        Backend::MySql => "test",
    }
}

/// How many sessions of the database's server run a statement that holds this text.
#[track_caller]
pub(super) fn running(database: &TestDatabase, text: &str) -> usize {
    let sql = match database.backend() {
        Backend::Sqlite => return 0,
        Backend::Postgres => format!(
            "SELECT pid FROM pg_stat_activity WHERE state = 'active' AND pid <> pg_backend_pid() \
             AND datname = current_database() AND query LIKE '%{text}%'"
        ),
        Backend::MySql => format!(
            "SELECT id FROM information_schema.processlist WHERE id <> CONNECTION_ID() AND db = DATABASE() \
             AND command <> 'Sleep' AND info LIKE '%{text}%'"
        ),
    };
    database.rows(&sql).len()
}
