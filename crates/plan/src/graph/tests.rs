use proptest::prelude::*;

use super::*;
use crate::sample::{MERGED, SEVEN, any_graph, any_revisions, graph, revision, try_graph, words};

fn refused(lines: &[&str]) -> String {
    try_graph(lines).unwrap_err().to_string()
}

fn order(lines: &[&str]) -> String {
    let ids: Vec<RevisionId> = graph(lines).iter().map(|r| r.id.clone()).collect();
    words(&ids)
}

#[test]
fn no_revisions_are_a_graph_too() {
    let graph = graph(&[]);
    assert!(graph.is_empty());
    assert_eq!(graph.heads(), []);
    assert_eq!(graph.bases(), []);
    assert_eq!(graph.heads_of(&["a".into()]), []);
}

#[test]
fn a_chain_given_backwards_comes_out_in_order() {
    assert_eq!(order(&["c <b", "b <a", "a"]), "a b c");
}

#[test]
fn a_branch_is_followed_to_its_end_before_the_next() {
    assert_eq!(
        order(&["a", "l1 <a", "r1 <a", "l2 <l1", "r2 <r1"]),
        "a l1 l2 r1 r2"
    );
    assert_eq!(
        order(&["a", "r1 <a", "l1 <a", "l2 <l1", "r2 <r1"]),
        "a r1 r2 l1 l2"
    );
}

#[test]
fn a_merge_comes_after_both_of_its_sides() {
    assert_eq!(
        order(MERGED),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 dddd4444 ffff6666 mmmm8888 nnnn9999"
    );
}

#[test]
fn a_dependency_comes_first_even_if_its_branch_was_given_later() {
    assert_eq!(order(&["a ~x", "b <a", "x"]), "x a b");
    assert_eq!(
        order(SEVEN),
        "aaaa1111 bbbb2222 cccc3333 eeee5555 dddd4444 ffff6666 abab7777"
    );
}

#[test]
fn bases_come_in_the_order_given() {
    assert_eq!(order(&["b", "a", "b2 <b"]), "b b2 a");
}

#[test]
fn links_can_be_followed_both_ways() {
    let graph = graph(SEVEN);
    assert_eq!(words(&graph.heads()), "eeee5555 ffff6666 abab7777");
    assert_eq!(words(&graph.bases()), "aaaa1111 abab7777");
    assert_eq!(words(&graph.parents("cccc3333")), "bbbb2222");
    assert_eq!(words(&graph.children("bbbb2222")), "cccc3333 dddd4444");
    assert_eq!(words(&graph.dependencies("abab7777")), "bbbb2222");
    assert_eq!(words(&graph.dependents("bbbb2222")), "abab7777");
    assert_eq!(words(&graph.branch_points()), "bbbb2222");
    assert_eq!(graph.merge_points(), []);
    assert_eq!(graph.parents("unknown"), []);
}

#[test]
fn ancestors_and_descendants_follow_dependencies_only_when_told() {
    let graph = graph(SEVEN);
    let below = |id, links| words(&graph.ancestors(id, links));
    let above = |id, links| words(&graph.descendants(id, links));
    assert_eq!(below("abab7777", Links::Parents), "");
    assert_eq!(
        below("abab7777", Links::ParentsAndDependencies),
        "aaaa1111 bbbb2222"
    );
    assert_eq!(above("cccc3333", Links::Parents), "eeee5555");
    assert_eq!(
        above("bbbb2222", Links::Parents),
        "cccc3333 eeee5555 dddd4444 ffff6666"
    );
    assert_eq!(
        above("bbbb2222", Links::ParentsAndDependencies),
        "cccc3333 eeee5555 dddd4444 ffff6666 abab7777"
    );
    assert_eq!(above("unknown", Links::Parents), "");
}

#[test]
fn a_dependency_may_be_a_label_and_is_dropped_when_it_is_a_parent_anyway() {
    let graph = graph(&["a", "b <a @users", "x ~users", "c <b ~b"]);
    assert_eq!(words(&graph.dependencies("x")), "b");
    assert_eq!(graph.dependencies("c"), []);
}

#[test]
fn applied_heads_have_nothing_applied_above_them() {
    let graph = graph(MERGED);
    let heads = |applied: &[&str]| {
        let ids: Vec<RevisionId> = applied.iter().map(|&id| id.into()).collect();
        words(&graph.heads_of(&ids))
    };
    assert_eq!(heads(&[]), "");
    assert_eq!(heads(&["aaaa1111", "unknown", "bbbb2222"]), "bbbb2222");
    assert_eq!(
        heads(&["cccc3333", "dddd4444", "bbbb2222"]),
        "cccc3333 dddd4444"
    );
    // What is missing between two applied revisions does not make the lower one a head.
    assert_eq!(heads(&["aaaa1111", "eeee5555"]), "eeee5555");
}

#[test]
fn labels_reach_up_to_the_heads_and_down_to_the_fork() {
    let graph = graph(SEVEN);
    let labels = |id| graph.labels_of(id).join(" ");
    assert_eq!(labels("cccc3333"), "left");
    assert_eq!(labels("eeee5555"), "left");
    assert_eq!(labels("bbbb2222"), "");
    assert_eq!(labels("abab7777"), "indep");
    assert_eq!(labels("unknown"), "");
    assert_eq!(graph.declares("right").unwrap().as_str(), "dddd4444");
    assert_eq!(
        graph.labels().map(|(label, _)| label).collect::<Vec<_>>(),
        ["indep", "left", "right"]
    );
}

#[test]
fn labels_reach_down_a_line_until_it_forks_or_merges() {
    let line = graph(&["a", "b <a", "c <b @users"]);
    assert_eq!(line.labels_of("a"), ["users"]);
    let above_a_merge = graph(&["a", "b", "m <a <b", "n <m @both"]);
    assert_eq!(above_a_merge.labels_of("m"), [""; 0]);
    let on_a_fork = graph(&["a", "f <a @fork", "l <f", "r <f"]);
    assert_eq!(on_a_fork.labels_of("a"), [""; 0]);
    assert_eq!(on_a_fork.labels_of("f"), ["fork"]);
    assert_eq!(on_a_fork.labels_of("l"), ["fork"]);
    let forked_by_a_dependency = graph(&["a", "b <a @users", "x ~a"]);
    assert_eq!(forked_by_a_dependency.labels_of("a"), [""; 0]);
}

#[test]
fn after_a_merge_both_labels_hold() {
    assert_eq!(graph(MERGED).labels_of("nnnn9999"), ["left", "right"]);
}

#[test]
fn an_id_must_be_the_only_one_of_its_kind() {
    insta::assert_snapshot!(
        refused(&["b <a", "a", "b", "a"]),
        @"several revisions are called a, b: give each a name of its own"
    );
}

#[test]
fn an_id_must_not_mean_something_else_in_targets() {
    insta::assert_snapshot!(
        refused(&["a", "head <a"]),
        @"the revision head can't be called or labelled `head`: in a target it stands for something else"
    );
    let empty = vec![Revision::new("", [])];
    assert!(matches!(
        RevisionGraph::new(empty),
        Err(GraphError::ReservedName { .. })
    ));
}

#[test]
fn every_unknown_parent_is_named_with_what_was_meant() {
    let lines = [
        "m01_create_users",
        "m02_add_email <m01_create_user",
        "m03_x <nowhere",
    ];
    insta::assert_snapshot!(
        refused(&lines),
        @"m02_add_email names m01_create_user, which does not exist (did you mean m01_create_users?), m03_x names nowhere, which does not exist"
    );
    let broken = vec![UnknownLink {
        revision: "a".into(),
        named: "zzz".into(),
        did_you_mean: None,
    }];
    assert_eq!(
        try_graph(&["a ~zzz"]).unwrap_err(),
        GraphError::UnknownDependency { links: broken }
    );
}

#[test]
fn a_circle_is_named_in_the_order_of_its_links() {
    insta::assert_snapshot!(
        refused(&["root", "above <b", "a <c <root", "b <a", "c <b"]),
        @"revisions follow one another in a circle: a -> c -> b -> a"
    );
    insta::assert_snapshot!(
        refused(&["root", "a <a"]),
        @"revisions follow one another in a circle: a -> a"
    );
}

#[test]
fn a_circle_through_a_dependency_is_told_apart() {
    insta::assert_snapshot!(
        refused(&["x ~b", "a <x", "b <a"]),
        @"revisions follow or depend on one another in a circle: x -> b -> a -> x"
    );
    let itself = vec!["a".into()];
    assert_eq!(
        try_graph(&["a ~a"]).unwrap_err(),
        GraphError::DependencyCycle { revisions: itself }
    );
}

#[test]
fn without_a_base_there_is_nothing_to_begin_with() {
    insta::assert_snapshot!(
        refused(&["a <b", "b <a", "c <b"]),
        @"no revision is a base, every one follows another: a -> b -> a; write `revises: base` in the first one"
    );
}

#[test]
fn a_label_belongs_to_one_revision() {
    insta::assert_snapshot!(
        refused(&["a @users", "b <a @users"]),
        @"the branch label `users` is declared by a, b: keep one"
    );
    insta::assert_snapshot!(
        refused(&["a", "b <a @a"]),
        @"the branch label `a` of b is also the id of a revision"
    );
    assert!(try_graph(&["a @users @users"]).is_ok());
}

#[test]
fn a_label_must_be_usable_in_a_target() {
    for label in [
        "heads",
        "a@b",
        "a:b",
        "two words",
        "",
        "v-1",
        "a+2",
        "\u{1b}[2J",
    ] {
        let mut labelled = revision("a");
        labelled.branch_labels.push(label.to_owned());
        let error = RevisionGraph::new(vec![labelled]).unwrap_err();
        assert!(
            matches!(error, GraphError::ReservedName { .. }),
            "{label}: {error}"
        );
        assert!(!error.to_string().contains('\u{1b}'));
    }
}

#[test]
fn ten_thousand_revisions_keep_their_order_and_their_ends() {
    let chain = (0..10_000).map(|index: u32| {
        let before = index
            .checked_sub(1)
            .map(|before| RevisionId::new(format!("m{before:05}")));
        Revision::new(format!("m{index:05}"), before)
    });
    let graph = RevisionGraph::new(chain.rev().collect()).unwrap();
    assert!(graph.iter().map(|r| r.id.as_str()).is_sorted());
    assert_eq!(words(&graph.heads()), "m09999");
    assert_eq!(graph.ancestors("m09999", Links::Parents).len(), 9_999);
    assert_eq!(graph.descendants("m00000", Links::Parents).len(), 9_999);
}

#[test]
fn a_fork_and_merge_of_ten_thousand_is_put_in_order() {
    let sides = (0..9_998).map(|index| Revision::new(format!("s{index:05}"), ["root".into()]));
    let mut revisions: Vec<Revision> = sides.collect();
    let all_sides: Vec<RevisionId> = revisions.iter().map(|r| r.id.clone()).collect();
    revisions.push(Revision::new("merge", all_sides));
    revisions.push(Revision::new("root", []));
    let graph = RevisionGraph::new(revisions).unwrap();
    assert_eq!(graph.iter().next().unwrap().id.as_str(), "root");
    assert_eq!(graph.iter().nth(1).unwrap().id.as_str(), "s00000");
    assert_eq!(words(&graph.heads()), "merge");
}

proptest! {
    #[test]
    fn everything_below_comes_first(graph in any_graph()) {
        for revision in &graph {
            let at = graph.position(revision.id.as_str()).unwrap();
            for below in revision.parents.iter().chain(&revision.depends_on) {
                prop_assert!(graph.position(below.as_str()).unwrap() < at);
            }
        }
    }

    #[test]
    fn the_order_depends_on_nothing_but_the_order_given(revisions in any_revisions()) {
        let once = RevisionGraph::new(revisions.clone()).unwrap();
        let again = RevisionGraph::new(revisions).unwrap();
        prop_assert_eq!(once.iter().collect::<Vec<_>>(), again.iter().collect::<Vec<_>>());
    }

    #[test]
    fn above_is_the_reverse_of_below(graph in any_graph()) {
        for links in [Links::Parents, Links::ParentsAndDependencies] {
            for one in &graph {
                for other in graph.descendants(one.id.as_str(), links) {
                    prop_assert!(graph.ancestors(other.as_str(), links).contains(&one.id));
                }
            }
        }
    }

    #[test]
    fn the_heads_of_everything_are_the_heads(graph in any_graph()) {
        let all: Vec<RevisionId> = graph.iter().map(|r| r.id.clone()).collect();
        prop_assert_eq!(graph.heads_of(&all), graph.heads());
    }

    #[test]
    fn a_broken_link_or_a_circle_never_goes_through(
        revisions in any_revisions(),
        from in any::<prop::sample::Index>(),
        to in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!revisions.is_empty());
        let mut revisions = revisions;
        let to = revisions[to.index(revisions.len())].id.clone();
        let from = from.index(revisions.len());
        let closes_circle = {
            let graph = RevisionGraph::new(revisions.clone()).unwrap();
            let from = &revisions[from].id;
            let below = graph.ancestors(to.as_str(), Links::ParentsAndDependencies);
            *from == to || below.contains(from)
        };
        revisions[from].depends_on.push(to);
        let outcome = RevisionGraph::new(revisions);
        if closes_circle {
            let is_circle = matches!(
                outcome,
                Err(GraphError::DependencyCycle { .. } | GraphError::Cycle { .. })
            );
            prop_assert!(is_circle);
        } else {
            prop_assert!(outcome.is_ok());
        }
    }

    #[test]
    fn any_heap_of_revisions_is_a_graph_or_an_error(
        links in prop::collection::vec((0..9_usize, prop::collection::vec(0..9_usize, 0..3), any::<bool>()), 0..12),
    ) {
        let name = |index: usize| RevisionId::new(["a", "b", "c", "d", "e", "f", "g", "head", ""][index]);
        let revisions = links.into_iter().map(|(id, linked, depends)| {
            let linked = linked.into_iter().map(name);
            let mut revision = Revision::new(name(id), []);
            if depends { revision.depends_on.extend(linked) } else { revision.parents.extend(linked) }
            revision
        });
        match RevisionGraph::new(revisions.collect()) {
            Ok(graph) => prop_assert!(graph.iter().count() == graph.len()),
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

fn merge(lines: &[&str], targets: &[&str]) -> String {
    match merge_parents(&graph(lines), targets) {
        Ok(parents) => words(&parents),
        Err(error) => format!("refused: {error}"),
    }
}

#[test]
fn a_merge_joins_every_head_or_those_that_are_named() {
    assert_eq!(merge(SEVEN, &[]), "eeee5555 ffff6666 abab7777");
    assert_eq!(merge(SEVEN, &["heads"]), "eeee5555 ffff6666 abab7777");
    assert_eq!(merge(SEVEN, &["right@head", "eeee"]), "ffff6666 eeee5555");
}

#[test]
fn a_merge_that_joins_nothing_is_refused() {
    insta::assert_snapshot!(merge(MERGED, &[]), @"refused: a merge joins two heads or more: nnnn9999 is the only one");
    insta::assert_snapshot!(merge(&[], &[]), @"refused: a merge joins two heads or more: there is no revision");
    insta::assert_snapshot!(merge(SEVEN, &["left@head"]), @"refused: a merge joins two heads or more: of eeee5555, ffff6666, abab7777 only eeee5555 is named");
    insta::assert_snapshot!(merge(SEVEN, &["base"]), @"refused: a merge joins two heads or more: none of eeee5555, ffff6666, abab7777 is named");
    insta::assert_snapshot!(merge(SEVEN, &["left@head", "eeee5555"]), @"refused: eeee5555 is named twice");
    insta::assert_snapshot!(merge(SEVEN, &["cccc3333", "eeee5555"]), @"refused: cccc3333 already stands below eeee5555: name only heads");
    insta::assert_snapshot!(merge(SEVEN, &["cccc3333", "ffff6666"]), @"refused: cccc3333 is no head; the heads are eeee5555, ffff6666, abab7777");
    insta::assert_snapshot!(merge(SEVEN, &["nowhere", "ffff6666"]), @"refused: there is no revision `nowhere`");
}
