//! Revisions that stand in for others after a squash (`replaces:`).
//!
//! The graph is as if the replaced revisions had never been: they are no part of it, and what
//! followed one of them follows the revision that replaces it. What a database says of them is
//! understood by [`History::seen_by`](crate::history::History::seen_by).

use std::collections::{BTreeMap, HashMap, HashSet};

use super::RevisionGraph;
use super::error::GraphError;
use crate::revision::{Revision, RevisionId};

/// Which revision replaces which.
#[derive(Clone, Debug, Default)]
pub(super) struct Replaced {
    /// The replacing revision of each that is replaced.
    by: HashMap<RevisionId, RevisionId>,
    /// Those of the replaced that the code still has.
    in_code: HashSet<RevisionId>,
}

impl Replaced {
    /// Takes the replaced revisions out of the list, and leads links to them to what replaces them.
    pub(super) fn take_out(revisions: Vec<Revision>) -> Result<(Vec<Revision>, Self), GraphError> {
        if revisions
            .iter()
            .all(|revision| revision.replaces.is_empty())
        {
            return Ok((revisions, Self::default()));
        }
        let by = replacing(&revisions)?;
        let (replaced, mut left): (Vec<Revision>, Vec<Revision>) = revisions
            .into_iter()
            .partition(|revision| by.contains_key(&revision.id));
        for revision in &mut left {
            for links in [&mut revision.parents, &mut revision.depends_on] {
                lead_over(links, &by);
            }
        }
        let in_code = replaced.into_iter().map(|revision| revision.id).collect();
        Ok((left, Self { by, in_code }))
    }
}

fn replacing(revisions: &[Revision]) -> Result<HashMap<RevisionId, RevisionId>, GraphError> {
    let replacing: HashSet<&RevisionId> = revisions
        .iter()
        .filter(|revision| !revision.replaces.is_empty())
        .map(|revision| &revision.id)
        .collect();
    let mut by: HashMap<RevisionId, RevisionId> = HashMap::new();
    let mut twice: BTreeMap<RevisionId, Vec<RevisionId>> = BTreeMap::new();
    for revision in revisions {
        for replaced in &revision.replaces {
            if replacing.contains(replaced) {
                return Err(GraphError::ReplacesReplacing {
                    revision: revision.id.clone(),
                    replaced: replaced.clone(),
                });
            }
            if revision.parents.contains(replaced) || revision.depends_on.contains(replaced) {
                return Err(GraphError::FollowsReplaced {
                    revision: revision.id.clone(),
                    replaced: replaced.clone(),
                });
            }
            match by.insert(replaced.clone(), revision.id.clone()) {
                Some(other) if other != revision.id => {
                    let claims = twice.entry(replaced.clone()).or_insert(vec![other]);
                    claims.push(revision.id.clone());
                }
                _ => {}
            }
        }
    }
    match twice.into_iter().next() {
        None => Ok(by),
        Some((replaced, by)) => Err(GraphError::ReplacedTwice { replaced, by }),
    }
}

/// Puts the replacing revision in the place of those it replaces, once.
pub(crate) fn lead_over(links: &mut Vec<RevisionId>, by: &HashMap<RevisionId, RevisionId>) {
    if !links.iter().any(|link| by.contains_key(link)) {
        return;
    }
    let mut seen = HashSet::new();
    let led = links
        .drain(..)
        .map(|link| by.get(&link).cloned().unwrap_or(link))
        .filter(|link| seen.insert(link.clone()))
        .collect();
    *links = led;
}

impl RevisionGraph {
    /// The revision that stands in for `id`, which itself is no part of the graph.
    pub fn replaced_by(&self, id: &str) -> Option<&RevisionId> {
        self.replaced.by.get(id)
    }

    /// Whether any revision replaces others.
    pub fn has_replacements(&self) -> bool {
        !self.replaced.by.is_empty()
    }

    /// Those that `revision` replaces and that the code still has. Whoever knows nothing of
    /// replacements, as plain sea-orm-migration, must find them recorded with it, or would run them.
    pub fn stands_for<'a>(&'a self, revision: &'a Revision) -> Vec<&'a RevisionId> {
        let still_there = |id: &&RevisionId| self.replaced.in_code.contains(*id);
        revision.replaces.iter().filter(still_there).collect()
    }

    pub(crate) fn replacements(&self) -> &HashMap<RevisionId, RevisionId> {
        &self.replaced.by
    }

    /// Whether the code still has this replaced revision.
    pub(crate) fn has_replaced(&self, id: &RevisionId) -> bool {
        self.replaced.in_code.contains(id)
    }
}
