//! Bringing a message to its address.

use std::time::{Duration, Instant};

use ureq::Agent;

use super::WebhookUrl;

/// How often a message is tried.
const ATTEMPTS: u32 = 3;

/// The pause before the second attempt; twice as long before the third.
const PAUSE: Duration = Duration::from_millis(500);

/// A message that could not be delivered.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Undelivered {
    pub(super) attempts: u32,
    /// In words, without the address.
    pub(super) reason: String,
}

/// An attempt that failed.
#[derive(Debug)]
struct Attempt {
    reason: String,
    may_pass: bool,
}

/// Sends a message, within `timeout` in all, and returns how many attempts that took.
pub(super) async fn deliver(
    url: &WebhookUrl,
    body: String,
    key: &str,
    timeout: Duration,
) -> Result<u32, Undelivered> {
    let until = Instant::now() + timeout;
    let mut pause = PAUSE;
    let mut attempt = 1;
    loop {
        // An address that never answers must leave time for another attempt.
        let left = until.saturating_duration_since(Instant::now());
        let share = left / (ATTEMPTS - attempt + 1);
        let failed = match post(url.clone(), body.clone(), key.to_owned(), share).await {
            Ok(()) => return Ok(attempt),
            Err(failed) => failed,
        };
        let left = until.saturating_duration_since(Instant::now());
        if !failed.may_pass || attempt == ATTEMPTS || left <= pause {
            return Err(Undelivered {
                attempts: attempt,
                reason: failed.reason,
            });
        }
        tokio::time::sleep(pause).await;
        pause *= 2;
        attempt += 1;
    }
}

async fn post(
    url: WebhookUrl,
    body: String,
    key: String,
    timeout: Duration,
) -> Result<(), Attempt> {
    let request = tokio::task::spawn_blocking(move || {
        let agent: Agent = Agent::config_builder()
            .timeout_global(Some(timeout))
            .http_status_as_error(false)
            // A message that arrives somewhere else than it was sent is a wrong setting.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .user_agent(concat!("stairway/", env!("CARGO_PKG_VERSION")))
            .build()
            .into();
        agent
            .post(url.reveal())
            .header("content-type", "application/json")
            .header("idempotency-key", key)
            .send(body)
            .map(|response| response.status().as_u16())
    });
    // The client keeps to its timeout by itself, except in calls that the system does not let it end.
    match tokio::time::timeout(timeout + PAUSE, request).await {
        Ok(Ok(Ok(status))) => answered(status),
        Ok(Ok(Err(error))) => Err(not_answered(&error)),
        Ok(Err(_)) => Err(Attempt {
            reason: "the client failed".to_owned(),
            may_pass: false,
        }),
        Err(_) => Err(Attempt {
            reason: "it did not answer in time".to_owned(),
            may_pass: true,
        }),
    }
}

fn answered(status: u16) -> Result<(), Attempt> {
    let reason = match status {
        200..=299 => return Ok(()),
        300..=399 => format!("it answered {status}, which leads elsewhere; give the final address"),
        401 | 403 | 404 | 410 => format!("it answered {status}; is the address still valid?"),
        _ => format!("it answered {status}"),
    };
    let may_pass = matches!(status, 408 | 425 | 429 | 500..);
    Err(Attempt { reason, may_pass })
}

/// The client's own words may contain the address.
fn not_answered(error: &ureq::Error) -> Attempt {
    let (reason, may_pass) = match error {
        ureq::Error::Timeout(_) => ("it did not answer in time".to_owned(), true),
        ureq::Error::HostNotFound => ("its host is not known".to_owned(), true),
        ureq::Error::ConnectionFailed => ("it can't be connected to".to_owned(), true),
        ureq::Error::ConnectProxyFailed(_) => ("the proxy does not connect to it".to_owned(), true),
        ureq::Error::InvalidProxyUrl => (
            "the proxy's address in the environment is wrong".to_owned(),
            false,
        ),
        // A certificate that does not fit reaches us as an error of the socket.
        ureq::Error::Io(error) if error.kind() == std::io::ErrorKind::InvalidData => (
            "it can't be trusted: its TLS certificate or protocol is not accepted".to_owned(),
            false,
        ),
        ureq::Error::Io(error) => (format!("the connection failed: {}", error.kind()), true),
        ureq::Error::Tls(_) | ureq::Error::Rustls(_) => (
            "it can't be trusted: its TLS certificate or protocol is not accepted".to_owned(),
            false,
        ),
        ureq::Error::Protocol(_) => ("what it answers is not HTTP".to_owned(), false),
        _ => ("the request could not be made".to_owned(), false),
    };
    Attempt { reason, may_pass }
}
