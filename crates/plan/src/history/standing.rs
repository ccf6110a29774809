//! A history seen against a graph: which of its revisions are known, and what was applied on what.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, HashMap, HashSet};

use super::{AppliedRevision, History};
use crate::graph::{Links, RevisionGraph, Selection};
use crate::revision::RevisionId;

/// The applied revisions in the order in which they were applied, with the links between them.
///
/// The links are those of the code and those that the ledger wrote down; a revision that the code
/// does not know has the latter alone. The order is the history's, except that nothing comes before
/// what it stands on: plain sea-orm-migration records whole seconds by the clock of some machine,
/// which is no order. Only the ledger's sequence is trusted to say that a revision came before its
/// parent (a late merge).
pub(crate) struct Standing<'a> {
    entries: Vec<Entry<'a>>,
    known: Selection,
}

/// An applied revision.
pub(crate) struct Entry<'a> {
    pub(crate) applied: &'a AppliedRevision,
    /// Its position in the graph, if the code knows it.
    pub(crate) position: Option<usize>,
    /// The entries that it follows or depends on.
    pub(crate) below: Vec<Link>,
}

/// That an entry follows or depends on another.
#[derive(Clone, Copy)]
pub(crate) struct Link {
    /// The entry below.
    pub(crate) to: usize,
    /// The entry below was applied later all the same.
    pub(crate) came_later: bool,
}

impl<'a> Standing<'a> {
    pub(crate) fn new(graph: &RevisionGraph, history: &'a History) -> Self {
        let mut entries = entries(graph, history);
        link(graph, &mut entries);
        let entries = in_applied_order(entries);
        let known = Selection::of(graph.len(), entries.iter().filter_map(|e| e.position));
        Self { entries, known }
    }

    /// The applied revisions that the graph knows.
    pub(crate) fn known(&self) -> &Selection {
        &self.known
    }

    /// The applied revisions that the graph does not know, earliest applied first.
    pub(crate) fn unknown(&self) -> Vec<RevisionId> {
        let unknown = self.entries.iter().filter(|entry| entry.position.is_none());
        unknown.map(|entry| entry.applied.id.clone()).collect()
    }

    /// Every entry, earliest applied first.
    pub(crate) fn entries(&self) -> &[Entry<'a>] {
        &self.entries
    }

    /// The entries of these positions.
    pub(crate) fn entries_at(&self, positions: &Selection) -> BTreeSet<usize> {
        self.entries_where(|entry| entry.position.is_some_and(|at| positions.contains(at)))
    }

    /// The entries that followed this revision when they were applied.
    pub(crate) fn recorded_children(&self, parent: &RevisionId) -> BTreeSet<usize> {
        self.entries_where(|entry| {
            let ledger = entry.applied.ledger.as_ref();
            ledger.is_some_and(|ledger| ledger.parents.contains(parent))
        })
    }

    /// For each entry those that stand on it and were applied after it.
    pub(crate) fn applied_on(&self) -> Vec<Vec<usize>> {
        self.reversed(|link| !link.came_later)
    }

    /// These entries and all that stand on them by the code or the ledger, whichever was applied
    /// first.
    pub(crate) fn with_above(&self, entries: BTreeSet<usize>) -> BTreeSet<usize> {
        let above = self.reversed(|_| true);
        let mut open: Vec<usize> = entries.iter().copied().collect();
        let mut reached = entries;
        while let Some(entry) = open.pop() {
            open.extend(above[entry].iter().filter(|&&next| reached.insert(next)));
        }
        reached
    }

    /// The known revisions that are missing below an applied one.
    pub(crate) fn out_of_order(&self, graph: &RevisionGraph) -> Selection {
        let mut missing = graph.with_ancestors(self.known.iter(), Links::ParentsAndDependencies);
        missing.remove_all(&self.known);
        missing
    }

    fn reversed(&self, counts: impl Fn(&Link) -> bool) -> Vec<Vec<usize>> {
        let mut above = vec![Vec::new(); self.entries.len()];
        for (index, entry) in self.entries.iter().enumerate() {
            for link in entry.below.iter().filter(|link| counts(link)) {
                above[link.to].push(index);
            }
        }
        above
    }

    fn entries_where(&self, holds: impl Fn(&Entry<'_>) -> bool) -> BTreeSet<usize> {
        (0..self.entries.len())
            .filter(|&index| holds(&self.entries[index]))
            .collect()
    }
}

/// One entry for each applied id, in the history's order.
fn entries<'a>(graph: &RevisionGraph, history: &'a History) -> Vec<Entry<'a>> {
    let mut seen = HashSet::new();
    history
        .applied
        .iter()
        .filter(|applied| seen.insert(&applied.id))
        .map(|applied| Entry {
            applied,
            position: graph.position(applied.id.as_str()),
            below: Vec::new(),
        })
        .collect()
}

fn link(graph: &RevisionGraph, entries: &mut [Entry<'_>]) {
    let by_id: HashMap<&str, usize> = entries
        .iter()
        .enumerate()
        .map(|(index, entry)| (entry.applied.id.as_str(), index))
        .collect();
    let below_of = |entry: &Entry<'_>| -> BTreeSet<usize> {
        let in_code = entry.position.into_iter().flat_map(|at| {
            let links = graph.parents_at(at).iter().chain(graph.dependencies_at(at));
            links.map(|&below| graph.id(below).as_str())
        });
        let in_ledger = entry
            .applied
            .ledger
            .iter()
            .flat_map(|ledger| ledger.parents.iter().map(RevisionId::as_str));
        in_code
            .chain(in_ledger)
            .filter(|&id| id != entry.applied.id.as_str())
            .filter_map(|id| by_id.get(id).copied())
            .collect()
    };
    let links: Vec<Vec<Link>> = entries
        .iter()
        .map(|entry| {
            let to_link = |to: usize| Link {
                to,
                came_later: is_known_later(entries[to].applied, entry.applied),
            };
            below_of(entry).into_iter().map(to_link).collect()
        })
        .collect();
    for (entry, below) in entries.iter_mut().zip(links) {
        entry.below = below;
    }
}

/// Whether the ledger says that `one` was applied after `other`.
fn is_known_later(one: &AppliedRevision, other: &AppliedRevision) -> bool {
    match (&one.ledger, &other.ledger) {
        (Some(one), Some(other)) => one.sequence > other.sequence,
        _ => false,
    }
}

/// Puts the entries in order: the earliest in the history first among those that stand on nothing
/// left.
fn in_applied_order(entries: Vec<Entry<'_>>) -> Vec<Entry<'_>> {
    let count = entries.len();
    let mut missing = vec![0_usize; count];
    let mut above = vec![Vec::new(); count];
    for (index, entry) in entries.iter().enumerate() {
        for link in entry.below.iter().filter(|link| !link.came_later) {
            missing[index] += 1;
            above[link.to].push(index);
        }
    }
    let on_nothing = (0..count).filter(|&index| missing[index] == 0);
    let mut ready: BinaryHeap<Reverse<usize>> = on_nothing.map(Reverse).collect();
    let mut waiting: BTreeSet<usize> = (0..count).collect();
    let mut order = Vec::with_capacity(count);
    // A ledger written by hand can hold a circle; it is entered at its earliest member.
    while let Some(next) = ready
        .pop()
        .map(|ready| ready.0)
        .or_else(|| waiting.first().copied())
    {
        waiting.remove(&next);
        order.push(next);
        for &index in &above[next] {
            missing[index] -= 1;
            if missing[index] == 0 && waiting.contains(&index) {
                ready.push(Reverse(index));
            }
        }
    }
    arranged(entries, &order)
}

fn arranged<'a>(entries: Vec<Entry<'a>>, order: &[usize]) -> Vec<Entry<'a>> {
    let mut positions = vec![0; order.len()];
    for (position, &index) in order.iter().enumerate() {
        positions[index] = position;
    }
    let mut arranged: Vec<(usize, Entry<'a>)> = positions.iter().copied().zip(entries).collect();
    for (_, entry) in &mut arranged {
        for link in &mut entry.below {
            link.to = positions[link.to];
        }
    }
    arranged.sort_by_key(|&(position, _)| position);
    arranged.into_iter().map(|(_, entry)| entry).collect()
}
