//! Databases that are not there, that refuse, and that fail in the middle.

use std::time::Duration;

use stairway_tests::servers::{Server, ServerError, ServerOptions, ServerUrl, mariadb, postgres};
use stairway_tests::{
    Backend, TestDatabase, available_backends, has_programs, on_each_backend, stairway, wait_until,
};

use crate::calls::{SECRET, User, call, expect, expect_words, json};

const DEADLINE: Duration = Duration::from_mins(2);

/// A server of its own for each kind that is tested and installed, and the database on it that is
/// there from the start.
fn servers(options: &ServerOptions) -> Vec<(Server, &'static str)> {
    let backends = available_backends();
    let mut servers: Vec<(Result<Server, ServerError>, _)> = Vec::new();
    if backends.contains(&Backend::Postgres) && has_programs(&["initdb"]) {
        servers.push((postgres::start(options), "postgres"));
    }
    if backends.contains(&Backend::MySql) && has_programs(&["mariadbd", "mariadb-install-db"]) {
        servers.push((mariadb::start(options), "test"));
    }
    servers
        .into_iter()
        .map(|(server, database)| (server.expect("the server starts"), database))
        .collect()
}

#[test]
fn run_waits_for_a_database_that_comes_up_later() {
    for (mut server, database) in servers(&ServerOptions::new().password(SECRET)) {
        let url = server.url().with_database(database).reveal();
        server.stop().expect("it is running");

        let waited = call(&url, 5, "run --wait 300ms");
        expect_words(
            &waited,
            &["waiting_for_database", "could not be reached within"],
        );
        call(&url, 5, "status");

        let mut replicas: Vec<_> = ["run --wait 2m", "wait --timeout 2m", "upgrade --wait=2m"]
            .iter()
            .map(|line| {
                stairway()
                    .args(line.split(' '))
                    .env("DATABASE_URL", &url)
                    .spawn()
            })
            .collect();
        wait_until("each of them waits", DEADLINE, || {
            replicas.iter_mut().all(|replica| {
                assert!(replica.is_running(), "{}", replica.stderr());
                replica.stderr().contains("Waiting for the database")
            })
        });
        // They meet it while it is still starting.
        server.start_unready().expect("it can be started");
        for replica in replicas {
            expect(&replica.wait(DEADLINE), 0, "a replica");
        }
        call(&url, 0, "status --exit-code");
    }
}

#[test]
fn a_wrong_password_is_refused_at_once_and_not_waited_for() {
    for (server, database) in servers(&ServerOptions::new().password("right")) {
        let url = server.url().with_database(database);
        let wrong = url.with_user(&url.user(), Some(SECRET)).reveal();
        for line in [
            "status",
            "upgrade",
            "run --wait 1h",
            "wait --timeout 1h",
            "log",
            "backup",
        ] {
            let refused = call(&wrong, 2, line);
            expect_words(
                &refused,
                &[
                    "refuses the connection (authentication failed)",
                    "DATABASE_URL",
                ],
            );
            assert!(!refused.stderr.contains("Waiting"), "{refused}");
        }
        assert_eq!(json(&wrong, 2, "status")["error"]["kind"], "usage");
        let status = call(&url.reveal(), 3, "status --exit-code");
        assert!(status.stdout.contains("empty"), "{status}");
    }
}

#[test]
fn an_unknown_database_is_refused_at_once_and_not_made() {
    on_each_backend(|database| {
        let unknown = match ServerUrl::parse(database.url()) {
            _ if database.backend() == Backend::Sqlite => database.url().replace("?mode=rwc", ""),
            Ok(url) => url.with_database("stairway_no_such_database").reveal(),
            Err(error) => panic!("{error}"),
        };
        for line in ["status", "upgrade", "run --wait 1h", "wait --timeout 1h"] {
            let refused = call(&unknown, 2, line);
            expect_words(&refused, &["refuses the connection (unknown database)"]);
            assert!(!refused.stderr.contains("Waiting"), "{refused}");
        }
        assert!(!database.file().is_some_and(|file| file.exists()));
    });
}

#[test]
fn a_url_that_cannot_be_used_says_what_is_wrong_with_it_without_its_password() {
    for (url, word) in [
        (
            format!("postgres//app:{SECRET}@db/shop"),
            "starts with none of",
        ),
        (
            format!("oracle://app:{SECRET}@db/shop"),
            "starts with none of",
        ),
        (
            format!("postgres://app:{SECRET}@db:port/shop"),
            "invalid port number",
        ),
        (
            format!("postgres://app:{SECRET}@db:543210/shop"),
            "invalid port number",
        ),
        (String::new(), "is empty"),
    ] {
        for line in ["status", "upgrade", "run"] {
            let run = stairway().args([line]).env("DATABASE_URL", &url).run();
            expect(&run, 2, &url);
            expect_words(&run, &["DATABASE_URL", word]);
        }
    }
}

#[test]
fn a_user_who_may_not_define_anything_stops_the_run_and_the_state_is_told_rightly() {
    on_each_backend(|database| {
        call(database.url(), 0, "upgrade +5");
        let Some(user) = User::who_reads(&database) else {
            let read_only = database.url().replace("mode=rwc", "mode=ro");
            let refused = call(&read_only, 1, "upgrade");
            expect_words(&refused, &["(read-only database)"]);
            let status = call(&read_only, 3, "status --exit-code");
            assert!(
                status.stdout.contains("behind: 22 revisions pending"),
                "{status}"
            );
            return;
        };
        user.grant("SELECT, INSERT, UPDATE, DELETE");
        for line in ["upgrade", "run", "upgrade +1"] {
            let refused = call(user.url(), 1, line);
            expect_words(
                &refused,
                &[
                    "(permission denied)",
                    "m20260112_090000_create_datasets",
                    "hint",
                ],
            );
        }
        let status = json(user.url(), 3, "status --exit-code");
        assert_eq!(
            status["current_revision"], "m20260108_113000_create_project_members",
            "{status}"
        );
        let log = json(user.url(), 0, "log --limit 1");
        assert_eq!(
            log[0]["revision"], "m20260112_090000_create_datasets",
            "{log}"
        );
        assert_eq!(log[0]["outcome"], "failed", "{log}");
        // With the privilege it goes on from there.
        call(database.url(), 0, "upgrade");
        call(user.url(), 0, "status --exit-code");
    });
}

#[test]
fn a_user_who_may_do_nothing_in_an_empty_database_leaves_it_empty() {
    on_each_backend(|database| {
        let Some(user) = User::who_reads(&database) else {
            return;
        };
        for line in ["upgrade", "run", "stamp head"] {
            let refused = call(user.url(), 1, line);
            expect_words(&refused, &["(permission denied)", "privilege"]);
        }
        let status = json(user.url(), 3, "status --exit-code");
        assert_eq!(status["state"], "empty", "{status}");
    });
}

const FAILING: &str = "m20260115_080000_create_experiments";
const BEFORE_IT: &str = "m20260114_080000_create_models";

/// A table of the application's own is in the way of a revision in the middle of many.
fn obstruct(database: &TestDatabase) {
    database.execute("CREATE TABLE experiments (mine int)");
}

#[test]
fn a_revision_that_fails_in_the_middle_of_many_keeps_those_before_it_and_says_what_is_left() {
    on_each_backend(|database| {
        obstruct(&database);
        let failed = call(database.url(), 1, "upgrade");
        expect_words(
            &failed,
            &[
                "Migration failed: ",
                FAILING,
                "experiments",
                "statement failed",
                BEFORE_IT,
            ],
        );
        let status = json(database.url(), 3, "status --exit-code");
        assert_eq!(status["current_revision"], BEFORE_IT, "{status}");
        assert_eq!(status["applied_count"], 8, "{status}");
        assert_eq!(status["pending_migrations"][0], FAILING, "{status}");
        // Its first statement failed, so nothing of it is there, with or without a transaction.
        assert_eq!(status["state"], "behind", "{status}");
        let log = json(database.url(), 0, "log --limit 1");
        assert_eq!(log[0]["revision"], FAILING, "{log}");
        assert_eq!(log[0]["outcome"], "failed", "{log}");
        assert!(
            log[0]["error"]
                .as_str()
                .is_some_and(|error| error.contains("experiments")),
            "{log}"
        );

        // The cure, and the same command once more.
        database.execute("DROP TABLE experiments");
        call(database.url(), 0, "upgrade");
        call(database.url(), 0, "status --exit-code");
        call(database.url(), 0, "check");
        let log = json(database.url(), 0, "log --limit 1000");
        let log = log.as_array().expect("a list");
        let succeeded = log.iter().filter(|entry| entry["outcome"] == "succeeded");
        assert_eq!(succeeded.count(), 27, "each revision once");
    });
}

#[test]
fn run_may_be_told_to_go_on_after_a_failure() {
    on_each_backend(|database| {
        obstruct(&database);
        let run = stairway()
            .args(["run"])
            .database(&database)
            .env("MIGRATION_FAIL_ON_ERROR", "false")
            .run();
        expect(&run, 0, "run");
        expect_words(&run, &["Migration failed: ", FAILING]);
        let status = json(database.url(), 3, "status --exit-code");
        assert_eq!(status["current_revision"], BEFORE_IT, "{status}");
    });
}
