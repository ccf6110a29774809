//! The layer that keeps requests away until the database is migrated.

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;

use super::fake::{Behaviour, Endpoints, ask, get_request, report, settings, unreachable};
use crate::{ReadinessLayer, router};

fn application(endpoints: &Endpoints) -> Router {
    Router::new()
        .route("/orders", get(|| async { "orders" }))
        .fallback(|| async { (StatusCode::NOT_FOUND, "the application's own") })
        .layer(ReadinessLayer::new(endpoints.state.clone()))
        .nest("/ops", router(endpoints.state.clone()))
}

#[tokio::test]
async fn the_application_is_closed_until_the_database_is_migrated_and_then_stays_open() {
    let endpoints = Endpoints::new(settings());
    let application = application(&endpoints);
    let orders = async || ask(application.clone(), get_request("/orders")).await;

    let closed = orders().await;
    assert_eq!(closed.status, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(closed.header("content-type"), "application/problem+json");
    assert_eq!(closed.header("retry-after"), "1");
    assert_eq!(closed.json()["type"], "urn:stairway:problem:not-ready");
    let probe = ask(application.clone(), get_request("/ops/health/live")).await;
    assert_eq!(probe.status, StatusCode::OK, "probes get through");

    endpoints.database().stand(report("default", 2));
    endpoints
        .state
        .start_up()
        .await
        .expect("start-up goes well");
    assert_eq!(
        orders().await.status,
        StatusCode::SERVICE_UNAVAILABLE,
        "still behind"
    );

    endpoints.database().stand(report("default", 4));
    assert_eq!(orders().await.text(), "orders");
    endpoints.database().behave(Behaviour::Fails(unreachable()));
    assert_eq!(orders().await.text(), "orders", "an open gate asks nobody");
}

#[tokio::test]
async fn a_router_that_is_nested_leaves_the_rest_of_the_application_alone() {
    let endpoints = Endpoints::started(settings()).await;
    let application = application(&endpoints);
    let missing = ask(application.clone(), get_request("/missing")).await;
    assert_eq!(missing.text(), "the application's own");
    assert!(!missing.headers.contains_key("x-request-id"));
    let page = ask(application.clone(), get_request("/ops")).await;
    assert!(
        page.text().contains("href=\"/ops/health/migrations\""),
        "links lead to where it is mounted"
    );
}
