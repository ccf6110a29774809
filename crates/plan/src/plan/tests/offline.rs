use super::*;
use crate::sample::{MERGED, SEVEN, at, graph};

fn script(shape: &[&str], direction: Direction, range: &str) -> String {
    match plan_offline(&graph(shape), direction, range) {
        Err(error) => format!("refused: {error}"),
        Ok(plan) => {
            assert_eq!(plan.target, range);
            let history = at(&graph(shape), &words(&plan.from));
            let heads = walk(&graph(shape), &history, &plan);
            let steps: Vec<RevisionId> = plan.steps.iter().map(|s| s.revision.clone()).collect();
            format!("{} => {}", words(&steps), words(&heads))
                .trim()
                .to_owned()
        }
    }
}

fn up(shape: &[&str], range: &str) -> String {
    script(shape, Direction::Upgrade, range)
}

fn down(shape: &[&str], range: &str) -> String {
    script(shape, Direction::Downgrade, range)
}

#[test]
fn an_upgrade_script_begins_at_the_base_unless_it_is_told() {
    assert_eq!(
        up(SEVEN, "cccc3333"),
        "aaaa1111 bbbb2222 cccc3333 => cccc3333"
    );
    assert_eq!(
        up(SEVEN, ":cccc3333"),
        "aaaa1111 bbbb2222 cccc3333 => cccc3333"
    );
    assert_eq!(
        up(SEVEN, "bbbb2222:left@head"),
        "cccc3333 eeee5555 => eeee5555"
    );
    assert_eq!(
        up(MERGED, "eeee5555:"),
        "dddd4444 ffff6666 mmmm8888 nnnn9999 => nnnn9999"
    );
    // What is below the start counts as applied, and nothing else does.
    assert_eq!(
        up(SEVEN, "dddd4444:left@head"),
        "cccc3333 eeee5555 => eeee5555 dddd4444"
    );
}

#[test]
fn the_ends_of_a_script_can_be_steps_from_each_other() {
    assert_eq!(up(SEVEN, "aaaa1111:+1"), "bbbb2222 => bbbb2222");
    assert_eq!(up(SEVEN, "-2:eeee5555"), "cccc3333 eeee5555 => eeee5555");
    assert_eq!(down(SEVEN, "eeee5555:-2"), "eeee5555 cccc3333 => bbbb2222");
    assert_eq!(down(SEVEN, "left@head:eeee5555-1"), "eeee5555 => cccc3333");
}

#[test]
fn a_downgrade_script_says_where_it_begins_and_ends() {
    assert_eq!(
        down(SEVEN, "cccc3333:base"),
        "cccc3333 bbbb2222 aaaa1111 =>"
    );
    for range in ["base", ":base", "cccc3333:", ":"] {
        let refused = down(SEVEN, range);
        assert!(refused.ends_with("write `from:to`"), "{refused}");
    }
}

#[test]
fn a_script_that_runs_the_other_way_is_refused() {
    insta::assert_snapshot!(up(SEVEN, "eeee5555:bbbb2222"), @"refused: `eeee5555:bbbb2222` is no range: eeee5555 is not below bbbb2222");
    insta::assert_snapshot!(down(SEVEN, "bbbb2222:eeee5555"), @"refused: eeee5555 is not applied, so no downgrade leads to it; applied up to bbbb2222");
    assert_eq!(up(SEVEN, "bbbb2222:bbbb2222"), "=> bbbb2222");
}

#[test]
fn a_script_asks_no_database_where_it_stands() {
    for range in [
        "current:head",
        "aaaa1111:current",
        "+1:eeee5555",
        "-2:+1",
        "current",
    ] {
        let refused = up(SEVEN, range);
        assert!(refused.contains("counts from what is applied"), "{refused}");
    }
    insta::assert_snapshot!(down(SEVEN, "-1:base"), @"refused: `-1` counts from what is applied, and no database is asked; name a revision");
    assert_eq!(up(&["a", "b <a"], "+1"), "a => a");
}

#[test]
fn a_colon_in_an_id_does_not_make_a_range() {
    let shape = ["a", "b:c <a", "d <b:c"];
    assert_eq!(up(&shape, "b:c"), "a b:c => b:c");
    assert_eq!(up(&shape, "b:c:d"), "d => d");
    assert_eq!(up(&shape, "a:b:c"), "b:c => b:c");
}
