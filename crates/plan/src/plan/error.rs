//! Why there is no plan.

use thiserror::Error;

use super::Direction;
use crate::listing::{Listed, visible};
use crate::revision::RevisionId;
use crate::target::{RangeError, TargetError};

/// Why there is no plan. Nothing has been done to the database.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum PlanError {
    /// The target means nothing, or too much.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// The range means nothing, or too much.
    #[error(transparent)]
    Range(RangeError),
    /// The target lies the other way.
    #[error("`{}` is no target of {}: {}", visible(target), name(*direction), other_way(*direction))]
    WrongDirection {
        /// What was written.
        target: String,
        /// The way that was asked for.
        direction: Direction,
    },
    /// The database has revisions that this build does not know, and there are some to apply.
    #[error(
        "the database has revisions that this build does not know: {}; pending here: {}; \
         deploy a build that has both, or allow unknown revisions to go on",
        Listed(unknown),
        Listed(pending)
    )]
    Diverged {
        /// What the database has, earliest applied first.
        unknown: Vec<RevisionId>,
        /// What would be applied, in order.
        pending: Vec<RevisionId>,
    },
    /// Only a part of what a revision replaces is applied, so it can neither be run nor count as
    /// applied.
    #[error(
        "only a part of what {revision} replaces is applied: {}; not applied: {}; upgrade with a build from before \
         {revision} first",
        Listed(applied),
        Listed(missing)
    )]
    PartlyReplaced {
        /// The revision.
        revision: RevisionId,
        /// What it replaces and is applied.
        applied: Vec<RevisionId>,
        /// What it replaces and is not applied.
        missing: Vec<RevisionId>,
    },
    /// Strict order was asked for, and these stand below applied revisions.
    #[error(
        "these pending revisions stand below applied ones: {}; strict order refuses them; \
         let them follow the head instead, or upgrade without strict order",
        Listed(revisions)
    )]
    OutOfOrder {
        /// What would be applied out of order.
        revisions: Vec<RevisionId>,
    },
    /// Revisions that this build can't take back stand on those to be taken back.
    #[error(
        "the database has revisions that this build does not know and can't take back: {}; \
         they were applied after {}; downgrade with the build that has them first",
        Listed(unknown),
        Listed(revisions)
    )]
    UnknownInTheWay {
        /// The revisions in the way, earliest applied first.
        unknown: Vec<RevisionId>,
        /// What would be taken back, in order.
        revisions: Vec<RevisionId>,
    },
    /// A downgrade can't end at a revision that is not applied.
    #[error(
        "{revision} is not applied, so no downgrade leads to it; applied {}",
        heads(current)
    )]
    NotApplied {
        /// The target.
        revision: RevisionId,
        /// The applied heads.
        current: Vec<RevisionId>,
    },
    /// Nothing above the target is applied on that branch.
    #[error(
        "nothing on the branch `{}` above {revision} is applied; applied {}",
        visible(branch),
        heads(current)
    )]
    NothingAbove {
        /// The target.
        revision: RevisionId,
        /// The branch in front of it.
        branch: String,
        /// The applied heads.
        current: Vec<RevisionId>,
    },
    /// Going so many steps down would take back a revision on which others stand.
    #[error(
        "`{}` would take back {revision}, on which {} stand; \
         name the revision to go down to if they are to go too",
        visible(target),
        Listed(needed_by)
    )]
    StillNeeded {
        /// What was written.
        target: String,
        /// The revision that would be taken back.
        revision: RevisionId,
        /// The applied revisions that stand on it.
        needed_by: Vec<RevisionId>,
    },
    /// Several targets of which one stands below another.
    #[error("{below} stands below {above}: name only one of them")]
    Overlapping {
        /// The lower one.
        below: RevisionId,
        /// The higher one.
        above: RevisionId,
    },
    /// `base` together with other targets.
    #[error("`base` is no place for a branch beside others: stamp it alone")]
    BaseNotAlone,
    /// Only a database could say what is meant.
    #[error(
        "`{}` counts from what is applied, and no database is asked; name a revision",
        visible(target)
    )]
    DatabaseNeeded {
        /// What was written.
        target: String,
    },
    /// Without a database a downgrade must say where it begins and where it ends.
    #[error(
        "`{}` does not say from where to where the downgrade goes: write `from:to`",
        visible(target)
    )]
    BothEndsNeeded {
        /// What was written.
        target: String,
    },
}

impl From<RangeError> for PlanError {
    fn from(error: RangeError) -> Self {
        match error {
            RangeError::Target(error) => Self::Target(error),
            error => Self::Range(error),
        }
    }
}

fn name(direction: Direction) -> &'static str {
    match direction {
        Direction::Upgrade => "an upgrade",
        Direction::Downgrade => "a downgrade",
    }
}

fn other_way(direction: Direction) -> &'static str {
    match direction {
        Direction::Upgrade => "it lies below what is applied; downgrade to it",
        Direction::Downgrade => "it lies above what is applied; upgrade to it",
    }
}

fn heads(current: &[RevisionId]) -> String {
    if current.is_empty() {
        "is nothing".to_owned()
    } else {
        format!("up to {}", Listed(current))
    }
}
