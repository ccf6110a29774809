//! The pages beside the runbook.

use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use stairway_tests::servers::process::Signal;
use stairway_tests::{TestDatabase, has_programs, wait_until};

use super::kubernetes;
use crate::deploy::path;
use crate::pages::{Section, Shell};

const PATIENCE: Duration = Duration::from_mins(1);

/// An address of this machine where nobody listens.
fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
    listener.expect("a port is free").to_string()
}

pub(super) fn three_ways_to_deploy(section: &mut Section, _: &TestDatabase) {
    let apply = section.shows("kubectl apply -k deploy/kubernetes/init-container");
    kubernetes::check(&apply.command);
}

/// There is no container engine, but the server that would run in the container.
pub(super) fn docker_compose(section: &mut Section, database: &TestDatabase) {
    let up = section.shows(
        "POSTGRES_PASSWORD=secret docker compose --file deploy/docker-compose.yml up --build",
    );
    kubernetes::check_compose(&up.command);
    kubernetes::check_published("localhost:8000");
    if !has_programs(&["curl"]) {
        section.leave_out_the_rest();
        return;
    }
    let shell = Shell::on(database).env("STAIRWAY_LISTEN", free_address());
    let server = shell.program("exec stairway-server").spawn();
    wait_until("the server is ready", PATIENCE, || {
        let asked = shell.program("stairway-server healthcheck").run();
        asked.code == 0
    });
    let answer = section.run(&shell, "curl http://localhost:8000/health/migrations", 0);
    assert!(answer.stdout.contains("\"is_up_to_date\":true"), "{answer}");
    server.signal(Signal::Terminate);
    assert_eq!(server.wait(PATIENCE).code, 0);
}

/// The server as it is started, with one address and with two, and asked.
pub(super) fn the_server(section: &mut Section, database: &TestDatabase) {
    let (address, internal) = (free_address(), free_address());
    let shell = Shell::on(database)
        .env("STAIRWAY_LISTEN", &address)
        .env("INTERNAL_LISTEN", &internal);
    let alone = section.shows("stairway-server");
    let both =
        section.shows("stairway-server --listen 0.0.0.0:8000 --internal-listen 127.0.0.1:9000");
    let asks = section.shows("stairway-server healthcheck");
    for (shown, listens) in [(alone, vec![&address]), (both, vec![&address, &internal])] {
        let mut server = shell.program(&format!("exec {}", shown.command)).spawn();
        let mut answer = None;
        wait_until("the server is ready", PATIENCE, || {
            assert!(server.is_running(), "{}", server.stdout());
            let run = shell.program(&asks.command).run();
            let is_ready = run.code == 0;
            answer = Some(run);
            is_ready
        });
        let answer = answer.expect("it was asked");
        asks.ended(&shell, &answer, 0);
        assert!(answer.stdout.starts_with("200 {"), "{answer}");
        for listens in listens {
            assert!(TcpStream::connect(listens).is_ok(), "{listens}");
        }
        server.signal(Signal::Terminate);
        shown.ended(&shell, &server.wait(PATIENCE), 0);
    }
}

/// Alerts are well formed, and fire when they should and only then.
pub(super) fn alerts(section: &mut Section, _: &TestDatabase) {
    if !has_programs(&["promtool"]) {
        section.leave_out_the_rest();
        return;
    }
    let shell = Shell::new().in_directory(path(""));
    section.run(
        &shell,
        "promtool check rules deploy/prometheus/alerts.yml",
        0,
    );
    section.run(
        &shell,
        "promtool test rules deploy/prometheus/alerts.test.yml",
        0,
    );
}
