//! A database that dies, freezes or never answers: liveness stays, the rest recovers by itself.

use std::net::TcpListener as StdListener;
use std::time::{Duration, Instant};

use futures_util::future::join_all;
use stairway_core::{Config, Manager};
use stairway_server::ServerSettings;
use stairway_tests::has_programs;
use stairway_tests::servers::{Server, ServerOptions, postgres};

use crate::scene::{Scene, Unusual, gated_migrations, open_gate};

fn start_postgres() -> Option<Server> {
    has_programs(&["initdb"]).then(|| {
        postgres::start(&ServerOptions::new().durable().password("s3cret"))
            .expect("PostgreSQL starts")
    })
}

fn manager(test: &str, server: &Server) -> Manager {
    let url = server.url().with_database("postgres").reveal();
    Manager::new(
        gated_migrations(test, None),
        Config::new(&url).expect("a sound URL"),
    )
}

/// Everything that is asked at once, many times over, answers in time, and nothing names the password.
async fn ask_everything(scene: &Scene, live: u16, status: u16) {
    // Answers are used again for a second.
    scene.until("/health/ready", status).await;
    scene.until("/health/migrations/history", status).await;
    let paths = [
        "/health/live",
        "/health",
        "/health/ready",
        "/health/migrations",
        "/health/migrations/history",
        "/metrics",
        "/",
    ];
    let began = Instant::now();
    let answers = join_all((0..70).map(|n| {
        let path = paths[n % paths.len()];
        async move { (path, scene.get(path).await) }
    }))
    .await;
    assert!(
        began.elapsed() < Duration::from_secs(12),
        "{:?}",
        began.elapsed()
    );
    for (path, answer) in answers {
        let expected = match path {
            "/health/live" | "/health" | "/metrics" | "/" => live,
            _ => status,
        };
        assert_eq!(answer.status, expected, "{path}: {}", answer.body);
        assert!(!answer.body.contains("s3cret"), "{path}: {}", answer.body);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_dies_and_comes_back_leaves_liveness_alone_and_readiness_follows_it() {
    let Some(mut server) = start_postgres() else {
        return;
    };
    let test = "database_dies";
    open_gate(test, 3);
    let scene = Scene::over(vec![manager(test, &server)], Unusual::default(), None).await;
    ask_everything(&scene, 200, 200).await;

    server.kill().expect("it is running");
    ask_everything(&scene, 200, 503).await;
    let problem = scene.get("/health/migrations").await;
    assert!(
        problem.head.contains("application/problem+json"),
        "{}",
        problem.head
    );
    assert!(
        scene
            .get("/")
            .await
            .body
            .contains("The database can&#39;t be read")
    );

    server.start_again().expect("the data is in order");
    ask_everything(&scene, 200, 200).await;
    scene.end().await.expect("asked to end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_freezes_and_thaws_is_given_up_each_time_and_then_read_again() {
    let Some(server) = start_postgres() else {
        return;
    };
    let test = "database_freezes";
    open_gate(test, 3);
    let settings = ServerSettings {
        answer_timeout: Duration::from_secs(1),
        preview_timeout: Duration::from_secs(1),
        ..ServerSettings::default()
    };
    let scene = Scene::over(
        vec![manager(test, &server)],
        Unusual {
            settings,
            ..Unusual::default()
        },
        None,
    )
    .await;
    scene.until("/health/ready", 200).await;
    server.freeze().expect("it is running");
    ask_everything(&scene, 200, 503).await;
    server.thaw().expect("it is frozen");
    ask_everything(&scene, 200, 200).await;
    scene.end().await.expect("asked to end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn start_up_waits_for_a_database_that_is_not_there_yet_and_says_so() {
    let Some(mut server) = start_postgres() else {
        return;
    };
    let test = "database_is_late";
    open_gate(test, 3);
    let manager = manager(test, &server);
    server.kill().expect("it is running");
    let scene = Scene::over(vec![manager], Unusual::default(), None).await;
    let waiting = crate::scene::until("it waits for the database", async || {
        let body = scene.get("/health/startup").await.json();
        (body["waiting_for"]["what"] == "database").then_some(body)
    })
    .await;
    assert_eq!(
        (waiting["stage"].as_str(), waiting["status"].as_str()),
        (Some("connect"), Some("starting"))
    );
    assert_eq!(scene.get("/health/live").await.status, 200);
    assert!(
        scene
            .get("/")
            .await
            .body
            .contains("Waiting for the database")
    );
    server.start_again().expect("the data is in order");
    scene.until("/health/ready", 200).await;
    scene.end().await.expect("asked to end");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_database_that_accepts_and_never_answers_holds_neither_requests_nor_connections() {
    let test = "database_hangs";
    // Accepted by the system's backlog; nobody ever reads.
    let listener = StdListener::bind("127.0.0.1:0").expect("a port is free");
    let port = listener.local_addr().expect("it is bound").port();
    let mut config =
        Config::new(&format!("postgres://app:s3cret@127.0.0.1:{port}/shop")).expect("a sound URL");
    config.wait_timeout = Duration::from_millis(500);
    config.connect_timeout = Duration::from_millis(500);
    let settings = ServerSettings {
        fail_on_error: false,
        answer_timeout: Duration::from_secs(1),
        preview_timeout: Duration::from_secs(1),
        ..ServerSettings::default()
    };
    let scene = Scene::over(
        vec![Manager::new(gated_migrations(test, None), config)],
        Unusual {
            settings,
            ..Unusual::default()
        },
        None,
    )
    .await;
    scene.until("/health/startup", 200).await;
    for _ in 0..3 {
        ask_everything(&scene, 200, 503).await;
    }
    let began = Instant::now();
    scene.end().await.expect("asked to end");
    assert!(
        began.elapsed() < Duration::from_secs(7),
        "{:?}",
        began.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_database_is_asked_at_most_once_a_second_however_many_clients_ask() {
    if !has_programs(&["initdb"]) {
        return;
    }
    let options = ServerOptions::new()
        .setting("log_statement", "all")
        .setting("log_connections", "on");
    let server = postgres::start(&options).expect("PostgreSQL starts");
    let test = "asked_once";
    open_gate(test, 3);
    let scene = Scene::over(vec![manager(test, &server)], Unusual::default(), None).await;
    scene.until("/health/ready", 200).await;
    let before = server.log().len();
    let began = Instant::now();
    let mut answers = 0;
    while began.elapsed() < Duration::from_secs(3) {
        let paths = ["/health/migrations", "/health/ready", "/metrics"];
        let all = join_all((0..60).map(|nth| scene.get(paths[nth % 3]))).await;
        assert!(all.iter().all(|answer| answer.status == 200));
        answers += all.len();
    }
    // One more than there were seconds: the first may come at once.
    let most = usize::try_from(began.elapsed().as_secs()).expect("it is short") + 2;
    let log = server.log();
    let log = &log[before..];
    let count = |words: &str| log.lines().filter(|line| line.contains(words)).count();
    let (connections, statements) = (
        count("connection authorized"),
        count("LOG:  execute") + count("LOG:  statement"),
    );
    assert!(answers > 10 * most, "{answers} answers are too few to tell");
    assert!(
        (1..=most).contains(&connections),
        "{connections} connections in {:?}:\n{log}",
        began.elapsed()
    );
    // Reading the status takes two statements, and each of these connections reads it once.
    assert!(
        (1..=2 * connections).contains(&statements),
        "{statements} statements by {connections} connections:\n{log}"
    );
    scene.end().await.expect("asked to end");
}
