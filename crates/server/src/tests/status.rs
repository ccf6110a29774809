//! The status and the audit trail over HTTP.

use axum::http::StatusCode;
use serde_json::json;
use stairway_plan::report::StatusReport;

use super::fake::{Behaviour, Endpoints, entry, report, settings, unreachable};

#[tokio::test]
async fn the_status_is_the_report_and_200_whatever_the_state() {
    let endpoints = Endpoints::started(settings()).await;
    for applied in 0..=4 {
        endpoints.database().stand(report("default", applied));
        let reply = endpoints.get("/health/migrations").await;
        assert_eq!(reply.status, StatusCode::OK);
        assert_eq!(reply.header("content-type"), "application/json");
        let read: StatusReport = serde_json::from_slice(&reply.body).expect("a status report");
        assert_eq!(read, report("default", applied));
    }
}

#[tokio::test]
async fn a_database_that_can_not_be_reached_is_a_problem_without_secrets() {
    let endpoints = Endpoints::started(settings()).await;
    let mut why = unreachable();
    why.detail = crate::redact::without_credentials("postgres://app:s3cret@db:5432/shop is away");
    endpoints.database().behave(Behaviour::Fails(why));
    for path in [
        "/health/migrations",
        "/health/migrations?database=default",
        "/health/migrations/history",
    ] {
        let reply = endpoints.get(path).await;
        assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE, "{path}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.header("retry-after"), "1");
        let body = reply.json();
        assert_eq!(body["type"], "urn:stairway:problem:database-unreachable");
        assert_eq!(body["status"], 503);
        assert_eq!(body["hint"], "check that the server runs");
        assert!(!reply.text().contains("s3cret"), "{}", reply.text());
    }
}

#[tokio::test]
async fn several_databases_are_summarised_and_each_can_be_asked_for() {
    let endpoints = Endpoints::of(&["orders", "users"], settings());
    endpoints.databases[1].stand(report("users", 2));
    let reply = endpoints.get("/health/migrations").await;
    assert_eq!(reply.status, StatusCode::OK);
    let body = reply.json();
    assert_eq!(body["is_up_to_date"], false);
    assert_eq!(body["databases"][0]["database"], "orders");
    assert_eq!(body["databases"][1]["pending_count"], 2);

    let users = endpoints
        .get("/health/migrations?database=users")
        .await
        .json();
    assert_eq!(users, body["databases"][1]);
    let unknown = endpoints.get("/health/migrations?database=elsewhere").await;
    assert_eq!(unknown.status, StatusCode::NOT_FOUND);
    assert_eq!(
        unknown.json()["type"],
        "urn:stairway:problem:unknown-database"
    );
}

#[tokio::test]
async fn a_summary_still_has_the_databases_that_can_be_read() {
    let endpoints = Endpoints::of(&["orders", "users"], settings());
    endpoints.databases[0].behave(Behaviour::Fails(unreachable()));
    let reply = endpoints.get("/health/migrations").await;
    assert_eq!(reply.status, StatusCode::SERVICE_UNAVAILABLE);
    let body = reply.json();
    assert_eq!(body["detail"], "1 of 2 databases could not be read");
    assert_eq!(body["databases"][0]["status"], 503);
    assert_eq!(body["databases"][1]["state"], "up_to_date");
}

#[tokio::test]
async fn the_audit_trail_is_read_page_by_page_without_gaps_or_repeats() {
    let endpoints = Endpoints::started(settings()).await;
    endpoints
        .database()
        .record((1..=7).rev().map(entry).collect());
    let mut seen = Vec::new();
    let mut path = "/health/migrations/history?limit=3".to_owned();
    loop {
        let page = endpoints.get(&path).await.json();
        let entries = page["entries"].as_array().expect("a list").clone();
        seen.extend(
            entries
                .iter()
                .map(|entry| entry["id"].as_i64().expect("a number")),
        );
        match page["next_before"].as_i64() {
            Some(before) => path = format!("/health/migrations/history?limit=3&before={before}"),
            None => break,
        }
    }
    assert_eq!(seen, [7, 6, 5, 4, 3, 2, 1]);

    let exact = endpoints
        .get("/health/migrations/history?limit=7")
        .await
        .json();
    assert_eq!(
        exact["next_before"],
        json!(null),
        "a full last page is the last one"
    );
    let none = endpoints
        .get("/health/migrations/history?revision=other")
        .await
        .json();
    assert_eq!(none["entries"], json!([]));
}

#[tokio::test]
async fn a_query_that_makes_no_sense_is_refused() {
    let endpoints = Endpoints::started(settings()).await;
    for query in [
        "limit=0",
        "limit=501",
        "limit=-1",
        "limit=many",
        "before=yesterday",
        "limit=1&limit=2",
        "database=a&database=b",
    ] {
        let reply = endpoints
            .get(&format!("/health/migrations/history?{query}"))
            .await;
        assert_eq!(reply.status, StatusCode::BAD_REQUEST, "{query}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.json()["type"], "urn:stairway:problem:bad-query");
    }
}

#[tokio::test]
async fn an_error_in_the_audit_trail_shows_no_password() {
    let endpoints = Endpoints::started(settings()).await;
    let mut failed = entry(1);
    failed.error = Some("could not reach mysql://root:hunter2@db/x".to_owned());
    endpoints.database().record(vec![failed]);
    for path in ["/health/migrations/history", "/"] {
        let reply = endpoints.get(path).await;
        assert!(
            reply.text().contains("mysql://root:***@db/x") && !reply.text().contains("hunter2"),
            "{path}"
        );
    }
}
