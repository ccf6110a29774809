//! Entities grow: columns, keys and a table are added while there are rows.

use stairway_tests::{Backend, TestDatabase, on_each_backend};

use super::{FIRST, PROJECT, WORK, checkout, found, run, schema};
use crate::calls::expect;

const AGAIN: &str = "create Again --autogenerate";

fn files() -> usize {
    let files = std::fs::read_dir(WORK.project.revisions()).expect("the directory is there");
    files.count()
}

fn users(database: &TestDatabase, columns: &str) -> Vec<Vec<Option<String>>> {
    database.rows(&format!("SELECT {columns} FROM users ORDER BY id"))
}

#[test]
fn an_edited_entity_becomes_a_revision_that_is_applied_found_to_be_enough_and_taken_back() {
    on_each_backend(|database| {
        found(&database);
        let rows = users(&database, "name, email");
        let posts = || database.rows("SELECT id, user_id, title FROM posts ORDER BY id");
        let written_posts = posts();
        let before = schema(&database);
        let mut after = None;
        for edit in ["grow", "grow by SQL", "grow from revisions"] {
            let written = WORK.of(&database, edit);
            let revisions = [FIRST, &written.revision];
            let program = || checkout(&WORK.project, &database, "grown", &revisions);

            // An entity was edited and nobody has written a revision.
            let lagging = || checkout(&WORK.project, &database, "grown", &[FIRST]);
            let check = run(lagging(), 3, "check");
            for words in [
                "the entities and the revisions differ",
                "create --autogenerate",
            ] {
                assert!(check.stdout.contains(words), "{check}");
            }
            run(lagging(), 0, "check --ignore entities");

            // It can be shown without being run.
            for line in ["upgrade --dry-run", "upgrade --sql"] {
                let shown = run(program(), 0, line);
                assert!(shown.stdout.contains("comments"), "{line}: {shown}");
            }
            assert_eq!(schema(&database), before);
            let upgrade = run(program(), 0, "upgrade");
            assert!(
                !upgrade.stderr.contains("WARN"),
                "there is nothing to worry about: {upgrade}"
            );
            let count = files();
            let again = run(program(), 0, AGAIN);
            assert!(again.stdout.contains("no file was written"), "{again}");
            let again = run(program(), 0, &format!("{AGAIN} --from revisions"));
            assert!(again.stdout.contains("no file was written"), "{again}");
            assert_eq!(files(), count);
            run(program(), 0, "check");
            assert_eq!(users(&database, "name, email"), rows);
            assert_eq!(posts(), written_posts);
            assert_eq!(
                users(&database, "bio, nickname"),
                vec![vec![None, Some("none".to_owned())]; 2]
            );
            database.execute("INSERT INTO comments (post_id, body) VALUES (1, 'Well said')");
            assert!(
                database
                    .try_rows("INSERT INTO users (name, email, nickname) VALUES ('Eve', 'ada@example.org', 'e')")
                    .is_err(),
                "the key is unique"
            );
            // However it was written, it makes the same.
            let made = schema(&database);
            assert_eq!(*after.get_or_insert(made.clone()), made, "{edit}");

            run(program(), 0, "downgrade -1 --yes");
            assert_eq!(schema(&database), before, "{edit}");
            assert_eq!(users(&database, "name, email"), rows);
            assert_eq!(posts(), written_posts);
            run(program(), 0, "upgrade");
            assert_eq!(after, Some(schema(&database)), "{edit}");
            run(program(), 0, "downgrade -1 --yes");
        }
    });
}

#[test]
fn the_summary_says_what_comes_and_what_to_look_at() {
    on_each_backend(|database| {
        let said = &WORK.of(&database, "grow").said;
        for line in [
            "+ column users.bio",
            "+ column users.nickname",
            "+ table comments",
            "6 changes",
            "Read it before you commit it",
        ] {
            assert!(said.contains(line), "{line:?} is not in:\n{said}");
        }
        // A database that somebody has tried things out in does not leak in.
        let said = &WORK.of(&database, "grow from revisions").said;
        for word in ["stray", "tried_out", "table diaries"] {
            assert!(!said.contains(word), "{said}");
        }
    });
}

#[test]
fn a_column_that_takes_no_null_and_was_given_no_value_fails_on_rows() {
    on_each_backend(|database| {
        for edit in ["grow unfilled", "grow unfilled by SQL"] {
            found(&database);
            let before = schema(&database);
            let written = WORK.of(&database, edit);
            let note = "rows that are there have no value for nickname: give one (--fill";
            assert!(
                written.said.contains(note) && written.source.contains("CHECK"),
                "{}\n{}",
                written.said,
                written.source
            );
            let revisions = [FIRST, &written.revision];
            let program = || checkout(&WORK.project, &database, "grown", &revisions);
            let failed = run(program(), 1, "upgrade");
            assert!(failed.stderr.contains("nickname"), "{edit}: {failed}");
            match database.backend() {
                // What was done before stays there, and is passed over by the next run.
                Backend::MySql => assert_eq!(
                    users(&database, "nickname"),
                    vec![vec![None]; 2],
                    "no row got a value that nobody gave"
                ),
                Backend::Sqlite | Backend::Postgres => assert_eq!(schema(&database), before),
            }
            // Without rows there is nothing to be filled.
            database.execute("DELETE FROM posts; DELETE FROM users");
            run(program(), 0, "upgrade");
            let again = run(program(), 0, AGAIN);
            assert!(again.stdout.contains("no file was written"), "{again}");
            run(program(), 0, "check");
            run(program(), 0, "downgrade -1 --yes");
            assert_eq!(schema(&database), before);
            run(program(), 0, "downgrade base --yes");
        }
    });
}

#[test]
fn a_preview_shows_the_file_and_writes_nothing() {
    on_each_backend(|database| {
        found(&database);
        let program = || checkout(&PROJECT, &database, "grown", &[FIRST]);
        let line = "create Grown --autogenerate --preview --fill users.nickname='none'";
        let shown = run(program(), 0, line);
        let written = &WORK.of(&database, "grow").source;
        let body = |text: &str| {
            let at = text.find("use sea_orm_migration").expect("the code");
            text[at..].to_owned()
        };
        assert!(shown.stdout.contains("Would write"), "{shown}");
        assert_eq!(body(&shown.stdout), body(written));
        let shown = run(program(), 0, &format!("{line} --output json")).json();
        assert_eq!(shown["written"], false, "{shown}");
        assert_eq!(
            body(shown["source"].as_str().expect("the file")),
            body(written)
        );
        assert_eq!(
            std::fs::read_dir(PROJECT.revisions())
                .expect("the directory is there")
                .count(),
            1
        );
    });
}

#[test]
fn the_first_revision_of_all_is_written_too() {
    on_each_backend(|database| {
        let run = checkout(&PROJECT, &database, "first", &[])
            .args(["create", "Begin", "--autogenerate", "--preview"])
            .run();
        expect(&run, 0, "create");
        assert!(run.stdout.contains("revises: base"), "{run}");
        for table in ["users", "posts", "diaries"] {
            assert!(run.stdout.contains(&format!("+ table {table}")), "{run}");
        }
    });
}
