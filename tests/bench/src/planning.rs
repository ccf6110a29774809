//! Planning an upgrade from nothing to the head.

use std::time::{Duration, Instant};

use stairway_plan::graph::RevisionGraph;
use stairway_plan::history::History;
use stairway_plan::plan::{Direction, PlanOptions, plan};
use stairway_plan::revision::{Revision, RevisionId};

use crate::process::milliseconds;
use crate::report::Report;
use crate::world::Outcome;

pub(crate) fn measure(report: &mut Report) -> Outcome {
    report.section(
        "Planning",
        "Building the graph and planning an upgrade from an empty database and one of the upper half, best of five. \
         Linear means that the last column stays about the same.",
        &["revisions", "from nothing, ms", "the upper half, ms", "µs a revision"],
    );
    for count in [100, 1_000, 10_000] {
        let nothing = best(count, 0)?;
        let half = best(count, count / 2)?;
        report.row([
            count.to_string(),
            format!("{:.2}", milliseconds(nothing)),
            format!("{:.2}", milliseconds(half)),
            format!(
                "{:.2}",
                milliseconds(nothing) * 1000.0 / f64::from(u32::try_from(count)?)
            ),
        ]);
    }
    Ok(())
}

fn best(count: usize, applied: usize) -> Outcome<Duration> {
    let ids: Vec<RevisionId> = (0..count)
        .map(|number| RevisionId::from(format!("m{number:08}_x")))
        .collect();
    let history = History::of(ids[..applied].iter().cloned());
    let mut best = Duration::MAX;
    for _ in 0..5 {
        let revisions = ids
            .iter()
            .enumerate()
            .map(|(number, id)| {
                Revision::new(
                    id.clone(),
                    number.checked_sub(1).map(|before| ids[before].clone()),
                )
            })
            .collect();
        let began = Instant::now();
        let graph = RevisionGraph::new(revisions)?;
        let plan = plan(
            &graph,
            &history,
            Direction::Upgrade,
            "heads",
            PlanOptions::default(),
        )?;
        best = best.min(began.elapsed());
        if plan.steps.len() != count - applied {
            return Err("the plan has another number of steps".into());
        }
    }
    Ok(best)
}
