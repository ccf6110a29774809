//! Sixteen processes that start together, again and again: none fails, and every revision is applied
//! once, as the audit trail and the revisions' own witnesses say. Then the same while whoever holds the
//! lock is killed.

use std::collections::HashSet;
use std::fs;
use std::io::Write;
use std::thread;
use std::time::{Duration, Instant};

use stairway_tests::servers::process::Signal;
use stairway_tests::{Backend, Running, TestDatabase, available_backends};

use super::dice::{Dice, rounds};
use super::{DEADLINE, KILLED, app_at, picture};

const PROCESSES: usize = 16;
const COLD_STARTS: usize = 50;
const REVISIONS: usize = 4;

pub(super) fn start(database_url: &str) -> Running {
    app_at(&format!("small:{REVISIONS}"), database_url)
        .args(["upgrade"])
        .spawn()
}

/// One cold start of sixteen processes through `url`, on an empty database. With dice, whoever holds
/// the lock is killed, again and again, until four are left.
pub(super) fn cold_start(
    database: &TestDatabase,
    url: &str,
    kills: Option<&mut Dice>,
    context: &str,
) -> usize {
    let mut replicas: Vec<Running> = (0..PROCESSES).map(|_| start(url)).collect();
    let victims = kills.map_or_else(HashSet::new, |dice| {
        kill_holders(database, &mut replicas, dice)
    });
    let mut killed = 0;
    for replica in replicas {
        let is_victim = victims.contains(&replica.pid());
        let ended = replica.wait(DEADLINE);
        if is_victim && ended.code == KILLED {
            killed += 1;
        } else {
            assert_eq!(ended.code, 0, "{context}: {ended}");
        }
    }
    let mut session = database.session();
    picture::assert_books_in_order(&mut session, context);
    let counted = session.rows("SELECT number FROM counted ORDER BY number");
    let wanted: Vec<Vec<Option<String>>> = (0..REVISIONS)
        .map(|number| vec![Some(number.to_string())])
        .collect();
    assert_eq!(counted, wanted, "{context}");
    killed
}

/// At random moments, until all have ended or four were spared: the process that holds the lock then.
fn kill_holders(
    database: &TestDatabase,
    replicas: &mut [Running],
    dice: &mut Dice,
) -> HashSet<u32> {
    let mut victims = HashSet::new();
    while victims.len() < PROCESSES - 4 && replicas.iter_mut().any(Running::is_running) {
        thread::sleep(Duration::from_micros(dice.up_to(20_000)));
        let Some(holder) = holder_process(database) else {
            continue;
        };
        if let Some(replica) = replicas.iter().find(|replica| replica.pid() == holder)
            && victims.insert(holder)
        {
            replica.signal(Signal::Kill);
        }
    }
    victims
}

/// The process that holds the lock. Behind a pooler too the server knows the application's name.
fn holder_process(database: &TestDatabase) -> Option<u32> {
    let named = match database.backend() {
        Backend::Postgres => {
            "SELECT split_part(substr(a.application_name, 10), '@', 1) FROM pg_locks l \
             JOIN pg_stat_activity a ON a.pid = l.pid WHERE l.locktype = 'advisory' AND l.granted \
             AND a.application_name LIKE 'stairway %@%' \
             AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        }
        Backend::MySql => "SELECT pid FROM stairway_lease",
        Backend::Sqlite => {
            let file = format!("{}.lock", database.file()?.display());
            let text = fs::read_to_string(file).ok()?;
            let content: serde_json::Value = serde_json::from_str(&text).ok()?;
            return u32::try_from(content["pid"].as_u64()?).ok();
        }
    };
    let rows = database.try_rows(named).ok()?;
    rows.into_iter().flatten().flatten().next()?.parse().ok()
}

/// Fifty cold starts, with kills if asked for.
pub(super) fn race(
    backend: Backend,
    what: &str,
    url: impl Fn(&TestDatabase) -> String,
    with_kills: bool,
) {
    let mut dice = Dice::new();
    let seed = dice.seed();
    let began = Instant::now();
    let times = rounds(COLD_STARTS);
    let mut killed = 0;
    for round in 0..times {
        let database = TestDatabase::create(backend);
        let context = format!("round {round} on {what}, STAIRWAY_FAULT_SEED={seed}");
        let kills = with_kills.then_some(&mut dice);
        killed += cold_start(&database, &url(&database), kills, &context);
    }
    assert_eq!(killed > 0, with_kills, "nobody was caught with the lock");
    let _ = writeln!(
        std::io::stderr(),
        "\n{what}: {times} cold starts of {PROCESSES} processes, {killed} of them killed with the lock in hand, \
         {:.0} s, STAIRWAY_FAULT_SEED={seed}",
        began.elapsed().as_secs_f64()
    );
}

fn direct(backend: Backend, with_kills: bool) {
    if available_backends().contains(&backend) {
        let url = |database: &TestDatabase| database.url().to_owned();
        race(backend, backend.name(), url, with_kills);
    }
}

#[test]
fn sixteen_processes_race_fifty_times_on_sqlite() {
    direct(Backend::Sqlite, false);
}

#[test]
fn sixteen_processes_race_fifty_times_on_postgresql() {
    direct(Backend::Postgres, false);
}

#[test]
fn sixteen_processes_race_fifty_times_on_mariadb() {
    direct(Backend::MySql, false);
}

#[test]
fn fifty_races_on_sqlite_go_on_when_whoever_holds_the_lock_is_killed() {
    direct(Backend::Sqlite, true);
}

#[test]
fn fifty_races_on_postgresql_go_on_when_whoever_holds_the_lock_is_killed() {
    direct(Backend::Postgres, true);
}

#[test]
fn fifty_races_on_mariadb_go_on_when_whoever_holds_the_lock_is_killed() {
    direct(Backend::MySql, true);
}
