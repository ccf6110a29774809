//! The command line over migrations that are made to be hurt: killed, cut off, run sixteen at once.
//!
//! `FAULT_MIGRATIONS` chooses them. With `FAULT_KILL=started:7` the process upgrades to head and kills
//! itself as hard as it can when the run's seventh statement is about to be sent; with `finished:7`
//! when its answer has come and nothing has been written down of it; with `step:2` when the second
//! revision is recorded. Otherwise this is the ordinary command line.

mod hostile;
mod journey;
mod revision;
mod script;
mod small;

use std::env;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use sea_orm_migration::{MigrationTrait, MigratorTrait};
use stairway_core::plan::event::{Event, EventKind};
use stairway_core::settings::config_from_environment;
use stairway_core::{Manager, MigrationSet, MigrationSetError, Observer};

use revision::Revisions;

fn main() -> ExitCode {
    let migrations = MigrationSet::with_metadata::<Migrator>(chosen().metadata);
    match env::var("FAULT_KILL") {
        Ok(place) => upgrade_until(&place, migrations),
        Err(_) => stairway_cli::run(migrations),
    }
}

struct Migrator;

impl MigratorTrait for Migrator {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        chosen().migrations
    }
}

/// The migrations that the environment asks for: `name` or `name:argument`.
fn chosen() -> Revisions {
    let chosen = env::var("FAULT_MIGRATIONS").unwrap_or_default();
    let (name, argument) = chosen.split_once(':').unwrap_or((&chosen, ""));
    match name {
        "journey" => journey::revisions(),
        "script" => script::revisions(argument),
        "small" => small::revisions(argument.parse().unwrap_or(5)),
        name => hostile::revisions(name, argument),
    }
}

/// Upgrades to head, and dies on the way.
fn upgrade_until(place: &str, migrations: Result<MigrationSet, MigrationSetError>) -> ExitCode {
    let Some(killer) = Killer::parse(place) else {
        say(&format!(
            "FAULT_KILL={place} is none of started:N, finished:N, step:N"
        ));
        return ExitCode::from(2);
    };
    let upgraded = (|| -> Result<(), Box<dyn std::error::Error>> {
        let manager =
            Manager::new(migrations?, config_from_environment()?).with_observer(Arc::new(killer));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(manager.upgrade_to_head(false))?;
        Ok(())
    })();
    match upgraded {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            say(&error.to_string());
            ExitCode::FAILURE
        }
    }
}

fn say(message: &str) {
    use std::io::Write;
    // Nothing is left to be said to if this fails.
    let _ = writeln!(std::io::stderr(), "{message}");
}

#[derive(Clone, Copy)]
enum Place {
    Started,
    Finished,
    Step,
}

struct Killer {
    place: Place,
    at: u64,
    seen: AtomicU64,
}

impl Killer {
    fn parse(text: &str) -> Option<Self> {
        let (place, at) = text.split_once(':')?;
        let place = match place {
            "started" => Place::Started,
            "finished" => Place::Finished,
            "step" => Place::Step,
            _ => return None,
        };
        Some(Self {
            place,
            at: at.parse().ok()?,
            seen: AtomicU64::new(0),
        })
    }
}

impl Observer for Killer {
    fn observe(&self, event: &Event) {
        let is_here = matches!(
            (self.place, &event.kind),
            (Place::Started, EventKind::StatementStarted { .. })
                | (Place::Finished, EventKind::StatementFinished { .. })
                | (Place::Step, EventKind::StepFinished { .. })
        );
        if is_here && self.seen.fetch_add(1, Ordering::SeqCst) + 1 == self.at {
            die();
        }
    }
}

/// The standard library can't send itself a signal. Until it arrives nothing else happens: the run
/// waits for its observers.
fn die() {
    let kill = format!("kill -9 {}", std::process::id());
    let _ = Command::new("sh").args(["-c", &kill]).status();
    loop {
        thread::sleep(Duration::from_secs(1));
    }
}
