use super::*;
use crate::sample::{MERGED, SEVEN, at, graph, ledger};

const ALL: &str = "eeee5555 ffff6666 abab7777";

/// Downgrades from these heads, everything below them applied.
fn down(shape: &[&str], from: &str, target: &str) -> String {
    let graph = graph(shape);
    let history = at(&graph, from);
    outcome(
        &graph,
        &history,
        Direction::Downgrade,
        target,
        PlanOptions::default(),
    )
}

/// Downgrades after exactly these were applied, in this order.
fn down_after(shape: &[&str], applied: &[&str], target: &str) -> String {
    let options = PlanOptions::default();
    outcome(
        &graph(shape),
        &ledger(applied),
        Direction::Downgrade,
        target,
        options,
    )
}

#[test]
fn steps_take_back_the_head() {
    assert_eq!(down(SEVEN, "eeee5555", "-1"), "eeee5555 => cccc3333");
    assert_eq!(
        down(SEVEN, "eeee5555", "-2"),
        "eeee5555 cccc3333 => bbbb2222"
    );
    assert_eq!(
        down(SEVEN, "eeee5555", "-4"),
        "eeee5555 cccc3333 bbbb2222 aaaa1111 =>"
    );
    insta::assert_snapshot!(down(SEVEN, "eeee5555", "-5"), @"refused: `-5` goes too far: there are only 4 steps before the end");
    insta::assert_snapshot!(down(SEVEN, "", "-1"), @"refused: `-1` goes too far: there is no step before the end");
}

#[test]
fn steps_from_several_heads_are_refused() {
    insta::assert_snapshot!(down(SEVEN, ALL, "-1"), @"refused: `-1` could be any of the heads eeee5555, ffff6666, abab7777: name one, or write its branch in front, as in `branch@-1`");
    assert_eq!(
        down(SEVEN, ALL, "left@-1"),
        "eeee5555 => cccc3333 ffff6666 abab7777"
    );
    assert_eq!(
        down(SEVEN, ALL, "left@-2"),
        "eeee5555 cccc3333 => ffff6666 abab7777"
    );
    assert_eq!(
        down(SEVEN, ALL, "indep@-1"),
        "abab7777 => eeee5555 ffff6666"
    );
}

#[test]
fn steps_on_a_branch_never_take_more_than_was_asked_for() {
    insta::assert_snapshot!(down(SEVEN, ALL, "left@-3"), @"refused: `left@-3` would take back bbbb2222, on which dddd4444, abab7777 stand; name the revision to go down to if they are to go too");
    insta::assert_snapshot!(down(SEVEN, "eeee5555", "right@-1"), @"refused: `right@-1` would take back bbbb2222, on which cccc3333 stand; name the revision to go down to if they are to go too");
    insta::assert_snapshot!(down(SEVEN, ALL, "indep@-2"), @"refused: `indep@-2` goes too far: there is only one step before the end");
}

#[test]
fn steps_take_a_merge_back_but_do_not_choose_a_side() {
    assert_eq!(
        down(MERGED, "mmmm8888", "-1"),
        "mmmm8888 => eeee5555 ffff6666"
    );
    assert_eq!(
        down(MERGED, "nnnn9999", "-2"),
        "nnnn9999 mmmm8888 => eeee5555 ffff6666"
    );
    assert_eq!(
        down(MERGED, "nnnn9999", "left@-3"),
        "nnnn9999 mmmm8888 eeee5555 => cccc3333 ffff6666"
    );
    insta::assert_snapshot!(down(MERGED, "nnnn9999", "-3"), @"refused: `-3` could be any of the heads eeee5555, ffff6666: name one, or write its branch in front, as in `branch@-3`");
}

#[test]
fn a_revision_stays_and_what_stands_on_it_goes() {
    assert_eq!(
        down(SEVEN, ALL, "cccc3333"),
        "eeee5555 => cccc3333 ffff6666 abab7777"
    );
    // What merely depends on the target stays, because the target does.
    assert_eq!(
        down(SEVEN, ALL, "bbbb2222"),
        "ffff6666 dddd4444 eeee5555 cccc3333 => bbbb2222 abab7777"
    );
    // What depends on something that goes, goes.
    assert_eq!(
        down(SEVEN, ALL, "aaaa1111"),
        "abab7777 ffff6666 dddd4444 eeee5555 cccc3333 bbbb2222 => aaaa1111"
    );
}

#[test]
fn a_head_has_nothing_above_it() {
    assert_eq!(
        down(SEVEN, ALL, "eeee5555"),
        "=> eeee5555 ffff6666 abab7777"
    );
    assert_eq!(down(SEVEN, "bbbb2222", "bbbb2222"), "=> bbbb2222");
    assert_eq!(
        down(SEVEN, ALL, "abab7777"),
        "=> eeee5555 ffff6666 abab7777"
    );
    assert_eq!(
        down(SEVEN, ALL, "left@head"),
        "=> eeee5555 ffff6666 abab7777"
    );
    assert_eq!(down(SEVEN, "bbbb2222", "current"), "=> bbbb2222");
    assert_eq!(down(&[], "", "head"), "=>");
}

#[test]
fn a_branch_in_front_spares_the_others() {
    assert_eq!(
        down(SEVEN, ALL, "left@bbbb2222"),
        "eeee5555 cccc3333 => ffff6666 abab7777"
    );
    assert_eq!(
        down(MERGED, "mmmm8888", "left@bbbb2222"),
        "mmmm8888 eeee5555 cccc3333 => ffff6666"
    );
    insta::assert_snapshot!(down(SEVEN, "eeee5555", "right@bbbb2222"), @"refused: nothing on the branch `right` above bbbb2222 is applied; applied up to eeee5555");
    insta::assert_snapshot!(down(SEVEN, ALL, "indep@bbbb2222"), @"refused: bbbb2222 is not on the branch `indep`");
}

#[test]
fn a_merge_goes_with_either_of_its_sides() {
    assert_eq!(
        down(MERGED, "mmmm8888", "eeee5555"),
        "mmmm8888 => eeee5555 ffff6666"
    );
    assert_eq!(
        down(MERGED, "mmmm8888", "left@eeee5555"),
        "mmmm8888 => eeee5555 ffff6666"
    );
    assert_eq!(
        down(MERGED, "mmmm8888", "cccc3333"),
        "mmmm8888 eeee5555 => cccc3333 ffff6666"
    );
}

#[test]
fn base_takes_everything_back() {
    assert_eq!(
        down(SEVEN, ALL, "base"),
        "abab7777 ffff6666 dddd4444 eeee5555 cccc3333 bbbb2222 aaaa1111 =>"
    );
    assert_eq!(down(SEVEN, "", "base"), "=>");
}

#[test]
fn the_base_of_a_branch_takes_its_root_back_and_says_what_else_goes() {
    assert_eq!(
        down(SEVEN, ALL, "indep@base"),
        "abab7777 => eeee5555 ffff6666"
    );
    assert_eq!(
        down(SEVEN, ALL, "abab7777-1"),
        "abab7777 => eeee5555 ffff6666"
    );
    let graph = graph(SEVEN);
    let history = at(&graph, ALL);
    let plan = plan(
        &graph,
        &history,
        Direction::Downgrade,
        "left@base",
        PlanOptions::default(),
    )
    .unwrap();
    assert_eq!(plan.steps.len(), 7);
    assert_eq!(plan.to, []);
    let revisions = ["abab7777", "ffff6666", "dddd4444"]
        .map(RevisionId::from)
        .to_vec();
    assert_eq!(
        plan.notices,
        [Notice::OtherBranches {
            branch: "left".to_owned(),
            revisions
        }]
    );
}

#[test]
fn steps_from_a_revision_do_not_mind_what_is_applied_above() {
    assert_eq!(
        down(SEVEN, ALL, "eeee5555-1"),
        "eeee5555 => cccc3333 ffff6666 abab7777"
    );
    assert_eq!(
        down(SEVEN, ALL, "left@bbbb2222+1"),
        "eeee5555 => cccc3333 ffff6666 abab7777"
    );
    assert_eq!(
        down(SEVEN, ALL, "left@base+2"),
        "eeee5555 cccc3333 => ffff6666 abab7777"
    );
    insta::assert_snapshot!(down(SEVEN, ALL, "bbbb2222+1"), @"refused: `bbbb2222+1` could go on from bbbb2222 to any of cccc3333, dddd4444: name one, or write its branch in front, as in `branch@bbbb2222+1`");
    insta::assert_snapshot!(down(SEVEN, ALL, "aaaa1111-2"), @"refused: `aaaa1111-2` goes too far: there is only one step before the end");
    insta::assert_snapshot!(down(SEVEN, ALL, "head-1"), @"refused: `head-1` could be any of the heads eeee5555, ffff6666, abab7777: name one, or write its branch in front, as in `branch@head-1`");
}

#[test]
fn a_downgrade_does_not_lead_up() {
    insta::assert_snapshot!(down(SEVEN, ALL, "+1"), @"refused: `+1` is no target of a downgrade: it lies above what is applied; upgrade to it");
    insta::assert_snapshot!(down(SEVEN, "eeee5555", "ffff6666"), @"refused: ffff6666 is not applied, so no downgrade leads to it; applied up to eeee5555");
    insta::assert_snapshot!(down(SEVEN, "", "bbbb2222"), @"refused: bbbb2222 is not applied, so no downgrade leads to it; applied is nothing");
    insta::assert_snapshot!(down(SEVEN, ALL, "heads"), @"refused: `heads` could be any of the heads eeee5555, ffff6666, abab7777: name one, or write its branch in front, as in `branch@heads`");
}

#[test]
fn what_was_applied_last_goes_first_whatever_the_code_lists() {
    let shape = ["a", "l <a", "r <a", "r2 <r"];
    assert_eq!(
        down_after(&shape, &["a", "r <a", "l <a", "r2 <r"], "a"),
        "r2 l r => a"
    );
    assert_eq!(
        down_after(&shape, &["a", "l <a", "r <a", "r2 <r"], "a"),
        "r2 r l => a"
    );
}

#[test]
fn a_late_merge_goes_before_what_was_applied_without_it() {
    let shape = ["m1", "m2 <m1", "m3 <m2"];
    let applied = ["m1", "m3 <m1", "m2 <m1"];
    assert_eq!(down_after(&shape, &applied, "-1"), "m2 => m3");
    assert_eq!(down_after(&shape, &applied, "-2"), "m2 m3 => m1");
    assert_eq!(down_after(&shape, &applied, "m1"), "m2 m3 => m1");
    // The target is a place in the code, where m3 stands above m2.
    assert_eq!(down_after(&shape, &applied, "m2"), "m3 => m2");
}

#[test]
fn without_a_ledger_the_code_says_what_stands_on_what() {
    let shape = graph(&["m1", "m2 <m1", "m3 <m2"]);
    let history = History::of(["m1", "m3", "m2"]);
    let back = |target| {
        outcome(
            &shape,
            &history,
            Direction::Downgrade,
            target,
            PlanOptions::default(),
        )
    };
    assert_eq!(back("-1"), "m3 => m2");
    assert_eq!(back("base"), "m3 m2 m1 =>");
}

#[test]
fn what_the_ledger_says_stands_on_the_target_goes_too() {
    // c was applied on b; the code has moved it on to a since.
    let shape = ["a", "b <a", "c <a"];
    let applied = ["a", "b <a", "c <b"];
    assert_eq!(down_after(&shape, &applied, "b"), "c => b");
    assert_eq!(down_after(&shape, &applied, "a"), "c b => a");
    // The ledger can't be asked to keep the target and to take back what it stands on.
    let turned = ["a", "c <a", "b <c"];
    assert_eq!(down_after(&turned, &applied, "b"), "=> b");
}

#[test]
fn a_hole_below_the_head_hides_nothing() {
    let shape = ["m1", "m2 <m1", "m3 <m2"];
    assert_eq!(down_after(&shape, &["m1", "m3"], "m1"), "m3 => m1");
    assert_eq!(down_after(&shape, &["m1", "m3"], "-2"), "m3 m1 =>");
    insta::assert_snapshot!(down_after(&shape, &["m1", "m3"], "m2"), @"refused: m2 is not applied, so no downgrade leads to it; applied up to m3");
}

#[test]
fn unknown_revisions_that_stand_above_are_in_the_way() {
    let shape = ["a", "b <a", "x"];
    let applied = ["a", "x", "b <a", "u1 <b", "u2 <u1"];
    insta::assert_snapshot!(down_after(&shape, &applied, "a"), @"refused: the database has revisions that this build does not know and can't take back: u1, u2; they were applied after b; downgrade with the build that has them first");
    insta::assert_snapshot!(down_after(&shape, &applied, "base"), @"refused: the database has revisions that this build does not know and can't take back: u1, u2; they were applied after b, x, a; downgrade with the build that has them first");
    // They do not stand on x.
    assert_eq!(down_after(&shape, &applied, "x-1"), "x => b");
}

#[test]
fn unknown_revisions_without_a_ledger_are_in_the_way_of_what_came_before() {
    let graph = graph(&["a", "b <a"]);
    let back = |applied: [&str; 3], target, options| {
        outcome(
            &graph,
            &History::of(applied),
            Direction::Downgrade,
            target,
            options,
        )
    };
    let careful = PlanOptions::default();
    assert_eq!(back(["a", "u", "b"], "-1", careful), "b => a");
    assert!(back(["a", "u", "b"], "base", careful).starts_with("refused"));
    assert!(back(["a", "b", "u"], "-1", careful).starts_with("refused"));
    let bold = PlanOptions {
        allow_unknown: true,
        ..careful
    };
    assert_eq!(back(["a", "b", "u"], "base", bold), "b a =>");
}

#[test]
fn unknown_revisions_are_always_mentioned() {
    let graph = graph(&["a", "b <a"]);
    let history = History::of(["u", "a", "b"]);
    let plan = plan(
        &graph,
        &history,
        Direction::Downgrade,
        "-1",
        PlanOptions::default(),
    )
    .unwrap();
    assert_eq!(
        plan.notices,
        [Notice::UnknownRevisions {
            revisions: vec!["u".into()]
        }]
    );
}

#[test]
fn a_dependent_is_the_only_one_that_can_go_first() {
    let shape = ["a", "b <a", "x ~b"];
    assert_eq!(down(&shape, "b x", "-1"), "x => b");
    assert_eq!(down(&shape, "b x", "-3"), "x b a =>");
}
