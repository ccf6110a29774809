//! Sixteen processes at once.

use std::process::Child;
use std::time::{Duration, Instant};

use crate::process::{command, mean_cost, milliseconds};
use crate::report::{Report, against_bar};
use crate::world::{Kind, Outcome, World};

const PROCESSES: usize = 16;
const ROUNDS: u32 = 10;

pub(crate) async fn measure(world: &World, report: &mut Report) -> Outcome {
    report.section(
        "Sixteen starts at once, 100 revisions",
        "Until the last process has ended, in turns, the best of ten. On an up-to-date database none takes the lock. On two cores \
         sixteen processes cost what sixteen processes cost, so the floor beside it is sixteen that do nothing. Bar: \
         on an empty database, less that floor, at most 1.50 times one start.",
        &["database", "sixteen idle, ms", "up to date, ms", "one on empty, ms", "sixteen on empty, ms", "ratio"],
    );
    for kind in Kind::ALL {
        let (mut idle, mut up_to_date, mut one, mut sixteen) =
            (Duration::MAX, Duration::MAX, Duration::MAX, Duration::MAX);
        for round in 0..ROUNDS {
            let url = world.database(kind, &format!("bench_one_{round}")).await?;
            idle = idle.min(at_once("nothing", &url)?);
            one = one.min(mean_cost(vec![command("stairway", &url, 100)?])?.wall);
            up_to_date = up_to_date.min(at_once("stairway", &url)?);
            let url = world
                .database(kind, &format!("bench_sixteen_{round}"))
                .await?;
            sixteen = sixteen.min(at_once("stairway", &url)?);
        }
        let work = sixteen.saturating_sub(idle).as_secs_f64();
        report.row([
            kind.name().to_owned(),
            format!("{:.0}", milliseconds(idle)),
            format!("{:.0}", milliseconds(up_to_date)),
            format!("{:.0}", milliseconds(one)),
            format!("{:.0}", milliseconds(sixteen)),
            against_bar(work / one.as_secs_f64(), 1.5),
        ]);
    }
    Ok(())
}

fn at_once(who: &str, url: &str) -> Outcome<Duration> {
    let began = Instant::now();
    let children: Vec<Child> = (0..PROCESSES)
        .map(|_| Ok(command(who, url, 100)?.spawn()?))
        .collect::<Outcome<_>>()?;
    for mut child in children {
        let status = child.wait()?;
        if !status.success() {
            return Err(format!("one of sixteen ended with {status}").into());
        }
    }
    Ok(began.elapsed())
}
