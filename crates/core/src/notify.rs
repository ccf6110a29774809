//! Telling people that a run ended: one message to a webhook.
//!
//! A message never decides anything. It is sent after the run, takes at most
//! [`Webhook::timeout`], and what goes wrong with it is a warning.

mod deliver;
mod message;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

pub use message::{AppliedRevision, Notification, RunError, RunLog};

/// The variable that says where messages go.
pub const WEBHOOK_URL: &str = "MIGRATION_WEBHOOK_URL";

/// Where messages go, and in which form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Webhook {
    /// The address; without one nobody is told.
    pub url: Option<WebhookUrl>,
    /// What is written in the message.
    pub format: WebhookFormat,
    /// Which runs are told of.
    pub tells_of: WebhookOccasion,
    /// How long delivering may take in all, further attempts included.
    pub timeout: Duration,
}

impl Default for Webhook {
    /// Nobody is told. With an address: JSON after failures and changes, delivered within 10 seconds.
    fn default() -> Self {
        Self {
            url: None,
            format: WebhookFormat::default(),
            tells_of: WebhookOccasion::default(),
            timeout: Duration::from_secs(10),
        }
    }
}

impl Webhook {
    /// Sends the message if it is one of those to be told of. An attempt that failed for a reason
    /// that may pass is repeated, at most twice. What can't be delivered is logged as a warning that
    /// does not name the address.
    ///
    /// A receiver that answered too late gets the message again: it tells repetitions by the header
    /// `Idempotency-Key`.
    pub async fn send(&self, notification: &Notification) {
        let Some(url) = &self.url else { return };
        if !self.tells_of.includes(notification) {
            return;
        }
        let database = &notification.database;
        let body = notification.body(self.format).to_string();
        match deliver::deliver(url, body, &notification.delivery_key(), self.timeout).await {
            Ok(attempts) => tracing::info!(
                target: crate::telemetry::TARGET, event = "notified", database, attempts,
                "The webhook was told"
            ),
            Err(undelivered) => tracing::warn!(
                target: crate::telemetry::TARGET, event = "not_notified", database,
                attempts = undelivered.attempts, error = %undelivered.reason,
                "The webhook could not be told of the run: {}", undelivered.reason
            ),
        }
    }
}

/// The address of a webhook. Whoever knows it can write there, so neither `Debug` nor any error
/// shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct WebhookUrl(String);

impl WebhookUrl {
    /// Reads an `https://` or `http://` address.
    ///
    /// # Errors
    /// A sentence that says what is wrong and does not contain the address.
    pub fn parse(text: &str) -> Result<Self, String> {
        const LONGEST: usize = 4096;
        let text = text.trim();
        if text.len() > LONGEST {
            return Err(format!("it is longer than {LONGEST} bytes"));
        }
        // Both readings have to agree on what it is.
        let uri: ureq::http::Uri = text.parse().map_err(|_| "it is no URL".to_owned())?;
        match (uri.scheme_str(), uri.host()) {
            (Some("http" | "https"), Some(host)) if !host.is_empty() => Ok(Self(text.to_owned())),
            _ => Err("it must begin with https:// or http:// and name a host".to_owned()),
        }
    }

    /// The address itself. Only for the request.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for WebhookUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookUrl(***)")
    }
}

/// What is written in a message.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookFormat {
    /// A JSON object with everything that is known of the run; see `docs/operations/notifications.md`.
    #[default]
    Json,
    /// A sentence for people, as Slack's incoming webhooks and those that imitate them take it.
    Slack,
}

impl WebhookFormat {
    /// The names in settings, in the order of [`WebhookFormat::ALL`].
    pub const NAMES: &'static [&'static str] = &["json", "slack"];
    /// Every form.
    pub const ALL: [Self; 2] = [Self::Json, Self::Slack];
}

/// Which runs are told of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum WebhookOccasion {
    /// Those that failed or changed the database.
    #[default]
    Changes,
    /// Those that failed.
    Failures,
    /// All, also those that had nothing to do, such as each restart of each replica.
    All,
}

impl WebhookOccasion {
    /// The names in settings, in the order of [`WebhookOccasion::ALL`].
    pub const NAMES: &'static [&'static str] = &["changes", "failures", "all"];
    /// Every choice.
    pub const ALL: [Self; 3] = [Self::Changes, Self::Failures, Self::All];

    /// Whether this run is one of those.
    pub fn includes(self, notification: &Notification) -> bool {
        let failed = notification.error.is_some();
        match self {
            Self::Changes => failed || !notification.applied.is_empty(),
            Self::Failures => failed,
            Self::All => true,
        }
    }
}
