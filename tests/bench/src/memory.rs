//! Memory with many revisions.

use crate::process::{command, peak_memory};
use crate::report::Report;
use crate::world::{Kind, Outcome, World};

pub(crate) async fn measure(world: &World, report: &mut Report) -> Outcome {
    report.section(
        "Memory",
        "The most that a process has held while it reads the status of an SQLite database.",
        &["revisions", "applied", "MiB"],
    );
    for (revisions, applied) in [(1, 0), (1_000, 1_000), (10_000, 0), (10_000, 1_000)] {
        let url = world
            .database(Kind::Sqlite, &format!("bench_memory_{revisions}_{applied}"))
            .await?;
        if applied > 0 {
            command("stairway", &url, applied)?.status()?;
        }
        let peak = peak_memory(command("status", &url, revisions)?)?;
        report.row([
            revisions.to_string(),
            applied.to_string(),
            format!("{:.0}", peak / 1024.0),
        ]);
    }
    Ok(())
}
