//! The pages beside the runbook.

use std::net::TcpListener;
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
