use proptest::prelude::*;

use super::*;
use crate::plan::{Direction, PlanOptions, plan};
use crate::sample::{SEVEN, any_state, at, graph, ledger, words};

const CHAIN: &[&str] = &["m1", "m2 <m1", "m3 <m2"];

fn position(shape: &[&str], history: &History) -> Position {
    Position::of(&graph(shape), history, &ChecksumComparison::default())
}

fn state(shape: &[&str], applied: &[&str]) -> DatabaseState {
    position(shape, &ledger(applied)).state
}

#[test]
fn each_state_has_its_sign() {
    assert_eq!(state(CHAIN, &[]), DatabaseState::Empty);
    assert_eq!(state(CHAIN, &["m1"]), DatabaseState::Behind);
    assert_eq!(state(CHAIN, &["m1", "m2", "m3"]), DatabaseState::UpToDate);
    assert_eq!(
        state(CHAIN, &["m1", "m2", "m3", "m4"]),
        DatabaseState::Ahead
    );
    assert_eq!(state(CHAIN, &["m1", "m4"]), DatabaseState::Diverged);
    // Something is applied, though nothing that is known.
    assert_eq!(state(CHAIN, &["u"]), DatabaseState::Diverged);
}

#[test]
fn without_revisions_an_empty_database_is_up_to_date() {
    assert_eq!(state(&[], &[]), DatabaseState::UpToDate);
    assert_eq!(state(&[], &["u"]), DatabaseState::Ahead);
}

#[test]
fn the_state_that_needs_a_person_first_is_named() {
    let graph = graph(CHAIN);
    let mut history = ledger(&["m1", "u"]);
    let edited = ChecksumComparison {
        edited: vec!["m1".into()],
        not_comparable: vec!["u".into()],
    };
    let position = Position::of(&graph, &history, &edited);
    assert_eq!(position.state, DatabaseState::Edited);
    assert_eq!(
        (words(&position.edited), words(&position.not_comparable)),
        ("m1".into(), "u".into())
    );
    history.interrupted.push(InterruptedStep {
        revision: "m2".into(),
        direction: Direction::Upgrade,
        started_at: None,
        statements_done: 1,
        in_doubt: None,
    });
    let position = Position::of(&graph, &history, &edited);
    assert_eq!(position.state, DatabaseState::Interrupted);
    assert_eq!(position.interrupted.len(), 1);
}

#[test]
fn a_checksum_that_can_not_be_compared_is_no_alarm() {
    let comparison = ChecksumComparison {
        edited: Vec::new(),
        not_comparable: vec!["m1".into()],
    };
    let position = Position::of(&graph(&["m1"]), &ledger(&["m1"]), &comparison);
    assert_eq!(position.state, DatabaseState::UpToDate);
}

#[test]
fn a_late_merge_is_pending_out_of_order() {
    let position = position(
        &["m1", "m2 <m1", "m3 <m2", "m4 <m3"],
        &ledger(&["m1", "m3 <m1"]),
    );
    assert_eq!(position.state, DatabaseState::Behind);
    assert_eq!(words(&position.current), "m3");
    assert_eq!(words(&position.pending), "m2 m4");
    assert_eq!(words(&position.out_of_order), "m2");
    assert_eq!(position.applied_count, 2);
}

#[test]
fn applied_heads_come_in_the_order_in_which_they_were_applied() {
    let graph = graph(SEVEN);
    let mut history = at(&graph, "ffff6666");
    history.applied.extend(History::of(["cccc3333"]).applied);
    let position = Position::of(&graph, &history, &ChecksumComparison::default());
    assert_eq!(words(&position.current), "ffff6666 cccc3333");
    assert_eq!(words(&position.heads), "eeee5555 ffff6666 abab7777");
    assert_eq!(words(&position.pending), "eeee5555 abab7777");
}

proptest! {
    #[test]
    fn what_is_pending_is_what_an_upgrade_applies((graph, history) in any_state()) {
        let position = Position::of(&graph, &history, &ChecksumComparison::default());
        let plan = plan(&graph, &history, Direction::Upgrade, "heads", PlanOptions::default()).unwrap();
        let steps: Vec<RevisionId> = plan.steps.into_iter().map(|step| step.revision).collect();
        prop_assert_eq!(&position.pending, &steps);
        prop_assert_eq!(position.pending.len() + position.applied_count, graph.len());
        prop_assert_eq!(position.state == DatabaseState::UpToDate, steps.is_empty());
        let mut current = position.current;
        let mut from = plan.from;
        current.sort();
        from.sort();
        prop_assert_eq!(current, from);
    }
}
