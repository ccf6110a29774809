//! Connections that are cut, answers that are lost, and networks that go silent.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use stairway_tests::{
    Backend, Finished, Proxy, TestDatabase, Verdict, available_backends, wait_until,
};

use super::scenario::{DEADLINE, Scenario, expect_shop, outside, shop};
use crate::calls::expect_words;

/// The kinds of databases that are reached over a network.
fn servers() -> impl Iterator<Item = Backend> {
    available_backends()
        .into_iter()
        .filter(|backend| *backend != Backend::Sqlite)
}

/// A proxy in front of an empty database, and [`shop`] on both.
fn world(backend: Backend) -> (TestDatabase, Proxy, Scenario, Scenario) {
    let database = TestDatabase::create(backend);
    let proxy = Proxy::start(backend, database.url());
    let direct = Scenario::new(database.url(), &shop());
    let through = direct.at(&proxy.url());
    (database, proxy, direct, through)
}

/// How often a message of the runs is cut off. All of them are with `STAIRWAY_TEST_CUTS=all`.
fn stride(messages: usize) -> usize {
    if std::env::var("STAIRWAY_TEST_CUTS").is_ok_and(|cuts| cuts == "all") {
        1
    } else {
        messages.div_ceil(20)
    }
}

#[test]
fn a_connection_cut_at_any_message_is_settled_by_the_run_itself() {
    for backend in servers() {
        let (database, proxy, direct, through) = world(backend);
        through.call(0, "upgrade");
        expect_shop(&database, &direct);
        let messages = proxy.messages();
        let manners = [Verdict::Cut, Verdict::CutHalfway, Verdict::CutAtAnswer];
        let stride = stride(messages);
        let mut settled_by_itself = 0;
        for (turn, at) in (0..messages).step_by(stride).enumerate() {
            let manner = manners[turn % manners.len()];
            let what = format!("{manner:?} at message {at} of {messages} on {backend}");
            let (database, proxy, direct, through) = world(backend);
            proxy.judge(move |message| {
                if message.number == at {
                    manner
                } else {
                    Verdict::Pass
                }
            });
            let run = through.program("upgrade").run();
            match run.code {
                0 => settled_by_itself += 1,
                // It was not connected yet, and nobody asked it to wait.
                5 => {
                    expect_words(&run, &["could not be reached"]);
                    direct.call(0, "upgrade");
                }
                code => panic!("{what}: exit code {code}: {run}"),
            }
            expect_shop(&database, &direct);
        }
        assert!(
            settled_by_itself * 2 > messages / stride,
            "only {settled_by_itself} runs came through by themselves on {backend}"
        );
    }
}

/// Cuts the message that commits the second revision, `times` times, and runs without retries.
fn cut_commit(
    backend: Backend,
    manner: Verdict,
    retries: u32,
) -> (TestDatabase, Scenario, Finished) {
    let (database, proxy, direct, through) = world(backend);
    let through = through.with("MIGRATION_MAX_RETRY_ATTEMPTS", &retries.to_string());
    let was_cut = Arc::new(AtomicBool::new(false));
    let cut = Arc::clone(&was_cut);
    proxy.judge(move |message| {
        // The message that commits the first revision names the second, too: it opens its transaction.
        let text = &message.text;
        let records = match backend {
            Backend::Postgres => text.contains("stairway_record_applied ('m2_counted'"),
            Backend::MySql | Backend::Sqlite => {
                text.contains("'m2_counted', 'upgrade', 'succeeded'")
            }
        };
        if records && text.contains("COMMIT") && !cut.swap(true, Ordering::SeqCst) {
            manner
        } else {
            Verdict::Pass
        }
    });
    let run = through.spawn("upgrade");
    wait_until("the commit was sent", DEADLINE, || {
        was_cut.load(Ordering::SeqCst)
    });
    if manner == Verdict::LoseAnswer {
        wait_until("the server has committed", DEADLINE, || {
            database
                .rows("SELECT version FROM seaql_migrations WHERE version = 'm2_counted'")
                .len()
                == 1
        });
        proxy.cut();
    }
    (database, direct, run.wait(DEADLINE))
}

#[test]
fn a_commit_that_never_reached_the_server_is_done_again() {
    for backend in servers() {
        let (database, direct, run) = cut_commit(backend, Verdict::Cut, 3);
        assert_eq!(run.code, 0, "{run}");
        expect_shop(&database, &direct);

        // Without retries it is said what there is, found out by looking.
        let (database, direct, run) = cut_commit(backend, Verdict::CutHalfway, 0);
        assert_eq!(run.code, 1, "{run}");
        let left = match backend {
            Backend::MySql => "4 statements, done and recorded",
            Backend::Postgres | Backend::Sqlite => "left of it   nothing",
        };
        expect_words(
            &run,
            &["connection lost", "m2_counted", left, "m1_evidence"],
        );
        direct.call(0, "upgrade");
        expect_shop(&database, &direct);
    }
}

#[test]
fn a_commit_whose_answer_was_lost_is_found_done_and_never_done_again() {
    for backend in servers() {
        for retries in [3, 0] {
            let (database, direct, run) = cut_commit(backend, Verdict::LoseAnswer, retries);
            assert_eq!(run.code, 0, "{run}");
            expect_words(&run, &["m2_counted", "the database has it"]);
            expect_shop(&database, &direct);
        }
    }
}

#[test]
fn a_lost_commit_around_all_steps_is_settled_too() {
    for backend in servers().filter(|backend| *backend == Backend::Postgres) {
        for (manner, retries, code) in [
            (Verdict::LoseAnswer, 3, 0),
            (Verdict::LoseAnswer, 0, 0),
            (Verdict::Cut, 3, 0),
            (Verdict::Cut, 0, 1),
        ] {
            let (database, proxy, direct, through) = world(backend);
            let through = through.with("MIGRATION_MAX_RETRY_ATTEMPTS", &retries.to_string());
            let was_cut = Arc::new(AtomicBool::new(false));
            let cut = Arc::clone(&was_cut);
            proxy.judge(move |message| {
                let is_commit = message.text.contains("COMMIT") && message.text.len() < 20;
                if is_commit && !cut.swap(true, Ordering::SeqCst) {
                    manner
                } else {
                    Verdict::Pass
                }
            });
            let run = through.spawn("upgrade --single-transaction");
            wait_until("the commit was sent", DEADLINE, || {
                was_cut.load(Ordering::SeqCst)
            });
            if manner == Verdict::LoseAnswer {
                wait_until("the server has committed", DEADLINE, || {
                    database
                        .try_rows("SELECT version FROM seaql_migrations")
                        .is_ok_and(|rows| rows.len() == 3)
                });
                proxy.cut();
            }
            let run = run.wait(DEADLINE);
            assert_eq!(run.code, code, "{manner:?} with {retries} retries: {run}");
            if code != 0 {
                expect_words(&run, &["committing all steps", "nothing of the run"]);
                assert_eq!(direct.state(), "empty");
                direct.call(0, "upgrade");
            }
            expect_shop(&database, &direct);
        }
    }
}

#[test]
fn a_connection_that_keeps_being_cut_ends_with_the_truth() {
    for backend in servers() {
        let (database, proxy, direct, through) = world(backend);
        let through = through.with("MIGRATION_MAX_RETRY_ATTEMPTS", "2");
        let cuts = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&cuts);
        proxy.judge(move |message| {
            if message.text.contains("ADD COLUMN note") && !message.text.contains("journal") {
                counted.fetch_add(1, Ordering::SeqCst);
                Verdict::Cut
            } else {
                Verdict::Pass
            }
        });
        let run = through.call(1, "upgrade");
        assert_eq!(
            cuts.load(Ordering::SeqCst),
            3,
            "once and two retries: {run}"
        );
        expect_words(
            &run,
            &[
                "connection lost",
                "m2_counted",
                "ADD COLUMN note",
                "m1_evidence",
                "run the same command again",
            ],
        );
        proxy.pass();
        through.call(0, "upgrade");
        expect_shop(&database, &direct);
    }
}

#[test]
fn a_server_that_does_not_come_back_is_named_together_with_what_was_under_way() {
    for backend in servers() {
        let (database, proxy, direct, through) = world(backend);
        let through = through
            .with("MIGRATION_WAIT_TIMEOUT", "300ms")
            .with("MIGRATION_CONNECT_TIMEOUT", "300ms");
        // From this message on nothing gets through.
        let is_down = Arc::new(AtomicBool::new(false));
        proxy.judge(move |message| {
            if message.text.contains("ADD COLUMN note") && !message.text.contains("journal") {
                is_down.store(true, Ordering::SeqCst);
            }
            if is_down.load(Ordering::SeqCst) {
                Verdict::Cut
            } else {
                Verdict::Pass
            }
        });
        let run = through.call(5, "upgrade");
        expect_words(
            &run,
            &[
                "could not be reached within",
                "m2_counted",
                "ADD COLUMN note",
                "m1_evidence",
                "run the same command again",
            ],
        );
        direct.call(0, "upgrade");
        expect_shop(&database, &direct);
    }
}

#[test]
fn a_network_that_goes_silent_before_the_connection_stands_is_not_waited_for_longer_than_allowed() {
    for backend in servers() {
        let (database, proxy, direct, through) = world(backend);
        proxy.silence(true);
        let through = through.with("MIGRATION_CONNECT_TIMEOUT", "300ms");
        for line in ["status", "upgrade", "run --wait 1s", "wait --timeout 1s"] {
            let run = through.call(5, line);
            expect_words(&run, &["could not be reached within", "no answer within"]);
        }
        proxy.silence(false);
        through.call(0, "upgrade");
        expect_shop(&database, &direct);
    }
}

#[test]
fn a_network_that_goes_silent_in_a_step_is_given_up_and_the_run_settles_it() {
    for backend in servers() {
        for transaction in [true, false] {
            let database = TestDatabase::create(backend);
            let mut revisions = shop();
            if !transaction {
                revisions = revisions.into_iter().map(outside).collect();
            }
            let direct = Scenario::new(database.url(), &revisions);
            let proxy = Proxy::start(backend, database.url());
            let through = direct
                .at(&proxy.url())
                .with("MIGRATION_ANSWER_TIMEOUT", "2s");
            // This connection alone is dead, as behind a router that has forgotten it.
            let once = AtomicBool::new(false);
            proxy.judge(move |message| {
                let is_it = message.text.contains("SET n = n + 10")
                    && !message.text.contains("stairway_journal");
                if is_it && !once.swap(true, Ordering::SeqCst) {
                    Verdict::LoseAnswer
                } else {
                    Verdict::Pass
                }
            });
            let run = through.call(0, "upgrade -v");
            expect_words(&run, &["has not answered"]);
            expect_shop(&database, &direct);
        }
    }
}

#[test]
fn a_network_that_stays_silent_is_named_with_what_was_under_way() {
    for backend in servers() {
        let (database, proxy, direct, through) = world(backend);
        let through = through
            .with("MIGRATION_ANSWER_TIMEOUT", "2s")
            .with("MIGRATION_WAIT_TIMEOUT", "500ms")
            .with("MIGRATION_CONNECT_TIMEOUT", "500ms");
        let was_sent = Arc::new(AtomicBool::new(false));
        let sent = Arc::clone(&was_sent);
        proxy.judge(move |message| {
            if message.text.contains("SET n = n + 10") && !message.text.contains("stairway_journal")
            {
                sent.store(true, Ordering::SeqCst);
                return Verdict::Silence;
            }
            Verdict::Pass
        });
        let run = through.spawn("upgrade");
        wait_until("the statement was sent", DEADLINE, || {
            was_sent.load(Ordering::SeqCst)
        });
        proxy.silence(true);
        let run = run.wait(DEADLINE);
        assert_eq!(run.code, 5, "{run}");
        expect_words(
            &run,
            &["m2_counted", "m1_evidence", "run the same command again"],
        );
        proxy.cut();
        direct.call(0, "upgrade");
        expect_shop(&database, &direct);
    }
}
