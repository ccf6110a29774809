//! Statements that succeed and change nothing: row level security, conditions that match no row.

use serde_json::{Value, json};
use stairway_tests::servers::ServerUrl;
use stairway_tests::{Backend, TestDatabase, available_backends, on_each_backend};

use super::scenario::{Scenario, revision, texts};
use crate::calls::{User, expect_words};

fn expecting(mut revision: Value, at_least: u64, at_most: Option<u64>) -> Value {
    revision["expect"] = json!([at_least, at_most]);
    revision
}

#[track_caller]
fn rows_affected(scenario: &Scenario, revision: &str) -> Value {
    let trail = scenario.trail();
    let entry = trail
        .iter()
        .find(|entry| entry["revision"] == revision && entry["outcome"] == "succeeded");
    entry.expect("it succeeded")["rows_affected"].clone()
}

fn numbers() -> Value {
    revision(
        "m1_numbers",
        [
            "CREATE TABLE numbers (id int PRIMARY KEY, n int NOT NULL)",
            "INSERT INTO numbers VALUES (1, 1), (2, 2), (3, 3)",
        ],
    )
}

#[test]
fn how_many_rows_a_revision_changed_is_in_the_audit_trail() {
    on_each_backend(|database| {
        let scenario = Scenario::new(
            database.url(),
            &[
                numbers(),
                revision("m2_some", ["UPDATE numbers SET n = n + 1 WHERE id < 3"]),
                revision(
                    "m3_none",
                    [
                        "UPDATE numbers SET n = n + 1 WHERE id > 100",
                        "CREATE TABLE other (id int)",
                    ],
                ),
                json!({ "name": "m4_bound", "up": [
                    { "bound": match database.backend() {
                        Backend::Postgres => "DELETE FROM numbers WHERE id = $1",
                        Backend::MySql | Backend::Sqlite => "DELETE FROM numbers WHERE id = ?",
                    }, "value": 3 }
                ] }),
            ],
        );
        scenario.call(0, "upgrade");
        assert_eq!(rows_affected(&scenario, "m1_numbers"), 3);
        assert_eq!(rows_affected(&scenario, "m2_some"), 2);
        assert_eq!(rows_affected(&scenario, "m3_none"), 0);
        assert_eq!(rows_affected(&scenario, "m4_bound"), 1);
    });
}

#[test]
fn a_revision_that_changes_other_rows_than_it_says_fails_and_says_so() {
    on_each_backend(|database| {
        let revisions = |at_least, at_most| {
            vec![
                numbers(),
                expecting(
                    revision("m2_counted", ["UPDATE numbers SET n = n + 10"]),
                    at_least,
                    at_most,
                ),
            ]
        };
        // On MariaDB too: what changes rows is one transaction.
        let left = "left of it   nothing";
        let scenario = Scenario::new(database.url(), &revisions(4, None));
        let run = scenario.call(1, "upgrade");
        expect_words(
            &run,
            &["m2_counted", "changed 3 row(s)", "expect-rows: 4..", left],
        );
        scenario.write(&revisions(0, Some(2)));
        let run = scenario.call(1, "upgrade");
        expect_words(
            &run,
            &["m2_counted", "changed 3 row(s)", "expect-rows: 0..2", left],
        );
        scenario.write(&revisions(3, Some(3)));
        scenario.call(0, "upgrade");
        assert_eq!(
            database.rows("SELECT n FROM numbers ORDER BY id"),
            texts(&[&["11"], &["12"], &["13"]]),
            "changed once"
        );
        assert_eq!(rows_affected(&scenario, "m2_counted"), 3);
    });
}

#[test]
fn row_level_security_that_hides_rows_from_their_owner_is_seen_in_the_trail_and_by_the_expectation()
{
    if !available_backends().contains(&Backend::Postgres) {
        return;
    }
    let database = TestDatabase::create(Backend::Postgres);
    // A superuser is never hidden anything from.
    let user = User::who_reads(&database).expect("PostgreSQL has users");
    let name = ServerUrl::parse(user.url()).expect("a good URL").user();
    database.execute(&format!("GRANT CREATE ON SCHEMA public TO {name}"));
    let mut first = numbers();
    first["up"].as_array_mut().expect("a list").push(json!(
        "ALTER TABLE numbers ENABLE ROW LEVEL SECURITY; ALTER TABLE numbers FORCE ROW LEVEL SECURITY; \
         CREATE POLICY nobody ON numbers USING (false)"
    ));
    let silent = revision("m2_silent", ["UPDATE numbers SET n = 0"]);
    let scenario = Scenario::new(user.url(), &[first.clone(), silent.clone()]);
    scenario.call(0, "upgrade");
    assert_eq!(rows_affected(&scenario, "m2_silent"), 0);
    assert_eq!(
        database.rows("SELECT n FROM numbers ORDER BY id"),
        texts(&[&["1"], &["2"], &["3"]])
    );
    scenario.write(&[
        first,
        silent,
        expecting(revision("m3_stated", ["UPDATE numbers SET n = 0"]), 1, None),
    ]);
    let run = scenario.call(1, "upgrade");
    expect_words(
        &run,
        &["m3_stated", "changed 0 row(s)", "row level security"],
    );
}
