//! The revisions of a project and which follows which.
//!
//! Inside, a revision is a position in the topological order: every parent and every dependency has
//! a smaller position than the revision itself, so that ancestors and descendants are one sweep.

mod build;
mod error;
mod merge;
mod replacement;
mod selection;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};

pub use error::{GraphError, UnknownLink};
pub use merge::{MergeError, merge_parents};
pub(crate) use replacement::lead_over;
pub(crate) use selection::Selection;

use crate::revision::{Revision, RevisionId};

/// Revisions with their links, checked and put in order once.
#[derive(Clone, Debug)]
pub struct RevisionGraph {
    revisions: Vec<Revision>,
    positions: HashMap<RevisionId, usize>,
    labels: BTreeMap<String, usize>,
    parents: Vec<Vec<usize>>,
    children: Vec<Vec<usize>>,
    dependencies: Vec<Vec<usize>>,
    dependents: Vec<Vec<usize>>,
    replaced: replacement::Replaced,
}

/// Which links between revisions count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Links {
    /// `revises` alone.
    Parents,
    /// `revises` and `depends-on`.
    ParentsAndDependencies,
}

impl RevisionGraph {
    /// Checks the revisions and puts them in order.
    ///
    /// `revisions` may come in any order; where the links leave a choice, the order given decides.
    /// An entry of `depends_on` may be a branch label, which stands for the revision declaring it.
    ///
    /// # Errors
    /// The first kind of [`GraphError`] that is found, with every revision concerned.
    pub fn new(revisions: Vec<Revision>) -> Result<Self, GraphError> {
        build::build(revisions)
    }

    /// The revision with exactly this id.
    pub fn get(&self, id: &str) -> Option<&Revision> {
        self.position(id).map(|at| &self.revisions[at])
    }

    /// Whether there is a revision with exactly this id.
    pub fn contains(&self, id: &str) -> bool {
        self.positions.contains_key(id)
    }

    /// How many revisions there are.
    pub fn len(&self) -> usize {
        self.revisions.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.revisions.is_empty()
    }

    /// Every revision in the order in which an empty database would get them: parents and
    /// dependencies first, one branch as far as it goes before the next, ties as given to
    /// [`RevisionGraph::new`].
    pub fn iter(&self) -> std::slice::Iter<'_, Revision> {
        self.revisions.iter()
    }

    /// The revisions that no other follows. One that others merely depend on is still a head.
    pub fn heads(&self) -> Vec<RevisionId> {
        self.ids(self.head_positions())
    }

    /// The revisions that follow no other. One that merely depends on others is still a base.
    pub fn bases(&self) -> Vec<RevisionId> {
        self.ids(self.base_positions())
    }

    /// The revisions that `id` follows, in the order it names them; none for an unknown id.
    pub fn parents(&self, id: &str) -> Vec<RevisionId> {
        self.linked(id, &self.parents)
    }

    /// The revisions that follow `id`; none for an unknown id.
    pub fn children(&self, id: &str) -> Vec<RevisionId> {
        self.linked(id, &self.children)
    }

    /// The revisions that `id` depends on without following them; none for an unknown id.
    pub fn dependencies(&self, id: &str) -> Vec<RevisionId> {
        self.linked(id, &self.dependencies)
    }

    /// The revisions that depend on `id` without following it; none for an unknown id.
    pub fn dependents(&self, id: &str) -> Vec<RevisionId> {
        self.linked(id, &self.dependents)
    }

    /// Everything below `id`, in order, without `id` itself; nothing for an unknown id.
    pub fn ancestors(&self, id: &str, links: Links) -> Vec<RevisionId> {
        self.around(id, |at| self.with_ancestors([at], links))
    }

    /// Everything above `id`, in order, without `id` itself; nothing for an unknown id.
    pub fn descendants(&self, id: &str, links: Links) -> Vec<RevisionId> {
        self.around(id, |at| self.with_descendants([at], links))
    }

    /// Every branch label with the revision that declares it, sorted by label.
    pub fn labels(&self) -> impl Iterator<Item = (&str, &RevisionId)> {
        self.labels
            .iter()
            .map(|(label, &at)| (label.as_str(), self.id(at)))
    }

    /// The revision that declares this branch label.
    pub fn declares(&self, label: &str) -> Option<&RevisionId> {
        self.labels.get(label).map(|&at| self.id(at))
    }

    /// The labels of the branches that `id` is on, sorted: its own, those of everything below it, and
    /// those declared above it as long as the way there neither forks nor merges.
    pub fn labels_of(&self, id: &str) -> Vec<String> {
        let Some(at) = self.position(id) else {
            return Vec::new();
        };
        let mut on_branch = self.with_ancestors([at], Links::Parents);
        let mut above = at;
        while !self.forks(above) && !self.merges(above) {
            on_branch.insert(above);
            match self.children[above].as_slice() {
                &[child] => above = child,
                _ => break,
            }
        }
        self.labels
            .iter()
            .filter(|&(_, &declaring)| on_branch.contains(declaring))
            .map(|(label, _)| label.clone())
            .collect()
    }

    /// The revisions that more than one other follows.
    pub fn branch_points(&self) -> Vec<RevisionId> {
        self.ids((0..self.len()).filter(|&at| self.children[at].len() > 1))
    }

    /// The revisions that follow more than one other.
    pub fn merge_points(&self) -> Vec<RevisionId> {
        self.ids((0..self.len()).filter(|&at| self.merges(at)))
    }

    /// Those of `applied` that no other of them stands on, in order. Ids that the graph does not know
    /// are passed over.
    ///
    /// A revision below a head is none, even if those between them are missing (a late merge).
    pub fn heads_of<'a>(
        &self,
        applied: impl IntoIterator<Item = &'a RevisionId>,
    ) -> Vec<RevisionId> {
        let applied = self.select(applied);
        self.ids(self.tips_of(&applied))
    }
}

impl<'a> IntoIterator for &'a RevisionGraph {
    type Item = &'a Revision;
    type IntoIter = std::slice::Iter<'a, Revision>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

/// By position, for planning.
impl RevisionGraph {
    pub(crate) fn position(&self, id: &str) -> Option<usize> {
        self.positions.get(id).copied()
    }

    pub(crate) fn label_position(&self, label: &str) -> Option<usize> {
        self.labels.get(label).copied()
    }

    pub(crate) fn at(&self, position: usize) -> &Revision {
        &self.revisions[position]
    }

    pub(crate) fn id(&self, position: usize) -> &RevisionId {
        &self.revisions[position].id
    }

    pub(crate) fn ids(&self, positions: impl IntoIterator<Item = usize>) -> Vec<RevisionId> {
        positions
            .into_iter()
            .map(|at| self.id(at).clone())
            .collect()
    }

    pub(crate) fn parents_at(&self, position: usize) -> &[usize] {
        &self.parents[position]
    }

    pub(crate) fn children_at(&self, position: usize) -> &[usize] {
        &self.children[position]
    }

    pub(crate) fn dependencies_at(&self, position: usize) -> &[usize] {
        &self.dependencies[position]
    }

    pub(crate) fn head_positions(&self) -> Vec<usize> {
        (0..self.len())
            .filter(|&at| self.children[at].is_empty())
            .collect()
    }

    pub(crate) fn base_positions(&self) -> Vec<usize> {
        (0..self.len())
            .filter(|&at| self.parents[at].is_empty())
            .collect()
    }

    /// The known ones of these ids.
    pub(crate) fn select<'a>(&self, ids: impl IntoIterator<Item = &'a RevisionId>) -> Selection {
        let known = ids.into_iter().filter_map(|id| self.position(id.as_str()));
        Selection::of(self.len(), known)
    }

    /// These and all that stands below them.
    pub(crate) fn with_ancestors(
        &self,
        of: impl IntoIterator<Item = usize>,
        links: Links,
    ) -> Selection {
        let mut selection = Selection::of(self.len(), of);
        for at in (0..self.len()).rev() {
            if selection.contains(at) {
                for below in self.below(at, links) {
                    selection.insert(below);
                }
            }
        }
        selection
    }

    /// These and all that stands on them.
    pub(crate) fn with_descendants(
        &self,
        of: impl IntoIterator<Item = usize>,
        links: Links,
    ) -> Selection {
        let mut selection = Selection::of(self.len(), of);
        for at in 0..self.len() {
            if self.below(at, links).any(|below| selection.contains(below)) {
                selection.insert(at);
            }
        }
        selection
    }

    /// A revision with everything above and below it: the branch or branches that it is on.
    pub(crate) fn lineage(&self, position: usize) -> Selection {
        let mut lineage = self.with_ancestors([position], Links::Parents);
        lineage.insert_all(&self.with_descendants([position], Links::Parents));
        lineage
    }

    /// The members that no other member stands on, directly or not.
    pub(crate) fn tips_of(&self, selection: &Selection) -> Vec<usize> {
        let below_parents = selection.iter().flat_map(|at| &self.parents[at]).copied();
        let covered = self.with_ancestors(below_parents, Links::Parents);
        selection
            .iter()
            .filter(|&at| !covered.contains(at))
            .collect()
    }

    fn below(&self, position: usize, links: Links) -> impl Iterator<Item = usize> {
        let dependencies: &[usize] = match links {
            Links::Parents => &[],
            Links::ParentsAndDependencies => &self.dependencies[position],
        };
        self.parents[position].iter().chain(dependencies).copied()
    }

    /// Whether the way up from here is not a single one.
    fn forks(&self, position: usize) -> bool {
        self.children[position].len() + self.dependents[position].len() > 1
    }

    fn merges(&self, position: usize) -> bool {
        self.parents[position].len() > 1
    }

    fn linked(&self, id: &str, links: &[Vec<usize>]) -> Vec<RevisionId> {
        self.position(id)
            .map(|at| self.ids(links[at].iter().copied()))
            .unwrap_or_default()
    }

    fn around(&self, id: &str, closure: impl Fn(usize) -> Selection) -> Vec<RevisionId> {
        let Some(at) = self.position(id) else {
            return Vec::new();
        };
        self.ids(closure(at).iter().filter(|&other| other != at))
    }
}
