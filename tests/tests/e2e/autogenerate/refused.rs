//! Where nothing is compared: the database is not at the head, or not there.

use stairway_tests::servers::ServerUrl;
use stairway_tests::{Backend, TestDatabase, available_backends};

use super::{FIRST, PROJECT, checkout, found, run};

const CREATE: &str = "create Grown --autogenerate";

#[track_caller]
fn nothing_was_written() {
    let files = std::fs::read_dir(PROJECT.revisions()).expect("the directory is there");
    assert_eq!(files.count(), 1);
}

#[test]
fn a_database_that_is_not_at_the_head_is_refused_with_what_to_do() {
    let database = TestDatabase::create(Backend::Sqlite);
    let program = || checkout(&PROJECT, &database, "grown", &[FIRST]);
    let refused = run(program(), 2, CREATE);
    for words in ["not at the head", "stairway upgrade", "--from revisions"] {
        assert!(refused.stderr.contains(words), "{words:?}: {refused}");
    }
    let error = run(program(), 2, &format!("{CREATE} --output json")).json();
    assert_eq!(error["error"]["kind"], "usage", "{error}");
    assert!(
        database.try_rows("SELECT * FROM seaql_migrations").is_err(),
        "only looked"
    );
    // The revisions can be compared without it.
    let shown = run(
        program(),
        0,
        &format!("{CREATE} --from revisions --preview"),
    );
    assert!(shown.stdout.contains("+ table comments"), "{shown}");

    // One that is ahead of this build is not at its head either.
    found(&database);
    let refused = run(checkout(&PROJECT, &database, "grown", &[]), 2, CREATE);
    assert!(refused.stderr.contains("not at the head"), "{refused}");
    nothing_was_written();
}

#[test]
fn a_database_that_is_not_there_is_said_to_be_so() {
    for backend in available_backends() {
        if backend == Backend::Sqlite {
            continue;
        }
        let database = TestDatabase::create(backend);
        let url = ServerUrl::parse(database.url()).expect("the harness makes good URLs");
        for from in ["database", "revisions"] {
            let gone = checkout(&PROJECT, &database, "grown", &[FIRST])
                .env("DATABASE_URL", url.with_port(1).reveal())
                .env("MIGRATION_WAIT_TIMEOUT", "300ms");
            let line = format!("{CREATE} --from {from} --output json");
            let refused = run(gone, 5, &line);
            let error = refused.json();
            assert_eq!(error["error"]["kind"], "unreachable", "{refused}");
            assert!(
                error["error"]["hint"]
                    .as_str()
                    .is_some_and(|hint| hint.contains("host and port")),
                "{refused}"
            );
        }
    }
    nothing_was_written();
}

#[test]
fn a_program_without_entities_says_where_they_are_given() {
    let database = TestDatabase::create(Backend::Sqlite);
    let project = stairway_tests::Project::new();
    project.build();
    let refused = run(project.program().database(&database), 2, CREATE);
    assert!(
        refused.stderr.contains("CommandLine::entities"),
        "{refused}"
    );
}
