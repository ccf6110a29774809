//! Calling the command line on a database, and users of it that may do less.

use serde_json::Value;
use stairway_tests::servers::ServerUrl;
use stairway_tests::{Backend, Finished, Rows, TestDatabase, stairway};

/// A password that must never be shown.
pub(crate) const SECRET: &str = "hunter2swordfish";

/// Runs the command line with the arguments in `line`, which blanks separate.
#[track_caller]
pub(crate) fn call(url: &str, code: i32, line: &str) -> Finished {
    let run = stairway()
        .args(line.split_whitespace())
        .env("DATABASE_URL", url)
        .env("MIGRATION_RETRY_DELAY", "10ms")
        .run();
    expect(&run, code, line);
    run
}

/// As [`call`], for the JSON that it prints.
#[track_caller]
pub(crate) fn json(url: &str, code: i32, line: &str) -> Value {
    call(url, code, &format!("--output json {line}")).json()
}

/// Fails unless the program ended with this code and kept the password to itself.
#[track_caller]
pub(crate) fn expect(run: &Finished, code: i32, what: &str) {
    assert_eq!(run.code, code, "{what}: {run}");
    assert!(
        !run.stdout.contains(SECRET) && !run.stderr.contains(SECRET),
        "{what} shows the password: {run}"
    );
}

/// Fails unless every one of these words is in the messages.
#[track_caller]
pub(crate) fn expect_words(run: &Finished, words: &[&str]) {
    for word in words {
        assert!(run.stderr.contains(word), "{word:?} is not in: {run}");
    }
}

/// The names of all tables.
#[track_caller]
pub(crate) fn tables(database: &TestDatabase) -> Rows {
    database.rows(match database.backend() {
        Backend::Sqlite => "SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name",
        Backend::Postgres => "SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY 1",
        Backend::MySql => {
            "SELECT table_name FROM information_schema.tables WHERE table_schema = DATABASE() ORDER BY 1"
        }
    })
}

/// A user of one database who may do only what was granted; dropped with this value.
pub(crate) struct User<'a> {
    database: &'a TestDatabase,
    name: String,
    url: String,
}

impl<'a> User<'a> {
    /// Makes the user, who may read the database's tables and nothing else. `None` for SQLite, which
    /// has no users.
    #[track_caller]
    pub(crate) fn who_reads(database: &'a TestDatabase) -> Option<Self> {
        // Of two users in one database, neither is a prefix of the other's name.
        let name = format!("{}_r", database.name());
        match database.backend() {
            Backend::Sqlite => return None,
            Backend::Postgres => database.execute(&format!(
                "CREATE ROLE {name} LOGIN PASSWORD '{SECRET}'; \
                 REVOKE CREATE ON SCHEMA public FROM PUBLIC; \
                 GRANT SELECT ON ALL TABLES IN SCHEMA public TO {name}"
            )),
            Backend::MySql => database.execute(&format!(
                "CREATE USER {name} IDENTIFIED BY '{SECRET}'; GRANT SELECT ON {}.* TO {name}",
                database.name()
            )),
        }
        let url = ServerUrl::parse(database.url()).expect("the harness makes good URLs");
        Some(Self {
            url: url.with_user(&name, Some(SECRET)).reveal(),
            database,
            name,
        })
    }

    /// Grants these privileges on every table that there is.
    #[track_caller]
    pub(crate) fn grant(&self, privileges: &str) {
        let name = &self.name;
        self.database.execute(&match self.database.backend() {
            Backend::Postgres => format!(
                "GRANT {privileges} ON ALL TABLES IN SCHEMA public TO {name}; \
                 GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {name}"
            ),
            Backend::MySql | Backend::Sqlite => {
                format!("GRANT {privileges} ON {}.* TO {name}", self.database.name())
            }
        });
    }

    /// What this user is called.
    #[cfg(target_os = "linux")]
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// The URL with which this user connects.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for User<'_> {
    fn drop(&mut self) {
        let name = &self.name;
        // What fails here is a leftover, not a failed test.
        drop(self.database.try_rows(&match self.database.backend() {
            Backend::Postgres => format!("DROP OWNED BY {name}; DROP ROLE {name}"),
            Backend::MySql | Backend::Sqlite => format!("DROP USER {name}"),
        }));
    }
}
