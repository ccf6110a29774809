//! Deadlocks and locks that others hold.

use std::fs;
use std::thread;

use serde_json::json;
use stairway_tests::{Backend, TestDatabase, on_each_backend, wait_until};

use super::scenario::{DEADLINE, Scenario, expect_shop, revision, shop, texts};
use crate::calls::expect_words;

#[test]
fn the_victim_of_a_deadlock_was_rolled_back_and_is_tried_again() {
    on_each_backend(|database| {
        let backend = database.backend();
        if backend == Backend::Sqlite {
            // One writer at a time: nobody waits for a lock while holding one.
            return;
        }
        database.execute(
            "CREATE TABLE a (id int PRIMARY KEY, n int NOT NULL); INSERT INTO a VALUES (1, 0); \
             CREATE TABLE b (id int PRIMARY KEY, n int NOT NULL); INSERT INTO b VALUES (1, 0); \
             CREATE TABLE ballast (id int)",
        );
        let scenario = Scenario::new(database.url(), &[]);
        let go = scenario.file("go");
        scenario.write(&[
            revision("m1_evidence", ["CREATE TABLE evidence (what varchar(50))"]),
            revision(
                "m2_both",
                [
                    json!("UPDATE a SET n = n + 1"),
                    json!("INSERT INTO evidence VALUES ('once')"),
                    json!({ "wait_for": go }),
                    json!("UPDATE b SET n = n + 1"),
                ],
            ),
        ]);
        let mut other = database.session();
        if backend == Backend::Postgres {
            // Whoever looks first is the victim: this session never looks.
            other.execute("SET deadlock_timeout = '1h'");
        }
        // The victim is whoever has changed less.
        let ballast = vec!["(1)"; 500].join(", ");
        other.execute(&format!(
            "BEGIN; INSERT INTO ballast VALUES {ballast}; UPDATE b SET n = n + 10"
        ));
        let run = scenario.spawn("upgrade -v");
        wait_until("the migration has its first lock", DEADLINE, || {
            run.stderr().contains("INSERT INTO evidence")
        });
        let run = thread::scope(|scope| {
            let blocked = scope.spawn(move || {
                other.execute("UPDATE a SET n = n + 10; COMMIT");
            });
            wait_until(
                "the other session waits for the migration",
                DEADLINE,
                || is_blocked(&database, "UPDATE a SET n = n + 10"),
            );
            fs::write(&go, "").expect("a file can be written");
            let run = run.wait(DEADLINE);
            blocked
                .join()
                .expect("the other session was not the victim");
            run
        });
        assert_eq!(run.code, 0, "{run}");
        expect_words(&run, &["deadlock"]);
        assert_eq!(database.rows("SELECT n FROM a"), texts(&[&["11"]]));
        assert_eq!(database.rows("SELECT n FROM b"), texts(&[&["11"]]));
        assert_eq!(
            database.rows("SELECT what FROM evidence"),
            texts(&[&["once"]])
        );
        let trail = scenario.trail();
        let of_both: Vec<_> = trail
            .iter()
            .filter(|entry| entry["revision"] == "m2_both")
            .map(|entry| entry["outcome"].as_str().unwrap_or_default())
            .collect();
        assert_eq!(of_both, ["succeeded", "failed"], "newest first");
        let failed = trail
            .iter()
            .find(|entry| entry["outcome"] == "failed")
            .expect("it is there");
        assert!(
            failed["error"]
                .as_str()
                .is_some_and(|error| error.contains("(deadlock)")),
            "{failed}"
        );
    });
}

/// Whether a statement of another session waits for a lock.
fn is_blocked(database: &TestDatabase, statement: &str) -> bool {
    if database.backend() == Backend::Postgres {
        let sql = format!(
            "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%{statement}%' \
             AND pid <> pg_backend_pid()"
        );
        return !database.rows(&sql).is_empty();
    }
    database.has_lock_wait(statement)
}

/// Takes a lock on the table that the second revision changes, until the session is dropped.
fn occupy(database: &TestDatabase) -> stairway_tests::Session {
    let mut session = database.session();
    session.execute(match database.backend() {
        Backend::Postgres => "BEGIN; LOCK TABLE numbers IN ACCESS EXCLUSIVE MODE",
        Backend::MySql => "BEGIN; UPDATE numbers SET n = n",
        Backend::Sqlite => "BEGIN IMMEDIATE",
    });
    session
}

#[test]
fn a_lock_timeout_is_rolled_back_and_tried_again_and_named_when_the_retries_are_used_up() {
    on_each_backend(|database| {
        let backend = database.backend();
        let revisions = shop();
        let scenario = Scenario::new(database.url(), &revisions[..1])
            .with("MIGRATION_STATEMENT_LOCK_TIMEOUT", "1s")
            .with("MIGRATION_MAX_RETRY_ATTEMPTS", "1");
        scenario.call(0, "upgrade");
        scenario.write(&revisions);

        let occupied = occupy(&database);
        let run = scenario.call(1, "upgrade");
        match backend {
            Backend::Sqlite => expect_words(&run, &["database busy", "run the same command again"]),
            Backend::Postgres | Backend::MySql => expect_words(
                &run,
                &[
                    "m2_counted",
                    "lock timeout",
                    "UPDATE numbers",
                    "left of it   nothing",
                    "MIGRATION_STATEMENT_LOCK_TIMEOUT",
                ],
            ),
        }
        drop(occupied);
        let failures = scenario
            .trail()
            .iter()
            .filter(|entry| entry["outcome"] == "failed")
            .count();
        if backend != Backend::Sqlite {
            assert_eq!(failures, 2, "once and one retry");
        }
        assert_eq!(scenario.state(), "behind");

        // One that goes away while it is tried again.
        let scenario = scenario.with("MIGRATION_MAX_RETRY_ATTEMPTS", "20");
        let occupied = occupy(&database);
        let run = scenario.spawn("upgrade");
        wait_until("it is tried again", DEADLINE, || {
            run.stderr().contains("again")
        });
        drop(occupied);
        let run = run.wait(DEADLINE);
        assert_eq!(run.code, 0, "{run}");
        expect_shop(&database, &scenario);
    });
}
