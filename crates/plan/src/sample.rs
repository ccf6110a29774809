//! Graphs and histories for tests, written down briefly.

use proptest::prelude::*;

use crate::graph::{GraphError, Links, RevisionGraph};
use crate::history::{AppliedRevision, Checksum, History, LedgerEntry};
use crate::revision::{Revision, RevisionId};

/// The shape that the rules for targets are told on: a fork with two labelled sides, and a branch of
/// its own that depends on the trunk.
pub(crate) const SEVEN: &[&str] = &[
    "aaaa1111",
    "bbbb2222 <aaaa1111",
    "cccc3333 <bbbb2222 @left",
    "dddd4444 <bbbb2222 @right",
    "eeee5555 <cccc3333",
    "ffff6666 <dddd4444",
    "abab7777 ~bbbb2222 @indep",
];

/// A fork that is merged again, and one revision on top.
pub(crate) const MERGED: &[&str] = &[
    "aaaa1111",
    "bbbb2222 <aaaa1111",
    "cccc3333 <bbbb2222 @left",
    "dddd4444 <bbbb2222 @right",
    "eeee5555 <cccc3333",
    "ffff6666 <dddd4444",
    "mmmm8888 <eeee5555 <ffff6666",
    "nnnn9999 <mmmm8888",
];

/// The revision that a line describes: its id, then `<parent`, `~dependency`, `@label` and
/// `^replaced`.
pub(crate) fn revision(line: &str) -> Revision {
    let mut words = line.split_whitespace();
    let mut revision = Revision::new(words.next().unwrap(), []);
    for word in words {
        let (sign, name) = word.split_at(1);
        match sign {
            _ if name.is_empty() => {}
            "<" => revision.parents.push(name.into()),
            "~" => revision.depends_on.push(name.into()),
            "@" => revision.branch_labels.push(name.to_owned()),
            "^" => revision.replaces.push(name.into()),
            _ => panic!("{word} in {line}"),
        }
    }
    revision
}

pub(crate) fn try_graph(lines: &[&str]) -> Result<RevisionGraph, GraphError> {
    RevisionGraph::new(lines.iter().map(|line| revision(line)).collect())
}

pub(crate) fn graph(lines: &[&str]) -> RevisionGraph {
    try_graph(lines).unwrap()
}

/// A history in which these revisions and everything below them are applied.
pub(crate) fn at(graph: &RevisionGraph, heads: &str) -> History {
    let positions = heads
        .split_whitespace()
        .map(|id| graph.position(id).unwrap());
    let applied = graph.with_ancestors(positions, Links::ParentsAndDependencies);
    History::of(graph.ids(applied.iter()))
}

/// A history in which exactly these are applied, in this order, as Stairway writes it down. The
/// parents at the time follow an id after `<`.
pub(crate) fn ledger(lines: &[&str]) -> History {
    let entry = |(sequence, line): (usize, &&str)| {
        let revision = revision(line);
        AppliedRevision {
            id: revision.id,
            applied_at: None,
            ledger: Some(LedgerEntry {
                sequence: i64::try_from(sequence).unwrap(),
                parents: revision.parents,
                message: revision.message,
                checksum: Checksum::NotComparable {
                    reason: "a sample".to_owned(),
                },
            }),
            by_replacement: false,
        }
    };
    History {
        applied: lines.iter().enumerate().map(entry).collect(),
        interrupted: Vec::new(),
        table_exists: true,
        replaced: Vec::new(),
    }
}

pub(crate) fn words(ids: &[RevisionId]) -> String {
    ids.iter()
        .map(RevisionId::as_str)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Any graph of up to a dozen revisions, with dependencies, merges and several bases and heads; the
/// revisions come in any order.
pub(crate) fn any_graph() -> impl Strategy<Value = RevisionGraph> {
    any_revisions().prop_map(|revisions| RevisionGraph::new(revisions).unwrap())
}

pub(crate) fn any_revisions() -> impl Strategy<Value = Vec<Revision>> {
    let links = prop::collection::vec((any::<u16>(), any::<u16>(), 0..10_u8), 0..13);
    links.prop_flat_map(|links| {
        let revisions: Vec<Revision> = links
            .iter()
            .enumerate()
            .map(|(index, &(parents, depends_on, labelled))| {
                // Each bit is a link to an earlier revision; few of them, so that shapes vary.
                let linked = |bits: u16| {
                    let bits = bits & bits.rotate_left(5);
                    (0..index)
                        .filter(move |&below| bits >> below & 1 == 1)
                        .map(id)
                };
                let mut revision = Revision::new(id(index), linked(parents));
                revision
                    .depends_on
                    .extend(linked(depends_on & depends_on.rotate_left(3)));
                if labelled == 0 {
                    revision.branch_labels.push(format!("label{index}"));
                }
                revision
            })
            .collect();
        Just(revisions).prop_shuffle()
    })
}

fn id(index: usize) -> RevisionId {
    RevisionId::new(format!("m{index:02}_step"))
}

/// A graph, and a history that an application of it in any number of upgrades can have left.
pub(crate) fn any_state() -> impl Strategy<Value = (RevisionGraph, History)> {
    (
        any_graph(),
        prop::collection::vec(any::<prop::sample::Index>(), 0..4),
    )
        .prop_map(|(graph, heads)| {
            let mut applied: Vec<RevisionId> = Vec::new();
            for head in heads.iter().filter(|_| !graph.is_empty()) {
                let head = head.index(graph.len());
                let closure = graph.with_ancestors([head], Links::ParentsAndDependencies);
                for id in graph.ids(closure.iter()) {
                    if !applied.contains(&id) {
                        applied.push(id);
                    }
                }
            }
            (graph, History::of(applied))
        })
}
