//! Sixteen processes that start together, again and again: none fails, and every revision is applied
//! once, as the audit trail and the revisions' own witnesses say. Then the same while processes are
//! killed, the one that holds the lock among them.

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

/// Which of sixteen are killed, and after how many microseconds.
pub(super) type Kills = Vec<(usize, u64)>;

pub(super) fn start(database_url: &str) -> Running {
    app_at(&format!("small:{REVISIONS}"), database_url)
        .args(["upgrade"])
        .spawn()
}

/// One cold start of sixteen processes through `url`, on an empty database.
pub(super) fn cold_start(
    database: &TestDatabase,
    url: &str,
    kills: &Kills,
    context: &str,
) -> usize {
    let replicas: Vec<Running> = (0..PROCESSES).map(|_| start(url)).collect();
    let began = Instant::now();
    for (victim, after) in kills {
        thread::sleep(Duration::from_micros(*after).saturating_sub(began.elapsed()));
        replicas[*victim].signal(Signal::Kill);
    }
    let mut killed = 0;
    for (number, replica) in replicas.into_iter().enumerate() {
        let ended = replica.wait(DEADLINE);
        let is_victim = kills.iter().any(|(victim, _)| *victim == number);
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

/// Fifty times, half of them with kills if asked for.
pub(super) fn race(
    backend: Backend,
    what: &str,
    url: impl Fn(&TestDatabase) -> String,
    with_kills: bool,
) {
    let mut dice = Dice::new();
    let seed = dice.seed();
    let began = Instant::now();
    let times = rounds(if with_kills {
        COLD_STARTS / 2
    } else {
        COLD_STARTS
    });
    let mut killed = 0;
    for round in 0..times {
        let database = TestDatabase::create(backend);
        let mut kills = Kills::new();
        if with_kills {
            // One after another: whoever gets the lock next is soon among them.
            let mut after = 0;
            let mut victims: Vec<usize> = (0..PROCESSES).collect();
            dice.shuffle(&mut victims);
            for victim in victims.into_iter().take(PROCESSES - 4) {
                after += dice.up_to(40_000);
                kills.push((victim, after));
            }
        }
        let context = format!("round {round} on {what}, STAIRWAY_FAULT_SEED={seed}");
        killed += cold_start(&database, &url(&database), &kills, &context);
    }
    let _ = writeln!(
        std::io::stderr(),
        "\n{what}: {times} cold starts of {PROCESSES} processes, {killed} of them killed, {:.0} s, \
         STAIRWAY_FAULT_SEED={seed}",
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
fn a_race_on_sqlite_goes_on_when_whoever_is_ahead_is_killed() {
    direct(Backend::Sqlite, true);
}

#[test]
fn a_race_on_postgresql_goes_on_when_whoever_is_ahead_is_killed() {
    direct(Backend::Postgres, true);
}

#[test]
fn a_race_on_mariadb_goes_on_when_whoever_is_ahead_is_killed() {
    direct(Backend::MySql, true);
}
