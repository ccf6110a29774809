//! Servers that are killed, restarted and frozen while a step runs.

use std::fs;

use serde_json::{Value, json};
use stairway_tests::servers::{Server, ServerOptions};
use stairway_tests::{Backend, Running, TestDatabase, wait_until};

use super::scenario::{DEADLINE, Scenario, expect_shop, own_server, running, shop};
use crate::calls::expect_words;

/// A server of its own, as in production: what it has committed it keeps.
fn servers() -> impl Iterator<Item = (Backend, Server)> {
    [Backend::Postgres, Backend::MySql]
        .into_iter()
        .filter_map(|backend| {
            let server = own_server(backend, &ServerOptions::new().durable())?;
            Some((backend, server))
        })
}

fn sleep(backend: Backend, seconds: u32) -> String {
    match backend {
        Backend::Postgres | Backend::Sqlite => format!("SELECT pg_sleep({seconds})"),
        Backend::MySql => format!("DO SLEEP({seconds})"),
    }
}

/// [`shop`], with this in the middle of the second revision.
fn shop_with(action: Value) -> Vec<Value> {
    let mut revisions = shop();
    revisions[1]["up"]
        .as_array_mut()
        .expect("a list")
        .insert(2, action);
    revisions
}

/// Starts a run, and waits until it is in the middle of its second revision, in a statement.
fn in_a_statement(database: &TestDatabase, scenario: &Scenario) -> Running {
    let run = scenario.spawn("upgrade -v");
    wait_until("the statement runs", DEADLINE, || {
        running(database, "sleep(") + running(database, "SLEEP(") > 0
    });
    run
}

#[test]
fn a_server_that_is_killed_or_restarted_in_a_step_is_waited_for_and_the_step_settled() {
    for (backend, mut server) in servers() {
        // Within a statement.
        for is_kill in [true, false] {
            let database = TestDatabase::create_on(backend, server.url());
            let scenario = Scenario::new(database.url(), &shop_with(sleep(backend, 2).into()))
                .with("MIGRATION_MAX_RETRY_ATTEMPTS", "5");
            let run = in_a_statement(&database, &scenario);
            if is_kill {
                server.kill().expect("it runs");
            } else {
                server.stop().expect("it runs");
            }
            server.start_again().expect("it starts");
            let run = run.wait(DEADLINE);
            assert_eq!(run.code, 0, "kill: {is_kill} on {backend}: {run}");
            expect_shop(&database, &scenario);
        }
        // Between two.
        let database = TestDatabase::create_on(backend, server.url());
        let scenario = Scenario::new(database.url(), &[]);
        let go = scenario.file("go");
        scenario.write(&shop_with(json!({ "wait_for": go })));
        let run = scenario.spawn("upgrade -v");
        wait_until("the second revision is under way", DEADLINE, || {
            run.stderr().contains("note varchar(20)")
        });
        server.kill().expect("it runs");
        server.start_again().expect("it starts");
        fs::write(&go, "").expect("a file can be written");
        let run = run.wait(DEADLINE);
        assert_eq!(run.code, 0, "{run}");
        expect_shop(&database, &scenario);
    }
}

#[test]
fn a_server_that_is_killed_and_stays_away_is_named_with_what_was_under_way() {
    for (backend, mut server) in servers() {
        let database = TestDatabase::create_on(backend, server.url());
        let scenario = Scenario::new(database.url(), &shop_with(sleep(backend, 2).into()))
            .with("MIGRATION_WAIT_TIMEOUT", "300ms");
        let run = in_a_statement(&database, &scenario);
        server.kill().expect("it runs");
        let run = run.wait(DEADLINE);
        assert_eq!(run.code, 5, "{run}");
        expect_words(
            &run,
            &[
                "m2_counted",
                "connection lost",
                "m1_evidence",
                "could not be reached within",
                "run the same command again",
            ],
        );
        server.start_again().expect("it starts");
        scenario.call(0, "upgrade");
        expect_shop(&database, &scenario);
    }
}

#[test]
fn a_frozen_server_is_waited_for_within_limits_and_a_thawed_one_goes_on() {
    for (backend, server) in servers() {
        // Thawed in time, the run notices nothing.
        let database = TestDatabase::create_on(backend, server.url());
        let scenario = Scenario::new(database.url(), &shop_with(sleep(backend, 1).into()));
        let run = in_a_statement(&database, &scenario);
        server.freeze().expect("it runs");
        std::thread::sleep(std::time::Duration::from_secs(2));
        server.thaw().expect("it runs");
        let run = run.wait(DEADLINE);
        assert_eq!(run.code, 0, "{run}");
        expect_shop(&database, &scenario);

        // It stays frozen: the run says so, and says what was under way.
        let database = TestDatabase::create_on(backend, server.url());
        let scenario = Scenario::new(database.url(), &shop_with(sleep(backend, 1).into()));
        let impatient = scenario
            .at(database.url())
            .with("MIGRATION_ANSWER_TIMEOUT", "1s")
            .with("MIGRATION_CONNECT_TIMEOUT", "500ms")
            .with("MIGRATION_WAIT_TIMEOUT", "500ms");
        let run = in_a_statement(&database, &impatient);
        server.freeze().expect("it runs");
        let run = run.wait(DEADLINE);
        server.thaw().expect("it runs");
        assert_eq!(run.code, 5, "{run}");
        expect_words(
            &run,
            &[
                "m2_counted",
                "has not answered",
                "m1_evidence",
                "could not be reached within",
                "run the same command again",
            ],
        );
        // What the frozen server still did is settled by looking.
        scenario.call(0, "upgrade");
        expect_shop(&database, &scenario);
    }
}
