//! What a rerun makes of the journal: it passes over what is done, settles what was started by looking,
//! stops where the code is another one, names what nobody can tell and takes a person's word for it.

use stairway_tests::{Backend, Finished, Session, TestDatabase, on_each_backend};

use super::{
    app, end_session, evidence, has_session, kill_at, tested_among, trail, upgrade, value,
};

const SERVERS: &[Backend] = &[Backend::Postgres, Backend::MySql];

#[track_caller]
fn says(finished: &Finished, words: &[&str]) {
    for words in words {
        assert!(finished.stderr.contains(words), "{words}: {finished}");
    }
}

fn run(migrations: &str, database: &TestDatabase, arguments: &[&str]) -> Finished {
    app(migrations, database).args(arguments).run()
}

fn is_applied(database: &TestDatabase, revision: &str) -> bool {
    let sql = format!("SELECT count(*) FROM seaql_migrations WHERE version LIKE '%{revision}'");
    value(database, &sql).as_deref() == Some("1")
}

/// Where the second revision's third statement is about to be sent: the first has three, too.
const THIRD_OF_SECOND: &str = "started:6";

#[test]
fn other_statements_than_the_journals_stop_the_run_and_are_shown_with_them() {
    on_each_backend(|database| {
        kill_at(THIRD_OF_SECOND, "edited:then", &database);
        let before = evidence(&database);
        assert_eq!(before, ["one", "two"]);
        let stopped = run("edited:now", &database, &["upgrade"]);
        assert_eq!(stopped.code, 1, "{stopped}");
        says(
            &stopped,
            &[
                "m20260102_000001_edited",
                "now `INSERT INTO evidence (what) VALUES ('zwei')`",
                "then `INSERT INTO evidence (what) VALUES ('two')`",
                "stairway repair",
                "--mark-applied",
                "--mark-reverted",
            ],
        );
        // A revision that became shorter is another one, too.
        let stopped = run("edited:short", &database, &["upgrade"]);
        assert_eq!(stopped.code, 1, "{stopped}");
        says(
            &stopped,
            &["ends without sending statement 2", "VALUES ('two')"],
        );
        assert_eq!(evidence(&database), before);
        // With its old text it goes on, and passes over what is done.
        upgrade("edited:then", &database);
        assert_eq!(evidence(&database), ["four", "one", "two"]);
        let trail = trail("edited:then", &database);
        let outcomes: Vec<&str> = trail
            .iter()
            .map(|(_, outcome, _)| outcome.as_str())
            .collect();
        // The kill is told once, however often somebody tried in between.
        assert_eq!(
            outcomes.iter().filter(|said| **said == "succeeded").count(),
            2,
            "{trail:?}"
        );
        assert!(outcomes.contains(&"interrupted"), "{trail:?}");
    });
}

#[test]
fn a_step_that_a_person_says_is_there_is_recorded_and_one_that_is_not_is_forgotten() {
    on_each_backend(|database| {
        let other = TestDatabase::create(database.backend());
        for (option, is_there, database) in [
            ("--mark-reverted", false, &other),
            ("--mark-applied", true, &database),
        ] {
            kill_at(THIRD_OF_SECOND, "edited:then", database);
            let asked = run("edited:now", database, &["repair"]);
            assert_eq!(asked.code, 2, "{asked}");
            says(&asked, &["m20260102_000001_edited", "nothing was done"]);
            let unsure = run("edited:now", database, &["repair", option]);
            assert_eq!(unsure.code, 2, "nobody is there to answer: {unsure}");
            says(&unsure, &["You say that"]);
            let repaired = run("edited:now", database, &["repair", option, "--yes"]);
            assert_eq!(repaired.code, 0, "{repaired}");
            assert!(repaired.stdout.contains("is recorded as"), "{repaired}");
            assert_eq!(is_applied(database, "edited"), is_there);
            let trail = trail("edited:now", database);
            let (action, outcome, detail) = trail.last().expect("an entry");
            assert_eq!((action.as_str(), outcome.as_str()), ("repair", "succeeded"));
            assert!(
                detail.contains("none of its statements was run"),
                "{detail}"
            );
            let status = run("edited:now", database, &["status", "--output", "json"]);
            assert_ne!(status.json()["state"], "interrupted", "{status}");
            if !is_there {
                // Whoever says so has taken it back; it is run from its beginning.
                database.execute("DELETE FROM evidence");
                upgrade("edited:now", database);
                assert_eq!(evidence(database), ["four", "one", "zwei"]);
            }
        }
        let again = run("edited:now", &database, &["repair", "--resume", "--yes"]);
        assert_eq!(again.code, 0, "{again}");
        assert!(again.stdout.contains("Nothing is interrupted"), "{again}");
    });
}

#[test]
fn what_nobody_can_tell_is_named_and_goes_on_by_a_persons_word() {
    for backend in tested_among(SERVERS) {
        let place = match backend {
            // Tried in a transaction first, in which it is refused.
            Backend::Postgres => "finished:6",
            _ => "finished:5",
        };
        let in_doubt = match backend {
            Backend::Postgres => "CALL fill()",
            _ => "INSERT INTO notes VALUES (1)",
        };
        let rows = |database: &TestDatabase| value(database, "SELECT count(*) FROM notes");
        let killed = || {
            let database = TestDatabase::create(backend);
            kill_at(place, "doubt", &database);
            assert_eq!(rows(&database).as_deref(), Some("1"));
            let stopped = run("doubt", &database, &["upgrade"]);
            assert_eq!(stopped.code, 1, "{stopped}");
            says(
                &stopped,
                &[
                    "m20260102_000001_doubt",
                    in_doubt,
                    "stairway repair --resume",
                    "--mark-applied",
                    "--mark-reverted",
                ],
            );
            assert_eq!(
                rows(&database).as_deref(),
                Some("1"),
                "nothing was run twice"
            );
            let status = run("doubt", &database, &["status"]);
            assert!(status.stdout.contains("interrupted"), "{status}");
            database
        };

        // It was done after all; a person takes it back and has it run again.
        let database = killed();
        database.execute("DELETE FROM notes");
        let resumed = run("doubt", &database, &["repair", "--resume", "--yes"]);
        assert_eq!(resumed.code, 0, "{resumed}");
        assert!(resumed.stdout.contains("counts as not done"), "{resumed}");
        assert!(resumed.stdout.contains(in_doubt), "{resumed}");
        let (action, _, detail) = trail("doubt", &database).pop().expect("an entry");
        assert_eq!(action, "repair");
        assert!(detail.contains(in_doubt), "{detail}");
        upgrade("doubt", &database);
        assert_eq!(rows(&database).as_deref(), Some("1"));
        assert_eq!(evidence(&database), ["doubt"]);

        // A person does the rest by hand.
        let database = killed();
        database.execute("INSERT INTO evidence VALUES ('doubt')");
        let marked = run(
            "doubt",
            &database,
            &["repair", "--mark-applied", "doubt", "--yes"],
        );
        assert_eq!(marked.code, 0, "{marked}");
        upgrade("doubt", &database);
        assert_eq!(rows(&database).as_deref(), Some("1"));
        assert!(is_applied(&database, "doubt"));

        // A person takes all of it back.
        let database = killed();
        database.execute("DROP TABLE notes");
        if backend == Backend::Postgres {
            database.execute("DROP PROCEDURE fill");
        }
        let marked = run("doubt", &database, &["repair", "--mark-reverted", "--yes"]);
        assert_eq!(marked.code, 0, "{marked}");
        upgrade("doubt", &database);
        assert_eq!(rows(&database).as_deref(), Some("1"));
        assert_eq!(evidence(&database), ["doubt"]);
    }
}

#[test]
fn a_transaction_of_the_migrations_own_is_journalled_with_it() {
    on_each_backend(|database| {
        // In it, after its first statement.
        kill_at("finished:5", "own", &database);
        assert_eq!(evidence(&database), ["before"]);
        let entries = "SELECT count(*) FROM stairway_journal WHERE position > 0";
        assert_eq!(value(&database, entries).as_deref(), Some("1"));
        // Once it is committed, its entries are there with it.
        kill_at("started:3", "own", &database);
        assert_eq!(evidence(&database), ["before", "own, first", "own, second"]);
        assert_eq!(value(&database, entries).as_deref(), Some("3"));
        upgrade("own", &database);
        assert_eq!(
            evidence(&database),
            ["before", "behind", "own, first", "own, second"]
        );
    });
}

#[test]
fn a_savepoint_that_begins_a_transaction_on_sqlite_is_journalled_with_it() {
    for backend in tested_among(&[Backend::Sqlite]) {
        let database = TestDatabase::create(backend);
        kill_at("finished:5", "own:savepoint", &database);
        assert_eq!(evidence(&database), ["before"]);
        kill_at("started:4", "own:savepoint", &database);
        assert_eq!(evidence(&database), ["before", "own, first", "own, second"]);
        upgrade("own:savepoint", &database);
        assert_eq!(
            evidence(&database),
            ["before", "behind", "own, first", "own, second"]
        );
    }
}

#[test]
fn a_savepoint_named_like_one_that_was_rolled_back_does_not_commit_the_transaction_around_it() {
    for backend in tested_among(&[Backend::Sqlite]) {
        let database = TestDatabase::create(backend);
        upgrade("own:savepoint twice", &database);
        assert_eq!(evidence(&database), ["before", "behind"]);
    }
}

#[test]
fn a_transaction_that_a_savepoint_began_ends_with_that_one_and_not_with_another_of_its_name() {
    for backend in tested_among(&[Backend::Sqlite]) {
        let database = TestDatabase::create(backend);
        kill_at("started:7", "own:savepoint nested", &database);
        assert_eq!(evidence(&database), ["before", "own, first", "own, second"]);
        let database = TestDatabase::create(backend);
        kill_at("finished:6", "own:savepoint nested", &database);
        assert_eq!(evidence(&database), ["before"]);
        upgrade("own:savepoint nested", &database);
        assert_eq!(
            evidence(&database),
            ["before", "behind", "own, first", "own, second"]
        );
    }
}

/// A revision whose fourth statement is this definition, killed when it is done and nothing says so,
/// and when nothing of it is done: the rerun comes to the same.
fn settled_by_looking(backend: Backend, definition: &str, shown: &str) {
    let migrations = format!("definition:{definition}");
    let look = |database: &TestDatabase| {
        let mut session = database.session();
        super::picture::of(backend, &mut session)
    };
    let undisturbed = TestDatabase::create(backend);
    upgrade(&migrations, &undisturbed);
    let wanted = look(&undisturbed);
    for place in ["started:7", "finished:7"] {
        let database = TestDatabase::create(backend);
        kill_at(place, &migrations, &database);
        upgrade(&migrations, &database);
        assert_eq!(look(&database), wanted, "{place} {shown}");
        assert_eq!(evidence(&database), ["before", "behind"], "{place} {shown}");
    }
}

#[test]
fn definitions_that_commit_are_settled_by_looking() {
    for backend in tested_among(&[Backend::MySql]) {
        for definition in ["column", "several", "replace", "drop", "swap", "selected"] {
            settled_by_looking(backend, definition, definition);
        }
    }
}

/// Somebody changes the table between the crash and the rerun, in another way than the statement would.
#[test]
fn what_somebody_else_has_changed_is_not_taken_for_the_statements_work() {
    for backend in tested_among(&[Backend::MySql]) {
        let database = TestDatabase::create(backend);
        kill_at("started:7", "definition:column", &database);
        database.execute("ALTER TABLE goods ADD COLUMN by_hand int");
        let rerun = run("definition:column", &database, &["upgrade"]);
        assert_eq!(rerun.code, 1, "{rerun}");
        says(
            &rerun,
            &["ALTER TABLE goods ADD COLUMN weight int", "--resume"],
        );
        let resumed = run(
            "definition:column",
            &database,
            &["repair", "--resume", "--yes"],
        );
        assert_eq!(resumed.code, 0, "{resumed}");
        upgrade("definition:column", &database);
        assert_eq!(evidence(&database), ["before", "behind"]);
        assert_eq!(
            value(
                &database,
                "SELECT count(weight) + count(by_hand) FROM goods"
            )
            .as_deref(),
            Some("0")
        );
    }
}

/// A server that dies between the two halves of `CREATE OR REPLACE TABLE` leaves no table.
#[test]
fn a_table_that_was_to_be_replaced_and_is_gone_is_made() {
    for backend in tested_among(&[Backend::MySql]) {
        let database = TestDatabase::create(backend);
        kill_at("started:7", "definition:replace", &database);
        database.execute("DROP TABLE goods");
        upgrade("definition:replace", &database);
        assert_eq!(
            value(&database, "SELECT count(weight) FROM goods").as_deref(),
            Some("0")
        );
    }
}

/// A server that dies within a `DROP` of two tables has dropped one.
#[test]
fn the_rest_of_several_tables_is_dropped() {
    for backend in tested_among(&[Backend::MySql]) {
        let database = TestDatabase::create(backend);
        kill_at("started:7", "definition:drop", &database);
        database.execute("DROP TABLE goods");
        upgrade("definition:drop", &database);
        let left = "SELECT count(*) FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() \
                    AND TABLE_NAME IN ('goods', 'evidence_copy')";
        assert_eq!(value(&database, left).as_deref(), Some("0"));
    }
}

const INDEXES: &str = "SELECT count(*), coalesce(bool_and(indisvalid), false)::text FROM pg_index \
     WHERE indrelid = 'goods'::regclass AND NOT indisprimary";

fn has_one_valid_index(database: &TestDatabase) {
    assert_eq!(
        database.rows(INDEXES),
        [[Some("1".to_owned()), Some("true".to_owned())]]
    );
}

#[test]
fn an_invalid_index_is_built_anew_also_behind_if_not_exists() {
    for backend in tested_among(&[Backend::Postgres]) {
        for migrations in ["index:plain", "index:guarded"] {
            let database = TestDatabase::create(backend);
            kill_at("step:1", migrations, &database);
            // The same codes twice: the build fails, and its index stays, invalid.
            database.execute("INSERT INTO goods VALUES (3, 10)");
            let failed = run(migrations, &database, &["upgrade"]);
            assert_eq!(failed.code, 1, "{failed}");
            says(
                &failed,
                &[
                    "m20260102_000001_index",
                    "could not create unique index",
                    "CREATE UNIQUE INDEX CONCURRENTLY",
                    "run the same command again",
                ],
            );
            assert_eq!(
                database.rows(INDEXES),
                [[Some("1".to_owned()), Some("false".to_owned())]]
            );
            database.execute("DELETE FROM goods WHERE id = 3");
            let rerun = run(migrations, &database, &["upgrade"]);
            assert_eq!(rerun.code, 0, "{rerun}");
            has_one_valid_index(&database);
            assert_eq!(evidence(&database), ["before", "behind"]);
        }
    }
}

/// Its build waits for a transaction that holds the table; the run is killed, and its session ended.
fn interrupt_build(migrations: &str, database: &TestDatabase) {
    kill_at("step:1", migrations, database);
    let mut holding = database.session();
    holding.execute("BEGIN; UPDATE goods SET code = code WHERE id = 1");
    let running = app(migrations, database)
        .env("MIGRATION_STATEMENT_LOCK_TIMEOUT", "10m")
        .args(["upgrade"])
        .spawn();
    let building = "SELECT pid FROM pg_stat_activity WHERE query ILIKE '%INDEX%CONCURRENTLY%' AND state = 'active' \
                    AND wait_event_type = 'Lock' AND pid <> pg_backend_pid() AND datname = current_database()";
    let mut session = None;
    stairway_tests::wait_until("the build waits", super::DEADLINE, || {
        let found = database
            .rows(building)
            .into_iter()
            .flatten()
            .flatten()
            .next();
        session = found.and_then(|pid| pid.parse().ok());
        session.is_some()
    });
    let session = session.expect("it was found");
    running.signal(stairway_tests::servers::process::Signal::Kill);
    assert_eq!(running.wait(super::DEADLINE).code, super::KILLED);
    end_session(database, session);
    stairway_tests::wait_until("the build has ended", super::DEADLINE, || {
        !has_session(database, session)
    });
    holding.execute("ROLLBACK");
}

#[test]
fn a_build_that_was_cut_off_leaves_an_invalid_index_that_a_plain_rerun_replaces() {
    for backend in tested_among(&[Backend::Postgres]) {
        for migrations in ["index:plain", "index:guarded"] {
            let database = TestDatabase::create(backend);
            interrupt_build(migrations, &database);
            assert_eq!(
                database.rows(INDEXES),
                [[Some("1".to_owned()), Some("false".to_owned())]],
                "{migrations}: the build was cut off"
            );
            upgrade(migrations, &database);
            has_one_valid_index(&database);
            assert_eq!(evidence(&database), ["before", "behind"]);
        }
    }
}

#[test]
fn what_a_cut_off_reindex_leaves_beside_the_index_is_dropped() {
    for backend in tested_among(&[Backend::Postgres]) {
        // Cut off after the new index has taken its place, the old one stays, invalid and renamed.
        for suffix in ["_ccnew", "_ccold", "_ccold1"] {
            let database = TestDatabase::create(backend);
            interrupt_build("index:rebuilt", &database);
            if suffix != "_ccnew" {
                database.execute(&format!(
                    "ALTER INDEX goods_pkey_ccnew RENAME TO goods_pkey{suffix}"
                ));
            }
            let left =
                format!("SELECT count(*) FROM pg_class WHERE relname = 'goods_pkey{suffix}'");
            assert_eq!(value(&database, &left).as_deref(), Some("1"), "{suffix}");
            upgrade("index:rebuilt", &database);
            assert_eq!(value(&database, &left).as_deref(), Some("0"), "{suffix}");
            assert_eq!(evidence(&database), ["before", "behind"]);
        }
    }
}

#[test]
fn a_valid_index_with_another_definition_is_shown_with_the_one_that_is_wanted() {
    for backend in tested_among(&[Backend::Postgres]) {
        for migrations in ["index:plain", "index:guarded"] {
            let database = TestDatabase::create(backend);
            kill_at("step:1", migrations, &database);
            let mut session: Session = database.session();
            session.execute("CREATE INDEX goods_code ON goods (id, code)");
            let refused = run(migrations, &database, &["upgrade"]);
            assert_eq!(refused.code, 1, "{refused}");
            says(
                &refused,
                &[
                    "another definition",
                    "CREATE INDEX goods_code ON public.goods USING btree (id, code)",
                    "ON goods (code)",
                ],
            );
            session.execute("DROP INDEX goods_code");
            upgrade(migrations, &database);
            has_one_valid_index(&database);
        }
        // The same definition is what was wanted.
        let database = TestDatabase::create(backend);
        kill_at("step:1", "index:guarded", &database);
        database.execute("CREATE UNIQUE INDEX goods_code ON goods (code)");
        upgrade("index:guarded", &database);
        has_one_valid_index(&database);
    }
}
