use proptest::prelude::*;

use super::*;
use crate::sample::{MERGED, SEVEN, any_graph, at, graph, words};

/// What a target means with nothing applied.
fn meaning(shape: &[&str], target: &str) -> String {
    meaning_at(shape, "", target)
}

fn meaning_at(shape: &[&str], applied: &str, target: &str) -> String {
    let graph = graph(shape);
    let history = at(&graph, applied);
    match Target::parse(target).and_then(|target| target.resolve(&graph, &history)) {
        Ok(ids) => words(&ids),
        Err(error) => format!("refused: {error}"),
    }
}

const NAMED: &[&str] = &[
    "m20260101_090000_create_users",
    "m20260102_120000_add_user_preferences <m20260101_090000_create_users @preferences",
    "m20260102_130000_add_user <m20260102_120000_add_user_preferences",
    "m20260103_090000_index_users <m20260102_130000_add_user",
];

#[test]
fn an_id_can_be_written_in_full_or_begun() {
    assert_eq!(
        meaning(NAMED, "m20260101_090000_create_users"),
        "m20260101_090000_create_users"
    );
    assert_eq!(meaning(NAMED, "m20260101"), "m20260101_090000_create_users");
    assert_eq!(
        meaning(NAMED, "m20260103_09"),
        "m20260103_090000_index_users"
    );
    assert_eq!(meaning(SEVEN, "aaa"), "aaaa1111");
}

#[test]
fn a_beginning_of_less_than_three_characters_is_no_name() {
    insta::assert_snapshot!(meaning(SEVEN, "aa"), @"refused: there is no revision `aa`");
    insta::assert_snapshot!(meaning(NAMED, "m"), @"refused: there is no revision `m`");
    // Words of an id may be as short as they are.
    assert_eq!(meaning(&["1_init", "2_go <1_init"], "2"), "2_go");
}

#[test]
fn whole_words_of_an_id_stand_for_it() {
    assert_eq!(
        meaning(NAMED, "index_users"),
        "m20260103_090000_index_users"
    );
    assert_eq!(meaning(NAMED, "index"), "m20260103_090000_index_users");
    assert_eq!(
        meaning(NAMED, "120000"),
        "m20260102_120000_add_user_preferences"
    );
    assert_eq!(
        meaning(NAMED, "20260103"),
        "refused: there is no revision `20260103` (for a number of steps write +20260103 or -20260103)"
    );
    insta::assert_snapshot!(meaning(NAMED, "ndex_users"), @"refused: there is no revision `ndex_users` (did you mean m20260103_090000_index_users?)");
}

#[test]
fn a_part_of_several_ids_is_refused_with_all_of_them() {
    insta::assert_snapshot!(meaning(NAMED, "m20260102"), @"refused: `m20260102` could be m20260102_120000_add_user_preferences, m20260102_130000_add_user: write more of it");
    insta::assert_snapshot!(meaning(NAMED, "users"), @"refused: `users` could be m20260101_090000_create_users, m20260103_090000_index_users: write more of it");
}

#[test]
fn all_that_a_person_chose_of_an_id_goes_before_a_part_of_another() {
    assert_eq!(meaning(NAMED, "add_user"), "m20260102_130000_add_user");
    let twice = ["m01_add_user", "m02_add_user <m01_add_user"];
    insta::assert_snapshot!(meaning(&twice, "add_user"), @"refused: `add_user` could be m01_add_user, m02_add_user: write more of it");
}

#[test]
fn an_exact_id_or_label_goes_before_any_part() {
    assert_eq!(meaning(&["add", "add_users <add"], "add"), "add");
    assert_eq!(
        meaning(NAMED, "preferences"),
        "m20260102_120000_add_user_preferences"
    );
    assert_eq!(meaning(&["m1_left", "m2 <m1_left @left"], "left"), "m2");
}

#[test]
fn a_branch_narrows_parts_of_ids_to_itself() {
    let shape = ["a", "l_step <a @left", "r_step <a @right"];
    assert_eq!(meaning(&shape, "left@step"), "l_step");
    insta::assert_snapshot!(meaning(&shape, "step"), @"refused: `step` could be l_step, r_step: write more of it");
    insta::assert_snapshot!(meaning(&shape, "left@r_st"), @"refused: r_step is not on the branch `left`");
    insta::assert_snapshot!(meaning(&shape, "lef@step"), @"refused: there is no revision `lef` (did you mean left?)");
}

#[test]
fn symbols_stand_for_what_they_say() {
    assert_eq!(meaning(SEVEN, "heads"), "eeee5555 ffff6666 abab7777");
    assert_eq!(meaning(SEVEN, "left@head"), "eeee5555");
    assert_eq!(meaning(MERGED, "head"), "nnnn9999");
    assert_eq!(meaning(MERGED, "left@head"), "nnnn9999");
    assert_eq!(meaning(SEVEN, "base"), "");
    assert_eq!(meaning(SEVEN, "left@base"), "");
    assert_eq!(meaning(SEVEN, "current"), "");
    assert_eq!(
        meaning_at(SEVEN, "eeee5555 dddd4444", "current"),
        "eeee5555 dddd4444"
    );
    assert_eq!(
        meaning_at(SEVEN, "eeee5555 dddd4444", "right@current"),
        "dddd4444"
    );
    assert_eq!(meaning_at(SEVEN, "eeee5555", "right@current"), "bbbb2222");
    assert_eq!(meaning_at(SEVEN, "eeee5555", "current-2"), "bbbb2222");
    assert_eq!(meaning_at(SEVEN, "eeee5555", "-2"), "bbbb2222");
}

#[test]
fn an_id_with_signs_in_it_can_be_written_in_full() {
    let odd = [
        "a-1",
        "a <a-1",
        "b@c <a",
        "b@c+2 <b@c",
        "d:e <b@c+2",
        "x <d:e @left",
        "left@x <x",
    ];
    for id in ["a-1", "a", "b@c", "b@c+2", "d:e", "left@x"] {
        assert_eq!(meaning(&odd, id), id);
    }
    assert_eq!(meaning(&odd, "b@c+2-1"), "b@c");
    assert_eq!(meaning(&odd, "b@c+1"), "b@c+2");
    assert_eq!(meaning(&odd, "left@b@c+2"), "b@c+2");
    assert_eq!(meaning(&odd, "b@c@head"), "left@x");
    assert_eq!(meaning(&odd, "a-1+1"), "a");
}

#[test]
fn a_number_at_the_end_that_could_belong_to_an_id_is_refused() {
    let dashed = ["m20260101-1_users", "m20260101-2_items <m20260101-1_users"];
    insta::assert_snapshot!(meaning(&dashed, "m20260101-2"), @"refused: `m20260101-2` could be m20260101-2_items: write more of it");
    assert_eq!(meaning(&dashed, "m20260101-2_items-1"), "m20260101-1_users");
    insta::assert_snapshot!(meaning(&dashed, "m20260101-1_users@m20260101-2"), @"refused: `m20260101-1_users@m20260101-2` could be m20260101-2_items: write more of it");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let refused = |target| meaning(SEVEN, target);
    insta::assert_snapshot!(refused(" "), @"refused: no revision is named: write an id, a part of one, `head`, `base` or a number of steps");
    insta::assert_snapshot!(refused("@head"), @"refused: `@head` is no target: there is no branch before `@`");
    insta::assert_snapshot!(refused("left@"), @"refused: `left@` is no target: there is nothing after `@`");
    insta::assert_snapshot!(refused("head@head"), @"refused: `head@head` is no target: what stands before `@` is no branch");
    insta::assert_snapshot!(refused("+0"), @"refused: `+0` is no target: it goes no step");
    insta::assert_snapshot!(refused("cccc3333-00"), @"refused: `cccc3333-00` is no target: it goes no step");
    insta::assert_snapshot!(refused("+"), @"refused: there is no revision `+`");
    insta::assert_snapshot!(refused("left@right@head"), @"refused: there is no revision `right@head`");
    insta::assert_snapshot!(refused("2"), @"refused: there is no revision `2` (for a number of steps write +2 or -2)");
    insta::assert_snapshot!(refused("aaaa1111:head"), @"refused: there is no revision `aaaa1111:head` (a range is for looking at history and for SQL scripts)");
    insta::assert_snapshot!(refused("HEAD"), @"refused: there is no revision `HEAD` (did you mean head, heads?)");
    insta::assert_snapshot!(refused("aaaa1121"), @"refused: there is no revision `aaaa1121` (did you mean aaaa1111?)");
    insta::assert_snapshot!(refused("x\u{1b}[31m"), @r"refused: there is no revision `x\u{1b}[31m`");
    insta::assert_snapshot!(refused("aaaa1111+99999999999999999999999"), @"refused: `aaaa1111+99999999999999999999999` could go on from bbbb2222 to any of cccc3333, dddd4444: name one, or write its branch in front, as in `branch@aaaa1111+99999999999999999999999`");
    insta::assert_snapshot!(refused("eeee5555+99999999999999999999999"), @"refused: `eeee5555+99999999999999999999999` goes too far: there is no step before the end");
}

#[test]
fn space_around_a_target_does_not_matter() {
    assert_eq!(meaning(SEVEN, " left@head\n"), "eeee5555");
    assert_eq!("  head ".parse::<Target>().unwrap().as_str(), "head");
    assert_eq!(" a : b ".parse::<Range>().unwrap().to_string(), "a : b");
}

proptest! {
    #[test]
    fn every_id_stands_for_itself(graph in any_graph()) {
        for revision in &graph {
            let target = Target::parse(revision.id.as_str()).unwrap();
            let found = target.resolve(&graph, &History::default());
            prop_assert_eq!(found, Ok(vec![revision.id.clone()]));
        }
    }

    #[test]
    fn anything_is_a_target_or_an_error(
        graph in any_graph(),
        text in "\\PC*|[mslabe0-9_@+:-]{0,12}",
    ) {
        if let Ok(target) = Target::parse(&text) {
            prop_assert_eq!(target.as_str(), text.trim());
            match target.resolve(&graph, &History::default()) {
                Ok(ids) => prop_assert!(ids.iter().all(|id| graph.contains(id.as_str()))),
                Err(error) => prop_assert!(!error.to_string().is_empty()),
            }
        } else {
            prop_assert!(text.trim().is_empty());
        }
        prop_assert_eq!(Range::parse(&text).is_ok(), text.contains(':'));
    }

    #[test]
    fn ids_of_any_characters_can_be_written_in_full(
        ids in prop::collection::hash_set("[ab@+:0-9-]{1,6}", 1..8),
    ) {
        let lines: Vec<&str> = ids.iter().map(String::as_str).collect();
        let revisions = lines.iter().map(|&id| crate::revision::Revision::new(id, []));
        let graph = RevisionGraph::new(revisions.collect()).unwrap();
        for id in lines {
            let found = Target::parse(id).unwrap().resolve(&graph, &History::default());
            prop_assert_eq!(found, Ok(vec![id.into()]));
        }
    }
}
