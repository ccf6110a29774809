use proptest::prelude::*;

use super::*;
use crate::sample::{any_state, graph, ledger};
use crate::target::{Range, Target};

const OPTIONS: [PlanOptions; 2] = [
    PlanOptions {
        strict_order: false,
        allow_unknown: false,
    },
    PlanOptions {
        strict_order: true,
        allow_unknown: true,
    },
];

/// Words that are nearly targets of the generated graphs.
fn any_target() -> impl Strategy<Value = String> {
    let name = prop_oneof![
        "m0[0-9]_step",
        "m[0-9]{1,2}",
        "step",
        "label[0-9]",
        Just("head".to_owned()),
        Just("heads".to_owned()),
        Just("base".to_owned()),
        Just("current".to_owned()),
        "[a-z@+:-]{0,5}",
    ];
    let steps = prop_oneof![3 => Just(String::new()), 2 => "[+-][0-9]{1,2}", 1 => "[+-][0-9]{20}"];
    let branched = (name.clone(), name.clone(), steps.clone())
        .prop_map(|(branch, name, steps)| format!("{branch}@{name}{steps}"));
    prop_oneof![
        3 => (name, steps).prop_map(|(name, steps)| format!("{name}{steps}")),
        2 => branched,
        1 => any::<String>(),
    ]
}

/// A state in which some revisions are unknown, the order is mixed up and the ledger says anything.
fn any_mess() -> impl Strategy<Value = (RevisionGraph, History)> {
    let line = (
        "m0[0-9]_step|u[0-3]",
        prop::collection::vec("m0[0-9]_step|u[0-3]", 0..3),
        any::<bool>(),
    );
    (any_state(), prop::collection::vec(line, 0..8)).prop_map(|((graph, tidy), lines)| {
        let lines: Vec<(String, bool)> = lines
            .into_iter()
            .map(|(id, parents, has_ledger)| (format!("{id} <{}", parents.join(" <")), has_ledger))
            .collect();
        let texts: Vec<&str> = lines.iter().map(|(text, _)| text.as_str()).collect();
        let mut history = ledger(&texts);
        for (applied, (_, has_ledger)) in history.applied.iter_mut().zip(&lines) {
            if !has_ledger {
                applied.ledger = None;
            }
        }
        history.applied.extend(tidy.applied);
        (graph, history)
    })
}

fn applied(history: &History) -> Vec<RevisionId> {
    let mut ids: Vec<RevisionId> = history.applied_ids().cloned().collect();
    ids.sort();
    ids
}

/// The history after a plan has run.
fn after(history: &History, plan: &Plan) -> History {
    let mut history = history.clone();
    for step in &plan.steps {
        match step.direction {
            Direction::Upgrade => history
                .applied
                .extend(History::of([step.revision.as_str()]).applied),
            Direction::Downgrade => history
                .applied
                .retain(|applied| applied.id != step.revision),
        }
    }
    history
}

proptest! {
    #[test]
    fn an_upgrade_puts_everything_below_first((graph, history) in any_state(), target in any_target()) {
        if let Ok(plan) = plan(&graph, &history, Direction::Upgrade, &target, PlanOptions::default()) {
            // Fails if a step comes before what it stands on.
            walk(&graph, &history, &plan);
        }
    }

    #[test]
    fn a_downgrade_takes_nothing_from_under_another((graph, history) in any_state(), target in any_target()) {
        if let Ok(plan) = plan(&graph, &history, Direction::Downgrade, &target, PlanOptions::default()) {
            walk(&graph, &history, &plan);
            let mut left: Vec<RevisionId> = applied(&history);
            for step in &plan.steps {
                left.retain(|id| *id != step.revision);
                let above = graph.descendants(step.revision.as_str(), Links::ParentsAndDependencies);
                prop_assert!(!above.iter().any(|id| left.contains(id)), "{} too early", step.revision);
            }
        }
    }

    #[test]
    fn an_upgrade_and_its_reverse_give_the_state_before(
        (graph, history) in any_state(),
        index in any::<prop::sample::Index>(),
    ) {
        prop_assume!(!graph.is_empty());
        let target = graph.iter().nth(index.index(graph.len())).unwrap().id.to_string();
        let up = plan(&graph, &history, Direction::Upgrade, &target, PlanOptions::default()).unwrap();
        let mut there = after(&history, &up);
        // Taken back one by one, as each step was the last to be applied.
        for step in up.steps.iter().rev() {
            let above = graph.descendants(step.revision.as_str(), Links::ParentsAndDependencies);
            prop_assert!(!above.iter().any(|id| applied(&there).contains(id)));
            there.applied.retain(|applied| applied.id != step.revision);
        }
        prop_assert_eq!(applied(&there), applied(&history));
    }

    #[test]
    fn up_from_nothing_and_down_to_base_are_mirror_images((graph, _) in any_state()) {
        let options = PlanOptions::default();
        let up = plan(&graph, &History::default(), Direction::Upgrade, "heads", options).unwrap();
        prop_assert_eq!(up.steps.len(), graph.len());
        let everything = after(&History::default(), &up);
        let down = plan(&graph, &everything, Direction::Downgrade, "base", options).unwrap();
        let there: Vec<&RevisionId> = up.steps.iter().map(|step| &step.revision).collect();
        let back: Vec<&RevisionId> = down.steps.iter().rev().map(|step| &step.revision).collect();
        prop_assert_eq!(there, back);
    }

    #[test]
    fn a_downgrade_and_the_upgrade_back_give_the_state_before((graph, history) in any_state(), target in any_target()) {
        let options = PlanOptions::default();
        if let Ok(down) = plan(&graph, &history, Direction::Downgrade, &target, options) {
            let below = after(&history, &down);
            let mut there = below;
            for head in &down.from {
                let up = plan(&graph, &there, Direction::Upgrade, head.as_str(), options).unwrap();
                there = after(&there, &up);
            }
            prop_assert_eq!(applied(&there), applied(&history));
        }
    }

    #[test]
    fn steps_down_take_back_exactly_so_many((graph, history) in any_state(), count in 1..9_usize) {
        let target = format!("-{count}");
        if let Ok(plan) = plan(&graph, &history, Direction::Downgrade, &target, PlanOptions::default()) {
            prop_assert_eq!(plan.steps.len(), count);
        }
    }

    #[test]
    fn the_same_input_gives_the_same_plan((graph, history) in any_mess(), target in any_target()) {
        for direction in [Direction::Upgrade, Direction::Downgrade] {
            for options in OPTIONS {
                let once = plan(&graph, &history, direction, &target, options);
                prop_assert_eq!(once, plan(&graph, &history, direction, &target, options));
            }
        }
    }

    #[test]
    fn after_a_plan_there_is_nothing_left_to_do((graph, history) in any_state(), target in any_target()) {
        let options = PlanOptions::default();
        let is_relative = target.contains(['+', '-']) || target.contains("current");
        for direction in [Direction::Upgrade, Direction::Downgrade] {
            if let Ok(first) = plan(&graph, &history, direction, &target, options)
                && !is_relative
            {
                let second = plan(&graph, &after(&history, &first), direction, &target, options);
                // A downgrade of a branch can have left the target as no head and nothing above it.
                let is_done = match &second {
                    Ok(plan) => plan.steps.is_empty(),
                    Err(error) => matches!(error, PlanError::NothingAbove { .. }),
                };
                prop_assert!(is_done, "{:?}", second);
            }
        }
    }

    #[test]
    fn whatever_the_history_says_a_plan_runs_or_an_error_tells_why(
        (graph, history) in any_mess(),
        target in any_target(),
    ) {
        for direction in [Direction::Upgrade, Direction::Downgrade] {
            for options in OPTIONS {
                match plan(&graph, &history, direction, &target, options) {
                    Ok(plan) => {
                        let known = plan.steps.iter().all(|s| graph.contains(s.revision.as_str()));
                        prop_assert!(known);
                        let mut ids: Vec<_> = plan.steps.iter().map(|s| &s.revision).collect();
                        ids.sort();
                        ids.dedup();
                        prop_assert_eq!(ids.len(), plan.steps.len());
                    }
                    Err(error) => prop_assert!(!error.to_string().contains(char::is_control)),
                }
            }
            let _ = plan_offline(&graph, direction, &target);
        }
    }

    #[test]
    fn a_stamp_ends_with_everything_below_its_target(
        (graph, history) in any_mess(),
        target in any_target(),
        purge in any::<bool>(),
    ) {
        if let Ok(stamp) = plan_stamp(&graph, &history, &[&target], StampOptions { purge }) {
            let mut after = applied(&history);
            after.dedup();
            prop_assert!(stamp.remove.iter().all(|id| after.contains(id)));
            after.retain(|id| !stamp.remove.contains(id));
            prop_assert!(!stamp.add.iter().any(|id| after.contains(id)));
            after.extend_from_slice(&stamp.add);
            let named = Target::parse(&target).unwrap().resolve(&graph, &history).unwrap();
            for id in &named {
                prop_assert!(after.contains(id));
                for below in graph.ancestors(id.as_str(), Links::ParentsAndDependencies) {
                    prop_assert!(after.contains(&below));
                }
                for above in graph.descendants(id.as_str(), Links::ParentsAndDependencies) {
                    let is_on_purpose = named.iter().any(|other| {
                        let below = graph.ancestors(other.as_str(), Links::ParentsAndDependencies);
                        *other == above || below.contains(&above)
                    });
                    let depends = !graph.descendants(id.as_str(), Links::Parents).contains(&above);
                    prop_assert!(!after.contains(&above) || is_on_purpose || depends, "{above}");
                }
            }
        }
    }

    #[test]
    fn a_range_selects_in_order_or_tells_why(
        (graph, history) in any_mess(),
        from in any_target(),
        to in any_target(),
    ) {
        let range = Range::parse(&format!("{from}:{to}")).unwrap();
        if let Ok(ids) = select_range(&graph, &history, &range) {
            let positions = ids.iter().map(|id| graph.position(id.as_str()).unwrap());
            prop_assert!(positions.is_sorted());
        }
    }
}

#[test]
fn ten_thousand_revisions_go_up_and_down() {
    let ids: Vec<String> = (0..10_000).map(|index| format!("m{index:05}")).collect();
    let lines: Vec<String> = ids
        .iter()
        .enumerate()
        .map(|(index, id)| match index {
            0 => id.clone(),
            index => format!("{id} <{}", ids[index - 1]),
        })
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let graph = graph(&lines);
    let options = PlanOptions::default();
    let up = plan(
        &graph,
        &History::default(),
        Direction::Upgrade,
        "heads",
        options,
    )
    .unwrap();
    assert!(
        up.steps
            .iter()
            .map(|step| step.revision.as_str())
            .eq(ids.iter().map(String::as_str))
    );

    let history = ledger(&lines);
    let nothing = plan(&graph, &history, Direction::Upgrade, "heads", options).unwrap();
    assert_eq!(nothing.steps, []);
    for (target, count) in [("base", 10_000), ("-10000", 10_000), ("m04999", 5_000)] {
        let down = plan(&graph, &history, Direction::Downgrade, target, options).unwrap();
        let back = down.steps.iter().map(|step| step.revision.as_str());
        assert!(
            back.eq(ids.iter().rev().take(count).map(String::as_str)),
            "{target}"
        );
    }
    let range = Range::parse("m00010:m09989").unwrap();
    assert_eq!(select_range(&graph, &history, &range).unwrap().len(), 9_980);
    let stamp = plan_stamp(&graph, &history, &["m00000"], StampOptions::default()).unwrap();
    assert_eq!(stamp.remove.len(), 9_999);
}
