//! Metrics over HTTP, judged by Prometheus' own tool.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::sync::Once;

use axum::http::StatusCode;
use stairway_plan::event::EventKind;
use stairway_plan::plan::Direction;
use stairway_plan::position::DatabaseState;
use stairway_plan::revision::RevisionId;

use super::fake::{Behaviour, Endpoints, in_state, settings, unreachable};

fn value(text: &str, series: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        (name == series).then(|| value.to_owned())
    })
}

/// Says on the real standard error, for the test runner hides what a passing test prints, that
/// promtool is missing.
fn say_not_checked() {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let missing = "promtool (Debian package `prometheus`) is not installed";
        drop(writeln!(
            std::io::stderr(),
            "\nstairway-server: NOT CHECKED: the metrics: {missing}"
        ));
    });
}

/// Holds a text against `promtool check metrics`, where that is installed.
fn check_with_promtool(text: &str) {
    let child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = child else {
        say_not_checked();
        return;
    };
    child
        .stdin
        .take()
        .expect("piped")
        .write_all(text.as_bytes())
        .expect("promtool reads");
    let output = child.wait_with_output().expect("promtool ends");
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    assert!(
        output.status.success() && said.trim().is_empty(),
        "promtool: {said}\n{text}"
    );
}

#[tokio::test]
async fn the_metrics_pass_promtool_in_every_state() {
    let endpoints = Endpoints::of(&["orders", "us\"ers\\\n"], settings());
    for state in DatabaseState::ALL {
        endpoints.databases[0].stand(in_state("orders", state));
        endpoints.databases[1].behave(Behaviour::Fails(unreachable()));
        endpoints.happens(
            1,
            EventKind::StepFinished {
                revision: RevisionId::from("m1"),
                direction: Direction::Upgrade,
                elapsed_ms: 1_234,
                statements: 2,
                rows_affected: 0,
            },
        );
        endpoints.happens(
            2,
            EventKind::RunFinished {
                run_id: "r".to_owned(),
                steps: 1,
                elapsed_ms: 2_000,
            },
        );
        let reply = endpoints.get("/metrics").await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(
            reply.header("content-type"),
            "text/plain; version=0.0.4; charset=utf-8"
        );
        let series = format!(
            "db_migration_state{{database=\"orders\",state=\"{}\"}}",
            state.as_str()
        );
        assert_eq!(value(reply.text(), &series).as_deref(), Some("1"));
        check_with_promtool(reply.text());
    }
}

#[tokio::test]
async fn the_metrics_are_there_however_the_database_is() {
    let endpoints = Endpoints::started(settings()).await;
    let up_to_date = "db_migration_up_to_date{database=\"default\"}";
    assert_eq!(
        value(endpoints.get("/metrics").await.text(), up_to_date).as_deref(),
        Some("1")
    );
    endpoints.database().behave(Behaviour::Fails(unreachable()));
    let reply = endpoints.get("/metrics").await;
    assert_eq!(reply.status, StatusCode::OK);
    assert_eq!(value(reply.text(), up_to_date).as_deref(), Some("0"));
    let readable = "db_migration_database_readable{database=\"default\"}";
    assert_eq!(value(reply.text(), readable).as_deref(), Some("0"));
}
