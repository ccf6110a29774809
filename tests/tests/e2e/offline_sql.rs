//! Scripts that the databases' own client programs run, in place of a run.

use std::fs;

use serde_json::Value;
use stairway_tests::servers::{ServerUrl, programs};
use stairway_tests::{Backend, Program, Rows, TestDatabase, has_programs, on_each_backend};
use tempfile::TempDir;

use crate::calls::{call, json, tables};

/// Feeds a script to the client program, which stops at the first error.
#[track_caller]
fn feed(database: &TestDatabase, script: &str) {
    let directory = TempDir::new().expect("a directory can be made");
    let file = directory.path().join("script.sql");
    fs::write(&file, script).expect("a file can be written");
    let path = file.display().to_string();
    let client = |name: &str| {
        Program::at(programs::find(name).unwrap_or_else(|| panic!("{name} is not installed")))
    };
    let run = match database.backend() {
        Backend::Sqlite if programs::find("sqlite3").is_none() => {
            database.execute(script);
            return;
        }
        Backend::Sqlite => {
            let database = database.file().expect("an SQLite database is a file");
            client("sqlite3")
                .args(["-bail"])
                .args([database])
                .args([format!(".read {path}")])
                .run()
        }
        Backend::Postgres => client("psql")
            .args([
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-d",
                database.url(),
                "-f",
                &path,
            ])
            .run(),
        Backend::MySql => {
            let url = ServerUrl::parse(database.url()).expect("the harness makes good URLs");
            client("mariadb")
                .args(["--protocol=tcp", "--host", url.host()])
                .args(["--port", &url.port().unwrap_or(3306).to_string()])
                .args(["--user", &url.user()])
                .args(["--database", database.name()])
                .args(["--execute", &format!("source {path}")])
                .env("MYSQL_PWD", url.password().unwrap_or_default())
                .run()
        }
    };
    assert_eq!(run.code, 0, "{run}\n{script}");
}

/// What the database's catalogue says of columns, keys and indexes.
fn schema(database: &TestDatabase) -> Rows {
    database.rows(match database.backend() {
        Backend::Sqlite => "SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY 1, 2",
        Backend::Postgres => {
            "SELECT table_name, column_name, ordinal_position::text, data_type, is_nullable, column_default \
             FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 3; \
             SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) \
             FROM pg_constraint WHERE connamespace = 'public'::regnamespace ORDER BY 1, 2; \
             SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1, 2"
        }
        Backend::MySql => {
            "SELECT table_name, column_name, ordinal_position, column_type, is_nullable, column_default, extra \
             FROM information_schema.columns WHERE table_schema = DATABASE() ORDER BY 1, 3; \
             SELECT table_name, index_name, seq_in_index, column_name, non_unique \
             FROM information_schema.statistics WHERE table_schema = DATABASE() ORDER BY 1, 2, 3; \
             SELECT table_name, constraint_name, referenced_table_name, delete_rule, update_rule \
             FROM information_schema.referential_constraints WHERE constraint_schema = DATABASE() ORDER BY 1, 2"
        }
    })
}

/// What the books hold, but for who, when and how long.
fn history(database: &TestDatabase) -> (Rows, Rows) {
    let order = match database.backend() {
        Backend::Postgres | Backend::MySql => "l.sequence",
        Backend::Sqlite => "m.rowid",
    };
    (
        database.rows("SELECT version FROM seaql_migrations ORDER BY version"),
        database.rows(&format!(
            "SELECT revision, parents, message, checksum_algorithm, checksum, statements FROM stairway_ledger l \
             JOIN seaql_migrations m ON m.version = l.revision ORDER BY {order}"
        )),
    )
}

fn status(database: &TestDatabase) -> Value {
    let mut status = json(database.url(), 0, "status");
    for field in ["timestamp", "location"] {
        status[field] = Value::Null;
    }
    status
}

const MIDDLE: &str = "m20260119_090000_create_compute_tiers";

#[test]
fn scripts_for_the_client_program_do_what_a_run_does() {
    on_each_backend(|by_run| {
        let client = match by_run.backend() {
            Backend::Sqlite => true,
            Backend::Postgres => has_programs(&["psql"]),
            Backend::MySql => has_programs(&["mariadb"]),
        };
        if !client {
            return;
        }
        let by_script = TestDatabase::create(by_run.backend());
        let script = |line: &str| call(by_script.url(), 0, line).stdout;

        let nothing = schema(&by_script);
        let first = script(&format!("upgrade {MIDDLE} --sql"));
        assert_eq!(
            schema(&by_script),
            nothing,
            "writing the script changed something"
        );
        feed(&by_script, &first);
        call(by_run.url(), 0, &format!("upgrade {MIDDLE}"));
        assert_eq!(schema(&by_script), schema(&by_run));
        assert_eq!(history(&by_script), history(&by_run));
        assert_eq!(status(&by_script), status(&by_run));

        feed(&by_script, &script(&format!("upgrade {MIDDLE}:head --sql")));
        call(by_run.url(), 0, "upgrade");
        assert_eq!(schema(&by_script), schema(&by_run));
        assert_eq!(history(&by_script), history(&by_run));
        assert_eq!(status(&by_script), status(&by_run));
        call(by_script.url(), 0, "status --exit-code");
        call(by_script.url(), 0, "check");
        call(by_script.url(), 0, "upgrade");

        feed(
            &by_script,
            &script(&format!("downgrade head:{MIDDLE} --sql")),
        );
        call(by_run.url(), 0, &format!("downgrade {MIDDLE} --yes"));
        assert_eq!(schema(&by_script), schema(&by_run));
        assert_eq!(history(&by_script), history(&by_run));
        feed(
            &by_script,
            &script(&format!("downgrade {MIDDLE}:base --sql")),
        );
        call(by_run.url(), 0, "downgrade base --yes");
        assert_eq!(tables(&by_script), tables(&by_run));
        assert_eq!(status(&by_script), status(&by_run));

        // Each step is in the audit trail, whoever did it.
        let log = json(by_script.url(), 0, "log --limit 1000");
        let log = log.as_array().expect("a list");
        assert_eq!(log.len(), 2 * 27);
        assert!(log.iter().all(|entry| entry["outcome"] == "succeeded"));
    });
}

#[test]
fn a_script_run_a_second_time_fails_and_changes_nothing() {
    on_each_backend(|database| {
        // The other two stop in the middle of a revision that has no transaction.
        if database.backend() != Backend::Sqlite {
            return;
        }
        let script = call(database.url(), 0, "upgrade --sql").stdout;
        database.execute(&script);
        let (schema_before, history_before) = (schema(&database), history(&database));
        assert!(database.try_rows(&script).is_err());
        assert_eq!(schema(&database), schema_before);
        assert_eq!(history(&database), history_before);
    });
}

#[test]
fn a_script_that_drops_a_table_is_not_committed_with_dangling_references() {
    let database = TestDatabase::create(Backend::Sqlite);
    call(database.url(), 0, "upgrade m20260108_113000");
    database.execute(
        "PRAGMA foreign_keys = OFF; \
         INSERT INTO projects (id, owner_id, slug, name) VALUES (7, 1, 'p', 'P')",
    );
    let script = call(
        database.url(),
        0,
        "downgrade m20260108_113000:m20260108_110000 --sql",
    );
    let error = database
        .try_rows(&script.stdout)
        .expect_err("its owner does not exist");
    assert!(error.to_string().contains("violations = 0"), "{error}");
    let status = json(database.url(), 0, "status");
    assert_eq!(
        status["current_revision"],
        "m20260108_113000_create_project_members"
    );
    database.execute("SELECT * FROM project_members");
}
