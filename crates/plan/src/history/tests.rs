use super::*;
use crate::sample::{graph, ledger, words};

/// The applied revisions in the order in which they count as applied.
fn order(shape: &[&str], history: &History) -> String {
    let graph = graph(shape);
    let standing = Standing::new(&graph, history);
    let ids: Vec<RevisionId> = standing
        .entries()
        .iter()
        .map(|e| e.applied.id.clone())
        .collect();
    words(&ids)
}

#[test]
fn the_order_is_the_historys() {
    assert_eq!(
        order(&["a", "b", "c"], &History::of(["c", "a", "u", "b"])),
        "c a u b"
    );
}

#[test]
fn without_a_ledger_nothing_comes_before_what_it_stands_on() {
    let chain = ["m1", "m2 <m1", "m3 <m2"];
    assert_eq!(order(&chain, &History::of(["m3", "m2", "m1"])), "m1 m2 m3");
    assert_eq!(order(&["x ~m", "m"], &History::of(["x", "m"])), "m x");
}

#[test]
fn the_ledgers_sequence_tells_of_a_late_merge() {
    let chain = ["m1", "m2 <m1", "m3 <m2"];
    assert_eq!(order(&chain, &ledger(&["m1", "m3", "m2"])), "m1 m3 m2");
    // One side of the link was written down by nobody, so the code is believed.
    let mut half = ledger(&["m1", "m3", "m2"]);
    half.applied[1].ledger = None;
    assert_eq!(order(&chain, &half), "m1 m2 m3");
}

#[test]
fn what_the_ledger_wrote_down_holds_for_unknown_revisions_too() {
    let mut history = ledger(&["a", "u1 <a", "u2 <u1"]);
    history.applied.reverse();
    assert_eq!(order(&["a"], &history), "a u1 u2");
}

#[test]
fn a_revision_that_is_recorded_twice_counts_once() {
    let graph = graph(&["a", "b <a"]);
    let history = History::of(["a", "b", "a", "u", "u"]);
    let standing = Standing::new(&graph, &history);
    assert_eq!(standing.entries().len(), 3);
    assert_eq!(words(&standing.unknown()), "u");
}

#[test]
fn a_circle_in_a_ledger_is_gone_through_all_the_same() {
    let history = ledger(&["u1 <u2 <u1", "u2 <u1", "a"]);
    assert_eq!(order(&["a"], &history), "u1 u2 a");
    // Without sequences on both sides both links hold, and still an order comes out.
    let mut mixed = ledger(&["b <x", "x", "a <b"]);
    mixed.applied[1].ledger = None;
    let order = order(&["a", "x <a", "b"], &mixed);
    assert_eq!(order.split(' ').count(), 3, "{order}");
}
