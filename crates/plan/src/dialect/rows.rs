//! Rows of catalogue queries, every value as text.

use std::str::FromStr;

use serde_json::Value;
use thiserror::Error;

/// A row with every value as text.
pub type TextRow = Vec<Option<String>>;

/// A catalogue said something that was not understood.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("cannot understand the catalogue ({query}): {reason}")]
pub struct CatalogueError {
    /// The query, in words.
    pub query: &'static str,
    /// What was wrong with its answer.
    pub reason: String,
}

impl CatalogueError {
    pub(super) fn new(query: &'static str, reason: impl Into<String>) -> Self {
        Self {
            query,
            reason: reason.into(),
        }
    }
}

/// One row of a query.
#[derive(Clone, Copy, Debug)]
pub(super) struct Row<'a> {
    query: &'static str,
    values: &'a [Option<String>],
}

impl<'a> Row<'a> {
    pub(super) fn new(query: &'static str, values: &'a [Option<String>]) -> Self {
        Self { query, values }
    }

    fn error(&self, at: usize, what: &str) -> CatalogueError {
        CatalogueError::new(self.query, format!("column {} {what}", at + 1))
    }

    /// A value that is always there.
    pub(super) fn text(&self, at: usize) -> Result<&'a str, CatalogueError> {
        self.optional(at)
            .ok_or_else(|| self.error(at, "has no value"))
    }

    /// A value that may be NULL.
    pub(super) fn optional(&self, at: usize) -> Option<&'a str> {
        self.values.get(at)?.as_deref()
    }

    /// A truth value.
    pub(super) fn flag(&self, at: usize) -> Result<bool, CatalogueError> {
        match self.text(at)? {
            "t" | "true" | "1" => Ok(true),
            "f" | "false" | "0" => Ok(false),
            _ => Err(self.error(at, "is not a truth value")),
        }
    }

    /// A number.
    pub(super) fn number<N: FromStr>(&self, at: usize) -> Result<N, CatalogueError> {
        self.text(at)?
            .parse()
            .map_err(|_| self.error(at, "is not a number"))
    }

    /// A JSON value that may be NULL.
    pub(super) fn json(&self, at: usize) -> Result<Option<Value>, CatalogueError> {
        let Some(text) = self.optional(at) else {
            return Ok(None);
        };
        match serde_json::from_str(text) {
            Ok(Value::Null) => Ok(None),
            Ok(value) => Ok(Some(value)),
            Err(_) => Err(self.error(at, "is not JSON")),
        }
    }
}
