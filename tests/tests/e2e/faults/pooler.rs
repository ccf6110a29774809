//! Through a real PgBouncer in transaction mode, where a session's lock protects nothing.

use std::time::{Duration, Instant};

use stairway_tests::servers::{Server, ServerOptions, ServerUrl, pgbouncer};
use stairway_tests::{Backend, TestDatabase, available_backends, has_programs};

use super::{DEADLINE, app_at, race};

/// A pooler in front of the server that the environment names; nothing where there is none.
fn pooler(size: &str) -> Option<Server> {
    if !available_backends().contains(&Backend::Postgres) || !has_programs(&["pgbouncer"]) {
        return None;
    }
    let variable = Backend::Postgres.url_variable()?;
    let upstream = std::env::var(variable).expect("it is set");
    let upstream = ServerUrl::parse(&upstream).expect("it is a URL");
    let options = ServerOptions::new().setting("default_pool_size", size);
    Some(pgbouncer::start(&upstream, &options).expect("PgBouncer starts"))
}

/// The URL of a database through the pooler.
fn through(pooler: &Server, database: &TestDatabase) -> String {
    pooler.url().with_database(database.name()).reveal()
}

#[test]
fn sixteen_processes_race_fifty_times_through_a_pooler() {
    let Some(pooler) = pooler("5") else { return };
    race::race(
        Backend::Postgres,
        "postgres through PgBouncer",
        |database| through(&pooler, database),
        false,
    );
}

#[test]
fn fifty_races_through_a_pooler_go_on_when_whoever_holds_the_lock_is_killed() {
    let Some(pooler) = pooler("5") else { return };
    race::race(
        Backend::Postgres,
        "postgres through PgBouncer",
        |database| through(&pooler, database),
        true,
    );
}

/// What finds the pooler out needs two connections. With one session for both, or with all sessions
/// taken by others that look as well, neither may wait for the other without end.
#[test]
fn looking_for_a_pooler_takes_no_session_that_another_waits_for() {
    let Some(pooler) = pooler("1") else { return };
    let database = TestDatabase::create(Backend::Postgres);
    let url = through(&pooler, &database);
    let began = Instant::now();
    let ended = race::start(&url).wait(DEADLINE);
    assert_eq!(ended.code, 0, "{ended}");
    // PgBouncer itself would end it after 120 s (query_wait_timeout).
    assert!(began.elapsed() < Duration::from_mins(1), "{ended}");
    let database = TestDatabase::create(Backend::Postgres);
    let url = through(&pooler, &database);
    race::cold_start(&database, &url, None, "one session for sixteen");
}

#[test]
fn a_revision_outside_a_transaction_is_refused_behind_a_pooler_before_anything_is_done() {
    let Some(pooler) = pooler("2") else { return };
    let database = TestDatabase::create(Backend::Postgres);
    let refused = app_at("index:plain", &through(&pooler, &database))
        .args(["upgrade"])
        .run();
    assert_eq!(refused.code, 2, "{refused}");
    for words in [
        "m20260102_000001_index",
        "connection pooler",
        "nothing was done",
        "direct URL",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {refused}");
    }
    let tables = database.rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'");
    assert_eq!(tables, Vec::<Vec<Option<String>>>::new());
    // The advice holds.
    super::upgrade("index:plain", &database);
}

#[test]
fn what_changes_the_session_is_refused_behind_a_pooler() {
    let Some(pooler) = pooler("2") else { return };
    let database = TestDatabase::create(Backend::Postgres);
    let refused = app_at("session", &through(&pooler, &database))
        .args(["upgrade"])
        .run();
    assert_eq!(refused.code, 1, "{refused}");
    for words in [
        "m20260102_000001_session",
        "belongs to another client next",
        "SET LOCAL",
        "direct URL",
        "nothing of this revision is left",
        "m20260101_000001_evidence",
    ] {
        assert!(refused.stderr.contains(words), "{words}: {refused}");
    }
    super::upgrade("session", &database);
}

/// What a run through the pooler leaves in the lease table tells which lock it took: a session's
/// lock has a holder with a name, a transaction's has none.
#[test]
fn the_setting_decides_where_detection_is_not_wanted() {
    let Some(pooler) = pooler("2") else { return };
    let run = |policy: &str| {
        let database = TestDatabase::create(Backend::Postgres);
        let ended = app_at("index:plain", &through(&pooler, &database))
            .env("MIGRATION_POOLER", policy)
            .args(["upgrade"])
            .run();
        (ended, database)
    };
    let (refused, _) = run("transaction");
    assert_eq!(refused.code, 2, "{refused}");
    // Whoever says that there is none is believed; alone on the pooler this works.
    let (done, database) = run("direct");
    assert_eq!(done.code, 0, "{done}");
    assert_eq!(super::evidence(&database), ["before", "behind"]);
    // On the direct URL the cautious way works, too.
    let database = TestDatabase::create(Backend::Postgres);
    let done = app_at("small:3", database.url())
        .env("MIGRATION_POOLER", "transaction")
        .args(["upgrade"])
        .run();
    assert_eq!(done.code, 0, "{done}");
    let lease = database.rows("SELECT name FROM stairway_lease");
    assert_eq!(lease, Vec::<Vec<Option<String>>>::new());
}
