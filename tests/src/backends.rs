use std::collections::BTreeSet;
use std::env;
use std::io::Write;
use std::panic;
use std::path::Path;
use std::sync::{Mutex, Once, PoisonError};
use std::thread;

use stairway_test_servers::{Backend, DATABASES_VARIABLE, PROGRAMS_VARIABLE, cargo, programs};

use crate::{Program, TestDatabase};

/// The databases that tests run on: those that `cargo xtask test` asks for, else SQLite and those
/// whose server's URL is in the environment. The ones left out are named on stderr, once.
///
/// # Panics
/// `cargo xtask test` asks for a database and does not say where it is.
pub fn available_backends() -> Vec<Backend> {
    static SAID: Once = Once::new();
    let backends = choose(env::var(DATABASES_VARIABLE).ok().as_deref(), |variable| {
        env::var(variable).is_ok_and(|url| !url.is_empty())
    });
    SAID.call_once(|| {
        for backend in Backend::ALL
            .into_iter()
            .filter(|backend| !backends.contains(backend))
        {
            let set = backend
                .url_variable()
                .map(|variable| format!("; set {variable} to a server's URL"));
            say(&format!(
                "NOT TESTED ON {}: use cargo xtask test{}",
                backend.name().to_uppercase(),
                set.unwrap_or_default()
            ));
        }
    });
    backends
}

fn choose(asked_for: Option<&str>, is_set: impl Fn(&str) -> bool) -> Vec<Backend> {
    let has_url = |backend: Backend| backend.url_variable().is_none_or(&is_set);
    let Some(asked_for) = asked_for else {
        return Backend::ALL
            .into_iter()
            .filter(|backend| has_url(*backend))
            .collect();
    };
    let backends: BTreeSet<Backend> = asked_for
        .split(',')
        .map(|name| {
            name.trim()
                .parse()
                .unwrap_or_else(|error| panic!("{DATABASES_VARIABLE}: {error}"))
        })
        .collect();
    for backend in &backends {
        assert!(
            has_url(*backend),
            "{DATABASES_VARIABLE} asks for {backend}, but {} is not set",
            backend.url_variable().unwrap_or_default()
        );
    }
    backends.into_iter().collect()
}

/// Runs `test` on an empty database of each available kind, all at once.
///
/// # Panics
/// The test panicked on some of them; stderr names each.
#[track_caller]
pub fn on_each_backend(test: impl Fn(TestDatabase) + Sync) {
    let backends = available_backends();
    let failed: Vec<_> = thread::scope(|scope| {
        let test = &test;
        let running: Vec<_> = backends
            .iter()
            .map(|&backend| {
                let thread = thread::Builder::new().name(format!("on {backend}"));
                let thread =
                    thread.spawn_scoped(scope, move || test(TestDatabase::create(backend)));
                (backend, thread.expect("the system has room for a thread"))
            })
            .collect();
        running
            .into_iter()
            .filter_map(|(backend, thread)| thread.join().err().map(|_| backend.name()))
            .collect()
    });
    assert!(failed.is_empty(), "failed on {}", failed.join(", "));
}

/// Whether all these programs are installed. A test that lacks one leaves itself out:
///
/// ```no_run
/// if !stairway_tests::has_programs(&["pgbouncer"]) {
///     return;
/// }
/// ```
///
/// # Panics
/// One is missing although `cargo xtask test` said that all of them are there.
pub fn has_programs(wanted: &[&str]) -> bool {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let missing: Vec<_> = wanted
        .iter()
        .filter(|program| programs::find(program).is_none())
        .copied()
        .collect();
    if missing.is_empty() {
        return true;
    }
    let missing = missing.join(", ");
    assert!(
        env::var_os(PROGRAMS_VARIABLE).is_none(),
        "{PROGRAMS_VARIABLE} says that all programs are installed, but these are not: {missing}"
    );
    if SAID
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(missing.clone())
    {
        say(&format!("SOME TESTS ARE LEFT OUT: they need {missing}"));
    }
    false
}

/// A program of `tests/checkers.txt`, which `cargo xtask test` installs where it can. A test that lacks
/// one leaves itself out; stderr names it, once.
pub fn checker(name: &str) -> Option<Program> {
    static SAID: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let directory = cargo::target_directory(&root).join("checkers");
    let installed = directory.join("bin").join(name);
    if installed.is_file() {
        return Some(Program::at(installed).env("PYTHONPATH", &directory));
    }
    let said = SAID.lock();
    if said
        .unwrap_or_else(PoisonError::into_inner)
        .insert(name.to_owned())
    {
        say(&format!(
            "SOME CHECKS OF DEPLOYMENT FILES ARE LEFT OUT: they need {name}, see tests/checkers.txt"
        ));
    }
    None
}

/// On the real stderr: the test runner hides what a passing test prints with the macros.
pub(crate) fn say(message: &str) {
    let _ = writeln!(std::io::stderr(), "\nstairway-tests: {message}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_an_order_sqlite_and_the_servers_with_a_url_are_used() {
        assert_eq!(choose(None, |_| false), [Backend::Sqlite]);
        assert_eq!(
            choose(None, |variable| variable == "STAIRWAY_TEST_MYSQL_URL"),
            [Backend::Sqlite, Backend::MySql]
        );
    }

    #[test]
    fn exactly_the_databases_asked_for_are_used() {
        assert_eq!(
            choose(Some("postgres, sqlite"), |_| true),
            [Backend::Sqlite, Backend::Postgres]
        );
        assert_eq!(choose(Some("mysql"), |_| true), [Backend::MySql]);
    }

    #[test]
    #[should_panic(expected = "STAIRWAY_TEST_POSTGRES_URL is not set")]
    fn a_database_asked_for_but_without_a_url_fails_the_test_instead_of_being_left_out() {
        choose(Some("sqlite,postgres"), |_| false);
    }

    #[test]
    fn a_failure_on_one_database_fails_the_test_and_names_the_database() {
        let result = panic::catch_unwind(|| {
            on_each_backend(|database| assert_ne!(database.backend(), Backend::Sqlite));
        });
        if available_backends().contains(&Backend::Sqlite) {
            let message = result.expect_err("the assertion fails on SQLite");
            assert_eq!(
                message.downcast_ref::<String>().map(String::as_str),
                Some("failed on sqlite")
            );
        }
    }
}
