//! Memory with many revisions.

use std::time::Duration;

use crate::process::command;
use crate::report::Report;
use crate::world::{Kind, Outcome, World};

pub(crate) async fn measure(world: &World, report: &mut Report) -> Outcome {
    report.section(
        "Memory",
        "The most that a process has held while it reads the status of an SQLite database.",
        &["revisions", "applied", "MiB"],
    );
    for (revisions, applied) in [(1, 0), (1_000, 1_000), (10_000, 0), (10_000, 1_000)] {
        let url = world.database(Kind::Sqlite, "bench_memory").await?;
        if applied > 0 {
            command("stairway", &url, applied)?.status()?;
        }
        let peak = peak_memory("status", &url, revisions)?;
        report.row([
            revisions.to_string(),
            applied.to_string(),
            format!("{:.0}", peak / 1024.0),
        ]);
    }
    Ok(())
}

/// The high-water mark of a child's memory in KiB, watched while it runs.
fn peak_memory(who: &str, url: &str, revisions: usize) -> Outcome<f64> {
    let mut child = command(who, url, revisions)?.spawn()?;
    let status = format!("/proc/{}/status", child.id());
    let mut peak: f64 = 0.0;
    while child.try_wait()?.is_none() {
        let text = std::fs::read_to_string(&status).unwrap_or_default();
        let mark = text.lines().find_map(|line| {
            line.strip_prefix("VmHWM:")?
                .trim()
                .strip_suffix(" kB")?
                .parse::<f64>()
                .ok()
        });
        peak = peak.max(mark.unwrap_or(0.0));
        std::thread::sleep(Duration::from_millis(1));
    }
    Ok(peak)
}
