//! The endpoints.

mod health;
mod migrations;
mod numbers;
mod status_page;

use std::time::Duration;

use axum::Router;
use axum::extract::Query;
use axum::extract::rejection::QueryRejection;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use serde::{Deserialize, Serialize};

use crate::guard::GuardLayer;
use crate::openapi;
use crate::problem::Problem;
use crate::state::{Database, ServerState};

/// Every endpoint: probes, status, audit trail, metrics, the OpenAPI document and the status page.
///
/// Has no fallback of its own, so that it can be merged into, or nested in, a service's router:
///
/// ```
/// use axum::Router;
/// use axum::routing::get;
/// use stairway_server::{ReadinessLayer, ServerState};
///
/// fn app(state: ServerState) -> Router {
///     Router::new()
///         .route("/orders", get(|| async { "…" }))
///         .layer(ReadinessLayer::new(state.clone()))
///         .nest("/migrations", stairway_server::router(state))
/// }
/// ```
pub fn router(state: ServerState) -> Router {
    let router = Router::new()
        .route("/", get(status_page::status_page))
        .route("/health", get(health::health))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready))
        .route("/health/startup", get(health::startup))
        .route("/health/migrations", get(migrations::migrations))
        .route("/health/migrations/history", get(migrations::history))
        .route("/metrics", get(numbers::metrics))
        .route("/openapi.json", get(openapi_document));
    guarded(router, state)
}

/// Only `/health`, `/health/live`, `/health/ready` and `/health/startup`, for an address that
/// strangers reach: the answers name no revision and no error.
pub fn probe_router(state: ServerState) -> Router {
    let router = Router::new()
        .route("/health", get(health::health))
        .route("/health/live", get(health::live))
        .route("/health/ready", get(health::ready_brief))
        .route("/health/startup", get(health::startup_brief));
    guarded(router, state)
}

/// A router as a server of its own: what is not there is a problem, too.
pub(crate) fn standalone(router: Router) -> Router {
    let missing = Router::new()
        .fallback(|| async { Problem::not_found() })
        .layer(GuardLayer::new(Duration::from_secs(1)));
    router.fallback_service(missing)
}

fn guarded(router: Router<ServerState>, state: ServerState) -> Router {
    let settings = state.settings();
    let allowed = settings.preview_timeout.max(settings.answer_timeout) + Duration::from_secs(5);
    router
        .method_not_allowed_fallback(|| async { Problem::method_not_allowed() })
        .layer(GuardLayer::new(allowed))
        .with_state(state)
}

async fn openapi_document() -> Response {
    json_response(openapi::document_bytes())
}

/// Which database a request is about.
#[derive(Debug, Default, Deserialize)]
struct DatabaseQuery {
    database: Option<String>,
}

/// The query, or the problem that it can't be understood.
fn parsed<T>(query: Result<Query<T>, QueryRejection>) -> Result<T, Problem> {
    match query {
        Ok(Query(query)) => Ok(query),
        Err(rejection) => Err(Problem::bad_query(&rejection.body_text())),
    }
}

/// The database that a request names, or the problem that there is none.
fn chosen<'a>(state: &'a ServerState, name: Option<&str>) -> Result<&'a Database, Problem> {
    state
        .database(name)
        .ok_or_else(|| Problem::unknown_database(name.unwrap_or_default()))
}

fn json_response(body: impl IntoResponse) -> Response {
    let mut response = body.into_response();
    let json = HeaderValue::from_static("application/json");
    response.headers_mut().insert(header::CONTENT_TYPE, json);
    response
}

fn json_of(value: &impl Serialize) -> Response {
    match serde_json::to_vec(value) {
        Ok(body) => json_response(body),
        Err(error) => {
            tracing::error!(%error, "an answer has no JSON form");
            Problem::unavailable(&crate::unavailable::Unavailable::internal()).into_response()
        }
    }
}
