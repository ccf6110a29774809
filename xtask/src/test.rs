//! `cargo xtask test`: the whole test suite, on databases of its own.

use std::env;
use std::ffi::OsString;
use std::io;
use std::process::ExitCode;
use std::time::Duration;

use clap::Args;
#[cfg(unix)]
use stairway_test_servers::Server;
use stairway_test_servers::process::{self, Signal};
use stairway_test_servers::{Backend, DATABASES_VARIABLE, PROGRAMS_VARIABLE, ServerUrl, cargo};
use tokio::process::Child;

use crate::report::{Failure, say};
use crate::{checkers, packages, tools};

/// How long the tests may take to end after they were told to.
const GRACE: Duration = Duration::from_secs(10);

/// What the exporter sends is tested with the programs that have it. Only what has the feature is
/// compiled again: the exporter is a member of the workspace, so the features of all others are the
/// same.
const WITH_EXPORTER: &[&str] = &[
    "--features",
    "stairway-cli/opentelemetry,stairway-server/opentelemetry",
    "--test",
    "opentelemetry",
];

/// Run the tests of the whole workspace on throw-away databases
///
/// PostgreSQL and MariaDB are started from the installed packages, in temporary directories and on
/// free ports of 127.0.0.1, and are gone afterwards. Where `STAIRWAY_TEST_POSTGRES_URL` or
/// `STAIRWAY_TEST_MYSQL_URL` is set, that server is used instead; its user must be allowed to
/// create databases. As root on Debian, missing packages are installed.
#[derive(Debug, Args)]
pub(crate) struct Arguments {
    /// Databases to run on, separated by commas: sqlite, postgres, mysql (which is MariaDB here)
    #[arg(
        long,
        value_delimiter = ',',
        default_value = "sqlite,postgres,mysql",
        value_name = "NAMES"
    )]
    databases: Vec<Backend>,

    /// Passed on to `cargo test`, which otherwise runs the whole workspace
    #[arg(last = true, value_name = "CARGO TEST ARGUMENTS")]
    arguments: Vec<OsString>,
}

pub(crate) fn run(arguments: &Arguments) -> Result<ExitCode, Failure> {
    let mut backends = arguments.databases.clone();
    backends.sort();
    backends.dedup();

    let all_programs = provide_programs(&backends)?;
    if backends
        .iter()
        .any(|backend| backend.url_variable().is_some())
    {
        checkers::provide();
    }
    let (to_start, given) = sort_out(&backends)?;
    for (backend, url) in &given {
        say(&format!("using the {backend} server at {url}"));
    }
    // Declared before the tests run and dropped after they have ended, whatever happens in between.
    let (servers, started) = start(&to_start)?;

    let names: Vec<_> = backends.iter().map(|backend| backend.name()).collect();
    let cargo_test = |words: &[&str], arguments: &[OsString]| {
        let mut command = tokio::process::Command::from(cargo::command());
        command.arg("test").args(words).args(arguments);
        command.current_dir(tools::root());
        command.env(DATABASES_VARIABLE, names.join(","));
        if all_programs {
            command.env(PROGRAMS_VARIABLE, "1");
        }
        for variable in Backend::ALL.into_iter().filter_map(Backend::url_variable) {
            command.env_remove(variable);
        }
        for (backend, url) in given.iter().chain(&started) {
            if let Some(variable) = backend.url_variable() {
                command.env(variable, url.reveal());
            }
        }
        command
    };
    let mut commands = vec![cargo_test(
        scope(&arguments.arguments),
        &arguments.arguments,
    )];
    if arguments.arguments.is_empty() {
        commands.push(cargo_test(WITH_EXPORTER, &[]));
    }
    let code = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::failed)?
        .block_on(async {
            for mut command in commands {
                // From here on: a signal that comes while the tests begin must not be missed.
                let told_to_end = told_to_end().map_err(Failure::failed)?;
                let mut child = command
                    .spawn()
                    .map_err(|error| Failure::failed(format!("running cargo test: {error}")))?;
                let code = wait(&mut child, told_to_end).await?;
                if code != 0 {
                    return Ok(code);
                }
            }
            Ok(0)
        })?;
    if !servers.is_empty() {
        say("stopping the servers and removing their data");
    }
    drop(servers);
    Ok(ExitCode::from(code))
}

/// Installs what is missing, and returns whether everything is there. Only what has to be started
/// must be there: with the URL of a running server, tests that need a program of its package are
/// left out.
fn provide_programs(backends: &[Backend]) -> Result<bool, Failure> {
    let missing = packages::missing(backends);
    if missing.is_empty() {
        return Ok(true);
    }
    if packages::installable() {
        packages::install(&missing)?;
        return Ok(true);
    }
    let to_start: Vec<_> = backends
        .iter()
        .copied()
        .filter(|backend| given_url(*backend).is_none())
        .collect();
    let needed = packages::missing(&to_start);
    let list = missing.join(", ");
    if needed.is_empty() {
        say(&format!(
            "some tests are left out because these packages are not installed: {list}"
        ));
        return Ok(false);
    }
    Err(Failure::usage(format!(
        "these packages (by their Debian names) are not installed: {list}. Install them; or set \
         STAIRWAY_TEST_POSTGRES_URL and STAIRWAY_TEST_MYSQL_URL to running servers; or run the \
         tests that need no servers: cargo xtask test --databases sqlite"
    )))
}

fn given_url(backend: Backend) -> Option<String> {
    env::var(backend.url_variable()?)
        .ok()
        .filter(|url| !url.is_empty())
}

type Given = (Backend, ServerUrl);

/// The back-ends whose server has to be started, and those whose server's URL is given.
fn sort_out(backends: &[Backend]) -> Result<(Vec<Backend>, Vec<Given>), Failure> {
    let mut to_start = Vec::new();
    let mut given = Vec::new();
    for &backend in backends {
        match (backend.url_variable(), given_url(backend)) {
            (None, _) => {}
            (Some(_), None) => to_start.push(backend),
            (Some(variable), Some(url)) => {
                let url = ServerUrl::parse(&url)
                    .map_err(|error| Failure::usage(format!("{variable}: {error}")))?;
                given.push((backend, url));
            }
        }
    }
    Ok((to_start, given))
}

/// No server can be started here.
#[cfg(not(unix))]
enum Server {}

/// Starts the servers, all at once. Dropping them stops them and removes their data.
#[cfg(unix)]
fn start(backends: &[Backend]) -> Result<(Vec<Server>, Vec<Given>), Failure> {
    use stairway_test_servers::{ServerOptions, mariadb, postgres};

    let options = ServerOptions::new();
    let start = |backend| match backend {
        Backend::Sqlite => Ok(None),
        Backend::Postgres => postgres::start(&options).map(|server| Some((server, "postgres"))),
        Backend::MySql => mariadb::start(&options).map(|server| Some((server, "test"))),
    };
    let results: Vec<_> = std::thread::scope(|scope| {
        let starting: Vec<_> = backends
            .iter()
            .map(|&backend| (backend, scope.spawn(move || start(backend))))
            .collect();
        starting
            .into_iter()
            .map(|(backend, thread)| (backend, thread.join()))
            .collect()
    });
    let mut servers = Vec::new();
    let mut urls = Vec::new();
    for (backend, result) in results {
        let result = result.map_err(|_| Failure::failed(format!("starting {backend} panicked")))?;
        if let Some((server, database)) = result.map_err(Failure::failed)? {
            say(&format!(
                "started {backend} at {} in {}",
                server.url(),
                server.directory().display()
            ));
            urls.push((backend, server.url().with_database(database)));
            servers.push(server);
        }
    }
    Ok((servers, urls))
}

#[cfg(not(unix))]
fn start(backends: &[Backend]) -> Result<(Vec<Server>, Vec<Given>), Failure> {
    if backends.is_empty() {
        return Ok((Vec::new(), Vec::new()));
    }
    Err(Failure::usage(
        "servers can't be started on this system: set STAIRWAY_TEST_POSTGRES_URL and \
         STAIRWAY_TEST_MYSQL_URL to running ones, or use cargo xtask test --databases sqlite",
    ))
}

/// The whole workspace to its end, unless the person names packages: cargo would run all of them
/// all the same.
fn scope(arguments: &[OsString]) -> &'static [&'static str] {
    let names_package = arguments
        .iter()
        .take_while(|argument| *argument != "--")
        .filter_map(|argument| argument.to_str())
        .any(|argument| argument.starts_with("-p") || argument.starts_with("--package"));
    if names_package {
        &[]
    } else {
        &["--workspace", "--no-fail-fast"]
    }
}

/// Waits for the tests, or ends them when this program is told to end, and returns the exit code
/// to pass on. The servers stay up until no test needs them.
async fn wait(child: &mut Child, told_to_end: impl Future<Output = u8>) -> Result<u8, Failure> {
    let signal_code = tokio::select! {
        status = child.wait() => return status.map(tools::exit_code).map_err(Failure::failed),
        code = told_to_end => code,
    };
    say("told to end: waiting for the tests to stop");
    if let Some(pid) = child.id() {
        let tests = process::tree(pid);
        process::send(Signal::Terminate, &tests).map_err(Failure::failed)?;
        if tokio::time::timeout(GRACE, child.wait()).await.is_err() {
            process::send(Signal::Kill, &process::tree(pid)).map_err(Failure::failed)?;
            child.wait().await.map_err(Failure::failed)?;
        }
        // Cargo ends before the tests that it has started.
        process::send(Signal::Kill, &process::running(&tests)).map_err(Failure::failed)?;
    }
    Ok(signal_code)
}

/// Takes over the signals that end a program, and waits for one. The result is the exit code of a
/// program that this signal ends.
#[cfg(unix)]
fn told_to_end() -> io::Result<impl Future<Output = u8>> {
    use tokio::signal::unix::{SignalKind, signal};

    let mut interrupted = signal(SignalKind::interrupt())?;
    let mut terminated = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupted.recv() => 130,
            _ = terminated.recv() => 143,
        }
    })
}

#[cfg(not(unix))]
fn told_to_end() -> io::Result<impl Future<Output = u8>> {
    let mut interrupted = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        interrupted.recv().await;
        130
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    #[test]
    fn the_whole_workspace_is_tested_unless_packages_are_named() {
        assert_eq!(scope(&[]), ["--workspace", "--no-fail-fast"]);
        assert_eq!(scope(&words("--release some_test -- -p")), scope(&[]));
        assert_eq!(scope(&words("-p stairway-plan")), [""; 0]);
        assert_eq!(scope(&words("--package=stairway-plan")), [""; 0]);
    }
}
