//! Migrations that end their own transaction, leave one open, change the session, or panic.

use serde_json::{Value, json};
use stairway_tests::{Backend, TestDatabase, available_backends, on_each_backend};

use super::scenario::{Scenario, revision, texts};
use crate::calls::expect_words;

/// Runs a revision that goes wrong between two that do not; then again with it corrected.
fn expect_named(backend: Backend, actions: &[Value], words: &[&str], left: &[&str]) {
    let database = TestDatabase::create(backend);
    let wrong = |up: &[Value]| {
        vec![
            revision(
                "m1_evidence",
                [
                    "CREATE TABLE evidence (what varchar(50) NOT NULL UNIQUE)",
                    "INSERT INTO evidence VALUES ('first')",
                ],
            ),
            revision("m2_wrong", up.iter().cloned()),
            revision("m3_after", ["INSERT INTO evidence VALUES ('after')"]),
        ]
    };
    let mut begun = vec![
        json!("CREATE TABLE made (id int)"),
        json!("INSERT INTO evidence VALUES ('before')"),
    ];
    let corrected = wrong(&begun);
    begun.extend(actions.iter().cloned());
    let scenario = Scenario::new(database.url(), &wrong(&begun));
    let run = scenario.call(1, "upgrade");
    expect_words(&run, &["m2_wrong", "m1_evidence"]);
    assert!(left.iter().any(|words| run.stderr.contains(words)), "{run}");
    expect_words(&run, words);
    assert!(!run.stderr.contains("m3_after failed"), "{run}");
    assert_eq!(
        scenario.trail()[0]["outcome"],
        "failed",
        "the trail says so too"
    );
    let is_half = backend == Backend::MySql;
    assert_eq!(
        scenario.state(),
        if is_half { "interrupted" } else { "behind" }
    );
    assert_eq!(database.try_rows("SELECT id FROM made").is_ok(), is_half);
    scenario.write(&corrected);
    scenario.call(0, "upgrade");
    assert_eq!(
        database.rows("SELECT what FROM evidence ORDER BY what"),
        texts(&[&["after"], &["before"], &["first"]]),
        "{actions:?} on {backend}"
    );
}

const NOTHING: &[&str] = &["left of it   nothing"];

/// The definition, and what changed rows if a transaction of the migration's own has committed it.
const TWO: &[&str] = &[
    "1 statement, done and recorded",
    "2 statements, done and recorded",
];

fn left(backend: Backend) -> &'static [&'static str] {
    if backend == Backend::MySql {
        TWO
    } else {
        NOTHING
    }
}

#[test]
fn a_migration_that_would_end_the_step_s_transaction_is_not_let() {
    for backend in available_backends() {
        if backend == Backend::MySql {
            continue;
        }
        for sql in [
            "COMMIT",
            "rollback",
            "/* harmless */ END",
            "INSERT INTO made VALUES (1); COMMIT; INSERT INTO made VALUES (2)",
            "BEGIN",
        ] {
            if sql == "BEGIN" && backend == Backend::Postgres {
                // A warning there, and nothing else.
                continue;
            }
            expect_named(backend, &[json!(sql)], &["transaction"], NOTHING);
        }
        // Where its error is swallowed, what follows is not sent either.
        expect_named(
            backend,
            &[
                json!({ "ignore": "COMMIT" }),
                json!("INSERT INTO evidence VALUES ('swallowed')"),
            ],
            &["it would end the transaction that the step runs in"],
            NOTHING,
        );
    }
}

#[test]
fn a_transaction_that_the_database_ends_by_itself_is_noticed() {
    for backend in available_backends() {
        match backend {
            Backend::Sqlite => {
                // A conflict that rolls the whole transaction back, swallowed by the migration.
                expect_named(
                    backend,
                    &[
                        json!({ "ignore": "INSERT OR ROLLBACK INTO evidence VALUES ('first')" }),
                        json!("INSERT INTO evidence VALUES ('swallowed')"),
                    ],
                    &["the database has rolled back the whole transaction"],
                    NOTHING,
                );
                // SQLite reads over the mark at a text's beginning; what hides behind it is found out too.
                expect_named(
                    backend,
                    &[json!("\u{feff}ROLLBACK")],
                    &["transaction"],
                    NOTHING,
                );
            }
            Backend::Postgres => {
                expect_named(
                    backend,
                    &[json!({ "ignore": "INSERT INTO evidence VALUES ('first')" })],
                    &["went on as if it had not failed"],
                    NOTHING,
                );
                expect_named(
                    backend,
                    &[
                        json!(
                            "CREATE PROCEDURE ends() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$"
                        ),
                        json!("CALL ends()"),
                    ],
                    &["invalid transaction termination"],
                    NOTHING,
                );
            }
            Backend::MySql => {
                expect_named(
                    backend,
                    &[
                        json!({ "transaction": ["INSERT INTO evidence VALUES ('lost')"], "end": "forget" }),
                    ],
                    &["left a transaction open"],
                    TWO,
                );
            }
        }
    }
}

#[test]
fn a_transaction_that_is_left_open_is_rolled_back_and_named() {
    for backend in available_backends() {
        expect_named(
            backend,
            &[json!({ "transaction": ["INSERT INTO evidence VALUES ('lost')"], "end": "forget" })],
            &["left a transaction open"],
            left(backend),
        );
        if backend == Backend::MySql {
            // Begun in plain SQL.
            expect_named(
                backend,
                &[
                    json!("START TRANSACTION"),
                    json!("INSERT INTO evidence VALUES ('lost')"),
                ],
                &["left a transaction open"],
                TWO,
            );
        }
    }
}

#[test]
fn a_migration_that_panics_is_a_failed_step_and_not_the_end_of_the_process() {
    for backend in available_backends() {
        for panic in [
            json!({ "panic": "no such luck" }),
            json!({ "panic_in_task": "no such luck" }),
            json!({ "transaction": [
                "INSERT INTO evidence VALUES ('lost')", { "panic": "no such luck" }
            ] }),
            json!({ "transaction": [
                { "transaction": ["INSERT INTO evidence VALUES ('lost')", { "panic": "no such luck" }] }
            ] }),
        ] {
            let words: &[&str] = if panic.get("panic_in_task").is_some() {
                &["panicked"]
            } else {
                &["the migration panicked: no such luck"]
            };
            expect_named(backend, &[panic], words, left(backend));
        }
    }
}

/// What of the session's settings a migration might depend on, one row for each.
fn settings(backend: Backend) -> String {
    let mut parts: Vec<String> = Vec::new();
    match backend {
        Backend::Postgres => {
            for name in [
                "search_path",
                "role",
                "session_authorization",
                "default_transaction_isolation",
                "default_transaction_read_only",
                "statement_timeout",
                "lock_timeout",
                "timezone",
                "client_min_messages",
                "row_security",
                "session_replication_role",
                "work_mem",
            ] {
                parts.push(format!("SELECT '{name}', current_setting('{name}')"));
            }
        }
        Backend::MySql => {
            for name in [
                "sql_mode",
                "time_zone",
                "foreign_key_checks",
                "unique_checks",
                "autocommit",
                "tx_isolation",
                "lock_wait_timeout",
                "sql_safe_updates",
                "collation_connection",
                "character_set_client",
            ] {
                parts.push(format!("SELECT '{name}', @@{name}"));
            }
            parts.push("SELECT 'database', database()".to_owned());
            parts.push("SELECT 'variable', coalesce(@mine, 'none')".to_owned());
        }
        Backend::Sqlite => {
            for name in [
                "foreign_keys",
                "recursive_triggers",
                "ignore_check_constraints",
                "legacy_alter_table",
                "query_only",
                "writable_schema",
                "case_sensitive_like",
            ] {
                if name == "case_sensitive_like" {
                    parts.push("SELECT 'like', 'a' LIKE 'A'".to_owned());
                } else {
                    parts.push(format!("SELECT '{name}', {name} FROM pragma_{name}"));
                }
            }
        }
    }
    parts.join(" UNION ALL ")
}

fn record(backend: Backend, table: &str) -> Value {
    json!(format!("INSERT INTO {table} {}", settings(backend)))
}

/// Everything that can be changed for a session and is forgotten with it.
fn changes(backend: Backend, elsewhere: &str) -> Vec<Value> {
    let sql: &[&str] = match backend {
        Backend::Postgres => &[
            "SET search_path = elsewhere",
            "SET statement_timeout = '1h'",
            "SET default_transaction_isolation = 'serializable'",
            "SET session_replication_role = 'replica'",
            "SET SESSION timezone = 'Asia/Tokyo'; SET work_mem = '1MB'; SET row_security = off",
            "SELECT set_config('lock_timeout', '7s', false)",
            "CREATE TEMPORARY TABLE evidence_of_session (id int)",
            "SET default_transaction_read_only = on",
            "SET ROLE pg_monitor",
        ],
        Backend::MySql => &[
            "SET SESSION sql_mode = 'ANSI_QUOTES'",
            "SET foreign_key_checks = 0, unique_checks = 0",
            "SET SESSION TRANSACTION ISOLATION LEVEL READ UNCOMMITTED",
            "SET time_zone = '+09:00'",
            "SET sql_safe_updates = 1",
            "SET NAMES latin1",
            "SET @mine = 'left behind'",
            "CREATE TEMPORARY TABLE evidence_of_session (id int)",
        ],
        Backend::Sqlite => &[
            "PRAGMA foreign_keys = OFF",
            "PRAGMA recursive_triggers = ON",
            "PRAGMA ignore_check_constraints = ON",
            "PRAGMA legacy_alter_table = ON",
            "PRAGMA case_sensitive_like = ON",
            "CREATE TEMPORARY TABLE evidence_of_session (id int)",
        ],
    };
    let mut actions: Vec<Value> = sql.iter().map(|sql| json!(sql)).collect();
    if backend == Backend::MySql {
        actions.push(json!(format!("USE {elsewhere}")));
    }
    actions
}

#[test]
fn what_a_migration_does_to_the_session_the_next_one_does_not_see() {
    on_each_backend(|elsewhere| {
        let backend = elsewhere.backend();
        for transaction in [Value::Null, json!(false)] {
            let database = TestDatabase::create(backend);
            if backend == Backend::Postgres {
                database.execute("CREATE SCHEMA elsewhere");
            }
            let mut revisions = vec![
                revision(
                    "m1_tables",
                    [
                        "CREATE TABLE before_it (what varchar(100), value text)",
                        "CREATE TABLE after_it (what varchar(100), value text)",
                    ],
                ),
                revision("m2_before", [record(backend, "before_it")]),
                revision("m3_changes", changes(backend, elsewhere.name())),
                revision(
                    "m4_after",
                    [
                        record(backend, "after_it"),
                        json!("CREATE TABLE evidence_of_session (id int)"),
                    ],
                ),
            ];
            for revision in &mut revisions {
                revision["transaction"] = transaction.clone();
            }
            let scenario = Scenario::new(database.url(), &revisions);
            let run = scenario.call(0, "upgrade");
            expect_words(&run, &["m3_changes changes the session"]);
            let seen = |table: &str| {
                database.rows(&format!("SELECT what, value FROM {table} ORDER BY what"))
            };
            assert_eq!(seen("before_it"), seen("after_it"), "on {backend}");
            assert!(seen("after_it").len() > 5, "on {backend}");
        }
    });
}

/// After a step that only makes a table a PostgreSQL session is not put back, unless there are event triggers:
/// they can change it out of sight.
#[test]
fn what_an_event_trigger_does_to_the_session_the_next_step_does_not_see() {
    if !available_backends().contains(&Backend::Postgres) {
        return;
    }
    let database = TestDatabase::create(Backend::Postgres);
    database.execute(
        "CREATE SCHEMA elsewhere; \
         CREATE FUNCTION mislead() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN \
             IF EXISTS (SELECT 1 FROM pg_event_trigger_ddl_commands() WHERE object_identity = 'public.first') THEN \
                 PERFORM set_config('search_path', 'elsewhere', false), set_config('role', 'pg_monitor', false); \
             END IF; \
         END $$; \
         CREATE EVENT TRIGGER misleading ON ddl_command_end EXECUTE FUNCTION mislead()",
    );
    let scenario = Scenario::new(
        database.url(),
        &[
            revision("m1_first", ["CREATE TABLE first (id int)"]),
            revision("m2_second", ["CREATE TABLE second (id int)"]),
            revision("m3_third", ["CREATE TABLE third (id int)"]),
        ],
    );
    scenario.call(0, "upgrade");
    assert_eq!(
        database.rows(
            "SELECT schemaname, tablename FROM pg_tables \
             WHERE tablename IN ('first', 'second', 'third') ORDER BY tablename"
        ),
        texts(&[
            &["public", "first"],
            &["public", "second"],
            &["public", "third"]
        ])
    );
}

/// Stairway prepares what it sends for each step. A migration, or a function that it calls, can take
/// that from the session: each step is applied and recorded once all the same.
#[test]
fn a_migration_that_deallocates_prepared_statements_loses_no_step() {
    if !available_backends().contains(&Backend::Postgres) {
        return;
    }
    let database = TestDatabase::create(Backend::Postgres);
    let scenario = Scenario::new(
        database.url(),
        &[
            revision(
                "m1_function",
                [
                    "CREATE TABLE seen (revision text)",
                    "CREATE FUNCTION forget(what text) RETURNS int LANGUAGE plpgsql AS \
                         $$ BEGIN EXECUTE 'DEALLOCATE ' || what; RETURN 1; END $$",
                ],
            ),
            // The step itself is committed; what fails is to open the next one's transaction behind it.
            revision(
                "m1_only_the_beginning",
                ["INSERT INTO seen SELECT 'm1' WHERE forget('stairway_begin_step') = 1"],
            ),
            revision("m2_in_the_open", ["DEALLOCATE ALL"]),
            revision(
                "m3_out_of_sight",
                ["INSERT INTO seen SELECT 'm3' WHERE forget('ALL') = 1"],
            ),
            revision("m4_after", ["INSERT INTO seen VALUES ('m4')"]),
        ],
    );
    scenario.call(0, "upgrade");
    assert_eq!(
        database.rows("SELECT revision FROM seen ORDER BY revision"),
        texts(&[&["m1"], &["m3"], &["m4"]])
    );
    assert_eq!(scenario.succeeded("upgrade").len(), 5);
    assert!(
        scenario
            .succeeded("upgrade")
            .values()
            .all(|times| *times == 1)
    );
    assert_eq!(
        database.rows("SELECT count(*) FROM stairway_ledger"),
        texts(&[&["5"]])
    );
}
