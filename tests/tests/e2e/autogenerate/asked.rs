//! A person on a terminal is asked what comparing can't find out.

use stairway_tests::{Backend, Finished, TestDatabase, has_programs, on_each_backend};

use super::{FIRST, PROJECT, checkout, found};

#[track_caller]
fn preview(database: &TestDatabase, entities: &str, keys: &str) -> Finished {
    let shown = checkout(&PROJECT, database, entities, &[FIRST])
        .args(["create", "Edited", "--autogenerate", "--preview"])
        .env("NO_COLOR", "1")
        .run_on_terminal(keys);
    assert_eq!(shown.code, 0, "{shown}");
    shown
}

#[test]
fn a_person_is_asked_whether_it_is_a_rename_and_what_rows_get() {
    if !has_programs(&["script"]) {
        return;
    }
    on_each_backend(|database| {
        found(&database);
        let question = "Was the column users.name renamed to full_name?";
        let yes = preview(&database, "renamed column", "y\n");
        assert_eq!(yes.stdout.matches(question).count(), 1, "{yes}");
        assert!(
            yes.stdout
                .contains("~ column users.name renamed to full_name")
                && !yes.stdout.contains("data loss"),
            "{yes}"
        );
        // Without its old name it is a new column, whose rows need a value.
        let no = preview(&database, "renamed column", "n\n'nobody'\n");
        assert_eq!(no.stdout.matches(question).count(), 1, "{no}");
        for words in [
            "users.full_name takes no NULL and has no default.",
            "- column users.name",
            "data loss",
            "'nobody'",
        ] {
            assert!(no.stdout.contains(words), "{words:?}: {no}");
        }
        // Whoever does not know decides in the file.
        let later = preview(&database, "grown", "\n");
        assert!(
            later.stdout.contains("users.nickname takes no NULL")
                && later.stdout.contains("--fill"),
            "{later}"
        );

        let question = "Was the table posts renamed to articles?";
        let table = preview(&database, "renamed table", "yes\n");
        assert!(
            table.stdout.contains(question)
                && table.stdout.contains("~ table posts renamed to articles"),
            "{table}"
        );
        let neither = preview(&database, "renamed table", "no\n");
        assert!(
            neither.stdout.contains("- table posts") && neither.stdout.contains("+ table articles"),
            "{neither}"
        );
        if database.backend() != Backend::Postgres {
            // The other databases have no statement for it, and the finding says what to do instead.
            return;
        }
        let question = "Was the value sad of mood renamed to blue?";
        let value = preview(&database, "renamed value", "y\n");
        assert!(
            value.stdout.contains(question)
                && value
                    .stdout
                    .contains("enum mood: value sad renamed to blue"),
            "{value}"
        );
        let neither = preview(&database, "renamed value", "n\n");
        assert!(
            neither.stdout.contains(question)
                && neither.stdout.contains("- enum mood: value sad")
                && neither.stdout.contains("+ enum mood: value blue"),
            "{neither}"
        );
    });
}
