//! Runs that can't go on, or did not.

use std::thread;
use std::time::Duration;

use stairway_tests::servers::{ServerOptions, ServerUrl, pgbouncer};
use stairway_tests::{
    Backend, Proxy, TestDatabase, Verdict, has_programs, on_each_backend, wait_until,
};

use super::spans;
use crate::calls::User;
use crate::pages::{Section, Shell, read};

const PATIENCE: Duration = Duration::from_mins(2);

/// A database in which a run lost its connection when it was about to send a definition.
fn interrupted_database() -> TestDatabase {
    let database = TestDatabase::create(Backend::MySql);
    let shell = Shell::on(&database);
    shell.prepare("stairway upgrade m20260211_100000");
    let proxy = Proxy::start(Backend::MySql, database.url());
    proxy.judge(|message| {
        // The statement itself, not the journal's entry that holds it.
        if message.text.contains("\u{3}ALTER TABLE `training_runs`") {
            Verdict::Cut
        } else {
            Verdict::Pass
        }
    });
    let through = Shell::at(&proxy.url()).env("MIGRATION_MAX_RETRY_ATTEMPTS", "0");
    let run = through.program("stairway upgrade").run();
    assert_eq!(run.code, 1, "{run}");
    database
}

/// As [`interrupted_database`], where somebody changed the table meanwhile, so that looking does not tell
/// whether the statement was done.
fn database_in_doubt() -> TestDatabase {
    let database = interrupted_database();
    database.execute("ALTER TABLE training_runs ADD COLUMN by_hand int");
    let message = "was interrupted after … in doubt is: …";
    assert!(spans().contains(message), "the runbook tells of {message}");
    let run = Shell::on(&database).program("stairway upgrade").run();
    assert_eq!(run.code, 1, "{run}");
    let told = run.stdout.split_once("was interrupted after ");
    let (_, told) = told.unwrap_or_else(|| panic!("{run}"));
    assert!(told.contains("in doubt is: ALTER TABLE"), "{run}");
    database
}

pub(super) fn interrupted(section: &mut Section, _: &TestDatabase) {
    let (database, resumed, applied, reverted) = thread::scope(|scope| {
        let others = [(); 3].map(|()| scope.spawn(database_in_doubt));
        let database = interrupted_database();
        let [resumed, applied, reverted] =
            others.map(|other| other.join().expect("its own say why"));
        (database, resumed, applied, reverted)
    });
    let shell = Shell::on(&database);
    section.run(&shell, "stairway status", 0);
    section.run(&shell, "stairway upgrade", 0);
    shell.prepare("stairway status --exit-code");

    // The statement was not done.
    let resumed = Shell::on(&resumed);
    section.run_and_answer(&resumed, "stairway repair --resume", 0);
    // Or somebody does by hand what is left of the revision.
    let by_hand = "SHOW COLUMNS FROM training_runs LIKE 'status'";
    let definition = &database.rows(by_hand)[0][1];
    let definition = definition.as_deref().unwrap_or_default();
    applied.execute(&format!(
        "ALTER TABLE training_runs ADD COLUMN status {definition} NULL"
    ));
    let applied = Shell::on(&applied);
    section.run_and_answer(&applied, "stairway repair --mark-applied", 0);
    // Or nothing of it is there, and it begins again.
    let reverted = Shell::on(&reverted);
    section.run_and_answer(&reverted, "stairway repair --mark-reverted", 0);
    for shell in [&resumed, &applied, &reverted] {
        shell.prepare("stairway upgrade");
        shell.prepare("stairway status --exit-code");
    }
    section.run(&shell, "stairway repair", 0);
}

pub(super) fn lock_held(section: &mut Section, database: &TestDatabase) {
    let shell = Shell::on(database);
    shell.prepare("stairway upgrade m20260108_110000");
    let mut application = database.session();
    application.execute("BEGIN");
    application.execute("LOCK TABLE users");
    // In the shell's place, not below it.
    let first = shell
        .program("exec stairway upgrade")
        .env("MIGRATION_STATEMENT_LOCK_TIMEOUT", "120s")
        .env("MIGRATION_MAX_RETRY_ATTEMPTS", "0")
        .spawn();
    wait_until("the first run waits for the table", PATIENCE, || {
        let shown = shell.prepare("stairway unlock --show").stdout;
        shown.contains("CREATE TABLE \"project_members\"")
    });
    section.run(&shell, "stairway upgrade --lock-timeout 1s", 4);
    section.run(&shell, "stairway unlock --show", 0);

    // The question to the server finds who is in the way.
    let found = database.rows(section.shows_sql().trim().trim_end_matches(';'));
    let holder = found.iter().flatten().flatten();
    assert!(
        holder.into_iter().any(|value| value == "LOCK TABLE users"),
        "{found:?}"
    );

    section.run_and_answer(&shell, "stairway unlock", 0);
    let first = first.wait(PATIENCE);
    assert_eq!(first.code, 1, "its session was ended: {first}");
    application.execute("COMMIT");
    assert!(database.try_rows("SELECT * FROM project_members").is_err());
    shell.prepare("stairway upgrade");
}

pub(super) fn backup_failed(section: &mut Section, database: &TestDatabase) {
    let shell = Shell::on(database);
    // An SQLite file that does not exist yet has nothing to lose.
    shell.prepare("stairway upgrade +1");
    let failing = Shell::on(database).env("MIGRATION_BACKUP_DIRECTORY", "/proc/backups");
    section.run(&failing, "stairway upgrade --backup", 1);
    let status = shell.prepare("stairway status");
    assert!(status.stdout.contains("Applied   1 of 27"), "{status}");
    section.run(&shell, "stairway backup --directory /backups", 0);
    assert_eq!(shell.backups(), 1);
    let without = shell.env("MIGRATION_CREATE_BACKUP", "true");
    section.run(&without, "stairway upgrade --backup=false", 0);
    assert_eq!(without.backups(), 1);
    without.prepare("stairway status --exit-code");
}

pub(super) fn step_failed_on_postgres(section: &mut Section, database: &TestDatabase) {
    let shell = Shell::on(database);
    shell.prepare("stairway upgrade +2");
    database.execute("CREATE TABLE projects (id int)");
    section.run(&shell, "stairway upgrade", 1);
    let target = "m20260105_093000";
    section.run(&shell, &format!("stairway downgrade {target} --dry-run"), 0);
    section.run_and_answer(&shell, &format!("stairway downgrade {target} --backup"), 0);
    let status = shell.prepare("stairway status").stdout;
    assert!(status.contains(&format!("Current   {target}")), "{status}");
    // With the cause gone the same command goes on.
    database.execute("DROP TABLE projects");
    shell.prepare("stairway upgrade");
}

#[test]
fn a_step_that_fails_leaves_nothing_and_says_what_to_do_on_every_database() {
    on_each_backend(|database| {
        let shell = Shell::on(&database);
        shell.prepare("stairway upgrade +2");
        database.execute("CREATE TABLE projects (id int)");
        let run = shell.program("stairway upgrade").run();
        assert_eq!(run.code, 1, "{run}");
        let page = read("docs/operations/runbook.md");
        for piece in [
            "error: upgrade of m20260108_110000_create_projects on ",
            "  left of it   nothing\n  done before  m20260106_100000_create_api_keys",
            "hint: correct m20260108_110000_create_projects and run the same command again",
        ] {
            assert!(page.contains(piece), "the runbook does not show: {piece}");
            assert!(run.stdout.contains(piece), "{piece} is not printed: {run}");
        }
        database.execute("DROP TABLE projects");
        shell.prepare("stairway upgrade");
    });
}

pub(super) fn step_failed_on_mysql(section: &mut Section, database: &TestDatabase) {
    Shell::on(database).prepare("stairway upgrade m20260202");
    let user = User::who_reads(database).expect("MariaDB has users");
    user.grant("INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, REFERENCES");
    let shell = Shell::at(user.url())
        .called(user.name(), "shop")
        .called(database.name(), "shop");
    section.run(&shell, "stairway upgrade", 1);
    user.grant("INDEX");
    section.run(&shell, "stairway upgrade", 0);
    shell.prepare("stairway status --exit-code");
}

pub(super) fn pooler(section: &mut Section, database: &TestDatabase) {
    if !has_programs(&["pgbouncer"]) {
        section.leave_out_the_rest();
        return;
    }
    let server = ServerUrl::parse(database.url()).expect("the harness makes good URLs");
    let options = ServerOptions::new().setting("default_pool_size", "5");
    let pooler = pgbouncer::start(&server, &options).expect("PgBouncer starts");
    let through = pooler.url().with_database(database.name()).reveal();
    section.run(&Shell::at(&through), "stairway upgrade +1", 0);
}
