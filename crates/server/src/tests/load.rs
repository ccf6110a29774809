//! Many clients, and a database that is slow, dead or hanging: requests don't pile up.

use std::sync::atomic::Ordering;
use std::time::Duration;

use axum::http::StatusCode;
use futures_util::future::join_all;
use tokio::time::Instant;

use super::fake::{Behaviour, Endpoints};
use crate::settings::ServerSettings;

#[tokio::test(start_paused = true)]
async fn a_database_is_asked_at_most_once_a_second_however_many_ask() {
    let endpoints = Endpoints::started(ServerSettings::default()).await;
    for second in 1..=5 {
        let paths = ["/health/migrations", "/health/ready", "/metrics"];
        let replies = join_all((0..300).map(|n| endpoints.get(paths[n % 3]))).await;
        assert!(replies.iter().all(|reply| reply.status == StatusCode::OK));
        assert_eq!(
            endpoints.database().questions.load(Ordering::SeqCst),
            second
        );
        tokio::time::advance(Duration::from_secs(1)).await;
    }
}

#[tokio::test(start_paused = true)]
async fn behind_a_hanging_database_requests_end_in_time_and_the_surplus_at_once() {
    let endpoints = Endpoints::started(ServerSettings {
        max_waiting_requests: 50,
        ..ServerSettings::default()
    })
    .await;
    endpoints.database().behave(Behaviour::Hangs);
    let began = Instant::now();
    let replies = join_all((0..500).map(|_| endpoints.get("/health/migrations"))).await;
    assert_eq!(began.elapsed(), Duration::from_secs(3));
    let of_kind = |kind: &str| {
        let kind = format!("urn:stairway:problem:{kind}");
        replies
            .iter()
            .filter(|reply| reply.json()["type"] == kind.as_str())
            .count()
    };
    assert!(
        replies
            .iter()
            .all(|reply| reply.status == StatusCode::SERVICE_UNAVAILABLE)
    );
    assert_eq!((of_kind("database-timeout"), of_kind("busy")), (50, 450));
    assert_eq!(
        endpoints.database().questions.load(Ordering::SeqCst),
        1,
        "one connection hangs, not 500"
    );
    assert_eq!(endpoints.get("/health/live").await.status, StatusCode::OK);
}

#[tokio::test(start_paused = true)]
async fn the_status_page_and_metrics_answer_in_time_behind_a_hanging_database() {
    let endpoints = Endpoints::started(ServerSettings::default()).await;
    endpoints.database().behave(Behaviour::Hangs);
    let began = Instant::now();
    let (page, metrics) = tokio::join!(endpoints.get("/"), endpoints.get("/metrics"));
    assert!(
        began.elapsed() < Duration::from_secs(4),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(
        (page.status, metrics.status),
        (StatusCode::OK, StatusCode::OK)
    );
    assert!(
        page.text().contains("The database can&#39;t be read"),
        "{}",
        page.text()
    );
}

#[tokio::test(start_paused = true)]
async fn many_different_pages_of_the_audit_trail_make_one_question_at_a_time() {
    let endpoints = Endpoints::started(ServerSettings::default()).await;
    endpoints.database().behave(Behaviour::Hangs);
    let paths: Vec<String> = (1..=200)
        .map(|n| format!("/health/migrations/history?before={n}"))
        .collect();
    let began = Instant::now();
    let replies = join_all(paths.iter().map(|path| endpoints.get(path))).await;
    assert!(
        replies
            .iter()
            .all(|reply| reply.status == StatusCode::SERVICE_UNAVAILABLE)
    );
    assert!(
        began.elapsed() <= Duration::from_secs(3),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(endpoints.database().questions.load(Ordering::SeqCst), 1);
}
