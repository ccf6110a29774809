//! Bringing spans to the collector over HTTP.

use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use ureq::Agent;

use crate::exporter::TARGET;

/// A client that blocks: spans are sent on a thread of their own.
pub(crate) struct Client {
    agent: Agent,
    /// That the collector can't be reached is said once, not with every batch.
    has_warned: AtomicBool,
}

impl std::fmt::Debug for Client {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Client").finish_non_exhaustive()
    }
}

impl Client {
    pub(crate) fn new(timeout: Duration) -> Self {
        let agent = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("stairway/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        Self {
            agent,
            has_warned: AtomicBool::new(false),
        }
    }

    /// Neither the address nor what it answered is told: both may hold a secret.
    fn warn(&self, reason: &str) {
        if !self.has_warned.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                target: TARGET, event = "not_exported", error = reason,
                "Spans could not be sent to the collector: {reason}"
            );
        }
    }
}

#[async_trait]
impl HttpClient for Client {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let answer = self
            .agent
            .run(Request::from_parts(parts, body.to_vec()))
            .inspect_err(|error| self.warn(reason(error)))?;
        let status = answer.status();
        if !status.is_success() {
            self.warn(&format!("it answered {}", status.as_u16()));
        }
        let (parts, mut body) = answer.into_parts();
        let body = body.with_config().limit(LONGEST_ANSWER).read_to_vec()?;
        Ok(Response::from_parts(parts, body.into()))
    }
}

/// More of an answer than this is an error: there is nothing in it that anybody needs.
const LONGEST_ANSWER: u64 = 64 * 1024;

/// The client's own words may contain the address.
fn reason(error: &ureq::Error) -> &'static str {
    match error {
        ureq::Error::Timeout(_) => "it did not answer in time",
        ureq::Error::HostNotFound => "its host is not known",
        ureq::Error::ConnectionFailed | ureq::Error::Io(_) => "it can't be connected to",
        _ => "the request could not be made",
    }
}
