//! A history as a graph with replacing revisions understands it.

use std::collections::{HashMap, HashSet};

use super::{AppliedRevision, History};
use crate::graph::{RevisionGraph, lead_over};
use crate::revision::RevisionId;

impl History {
    /// The history as a graph sees it in which revisions replace others.
    ///
    /// A replacing revision counts as applied when it is recorded, or when all that it replaces is.
    /// What it replaces does not count beside it, and what was applied on that stands on it. Where
    /// only a part of what it replaces is applied, that part stays as it is: revisions that this graph
    /// does not know.
    #[must_use]
    pub fn seen_by(mut self, graph: &RevisionGraph) -> Self {
        if !graph.has_replacements() {
            return self;
        }
        for applied in &mut self.applied {
            if let Some(ledger) = &mut applied.ledger {
                lead_over(&mut ledger.parents, graph.replacements());
            }
        }
        let recorded: HashSet<RevisionId> = self.applied_ids().cloned().collect();
        // Behind which of the replaced the replacing one goes in.
        let mut stands_behind: HashMap<RevisionId, RevisionId> = HashMap::new();
        let mut hidden: HashSet<RevisionId> = HashSet::new();
        for revision in graph
            .iter()
            .filter(|revision| !revision.replaces.is_empty())
        {
            if !recorded.contains(&revision.id) {
                if !revision.replaces.iter().all(|id| recorded.contains(id)) {
                    continue;
                }
                let last = self
                    .applied_ids()
                    .filter(|id| revision.replaces.contains(id))
                    .last();
                if let Some(last) = last {
                    stands_behind.insert(last.clone(), revision.id.clone());
                }
            }
            hidden.extend(revision.replaces.iter().cloned());
        }
        let mut applied = Vec::with_capacity(self.applied.len());
        for entry in self.applied {
            if let Some(replacing) = stands_behind.get(&entry.id) {
                applied.push(AppliedRevision {
                    id: replacing.clone(),
                    applied_at: entry.applied_at,
                    ledger: None,
                    by_replacement: true,
                });
            }
            if hidden.contains(&entry.id) {
                self.replaced.push(entry.id);
            } else {
                applied.push(entry);
            }
        }
        self.applied = applied;
        self
    }
}
