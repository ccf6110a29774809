use super::*;
use crate::sample::{MERGED, SEVEN, at, graph, ledger};

/// Upgrades from these heads, everything below them applied.
fn up(shape: &[&str], from: &str, target: &str) -> String {
    let graph = graph(shape);
    let history = at(&graph, from);
    outcome(
        &graph,
        &history,
        Direction::Upgrade,
        target,
        PlanOptions::default(),
    )
}

/// Upgrades after exactly these were applied, in this order.
fn up_after(shape: &[&str], applied: &[&str], target: &str, options: PlanOptions) -> String {
    outcome(
        &graph(shape),
        &ledger(applied),
        Direction::Upgrade,
        target,
        options,
    )
}

#[test]
fn heads_brings_everything_one_branch_after_the_other() {
    assert_eq!(
        up(SEVEN, "", "heads"),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 dddd4444 ffff6666 abab7777 \
         => eeee5555 ffff6666 abab7777"
    );
}

#[test]
fn an_up_to_date_database_needs_nothing() {
    assert_eq!(
        up(SEVEN, "eeee5555 ffff6666 abab7777", "heads"),
        "=> eeee5555 ffff6666 abab7777"
    );
    assert_eq!(up(&[], "", "heads"), "=>");
    assert_eq!(up(&[], "", "head"), "=>");
}

#[test]
fn the_one_head_is_head_and_several_are_listed() {
    assert_eq!(up(&["a", "b <a"], "", "head"), "a b => b");
    insta::assert_snapshot!(up(SEVEN, "", "head"), @"refused: `head` could be any of the heads eeee5555, ffff6666, abab7777: name one, or write its branch in front, as in `branch@head`");
}

#[test]
fn the_head_of_a_branch_brings_that_branch_only() {
    assert_eq!(
        up(SEVEN, "", "left@head"),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 => eeee5555"
    );
    assert_eq!(
        up(SEVEN, "", "right@heads"),
        "aaaa1111 bbbb2222 dddd4444 ffff6666 => ffff6666"
    );
    // Any revision can stand for the branch that it is on, also by a part of its id.
    assert_eq!(
        up(SEVEN, "", "cccc@head"),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 => eeee5555"
    );
    assert_eq!(
        up(SEVEN, "", "bbbb2222@heads"),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 dddd4444 ffff6666 => eeee5555 ffff6666"
    );
    insta::assert_snapshot!(up(SEVEN, "", "bbbb2222@head"), @"refused: `bbbb2222@head` could be any of the heads eeee5555, ffff6666: name one");
}

#[test]
fn a_dependency_is_brought_along() {
    assert_eq!(
        up(SEVEN, "", "indep@head"),
        "aaaa1111 bbbb2222 abab7777 => bbbb2222 abab7777"
    );
    assert_eq!(
        up(SEVEN, "bbbb2222", "indep@head"),
        "abab7777 => bbbb2222 abab7777"
    );
}

#[test]
fn after_a_merge_the_head_of_one_side_brings_the_other() {
    assert_eq!(
        up(MERGED, "eeee5555", "left@head"),
        "dddd4444 ffff6666 mmmm8888 nnnn9999 => nnnn9999"
    );
}

#[test]
fn steps_count_from_what_is_applied() {
    assert_eq!(up(SEVEN, "aaaa1111", "+1"), "bbbb2222 => bbbb2222");
    assert_eq!(up(SEVEN, "aaaa1111", "current+1"), "bbbb2222 => bbbb2222");
    assert_eq!(up(&["a", "b <a", "c <b"], "", "+2"), "a b => b");
    insta::assert_snapshot!(up(SEVEN, "aaaa1111", "+2"), @"refused: `+2` could go on from bbbb2222 to any of cccc3333, dddd4444: name one, or write its branch in front, as in `branch@+2`");
    insta::assert_snapshot!(up(SEVEN, "eeee5555 ffff6666", "+1"), @"refused: `+1` could be any of the heads eeee5555, ffff6666: name one, or write its branch in front, as in `branch@+1`");
    insta::assert_snapshot!(up(SEVEN, "", "+1"), @"refused: `+1` could go on from the base to any of aaaa1111, abab7777: name one, or write its branch in front, as in `branch@+1`");
    insta::assert_snapshot!(up(&["a", "b <a"], "a", "+2"), @"refused: `+2` goes too far: there is only one step before the end");
}

#[test]
fn steps_on_a_branch_start_where_it_has_got_to() {
    assert_eq!(up(SEVEN, "", "left@+1"), "aaaa1111 => aaaa1111");
    assert_eq!(
        up(SEVEN, "", "left@+4"),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 => eeee5555"
    );
    assert_eq!(up(SEVEN, "bbbb2222", "left@+1"), "cccc3333 => cccc3333");
    // The other side is ahead: the branch goes on from the fork.
    assert_eq!(
        up(SEVEN, "ffff6666", "left@+1"),
        "cccc3333 => cccc3333 ffff6666"
    );
    assert_eq!(
        up(SEVEN, "eeee5555", "right@+2"),
        "dddd4444 ffff6666 => eeee5555 ffff6666"
    );
    // Nothing of it is applied: it goes on from its own base.
    assert_eq!(
        up(SEVEN, "eeee5555", "indep@+1"),
        "abab7777 => eeee5555 abab7777"
    );
    insta::assert_snapshot!(up(SEVEN, "", "left@+9"), @"refused: `left@+9` goes too far: there are only 4 steps before the end");
    insta::assert_snapshot!(up(SEVEN, "", "indep@+2"), @"refused: `indep@+2` goes too far: there is only one step before the end");
}

#[test]
fn steps_from_a_revision_do_not_mind_what_is_applied() {
    assert_eq!(up(SEVEN, "", "aaaa1111+1"), "aaaa1111 bbbb2222 => bbbb2222");
    assert_eq!(
        up(SEVEN, "", "left@bbbb2222+1"),
        "aaaa1111 bbbb2222 cccc3333 => cccc3333"
    );
    assert_eq!(
        up(SEVEN, "ffff6666", "left@bbbb2222+2"),
        "cccc3333 eeee5555 => eeee5555 ffff6666"
    );
    assert_eq!(
        up(SEVEN, "", "left+1"),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 => eeee5555"
    );
    assert_eq!(
        up(SEVEN, "", "left@base+3"),
        "aaaa1111 bbbb2222 cccc3333 => cccc3333"
    );
    insta::assert_snapshot!(up(SEVEN, "", "bbbb2222+1"), @"refused: `bbbb2222+1` could go on from bbbb2222 to any of cccc3333, dddd4444: name one, or write its branch in front, as in `branch@bbbb2222+1`");
    insta::assert_snapshot!(up(SEVEN, "", "abab7777+1"), @"refused: `abab7777+1` goes too far: there is no step before the end");
}

#[test]
fn steps_up_through_a_merge_bring_its_other_side() {
    assert_eq!(up(MERGED, "mmmm8888", "+1"), "nnnn9999 => nnnn9999");
    assert_eq!(
        up(MERGED, "eeee5555", "+1"),
        "dddd4444 ffff6666 mmmm8888 => mmmm8888"
    );
}

#[test]
fn steps_down_from_a_revision_say_how_far_up_to_go() {
    assert_eq!(
        up(SEVEN, "", "eeee5555-1"),
        "aaaa1111 bbbb2222 cccc3333 => cccc3333"
    );
    assert_eq!(
        up(SEVEN, "", "left@head-1"),
        "aaaa1111 bbbb2222 cccc3333 => cccc3333"
    );
    assert_eq!(
        up(MERGED, "", "head-1"),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 dddd4444 ffff6666 mmmm8888 => mmmm8888"
    );
    assert_eq!(
        up(MERGED, "", "left@head-2"),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 => eeee5555"
    );
    insta::assert_snapshot!(up(SEVEN, "", "head-1"), @"refused: `head-1` could be any of the heads eeee5555, ffff6666, abab7777: name one, or write its branch in front, as in `branch@head-1`");
    insta::assert_snapshot!(up(MERGED, "", "head-2"), @"refused: `head-2` could go on from mmmm8888 to any of eeee5555, ffff6666: name one, or write its branch in front, as in `branch@head-2`");
}

#[test]
fn steps_from_several_heads_are_refused_cleanly() {
    insta::assert_snapshot!(up(SEVEN, "", "heads+1"), @"refused: `heads+1` could be any of the heads eeee5555, ffff6666, abab7777: name one, or write its branch in front, as in `branch@heads+1`");
    insta::assert_snapshot!(up(SEVEN, "", "heads-1"), @"refused: `heads-1` could be any of the heads eeee5555, ffff6666, abab7777: name one, or write its branch in front, as in `branch@heads-1`");
    assert_eq!(up(&["a", "b <a"], "", "heads-1"), "a => a");
}

#[test]
fn an_upgrade_does_not_lead_down() {
    insta::assert_snapshot!(up(SEVEN, "bbbb2222", "-1"), @"refused: `-1` is no target of an upgrade: it lies below what is applied; downgrade to it");
    insta::assert_snapshot!(up(SEVEN, "bbbb2222", "left@-1"), @"refused: `left@-1` is no target of an upgrade: it lies below what is applied; downgrade to it");
    insta::assert_snapshot!(up(SEVEN, "bbbb2222", "base"), @"refused: `base` is no target of an upgrade: it lies below what is applied; downgrade to it");
    insta::assert_snapshot!(up(SEVEN, "bbbb2222", "aaaa1111-1"), @"refused: `aaaa1111-1` is no target of an upgrade: it lies below what is applied; downgrade to it");
    // What is applied already needs nothing, wherever the database is.
    assert_eq!(up(SEVEN, "eeee5555", "aaaa1111"), "=> eeee5555");
    assert_eq!(up(SEVEN, "eeee5555", "current"), "=> eeee5555");
}

#[test]
fn a_revision_must_be_on_the_branch_in_front_of_it() {
    insta::assert_snapshot!(up(SEVEN, "", "left@dddd4444"), @"refused: dddd4444 is not on the branch `left`");
    insta::assert_snapshot!(up(SEVEN, "", "left@ffff"), @"refused: ffff6666 is not on the branch `left`");
    insta::assert_snapshot!(up(SEVEN, "", "indep@aaaa1111"), @"refused: aaaa1111 is not on the branch `indep`");
}

#[test]
fn a_late_merge_is_applied_with_a_notice() {
    let shape = ["m1", "m2 <m1", "m3 <m2", "m4 <m3"];
    let plan = plan(
        &graph(&shape),
        &ledger(&["m1", "m3 <m1"]),
        Direction::Upgrade,
        "heads",
        PlanOptions::default(),
    )
    .unwrap();
    let steps: Vec<_> = plan
        .steps
        .iter()
        .map(|s| (s.revision.as_str(), s.out_of_order))
        .collect();
    assert_eq!(steps, [("m2", true), ("m4", false)]);
    assert_eq!(
        plan.notices,
        [Notice::OutOfOrder {
            revisions: vec!["m2".into()]
        }]
    );
    assert_eq!(
        (words(&plan.from), words(&plan.to)),
        ("m3".to_owned(), "m4".to_owned())
    );
}

#[test]
fn strict_order_refuses_a_late_merge_but_nothing_else() {
    let shape = ["m1", "m2 <m1", "m3 <m2", "x", "x2 <x"];
    let strict = PlanOptions {
        strict_order: true,
        ..PlanOptions::default()
    };
    insta::assert_snapshot!(up_after(&shape, &["m1", "m3"], "heads", strict), @"refused: these pending revisions stand below applied ones: m2; strict order refuses them; let them follow the head instead, or upgrade without strict order");
    assert_eq!(
        up_after(&shape, &["m1", "m3"], "x2", strict),
        "x x2 => m3 x2"
    );
    assert_eq!(
        up_after(&shape, &["m1"], "heads", strict),
        "m2 m3 x x2 => m3 x2"
    );
}

#[test]
fn a_dependency_that_came_late_is_out_of_order_too() {
    let strict = PlanOptions {
        strict_order: true,
        ..PlanOptions::default()
    };
    let refused = up_after(&["a", "b <a", "x ~b"], &["a", "x"], "heads", strict);
    assert!(
        refused.contains("stand below applied ones: b;"),
        "{refused}"
    );
}

#[test]
fn unknown_revisions_stop_an_upgrade_that_would_do_something() {
    let shape = ["m1", "m2 <m1", "m3 <m2"];
    let known = PlanOptions::default();
    insta::assert_snapshot!(up_after(&shape, &["m1", "z8", "z9"], "heads", known), @"refused: the database has revisions that this build does not know: z8, z9; pending here: m2, m3; deploy a build that has both, or allow unknown revisions to go on");
    let unknown_too = PlanOptions {
        allow_unknown: true,
        ..known
    };
    assert_eq!(
        up_after(&shape, &["m1", "z8"], "heads", unknown_too),
        "m2 m3 => m3"
    );
    // Ahead in a rolling deployment: nothing to do, and nothing wrong.
    assert_eq!(
        up_after(&shape, &["m1", "m2", "m3", "z8"], "heads", known),
        "=> m3"
    );
    let history = ledger(&["m1", "m2", "m3", "z8"]);
    let plan = plan(&graph(&shape), &history, Direction::Upgrade, "heads", known).unwrap();
    assert_eq!(
        plan.notices,
        [Notice::UnknownRevisions {
            revisions: vec!["z8".into()]
        }]
    );
}

#[test]
fn a_plan_keeps_the_words_and_the_messages() {
    let shape = [
        "m20260101_090000_create_users",
        "m20260102_add_email <m20260101_090000_create_users",
    ];
    let history = History::default();
    let plan = plan(
        &graph(&shape),
        &history,
        Direction::Upgrade,
        " add_email ",
        PlanOptions::default(),
    )
    .unwrap();
    assert_eq!(plan.target, "add_email");
    let messages: Vec<&str> = plan
        .steps
        .iter()
        .map(|step| step.message.as_str())
        .collect();
    assert_eq!(messages, ["create users", "add email"]);
}

#[test]
fn a_limited_plan_says_where_its_steps_lead() {
    let graph = graph(SEVEN);
    for limit in 0..9 {
        let empty = History::default();
        let options = PlanOptions::default();
        let mut up = plan(&graph, &empty, Direction::Upgrade, "heads", options).unwrap();
        up.limit(limit, &graph, &empty);
        assert_eq!(up.steps.len(), limit.min(7));
        walk(&graph, &empty, &up);

        let full = History::of(graph.iter().map(|revision| revision.id.clone()));
        let mut down = plan(&graph, &full, Direction::Downgrade, "base", options).unwrap();
        down.limit(limit, &graph, &full);
        assert_eq!(down.steps.len(), limit.min(7));
        walk(&graph, &full, &down);
    }
}
