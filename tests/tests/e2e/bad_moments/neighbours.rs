//! Two applications in one database, and two databases of one server.

use std::fs;

use serde_json::{Value, json};
use stairway_tests::{Backend, TestDatabase, available_backends, on_each_backend, wait_until};

use super::scenario::{DEADLINE, Scenario, revision, texts};

/// Makes a table, waits for a file if there is one, and fills the table.
fn application(name: &str, gate: Option<&std::path::Path>) -> Vec<Value> {
    let mut second = vec![json!(format!("INSERT INTO {name}_done VALUES (1)"))];
    if let Some(gate) = gate {
        second.push(json!({ "wait_for": gate }));
    }
    second.push(json!(format!("INSERT INTO {name}_done VALUES (2)")));
    vec![
        revision(
            "m1_same_name",
            [format!("CREATE TABLE {name}_done (id int PRIMARY KEY)")],
        ),
        revision("m2_same_name_too", second),
    ]
}

#[track_caller]
fn expect_done(database: &TestDatabase, scenario: &Scenario, name: &str) {
    assert_eq!(
        database.rows(&format!("SELECT id FROM {name}_done ORDER BY id")),
        texts(&[&["1"], &["2"]])
    );
    let status = scenario.call(0, "--output json status --exit-code").json();
    assert_eq!(status["applied_count"], 2, "{status}");
    let succeeded = scenario.succeeded("upgrade");
    assert_eq!(succeeded.len(), 2, "only its own: {succeeded:?}");
    assert!(succeeded.values().all(|times| *times == 1), "{succeeded:?}");
}

#[test]
fn two_applications_with_different_history_tables_in_one_database_are_independent() {
    on_each_backend(|database| {
        let slow =
            Scenario::new(database.url(), &[]).with("MIGRATION_HISTORY_TABLE", "slow_migrations");
        let gate = slow.file("go");
        slow.write(&application("slow", Some(&gate)));
        let quick = Scenario::new(database.url(), &application("quick", None))
            .with("MIGRATION_HISTORY_TABLE", "quick_migrations");
        let running = slow.spawn("upgrade -v");
        wait_until("the slow one is in its second revision", DEADLINE, || {
            running.stderr().contains("VALUES (1)")
        });
        if database.backend() == Backend::Sqlite {
            // One writer at a time is SQLite's own rule: here it is enough that both come through.
            let waiting = quick.spawn("upgrade");
            fs::write(&gate, "").expect("a file can be written");
            let waited = waiting.wait(DEADLINE);
            assert_eq!(waited.code, 0, "{waited}");
        } else {
            let run = quick.call(0, "upgrade");
            assert!(!run.stderr.to_lowercase().contains("waiting"), "{run}");
            assert_eq!(slow.state(), "behind", "while it runs");
            fs::write(&gate, "").expect("a file can be written");
        }
        let run = running.wait(DEADLINE);
        assert_eq!(run.code, 0, "{run}");
        expect_done(&database, &slow, "slow");
        expect_done(&database, &quick, "quick");
        // What one takes back the other keeps.
        let mut revisions = application("quick", None);
        revisions[0]["down"] = json!(["DROP TABLE quick_done"]);
        quick.write(&revisions);
        quick.call(0, "downgrade base --yes");
        expect_done(&database, &slow, "slow");
        assert_eq!(quick.state(), "empty");
    });
}

#[test]
fn two_databases_of_one_server_are_migrated_at_once_without_waiting_for_each_other() {
    on_each_backend(|database| {
        let other = TestDatabase::create(database.backend());
        let slow = Scenario::new(database.url(), &[]);
        let gate = slow.file("go");
        slow.write(&application("slow", Some(&gate)));
        let quick = Scenario::new(other.url(), &application("quick", None));
        let running = slow.spawn("upgrade -v");
        wait_until("the slow one is in its second revision", DEADLINE, || {
            running.stderr().contains("VALUES (1)")
        });
        let run = quick.call(0, "upgrade --lock-timeout 0s");
        assert!(!run.stderr.to_lowercase().contains("waiting"), "{run}");
        fs::write(&gate, "").expect("a file can be written");
        let run = running.wait(DEADLINE);
        assert_eq!(run.code, 0, "{run}");
        expect_done(&database, &slow, "slow");
        expect_done(&other, &quick, "quick");
    });
}

/// While a run goes on, SQLite's journal file stays between two steps; afterwards it is gone, and what the
/// application chose for its database is as it was.
#[test]
fn a_run_leaves_sqlite_s_journal_as_the_application_has_it() {
    if !available_backends().contains(&Backend::Sqlite) {
        return;
    }
    for (mode, then) in [
        ("delete", "delete"),
        ("wal", "wal"),
        ("delete", "switched to wal by a migration"),
    ] {
        let database = TestDatabase::create(Backend::Sqlite);
        database.execute("CREATE TABLE of_the_application (id int)");
        database.rows(&format!("PRAGMA journal_mode = {mode}"));
        let mut revisions = application("own", None);
        let mut expected = then;
        if then.starts_with("switched") {
            let mut switch = revision("m3_switch", ["PRAGMA journal_mode = WAL"]);
            switch["transaction"] = json!(false);
            revisions.push(switch);
            expected = "wal";
        }
        let scenario = Scenario::new(database.url(), &revisions);
        scenario.call(0, "upgrade");
        assert_eq!(
            database.rows("PRAGMA journal_mode"),
            texts(&[&[expected]]),
            "{then}"
        );
        let mut journal = database
            .file()
            .expect("the database is a file")
            .into_os_string();
        journal.push("-journal");
        assert!(!std::path::Path::new(&journal).exists(), "{then}");
    }
}

/// SQLite's row numbers are the order in which revisions were applied: they must survive what an operator
/// does to a database.
#[test]
fn the_order_of_applied_revisions_survives_a_gap_and_a_vacuum() {
    if !available_backends().contains(&Backend::Sqlite) {
        return;
    }
    let database = TestDatabase::create(Backend::Sqlite);
    let revisions: Vec<Value> = (1..=4)
        .map(|number| {
            revision(
                &format!("m{number}"),
                [format!("CREATE TABLE IF NOT EXISTS t{number} (id int)")],
            )
        })
        .collect();
    let scenario = Scenario::new(database.url(), &revisions);
    scenario.call(0, "upgrade");
    for statement in [
        // As plain sea-orm-migration would have undone it.
        "DELETE FROM seaql_migrations WHERE version IN ('m2', 'm3')",
        "VACUUM",
    ] {
        database.execute(statement);
    }
    scenario.call(0, "upgrade");
    let order = || database.rows("SELECT version FROM seaql_migrations ORDER BY rowid");
    let before = order();
    assert_eq!(before, texts(&[&["m1"], &["m4"], &["m2"], &["m3"]]));
    database.execute("VACUUM");
    assert_eq!(order(), before);
    assert_eq!(
        database.rows("SELECT count(*) FROM stairway_ledger"),
        texts(&[&["4"]])
    );
}
