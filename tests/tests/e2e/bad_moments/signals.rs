//! SIGTERM and Ctrl-C.

use stairway_tests::servers::process::Signal;
use stairway_tests::{Backend, Finished, on_each_backend, wait_until};

use super::scenario::{DEADLINE, Scenario, expect_shop, long_statement, revision, running, shop};
use crate::calls::expect_words;

/// Three revisions; the second waits in the middle for a file.
fn waiting(scenario: &Scenario) -> Vec<serde_json::Value> {
    let mut revisions = shop();
    let go = scenario.file("go").display().to_string();
    let up = revisions[1]["up"].as_array_mut().expect("a list");
    up.insert(2, serde_json::json!({ "wait_for": go }));
    revisions
}

#[test]
fn the_first_signal_stops_between_two_revisions_and_a_rerun_finishes() {
    on_each_backend(|database| {
        for (signal, code) in [(Signal::Terminate, 143), (Signal::Interrupt, 130)] {
            let database = stairway_tests::TestDatabase::create(database.backend());
            let scenario = Scenario::new(database.url(), &[]);
            scenario.write(&waiting(&scenario));
            let run = scenario.spawn("upgrade -v");
            wait_until("the second revision is under way", DEADLINE, || {
                run.stderr().contains("note varchar(20)")
            });
            run.signal(signal);
            wait_until("the signal is noticed", DEADLINE, || {
                run.stderr().contains("asked to stop")
            });
            std::fs::write(scenario.file("go"), "").expect("a file can be written");
            let stopped = run.wait(DEADLINE);
            assert_eq!(stopped.code, code, "{stopped}");
            expect_words(
                &stopped,
                &[
                    "2 step(s) of this run are applied, 1 remain",
                    "run the same command again",
                ],
            );
            let status = scenario.call(0, "--output json status").json();
            assert_eq!(status["state"], "behind", "{status}");
            assert_eq!(status["pending_migrations"], serde_json::json!(["m3_last"]));
            scenario.call(0, "upgrade");
            expect_shop(&database, &scenario);
        }
    });
}

#[test]
fn the_second_signal_cancels_the_running_statement_on_the_server() {
    on_each_backend(|database| {
        let backend = database.backend();
        let mut revisions = shop();
        let long = long_statement(backend);
        revisions.insert(
            2,
            revision(
                "m2_long",
                [
                    "CREATE TABLE half (id int)",
                    "INSERT INTO half VALUES (1)",
                    long,
                    "INSERT INTO half VALUES (2)",
                ],
            ),
        );
        let scenario = Scenario::new(database.url(), &revisions);
        let run = scenario.spawn("upgrade -v");
        let beginning = match backend {
            Backend::Sqlite => "WITH RECURSIVE",
            Backend::Postgres | Backend::MySql => long,
        };
        wait_until("the long statement runs", DEADLINE, || {
            run.stderr().contains(beginning)
                && (backend == Backend::Sqlite || running(&database, beginning) == 1)
        });
        run.signal(Signal::Terminate);
        wait_until("the signal is noticed", DEADLINE, || {
            run.stderr().contains("asked to stop")
        });
        run.signal(Signal::Terminate);
        let cancelled = run.wait(DEADLINE);
        assert_eq!(cancelled.code, 143, "{cancelled}");
        assert_eq!(
            running(&database, beginning),
            0,
            "it is gone from the server"
        );
        expect_cancelled(&cancelled, backend, beginning);
        // What is said is what there is.
        let state = scenario.state();
        match backend {
            Backend::MySql => {
                assert_eq!(state, "interrupted");
                assert_eq!(
                    database.rows("SELECT id FROM half").len(),
                    0,
                    "what changed rows was one transaction"
                );
                let status = scenario.call(0, "status");
                assert!(status.stdout.contains("m2_long"), "{status}");
            }
            Backend::Postgres | Backend::Sqlite => {
                assert_eq!(state, "behind");
                assert!(database.try_rows("SELECT id FROM half").is_err());
            }
        }
        // The same revision without what took so long.
        revisions[2]["up"].as_array_mut().expect("a list").remove(2);
        scenario.write(&revisions);
        scenario.call(0, "upgrade");
        assert_eq!(database.rows("SELECT id FROM half").len(), 2);
        assert_eq!(scenario.succeeded("upgrade").len(), 4);
        assert!(
            scenario
                .succeeded("upgrade")
                .values()
                .all(|times| *times == 1)
        );
    });
}

#[track_caller]
fn expect_cancelled(run: &Finished, backend: Backend, statement: &str) {
    let left = match backend {
        Backend::MySql => "1 statement, done and recorded",
        Backend::Postgres | Backend::Sqlite => "left of it   nothing",
    };
    expect_words(
        run,
        &[
            "m2_long",
            "cancelled",
            statement,
            left,
            "m1_evidence, m2_counted",
            "run the same command again",
        ],
    );
}

#[test]
fn a_signal_while_waiting_for_the_lock_ends_the_wait_and_leaves_no_session() {
    on_each_backend(|database| {
        let scenario = Scenario::new(database.url(), &[]);
        scenario.write(&waiting(&scenario));
        let holder = scenario.spawn("upgrade -v");
        wait_until("the holder is in its second revision", DEADLINE, || {
            holder.stderr().contains("note varchar(20)")
        });
        let waiter = scenario.spawn("upgrade --output json");
        wait_until("the other one waits for the lock", DEADLINE, || {
            waiter.stderr().to_lowercase().contains("waiting")
        });
        waiter.signal(Signal::Interrupt);
        let ended = waiter.wait(DEADLINE);
        assert_eq!(ended.code, 130, "{ended}");
        assert_eq!(ended.json()["error"]["exit_code"], 130, "{ended}");
        std::fs::write(scenario.file("go"), "").expect("a file can be written");
        let held = holder.wait(DEADLINE);
        assert_eq!(held.code, 0, "{held}");
        expect_shop(&database, &scenario);
    });
}
