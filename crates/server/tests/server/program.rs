//! The binary: its settings, its signals, its exit codes.

use std::net::{SocketAddr, TcpListener};
use std::time::Duration;

use stairway_core::{Config, Manager, MigrationSet};
use stairway_tests::servers::process::Signal;
use stairway_tests::{
    Backend, Finished, Program, Running, Session, TestDatabase, available_backends, wait_until,
};

const DEADLINE: Duration = Duration::from_mins(1);

fn server() -> Program {
    Program::at(env!("CARGO_BIN_EXE_stairway-server"))
}

/// An address of this machine where nothing listens.
fn free_address() -> SocketAddr {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port is free")
}

fn healthcheck(address: SocketAddr, path: &str) -> Finished {
    server()
        .args([
            "healthcheck",
            "--listen",
            &address.to_string(),
            "--path",
            path,
        ])
        .run()
}

fn wait_until_ready(address: SocketAddr, running: &mut Running) {
    wait_until("the server is ready", DEADLINE, || {
        assert!(running.is_running(), "it has ended: {}", running.stderr());
        healthcheck(address, "/health/ready").code == 0
    });
}

#[test]
fn it_migrates_the_embedded_database_and_ends_well_when_it_is_asked_to() {
    let address = free_address();
    let mut running = server().env("STAIRWAY_LISTEN", address.to_string()).spawn();
    wait_until_ready(address, &mut running);
    let status = healthcheck(address, "/health/migrations");
    assert!(
        status.stdout.starts_with("200 {") && status.stdout.contains("\"is_up_to_date\":true"),
        "{status}"
    );
    let missing = healthcheck(address, "/nowhere");
    assert_eq!(
        (missing.code, &missing.stdout[..4]),
        (1, "404 "),
        "{missing}"
    );
    running.signal(Signal::Terminate);
    let ended = running.wait(DEADLINE);
    assert_eq!(ended.code, 0, "{ended}");
    assert!(
        ended.stderr.lines().all(|line| line.starts_with('{')),
        "JSON where there is no terminal: {ended}"
    );
    for stage in [
        "start-up begins",
        "\"message\":\"start-up: connecting to the database\",\"database\":\"default\",\"stage\":\"connect\"",
        "start-up: looking where the database stands",
        "start-up: applying revisions",
        "start-up: verifying",
        "start-up is over",
        " for everything",
        "using the embedded database",
    ] {
        assert!(ended.stderr.contains(stage), "{stage} in {ended}");
    }
    assert_eq!(
        healthcheck(address, "/health/live").code,
        1,
        "nobody answers any more"
    );
}

#[test]
fn its_exit_code_says_what_kept_it_from_starting() {
    let address = free_address().to_string();
    let run = |variables: &[(&str, &str)]| {
        let mut program = server()
            .env("STAIRWAY_LISTEN", &address)
            .env("MIGRATION_WAIT_TIMEOUT", "300ms");
        for (name, value) in variables {
            program = program.env(name, value);
        }
        program.run()
    };
    let unreachable = run(&[("DATABASE_URL", "postgres://app:s3cret@127.0.0.1:1/shop")]);
    assert_eq!(unreachable.code, 5, "{unreachable}");
    assert!(!unreachable.stderr.contains("s3cret"), "{unreachable}");
    for words in [
        "start-up failed; next: check that the server runs",
        "the server ends with exit code 5",
    ] {
        assert!(
            unreachable.stderr.contains(words),
            "{words} in {unreachable}"
        );
    }
    let malformed = run(&[("DATABASE_URL", "ftp://app:s3cret@nowhere")]);
    assert_eq!(malformed.code, 2, "{malformed}");
    assert!(!malformed.stderr.contains("s3cret"), "{malformed}");
    assert_eq!(run(&[("MIGRATION_WAIT_TIMEOUT", "soon")]).code, 2);
    assert_eq!(run(&[("STAIRWAY_READY_WHEN", "always")]).code, 2);
    assert_eq!(server().args(["--unknown"]).run().code, 2);
    let help = server().args(["--help"]).run();
    assert!(
        help.code == 0 && help.stdout.contains("--internal-listen"),
        "{help}"
    );

    let taken = TcpListener::bind(&address).expect("the port is free");
    let refused = run(&[]);
    assert_eq!(refused.code, 1, "{refused}");
    assert!(
        refused.stderr.contains("--listen or STAIRWAY_LISTEN"),
        "{refused}"
    );
    drop(taken);
}

#[test]
fn a_failure_that_is_tolerated_leaves_it_alive_and_not_ready() {
    let address = free_address();
    let mut running = server()
        .env("STAIRWAY_LISTEN", address.to_string())
        .env("DATABASE_URL", "postgres://app:s3cret@127.0.0.1:1/shop")
        .env("MIGRATION_WAIT_TIMEOUT", "300ms")
        .env("MIGRATION_FAIL_ON_ERROR", "false")
        .spawn();
    wait_until("start-up is over", DEADLINE, || {
        assert!(running.is_running(), "it has ended: {}", running.stderr());
        healthcheck(address, "/health/startup").code == 0
    });
    let ready = healthcheck(address, "/health/ready");
    assert!(
        ready.code == 1 && ready.stdout.contains("\"status\":\"failed\""),
        "{ready}"
    );
    assert!(!ready.stdout.contains("s3cret"), "{ready}");
    assert_eq!(healthcheck(address, "/health/live").code, 0);
    running.signal(Signal::Interrupt);
    let ended = running.wait(DEADLINE);
    assert_eq!(ended.code, 0, "{ended}");
}

#[test]
fn several_databases_of_the_settings_file_are_all_served() {
    let address = free_address();
    let program = server().env("STAIRWAY_LISTEN", address.to_string());
    let file = program.working_directory().join("stairway.toml");
    let settings = "[databases.orders]\nurl = \"sqlite://orders.db?mode=rwc\"\n\n[databases.users]\nurl = \"sqlite://users.db?mode=rwc\"\n";
    std::fs::write(&file, settings).expect("the file can be written");
    let mut running = program.spawn();
    wait_until_ready(address, &mut running);
    for name in ["orders", "users"] {
        let status = healthcheck(address, &format!("/health/migrations?database={name}"));
        assert!(
            status.code == 0 && status.stdout.contains(&format!("\"database\":\"{name}\"")),
            "{status}"
        );
    }
    running.signal(Signal::Terminate);
    assert_eq!(running.wait(DEADLINE).code, 0);
}

#[test]
fn with_an_internal_address_metrics_are_only_there() {
    let (address, internal) = (free_address(), free_address());
    let mut running = server()
        .args([
            "--listen",
            &address.to_string(),
            "--internal-listen",
            &internal.to_string(),
        ])
        .spawn();
    wait_until_ready(address, &mut running);
    assert_eq!(healthcheck(address, "/metrics").code, 1);
    let metrics = healthcheck(internal, "/metrics");
    assert!(
        metrics.code == 0
            && metrics
                .stdout
                .contains("db_migration_up_to_date{database=\"default\"} 1"),
        "{metrics}"
    );
    running.signal(Signal::Terminate);
    assert_eq!(running.wait(DEADLINE).code, 0);
}

/// A PostgreSQL database with the reference application's revisions up to this one, where there is a
/// server to make it on.
fn postgres_at(revision: &str) -> Option<TestDatabase> {
    if !available_backends().contains(&Backend::Postgres) {
        return None;
    }
    let database = TestDatabase::create(Backend::Postgres);
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let migrated = runtime.block_on(manager(&database).upgrade(revision));
    migrated.expect("the revisions are sound");
    Some(database)
}

fn manager(database: &TestDatabase) -> Manager {
    let sources = stairway_migration::SOURCES;
    let migrations =
        MigrationSet::from_sources::<stairway_migration::Migrator>(sources).expect("a sound graph");
    Manager::new(
        migrations,
        Config::new(database.url()).expect("a sound URL"),
    )
}

fn applied(database: &TestDatabase) -> (usize, bool) {
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    let status = runtime
        .block_on(manager(database).migration_status())
        .expect("it can be read");
    (status.applied_count, status.interrupted.is_empty())
}

/// The server, stuck in the step that adds a column to `users`, because somebody else has locked it.
fn stuck_in_a_step(database: &TestDatabase) -> (Running, Session) {
    let mut other = database.session();
    other.execute("BEGIN");
    other.execute("LOCK TABLE users");
    let address = free_address();
    let running = server()
        .env("STAIRWAY_LISTEN", address.to_string())
        .env("MIGRATION_STATEMENT_LOCK_TIMEOUT", "60s")
        .database(database)
        .spawn();
    wait_until("the step is running", DEADLINE, || {
        let startup = healthcheck(address, "/health/startup");
        startup
            .stdout
            .contains("\"revision\":\"m20260211_090000_add_users_email_verified\"")
    });
    (running, other)
}

#[test]
fn a_signal_in_the_middle_of_a_step_lets_the_step_end_and_then_ends_well() {
    let Some(database) = postgres_at("m20260209_090000_merge_evaluations") else {
        return;
    };
    let (before, _) = applied(&database);
    let (mut running, mut other) = stuck_in_a_step(&database);
    running.signal(Signal::Terminate);
    wait_until("it has heard", DEADLINE, || {
        running.stderr().contains("runs end after their step")
    });
    assert!(running.is_running(), "the step is still on its way");
    other.execute("COMMIT");
    let ended = running.wait(DEADLINE);
    assert_eq!(ended.code, 0, "{ended}");
    assert_eq!(
        applied(&database),
        (before + 1, true),
        "the step that ran, and no other"
    );
}

#[test]
fn a_second_signal_cancels_the_running_statement_and_leaves_the_database_between_steps() {
    let Some(database) = postgres_at("m20260209_090000_merge_evaluations") else {
        return;
    };
    let (before, _) = applied(&database);
    let (running, mut other) = stuck_in_a_step(&database);
    running.signal(Signal::Terminate);
    wait_until("it has heard", DEADLINE, || {
        running.stderr().contains("runs end after their step")
    });
    running.signal(Signal::Terminate);
    let ended = running.wait(DEADLINE);
    assert_eq!(ended.code, 143, "{ended}");
    other.execute("COMMIT");
    assert_eq!(
        applied(&database),
        (before, true),
        "the step was taken back"
    );
}
