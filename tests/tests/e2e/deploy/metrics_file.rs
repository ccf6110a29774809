//! The file that a one-shot run leaves for the textfile collector.

use std::fs;
use std::io::Write as _;
use std::process::{Command, Stdio};

use stairway_tests::{Finished, TestDatabase, has_programs, on_each_backend, stairway};
use tempfile::TempDir;

fn run(database: &TestDatabase, directory: &TempDir, words: &str) -> (Finished, Option<String>) {
    let file = directory.path().join("stairway.prom");
    drop(fs::remove_file(&file));
    let run = stairway()
        .args(words.split_whitespace())
        .database(database)
        .env("MIGRATION_METRICS_FILE", &file)
        .run();
    (run, fs::read_to_string(file).ok())
}

#[track_caller]
fn has(text: &str, series: &[&str]) {
    for series in series {
        assert!(
            text.lines().any(|line| line == *series),
            "{series} in\n{text}"
        );
    }
}

/// Holds a text against `promtool check metrics`.
#[track_caller]
fn check(text: &str) {
    if !has_programs(&["promtool"]) {
        return;
    }
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it is installed");
    let mut input = child.stdin.take().expect("piped");
    input.write_all(text.as_bytes()).expect("it reads");
    drop(input);
    let output = child.wait_with_output().expect("it ends");
    let said = [output.stdout, output.stderr].concat();
    assert!(
        output.status.success() && said.is_empty(),
        "{}\n{text}",
        String::from_utf8_lossy(&said)
    );
}

#[test]
fn a_run_leaves_what_it_did_and_where_the_database_is_however_it_ends() {
    on_each_backend(|database| {
        let directory = TempDir::new().expect("a directory");
        let (ended, text) = run(&database, &directory, "upgrade +2");
        assert_eq!(ended.code, 0, "{ended}");
        let text = text.expect("a file");
        check(&text);
        has(
            &text,
            &[
                "db_migration_applied_total{database=\"default\"} 2",
                "db_migration_up_to_date{database=\"default\"} 0",
                "db_migration_pending{database=\"default\"} 25",
                "db_migration_failures_total{database=\"default\"} 0",
                "db_migration_running{database=\"default\"} 0",
            ],
        );

        // What a later revision makes is in its way.
        database.execute("CREATE TABLE projects (id int)");
        let (ended, text) = run(&database, &directory, "run");
        assert_eq!(ended.code, 1, "{ended}");
        let text = text.expect("a file");
        check(&text);
        has(
            &text,
            &["db_migration_failures_total{database=\"default\"} 1"],
        );

        database.execute("DROP TABLE projects");
        let (ended, text) = run(&database, &directory, "run");
        assert_eq!(ended.code, 0, "{ended}");
        let text = text.expect("a file");
        check(&text);
        has(
            &text,
            &[
                "db_migration_up_to_date{database=\"default\"} 1",
                "db_migration_state{database=\"default\",state=\"up_to_date\"} 1",
            ],
        );
        let (ended, text) = run(&database, &directory, "downgrade -1 --yes");
        assert_eq!(ended.code, 0, "{ended}");
        has(
            &text.expect("a file"),
            &["db_migration_reverted_total{database=\"default\"} 1"],
        );
        let files = fs::read_dir(directory.path()).expect("it is there").count();
        assert_eq!(files, 1, "nothing unfinished is left");

        let (ended, text) = run(&database, &directory, "status");
        assert_eq!((ended.code, text), (0, None), "nothing was run: {ended}");
    });
}

#[test]
fn a_file_that_cannot_be_written_or_is_not_read_is_a_warning_and_changes_nothing() {
    let database = TestDatabase::create(stairway_tests::Backend::Sqlite);
    for (file, words) in [
        ("/nowhere/at/all.prom", "can't be written"),
        ("metrics.txt", "has to end in .prom"),
    ] {
        let run = stairway()
            .args(["upgrade", "+1"])
            .database(&database)
            .env("MIGRATION_METRICS_FILE", file)
            .run();
        assert_eq!(run.code, 0, "{run}");
        assert!(run.stderr.contains(words), "{run}");
    }
}

#[test]
fn a_database_that_is_away_leaves_a_file_that_says_so() {
    let directory = TempDir::new().expect("a directory");
    let file = directory.path().join("stairway.prom");
    let ended = stairway()
        .args(["run", "--wait", "300ms"])
        .env("DATABASE_URL", "postgres://app@127.0.0.1:1/shop")
        .env("MIGRATION_METRICS_FILE", &file)
        .run();
    assert_eq!(ended.code, 5, "{ended}");
    let text = fs::read_to_string(file).expect("a file");
    check(&text);
    has(
        &text,
        &[
            "db_migration_database_readable{database=\"default\"} 0",
            "db_migration_failures_total{database=\"default\"} 1",
        ],
    );
}
