//! A run is killed or frozen, and its statement still runs on the server: the next one waits for it or
//! has it cancelled, and never starts beside it.

use std::thread;

use stairway_tests::servers::process::Signal;
use stairway_tests::{Backend, Running, Session, TestDatabase, wait_until};

use super::{DEADLINE, app, evidence, has_session, holder, picture, tested_among};

const SERVERS: &[Backend] = &[Backend::Postgres, Backend::MySql];

/// A session whose transaction keeps the slow statement waiting on the server: for a row, or for the
/// table.
fn hold(database: &TestDatabase, migrations: &str) -> Session {
    super::kill_at("step:1", migrations, database);
    let mut session = database.session();
    session.execute(match migrations {
        "slow:definition" => "BEGIN; SELECT * FROM goods",
        _ => "BEGIN; UPDATE goods SET code = code WHERE id = 1",
    });
    session
}

/// What the slow statement has done, however often it was sent.
fn assert_done_once(database: &TestDatabase, migrations: &str, context: &str) {
    assert_eq!(evidence(database), ["after", "slow"], "{context}");
    let wanted = if migrations == "slow" { "11" } else { "10" };
    let code = super::value(database, "SELECT code FROM goods WHERE id = 1");
    assert_eq!(code.as_deref(), Some(wanted), "{context}");
    picture::assert_books_in_order(&mut database.session(), context);
}

/// A run whose statement waits on the server, and the session that it has.
fn stuck(database: &TestDatabase, migrations: &str) -> (Running, i64) {
    let running = app(migrations, database)
        .env("MIGRATION_STATEMENT_LOCK_TIMEOUT", "10m")
        .args(["upgrade"])
        .spawn();
    let mut session = None;
    wait_until("the statement waits on the server", DEADLINE, || {
        session = holder(database).filter(|session| is_waiting(database, *session));
        session.is_some()
    });
    (running, session.expect("it was found"))
}

fn is_waiting(database: &TestDatabase, session: i64) -> bool {
    let sql = match database.backend() {
        Backend::Postgres => format!(
            "SELECT count(*) FROM pg_stat_activity WHERE pid = {session} AND state = 'active' AND wait_event_type = 'Lock'"
        ),
        _ => format!(
            "SELECT count(*) FROM information_schema.PROCESSLIST WHERE ID = {session} \
             AND STATE LIKE 'Waiting for table metadata lock%'"
        ),
    };
    super::value(database, &sql).as_deref() == Some("1")
        || database.backend() == Backend::MySql
            && database.has_lock_wait(&format!("thread id {session},"))
}

fn next(database: &TestDatabase, migrations: &str, policy: &str) -> Running {
    app(migrations, database)
        .env("MIGRATION_ORPHAN", policy)
        .env("MIGRATION_STATEMENT_LOCK_TIMEOUT", "10m")
        .args(["upgrade"])
        .spawn()
}

/// MariaDB goes on with the statement of a client that is gone, unless that waits for a table, and
/// PostgreSQL notices within a second.
#[test]
fn the_next_run_waits_for_the_statement_of_one_that_was_killed() {
    for backend in tested_among(SERVERS) {
        for migrations in ["slow", "slow:definition"] {
            let database = TestDatabase::create(backend);
            let mut holding = hold(&database, migrations);
            let (running, session) = stuck(&database, migrations);
            running.signal(Signal::Kill);
            assert_eq!(running.wait(DEADLINE).code, super::KILLED);
            let mut rerun = next(&database, migrations, "wait");
            if (migrations, backend) == ("slow", Backend::MySql) {
                wait_until("the next run says what it waits for", DEADLINE, || {
                    rerun.stderr().contains("has given no sign of life for")
                });
                let said = rerun.stderr();
                assert!(said.contains("may still run on the server"), "{said}");
                assert!(said.contains("stairway unlock"), "{said}");
                assert!(said.contains("MIGRATION_ORPHAN=cancel"), "{said}");
                assert!(is_waiting(&database, session), "the statement still runs");
                assert!(rerun.is_running());
                assert_eq!(evidence(&database), Vec::<String>::new());
            } else {
                wait_until("the server has ended the session", DEADLINE, || {
                    !has_session(&database, session)
                });
            }
            holding.execute("ROLLBACK");
            let ended = rerun.wait(DEADLINE);
            assert_eq!(ended.code, 0, "{ended}");
            assert_done_once(&database, migrations, &ended.to_string());
        }
    }
}

#[test]
fn the_next_run_cancels_the_statement_of_one_that_was_killed_if_it_is_told_to() {
    for backend in tested_among(&[Backend::MySql]) {
        let database = TestDatabase::create(backend);
        let mut holding = hold(&database, "slow");
        let (running, session) = stuck(&database, "slow");
        running.signal(Signal::Kill);
        assert_eq!(running.wait(DEADLINE).code, super::KILLED);
        let rerun = next(&database, "slow", "cancel");
        wait_until("the dead run's session is ended", DEADLINE, || {
            !has_session(&database, session)
        });
        wait_until("the next run says so", DEADLINE, || {
            rerun.stderr().contains("was ended")
        });
        holding.execute("ROLLBACK");
        let ended = rerun.wait(DEADLINE);
        assert_eq!(ended.code, 0, "{ended}");
        assert_done_once(&database, "slow", "done");
    }
}

/// A frozen machine: its sessions live on, but it gives no sign of life. When it comes back it finds
/// its session ended, and all done by another.
#[test]
fn a_run_that_was_frozen_and_replaced_does_nothing_when_it_thaws() {
    thread::scope(|scope| {
        for backend in tested_among(SERVERS) {
            scope.spawn(move || {
                let database = TestDatabase::create(backend);
                let mut holding = hold(&database, "slow");
                let (frozen, session) = stuck(&database, "slow");
                frozen.signal(Signal::Stop);
                let rerun = next(&database, "slow", "cancel");
                wait_until("the frozen run's session is ended", DEADLINE, || {
                    !has_session(&database, session)
                });
                holding.execute("ROLLBACK");
                let ended = rerun.wait(DEADLINE);
                assert_eq!(ended.code, 0, "{ended}");
                assert!(ended.stderr.contains("no sign of life"), "{ended}");
                frozen.signal(Signal::Continue);
                let thawed = frozen.wait(DEADLINE);
                assert_eq!(thawed.code, 0, "all is done: {thawed}");
                assert_done_once(&database, "slow", "after the thaw");
            });
        }
    });
}

#[test]
fn unlock_shows_the_holder_asks_and_ends_its_session() {
    for backend in tested_among(SERVERS) {
        let database = TestDatabase::create(backend);
        let mut holding = hold(&database, "slow");
        let (running, session) = stuck(&database, "slow");
        let unlock = |arguments: &[&str]| {
            let arguments = [&["unlock"], arguments].concat();
            app("slow", &database).args(arguments).run()
        };
        let process = running.pid().to_string();
        let shown = unlock(&["--show"]);
        assert_eq!(shown.code, 0, "{shown}");
        for words in [process.as_str(), "UPDATE goods"] {
            assert!(shown.stdout.contains(words), "{words}: {shown}");
        }
        // Nobody is there to answer.
        let asked = unlock(&[]);
        assert_eq!(asked.code, 2, "{asked}");
        assert!(asked.stderr.contains(&process), "{asked}");
        assert!(has_session(&database, session));
        let ended = unlock(&["--yes"]);
        assert_eq!(ended.code, 0, "{ended}");
        assert!(ended.stdout.contains("Ended the session"), "{ended}");
        wait_until("the session has ended", DEADLINE, || {
            !has_session(&database, session)
        });
        holding.execute("ROLLBACK");
        // The run comes back by itself.
        let done = running.wait(DEADLINE);
        assert_eq!(done.code, 0, "{done}");
        assert_done_once(&database, "slow", "done");
        let trail = super::trail("slow", &database);
        assert!(
            trail.iter().any(|(action, ..)| action == "unlock"),
            "{trail:?}"
        );
        let nobody = unlock(&["--yes"]);
        assert_eq!(nobody.code, 0, "{nobody}");
        assert!(nobody.stdout.contains("Nobody holds"), "{nobody}");
    }
}
