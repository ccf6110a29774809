//! Why a target means nothing, or too much.

use thiserror::Error;

use crate::listing::{Listed, visible};
use crate::revision::RevisionId;
use crate::sql::redact_url;

/// Why a target could not be resolved.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum TargetError {
    /// Nothing was written.
    #[error(
        "no revision is named: write an id, a part of one, `head`, `base` or a number of steps"
    )]
    Empty,
    /// The words make no target.
    #[error("`{}` is no target: {reason}", visible(target))]
    Malformed {
        /// What was written.
        target: String,
        /// What is wrong with it.
        reason: &'static str,
    },
    /// Nothing has this name.
    #[error("there is no revision `{}`{}", visible(name), hint(name, did_you_mean))]
    Unknown {
        /// The name.
        name: String,
        /// Names that are much like it, most alike first.
        did_you_mean: Vec<String>,
    },
    /// The name is a revision that another one stands in for.
    #[error("{replaced} was replaced by {by}: name that one")]
    Replaced {
        /// What was written.
        replaced: RevisionId,
        /// What replaces it.
        by: RevisionId,
    },
    /// The name is a part of several ids.
    #[error(
        "`{}` could be {}: write more of it",
        visible(name),
        Listed(candidates)
    )]
    Ambiguous {
        /// The name.
        name: String,
        /// The revisions whose ids it is a part of, in order.
        candidates: Vec<RevisionId>,
    },
    /// One revision is needed and there are several heads.
    #[error(
        "`{}` could be any of the heads {}: {}",
        visible(target),
        Listed(heads),
        choose(target)
    )]
    SeveralHeads {
        /// What was written.
        target: String,
        /// The heads, in order.
        heads: Vec<RevisionId>,
    },
    /// The steps come to a fork.
    #[error(
        "`{}` could go on from {} to any of {}: {}",
        visible(target),
        from.as_ref().map_or("the base", |id| id.as_str()),
        Listed(candidates),
        choose(target)
    )]
    AmbiguousWalk {
        /// What was written.
        target: String,
        /// Where the fork is; the base when absent.
        from: Option<RevisionId>,
        /// Where the way could go on.
        candidates: Vec<RevisionId>,
    },
    /// There are fewer steps than asked for.
    #[error(
        "`{}` goes too far: there {} before the end",
        visible(target), steps(*possible)
    )]
    TooFar {
        /// What was written.
        target: String,
        /// How many steps were asked for.
        asked: usize,
        /// How many there are.
        possible: usize,
    },
    /// The revision exists, but not on the branch named with it.
    #[error("{revision} is not on the branch `{}`", visible(branch))]
    NotOnBranch {
        /// The revision.
        revision: RevisionId,
        /// The branch as it was written.
        branch: String,
    },
}

impl TargetError {
    /// A URL in the place of a target may hold a password.
    pub(crate) fn url(text: &str) -> Self {
        Self::Malformed {
            target: redact_url(text),
            reason: "it is a URL; a database's goes into `DATABASE_URL` or `--database-url`",
        }
    }
}

fn choose(target: &str) -> String {
    if target.contains('@') {
        "name one".to_owned()
    } else {
        format!(
            "name one, or write its branch in front, as in `branch@{}`",
            visible(target)
        )
    }
}

fn steps(count: usize) -> String {
    match count {
        0 => "is no step".to_owned(),
        1 => "is only one step".to_owned(),
        count => format!("are only {count} steps"),
    }
}

fn hint(name: &str, did_you_mean: &[String]) -> String {
    if !did_you_mean.is_empty() {
        format!(" (did you mean {}?)", Listed(did_you_mean))
    } else if name.bytes().all(|b| b.is_ascii_digit()) {
        format!(" (for a number of steps write +{name} or -{name})")
    } else if name.contains(':') {
        " (a range is for looking at history and for SQL scripts)".to_owned()
    } else {
        String::new()
    }
}
