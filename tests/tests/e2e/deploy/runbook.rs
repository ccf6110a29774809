//! Every state of the runbook is brought about, and prints what the runbook shows.

use std::time::Duration;

use stairway_tests::servers::process::Signal;
use stairway_tests::{
    Backend, Finished, TestDatabase, available_backends, on_each_backend, stairway, wait_until,
};

use super::read;

const HEAD: &str = "m20260302_090000_add_projects_monthly_budget";

fn run(database: &TestDatabase, words: &str) -> Finished {
    let words = words.split_whitespace();
    stairway().args(words).database(database).run()
}

#[track_caller]
fn succeeds(database: &TestDatabase, words: &str) -> Finished {
    let run = run(database, words);
    assert_eq!(run.code, 0, "{words}: {run}");
    run
}

/// Fails unless these pieces are printed, and the runbook shows them.
#[track_caller]
fn as_shown(run: &Finished, pieces: &[&str]) {
    let page = read("docs/operations/runbook.md");
    for piece in pieces {
        assert!(page.contains(piece), "the runbook does not show: {piece}");
        let printed = run.stdout.contains(piece) || run.stderr.contains(piece);
        assert!(printed, "{piece} is not printed: {run}");
    }
}

#[test]
fn behind() {
    on_each_backend(|database| {
        succeeds(&database, "upgrade m20260223");
        let status = run(&database, "status");
        let state = "State     behind: 2 revisions pending";
        let next =
            "Next      `stairway upgrade --dry-run` shows the SQL, `stairway upgrade` applies it";
        as_shown(&status, &[state, next]);
        succeeds(&database, "upgrade --dry-run");
        succeeds(&database, "upgrade --backup");
        succeeds(&database, "status --exit-code");
    });
}

#[test]
fn ahead_and_diverged() {
    on_each_backend(|database| {
        succeeds(&database, "upgrade");
        database.execute(
            "INSERT INTO seaql_migrations VALUES ('m20260401_090000_add_invoices', 1775000000)",
        );
        let status = run(&database, "status");
        let state = "State     ahead: it has 1 revision that this build does not know";
        as_shown(&status, &[state, "Unknown   m20260401_090000_add_invoices"]);
        let upgrade = succeeds(&database, "upgrade");
        let notice = "The database has revisions that this build does not know: m20260401_090000_add_invoices";
        as_shown(&upgrade, &[notice, "Nothing to upgrade: default "]);

        database.execute(&format!(
            "DELETE FROM seaql_migrations WHERE version = '{HEAD}'"
        ));
        let status = run(&database, "status");
        let state = "State     diverged: 1 revision pending, and it has 1 revision that this build does not know";
        as_shown(&status, &[state]);
        let upgrade = run(&database, "upgrade");
        assert_eq!(upgrade.code, 2, "{upgrade}");
        as_shown(
            &upgrade,
            &["deploy a build that has both, or allow unknown revisions to go on"],
        );
    });
}

#[test]
fn edited() {
    on_each_backend(|database| {
        succeeds(&database, "upgrade");
        database.execute(
            "UPDATE stairway_ledger SET checksum = 'another' WHERE revision = 'm20260105_090000_create_users'",
        );
        let status = run(&database, "status");
        let state = "State     edited: 1 revision changed in code after having been applied";
        as_shown(&status, &[state, "Edited    m20260105_090000_create_users"]);
        let check = run(&database, "check");
        assert_eq!(check.code, 3, "{check}");
        as_shown(
            &check,
            &["found: 1 revision changed after having been applied"],
        );
        succeeds(&database, "check --ignore edited");
    });
}

#[test]
fn interrupted_on_a_database_without_transactions_for_tables() {
    if !available_backends().contains(&Backend::MySql) {
        return;
    }
    let database = TestDatabase::create(Backend::MySql);
    succeeds(&database, "upgrade m20260211_100000");
    // An open transaction of the application, which the change of its table waits for.
    let mut application = database.session();
    application.execute("START TRANSACTION");
    application.rows("SELECT * FROM training_runs");
    let upgrade = stairway()
        .args(["upgrade"])
        .database(&database)
        .env("MIGRATION_STATEMENT_LOCK_TIMEOUT", "120s")
        .spawn();
    wait_until(
        "the change of the table waits",
        Duration::from_mins(2),
        || {
            let waiting = "SELECT 1 FROM information_schema.processlist \
                       WHERE db = database() AND info LIKE 'ALTER TABLE `training_runs`%'";
            !database.rows(waiting).is_empty()
        },
    );
    upgrade.signal(Signal::Kill);
    let ended = upgrade.wait(Duration::from_mins(1));
    assert_eq!(ended.code, 137, "{ended}");
    application.execute("COMMIT");
    // Somebody else's statement still counts as running until the server has ended it.
    wait_until("nobody runs it any more", Duration::from_mins(2), || {
        run(&database, "status").stdout.contains("interrupted")
    });
    let status = run(&database, "status");
    let pieces = [
        "State        interrupted: a step began and did not finish",
        "Interrupted  upgrade of m20260216_090000_add_training_runs_status, begun ",
        "Next         run the same command again: it goes on from there; or see `stairway repair`",
    ];
    as_shown(&status, &pieces);
    let upgrade = succeeds(&database, "upgrade");
    as_shown(&upgrade, &["Applied 5 revisions on default "]);
    as_shown(
        &succeeds(&database, "repair"),
        &["Nothing is interrupted: there is nothing to repair"],
    );
}

#[test]
fn lock_held() {
    if !available_backends().contains(&Backend::Postgres) {
        return;
    }
    let database = TestDatabase::create(Backend::Postgres);
    succeeds(&database, "upgrade m20260108_110000");
    let mut application = database.session();
    application.execute("BEGIN");
    application.execute("LOCK TABLE users");
    let first = stairway()
        .args(["upgrade"])
        .database(&database)
        .env("MIGRATION_STATEMENT_LOCK_TIMEOUT", "120s")
        .spawn();
    wait_until(
        "the first run waits for the table",
        Duration::from_mins(2),
        || {
            run(&database, "unlock --show")
                .stdout
                .contains("CREATE TABLE \"project_members\"")
        },
    );
    let show = run(&database, "unlock --show");
    as_shown(
        &show,
        &[
            "The migration lock is held by\n",
            "  doing        active: CREATE TABLE \"project_members\"",
        ],
    );
    let second = run(&database, "upgrade --lock-timeout 1s");
    assert_eq!(second.code, 4, "{second}");
    as_shown(
        &second,
        &[
            "error: another run held the migration lock of postgres://",
            "or, if it is dead, look at it with `stairway unlock`",
        ],
    );
    // The runbook's question to the server finds who is in the way.
    let page = read("docs/operations/runbook.md");
    let (_, query) = page.split_once("```sql\n").expect("there is a query");
    let (query, _) = query.split_once("```").expect("the query ends");
    let found = database.rows(query.trim().trim_end_matches(';'));
    let in_the_way = found.iter().any(|row| {
        row.iter()
            .flatten()
            .any(|value| value.contains("LOCK TABLE users"))
    });
    assert!(in_the_way, "{found:?}");
    application.execute("COMMIT");
    let first = first.wait(Duration::from_mins(2));
    assert_eq!(first.code, 0, "{first}");
}

#[test]
fn unreachable_and_refused() {
    let at = |url: &str, words: &str| {
        let run = stairway()
            .args(words.split_whitespace())
            .env("DATABASE_URL", url)
            .run();
        assert!(!format!("{run}").contains("secret"), "{run}");
        run
    };
    // Nobody listens on the first of all ports.
    let run = at(
        "postgres://app:secret@127.0.0.1:1/shop",
        "wait --timeout 1s",
    );
    assert_eq!(run.code, 5, "{run}");
    as_shown(
        &run,
        &[
            "error: the database postgres://app:***@127.0.0.1:1/shop could not be reached within 1.0 s",
        ],
    );
    for database in available_backends()
        .into_iter()
        .filter(|backend| backend.url_variable().is_some())
    {
        let database = TestDatabase::create(database);
        let (server, _) = database.url().rsplit_once('/').expect("a URL has a path");
        let run = at(&format!("{server}/no_such_database"), "status");
        assert_eq!(run.code, 2, "{run}");
        as_shown(
            &run,
            &[
                "refuses the connection (unknown database)",
                "hint: create the database first",
            ],
        );
    }
}

#[test]
fn backup_failed() {
    on_each_backend(|database| {
        let run = stairway()
            .args(["upgrade", "--backup"])
            .database(&database)
            .env("MIGRATION_BACKUP_DIRECTORY", "/proc/backups")
            .run();
        // An SQLite file that does not exist yet has nothing to lose.
        if database.backend() == Backend::Sqlite && run.code == 0 {
            return;
        }
        assert_eq!(run.code, 1, "{run}");
        as_shown(
            &run,
            &[
                "the backup failed, and nothing was migrated: the directory /proc/backups can't be made",
            ],
        );
        assert!(
            succeeds(&database, "status")
                .stdout
                .contains("Applied   0 of ")
        );
    });
}

#[test]
fn step_failed() {
    on_each_backend(|database| {
        succeeds(&database, "upgrade +2");
        database.execute("CREATE TABLE projects (id int)");
        let run = run(&database, "upgrade");
        assert_eq!(run.code, 1, "{run}");
        let pieces = [
            "error: upgrade of m20260108_110000_create_projects on ",
            "  left of it   nothing\n  done before  m20260106_100000_create_api_keys",
            "hint: correct m20260108_110000_create_projects and run the same command again",
        ];
        as_shown(&run, &pieces);
        database.execute("DROP TABLE projects");
        succeeds(&database, "upgrade");
    });
}
