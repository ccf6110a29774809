//! What can be wrong with a module comment.

use thiserror::Error;

use crate::listing::visible;

/// A line of a module comment that can't be what it seems to be.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}line {line} of the module comment: {problem}", file(path.as_deref()))]
pub struct HeaderError {
    /// The file, where it is known, relative to its crate.
    pub path: Option<String>,
    /// The line of the comment, counted from 1.
    pub line: usize,
    /// What is wrong with it.
    pub problem: HeaderProblem,
}

/// What is wrong with a line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum HeaderProblem {
    /// It begins with something like a key.
    #[error("`{}:` is no key; did you mean `{known}:`?", visible(key))]
    MisspeltKey {
        /// What it begins with.
        key: String,
        /// The key that it is like.
        known: &'static str,
    },
    /// There is nothing after the key, or nothing between two commas.
    #[error("`{key}:` lacks a value")]
    MissingValue {
        /// The key.
        key: &'static str,
    },
    /// A name with a space in it.
    #[error(
        "`{}` after `{key}:` is no single name; put commas between names",
        visible(name)
    )]
    SpaceInName {
        /// The key.
        key: &'static str,
        /// What stands between two commas.
        name: String,
    },
    /// The value is none of those that the key can have.
    #[error("`{}` is no value of `{key}:`, which takes {expected}", visible(value))]
    InvalidValue {
        /// The key.
        key: &'static str,
        /// The value.
        value: String,
        /// What it should look like.
        expected: &'static str,
    },
    /// `base` together with parents.
    #[error("`revises: base` says that there are no parents, but some are named as well")]
    BaseWithParents,
    /// A lint rule is switched off without a reason.
    #[error(
        "`lint-allow: {}` lacks a reason; write why the rule does not hold here",
        visible(code)
    )]
    MissingReason {
        /// The rule's code.
        code: String,
    },
    /// A key that can be given once only is given again.
    #[error("`{key}:` is given a second time")]
    GivenTwice {
        /// The key.
        key: &'static str,
    },
}

impl HeaderError {
    pub(super) fn in_file(self, path: &str) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..self
        }
    }
}

fn file(path: Option<&str>) -> String {
    path.map(|path| format!("{}: ", visible(path)))
        .unwrap_or_default()
}
