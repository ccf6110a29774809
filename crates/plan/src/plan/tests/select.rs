use super::*;
use crate::sample::{MERGED, SEVEN, at, graph};
use crate::target::Range;

fn select(shape: &[&str], applied: &str, range: &str) -> String {
    let graph = graph(shape);
    let history = at(&graph, applied);
    let range = Range::parse(range).unwrap();
    match select_range(&graph, &history, &range) {
        Err(error) => format!("refused: {error}"),
        Ok(ids) => words(&ids),
    }
}

fn of(range: &str) -> String {
    select(SEVEN, "", range)
}

#[test]
fn both_ends_belong_to_a_range() {
    assert_eq!(of("bbbb2222:eeee5555"), "bbbb2222 cccc3333 eeee5555");
    assert_eq!(of("bbbb2222:bbbb2222"), "bbbb2222");
}

#[test]
fn an_open_range_goes_to_the_heads_or_the_base() {
    assert_eq!(
        of(":"),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 dddd4444 ffff6666 abab7777"
    );
    assert_eq!(of(":cccc3333"), "aaaa1111 bbbb2222 cccc3333");
    assert_eq!(
        of("bbbb2222:"),
        "bbbb2222 cccc3333 eeee5555 dddd4444 ffff6666"
    );
    assert_eq!(of("cccc3333:heads"), "cccc3333 eeee5555");
    assert_eq!(of("base:indep@head"), "aaaa1111 bbbb2222 abab7777");
    assert_eq!(of("heads:"), "eeee5555 ffff6666 abab7777");
    assert_eq!(of("base:base"), "");
    assert_eq!(select(&[], "", ":"), "");
}

#[test]
fn a_branch_in_front_of_the_start_leaves_the_others_out() {
    assert_eq!(of("left@bbbb2222:heads"), "bbbb2222 cccc3333 eeee5555");
    assert_eq!(
        of("left@base:left@head"),
        "aaaa1111 bbbb2222 cccc3333 eeee5555"
    );
    assert_eq!(
        select(MERGED, "", "left@bbbb2222:"),
        "bbbb2222 cccc3333 eeee5555 mmmm8888 nnnn9999"
    );
}

#[test]
fn steps_count_from_the_other_end() {
    assert_eq!(of("-2:eeee5555"), "bbbb2222 cccc3333 eeee5555");
    assert_eq!(of("aaaa1111:+1"), "aaaa1111 bbbb2222");
    assert_eq!(of("left@bbbb2222:left@+2"), "bbbb2222 cccc3333 eeee5555");
    assert_eq!(select(&["a", "b <a", "c <b"], "", "-1:"), "b c");
    assert_eq!(select(&["a", "b <a", "c <b"], "", ":+2"), "a b");
    insta::assert_snapshot!(of("-2:"), @"refused: `-2` could be any of the heads eeee5555, ffff6666, abab7777: name one, or write its branch in front, as in `branch@-2`");
    insta::assert_snapshot!(of("bbbb2222:+1"), @"refused: `+1` could go on from bbbb2222 to any of cccc3333, dddd4444: name one, or write its branch in front, as in `branch@+1`");
}

#[test]
fn what_is_applied_can_be_either_end() {
    let line = ["a", "b <a", "c <b", "d <c", "e <d"];
    assert_eq!(select(&line, "c", ":current"), "a b c");
    assert_eq!(select(&line, "c", "current:"), "c d e");
    assert_eq!(select(&line, "c", "-1:current"), "b c");
    assert_eq!(select(&line, "c", "current:+1"), "c d");
    assert_eq!(select(&line, "c", "-1:+1"), "b c d");
    assert_eq!(select(&line, "d", "-3:-1"), "a b c");
    assert_eq!(select(&line, "c", ":-1"), "a b");
    assert_eq!(select(&line, "", ":current"), "");
    assert_eq!(select(&line, "", "current:"), "a b c d e");
}

#[test]
fn the_start_must_stand_below_the_end() {
    insta::assert_snapshot!(of("eeee5555:bbbb2222"), @"refused: `eeee5555:bbbb2222` is no range: eeee5555 is not below bbbb2222");
    insta::assert_snapshot!(of("cccc3333:dddd4444"), @"refused: `cccc3333:dddd4444` is no range: cccc3333 is not below dddd4444");
    insta::assert_snapshot!(of("bbbb2222:abab7777"), @"refused: `bbbb2222:abab7777` is no range: bbbb2222 is not below abab7777");
    insta::assert_snapshot!(of("aaaa1111:base"), @"refused: `aaaa1111:base` is no range: aaaa1111 is not below base");
}

#[test]
fn a_range_has_two_sides() {
    insta::assert_snapshot!(Range::parse("bbbb2222").unwrap_err(), @"`bbbb2222` is no range: write `from:to`, `from:` or `:to`");
}
