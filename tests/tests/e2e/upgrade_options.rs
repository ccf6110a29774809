//! What the options of `upgrade` and `downgrade` promise.

use stairway_tests::{Backend, on_each_backend};

use crate::calls::{call, expect_words, json, tables};

#[test]
fn a_dry_run_shows_the_steps_and_their_sql_and_writes_nothing() {
    on_each_backend(|database| {
        let before = tables(&database);
        for line in ["upgrade --dry-run", "run --dry-run", "stamp head --dry-run"] {
            call(database.url(), 0, line);
        }
        let report = json(database.url(), 0, "upgrade --dry-run --steps 2");
        assert_eq!(report["dry_run"], true, "{report}");
        let steps = report["steps"].as_array().expect("a list");
        assert_eq!(steps.len(), 2, "{report}");
        assert!(
            steps[1]["sql"][0]
                .as_str()
                .is_some_and(|sql| sql.contains("CREATE TABLE")),
            "{report}"
        );
        assert_eq!(
            report["to"][0], "m20260105_093000_create_user_preferences",
            "{report}"
        );
        assert_eq!(tables(&database), before);

        call(database.url(), 0, "upgrade");
        let before = tables(&database);
        let trail = database.rows("SELECT max(id) FROM stairway_audit");
        let report = json(database.url(), 0, "downgrade base --dry-run --steps 3");
        assert_eq!(
            report["steps"].as_array().map(Vec::len),
            Some(3),
            "{report}"
        );
        assert_eq!(
            report["to"][0], "m20260216_093000_fill_training_runs_status",
            "{report}"
        );
        assert_eq!(tables(&database), before);
        assert_eq!(database.rows("SELECT max(id) FROM stairway_audit"), trail);
        call(database.url(), 0, "status --exit-code");
    });
}

#[test]
fn a_dry_run_tells_the_steps_that_the_run_then_takes() {
    on_each_backend(|database| {
        let revisions = |report: &serde_json::Value| -> Vec<serde_json::Value> {
            let steps = report["steps"].as_array().expect("a list");
            steps.iter().map(|step| step["revision"].clone()).collect()
        };
        for line in [
            "upgrade +3",
            "upgrade --steps 4",
            "upgrade",
            "downgrade -2 --yes",
            "downgrade base --yes",
        ] {
            let told = json(database.url(), 0, &format!("{line} --dry-run"));
            let done = json(database.url(), 0, line);
            assert_eq!(revisions(&told), revisions(&done), "{line}");
            assert_eq!(
                (&told["from"], &told["to"]),
                (&done["from"], &done["to"]),
                "{line}"
            );
            assert_eq!(
                (&told["verified"], &done["verified"]),
                (&false.into(), &true.into())
            );
        }
    });
}

#[test]
fn a_number_of_steps_is_all_that_is_taken() {
    on_each_backend(|database| {
        call(database.url(), 0, "upgrade --steps 3");
        let status = json(database.url(), 0, "status");
        assert_eq!(status["applied_count"], 3, "{status}");
        call(database.url(), 0, "downgrade base --steps 2 --yes");
        let status = json(database.url(), 0, "status");
        assert_eq!(
            status["current_revision"], "m20260105_090000_create_users",
            "{status}"
        );
    });
}

#[test]
fn a_single_transaction_is_all_or_nothing_where_there_can_be_one_and_refused_elsewhere() {
    on_each_backend(|database| {
        if database.backend() == Backend::MySql {
            let refused = call(database.url(), 2, "upgrade --single-transaction");
            expect_words(
                &refused,
                &["single transaction", "commit at every definition"],
            );
            let status = json(database.url(), 0, "status");
            assert_eq!(status["state"], "empty", "{status}");
            return;
        }
        // In the way of the ninth revision.
        database.execute("CREATE TABLE experiments (mine int)");
        call(database.url(), 1, "upgrade --single-transaction");
        let status = json(database.url(), 0, "status");
        assert_eq!(
            (&status["state"], &status["applied_count"]),
            (&"empty".into(), &0.into())
        );
        assert!(
            database.try_rows("SELECT * FROM users").is_err(),
            "a table is left"
        );

        database.execute("DROP TABLE experiments");
        call(database.url(), 0, "upgrade --single-transaction");
        call(database.url(), 0, "status --exit-code");
    });
}
