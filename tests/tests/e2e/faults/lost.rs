//! The lock is lost in the middle of a run: a session ended by an administrator, locks given back by
//! the migration itself, a lock file that was replaced. It is noticed before the next step, and a
//! step's own transaction can't commit without it.

use stairway_tests::{Backend, Running, Session, TestDatabase, on_each_backend, wait_until};

use super::{
    DEADLINE, Gate, app, end_session, evidence, has_session, holder, picture, tested_among, value,
};

const SERVERS: &[Backend] = &[Backend::Postgres, Backend::MySql];

/// A run that waits at the gate after its second of four steps, and the session that it has.
fn between_steps(database: &TestDatabase, retries: &str, gate: &Gate) -> (Running, i64) {
    let running = app("small:4", database)
        .env("FAULT_HOLD", "step:2")
        .env("FAULT_GATE", &gate.path)
        .env("MIGRATION_MAX_RETRY_ATTEMPTS", retries)
        .spawn();
    gate.wait_until_reached();
    let session = holder(database).expect("somebody holds the lock");
    (running, session)
}

fn end(database: &TestDatabase, session: i64) {
    end_session(database, session);
    wait_until("the session has ended", DEADLINE, || {
        !has_session(database, session)
    });
}

#[test]
fn a_session_that_was_ended_between_two_steps_is_replaced_and_the_run_goes_on() {
    for backend in tested_among(SERVERS) {
        let database = TestDatabase::create(backend);
        let gate = Gate::new();
        let (running, session) = between_steps(&database, "3", &gate);
        end(&database, session);
        gate.open();
        let ended = running.wait(DEADLINE);
        assert_eq!(ended.code, 0, "{ended}");
        picture::assert_books_in_order(&mut database.session(), "after the session was ended");
        assert_eq!(
            value(&database, "SELECT count(*) FROM counted").as_deref(),
            Some("4")
        );
    }
}

#[test]
fn without_retries_the_message_says_what_is_applied_and_a_plain_rerun_does_the_rest() {
    for backend in tested_among(SERVERS) {
        let database = TestDatabase::create(backend);
        let gate = Gate::new();
        let (running, session) = between_steps(&database, "0", &gate);
        end(&database, session);
        gate.open();
        let ended = running.wait(DEADLINE);
        assert_eq!(ended.code, 1, "{ended}");
        assert!(
            ended.stderr.contains("m20260101_000001_small"),
            "what is applied: {ended}"
        );
        assert_eq!(
            value(&database, "SELECT count(*) FROM counted").as_deref(),
            Some("2")
        );
        super::upgrade("small:4", &database);
        picture::assert_books_in_order(&mut database.session(), "after a rerun");
    }
}

/// The lock is another's before the run comes back: the run waits, and does nothing meanwhile.
#[test]
fn a_lock_that_somebody_else_has_taken_meanwhile_is_waited_for() {
    for backend in tested_among(SERVERS) {
        let database = TestDatabase::create(backend);
        let gate = Gate::new();
        let (running, session) = between_steps(&database, "3", &gate);
        let mut other = database.session();
        let take = take_lock(&database, &mut other);
        end(&database, session);
        assert_eq!(other.rows(&take), [[Some(truth(backend).to_owned())]]);
        gate.open();
        wait_until("the run waits for the lock", DEADLINE, || {
            // It looks at who holds the lock as long as it waits.
            connections(&database) >= 2
        });
        assert_eq!(
            value(&database, "SELECT count(*) FROM counted").as_deref(),
            Some("2")
        );
        drop(other);
        let ended = running.wait(DEADLINE);
        assert_eq!(ended.code, 0, "{ended}");
        picture::assert_books_in_order(&mut database.session(), "after waiting");
    }
}

/// Finding out what lies between takes a second connection. Of the replicas that start together one
/// goes to that length; the others wait for it on the one connection that they have.
#[test]
fn where_another_is_about_to_take_the_lock_it_is_waited_for_without_a_second_connection() {
    for backend in tested_among(&[Backend::Postgres]) {
        let database = TestDatabase::create(backend);
        let gate = Gate::new();
        let (running, _) = between_steps(&database, "2", &gate);
        let mut other = database.session();
        let take = take_lock(&database, &mut other).replace("lock(", "lock(~ ");
        gate.open();
        assert_eq!(running.wait(DEADLINE).code, 0);
        assert_eq!(other.rows(&take), [[Some("t".to_owned())]]);
        let waiting = app("small:6", &database).args(["upgrade"]).spawn();
        wait_until("the run waits", DEADLINE, || {
            value(
                &database,
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() \
                 AND pid <> pg_backend_pid() AND query LIKE '%pg_locks%' AND state = 'idle' \
                 AND application_name LIKE 'stairway %'",
            )
            .as_deref()
                == Some("1")
        });
        assert_eq!(connections(&database), 2, "this test's own and the run's");
        drop(other);
        let ended = waiting.wait(DEADLINE);
        assert_eq!(ended.code, 0, "{ended}");
        picture::assert_books_in_order(&mut database.session(), "after waiting");
    }
}

fn truth(backend: Backend) -> &'static str {
    match backend {
        Backend::MySql => "1",
        _ => "t",
    }
}

/// The statement that takes the very lock that the run holds at this moment.
fn take_lock(database: &TestDatabase, session: &mut Session) -> String {
    match database.backend() {
        Backend::Postgres => {
            let number = session.rows(
                "SELECT (classid::bigint << 32 | objid::bigint)::text FROM pg_locks \
                 WHERE locktype = 'advisory' AND granted AND objsubid = 1 \
                 AND database = (SELECT oid FROM pg_database WHERE datname = current_database())",
            );
            let number = number[0][0].clone().expect("the run holds one");
            format!("SELECT pg_try_advisory_lock({number})")
        }
        Backend::MySql => {
            let name = session.rows("SELECT name FROM stairway_lease");
            let name = name[0][0].clone().expect("the run has said so");
            format!("SELECT GET_LOCK('{name}', 60)")
        }
        Backend::Sqlite => panic!("SQLite's lock is a file's"),
    }
}

/// Sessions in the database besides the one that asks.
fn connections(database: &TestDatabase) -> u64 {
    let sql = match database.backend() {
        Backend::Postgres => {
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        }
        _ => {
            "SELECT count(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()"
        }
    };
    value(database, sql)
        .and_then(|count| count.parse().ok())
        .unwrap_or(0)
}

#[test]
fn a_session_that_was_ended_within_a_step_leaves_what_the_message_says_and_the_step_is_tried_again()
{
    for backend in tested_among(SERVERS) {
        for (retries, code) in [("3", 0), ("0", 1)] {
            let database = TestDatabase::create(backend);
            let gate = Gate::new();
            let running = app("gated", &database)
                .env("FAULT_GATE", &gate.path)
                .env("MIGRATION_MAX_RETRY_ATTEMPTS", retries)
                .args(["upgrade"])
                .spawn();
            gate.wait_until_reached();
            let session = holder(&database).expect("somebody holds the lock");
            end(&database, session);
            gate.open();
            if code == 0 {
                // The step comes to its gate once more.
                gate.wait_until_reached();
                gate.open();
            }
            let ended = running.wait(DEADLINE);
            assert_eq!(ended.code, code, "{ended}");
            if code == 1 {
                for words in [
                    "m20260102_000001_gated",
                    "connection lost",
                    "completed before it: m20260101_000001_evidence",
                    "run the same command again",
                ] {
                    assert!(ended.stderr.contains(words), "{words}: {ended}");
                }
                let rerun = app("gated", &database).args(["upgrade"]).run();
                assert_eq!(rerun.code, 0, "{rerun}");
            }
            assert_eq!(
                evidence(&database),
                ["after", "before the gate", "behind the gate"]
            );
            picture::assert_books_in_order(&mut database.session(), "within a step");
        }
    }
}

#[test]
fn a_step_that_gives_the_lock_back_is_not_recorded() {
    on_each_backend(|database| {
        let gate = Gate::new();
        let mut app = app("unlocks", &database)
            .env("MIGRATION_MAX_RETRY_ATTEMPTS", "0")
            .args(["upgrade"]);
        if database.backend() == Backend::Sqlite {
            app = app.env("FAULT_GATE", &gate.path);
        }
        let running = app.spawn();
        if let Some(file) = database.file() {
            gate.wait_until_reached();
            // Somebody tidies up, and with the file goes the lock.
            let lock = file.with_file_name("test.db.lock");
            std::fs::remove_file(lock).expect("the lock file is there");
            gate.open();
        }
        let ended = running.wait(DEADLINE);
        assert_eq!(ended.code, 1, "{ended}");
        for words in [
            "the migration lock was lost",
            "1 step(s)",
            "run the same command again",
        ] {
            assert!(ended.stderr.contains(words), "{words}: {ended}");
        }
        let applied = "SELECT count(*) FROM seaql_migrations WHERE version LIKE '%unlocks'";
        assert_eq!(value(&database, applied).as_deref(), Some("0"));
        if database.backend() != Backend::MySql {
            assert_eq!(evidence(&database), Vec::<String>::new());
        }
    });
}
