//! Metrics for Prometheus.

use axum::extract::State;
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use stairway_plan::render::metrics::CONTENT_TYPE;

use crate::state::ServerState;
use crate::unavailable::Reason;

/// What was counted, with where each database stands now. Answers however the databases are.
pub(super) async fn metrics(State(state): State<ServerState>) -> Response {
    let databases = state.databases();
    let answers = join_all(databases.iter().map(|database| state.status(database))).await;
    let metrics = state.metrics();
    for (database, answer) in databases.iter().zip(&answers) {
        match answer {
            Ok(snapshot) => metrics.record_status(&snapshot.report),
            // That too many ask at once says nothing of the database.
            Err(why) if why.reason == Reason::Busy => {}
            Err(_) => metrics.record_unreadable(&database.name),
        }
    }
    let mut response = metrics.render().into_response();
    let content_type = HeaderValue::from_static(CONTENT_TYPE);
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, content_type);
    response
}
