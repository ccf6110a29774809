//! What only got another name, said on the command line, in a file or in the entity; and what becomes
//! of it when nobody says so.

use std::fs;

use stairway_tests::{Backend, TestDatabase, on_each_backend};

use super::{FIRST, PROJECT, WORK, checkout, found, run, schema};
use crate::calls::expect;

/// Applies what was written for the edit, finds it to be enough, looks, and takes it back.
#[track_caller]
fn try_out(
    database: &TestDatabase,
    edit: &str,
    entities: &str,
    look: impl Fn(&TestDatabase),
    survives: bool,
) {
    let before = schema(database);
    let rows = "SELECT name FROM users ORDER BY id";
    let names = database.rows(rows);
    let written = WORK.of(database, edit);
    let revisions = [FIRST, &written.revision];
    let program = || checkout(&WORK.project, database, entities, &revisions);
    run(program(), 0, "upgrade");
    look(database);
    let again = run(program(), 0, "create Again --autogenerate");
    assert!(again.stdout.contains("no file was written"), "{again}");
    run(program(), 0, "check");
    let down = program().args(["downgrade", "-1", "--yes"]).run();
    expect(&down, 0, edit);
    assert_eq!(schema(database), before, "{edit}\n{}", written.source);
    if survives {
        assert_eq!(database.rows(rows), names, "{edit}");
    }
}

fn texts(list: &[&str]) -> Vec<Vec<Option<String>>> {
    list.iter()
        .map(|text| vec![Some((*text).to_owned())])
        .collect()
}

#[test]
fn a_column_that_is_said_to_be_renamed_keeps_its_values() {
    on_each_backend(|database| {
        found(&database);
        for (edit, entities) in [
            ("rename column", "renamed column"),
            ("rename as stated", "renamed column, as stated"),
        ] {
            let said = &WORK.of(&database, edit).said;
            assert!(
                said.contains("~ column users.name renamed to full_name")
                    && said.contains("1 change\n")
                    && !said.contains("data loss"),
                "{said}"
            );
            let look = |database: &TestDatabase| {
                let names = database.rows("SELECT full_name FROM users ORDER BY id");
                assert_eq!(names, texts(&["Ada", "Bob"]), "{edit}");
            };
            try_out(&database, edit, entities, look, true);
        }
    });
}

#[test]
fn a_column_of_which_nobody_says_so_is_replaced_with_a_warning_and_a_hint() {
    on_each_backend(|database| {
        found(&database);
        let written = WORK.of(&database, "replace column");
        for words in [
            "- column users.name",
            "+ column users.full_name",
            "data loss",
            "this may be a rename: say --rename users.name=full_name if it is one",
        ] {
            assert!(written.said.contains(words), "{words:?}: {}", written.said);
        }
        for words in [
            "data is lost",
            "--rename users.name=full_name",
            "What does not come back",
        ] {
            assert!(
                written.source.contains(words),
                "{words:?}: {}",
                written.source
            );
        }
        // Whoever goes on has read that.
        let revisions = [FIRST, &written.revision];
        let program = || checkout(&WORK.project, &database, "renamed column", &revisions);
        run(program(), 0, "upgrade");
        assert_eq!(
            database.rows("SELECT full_name FROM users"),
            texts(&["?", "?"])
        );
        run(program(), 0, "check");
    });
}

#[test]
fn a_table_and_a_value_of_an_enum_that_are_renamed_keep_their_rows() {
    on_each_backend(|database| {
        found(&database);
        let said = &WORK.of(&database, "rename table").said;
        assert!(
            said.contains("~ table posts renamed to articles") && !said.contains("data loss"),
            "{said}"
        );
        let look = |database: &TestDatabase| {
            let titles = database.rows("SELECT title FROM articles ORDER BY id");
            assert_eq!(titles, texts(&["On engines", "On numbers"]));
        };
        try_out(&database, "rename table", "renamed table", look, true);

        if database.backend() != Backend::Postgres {
            return;
        }
        let said = &WORK.of(&database, "rename value").said;
        assert!(
            said.contains("sad renamed to blue") && !said.contains("data loss"),
            "{said}"
        );
        let look = |database: &TestDatabase| {
            let moods = database.rows("SELECT mood FROM diaries ORDER BY id");
            assert_eq!(moods, texts(&["happy", "blue"]));
        };
        try_out(&database, "rename value", "renamed value", look, true);
    });
}

#[test]
fn an_answer_that_meets_nothing_is_named() {
    on_each_backend(|database| {
        found(&database);
        let mut line = "create Rename --autogenerate --preview --rename users.name=full_name \
                        --rename users.nmae=name --fill users.bio='x' --fill posts.title=''"
            .to_owned();
        if database.backend() == Backend::MySql {
            // The values belong to the column there, and nothing moves the rows over.
            line.push_str(" --rename mood.sad=blue");
        }
        let program = checkout(&PROJECT, &database, "renamed column", &[FIRST]);
        let shown = run(program, 0, &line);
        let mut unused = vec!["users.nmae=name", "users.bio='x'", "posts.title=''"];
        if database.backend() == Backend::MySql {
            unused.push("mood.sad=blue");
        }
        for answer in unused {
            let words = format!("`{answer}` met nothing");
            assert!(shown.stderr.contains(&words), "{words}: {shown}");
        }
        assert!(!shown.stderr.contains("users.name=full_name"), "{shown}");
    });
}

#[test]
fn answers_come_from_a_file_too_and_one_that_is_no_answer_is_refused() {
    on_each_backend(|database| {
        found(&database);
        let directory = tempfile::tempdir().expect("a directory can be made");
        let answers = directory.path().join("answers");
        let preview = |text: &str, code| {
            fs::write(&answers, text).expect("a file can be written");
            let line = format!(
                "create Rename --autogenerate --preview --answers {}",
                answers.display()
            );
            run(
                checkout(&PROJECT, &database, "renamed column", &[FIRST]),
                code,
                &line,
            )
        };
        let shown = preview(
            "# what the columns were called\n\nrename users.name=full_name\n",
            0,
        );
        assert!(
            shown
                .stdout
                .contains("~ column users.name renamed to full_name"),
            "{shown}"
        );
        let shown = preview("fill users.full_name=upper(email)\n", 0);
        assert!(shown.stdout.contains("upper(email)"), "{shown}");
        let refused = preview("rename users.name=full_name\nforget users.name\n", 2);
        assert!(
            refused
                .stderr
                .contains("line 2: an answer begins with `rename` or `fill`"),
            "{refused}"
        );
        let refused = preview("rename users.name\n", 2);
        assert!(refused.stderr.contains("line 1"), "{refused}");
    });
}
