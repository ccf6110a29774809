//! Which revisions a merge joins.

use thiserror::Error;

use super::{Links, RevisionGraph};
use crate::history::History;
use crate::listing::Listed;
use crate::revision::RevisionId;
use crate::target::{Target, TargetError};

/// Why revisions can't be merged.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum MergeError {
    /// A target means nothing, or too much.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// There are not two heads to join.
    #[error("a merge joins two heads or more: {}", too_few(named, heads))]
    NothingToMerge {
        /// What was named.
        named: Vec<RevisionId>,
        /// The heads of the graph.
        heads: Vec<RevisionId>,
    },
    /// A revision is named twice.
    #[error("{revision} is named twice")]
    NamedTwice {
        /// The revision.
        revision: RevisionId,
    },
    /// A revision stands below another one, so that there is nothing to join.
    #[error("{below} already stands below {above}: name only heads")]
    Overlapping {
        /// The lower one.
        below: RevisionId,
        /// The higher one.
        above: RevisionId,
    },
    /// A revision is no head, so that a merge would open a branch instead of closing one.
    #[error("{revision} is no head; the heads are {}", Listed(heads))]
    NotAHead {
        /// The revision.
        revision: RevisionId,
        /// The heads of the graph.
        heads: Vec<RevisionId>,
    },
}

fn too_few(named: &[RevisionId], heads: &[RevisionId]) -> String {
    match (named, heads) {
        (_, []) => "there is no revision".to_owned(),
        (_, [only]) => format!("{} is the only one", Listed(&[only])),
        ([], heads) => format!("none of {} is named", Listed(heads)),
        (named, heads) => format!("of {} only {} is named", Listed(heads), Listed(named)),
    }
}

/// The parents of a revision that merges `targets`, or every head if there are none.
///
/// # Errors
/// [`MergeError`] unless these are two or more different heads.
pub fn merge_parents<T: AsRef<str>>(
    graph: &RevisionGraph,
    targets: &[T],
) -> Result<Vec<RevisionId>, MergeError> {
    let heads = graph.heads();
    let mut named = Vec::new();
    for target in targets {
        named.extend(Target::parse(target.as_ref())?.resolve(graph, &History::default())?);
    }
    if targets.is_empty() {
        named.clone_from(&heads);
    }
    for (index, id) in named.iter().enumerate() {
        if named[..index].contains(id) {
            return Err(MergeError::NamedTwice {
                revision: id.clone(),
            });
        }
    }
    for above in &named {
        let below = graph.ancestors(above.as_str(), Links::Parents);
        if let Some(lower) = named.iter().find(|id| below.contains(id)) {
            return Err(MergeError::Overlapping {
                below: lower.clone(),
                above: above.clone(),
            });
        }
    }
    if let Some(revision) = named.iter().find(|id| !heads.contains(id)) {
        return Err(MergeError::NotAHead {
            revision: revision.clone(),
            heads,
        });
    }
    if named.len() < 2 {
        return Err(MergeError::NothingToMerge { named, heads });
    }
    Ok(named)
}
