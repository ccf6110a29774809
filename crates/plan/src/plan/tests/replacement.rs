use proptest::prelude::*;

use super::*;
use crate::graph::GraphError;
use crate::position::{ChecksumComparison, DatabaseState, Position};
use crate::revision::Revision;
use crate::sample::{any_revisions, graph, ledger, try_graph};

/// Three revisions that one stands in for, between two that stay.
const BEFORE: &[&str] = &[
    "first",
    "one <first",
    "two <one",
    "three <two",
    "last <three",
];
const SQUASHED: &[&str] = &[
    "first",
    "one <first",
    "two <one",
    "three <two",
    "all <first ^one ^two ^three",
    "last <three",
];
/// As it is when the replaced files are gone.
const GONE: &[&str] = &["first", "all <first ^one ^two ^three", "last <all"];

fn up(shape: &[&str], applied: &[&str], target: &str) -> String {
    let graph = graph(shape);
    let history = ledger(applied).seen_by(&graph);
    match plan(
        &graph,
        &history,
        Direction::Upgrade,
        target,
        PlanOptions::default(),
    ) {
        Err(error) => format!("refused: {error}"),
        Ok(plan) => {
            let word = |step: &Step| {
                let sign = if step.only_recorded { "=" } else { "" };
                format!("{sign}{}", step.revision)
            };
            let steps: Vec<String> = plan.steps.iter().map(word).collect();
            format!("{} => {}", steps.join(" "), words(&plan.to))
        }
    }
}

fn position(shape: &[&str], applied: &[&str]) -> Position {
    let graph = graph(shape);
    let history = ledger(applied).seen_by(&graph);
    Position::of(&graph, &history, &ChecksumComparison::default())
}

#[test]
fn the_replaced_are_no_part_of_the_graph_and_what_followed_them_follows_what_replaces_them() {
    let graph = graph(SQUASHED);
    assert_eq!(words(&graph.heads()), "last");
    assert_eq!(words(&graph.parents("last")), "all");
    assert!(!graph.contains("two"));
    assert_eq!(graph.replaced_by("two"), Some(&"all".into()));
    assert_eq!(graph.replaced_by("last"), None);
    let all = graph.get("all").unwrap();
    assert_eq!(graph.stands_for(all).len(), 3);
    assert_eq!(crate::sample::graph(GONE).stands_for(all).len(), 0);
}

#[test]
fn on_an_empty_database_only_the_replacing_one_runs() {
    for shape in [SQUASHED, GONE] {
        assert_eq!(up(shape, &[], "heads"), "first all last => last");
        assert_eq!(up(shape, &["first"], "head"), "all last => last");
    }
}

#[test]
fn it_counts_as_applied_when_all_that_it_replaces_is_and_is_recorded_by_the_next_upgrade() {
    for shape in [SQUASHED, GONE] {
        assert_eq!(
            up(
                shape,
                &["first", "one <first", "two <one", "three <two"],
                "heads"
            ),
            "=all last => last"
        );
        assert_eq!(up(shape, BEFORE, "heads"), "=all => last");
        let position = position(shape, BEFORE);
        assert_eq!(position.state, DatabaseState::UpToDate);
        assert_eq!(words(&position.current), "last");
        assert_eq!(words(&position.unknown), "");
        assert_eq!(position.applied_count, 3);
    }
}

#[test]
fn once_it_is_recorded_there_is_nothing_to_do_whatever_else_is_recorded() {
    let with_rows = [BEFORE, &["all <first"]].concat();
    for shape in [SQUASHED, GONE] {
        assert_eq!(up(shape, &with_rows, "heads"), " => last");
        assert_eq!(
            up(shape, &["first", "all <first", "last <all"], "heads"),
            " => last"
        );
        assert_eq!(position(shape, &with_rows).state, DatabaseState::UpToDate);
    }
}

#[test]
fn where_a_part_is_applied_it_is_refused_with_both_parts_named() {
    for shape in [SQUASHED, GONE] {
        let applied = ["first", "one <first"];
        assert_eq!(
            up(shape, &applied, "heads"),
            "refused: only a part of what all replaces is applied: one; not applied: two, three; upgrade \
             with a build from before all first"
        );
        // What it does not stand below can go on.
        assert_eq!(up(shape, &applied, "first"), " => first");
        let position = position(shape, &applied);
        assert_eq!(position.state, DatabaseState::Diverged);
        assert_eq!(
            (words(&position.pending), words(&position.unknown)),
            ("all last".to_owned(), "one".to_owned())
        );
    }
}

#[test]
fn a_downgrade_takes_the_replacing_one_back_whichever_is_recorded() {
    for shape in [SQUASHED, GONE] {
        for applied in [BEFORE.to_vec(), vec!["first", "all <first", "last <all"]] {
            let graph = graph(shape);
            let history = ledger(&applied).seen_by(&graph);
            assert_eq!(
                outcome(
                    &graph,
                    &history,
                    Direction::Downgrade,
                    "-2",
                    PlanOptions::default()
                ),
                "last all => first"
            );
        }
    }
}

#[test]
fn a_purge_forgets_what_the_build_has_no_more() {
    let options = StampOptions { purge: true };
    let with_rows = [BEFORE, &["all <first"]].concat();
    let forgotten = |shape: &[&str]| {
        let graph = graph(shape);
        let history = ledger(&with_rows).seen_by(&graph);
        let stamp = plan_stamp(&graph, &history, &["heads"], options).unwrap();
        (words(&stamp.add), words(&stamp.remove))
    };
    assert_eq!(forgotten(GONE), (String::new(), "one two three".to_owned()));
    assert_eq!(forgotten(SQUASHED), (String::new(), String::new()));
}

#[test]
fn a_replaced_name_is_no_target_and_says_what_stands_in_for_it() {
    assert_eq!(
        up(SQUASHED, &[], "two"),
        "refused: two was replaced by all: name that one"
    );
}

#[test]
fn claims_that_contradict_one_another_are_refused() {
    let error = |lines: &[&str]| try_graph(lines).unwrap_err();
    assert!(matches!(
        error(&["a", "b <a ^a", "c <a ^a"]),
        GraphError::FollowsReplaced { .. }
    ));
    assert!(matches!(
        error(&["a", "b ^a", "c ^a"]),
        GraphError::ReplacedTwice { by, .. } if words(&by) == "b c"
    ));
    assert!(matches!(
        error(&["a", "b ^a", "c ^b"]),
        GraphError::ReplacesReplacing { .. }
    ));
}

proptest! {
    /// Squashing the lower part of any graph: a database that had it all, one that had just that
    /// part and one that is empty all end in the same place, and nothing is run twice.
    #[test]
    fn wherever_a_database_stood_a_squash_brings_all_to_the_same_heads(
        revisions in any_revisions(),
        cut in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!revisions.is_empty());
        let old = RevisionGraph::new(revisions.clone()).unwrap();
        let cut = cut.index(old.len()) + 1;
        let lower: Vec<RevisionId> = old.ids(0..cut);
        let mut squash = Revision::new("squash", []);
        squash.replaces.clone_from(&lower);
        let mut with_squash: Vec<Revision> = revisions
            .into_iter()
            // A label of the lower part would be gone with it.
            .map(|mut revision| { revision.branch_labels.clear(); revision })
            .collect();
        with_squash.push(squash);
        let new = RevisionGraph::new(with_squash).unwrap();
        for applied in [Vec::new(), lower.clone(), old.ids(0..old.len())] {
            let history = History::of(applied.clone()).seen_by(&new);
            let plan = plan(&new, &history, Direction::Upgrade, "heads", PlanOptions::default()).unwrap();
            prop_assert_eq!(&plan.to, &new.heads());
            for step in &plan.steps {
                let is_done = applied.contains(&step.revision) || (step.revision.as_str() == "squash" && !applied.is_empty());
                prop_assert_eq!(step.only_recorded, is_done, "{}", step.revision);
                prop_assert!(!lower.contains(&step.revision));
            }
            prop_assert_eq!(plan.steps.iter().filter(|step| !step.only_recorded).count() + history.applied.len(), new.len());
        }
    }
}
