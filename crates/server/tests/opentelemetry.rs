//! A collector really gets the spans of a run, as the documentation describes them.
//!
//! Only built with the feature `opentelemetry`; `cargo xtask test` runs it.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::{KeyValue, any_value::Value};
use opentelemetry_proto::tonic::trace::v1::{Span, status::StatusCode};
use prost::Message as _;
use stairway_tests::servers::process::Signal;
use stairway_tests::{Backend, Finished, Program, TestDatabase, on_each_backend, wait_until};

const DEADLINE: Duration = Duration::from_mins(1);

/// What the collector got: paths with their headers, and what was exported.
#[derive(Clone, Default)]
struct Received {
    requests: Arc<Mutex<Vec<(String, ExportTraceServiceRequest)>>>,
}

/// A collector on a free port, which answers with this status.
fn collector(status: u16) -> (SocketAddr, Received) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound");
    let received = Received::default();
    let shared = received.clone();
    thread::spawn(move || {
        for stream in listener.incoming().flatten() {
            let shared = shared.clone();
            thread::spawn(move || while receive(&stream, status, &shared).is_some() {});
        }
    });
    (address, received)
}

/// Takes one request of a connection that is kept.
fn receive(mut stream: &TcpStream, status: u16, received: &Received) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).ok()? == 0 {
            return None;
        }
        if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length: ") {
            length = value.trim().parse().ok()?;
        }
        if line.trim().is_empty() {
            break;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let export = ExportTraceServiceRequest::decode(body.as_slice()).expect("it is protobuf");
    let mut requests = received.requests.lock().expect("no panic");
    requests.push((head, export));
    drop(requests);
    let answer = format!("HTTP/1.1 {status} x\r\ncontent-length: 0\r\n\r\n");
    stream.write_all(answer.as_bytes()).ok()
}

impl Received {
    fn requests(&self) -> Vec<(String, ExportTraceServiceRequest)> {
        self.requests.lock().expect("no panic").clone()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests().into_iter();
        requests
            .flat_map(|(_, export)| export.resource_spans)
            .flat_map(|of_resource| of_resource.scope_spans)
            .flat_map(|of_scope| of_scope.spans)
            .collect()
    }

    fn resource(&self) -> BTreeMap<String, String> {
        let (_, export) = self.requests().remove(0);
        let resource = export.resource_spans[0].resource.clone();
        texts(&resource.expect("a resource").attributes)
    }
}

fn texts(attributes: &[KeyValue]) -> BTreeMap<String, String> {
    let text = |attribute: &KeyValue| {
        let value = attribute.value.as_ref()?.value.as_ref()?;
        let text = match value {
            Value::StringValue(text) => text.clone(),
            Value::IntValue(number) => number.to_string(),
            Value::BoolValue(is_so) => is_so.to_string(),
            other => format!("{other:?}"),
        };
        Some((attribute.key.clone(), text))
    };
    attributes.iter().filter_map(text).collect()
}

/// Runs the server until its start-up has ended, one way or the other, and ends it.
fn run(database: &TestDatabase, collector: SocketAddr) -> Finished {
    let address = TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a port is free");
    let server = || Program::at(env!("CARGO_BIN_EXE_stairway-server"));
    let mut running = server()
        .env("STAIRWAY_LISTEN", address.to_string())
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{collector}"))
        .env(
            "OTEL_EXPORTER_OTLP_HEADERS",
            "authorization=Bearer%20T0P53CR37",
        )
        .env(
            "OTEL_RESOURCE_ATTRIBUTES",
            "deployment.environment.name=test",
        )
        .env("MIGRATION_MAX_RETRY_ATTEMPTS", "0")
        .database(database)
        .spawn();
    wait_until("start-up is over", DEADLINE, || {
        let check = [
            "healthcheck",
            "--listen",
            &address.to_string(),
            "--path",
            "/health/ready",
        ];
        !running.is_running() || server().args(check).run().code == 0
    });
    if running.is_running() {
        running.signal(Signal::Terminate);
    }
    let ended = running.wait(DEADLINE);
    assert!(!format!("{ended}").contains("T0P53CR37"), "{ended}");
    ended
}

#[test]
fn a_collector_gets_a_run_with_its_revisions_and_their_statements() {
    on_each_backend(|database| {
        let (address, received) = collector(200);
        let ended = run(&database, address);
        assert_eq!(ended.code, 0, "{ended}");
        for (head, _) in received.requests() {
            let head = head.to_ascii_lowercase();
            assert!(head.starts_with("post /v1/traces http/1.1"), "{head}");
            assert!(
                head.contains("content-type: application/x-protobuf"),
                "{head}"
            );
            assert!(head.contains("authorization: bearer t0p53cr37"), "{head}");
        }
        let resource = received.resource();
        assert_eq!(resource["service.name"], "stairway-server");
        assert_eq!(resource["deployment.environment.name"], "test");
        assert!(resource.contains_key("service.version"), "{resource:?}");

        let spans = received.spans();
        let runs: Vec<&Span> = spans
            .iter()
            .filter(|span| span.parent_span_id.is_empty())
            .collect();
        let [run] = runs.as_slice() else {
            panic!("{} runs: {runs:#?}", runs.len());
        };
        let fields = texts(&run.attributes);
        assert_eq!(run.name, "upgrade");
        assert_eq!(fields["database"], "default");
        assert_eq!(fields["to"], "heads");
        assert_eq!(fields["outcome"], "succeeded");
        assert!(fields["run_id"].contains('-'), "{fields:?}");
        let count: usize = fields["steps"].parse().expect("a number");

        let below = |parent: &Span| -> Vec<&Span> {
            let id = &parent.span_id;
            spans
                .iter()
                .filter(|span| span.parent_span_id == *id)
                .collect()
        };
        let revisions = below(run);
        assert_eq!(revisions.len(), count);
        assert!(count > 20, "{count}");
        let mut statements = 0;
        for revision in revisions {
            let fields = texts(&revision.attributes);
            assert_eq!(revision.name, format!("upgrade {}", fields["revision"]));
            assert_eq!(fields["outcome"], "succeeded");
            let transactional = database.backend() != Backend::MySql;
            if !transactional {
                assert_eq!(fields["transactional"], "false");
            }
            assert_eq!(revision.trace_id, run.trace_id);
            let below = below(revision);
            assert_eq!(fields["statements"], below.len().to_string(), "{fields:?}");
            statements += below.len();
            for statement in below {
                let fields = texts(&statement.attributes);
                assert!(!fields["sql"].is_empty(), "{fields:?}");
                assert_eq!(fields["outcome"], "succeeded");
                assert!(statement.end_time_unix_nano >= statement.start_time_unix_nano);
                assert!(statement.start_time_unix_nano >= revision.start_time_unix_nano);
                assert!(statement.end_time_unix_nano <= revision.end_time_unix_nano);
            }
        }
        assert_eq!(spans.len(), 1 + count + statements, "nothing else is sent");
        // Log lines are events of the span that they belong to.
        let logged = run
            .events
            .iter()
            .any(|event| event.name.contains("Starting database migration"));
        assert!(logged, "{:?}", run.events);
    });
}

#[test]
fn a_failed_revision_its_statement_and_its_run_are_marked_as_failed() {
    on_each_backend(|database| {
        database.execute("CREATE TABLE users (id int)");
        let (address, received) = collector(200);
        let ended = run(&database, address);
        assert_eq!(ended.code, 1, "{ended}");
        let failed: Vec<Span> = received
            .spans()
            .into_iter()
            .filter(|span| {
                let status = span.status.as_ref().map(|status| status.code);
                status == Some(StatusCode::Error as i32)
            })
            .collect();
        let mut names: Vec<&str> = failed.iter().map(|span| span.name.as_str()).collect();
        names.sort_unstable();
        let revision = "upgrade m20260105_090000_create_users";
        assert_eq!(names, ["statement", "upgrade", revision]);
        for span in &failed {
            assert_eq!(texts(&span.attributes)["outcome"], "failed");
        }
        let run = failed
            .iter()
            .find(|span| span.name == "upgrade")
            .expect("it is there");
        assert!(texts(&run.attributes)["error"].contains("users"));
    });
}

#[test]
fn a_collector_that_is_away_or_refuses_changes_nothing_and_is_told_of_once() {
    let (refusing, _) = collector(403);
    for (address, words) in [
        (refusing, "it answered 403"),
        (
            "127.0.0.1:1".parse().expect("an address"),
            "it can't be connected to",
        ),
    ] {
        let database = TestDatabase::create(Backend::Sqlite);
        let ended = run(&database, address);
        assert_eq!(ended.code, 0, "{ended}");
        let told = format!("Spans could not be sent to the collector: {words}");
        assert_eq!(ended.stderr.matches(&told).count(), 1, "{ended}");
    }
}
