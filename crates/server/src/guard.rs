//! What every request goes through: its id, limits on its size and time, and the header fields of
//! every answer.

use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tracing::Instrument;

use crate::problem::Problem;
use crate::state::ServerState;
use crate::unavailable::Unavailable;

/// The header field with a request's id.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The longest id that is taken over from a client.
const LONGEST_REQUEST_ID: usize = 128;

/// The longest path and query, in bytes.
pub(crate) const LONGEST_URI: usize = 2048;

/// The largest announced body, in bytes. None is ever read.
const LARGEST_BODY: u64 = 16 * 1024;

/// Marks a request that has been through [`protect`], so that it does not go through it twice.
#[derive(Clone, Copy)]
struct Protected;

/// Gives the request an id and a span, refuses what is too large, and completes the answer's header.
pub(crate) async fn protect(mut request: Request, next: Next) -> Response {
    if request.extensions_mut().insert(Protected).is_some() {
        return next.run(request).await;
    }
    let began = Instant::now();
    let id = request_id(request.headers());
    let path = request.uri().clone();
    let span = tracing::info_span!(
        "request",
        request_id = id.to_str().unwrap_or_default(),
        method = %request.method(),
        path = request.uri().path(),
        status = tracing::field::Empty,
    );
    let mut response = match refusal(&request) {
        Some(problem) => problem.into_response(),
        None => next.run(request).instrument(span.clone()).await,
    };
    let status = response.status().as_u16();
    span.record("status", status);
    // The span's fields once more: log lines in JSON carry those of the event alone.
    let elapsed_ms = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
    span.in_scope(|| {
        tracing::debug!(
            request_id = id.to_str().unwrap_or_default(),
            path = path.path(),
            status,
            elapsed_ms,
            "answered"
        );
    });
    complete(response.headers_mut(), id);
    response
}

/// Gives up a request that nothing else gives up in time.
pub(crate) async fn limit_time(
    State(state): State<ServerState>,
    request: Request,
    next: Next,
) -> Response {
    let settings = state.settings();
    let allowed = settings.preview_timeout.max(settings.answer_timeout) + Duration::from_secs(5);
    match tokio::time::timeout(allowed, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Problem::unavailable(&Unavailable::timeout(allowed)).into_response(),
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
