//! Processes of this program's own, and what they cost.

use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use sea_orm::Database;
use sea_orm_migration::MigratorTraitSelf;
use stairway_core::{Config, Manager, MigrationSet};
use tokio::runtime::Builder;

use crate::migrator::Small;
use crate::world::Outcome;

/// What processes cost together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Cost {
    pub(crate) wall: Duration,
    pub(crate) cpu: Duration,
}

impl Cost {
    /// More than anything costs.
    pub(crate) const MAX: Self = Self {
        wall: Duration::MAX,
        cpu: Duration::MAX,
    };

    /// The lesser of two, of each kind of time.
    pub(crate) fn or_less(self, other: Self) -> Self {
        Self {
            wall: self.wall.min(other.wall),
            cpu: self.cpu.min(other.cpu),
        }
    }

    pub(crate) fn shown(self) -> String {
        format!(
            "{:.1} / {:.1} ms",
            milliseconds(self.wall),
            milliseconds(self.cpu)
        )
    }

    pub(crate) fn seconds(self) -> String {
        format!(
            "{:.1} / {:.1}",
            self.wall.as_secs_f64(),
            self.cpu.as_secs_f64()
        )
    }
}

pub(crate) fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// What a child process does: `WHO URL REVISIONS`. Each on the runtime of its own command line:
/// Stairway's has one thread, sea-orm-migration's is what `#[tokio::main]` makes.
pub(crate) fn child(who: &str, rest: &[&str]) -> Outcome {
    let builder = match who {
        "sea-orm" => Builder::new_multi_thread(),
        _ => Builder::new_current_thread(),
    };
    crate::runtime(builder)?.block_on(run_child(who, rest))
}

async fn run_child(who: &str, rest: &[&str]) -> Outcome {
    let [url, revisions] = rest else {
        return Err("a child needs a URL and a number".into());
    };
    let migrator = Small(revisions.parse()?);
    match who {
        "sea-orm" => {
            let database = Database::connect(*url).await?;
            migrator.up(&database, None).await?;
        }
        "stairway" => {
            manager(url, &migrator)?.auto_migrate(false).await?;
        }
        "status" => {
            manager(url, &migrator)?.migration_status().await?;
        }
        "compare" => {
            crate::compare::compared(url).await?;
        }
        "nothing" => {}
        other => return Err(format!("no child is called {other}").into()),
    }
    Ok(())
}

pub(crate) fn manager(url: &str, migrator: &Small) -> Outcome<Manager> {
    Ok(Manager::new(
        MigrationSet::from_migrator_self(migrator)?,
        Config::new(url)?,
    ))
}

/// A child process, not yet started.
pub(crate) fn command(who: &str, url: &str, revisions: usize) -> Outcome<Command> {
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["child", who, url, &revisions.to_string()])
        .stdin(Stdio::null())
        .stdout(Stdio::null());
    Ok(command)
}

/// Runs commands one after another; the mean cost of one.
pub(crate) fn mean_cost(mut commands: Vec<Command>) -> Outcome<Cost> {
    let count = u32::try_from(commands.len())?;
    let cpu_before = cpu_of_children()?;
    let began = Instant::now();
    for command in &mut commands {
        let status = command.status()?;
        if !status.success() {
            return Err(format!("{command:?} ended with {status}").into());
        }
    }
    Ok(Cost {
        wall: began.elapsed() / count,
        cpu: cpu_of_children()?.saturating_sub(cpu_before) / count,
    })
}

/// The processor time of all children that have ended, user and system.
fn cpu_of_children() -> Outcome<Duration> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    // The name in parentheses may hold blanks; fields are counted from behind it.
    let fields: Vec<&str> = stat
        .rsplit(')')
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    let ticks: u64 = fields.get(13).unwrap_or(&"0").parse::<u64>()?
        + fields.get(14).unwrap_or(&"0").parse::<u64>()?;
    // Linux counts in hundredths of a second on every platform that it supports today.
    Ok(Duration::from_millis(ticks * 10))
}

/// The high-water mark of a child's memory in KiB, watched while it runs.
pub(crate) fn peak_memory(mut command: Command) -> Outcome<f64> {
    let mut child = command.spawn()?;
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
