use super::*;
use crate::sample::{MERGED, SEVEN, at, graph, ledger};

fn outcome(graph: &RevisionGraph, history: &History, targets: &[&str], purge: bool) -> String {
    match plan_stamp(graph, history, targets, StampOptions { purge }) {
        Err(error) => format!("refused: {error}"),
        Ok(stamp) => {
            let mut after: Vec<RevisionId> = history.applied_ids().cloned().collect();
            assert_eq!(stamp.from, graph.heads_of(&after));
            after.retain(|id| !stamp.remove.contains(id));
            after.extend_from_slice(&stamp.add);
            assert_eq!(stamp.to, graph.heads_of(&after));
            let (add, remove, to) = (words(&stamp.add), words(&stamp.remove), words(&stamp.to));
            format!("+ {add} - {remove} => {to}")
                .replace("  ", " ")
                .trim()
                .to_owned()
        }
    }
}

fn stamp(shape: &[&str], from: &str, targets: &[&str]) -> String {
    let graph = graph(shape);
    outcome(&graph, &at(&graph, from), targets, false)
}

#[test]
fn an_empty_database_counts_as_being_at_the_target() {
    assert_eq!(
        stamp(SEVEN, "", &["cccc3333"]),
        "+ aaaa1111 bbbb2222 cccc3333 - => cccc3333"
    );
    assert_eq!(
        stamp(SEVEN, "", &["heads"]),
        "+ aaaa1111 bbbb2222 cccc3333 eeee5555 dddd4444 ffff6666 abab7777 - \
         => eeee5555 ffff6666 abab7777"
    );
}

#[test]
fn a_stamp_moves_one_line_up_or_down_and_leaves_the_others() {
    assert_eq!(
        stamp(SEVEN, "cccc3333 ffff6666", &["eeee5555"]),
        "+ eeee5555 - => eeee5555 ffff6666"
    );
    assert_eq!(
        stamp(SEVEN, "eeee5555 ffff6666", &["cccc3333"]),
        "+ - eeee5555 => cccc3333 ffff6666"
    );
    assert_eq!(stamp(SEVEN, "eeee5555", &["eeee5555"]), "+ - => eeee5555");
    assert_eq!(
        stamp(SEVEN, "eeee5555", &["indep@head"]),
        "+ abab7777 - => eeee5555 abab7777"
    );
    assert_eq!(
        stamp(SEVEN, "bbbb2222", &["left@+1"]),
        "+ cccc3333 - => cccc3333"
    );
    assert_eq!(
        stamp(SEVEN, "eeee5555", &["-1"]),
        "+ - eeee5555 => cccc3333"
    );
}

#[test]
fn a_stamp_below_a_fork_takes_both_sides_away() {
    assert_eq!(
        stamp(SEVEN, "eeee5555 ffff6666 abab7777", &["bbbb2222"]),
        "+ - ffff6666 dddd4444 eeee5555 cccc3333 => bbbb2222 abab7777"
    );
    assert_eq!(
        stamp(MERGED, "nnnn9999", &["eeee5555"]),
        "+ - nnnn9999 mmmm8888 => eeee5555 ffff6666"
    );
}

#[test]
fn several_targets_must_not_stand_below_one_another() {
    assert_eq!(
        stamp(SEVEN, "", &["cccc3333", "dddd4444"]),
        "+ aaaa1111 bbbb2222 cccc3333 dddd4444 - => cccc3333 dddd4444"
    );
    insta::assert_snapshot!(stamp(SEVEN, "", &["bbbb2222", "eeee5555"]), @"refused: bbbb2222 stands below eeee5555: name only one of them");
    insta::assert_snapshot!(stamp(SEVEN, "", &["base", "eeee5555"]), @"refused: `base` is no place for a branch beside others: stamp it alone");
}

#[test]
fn base_forgets_everything_also_the_unknown() {
    let shape = graph(&["a", "b <a"]);
    let history = ledger(&["a", "u", "b <a"]);
    assert_eq!(outcome(&shape, &history, &["base"], false), "+ - b u a =>");
    assert_eq!(
        stamp(SEVEN, "eeee5555 abab7777", &["indep@base"]),
        "+ - abab7777 => eeee5555"
    );
}

#[test]
fn the_unknown_stays_unless_it_stands_above_or_is_purged() {
    let shape = graph(&["a", "b <a"]);
    let history = ledger(&["z", "a", "b <a", "u <b"]);
    assert_eq!(outcome(&shape, &history, &["b"], false), "+ - u => b");
    assert_eq!(outcome(&shape, &history, &["a"], false), "+ - u b => a");
    assert_eq!(outcome(&shape, &history, &["b"], true), "+ - u z => b");
    assert_eq!(
        outcome(&shape, &History::of(["a", "u"]), &["b"], false),
        "+ b - => b"
    );
}

#[test]
fn a_purge_forgets_other_branches() {
    let graph = graph(SEVEN);
    let history = at(&graph, "eeee5555 ffff6666");
    assert_eq!(
        outcome(&graph, &history, &["cccc3333"], true),
        "+ - ffff6666 dddd4444 eeee5555 => cccc3333"
    );
}

#[test]
fn a_stamp_fills_holes() {
    let graph = graph(&["m1", "m2 <m1", "m3 <m2"]);
    assert_eq!(
        outcome(&graph, &History::of(["m1", "m3"]), &["m3"], false),
        "+ m2 - => m3"
    );
}
