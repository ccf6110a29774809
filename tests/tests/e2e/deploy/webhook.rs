//! The message after `run` and `upgrade`, sent by the real binary.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use stairway_tests::servers::process::Signal;
use stairway_tests::{
    Backend, Finished, Program, TestDatabase, on_each_backend, stairway, stairway_server,
    wait_until,
};

const SECRET: &str = "T0P53CR37";

/// How long a message may take to arrive.
const PATIENCE: Duration = Duration::from_mins(1);

/// A receiver that takes every message and answers with this status.
pub(super) fn receiver(status: u16) -> (String, Receiver<Value>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!(
        "http://{}/hooks/{SECRET}",
        listener.local_addr().expect("an address")
    );
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let Some(message) = stream.ok().and_then(|stream| receive(stream, status)) else {
                continue;
            };
            if sender.send(message).is_err() {
                return;
            }
        }
    });
    (url, receiver)
}

fn receive(mut stream: TcpStream, status: u16) -> Option<Value> {
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    let mut length = 0;
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).ok()?;
    serde_json::from_slice(&body).ok()
}

#[test]
fn success_is_told_of_with_what_was_applied_and_a_run_without_work_is_not() {
    on_each_backend(|database| {
        let (url, messages) = receiver(200);
        let run = |words: &[&str]| {
            let run = stairway()
                .args(words)
                .database(&database)
                .env("MIGRATION_WEBHOOK_URL", &url)
                .env("MIGRATION_APPLICATION_VERSION", "2.1.0")
                .run();
            assert_eq!(run.code, 0, "{run}");
            assert!(!format!("{run}").contains(SECRET), "{run}");
        };
        run(&["upgrade", "--dry-run"]);
        run(&["upgrade", "--steps", "2"]);
        let message = messages.recv_timeout(PATIENCE).expect("a message");
        assert_eq!(message["outcome"], "succeeded", "{message}");
        assert_eq!(message["command"], "upgrade", "{message}");
        assert_eq!(
            message["applied"].as_array().map(Vec::len),
            Some(2),
            "{message}"
        );
        assert_eq!(message["application_version"], "2.1.0", "{message}");
        run(&["run"]);
        let message = messages.recv_timeout(PATIENCE).expect("a message");
        assert_eq!(message["command"], "run", "{message}");
        // Nothing is left to do: the next message would be this one's.
        run(&["run"]);
        run(&["downgrade", "-1", "--yes"]);
        run(&["upgrade"]);
        let message = messages.recv_timeout(PATIENCE).expect("a message");
        assert_eq!(message["command"], "upgrade", "{message}");
        assert_eq!(
            message["applied"].as_array().map(Vec::len),
            Some(1),
            "{message}"
        );
        assert!(messages.try_recv().is_err());
    });
}

#[test]
fn a_failure_is_told_of_with_the_revision_and_what_to_do_in_the_form_for_slack_too() {
    on_each_backend(|database| {
        // What the first revision makes is in its way.
        database.execute("CREATE TABLE users (id int)");
        let (url, messages) = receiver(200);
        for format in ["json", "slack"] {
            let run = stairway()
                .args(["run"])
                .database(&database)
                .env("MIGRATION_WEBHOOK_URL", &url)
                .env("MIGRATION_WEBHOOK_FORMAT", format)
                .run();
            assert_ne!(run.code, 0, "{run}");
            assert!(!format!("{run}").contains(SECRET), "{run}");
        }
        let message = messages.recv_timeout(PATIENCE).expect("a message");
        assert_eq!(message["outcome"], "failed", "{message}");
        let error = &message["error"];
        assert_eq!(
            error["revision"], "m20260105_090000_create_users",
            "{message}"
        );
        assert!(
            error["message"]
                .as_str()
                .is_some_and(|text| text.contains("users")),
            "{message}"
        );
        let message = messages.recv_timeout(PATIENCE).expect("a message");
        let text = message["text"].as_str().expect("a text");
        assert!(text.starts_with(":x: *Migration failed*"), "{text}");
        assert!(text.contains("m20260105_090000_create_users"), "{text}");
    });
}

#[test]
fn a_failure_that_is_lived_with_is_told_of_as_a_failure() {
    let database = TestDatabase::create(Backend::Sqlite);
    database.execute("CREATE TABLE users (id int)");
    let (url, messages) = receiver(200);
    let run = stairway()
        .args(["run"])
        .database(&database)
        .env("MIGRATION_WEBHOOK_URL", &url)
        .env("MIGRATION_FAIL_ON_ERROR", "false")
        .run();
    assert_eq!(run.code, 0, "{run}");
    assert_eq!(
        messages.recv_timeout(PATIENCE).expect("a message")["outcome"],
        "failed"
    );
}

/// The server over a database, on a free port.
fn server(database: &TestDatabase, webhook: &str) -> (Program, String) {
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .to_string();
    let program = stairway_server()
        .database(database)
        .env("STAIRWAY_LISTEN", &address)
        .env("MIGRATION_WEBHOOK_URL", webhook);
    (program, address)
}

/// Runs the server until it says 200 there, and ends it.
fn until_ready(program: Program, address: &str, path: &str) -> Finished {
    let mut running = program.spawn();
    wait_until("start-up is over", PATIENCE, || {
        assert!(running.is_running(), "{}", running.stderr());
        let check = ["healthcheck", "--listen", address, "--path", path];
        stairway_server().args(check).run().code == 0
    });
    running.signal(Signal::Terminate);
    let ended = running.wait(PATIENCE);
    assert_eq!(ended.code, 0, "{ended}");
    assert!(!format!("{ended}").contains(SECRET), "{ended}");
    ended
}

#[test]
fn the_server_tells_of_its_start_up_as_run_does() {
    on_each_backend(|database| {
        let (url, messages) = receiver(200);
        let next = || messages.recv_timeout(PATIENCE).expect("a message");
        // What the third revision makes is in its way.
        database.execute("CREATE TABLE projects (id int)");
        let (program, _) = server(&database, &url);
        let ended = program.run();
        assert_eq!(ended.code, 1, "{ended}");
        assert!(!format!("{ended}").contains(SECRET), "{ended}");
        let failed = next();
        assert_eq!(failed["outcome"], "failed", "{failed}");
        assert_eq!(failed["command"], "start-up", "{failed}");
        let revision = "m20260108_110000_create_projects";
        assert_eq!(failed["error"]["revision"], revision, "{failed}");
        assert!(failed["run_id"].is_string(), "{failed}");

        let (program, address) = server(&database, &url);
        let program = program.env("MIGRATION_FAIL_ON_ERROR", "false");
        until_ready(program, &address, "/health/startup");
        assert_eq!(next()["outcome"], "failed", "also if it serves on");

        database.execute("DROP TABLE projects");
        let (program, address) = server(&database, &url);
        until_ready(program, &address, "/health/ready");
        let done = next();
        assert_eq!(done["outcome"], "succeeded", "{done}");
        let applied = done["applied"].as_array().map(Vec::len);
        assert_eq!(applied, Some(24), "{done}");

        // A restart has nothing to do, and a server that only looks did nothing.
        let (program, address) = server(&database, &url);
        until_ready(program, &address, "/health/ready");
        let (program, address) = server(&database, &url);
        let program = program.env("MIGRATION_AUTO_UPGRADE", "false");
        until_ready(program, &address, "/health/ready");
        assert!(messages.try_recv().is_err());
    });
}

#[test]
fn a_receiver_that_hangs_keeps_no_server_from_being_ready() {
    let database = TestDatabase::create(Backend::Sqlite);
    // Connections are taken by the system, and nobody ever reads.
    let hanging = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let url = format!(
        "http://{}/{SECRET}",
        hanging.local_addr().expect("an address")
    );
    let (program, address) = server(&database, &url);
    let program = program.env("MIGRATION_WEBHOOK_TIMEOUT", "2s");
    let ended = until_ready(program, &address, "/health/ready");
    assert!(
        ended
            .stderr
            .contains("The webhook could not be told of the run"),
        "{ended}"
    );
}

#[test]
fn a_receiver_that_refuses_or_is_not_there_changes_nothing_but_a_warning() {
    let (refusing, _messages) = receiver(500);
    let unused = TcpListener::bind("127.0.0.1:0")
        .expect("a free port")
        .local_addr()
        .expect("an address");
    for url in [refusing, format!("http://{unused}/{SECRET}")] {
        let database = TestDatabase::create(Backend::Sqlite);
        let run = stairway()
            .args(["upgrade"])
            .database(&database)
            .env("MIGRATION_WEBHOOK_URL", url)
            .env("MIGRATION_WEBHOOK_TIMEOUT", "3s")
            .run();
        assert_eq!(run.code, 0, "{run}");
        assert!(
            run.stderr
                .contains("The webhook could not be told of the run"),
            "{run}"
        );
        assert!(!format!("{run}").contains(SECRET), "{run}");
    }
}

#[test]
fn an_address_that_is_none_is_wrong_usage_and_is_not_shown() {
    let database = TestDatabase::create(Backend::Sqlite);
    let run = stairway()
        .args(["upgrade"])
        .database(&database)
        .env(
            "MIGRATION_WEBHOOK_URL",
            format!("hooks.example.com/{SECRET}"),
        )
        .run();
    assert_eq!(run.code, 2, "{run}");
    assert!(run.stderr.contains("MIGRATION_WEBHOOK_URL"), "{run}");
    assert!(!format!("{run}").contains(SECRET), "{run}");
}
