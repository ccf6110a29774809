//! What every request goes through: its id, limits on its size and time, and the header fields of
//! every answer.

use std::convert::Infallible;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::extract::Request;
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use tokio::time::timeout;
use tower::{Layer, Service};
use tracing::Instrument;

use crate::problem::Problem;
use crate::unavailable::Unavailable;

/// The header field with a request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a client.
const LONGEST_REQUEST_ID: usize = 128;

/// The longest path and query, in bytes.
pub(crate) const LONGEST_URI: usize = 2048;

/// The largest announced body, in bytes. None is ever read.
const LARGEST_BODY: u64 = 16 * 1024;

/// Puts every request through the guard.
#[derive(Clone, Debug)]
pub(crate) struct GuardLayer {
    allowed: Duration,
}

impl GuardLayer {
    /// A request that nothing else gives up in time is given up after `allowed`.
    pub(crate) fn new(allowed: Duration) -> Self {
        Self { allowed }
    }
}

impl<S> Layer<S> for GuardLayer {
    type Service = Guard<S>;

    fn layer(&self, inner: S) -> Guard<S> {
        Guard {
            inner,
            allowed: self.allowed,
        }
    }
}

/// Gives a request its id and its span, refuses what is too large, ends what takes too long, and
/// completes the answer's header.
#[derive(Clone, Debug)]
pub(crate) struct Guard<S> {
    inner: S,
    allowed: Duration,
}

impl<S> Service<Request> for Guard<S>
where
    S: Service<Request, Error = Infallible>,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let began = Instant::now();
        let id = request_id(request.headers());
        let uri = request.uri().clone();
        let span = tracing::info_span!(
            "request",
            request_id = id.to_str().unwrap_or_default(),
            method = %request.method(),
            path = uri.path(),
            status = tracing::field::Empty,
        );
        let allowed = self.allowed;
        let answering = match refusal(&request) {
            Some(problem) => Err(problem),
            None => Ok(span
                .in_scope(|| self.inner.call(request))
                .instrument(span.clone())),
        };
        Box::pin(async move {
            let mut response = match answering {
                Err(problem) => problem.into_response(),
                Ok(answering) => match timeout(allowed, answering).await {
                    Ok(Ok(response)) => response.into_response(),
                    Err(_) => Problem::unavailable(&Unavailable::timeout(allowed)).into_response(),
                },
            };
            let status = response.status().as_u16();
            span.record("status", status);
            // The span's fields once more: log lines in JSON carry those of the event alone.
            span.in_scope(|| {
                tracing::debug!(
                    request_id = id.to_str().unwrap_or_default(),
                    path = uri.path(),
                    status,
                    elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX),
                    "answered"
                );
            });
            complete(response.headers_mut(), id);
            Ok(response)
        })
    }
}

fn refusal(request: &Request) -> Option<Problem> {
    let uri = request.uri();
    let length = uri.path().len() + uri.query().map_or(0, |query| query.len() + 1);
    if length > LONGEST_URI {
        return Some(Problem::uri_too_long(LONGEST_URI));
    }
    let announced = request.headers().get(header::CONTENT_LENGTH);
    let announced = announced.and_then(|length| length.to_str().ok()?.parse::<u64>().ok());
    announced
        .is_some_and(|length| length > LARGEST_BODY)
        .then(Problem::body_too_large)
}

/// The client's id if it is a sane one, else one of our own.
fn request_id(headers: &HeaderMap) -> HeaderValue {
    let is_sane = |id: &&HeaderValue| {
        (1..=LONGEST_REQUEST_ID).contains(&id.len())
            && id
                .as_bytes()
                .iter()
                .all(|byte| byte.is_ascii_alphanumeric() || b"-_.:".contains(byte))
    };
    headers
        .get(REQUEST_ID)
        .filter(is_sane)
        .cloned()
        .unwrap_or_else(|| {
            let id = format!("{:032x}", fastrand::u128(..));
            HeaderValue::try_from(id).unwrap_or(HeaderValue::from_static("none"))
        })
}

fn complete(headers: &mut HeaderMap, id: HeaderValue) {
    headers.insert(REQUEST_ID, id);
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(
        header::X_CONTENT_TYPE_OPTIONS,
        HeaderValue::from_static("nosniff"),
    );
    headers.insert(
        header::REFERRER_POLICY,
        HeaderValue::from_static("no-referrer"),
    );
    headers
        .entry(header::CONTENT_SECURITY_POLICY)
        .or_insert(HeaderValue::from_static(
            "default-src 'none'; frame-ancestors 'none'",
        ));
}
