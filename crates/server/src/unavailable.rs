//! Why an answer of the database can't be had.

use std::time::Duration;

/// Why an answer of the database can't be had, in a form that may be shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unavailable {
    pub(crate) reason: Reason,
    /// One sentence, without credentials.
    pub(crate) detail: String,
    /// What to do, where it is known.
    pub(crate) hint: Option<String>,
}

/// The kinds of unavailability that a client may want to tell apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reason {
    /// The database can't be reached, or refuses us.
    Unreachable,
    /// It did not answer in time.
    Timeout,
    /// It answered with an error.
    Failed,
    /// Too many requests wait already.
    Busy,
    /// The server itself is at fault.
    Internal,
}

impl Reason {
    /// The name that stands in the problem's `type`.
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Unreachable => "database-unreachable",
            Self::Timeout => "database-timeout",
            Self::Failed => "database-error",
            Self::Busy => "busy",
            Self::Internal => "internal",
        }
    }

    /// The problem's `title`.
    pub(crate) fn title(self) -> &'static str {
        match self {
            Self::Unreachable => "The database can't be reached",
            Self::Timeout => "The database does not answer in time",
            Self::Failed => "The database answers with an error",
            Self::Busy => "Too many requests wait for the database",
            Self::Internal => "The server failed to answer",
        }
    }
}

impl Unavailable {
    pub(crate) fn timeout(allowed: Duration) -> Self {
        Self {
            reason: Reason::Timeout,
            detail: format!(
                "the database did not answer within {:.1} s",
                allowed.as_secs_f32()
            ),
            hint: None,
        }
    }

    pub(crate) fn busy() -> Self {
        Self {
            reason: Reason::Busy,
            detail: "too many requests wait for the database already".to_owned(),
            hint: Some("try again in a second".to_owned()),
        }
    }

    pub(crate) fn internal() -> Self {
        Self {
            reason: Reason::Internal,
            detail: "the question to the database was given up; the log says why".to_owned(),
            hint: None,
        }
    }
}
