//! How a person names a place in the graph, and which revisions that is.
//!
//! ```text
//! target   = absolute | relative
//! absolute = [ branch "@" ] ( "head" | "heads" | "base" | "current" | id | part of an id | label )
//! relative = [ branch "@" ] [ absolute ] ( "+" | "-" ) digits
//! branch   = label | id | part of an id
//! range    = [ target ] ":" [ target ]
//! ```
//!
//! A part of an id is its beginning (three characters or more) or whole words of it, as
//! `add_users` in `m20260102_120000_add_users`. What is an exact id or label is that, even where it
//! contains `@`, `+`, `-` or `:`. Whatever could mean two things is an error that lists them.

mod error;
mod range;
mod reading;
mod resolve;
#[cfg(test)]
mod tests;

use std::fmt;
use std::str::FromStr;

pub use error::TargetError;
pub use range::{Range, RangeError};
pub(crate) use reading::{Reading, Steps};
pub(crate) use resolve::{Branch, Destination, Place, Resolver};

use crate::graph::RevisionGraph;
use crate::history::{History, Standing};
use crate::revision::RevisionId;

/// A place in the graph as a person wrote it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Target(String);

impl Target {
    /// Takes what a person wrote, without the space around it.
    ///
    /// Which revisions are meant, and whether the words make sense, depends on the graph:
    /// see [`Target::resolve`].
    ///
    /// # Errors
    /// [`TargetError::Empty`] if there is nothing but space.
    pub fn parse(text: &str) -> Result<Self, TargetError> {
        match text.trim() {
            "" => Err(TargetError::Empty),
            text if text.contains("://") => Err(TargetError::url(text)),
            text => Ok(Self(text.to_owned())),
        }
    }

    /// What was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The revisions that are meant, in order: one, or several for `heads` and `current`, or none for
    /// `base` and for `current` of an empty database.
    ///
    /// Steps without a revision before them (`+1`, `-2`) count from what is applied.
    ///
    /// # Errors
    /// [`TargetError`] if nothing, or more than one thing, could be meant.
    pub fn resolve(
        &self,
        graph: &RevisionGraph,
        history: &History,
    ) -> Result<Vec<RevisionId>, TargetError> {
        let standing = Standing::new(graph, history);
        let resolver = Resolver::new(graph, standing.known());
        let place = resolver.resolve(&self.0)?.place;
        Ok(graph.ids(place.positions().iter().copied()))
    }
}

impl FromStr for Target {
    type Err = TargetError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// Why an id can't be told from something else in a target.
pub(crate) fn reserved(name: &str) -> Option<&'static str> {
    match name {
        "" => Some("it is empty"),
        "head" | "heads" | "base" | "current" => Some("in a target it stands for something else"),
        _ => None,
    }
}

/// Why a word can't be a branch label. Ids may be odder, because they come with existing projects.
pub(crate) fn unusable_label(label: &str) -> Option<&'static str> {
    let odd = |c: char| !c.is_alphanumeric() && !matches!(c, '_' | '-' | '.' | '/');
    if label.contains(odd) {
        Some("a label consists of letters, digits, `_`, `-`, `.` and `/`")
    } else if Reading::has_steps(label) {
        Some("its end looks like a number of steps")
    } else {
        reserved(label)
    }
}
