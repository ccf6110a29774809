//! The command line over migrations that are made to be hurt: killed, cut off, run sixteen at once.
//!
//! `FAULT_MIGRATIONS` chooses them. With `FAULT_KILL=PLACE` the process upgrades to head and kills itself
//! as hard as it can at a place:
//!
//! - `started:7`: the run's seventh statement is about to be sent;
//! - `during:7:900`: 900 microseconds after that;
//! - `finished:7`: its answer has come, and nothing has been written down of it;
//! - `step:2`: the second revision is recorded.
//!
//! A place that does not come, such as `started:0`, is counted: the last line says how often it was
//! passed.
//!
//! With `FAULT_HOLD=PLACE` it waits there instead: it makes the file that `FAULT_GATE` names, and goes
//! on when that is gone. Otherwise this is the ordinary command line.

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
    match (env::var("FAULT_KILL"), env::var("FAULT_HOLD")) {
        (Ok(place), _) => upgrade_watched(&place, Blow::Kill, migrations),
        (_, Ok(place)) => upgrade_watched(&place, Blow::Hold, migrations),
        _ => stairway_cli::run(migrations),
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

/// Upgrades to head with something in the way.
fn upgrade_watched(
    place: &str,
    blow: Blow,
    migrations: Result<MigrationSet, MigrationSetError>,
) -> ExitCode {
    let Some(watcher) = Watcher::parse(place, blow) else {
        say(&format!(
            "{place} is none of started:N, during:N:MICROSECONDS, finished:N, step:N"
        ));
        return ExitCode::from(2);
    };
    let upgraded = (|| -> Result<(), Box<dyn std::error::Error>> {
        let watcher = Arc::new(watcher);
        let manager =
            Manager::new(migrations?, config_from_environment()?)
                .with_observer(Arc::<Watcher>::clone(&watcher));
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()?;
        runtime.block_on(manager.upgrade_to_head(false))?;
        say(&format!(
            "passed {} time(s)",
            watcher.seen.load(Ordering::SeqCst)
        ));
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
    During(Duration),
    Finished,
    Step,
}

#[derive(Clone, Copy)]
enum Blow {
    Kill,
    Hold,
}

struct Watcher {
    place: Place,
    at: u64,
    blow: Blow,
    seen: AtomicU64,
}

impl Watcher {
    fn parse(text: &str, blow: Blow) -> Option<Self> {
        let mut parts = text.split(':');
        let place = parts.next()?;
        let at = parts.next()?.parse().ok()?;
        let place = match (place, parts.next()) {
            ("started", None) => Place::Started,
            ("during", Some(pause)) => Place::During(Duration::from_micros(pause.parse().ok()?)),
            ("finished", None) => Place::Finished,
            ("step", None) => Place::Step,
            _ => return None,
        };
        Some(Self {
            place,
            at,
            blow,
            seen: AtomicU64::new(0),
        })
    }
}

impl Observer for Watcher {
    fn observe(&self, event: &Event) {
        let is_here = matches!(
            (self.place, &event.kind),
            (
                Place::Started | Place::During(_),
                EventKind::StatementStarted { .. }
            ) | (Place::Finished, EventKind::StatementFinished { .. })
                | (Place::Step, EventKind::StepFinished { .. })
        );
        if !is_here || self.seen.fetch_add(1, Ordering::SeqCst) + 1 != self.at {
            return;
        }
        match (self.blow, self.place) {
            (Blow::Kill, Place::During(pause)) => {
                // The statement is sent meanwhile.
                thread::spawn(move || {
                    thread::sleep(pause);
                    die();
                });
            }
            (Blow::Kill, _) => die(),
            (Blow::Hold, _) => revision::wait_at_gate(),
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
