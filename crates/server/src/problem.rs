//! Errors as `application/problem+json` (RFC 9457).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};

use crate::unavailable::{Reason, Unavailable};

/// The media type of a problem.
pub(crate) const CONTENT_TYPE: &str = "application/problem+json";

/// What goes before a problem's name in its `type`.
pub(crate) const TYPE_PREFIX: &str = "urn:stairway:problem:";

/// An error as a client is told of it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Problem {
    status: StatusCode,
    retry_after: bool,
    body: Map<String, Value>,
}

impl Problem {
    /// `name` tells kinds of problem apart; `title` is the same for all of a kind.
    pub(crate) fn new(status: StatusCode, name: &str, title: &str, detail: &str) -> Self {
        let mut body = Map::new();
        body.insert("type".to_owned(), json!(format!("{TYPE_PREFIX}{name}")));
        body.insert("title".to_owned(), json!(title));
        body.insert("status".to_owned(), json!(status.as_u16()));
        body.insert("detail".to_owned(), json!(detail));
        Self {
            status,
            retry_after: false,
            body,
        }
    }

    /// Adds a member of this project's own.
    pub(crate) fn with(mut self, name: &str, value: Value) -> Self {
        self.body.insert(name.to_owned(), value);
        self
    }

    /// The problem of one database in an answer about several.
    pub(crate) fn into_value(self) -> Value {
        Value::Object(self.body)
    }

    pub(crate) fn unavailable(why: &Unavailable) -> Self {
        let status = match why.reason {
            Reason::Internal => StatusCode::INTERNAL_SERVER_ERROR,
            Reason::Unreachable | Reason::Timeout | Reason::Failed | Reason::Busy => {
                StatusCode::SERVICE_UNAVAILABLE
            }
        };
        let mut problem = Self::new(status, why.reason.as_str(), why.reason.title(), &why.detail);
        problem.retry_after = status == StatusCode::SERVICE_UNAVAILABLE;
        match &why.hint {
            Some(hint) => problem.with("hint", json!(hint)),
            None => problem,
        }
    }

    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "not-found",
            "Nothing is here",
            "there is no such endpoint; /openapi.json lists them",
        )
    }

    pub(crate) fn unknown_database(name: &str) -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "unknown-database",
            "No such database",
            "no database of this name is configured",
        )
        .with("database", json!(name))
    }

    pub(crate) fn method_not_allowed() -> Self {
        Self::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "method-not-allowed",
            "The method is not allowed",
            "everything here is read only: use GET or HEAD",
        )
    }

    pub(crate) fn bad_query(detail: &str) -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "bad-query",
            "The query can't be understood",
            detail,
        )
    }

    pub(crate) fn uri_too_long(most: usize) -> Self {
        Self::new(
            StatusCode::URI_TOO_LONG,
            "uri-too-long",
            "The address is too long",
            &format!("path and query may have {most} bytes"),
        )
    }

    pub(crate) fn body_too_large() -> Self {
        Self::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            "The request is too large",
            "no endpoint takes a body",
        )
    }

    /// The answer of an endpoint that failed by its own fault.
    pub(crate) fn internal_error() -> Response {
        Self::unavailable(&Unavailable::internal()).into_response()
    }

    pub(crate) fn not_ready() -> Self {
        let mut problem = Self::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "not-ready",
            "The service is not ready",
            "the database is not migrated yet",
        );
        problem.retry_after = true;
        problem
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let body = Value::Object(self.body).to_string();
        let mut response = (self.status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(CONTENT_TYPE));
        if self.retry_after {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
