//! What every request goes through: ids, header fields, sizes, methods.

use axum::body::Body;
use axum::http::{Method, Request, StatusCode};

use super::fake::{Endpoints, Reply, ask, get_request, request, settings};

const EVERY_PATH: [&str; 9] = [
    "/",
    "/health",
    "/health/live",
    "/health/ready",
    "/health/startup",
    "/health/migrations",
    "/health/migrations/history",
    "/metrics",
    "/openapi.json",
];

async fn with_id(endpoints: &Endpoints, id: &[u8]) -> Reply {
    let request = Request::get("/health")
        .header("x-request-id", id)
        .body(Body::empty());
    ask(endpoints.router(), request.expect("a sound request")).await
}

#[tokio::test]
async fn every_answer_has_an_id_and_is_kept_nowhere() {
    let endpoints = Endpoints::started(settings()).await;
    for path in EVERY_PATH.iter().chain(&["/nowhere"]) {
        let reply = endpoints.get(path).await;
        assert_eq!(reply.header("cache-control"), "no-store", "{path}");
        assert_eq!(reply.header("x-content-type-options"), "nosniff", "{path}");
        assert_eq!(reply.header("referrer-policy"), "no-referrer", "{path}");
        assert!(
            reply
                .header("content-security-policy")
                .starts_with("default-src 'none'"),
            "{path}"
        );
        assert_eq!(reply.header("x-request-id").len(), 32, "{path}");
        assert!(!reply.headers.contains_key("server"), "{path}");
    }
    let (one, two) = (
        endpoints.get("/health").await,
        endpoints.get("/health").await,
    );
    assert_ne!(one.header("x-request-id"), two.header("x-request-id"));
}

#[tokio::test]
async fn a_sane_request_id_is_taken_over_and_any_other_replaced() {
    let endpoints = Endpoints::started(settings()).await;
    for sane in [
        "a",
        "4bf92f3577b34da6-00f067aa0ba902b7",
        "Root=1.2:3_4",
        &"x".repeat(128),
    ] {
        let sane = sane.replace('=', "-");
        assert_eq!(
            with_id(&endpoints, sane.as_bytes())
                .await
                .header("x-request-id"),
            sane
        );
    }
    for hostile in ["", "a b", "a\tb", "<script>", "a,b", "=x", &"x".repeat(129)] {
        let reply = with_id(&endpoints, hostile.as_bytes()).await;
        assert_eq!(reply.header("x-request-id").len(), 32, "{hostile:?}");
    }
    assert_eq!(
        with_id(&endpoints, b"\xff\xfe")
            .await
            .header("x-request-id")
            .len(),
        32
    );
}

#[tokio::test]
async fn nothing_but_get_and_head_is_allowed_anywhere() {
    let endpoints = Endpoints::started(settings()).await;
    for path in EVERY_PATH {
        for method in [
            Method::POST,
            Method::PUT,
            Method::DELETE,
            Method::PATCH,
            Method::OPTIONS,
            Method::TRACE,
        ] {
            let reply = ask(endpoints.router(), request(method.clone(), path)).await;
            assert_eq!(
                reply.status,
                StatusCode::METHOD_NOT_ALLOWED,
                "{method} {path}"
            );
            assert_eq!(reply.header("content-type"), "application/problem+json");
            assert_eq!(reply.header("allow"), "GET,HEAD");
        }
        let head = ask(endpoints.router(), request(Method::HEAD, path)).await;
        let get = endpoints.get(path).await;
        assert_eq!((head.status, head.body.len()), (get.status, 0), "{path}");
        assert_eq!(
            head.header("content-type"),
            get.header("content-type"),
            "{path}"
        );
    }
}

#[tokio::test]
async fn what_is_not_there_is_a_problem() {
    let endpoints = Endpoints::started(settings()).await;
    for path in [
        "/nowhere",
        "/health/",
        "/health/migrations/",
        "/%2e%2e/etc/passwd",
        "/health/live/x",
    ] {
        let reply = endpoints.get(path).await;
        assert_eq!(reply.status, StatusCode::NOT_FOUND, "{path}");
        assert_eq!(reply.header("content-type"), "application/problem+json");
        assert_eq!(reply.json()["status"], 404);
    }
}

#[tokio::test]
async fn long_addresses_and_announced_bodies_are_refused() {
    let endpoints = Endpoints::started(settings()).await;
    let long = format!("/health/migrations?database={}", "x".repeat(2048));
    let reply = endpoints.get(&long).await;
    assert_eq!(reply.status, StatusCode::URI_TOO_LONG);
    assert_eq!(reply.json()["type"], "urn:stairway:problem:uri-too-long");
    let large = Request::get("/health")
        .header("content-length", "1000000")
        .body(Body::empty());
    let reply = ask(endpoints.router(), large.expect("a sound request")).await;
    assert_eq!(reply.status, StatusCode::PAYLOAD_TOO_LARGE);
    assert_eq!(reply.json()["type"], "urn:stairway:problem:body-too-large");
    assert!(reply.headers.contains_key("x-request-id"));
    let bad = ask(endpoints.router(), get_request("/health?%ff=%")).await;
    assert_eq!(
        bad.status,
        StatusCode::OK,
        "a query that nobody reads does no harm"
    );
}
