//! Liveness, start-up and readiness.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Serialize;

use super::json_of;
use crate::readiness::{self, ProbeReport};
use crate::state::ServerState;

#[derive(Serialize)]
struct Health<'a> {
    status: &'static str,
    version: &'a str,
}

/// The process answers, and which version it is.
pub(super) async fn health(State(state): State<ServerState>) -> Response {
    json_of(&Health {
        status: "ok",
        version: &state.settings().version,
    })
}

#[derive(Serialize)]
struct Live {
    status: &'static str,
}

/// The process answers. Never asks a database: one that is away is no reason to kill the process.
pub(super) async fn live() -> Response {
    json_of(&Live { status: "ok" })
}

pub(super) async fn ready(State(state): State<ServerState>) -> Response {
    probe(&readiness::readiness(&state).await)
}

pub(super) async fn ready_brief(State(state): State<ServerState>) -> Response {
    probe(&readiness::readiness(&state).await.brief())
}

pub(super) async fn startup(State(state): State<ServerState>) -> Response {
    probe(&readiness::startup(&state))
}

pub(super) async fn startup_brief(State(state): State<ServerState>) -> Response {
    probe(&readiness::startup(&state).brief())
}

fn probe(report: &ProbeReport) -> Response {
    let mut response = json_of(report);
    if !report.is_ready() {
        *response.status_mut() = StatusCode::SERVICE_UNAVAILABLE;
    }
    response
}
