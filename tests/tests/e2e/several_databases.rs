//! `stairway.toml` with several databases.

use std::fmt::Write as _;
use std::fs;

use stairway_tests::{Backend, Finished, TestDatabase, available_backends, stairway};
use tempfile::TempDir;

use crate::calls::{SECRET, expect, expect_words, json};

/// A settings file that names each database by the variable that has its URL.
struct Fleet {
    directory: TempDir,
    databases: Vec<TestDatabase>,
}

impl Fleet {
    fn new() -> Self {
        let databases: Vec<_> = available_backends()
            .into_iter()
            .map(TestDatabase::create)
            .collect();
        let mut text = "wait_timeout = \"0s\"\n".to_owned();
        for database in &databases {
            let name = database.backend().name();
            // Writing to a String can't fail.
            let _ = writeln!(
                text,
                "[databases.{name}]\nurl_env = \"{}\"",
                variable(database)
            );
        }
        text += "[databases.broken]\nurl_env = \"URL_OF_BROKEN\"\nactor = \"nobody\"\n";
        let directory = tempfile::tempdir().expect("a directory can be made");
        fs::write(directory.path().join("stairway.toml"), text).expect("a file can be written");
        Self {
            directory,
            databases,
        }
    }

    #[track_caller]
    fn call(&self, code: i32, line: &str) -> Finished {
        let program = stairway()
            .args(line.split(' '))
            .current_dir(self.directory.path())
            .env(
                "URL_OF_BROKEN",
                format!("postgres://app:{SECRET}@127.0.0.1:1/gone"),
            );
        let program = self.databases.iter().fold(program, |program, database| {
            program.env(&variable(database), database.url())
        });
        let run = program.run();
        expect(&run, code, line);
        run
    }
}

fn variable(database: &TestDatabase) -> String {
    format!("URL_OF_{}", database.backend().name().to_uppercase())
}

#[test]
fn a_database_is_picked_by_its_name_and_the_others_are_left_alone() {
    let fleet = Fleet::new();
    let first = fleet.databases[0].backend().name();
    fleet.call(0, &format!("--database {first} upgrade"));
    for database in &fleet.databases {
        let status = json(database.url(), 0, "status");
        let expected = if database.backend().name() == first {
            "up_to_date"
        } else {
            "empty"
        };
        assert_eq!(status["state"], expected, "{status}");
    }
    expect_words(
        &fleet.call(2, "--database nobody status"),
        &["nobody", first],
    );
    expect_words(&fleet.call(2, "status"), &["--database"]);
    fleet.call(5, "--database broken status");
}

#[test]
fn one_broken_database_does_not_stop_the_others_and_decides_the_exit_code() {
    let fleet = Fleet::new();
    let run = fleet.call(5, "--all upgrade");
    expect_words(&run, &["== broken ==", "== summary =="]);
    for database in &fleet.databases {
        let status = json(database.url(), 0, "status --exit-code");
        assert_eq!(status["state"], "up_to_date", "{status}");
    }
    let status = fleet
        .call(5, "--all --output json status --exit-code")
        .json();
    let databases = status["databases"].as_array().expect("a list");
    assert_eq!(databases.len(), fleet.databases.len() + 1, "{status}");
    for entry in databases {
        let code = if entry["database"] == "broken" { 5 } else { 0 };
        assert_eq!(entry["exit_code"], code, "{entry}");
    }
    // What is wrong with one of them is worse than one that is not there.
    if let Some(database) = fleet
        .databases
        .iter()
        .find(|database| database.backend() == Backend::Sqlite)
    {
        database.execute("DELETE FROM seaql_migrations");
        fleet.call(1, "--all upgrade");
    }
}
