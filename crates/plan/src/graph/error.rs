//! What can be wrong with a set of revisions.

use thiserror::Error;

use crate::listing::{Arrows, Listed, visible};
use crate::revision::RevisionId;

/// What is wrong with a set of revisions. Nothing can be planned until it is mended in the code.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum GraphError {
    /// Several revisions have the same id.
    #[error(
        "several revisions are called {}: give each a name of its own",
        Listed(ids)
    )]
    DuplicateId {
        /// Each id that occurs more than once, in order.
        ids: Vec<RevisionId>,
    },
    /// A name means something else in targets, such as `head`.
    #[error(
        "the revision {revision} can't be called or labelled `{}`: {reason}",
        visible(name)
    )]
    ReservedName {
        /// The revision with that id or label.
        revision: RevisionId,
        /// The id or label.
        name: String,
        /// Why it can't be used.
        reason: &'static str,
    },
    /// Revisions follow ones that do not exist.
    #[error("{}", Listed(links))]
    UnknownParent {
        /// Each link that leads nowhere.
        links: Vec<UnknownLink>,
    },
    /// Revisions depend on ones that do not exist.
    #[error("{}", Listed(links))]
    UnknownDependency {
        /// Each link that leads nowhere.
        links: Vec<UnknownLink>,
    },
    /// Revisions follow one another in a circle.
    #[error("revisions follow one another in a circle: {}", Arrows(revisions))]
    Cycle {
        /// The members; each follows the next, and the last the first.
        revisions: Vec<RevisionId>,
    },
    /// Revisions follow or depend on one another in a circle.
    #[error(
        "revisions follow or depend on one another in a circle: {}",
        Arrows(revisions)
    )]
    DependencyCycle {
        /// The members; each follows or depends on the next, and the last on the first.
        revisions: Vec<RevisionId>,
    },
    /// Every revision follows another, so that there is none to begin with.
    #[error(
        "no revision is a base, every one follows another: {}; \
         write `revises: base` in the first one",
        Arrows(cycle)
    )]
    NoBase {
        /// A circle among them; each follows the next, and the last the first.
        cycle: Vec<RevisionId>,
    },
    /// A branch label is declared by several revisions.
    #[error(
        "the branch label `{label}` is declared by {}: keep one",
        Listed(revisions)
    )]
    LabelDeclaredTwice {
        /// The label.
        label: String,
        /// Every revision that declares it.
        revisions: Vec<RevisionId>,
    },
    /// Several revisions replace the same one.
    #[error("{replaced} is replaced by {}: keep one", Listed(by))]
    ReplacedTwice {
        /// The replaced revision.
        replaced: RevisionId,
        /// Every revision that replaces it.
        by: Vec<RevisionId>,
    },
    /// A revision replaces one that itself replaces others.
    #[error(
        "{revision} replaces {replaced}, which itself replaces others; once every database has recorded {replaced}, \
         take its `replaces:` out, and it can be replaced as any other"
    )]
    ReplacesReplacing {
        /// The revision.
        revision: RevisionId,
        /// What it replaces.
        replaced: RevisionId,
    },
    /// A revision follows or depends on one that it replaces.
    #[error(
        "{revision} replaces {replaced} and can't follow it: let it revise what the first of those that it replaces \
         revises"
    )]
    FollowsReplaced {
        /// The revision.
        revision: RevisionId,
        /// What it replaces and follows.
        replaced: RevisionId,
    },
    /// A branch label is the id of a revision.
    #[error("the branch label `{label}` of {declared_by} is also the id of a revision")]
    LabelIsRevision {
        /// The label, which is also an id.
        label: String,
        /// The revision that declares the label.
        declared_by: RevisionId,
    },
}

/// A link to a revision that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "{revision} names {named}, which does not exist{}",
    did_you_mean.as_ref().map(|id| format!(" (did you mean {id}?)")).unwrap_or_default()
)]
pub struct UnknownLink {
    /// The revision with the link.
    pub revision: RevisionId,
    /// What it names.
    pub named: RevisionId,
    /// A revision with a similar id.
    pub did_you_mean: Option<RevisionId>,
}
