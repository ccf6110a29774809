//! What an entity has no words for, and what belongs to someone else.

use std::fs;

use serde_json::Value;
use stairway_tests::{Backend, TestDatabase, on_each_backend};

use super::{FIRST, PROJECT, checkout, found, run};

const PREVIEW: &str = "create Edited --autogenerate --preview";

/// Makes by hand what the state `declared` declares beside the entities.
fn by_hand(database: &TestDatabase) {
    database.execute("CREATE VIEW titles AS SELECT id, title FROM posts");
    for statement in match database.backend() {
        Backend::Postgres => vec![
            "ALTER TABLE posts ADD CONSTRAINT posts_titled CHECK (title <> '')",
            "CREATE INDEX posts_of_the_first ON posts (title) WHERE user_id = 1",
            "CREATE FUNCTION trimmed() RETURNS trigger LANGUAGE plpgsql AS \
             $$ BEGIN NEW.title := trim(NEW.title); RETURN NEW; END $$",
            "CREATE TRIGGER posts_trimmed BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION trimmed()",
        ],
        Backend::Sqlite => vec![
            "CREATE INDEX posts_of_the_first ON posts (title) WHERE user_id = 1",
            "CREATE TRIGGER posts_trimmed AFTER INSERT ON posts BEGIN \
             UPDATE posts SET title = trim(title) WHERE id = NEW.id; END",
        ],
        Backend::MySql => vec![
            "ALTER TABLE posts ADD CONSTRAINT posts_titled CHECK (title <> '')",
            "CREATE TRIGGER posts_trimmed BEFORE INSERT ON posts FOR EACH ROW SET NEW.title = trim(NEW.title)",
        ],
    } {
        database.execute(statement);
    }
}

/// The words for what was made by hand.
fn names(backend: Backend) -> Vec<&'static str> {
    let mut names = vec!["view titles", "trigger posts_trimmed on posts"];
    if backend != Backend::Sqlite {
        names.push("check posts_titled of posts");
    }
    if backend != Backend::MySql {
        names.push("index posts_of_the_first on posts");
    }
    names
}

#[test]
fn what_an_entity_has_no_words_for_stays_and_is_named_and_is_compared_once_it_is_declared() {
    on_each_backend(|database| {
        found(&database);
        let preview = |entities: &str| {
            let program = checkout(&PROJECT, &database, entities, &[FIRST]);
            run(program, 0, PREVIEW)
        };
        // Declared, and not there yet.
        let shown = preview("declared").stdout;
        let coming = shown.split("Would write").next().unwrap_or_default();
        for name in names(database.backend()) {
            assert!(coming.contains(&format!("+ {name}")), "{name}: {shown}");
        }

        // There, and not declared.
        by_hand(&database);
        let shown = preview("first").stdout;
        let (changes, left) = shown
            .split_once("not compared:")
            .unwrap_or_else(|| panic!("nothing is named: {shown}"));
        assert!(changes.contains("no difference"), "{shown}");
        for name in names(database.backend()) {
            assert!(left.contains(name), "{name}: {shown}");
        }
        assert!(shown.contains("no file was written"), "{shown}");
        // Nor do they get lost when something else changes.
        let shown = preview("grown").stdout;
        let changes = shown.split("not compared:").next().unwrap_or_default();
        assert!(!changes.contains("\n- "), "{shown}");

        // There and declared: only the plain index is missing.
        let shown = preview("declared").stdout;
        assert!(
            shown.contains("+ index posts_by_length on posts") && shown.contains("1 change\n"),
            "{shown}"
        );
        database.execute("CREATE INDEX posts_by_length ON posts (title, id)");
        let shown = preview("declared").stdout;
        assert!(shown.contains("no file was written"), "{shown}");

        // There in another form than it is declared.
        let other = match database.backend() {
            Backend::Postgres | Backend::MySql => {
                "CREATE OR REPLACE VIEW titles AS SELECT id, title FROM posts WHERE id > 1"
            }
            Backend::Sqlite => {
                "DROP VIEW titles; CREATE VIEW titles AS SELECT id, title FROM posts WHERE id > 1"
            }
        };
        database.execute(other);
        let shown = preview("declared").stdout;
        assert!(
            shown.contains("view titles") && !shown.contains("no difference"),
            "{shown}"
        );
    });
}

/// What the changes are about: `table comments`, `column users.bio`.
#[track_caller]
fn changes(run: &stairway_tests::Finished) -> Vec<String> {
    let shown = run.json();
    let changes = shown["changes"].as_array().cloned().unwrap_or_default();
    let mut list: Vec<String> = changes
        .iter()
        .map(|change| {
            let text = |field: &str| change[field].as_str().unwrap_or_default().to_owned();
            format!("{} {}", text("op"), text("table"))
        })
        .collect();
    list.sort();
    list.dedup();
    list
}

#[test]
fn only_what_is_included_and_not_excluded_takes_part() {
    on_each_backend(|database| {
        found(&database);
        let call = |options: &str| {
            let program = checkout(&PROJECT, &database, "grown", &[FIRST]);
            let fill = "--fill users.nickname='none' --output json";
            changes(&run(program, 0, &format!("{PREVIEW} {fill} {options}")))
        };
        let users = ["add_column users", "add_unique users"];
        let all = [
            "add_column users",
            "add_unique users",
            "create_index comments",
            "create_index posts",
            "create_table comments",
        ];
        assert_eq!(call(""), all);
        assert_eq!(call("--include users"), users);
        assert_eq!(call("--include us*"), users);
        assert_eq!(call("--include ?sers,diaries"), users);
        assert_eq!(call("--exclude posts --exclude comments"), users);
        assert_eq!(call("--exclude posts,comm*"), users);
        assert_eq!(call("--include table:users"), users);
        assert_eq!(
            call("--exclude users,index:idx-posts-*,index:comments.*"),
            ["create_table comments"]
        );
        assert_eq!(call("--include users --exclude users"), [""; 0]);
        if database.backend() == Backend::Postgres {
            assert_eq!(call("--include public.users"), users);
            assert_eq!(call("--include other.users"), [""; 0]);
            assert_eq!(call("--exclude schema:public"), [""; 0]);
        }
        let program = checkout(&PROJECT, &database, "grown", &[FIRST]);
        let refused = run(program, 2, &format!("{PREVIEW} --exclude tabel:users"));
        assert!(refused.stderr.contains("KIND is one of"), "{refused}");

        // What stands in the settings, which an option replaces.
        let directory = tempfile::tempdir().expect("a directory can be made");
        let settings = directory.path().join("stairway.toml");
        fs::write(
            &settings,
            "compare_include = \"users, posts\"\ncompare_exclude = \"index:*\"\n",
        )
        .expect("a file can be written");
        let settings = settings.display();
        assert_eq!(call(&format!("--config {settings}")), users);
        assert_eq!(
            call(&format!("--config {settings} --include posts")),
            [""; 0]
        );
        assert_eq!(
            call(&format!("--config {settings} --include posts --exclude x")),
            ["create_index posts"]
        );
        // `check` passes over the same.
        let passes = |exclude: &str| {
            let program = checkout(&PROJECT, &database, "grown", &[FIRST]);
            let program = program.env("MIGRATION_COMPARE_EXCLUDE", exclude);
            program.args(["check"]).run().code
        };
        assert_eq!((passes("users,posts,comments"), passes("users")), (0, 3));
    });
}

#[test]
fn the_json_of_a_preview_names_what_was_not_compared() {
    on_each_backend(|database| {
        found(&database);
        by_hand(&database);
        let program = checkout(&PROJECT, &database, "first", &[FIRST]);
        let shown = run(program, 0, &format!("{PREVIEW} --output json")).json();
        assert_eq!(shown["revision"], Value::Null, "{shown}");
        assert_eq!(shown["changes"], serde_json::json!([]), "{shown}");
        let named = shown["not_compared"].to_string();
        for name in names(database.backend()) {
            assert!(named.contains(name), "{name}: {shown}");
        }
    });
}
