//! What a newcomer types first, over the reference application's migrations.

use stairway_tests::{TestDatabase, on_each_backend, stairway};

/// Runs the command line on this database and returns what it printed, if the exit code is right.
#[track_caller]
fn run(database: &TestDatabase, arguments: &[&str], code: i32) -> serde_json::Value {
    let run = stairway()
        .args(["--output", "json"])
        .args(arguments)
        .database(database)
        .run();
    assert_eq!(
        run.code,
        code,
        "{arguments:?} on {}: {run}",
        database.backend()
    );
    run.json()
}

#[test]
fn an_empty_database_is_migrated_to_the_head_and_back() {
    on_each_backend(|database| {
        let before = run(&database, &["status", "--exit-code"], 3);
        assert_eq!(before["is_up_to_date"], false);
        let pending = before["pending_count"].as_u64().expect("a number");
        assert!(pending >= 18, "{before}");

        run(&database, &["upgrade"], 0);
        let after = run(&database, &["status", "--exit-code"], 0);
        assert_eq!(after["is_up_to_date"], true);
        assert_eq!(after["current_revision"], before["head_revision"]);
        let applied = database.rows("SELECT count(*) FROM seaql_migrations");
        assert_eq!(applied, [[Some(pending.to_string())]]);
        database.execute("SELECT * FROM users");

        run(&database, &["downgrade", "base", "--yes"], 0);
        let again = run(&database, &["status", "--exit-code"], 3);
        assert_eq!(again["pending_migrations"], before["pending_migrations"]);
        assert!(
            database.try_rows("SELECT * FROM users").is_err(),
            "the table is still there"
        );
    });
}
