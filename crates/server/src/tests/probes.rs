//! What orchestrators decide on: when a container is alive, started and ready.

use std::sync::Arc;
use std::time::Duration;

use axum::http::StatusCode;
use futures_util::FutureExt;
use serde_json::json;
use stairway_core::Error;
use stairway_plan::event::{EventKind, LockHolder, Stage};
use stairway_plan::plan::Direction;
use stairway_plan::position::DatabaseState;
use stairway_plan::revision::RevisionId;
use tokio::sync::Notify;

use super::fake::{
    Behaviour, Endpoints, ask, get_request, in_state, report, settings, unreachable,
};
use crate::settings::{ReadyWhen, ServerSettings};

const OK: StatusCode = StatusCode::OK;
const UNAVAILABLE: StatusCode = StatusCode::SERVICE_UNAVAILABLE;

#[tokio::test]
async fn health_says_ok_and_the_version_and_nothing_else() {
    let endpoints = Endpoints::new(settings());
    let reply = endpoints.get("/health").await;
    assert_eq!(
        (reply.status, reply.json()),
        (OK, json!({"status": "ok", "version": "1.4.2"}))
    );
    assert_eq!(reply.text(), r#"{"status":"ok","version":"1.4.2"}"#);
}

#[tokio::test]
async fn liveness_never_asks_the_database() {
    let endpoints = Endpoints::new(settings());
    endpoints.database().behave(Behaviour::Hangs);
    assert_eq!(endpoints.get("/health/live").await.status, OK);
    assert_eq!(endpoints.get("/health").await.status, OK);
    assert_eq!(
        endpoints
            .database()
            .questions
            .load(std::sync::atomic::Ordering::SeqCst),
        0
    );
}

fn step_started() -> EventKind {
    EventKind::StepStarted {
        revision: RevisionId::from("m20260102_100000_add_email"),
        message: "add email".to_owned(),
        direction: Direction::Upgrade,
        position: 2,
        total: 4,
        transactional: true,
    }
}

fn statement_finished() -> EventKind {
    EventKind::StatementFinished {
        revision: RevisionId::from("m20260102_100000_add_email"),
        index: 1,
        rows_affected: 0,
        elapsed_ms: 5,
    }
}

#[tokio::test]
async fn while_a_migration_runs_the_probes_show_its_stage_revision_and_progress() {
    let endpoints = Endpoints::new(settings());
    let go_on = Arc::new(Notify::new());
    let waiting = Arc::clone(&go_on);
    endpoints.database().start_up_with(move || {
        let waiting = Arc::clone(&waiting);
        async move {
            waiting.notified().await;
            Ok(())
        }
        .boxed()
    });
    let state = endpoints.state.clone();
    let start_up = tokio::spawn(async move { state.start_up().await });
    while endpoints.state.startup()[0].started_at.is_none() {
        tokio::task::yield_now().await;
    }
    endpoints.happens(
        1,
        EventKind::StageStarted {
            stage: Stage::Migrate,
        },
    );
    endpoints.happens(2, step_started());
    endpoints.happens(3, statement_finished());

    assert_eq!(endpoints.get("/health/live").await.status, OK);
    for path in ["/health/startup", "/health/ready"] {
        let reply = endpoints.get(path).await;
        assert_eq!(reply.status, UNAVAILABLE, "{path}");
        let body = reply.json();
        assert_eq!(body["status"], "starting", "{path}");
        assert_eq!(body["stage"], "migrate");
        assert_eq!(body["revision"], "m20260102_100000_add_email");
        assert_eq!(
            body["progress"],
            json!({"done": 1, "position": 2, "total": 4, "statements_done": 1, "percent": 25})
        );
        assert_eq!(body.get("databases"), None, "there is only one");
    }

    go_on.notify_one();
    start_up.await.expect("no panic").expect("it goes well");
    for path in ["/health/startup", "/health/ready"] {
        let reply = endpoints.get(path).await;
        assert_eq!(
            (reply.status, &reply.json()["stage"]),
            (OK, &json!("ready")),
            "{path}"
        );
        assert_eq!(
            reply.json()["revision"],
            json!(null),
            "nothing runs any more"
        );
    }
}

#[tokio::test]
async fn what_start_up_waits_for_is_told() {
    let endpoints = Endpoints::new(settings());
    endpoints.happens(
        1,
        EventKind::WaitingForDatabase {
            attempt: 3,
            error: "connection refused".to_owned(),
            retry_in_ms: 500,
            time_left_ms: 40_000,
        },
    );
    let body = endpoints.get("/health/startup").await.json();
    assert_eq!(
        body["waiting_for"],
        json!({"what": "database", "attempt": 3, "time_left_ms": 40_000})
    );
    assert_eq!(body["error"], "connection refused");

    let holder = LockHolder {
        application: Some("stairway 7@web-2".to_owned()),
        ..LockHolder::default()
    };
    endpoints.happens(
        2,
        EventKind::StageStarted {
            stage: Stage::Inspect,
        },
    );
    endpoints.happens(
        3,
        EventKind::WaitingForLock {
            holder: Some(holder),
            waited_ms: 900,
            time_left_ms: 599_100,
        },
    );
    let body = endpoints.get("/health/startup").await.json();
    assert_eq!(
        body["waiting_for"],
        json!({"what": "lock", "holder": "stairway 7@web-2", "waited_ms": 900, "time_left_ms": 599_100})
    );
    endpoints.happens(4, EventKind::LockAcquired { waited_ms: 1_000 });
    assert_eq!(
        endpoints.get("/health/startup").await.json()["waiting_for"],
        json!(null)
    );
}

/// Which policies let the service be ready in a state.
fn ready_in(state: DatabaseState) -> &'static [ReadyWhen] {
    use ReadyWhen::{NothingPending, Started, UpToDate, UpToDateOrAhead};
    match state {
        DatabaseState::UpToDate => &[UpToDate, UpToDateOrAhead, NothingPending, Started],
        DatabaseState::Ahead => &[UpToDateOrAhead, NothingPending, Started],
        DatabaseState::Edited => &[NothingPending, Started],
        DatabaseState::Empty
        | DatabaseState::Behind
        | DatabaseState::Diverged
        | DatabaseState::Interrupted => &[Started],
    }
}

#[tokio::test]
async fn readiness_follows_the_policy_in_every_state() {
    for policy in ReadyWhen::ALL {
        let endpoints = Endpoints::started(ServerSettings {
            ready_when: policy,
            ..settings()
        })
        .await;
        for state in DatabaseState::ALL {
            endpoints.database().stand(in_state("default", state));
            let reply = endpoints.get("/health/ready").await;
            let ready = ready_in(state).contains(&policy);
            assert_eq!(
                reply.status,
                if ready { OK } else { UNAVAILABLE },
                "{policy} in {state}"
            );
            let body = reply.json();
            assert_eq!(body["ready"], ready);
            assert_eq!(body["reason"].is_string(), !ready);
            assert_eq!(
                endpoints.get("/health/startup").await.status,
                OK,
                "start-up stays over"
            );
        }
    }
}

#[tokio::test]
async fn a_database_that_goes_away_and_comes_back_takes_readiness_with_it() {
    let endpoints = Endpoints::started(settings()).await;
    assert_eq!(endpoints.get("/health/ready").await.status, OK);
    endpoints.database().behave(Behaviour::Fails(unreachable()));
    let reply = endpoints.get("/health/ready").await;
    assert_eq!(reply.status, UNAVAILABLE);
    assert!(
        reply.json()["reason"]
            .as_str()
            .is_some_and(|reason| reason.contains("could not be reached"))
    );
    endpoints.database().stand(report("default", 4));
    assert_eq!(endpoints.get("/health/ready").await.status, OK);
}

fn step_failed() -> Error {
    Error::Configuration("the table \"users\" is there already".to_owned())
}

#[tokio::test]
async fn a_failure_is_an_error_when_it_is_to_end_the_process() {
    let endpoints = Endpoints::new(settings());
    endpoints
        .database()
        .start_up_with(|| async { Err(step_failed()) }.boxed());
    let error = endpoints.state.start_up().await.expect_err("it fails");
    assert!(
        error.to_string().contains("`default`") && !error.is_stop(),
        "{error}"
    );
    assert_eq!(endpoints.get("/health/startup").await.status, UNAVAILABLE);
}

#[tokio::test]
async fn a_server_that_goes_on_after_a_failure_is_started_not_ready_and_shows_the_error() {
    let endpoints = Endpoints::new(ServerSettings {
        fail_on_error: false,
        ..settings()
    });
    endpoints.database().stand(report("default", 2));
    endpoints
        .database()
        .start_up_with(|| async { Err(step_failed()) }.boxed());
    endpoints
        .state
        .start_up()
        .await
        .expect("the failure is shown, not returned");

    let startup = endpoints.get("/health/startup").await;
    assert_eq!(startup.status, OK, "or the process would be killed");
    let ready = endpoints.get("/health/ready").await;
    assert_eq!(ready.status, UNAVAILABLE);
    let body = ready.json();
    assert_eq!(
        (&body["status"], &body["startup"]),
        (&json!("failed"), &json!("failed"))
    );
    assert_eq!(body["error"], "the table \"users\" is there already");
    assert_eq!(body["state"], "behind");

    // Somebody else migrates it.
    endpoints.database().stand(report("default", 4));
    assert_eq!(endpoints.get("/health/ready").await.status, OK);
}

#[tokio::test(start_paused = true)]
async fn a_failure_that_may_pass_is_tried_again_until_it_has() {
    let endpoints = Endpoints::new(ServerSettings {
        fail_on_error: false,
        ..settings()
    });
    let attempts = Arc::new(std::sync::atomic::AtomicUsize::new(0));
    let counted = Arc::clone(&attempts);
    endpoints.database().start_up_with(move || {
        let attempt = counted.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
        async move {
            if attempt == 3 {
                return Ok(());
            }
            Err(Error::Unreachable {
                location: "postgres://db/shop".to_owned(),
                waited: Duration::from_mins(1),
                attempts: 9,
                failure: stairway_core::Failure::Unreachable,
                last_error: "refused".to_owned(),
            })
        }
        .boxed()
    });
    let began = tokio::time::Instant::now();
    endpoints
        .state
        .start_up()
        .await
        .expect("it goes well in the end");
    assert_eq!(attempts.load(std::sync::atomic::Ordering::SeqCst), 4);
    assert_eq!(began.elapsed().as_secs(), 15 + 30 + 60, "the pauses grow");
    assert_eq!(endpoints.get("/health/ready").await.status, OK);
}

#[tokio::test]
async fn a_server_that_stops_is_not_ready_and_asks_its_runs_to_stop() {
    let endpoints = Endpoints::started(settings()).await;
    endpoints.state.stop();
    let reply = endpoints.get("/health/ready").await;
    assert_eq!(
        (reply.status, &reply.json()["status"]),
        (UNAVAILABLE, &json!("stopping"))
    );
    assert_eq!(endpoints.get("/health/live").await.status, OK);
    assert_eq!(
        endpoints
            .database()
            .stops
            .load(std::sync::atomic::Ordering::SeqCst),
        1
    );
}

#[tokio::test]
async fn a_stopped_start_up_is_told_from_a_failed_one() {
    let endpoints = Endpoints::new(settings());
    endpoints.database().start_up_with(|| {
        async {
            Err(Error::Stopped {
                applied: 1,
                remaining: 2,
            })
        }
        .boxed()
    });
    endpoints.state.stop();
    let error = endpoints
        .state
        .start_up()
        .await
        .expect_err("it was stopped");
    assert!(error.is_stop());
    let body = endpoints.get("/health/startup").await.json();
    assert_eq!(
        (&body["status"], &body["error"]),
        (&json!("stopped"), &json!(null))
    );
}

#[tokio::test]
async fn of_several_databases_the_one_in_the_way_is_named_first() {
    let endpoints = Endpoints::of(&["orders", "users"], settings());
    endpoints
        .state
        .start_up()
        .await
        .expect("start-up goes well");
    endpoints.databases[1].stand(report("users", 1));
    let reply = endpoints.get("/health/ready").await;
    assert_eq!(reply.status, UNAVAILABLE);
    let body = reply.json();
    assert_eq!(
        (&body["database"], &body["state"]),
        (&json!("users"), &json!("behind"))
    );
    let ready: Vec<_> = body["databases"]
        .as_array()
        .expect("a list")
        .iter()
        .map(|d| d["ready"].clone())
        .collect();
    assert_eq!(ready, [true, false]);
    endpoints.databases[1].stand(report("users", 4));
    assert_eq!(endpoints.get("/health/ready").await.status, OK);
}

#[tokio::test]
async fn the_public_address_names_neither_revisions_nor_errors() {
    let endpoints = Endpoints::new(ServerSettings {
        fail_on_error: false,
        ..settings()
    });
    endpoints.happens(1, step_started());
    endpoints.happens(2, statement_finished());
    endpoints
        .database()
        .start_up_with(|| async { Err(step_failed()) }.boxed());
    endpoints.happens(
        3,
        EventKind::StageStarted {
            stage: Stage::Migrate,
        },
    );
    for path in ["/health/ready", "/health/startup"] {
        let reply = ask(endpoints.probes(), get_request(path)).await;
        assert_eq!(reply.status, UNAVAILABLE);
        assert_eq!(reply.json()["stage"], "migrate");
        assert!(!reply.text().contains("m2026"), "{}", reply.text());
    }
    endpoints.state.start_up().await.expect("it goes on");
    let reply = ask(endpoints.probes(), get_request("/health/ready")).await;
    assert!(!reply.text().contains("users"), "{}", reply.text());
    for path in [
        "/",
        "/metrics",
        "/openapi.json",
        "/health/migrations",
        "/health/migrations/history",
    ] {
        assert_eq!(
            ask(endpoints.probes(), get_request(path)).await.status,
            StatusCode::NOT_FOUND,
            "{path}"
        );
    }
}
