//! From one place in the graph to another.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use super::error::TargetError;
use super::reading::Steps;
use super::resolve::{Branch, Destination, Place, Resolver};
use crate::graph::{Links, RevisionGraph, Selection};
use crate::listing::visible;

/// Two places in the graph with a `:` between them, as a person wrote them.
///
/// Nothing before the `:` is the base, nothing after it is every head. Steps down before it count
/// from what stands after it, steps up after it from what stands before it; if both sides are steps,
/// they count from what is applied.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Range(String);

/// Why a range could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum RangeError {
    /// There is no `:`.
    #[error("`{}` is no range: write `from:to`, `from:` or `:to`", visible(range))]
    NoColon {
        /// What was written.
        range: String,
    },
    /// The first place does not stand below the second.
    #[error(
        "`{}` is no range: {} is not below {}",
        visible(range),
        visible(from),
        visible(to)
    )]
    NotBelow {
        /// What was written.
        range: String,
        /// Where it would begin.
        from: String,
        /// Where it would end.
        to: String,
    },
    /// One of the places could not be resolved.
    #[error(transparent)]
    Target(#[from] TargetError),
}

/// A range, resolved.
pub(crate) struct Span {
    pub(crate) from: Destination,
    pub(crate) to: Destination,
}

impl Range {
    /// Takes what a person wrote, without the space around it.
    ///
    /// # Errors
    /// [`RangeError::NoColon`] if it has only one side.
    pub fn parse(text: &str) -> Result<Self, RangeError> {
        let text = text.trim();
        if text.contains("://") {
            Err(TargetError::url(text).into())
        } else if text.contains(':') {
            Ok(Self(text.to_owned()))
        } else {
            Err(RangeError::NoColon {
                range: text.to_owned(),
            })
        }
    }

    /// What was written.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The two sides. Should ids contain `:`, the split that leaves two exact targets is right.
    pub(crate) fn sides(&self, resolver: &Resolver<'_>) -> (&str, &str) {
        let is_exact = |side: &str| side.is_empty() || resolver.read_exactly(side).is_some();
        let splits = || {
            let at = self.0.match_indices(':').map(|(at, _)| at);
            at.map(|at| (self.0[..at].trim(), self.0[at + 1..].trim()))
        };
        splits()
            .find(|(from, to)| is_exact(from) && is_exact(to))
            .or_else(|| splits().next())
            .unwrap_or((&self.0, ""))
    }

    pub(crate) fn resolve(&self, resolver: &Resolver<'_>) -> Result<Span, RangeError> {
        let (from, to) = self.sides(resolver);
        let from = if from.is_empty() { "base" } else { from };
        let to = if to.is_empty() { "heads" } else { to };
        let from_reading = resolver.read(from)?;
        let to_reading = resolver.read(to)?;
        let (from, to) = match (from_reading.steps_alone(), to_reading.steps_alone()) {
            (Some(Steps::Down(_)), None) => {
                let to = resolver.destination(to, to_reading)?;
                let from = resolver.destination_from(from, from_reading, &to.place)?;
                (from, to)
            }
            (None, Some(Steps::Up(_))) => {
                let from = resolver.destination(from, from_reading)?;
                let to = resolver.destination_from(to, to_reading, &from.place)?;
                (from, to)
            }
            _ => (
                resolver.destination(from, from_reading)?,
                resolver.destination(to, to_reading)?,
            ),
        };
        Ok(Span { from, to })
    }

    pub(crate) fn not_below(&self, resolver: &Resolver<'_>) -> RangeError {
        let (from, to) = self.sides(resolver);
        RangeError::NotBelow {
            range: self.0.clone(),
            from: from.to_owned(),
            to: to.to_owned(),
        }
    }
}

impl Span {
    /// The revisions from the first place to the second, both included; nothing if the first does not
    /// stand below the second.
    pub(crate) fn select(&self, graph: &RevisionGraph) -> Selection {
        let to = self.to.place.positions();
        let mut selection = match &self.from.place {
            Place::Base | Place::BaseOf(_) => {
                graph.with_ancestors(to.iter().copied(), Links::ParentsAndDependencies)
            }
            Place::Revisions(from) => {
                let mut selection = graph.with_ancestors(to.iter().copied(), Links::Parents);
                let above = graph.with_descendants(from.iter().copied(), Links::Parents);
                selection.retain_all(&above);
                selection
            }
        };
        if let Some(Branch { lineage, .. }) = &self.from.branch {
            selection.retain_all(lineage);
        }
        selection
    }

    /// Whether both ends are the same place.
    pub(crate) fn is_point(&self) -> bool {
        self.from.place.positions() == self.to.place.positions()
    }
}

impl FromStr for Range {
    type Err = RangeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl fmt::Display for Range {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}
