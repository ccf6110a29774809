//! From the first probe to the clean end, whatever the migration does meanwhile.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::json;
use stairway_core::{Config, Error, Manager};
use stairway_server::{ReadyWhen, RunError, ServerSettings};
use tempfile::TempDir;

use crate::scene::{Scene, Unusual, gated_migrations, get, open_gate, until};

#[tokio::test]
async fn probes_are_answered_while_a_long_migration_runs_and_turn_when_it_is_over() {
    let test = "probes_while_migrating";
    let scene = Scene::start(test, Unusual::default()).await;
    open_gate(test, 1);
    let body = until("the second step runs", async || {
        let body = scene.get("/health/startup").await.json();
        (body["revision"] == "m20260101_000002_second").then_some(body)
    })
    .await;
    assert_eq!(body["stage"], "migrate");
    assert_eq!(
        (&body["progress"]["done"], &body["progress"]["total"]),
        (&json!(1), &json!(3))
    );
    assert_eq!(scene.get("/health/live").await.status, 200);
    assert_eq!(scene.get("/health/ready").await.status, 503);
    let page = scene.get("/").await;
    assert_eq!(page.status, 200);
    assert!(
        page.body.contains("Step 2 of 3 is running."),
        "{}",
        page.body
    );
    assert!(
        scene
            .get("/metrics")
            .await
            .body
            .contains("db_migration_running{database=\"default\"} 1")
    );

    open_gate(test, 3);
    scene.until("/health/ready", 200).await;
    assert_eq!(scene.get("/health/startup").await.status, 200);
    let status = scene.get("/health/migrations").await.json();
    assert_eq!(
        (&status["is_up_to_date"], &status["applied_count"]),
        (&json!(true), &json!(3))
    );
    let metrics = scene.get("/metrics").await.body;
    for line in [
        "db_migration_up_to_date{database=\"default\"} 1",
        "db_migration_applied_total{database=\"default\"} 3",
        "db_migration_running{database=\"default\"} 0",
        "db_migration_duration_seconds_count{database=\"default\",direction=\"upgrade\"} 3",
    ] {
        assert!(metrics.contains(line), "{line} in\n{metrics}");
    }
    let history = scene.get("/health/migrations/history?limit=2").await.json();
    assert_eq!(history["entries"][0]["revision"], "m20260101_000003_third");
    assert_eq!(history["entries"].as_array().map(Vec::len), Some(2));
    scene.end().await.expect("asked to end");
}

#[tokio::test]
async fn a_server_that_is_to_end_in_the_middle_of_a_migration_ends_between_two_steps() {
    let test = "end_between_steps";
    let mut scene = Scene::start(test, Unusual::default()).await;
    open_gate(test, 1);
    until("the second step runs", async || {
        (scene.get("/health/startup").await.json()["revision"] == "m20260101_000002_second")
            .then_some(())
    })
    .await;
    scene.shut_down();
    let body = until("it is stopping", async || {
        let answer = scene.get("/health/ready").await;
        (answer.json()["status"] == "stopping").then_some(answer)
    })
    .await;
    assert_eq!(body.status, 503);
    assert_eq!(
        scene.get("/health/live").await.status,
        200,
        "it lives until the step is over"
    );
    assert!(!scene.ended.is_finished());

    open_gate(test, 2);
    let state = scene.state.clone();
    scene.end().await.expect("being asked to end is no error");
    let startup = serde_json::to_value(state.startup()).expect("JSON");
    assert_eq!(startup[0]["status"], "stopped");
}

#[tokio::test]
async fn the_step_that_ran_is_kept_when_the_server_was_ended_and_the_next_one_goes_on_from_there() {
    let test = "goes_on";
    let directory = TempDir::new().expect("a temporary directory");
    let url = format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("app.db").display()
    );
    let manager = || {
        Manager::new(
            gated_migrations(test, None),
            Config::new(&url).expect("a sound URL"),
        )
    };
    let first = Scene::over(vec![manager()], Unusual::default(), None).await;
    open_gate(test, 1);
    until("the second step runs", async || {
        (first.get("/health/startup").await.json()["revision"] == "m20260101_000002_second")
            .then_some(())
    })
    .await;
    open_gate(test, 2);
    let ending = tokio::spawn(first.end());
    ending.await.expect("no panic").expect("asked to end");
    let between = manager().migration_status().await.expect("it can be read");
    assert!(
        (2..=3).contains(&between.applied_count) && between.interrupted.is_empty(),
        "{between:?}"
    );

    open_gate(test, 3);
    let second = Scene::over(vec![manager()], Unusual::default(), None).await;
    second.until("/health/ready", 200).await;
    second.end().await.expect("asked to end");
    let after = manager().migration_status().await.expect("it can be read");
    assert!(after.is_up_to_date, "{after:?}");
}

#[tokio::test]
async fn a_failed_migration_ends_the_server_with_the_error() {
    let test = "fails_and_ends";
    open_gate(test, 3);
    let scene = Scene::start(
        test,
        Unusual {
            fails_at: Some(2),
            ..Unusual::default()
        },
    )
    .await;
    let error = scene
        .ended
        .await
        .expect("no panic")
        .expect_err("the migration fails");
    let RunError::Startup(error) = error else {
        panic!("{error}")
    };
    let Error::Step(step) = &error.source else {
        panic!("{error}")
    };
    assert_eq!(step.revision.as_str(), "m20260101_000002_second");
}

#[tokio::test]
async fn a_failed_migration_that_is_tolerated_leaves_a_server_that_is_not_ready_and_says_why() {
    let test = "fails_and_serves";
    open_gate(test, 3);
    let settings = ServerSettings {
        goes_on_without: BTreeSet::from(["default".to_owned()]),
        ..ServerSettings::default()
    };
    let scene = Scene::start(
        test,
        Unusual {
            fails_at: Some(2),
            settings,
            ..Unusual::default()
        },
    )
    .await;
    let startup = scene.until("/health/startup", 200).await.json();
    assert_eq!(startup["startup"], "failed");
    let ready = scene.get("/health/ready").await;
    assert_eq!(
        (ready.status, &ready.json()["status"]),
        (503, &json!("failed"))
    );
    assert!(
        ready.json()["error"]
            .as_str()
            .is_some_and(|error| error.contains("m20260101_000002_second")),
        "{ready:?}"
    );
    let page = scene.get("/").await.body;
    assert!(
        page.contains("Start-up failed") && page.contains("THIS IS NO SQL"),
        "{page}"
    );
    assert_eq!(
        scene.get("/health/migrations").await.json()["applied_count"],
        1
    );
    assert!(
        scene
            .get("/metrics")
            .await
            .body
            .contains("db_migration_failures_total{database=\"default\"} 1")
    );
    scene.end().await.expect("asked to end");
}

#[tokio::test]
async fn without_auto_upgrade_the_server_only_looks_and_becomes_ready_when_somebody_else_has_migrated()
 {
    let test = "only_looks";
    open_gate(test, 3);
    let directory = TempDir::new().expect("a temporary directory");
    let file = directory.path().join("app.db");
    std::fs::write(&file, b"").expect("an empty database is an empty file");
    let url = format!("sqlite://{}?mode=rwc", file.display());
    let mut config = Config::new(&url).expect("a sound URL");
    config.auto_upgrade = false;
    let scene = Scene::over(
        vec![Manager::new(gated_migrations(test, None), config)],
        Unusual::default(),
        None,
    )
    .await;
    scene.until("/health/startup", 200).await;
    let ready = scene.get("/health/ready").await;
    assert_eq!(
        (ready.status, &ready.json()["state"]),
        (503, &json!("empty"))
    );
    let page = scene.get("/").await.body;
    assert!(
        page.contains("CREATE TABLE made_1_before"),
        "the page shows the SQL that would run: {page}"
    );
    assert_eq!(
        scene.get("/health/migrations").await.json()["pending_count"],
        3,
        "looking changed nothing"
    );

    let other = Manager::new(
        gated_migrations(test, None),
        Config::new(&url).expect("a sound URL"),
    );
    other
        .upgrade_to_head(false)
        .await
        .expect("it can be migrated");
    scene.until("/health/ready", 200).await;
    scene.end().await.expect("asked to end");
}

#[tokio::test]
async fn with_an_internal_address_the_public_one_has_only_probes() {
    let test = "internal";
    open_gate(test, 3);
    let scene = Scene::start(
        test,
        Unusual {
            internal: true,
            ..Unusual::default()
        },
    )
    .await;
    let internal = scene.internal.expect("it was asked for");
    scene.until("/health/ready", 200).await;
    for path in ["/health/migrations", "/metrics", "/", "/openapi.json"] {
        assert_eq!(scene.get(path).await.status, 404, "{path} in public");
        assert_eq!(get(internal, path).await.status, 200, "{path} inside");
    }
    assert_eq!(get(internal, "/health/live").await.status, 200);
    scene.end().await.expect("asked to end");
}

#[tokio::test]
async fn several_databases_are_migrated_side_by_side_and_one_that_is_away_is_named() {
    let test = "several";
    open_gate(test, 3);
    let directory = TempDir::new().expect("a temporary directory");
    let mut first = Config::new(&format!(
        "sqlite://{}?mode=rwc",
        directory.path().join("a.db").display()
    ))
    .expect("a sound URL");
    first.name = "first".to_owned();
    let mut second = Config::new("postgres://app:s3cret@127.0.0.1:1/none").expect("a sound URL");
    second.name = "second".to_owned();
    second.wait_timeout = Duration::from_millis(200);
    let managers = vec![
        Manager::new(gated_migrations(test, None), first),
        Manager::new(gated_migrations(test, None), second),
    ];
    let settings = ServerSettings {
        fail_on_error: false,
        ready_when: ReadyWhen::UpToDate,
        ..ServerSettings::default()
    };
    let scene = Scene::over(
        managers,
        Unusual {
            settings,
            ..Unusual::default()
        },
        Some(directory),
    )
    .await;
    scene.until("/health/migrations?database=first", 200).await;
    let summary = until("both have been through start-up", async || {
        let startup = scene.get("/health/startup").await;
        (startup.status == 200).then_some(())?;
        let summary = scene.get("/health/migrations").await;
        (summary.json()["databases"][0]["is_up_to_date"] == true).then_some(summary)
    })
    .await;
    assert_eq!(summary.status, 503);
    assert_eq!(
        summary.json()["databases"][1]["type"],
        "urn:stairway:problem:database-unreachable"
    );
    let ready = scene.get("/health/ready").await;
    assert_eq!(ready.json()["database"], "second");
    for path in [
        "/health/migrations",
        "/health/ready",
        "/health/startup",
        "/",
        "/?database=second",
        "/metrics",
        "/health/migrations/history?database=second",
    ] {
        let answer = scene.get(path).await;
        assert!(!answer.body.contains("s3cret"), "{path}: {}", answer.body);
    }
    scene.end().await.expect("asked to end");
}
