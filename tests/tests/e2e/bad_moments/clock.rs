//! The database's clock dates the history, not the client's.

use std::path::PathBuf;

use stairway_tests::servers::programs;
use stairway_tests::{Backend, on_each_backend};

use super::scenario::{Scenario, shop};

/// The library that tells a program another time, if it is installed.
fn faketime() -> Option<PathBuf> {
    if !stairway_tests::has_programs(&["faketime"]) {
        return None;
    }
    let program = programs::find("faketime")?;
    let libraries = program.parent()?.parent()?.join("lib");
    let places = std::fs::read_dir(&libraries)
        .into_iter()
        .flatten()
        .flatten();
    places
        .map(|entry| entry.path())
        .chain([libraries.clone()])
        .map(|place| place.join("faketime/libfaketimeMT.so.1"))
        .find(|library| library.is_file())
}

#[test]
fn a_client_whose_clock_is_a_year_ahead_writes_the_server_s_time() {
    let Some(library) = faketime() else {
        return;
    };
    on_each_backend(|database| {
        // An SQLite database has no other clock than its client's.
        if database.backend() == Backend::Sqlite {
            return;
        }
        let scenario = Scenario::new(database.url(), &shop());
        let run = scenario
            .program("--log-format json upgrade")
            .env("LD_PRELOAD", &library)
            .env("FAKETIME", "+400d")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .run();
        assert_eq!(run.code, 0, "{run}");
        let (now, day) = match database.backend() {
            Backend::Postgres => ("SELECT extract(epoch FROM now())::bigint", 86_400),
            Backend::MySql | Backend::Sqlite => ("SELECT UNIX_TIMESTAMP()", 86_400),
        };
        let number = |sql: &str| -> i64 {
            let rows = database.rows(sql);
            let text = rows[0][0].clone().unwrap_or_default();
            text.parse().unwrap_or_else(|_| panic!("{sql}: {text}"))
        };
        let now = number(now);
        // The client did believe that it was later: its own log says so.
        let year =
            |text: &str| text.contains(&format!("\"timestamp\":\"{}", year_of(now + 400 * day)));
        assert!(year(&run.stderr), "the clock was not ahead: {run}");
        let applied = number("SELECT max(applied_at) FROM seaql_migrations");
        assert!((now - applied).abs() < day, "{applied} is not near {now}");
        let shown = scenario.call(0, "--output json log").json();
        for entry in shown.as_array().expect("a list") {
            let at = entry["started_at"].as_str().expect("a time");
            assert!(at.starts_with(&year_of(now)), "{entry}");
        }
        let status = scenario.call(0, "--output json history").json();
        for revision in status.as_array().expect("a list") {
            let at = revision["applied_at"].as_str().expect("a time");
            assert!(at.starts_with(&year_of(now)), "{revision}");
        }
    });
}

/// The year in which this second since 1970 lies, nearly.
fn year_of(seconds: i64) -> String {
    (1970 + seconds / 31_556_952).to_string()
}
