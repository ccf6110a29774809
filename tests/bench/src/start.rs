//! Starting when there is nothing to do.

use crate::process::{command, mean_cost};
use crate::report::{Report, against_bar};
use crate::traffic;
use crate::world::{Kind, Outcome, World};

const REVISIONS: usize = 1_000;
const ROUNDS: usize = 20;

pub(crate) async fn measure(world: &World, report: &mut Report) -> Outcome {
    report.section(
        "A start with nothing to do, 1,000 revisions applied",
        "The whole process, mean of 20, Stairway and sea-orm-migration's `up` in turns: wall / CPU. Statements and \
         protocol requests as the server gets them after the connection is made (the request that ends it left out). \
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
        let stairway = mean_cost(
            (0..ROUNDS)
                .map(|_| command("stairway", &url, REVISIONS))
                .collect::<Outcome<_>>()?,
        )?;
        let sea_orm = mean_cost(
            (0..ROUNDS)
                .map(|_| command("sea-orm", &url, REVISIONS))
                .collect::<Outcome<_>>()?,
        )?;
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
