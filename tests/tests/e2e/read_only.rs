//! Looking at a database with no privilege but SELECT.

use std::fs;

use stairway_tests::{Backend, TestDatabase, available_backends, on_each_backend};

use crate::calls::{User, call, expect_words, tables};

/// Commands that only look, whatever the state of the database.
const LOOKING: &[&str] = &[
    "status",
    "status --output json",
    "current",
    "history --indicate-current",
    "graph --indicate-current",
    "check --ignore pending",
    "show head",
    "log",
    "wait --timeout 0",
    "unlock --show",
    "repair",
    "upgrade --dry-run",
    "run --dry-run",
    "stamp head --dry-run",
    "upgrade --sql",
];

/// The URL of somebody who may only read, and whatever keeps it valid.
fn with_reader(database: &TestDatabase, test: impl Fn(&str)) {
    match User::who_reads(database) {
        Some(user) => test(user.url()),
        None => test(&database.url().replace("mode=rwc", "mode=ro")),
    }
}

#[test]
fn whoever_may_only_select_can_look_at_everything_and_makes_nothing() {
    on_each_backend(|database| {
        // SQLite can't open a file that is not there for reading only.
        database.execute("CREATE TABLE of_the_application (id int)");
        let before = tables(&database);
        with_reader(&database, |url| {
            for line in LOOKING {
                call(url, 0, line);
            }
            let status = call(url, 3, "status --exit-code");
            assert!(status.stdout.contains("empty"), "{status}");
        });
        assert_eq!(tables(&database), before);

        call(database.url(), 0, "upgrade +5");
        let before = tables(&database);
        let trail = "SELECT count(*) FROM stairway_audit";
        let entries = database.rows(trail);
        with_reader(&database, |url| {
            for line in LOOKING {
                call(url, 0, line);
            }
            call(url, 0, "downgrade base --dry-run");
            let status = call(url, 3, "status --exit-code");
            assert!(
                status.stdout.contains("behind: 22 revisions pending"),
                "{status}"
            );
        });
        assert_eq!(tables(&database), before);
        assert_eq!(database.rows(trail), entries);
    });
}

#[test]
fn looking_at_an_sqlite_database_leaves_no_file_beside_it() {
    let database = TestDatabase::create(stairway_tests::Backend::Sqlite);
    call(database.url(), 0, "upgrade +5");
    let file = database.file().expect("an SQLite database is a file");
    let directory = file.parent().expect("it is in a directory");
    let names = || {
        let entries = fs::read_dir(directory).expect("the directory is there");
        let mut names: Vec<_> = entries
            .filter_map(|entry| Some(entry.ok()?.file_name()))
            .collect();
        names.sort();
        names
    };
    let (before, content) = (names(), fs::read(&file).expect("it can be read"));
    for line in LOOKING {
        call(database.url(), 0, line);
    }
    assert_eq!(names(), before);
    assert!(
        fs::read(&file).expect("it can be read") == content,
        "the file was changed"
    );
}

/// Who has every right on the own database and may make no other gets the same difference, and is told
/// how it came about and what would let the server judge.
#[test]
fn entities_are_compared_on_mysql_without_the_right_to_make_a_database() {
    if !available_backends().contains(&Backend::MySql) {
        return;
    }
    let database = TestDatabase::create(Backend::MySql);
    let user = User::who_reads(&database).expect("MySQL has users");
    user.grant("ALL");
    call(user.url(), 0, "upgrade");
    let changes = |url: &str| {
        let run = call(
            url,
            0,
            &format!("schema diff --from {url} --to entities --output json"),
        );
        let json = run.json();
        (json["changes"].clone(), json["not_compared"].clone(), run)
    };
    for (drift, count) in [
        ("SELECT 1", 0),
        (
            "ALTER TABLE users DROP COLUMN email, ADD COLUMN mail varchar(80) NOT NULL; DROP TABLE user_preferences",
            3,
        ),
    ] {
        database.execute(drift);
        let (judged, names, _) = changes(database.url());
        let (read, other_names, run) = changes(user.url());
        assert_eq!(read, judged, "{run}");
        assert!(judged.as_array().map_or(0, Vec::len) >= count, "{run}");
        assert_eq!(other_names, names, "{run}");
        expect_words(&run, &["read and not run", "GRANT ALL ON `stairway"]);
    }
    let check = call(user.url(), 0, "schema diff --from entities --to entities");
    expect_words(&check, &["read and not run"]);
    let refused = call(user.url(), 1, "schema diff --from revisions --to entities");
    expect_words(
        &refused,
        &["no scratch database can be made", "may create databases"],
    );
}
