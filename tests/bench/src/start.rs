//! Starting when there is nothing to do.

use crate::process::{Cost, command, mean_cost};
use crate::report::{Report, against_bar};
use crate::traffic;
use crate::world::{Kind, Outcome, World};

const REVISIONS: usize = 1_000;
/// How many processes one after another make a measurement: CPU is counted in steps of 10 ms.
const SERIES: usize = 20;
/// How often each series is run.
const ROUNDS: usize = 5;

pub(crate) async fn measure(world: &World, report: &mut Report) -> Outcome {
    report.section(
        "A start with nothing to do, 1,000 revisions applied",
        "The whole process, mean of 20, Stairway and sea-orm-migration's `up` in turns, the best of five: wall / CPU. \
         Statements and protocol requests as the server gets them after the connection is made (the request that ends it left out). \
         Bars: 2 statements, 4 requests; wall and CPU not above sea-orm-migration's.",
        &[
            "database",
            "Stairway",
            "sea-orm-migration",
            "wall ratio",
            "CPU ratio",
            "statements / requests",
            "sea-orm-migration's",
        ],
    );
    for kind in Kind::ALL {
        let url = world.database(kind, "bench_start").await?;
        mean_cost(vec![command("stairway", &url, REVISIONS)?])?;
        // One of each first: caches of files and pages are warm for both.
        mean_cost(vec![
            command("stairway", &url, REVISIONS)?,
            command("sea-orm", &url, REVISIONS)?,
        ])?;
        let series = |who| -> Outcome<Cost> {
            let commands = (0..SERIES).map(|_| command(who, &url, REVISIONS));
            mean_cost(commands.collect::<Outcome<_>>()?)
        };
        let (mut stairway, mut sea_orm) = (Cost::MAX, Cost::MAX);
        for _ in 0..ROUNDS {
            stairway = stairway.or_less(series("stairway")?);
            sea_orm = sea_orm.or_less(series("sea-orm")?);
        }
        let (own, other) = match kind {
            Kind::Sqlite => ("in-process".to_owned(), "in-process".to_owned()),
            _ => (
                traffic::of_child(kind, "stairway", &url, REVISIONS)?,
                traffic::of_child(kind, "sea-orm", &url, REVISIONS)?,
            ),
        };
        report.row([
            kind.name().to_owned(),
            stairway.shown(),
            sea_orm.shown(),
            against_bar(
                stairway.wall.as_secs_f64() / sea_orm.wall.as_secs_f64(),
                1.0,
            ),
            against_bar(stairway.cpu.as_secs_f64() / sea_orm.cpu.as_secs_f64(), 1.0),
            own,
            other,
        ]);
    }
    Ok(())
}
