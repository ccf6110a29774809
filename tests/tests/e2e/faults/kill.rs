//! kill -9 at every boundary of every statement, in the middle of statements, around messages to the
//! server and at random moments: a plain rerun comes to the same catalogue, the same rows and the same
//! history as a run that nobody disturbed.

use std::io::Write;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use stairway_tests::servers::process::Signal;
use stairway_tests::{Backend, Finished, Program, Session, TestDatabase, available_backends};

use super::dice::{Dice, rounds};
use super::relay::{Relay, When};
use super::{DEADLINE, KILLED, app, app_at, picture};

/// Four revisions: one transaction, none, one wished for, none with questions.
const JOURNEY: &str = "journey";

/// Databases that are hurt at the same time.
const LANES: usize = 4;

/// Kills on each database, at the least.
const KILLS: usize = 200;

/// Up or down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Up,
    Down,
}

/// How a run is killed.
#[derive(Clone, Debug)]
enum Blow {
    /// Where the application kills itself.
    Place(String),
    /// Around the message of this number.
    Message(Way, u64, When),
    /// Several times in succession, each after so many microseconds.
    Moments(Way, Vec<u64>),
}

/// A run that nobody disturbs.
struct Undisturbed {
    up: String,
    down: String,
    statements: u64,
    messages: u64,
    messages_down: u64,
    time: Duration,
    time_down: Duration,
}

fn command(way: Way, url: &str) -> Program {
    let arguments: &[&str] = match way {
        Way::Up => &["upgrade"],
        Way::Down => &["downgrade", "base", "--yes"],
    };
    app_at(JOURNEY, url).args(arguments)
}

/// Makes the database as empty as it was.
fn reset(database: &TestDatabase) {
    match database.backend() {
        Backend::Postgres => {
            database.execute("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
        }
        Backend::MySql => {
            let name = database.name();
            database.execute(&format!("DROP DATABASE {name}; CREATE DATABASE {name}"));
        }
        Backend::Sqlite => {
            let file = database.file().expect("SQLite has a file");
            let directory = file.parent().expect("it is in a directory");
            for entry in std::fs::read_dir(directory)
                .expect("it can be read")
                .flatten()
            {
                std::fs::remove_file(entry.path()).expect("what a test has made can be removed");
            }
        }
    }
}

fn session(database: &TestDatabase) -> Session {
    database.session()
}

fn take_picture(database: &TestDatabase) -> String {
    picture::of(database.backend(), &mut session(database))
}

fn succeeded(finished: &Finished, context: &str) {
    assert_eq!(finished.code, 0, "{context}: {finished}");
}

/// What the journey comes to, and how long it is.
fn undisturbed(database: &TestDatabase) -> Undisturbed {
    let counted = app(JOURNEY, database).env("FAULT_KILL", "started:0").run();
    succeeded(&counted, "undisturbed");
    let statements = counted
        .stderr
        .lines()
        .find_map(|line| {
            line.strip_prefix("passed ")?
                .split(' ')
                .next()?
                .parse()
                .ok()
        })
        .unwrap_or_else(|| panic!("{counted}"));
    let up = take_picture(database);
    let relay = (database.backend() != Backend::Sqlite).then(|| Relay::start(database.url()));
    let url = relay.as_ref().map_or(database.url(), Relay::url);
    let sent = || relay.as_ref().map_or(0, Relay::sent);
    let run = |way| {
        let (before, began) = (sent(), Instant::now());
        succeeded(&command(way, url).run(), "undisturbed");
        (sent() - before, began.elapsed())
    };
    let (messages_down, time_down) = run(Way::Down);
    let down = take_picture(database);
    reset(database);
    let (messages, time) = run(Way::Up);
    assert_eq!(up, take_picture(database), "two undisturbed runs differ");
    Undisturbed {
        up,
        down,
        statements,
        messages,
        messages_down,
        time,
        time_down,
    }
}

/// Every boundary of every statement, and chance for the rest.
fn blows(backend: Backend, whole: &Undisturbed, dice: &mut Dice) -> Vec<Blow> {
    let mut blows = Vec::new();
    for number in 1..=whole.statements {
        blows.push(Blow::Place(format!("started:{number}")));
        blows.push(Blow::Place(format!("finished:{number}")));
    }
    for number in 1..=3 {
        blows.push(Blow::Place(format!("step:{number}")));
    }
    for _ in 0..rounds(30) {
        let (number, pause) = (dice.up_to(whole.statements), dice.up_to(8_000));
        blows.push(Blow::Place(format!("during:{number}:{pause}")));
    }
    let moments = |way, time: Duration, dice: &mut Dice| {
        let most = u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let times = dice.up_to(3);
        Blow::Moments(way, (0..times).map(|_| dice.up_to(most)).collect())
    };
    for _ in 0..rounds(25) {
        blows.push(moments(Way::Up, whole.time, dice));
    }
    for _ in 0..rounds(10) {
        blows.push(moments(Way::Down, whole.time_down, dice));
    }
    if backend != Backend::Sqlite {
        for number in 0..rounds(45) {
            let when = match dice.up_to(3) {
                1 => When::Before,
                2 => When::OnTheWay,
                _ => When::Answered,
            };
            blows.push(if number % 4 == 3 {
                Blow::Message(Way::Down, dice.up_to(whole.messages_down), when)
            } else {
                Blow::Message(Way::Up, dice.up_to(whole.messages), when)
            });
        }
    }
    dice.shuffle(&mut blows);
    blows
}

/// Hurts a run and runs again. Returns how often it was killed.
fn suffer(
    database: &TestDatabase,
    relay: Option<&Relay>,
    blow: &Blow,
    whole: &Undisturbed,
) -> usize {
    let mut kills = 0;
    let mut is_killed = |finished: &Finished| match finished.code {
        KILLED => kills += 1,
        // It was over before.
        0 => {}
        _ => panic!("{blow:?}: neither killed nor done: {finished}"),
    };
    reset(database);
    let way = match blow {
        Blow::Place(_) => Way::Up,
        Blow::Message(way, ..) | Blow::Moments(way, _) => *way,
    };
    if way == Way::Down {
        succeeded(&command(Way::Up, database.url()).run(), "before the blow");
    }
    match blow {
        Blow::Place(place) => {
            is_killed(&app(JOURNEY, database).env("FAULT_KILL", place).run());
        }
        Blow::Message(_, at, when) => {
            let relay = relay.expect("a server is behind a relay");
            let at = relay.sent() + at;
            let program = command(way, relay.url()).spawn();
            relay.kill(program.pid(), at, *when);
            is_killed(&program.wait(DEADLINE));
        }
        Blow::Moments(_, moments) => {
            for moment in moments {
                let program = command(way, database.url()).spawn();
                thread::sleep(Duration::from_micros(*moment));
                program.signal(Signal::Kill);
                is_killed(&program.wait(DEADLINE));
            }
        }
    }
    let again = command(way, database.url()).run();
    succeeded(&again, &format!("the plain rerun after {blow:?}"));
    let context = format!("after {blow:?} and a plain rerun, which said: {again}");
    let now = take_picture(database);
    match way {
        Way::Up => {
            assert_eq!(whole.up, now, "{context}");
            picture::assert_books_in_order(&mut session(database), &context);
        }
        Way::Down => assert_eq!(whole.down, now, "{context}"),
    }
    kills
}

fn suffer_everything(backend: Backend) {
    if !available_backends().contains(&backend) {
        return;
    }
    let mut dice = Dice::new();
    let seed = dice.seed();
    let began = Instant::now();
    let whole = undisturbed(&TestDatabase::create(backend));
    assert!(
        whole.statements >= 12 * 4,
        "{} statements",
        whole.statements
    );
    let all = blows(backend, &whole, &mut dice);
    let count = all.len();
    let queue = Mutex::new(all);
    let kills = AtomicUsize::new(0);
    let failures: Vec<String> = thread::scope(|scope| {
        let lanes: Vec<_> = (0..LANES)
            .map(|_| {
                scope.spawn(|| {
                    let database = TestDatabase::create(backend);
                    let relay = (backend != Backend::Sqlite).then(|| Relay::start(database.url()));
                    let mut failures = Vec::new();
                    loop {
                        let Some(blow) = queue.lock().expect("no lane panics with it").pop() else {
                            return failures;
                        };
                        let suffered =
                            std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
                                suffer(&database, relay.as_ref(), &blow, &whole)
                            }));
                        match suffered {
                            Ok(times) => {
                                kills.fetch_add(times, Ordering::SeqCst);
                            }
                            Err(_) => failures.push(format!("{blow:?}")),
                        }
                    }
                })
            })
            .collect();
        lanes
            .into_iter()
            .flat_map(|lane| lane.join().expect("failures are caught"))
            .collect()
    });
    let kills = kills.into_inner();
    let summary = format!(
        "{backend}: {kills} kills in {count} blows on {} statements, {:.0} s, STAIRWAY_FAULT_SEED={seed}",
        whole.statements,
        began.elapsed().as_secs_f64()
    );
    // On the real stderr: the test runner hides what a passing test prints.
    let _ = writeln!(std::io::stderr(), "\n{summary}");
    assert!(
        failures.is_empty(),
        "{summary}; not survived: {failures:#?}"
    );
    assert!(kills >= KILLS, "{summary}: fewer than {KILLS}");
}

#[test]
fn a_run_on_sqlite_that_is_killed_anywhere_is_finished_by_a_plain_rerun() {
    suffer_everything(Backend::Sqlite);
}

#[test]
fn a_run_on_postgresql_that_is_killed_anywhere_is_finished_by_a_plain_rerun() {
    suffer_everything(Backend::Postgres);
}

#[test]
fn a_run_on_mariadb_that_is_killed_anywhere_is_finished_by_a_plain_rerun() {
    suffer_everything(Backend::MySql);
}
