//! How the server behaves.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// How the server behaves. Start from [`ServerSettings::default`] and change the fields that differ.
#[derive(Clone, Debug)]
pub struct ServerSettings {
    /// When the service is ready for traffic.
    pub ready_when: ReadyWhen,
    /// Whether a start-up that failed ends the process. If not, the server goes on, not ready and
    /// with the error shown, and tries again when the failure may pass. On by default.
    pub fail_on_error: bool,
    /// Databases whose failed start-up does not end the process even so, by name.
    pub goes_on_without: BTreeSet<String>,
    /// The pause before a start-up that failed for a reason that may pass is tried again. It doubles
    /// up to five minutes. Only without `fail_on_error`. 15 s by default.
    pub restart_delay: Duration,
    /// The version that `/health` tells. The application's, where it is known.
    pub version: String,
    /// How long an answer of the database is used again. 1 s by default.
    pub keep_answers: Duration,
    /// How long the database may take for an answer before the request is told that it is
    /// unavailable. 3 s by default.
    pub answer_timeout: Duration,
    /// How long working out the SQL of pending revisions may take. 10 s by default.
    pub preview_timeout: Duration,
    /// How many requests may wait for the database at a time; more are turned away at once. 1,024 by
    /// default.
    pub max_waiting_requests: usize,
    /// What a connection may take.
    pub connections: ConnectionLimits,
}

impl ServerSettings {
    /// Whether a failed start-up of the database of this name ends the process.
    pub(crate) fn fails_with(&self, database: &str) -> bool {
        self.fail_on_error && !self.goes_on_without.contains(database)
    }
}

/// What the connections of one listener may take.
#[derive(Clone, Debug)]
pub struct ConnectionLimits {
    /// How many are open at a time. When another comes, the one that has been idle for longest is
    /// closed. 1,024 by default, and never more than the open files that the process may have leave.
    pub max_connections: usize,
    /// How long a client may take to send the head of a request, and how long a connection may be
    /// idle between requests. 10 s by default.
    pub header_read_timeout: Duration,
    /// How long a client may leave an answer unread. 10 s by default.
    pub write_timeout: Duration,
    /// The largest head of a request, in bytes, at least 8,192. 16 KiB by default.
    pub max_head_bytes: usize,
    /// The most header fields of a request. 64 by default.
    pub max_headers: usize,
    /// How long requests may take to end after the server was asked to stop. 5 s by default.
    pub drain_timeout: Duration,
}

impl Default for ServerSettings {
    fn default() -> Self {
        Self {
            ready_when: ReadyWhen::default(),
            fail_on_error: true,
            goes_on_without: BTreeSet::new(),
            restart_delay: Duration::from_secs(15),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            keep_answers: Duration::from_secs(1),
            answer_timeout: Duration::from_secs(3),
            preview_timeout: Duration::from_secs(10),
            max_waiting_requests: 1024,
            connections: ConnectionLimits::default(),
        }
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_connections: 1024,
            header_read_timeout: Duration::from_secs(10),
            write_timeout: Duration::from_secs(10),
            max_head_bytes: 16 * 1024,
            max_headers: 64,
            drain_timeout: Duration::from_secs(5),
        }
    }
}

/// When the service is ready for traffic. In every case start-up must be over.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ReadyWhen {
    /// Every revision of this build is applied, and no other.
    UpToDate,
    /// Every revision of this build is applied; there may be newer ones that it does not know, as
    /// while a newer version is being rolled out or back.
    #[default]
    UpToDateOrAhead,
    /// Nothing is pending and nothing is interrupted; revisions may also have been edited after
    /// they were applied.
    NothingPending,
    /// Start-up ended well. The database is not asked again, so that one that is away for a while
    /// does not take every instance out of service.
    Started,
}

impl ReadyWhen {
    /// Every policy with its name.
    pub const ALL: [Self; 4] = [
        Self::UpToDate,
        Self::UpToDateOrAhead,
        Self::NothingPending,
        Self::Started,
    ];

    /// The policy's name in settings, for example `up-to-date-or-ahead`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::UpToDate => "up-to-date",
            Self::UpToDateOrAhead => "up-to-date-or-ahead",
            Self::NothingPending => "nothing-pending",
            Self::Started => "started",
        }
    }
}

impl fmt::Display for ReadyWhen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is no readiness policy.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no readiness policy: it is one of up-to-date, up-to-date-or-ahead, nothing-pending, started"
)]
pub struct UnknownPolicy(String);

impl FromStr for ReadyWhen {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, UnknownPolicy> {
        Self::ALL
            .into_iter()
            .find(|policy| policy.as_str() == name)
            .ok_or_else(|| UnknownPolicy(name.to_owned()))
    }
}
