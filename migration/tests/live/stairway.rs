//! The same migrations run by Stairway, and beside plain sea-orm-migration on the same database.

use std::sync::Arc;
use std::time::Duration;

use sea_orm::{ConnectionTrait, Statement};
use stairway_core::plan::event::EventKind;
use stairway_core::plan::plan::Direction;
use stairway_core::plan::position::DatabaseState;
use stairway_core::plan::revision::RevisionId;
use stairway_core::{
    Config, Error, EventLog, Manager, MigrationSet, Project, Remains, RepairAction, RunOptions,
};
use stairway_migration::{Migrator, MigratorTrait, Revisions};

use crate::catalogue;
use crate::database::{TestDatabase, TestResult};
use crate::synthetic::{Action, Migrations};

crate::on_each_database!(
    up_down_and_up_again_leave_what_plain_migrations_make,
    a_database_of_plain_sea_orm_is_adopted_and_one_of_stairway_understood,
    reading_makes_nothing,
    a_dry_run_shows_the_sql_and_changes_nothing,
    a_failing_revision_stops_the_run_and_leaves_a_state_that_is_told_rightly,
    a_panic_is_an_error_and_the_lock_is_free_afterwards,
    the_database_ahead_is_no_reason_not_to_start,
    a_diverged_database_is_refused_with_both_lists_unless_allowed,
    a_late_revision_is_applied_with_a_notice_or_refused,
    an_edited_revision_is_found_and_the_clock_is_no_edit,
    a_downgrade_follows_what_was_applied,
    stamping_records_without_running,
    a_backup_is_written_before_an_upgrade_and_without_it_nothing_is_migrated,
    the_application_pool_can_be_lent,
    two_histories_in_one_database_do_not_meet,
    a_session_is_put_back_between_steps,
);

fn manager(database: &TestDatabase, migrations: MigrationSet) -> Manager {
    let mut config = Config::new(database.url()).expect("the test's URL is well-formed");
    config.retry_delay = Duration::from_millis(10);
    Manager::new(migrations, config)
}

fn reference(database: &TestDatabase) -> Manager {
    manager(
        database,
        Revisions::migration_set().expect("the reference application's graph is sound"),
    )
}

fn ids(names: &[&str]) -> Vec<RevisionId> {
    names.iter().map(|name| RevisionId::from(*name)).collect()
}

/// Two tables and a row between them.
fn three() -> Migrations {
    Migrations::default()
        .with(
            "m1_one",
            &["CREATE TABLE one (id integer NOT NULL PRIMARY KEY)"],
            &["DROP TABLE one"],
        )
        .with(
            "m2_two",
            &["CREATE TABLE two (id integer NOT NULL PRIMARY KEY)"],
            &["DROP TABLE two"],
        )
        .with(
            "m3_row",
            &["INSERT INTO one (id) VALUES (7)"],
            &["DELETE FROM one WHERE id = 7"],
        )
}

async fn catalogue_of(database: &TestDatabase) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let db = database.connect().await?;
    let lines = catalogue::read(&db).await?;
    db.close().await?;
    Ok(lines)
}

/// The names of all tables, Stairway's and sea-orm's included.
async fn tables(database: &TestDatabase) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let db = database.connect().await?;
    let query = match db.get_database_backend() {
        sea_orm::DbBackend::Sqlite => {
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        }
        sea_orm::DbBackend::MySql => {
            "SELECT CAST(table_name AS CHAR) AS name FROM information_schema.tables WHERE table_schema = DATABASE()"
        }
        _ => "SELECT CAST(tablename AS text) AS name FROM pg_tables WHERE schemaname = 'public'",
    };
    let rows = db
        .query_all_raw(Statement::from_string(db.get_database_backend(), query))
        .await?;
    let mut names = rows
        .iter()
        .map(|row| row.try_get("", "name"))
        .collect::<Result<Vec<String>, _>>()?;
    names.sort();
    db.close().await?;
    Ok(names)
}

async fn up_down_and_up_again_leave_what_plain_migrations_make(
    database: &TestDatabase,
) -> TestResult {
    let manager = reference(database);
    let report = manager.upgrade_to_head(false).await?;
    assert_eq!(report.steps.len(), Migrator::migrations().len());
    assert!(report.verified);
    let first = catalogue_of(database).await?;
    assert!(first.len() > 100, "the catalogue was read: {first:?}");

    manager.downgrade("base").await?;
    catalogue::assert_same("base", &catalogue_of(database).await?, &[]);
    assert_eq!(
        manager.migration_status().await?.state,
        DatabaseState::Empty
    );

    manager.upgrade("+3").await?;
    manager.upgrade_with_retry("heads").await?;
    catalogue::assert_same("head again", &first, &catalogue_of(database).await?);
    let status = manager.migration_status().await?;
    assert!(status.is_up_to_date, "{status:?}");
    assert_eq!(status.edited_revisions, []);

    let trail = manager.history(500, None, None).await?;
    assert_eq!(trail.len(), 3 * Migrator::migrations().len());
    assert!(
        trail
            .iter()
            .all(|entry| entry.outcome == "succeeded" && entry.started_at.is_some())
    );
    Ok(())
}

async fn a_database_of_plain_sea_orm_is_adopted_and_one_of_stairway_understood(
    database: &TestDatabase,
) -> TestResult {
    Migrator::up(&database.connect().await?, Some(5)).await?;
    let manager = reference(database);
    let status = manager.migration_status().await?;
    assert_eq!(
        (status.state, status.applied_count),
        (DatabaseState::Behind, 5)
    );

    let report = manager.upgrade("+2").await?;
    assert_eq!(report.steps.len(), 2);
    let db = database.connect().await?;
    assert_eq!(Migrator::get_applied_migrations(&db).await?.len(), 7);
    assert_eq!(
        Migrator::get_pending_migrations(&db).await?.len(),
        Migrator::migrations().len() - 7
    );

    Migrator::up(&db, None).await?;
    assert!(manager.migration_status().await?.is_up_to_date);
    // What plain sea-orm applied last is what goes first.
    let last = Migrator::migrations()
        .last()
        .map(|migration| migration.name().to_owned());
    let report = manager.downgrade("-1").await?;
    assert_eq!(
        report.steps.first().map(|step| step.revision.to_string()),
        last
    );
    Migrator::up(&db, None).await?;
    Migrator::down(&db, None).await?;
    assert_eq!(
        manager.migration_status().await?.state,
        DatabaseState::Empty
    );
    Ok(())
}

async fn reading_makes_nothing(database: &TestDatabase) -> TestResult {
    let manager = reference(database);
    manager.migration_status().await?;
    manager.pending_migrations().await?;
    manager.history(10, None, None).await?;
    manager.plan(Direction::Upgrade, "heads").await?;
    manager.offline_sql(Direction::Upgrade, "heads").await?;
    assert_eq!(manager.current_revision().await?, None);
    assert_eq!(manager.lock_holder().await?, None);
    assert!(manager.is_migration_needed().await?);
    assert_eq!(tables(database).await?, [""; 0]);
    Ok(())
}

async fn a_dry_run_shows_the_sql_and_changes_nothing(database: &TestDatabase) -> TestResult {
    let manager = manager(database, three().set());
    let report = manager.upgrade_to_head(true).await?;
    assert!(report.dry_run);
    let sql: Vec<&str> = report
        .steps
        .iter()
        .flat_map(|step| &step.sql)
        .map(String::as_str)
        .collect();
    assert_eq!(
        sql,
        [
            "CREATE TABLE one (id integer NOT NULL PRIMARY KEY)",
            "CREATE TABLE two (id integer NOT NULL PRIMARY KEY)",
            "INSERT INTO one (id) VALUES (7)"
        ]
    );
    assert_eq!(tables(database).await?, [""; 0]);
    Ok(())
}

async fn a_failing_revision_stops_the_run_and_leaves_a_state_that_is_told_rightly(
    database: &TestDatabase,
) -> TestResult {
    let broken = three().with(
        "m4_broken",
        &[
            "CREATE TABLE three (id integer NOT NULL PRIMARY KEY)",
            "INSERT INTO nowhere (id) VALUES (1)",
        ],
        &[],
    );
    let broken = broken.with("m5_never", &["CREATE TABLE four (id integer)"], &[]);
    let manager = manager(database, broken.set());
    let error = manager.upgrade_to_head(false).await.expect_err("m4 fails");
    let Error::Step(failure) = &error else {
        panic!("{error}")
    };
    assert_eq!(failure.revision.as_str(), "m4_broken");
    assert_eq!(
        failure.statement.as_deref(),
        Some("INSERT INTO nowhere (id) VALUES (1)")
    );
    assert_eq!(failure.completed, ids(&["m1_one", "m2_two", "m3_row"]));
    assert!(
        error.to_string().contains("nowhere") && error.hint().is_some(),
        "{error}"
    );

    let status = manager.migration_status().await?;
    assert_eq!(status.pending_migrations, ids(&["m4_broken", "m5_never"]));
    let commits_definitions =
        database.connect().await?.get_database_backend() == sea_orm::DbBackend::MySql;
    if commits_definitions {
        assert_eq!(
            (failure.remains, status.state),
            (Remains::Statements(1), DatabaseState::Interrupted)
        );
        assert_eq!(status.interrupted[0].statements_done, 1);
        // A person takes back by hand what was done, and says so.
        database
            .connect()
            .await?
            .execute_unprepared("DROP TABLE three")
            .await?;
        manager.repair(RepairAction::MarkReverted, None).await?;
        assert_eq!(
            manager.migration_status().await?.state,
            DatabaseState::Behind
        );
    } else {
        assert_eq!(
            (failure.remains, status.state),
            (Remains::Nothing, DatabaseState::Behind)
        );
        assert!(!tables(database).await?.contains(&"three".to_owned()));
    }
    let trail = manager.history(10, None, Some("m4_broken")).await?;
    assert!(
        trail
            .iter()
            .any(|entry| entry.outcome == "failed" && entry.error.is_some()),
        "{trail:?}"
    );
    assert_eq!(manager.lock_holder().await?, None);
    Ok(())
}

async fn a_panic_is_an_error_and_the_lock_is_free_afterwards(
    database: &TestDatabase,
) -> TestResult {
    let panics = three().with_action("m4_panics", Action::Panic, Action::Panic, None);
    let manager = manager(database, panics.set());
    let error = manager.upgrade_to_head(false).await.expect_err("m4 panics");
    assert!(
        error.to_string().contains("the migration's own fault"),
        "{error}"
    );
    assert_eq!(manager.lock_holder().await?, None);
    assert_eq!(manager.pending_migrations().await?, ids(&["m4_panics"]));
    Ok(())
}

async fn the_database_ahead_is_no_reason_not_to_start(database: &TestDatabase) -> TestResult {
    manager(database, three().set())
        .upgrade_to_head(false)
        .await?;
    let older = manager(database, three().first(2).set());
    let status = older.migration_status().await?;
    assert_eq!(status.state, DatabaseState::Ahead);
    assert_eq!(status.unknown_revisions, ids(&["m3_row"]));
    let report = older.auto_migrate(true).await?;
    assert_eq!(report.steps.len(), 0);
    let error = older
        .downgrade("-1")
        .await
        .expect_err("m3 stands in the way");
    assert!(error.to_string().contains("m3_row"), "{error}");
    Ok(())
}

async fn a_diverged_database_is_refused_with_both_lists_unless_allowed(
    database: &TestDatabase,
) -> TestResult {
    manager(database, three().set())
        .upgrade_to_head(false)
        .await?;
    let other = three()
        .first(2)
        .with("m4_other", &["INSERT INTO two (id) VALUES (1)"], &[]);
    let refused = manager(database, other.set());
    assert_eq!(
        refused.migration_status().await?.state,
        DatabaseState::Diverged
    );
    let error = refused
        .upgrade_to_head(false)
        .await
        .expect_err("both lists are told")
        .to_string();
    assert!(
        error.contains("m3_row") && error.contains("m4_other"),
        "{error}"
    );

    let mut config = Config::new(database.url())?;
    config.plan.allow_unknown = true;
    let report = Manager::new(other.set(), config)
        .upgrade_to_head(false)
        .await?;
    assert_eq!(report.steps.len(), 1);
    Ok(())
}

async fn a_late_revision_is_applied_with_a_notice_or_refused(
    database: &TestDatabase,
) -> TestResult {
    let all = three();
    let without_second = Migrations::default()
        .with(
            "m1_one",
            &["CREATE TABLE one (id integer NOT NULL PRIMARY KEY)"],
            &["DROP TABLE one"],
        )
        .with(
            "m3_row",
            &["INSERT INTO one (id) VALUES (7)"],
            &["DELETE FROM one WHERE id = 7"],
        );
    manager(database, without_second.set())
        .upgrade_to_head(false)
        .await?;

    let mut config = Config::new(database.url())?;
    config.plan.strict_order = true;
    let error = Manager::new(all.set(), config)
        .upgrade_to_head(false)
        .await
        .expect_err("out of order");
    assert!(error.to_string().contains("m2_two"), "{error}");

    let log = Arc::new(EventLog::default());
    let manager = manager(database, all.set()).with_observer(log.clone());
    assert_eq!(
        manager.migration_status().await?.out_of_order_revisions,
        ids(&["m2_two"])
    );
    manager.upgrade_to_head(false).await?;
    assert!(
        log.events()
            .iter()
            .any(|event| matches!(event.kind, EventKind::Notice { .. }))
    );
    assert!(manager.migration_status().await?.is_up_to_date);
    Ok(())
}

async fn an_edited_revision_is_found_and_the_clock_is_no_edit(
    database: &TestDatabase,
) -> TestResult {
    let with_clock = |second: &str| {
        Migrations::default()
            .with(
                "m1_one",
                &["CREATE TABLE one (id integer NOT NULL PRIMARY KEY)"],
                &[],
            )
            .with("m2_two", &[second], &[])
            .with_action("m3_clock", Action::Clock, Action::Sql(Vec::new()), None)
    };
    let before = with_clock("CREATE TABLE two (id integer)");
    manager(database, before.set())
        .upgrade_to_head(false)
        .await?;
    let status = manager(database, before.set()).migration_status().await?;
    assert_eq!(status.state, DatabaseState::UpToDate, "{status:?}");

    // Blanks are no edit, a column is.
    let reformatted = with_clock("CREATE  TABLE two\n(id integer)");
    assert_eq!(
        manager(database, reformatted.set())
            .migration_status()
            .await?
            .edited_revisions,
        []
    );
    let status = manager(database, with_clock("CREATE TABLE two (id bigint)").set())
        .migration_status()
        .await?;
    assert_eq!(
        (status.state, status.edited_revisions),
        (DatabaseState::Edited, ids(&["m2_two"]))
    );
    assert_eq!(status.not_comparable_revisions, ids(&["m3_clock"]));
    Ok(())
}

async fn a_downgrade_follows_what_was_applied(database: &TestDatabase) -> TestResult {
    let manager = manager(database, three().set());
    manager.upgrade_to_head(false).await?;
    let report = manager.downgrade("m1_one").await?;
    let order: Vec<&str> = report
        .steps
        .iter()
        .map(|step| step.revision.as_str())
        .collect();
    assert_eq!(order, ["m3_row", "m2_two"]);
    assert_eq!(
        manager.current_revision().await?,
        Some(RevisionId::from("m1_one"))
    );
    let options = RunOptions {
        steps: Some(1),
        ..RunOptions::default()
    };
    let report = manager.run(Direction::Upgrade, "heads", options).await?;
    assert_eq!(report.steps.len(), 1);
    assert_eq!(manager.pending_migrations().await?, ids(&["m3_row"]));
    Ok(())
}

async fn stamping_records_without_running(database: &TestDatabase) -> TestResult {
    let manager = manager(database, three().set());
    let dry = manager.stamp(&["m2_two".to_owned()], false, true).await?;
    assert_eq!(dry.added, ids(&["m1_one", "m2_two"]));
    assert_eq!(tables(database).await?, [""; 0]);

    manager.stamp(&["m2_two".to_owned()], false, false).await?;
    assert!(!tables(database).await?.contains(&"one".to_owned()));
    assert_eq!(manager.pending_migrations().await?, ids(&["m3_row"]));
    let status = manager.migration_status().await?;
    assert_eq!(status.not_comparable_revisions, ids(&["m1_one", "m2_two"]));

    manager.stamp(&["base".to_owned()], false, false).await?;
    assert_eq!(
        manager.migration_status().await?.state,
        DatabaseState::Empty
    );
    let actions: Vec<String> = manager
        .history(10, None, None)
        .await?
        .into_iter()
        .map(|entry| entry.action)
        .collect();
    assert_eq!(actions, ["unstamp", "unstamp", "stamp", "stamp"]);
    Ok(())
}

async fn a_backup_is_written_before_an_upgrade_and_without_it_nothing_is_migrated(
    database: &TestDatabase,
) -> TestResult {
    let directory = tempfile::tempdir()?;
    let mut config = Config::new(database.url())?;
    config.backup_before_upgrade = true;
    config.backup_directory = directory.path().join("kept");
    let report = Manager::new(three().set(), config.clone())
        .upgrade("m2_two")
        .await?;
    let backup = report.backup.ok_or("a backup was asked for")?;
    assert!(std::fs::metadata(&backup)?.len() > 0);

    // A file where the directory should be.
    config.backup_directory = directory.path().join("blocked");
    std::fs::write(&config.backup_directory, "")?;
    let manager = Manager::new(three().set(), config);
    let error = manager
        .upgrade_to_head(false)
        .await
        .expect_err("no backup can be written");
    assert!(
        error.to_string().contains("nothing was migrated"),
        "{error}"
    );
    assert_eq!(manager.pending_migrations().await?, ids(&["m3_row"]));
    Ok(())
}

async fn the_application_pool_can_be_lent(database: &TestDatabase) -> TestResult {
    let pool = database.connect().await?;
    let manager = Manager::new(three().set(), Config::for_connection(pool.clone()));
    manager.upgrade_to_head(false).await?;
    assert!(manager.migration_status().await?.is_up_to_date);
    // The pool is as usable as before, with its own settings.
    pool.execute_unprepared("INSERT INTO two (id) VALUES (1)")
        .await?;
    manager.downgrade("base").await?;
    pool.close().await?;
    Ok(())
}

async fn two_histories_in_one_database_do_not_meet(database: &TestDatabase) -> TestResult {
    let of = |table: &str, migrations: &Migrations| {
        let mut config = Config::new(database.url()).expect("the test's URL is well-formed");
        config.history_table = Some(table.to_owned());
        Manager::new(migrations.set(), config)
    };
    let shop = Migrations::default().with(
        "m1_shop",
        &["CREATE TABLE shop (id integer)"],
        &["DROP TABLE shop"],
    );
    let stock = Migrations::default().with(
        "m1_stock",
        &["CREATE TABLE stock (id integer)"],
        &["DROP TABLE stock"],
    );
    let (shop, stock) = (of("shop_migrations", &shop), of("stock_migrations", &stock));
    let (one, other) = tokio::join!(shop.upgrade_to_head(false), stock.upgrade_to_head(false));
    assert_eq!((one?.steps.len(), other?.steps.len()), (1, 1));
    assert!(
        shop.migration_status().await?.is_up_to_date
            && stock.migration_status().await?.is_up_to_date
    );
    assert_eq!(shop.history(10, None, None).await?.len(), 1);
    shop.downgrade("base").await?;
    assert!(stock.migration_status().await?.is_up_to_date);
    Ok(())
}

async fn a_session_is_put_back_between_steps(database: &TestDatabase) -> TestResult {
    let backend = database.connect().await?.get_database_backend();
    let (change, check) = match backend {
        // With the setting still on, the second revision's table would be made elsewhere.
        sea_orm::DbBackend::Postgres => (
            vec!["CREATE SCHEMA elsewhere", "SET search_path = elsewhere"],
            "SELECT CAST(COUNT(*) AS bigint) AS found FROM pg_tables WHERE schemaname = 'public' AND tablename = 'late'",
        ),
        sea_orm::DbBackend::MySql => (
            vec!["SET SESSION sql_mode = 'ANSI_QUOTES'"],
            "SELECT CAST(COUNT(*) AS SIGNED) AS found FROM information_schema.tables \
             WHERE table_schema = DATABASE() AND table_name = 'late'",
        ),
        _ => (
            vec!["PRAGMA foreign_keys = OFF"],
            "SELECT COUNT(*) AS found FROM sqlite_master WHERE name = 'late'",
        ),
    };
    let second = match backend {
        // A string in double quotes is a name in that mode.
        sea_orm::DbBackend::MySql => "CREATE TABLE late (word varchar(9) DEFAULT \"word\")",
        _ => "CREATE TABLE late (word varchar(9))",
    };
    let migrations = Migrations::default()
        .without_transaction("m1_changes", &change)
        .with("m2_late", &[second], &[]);
    manager(database, migrations.set())
        .upgrade_to_head(false)
        .await?;
    let db = database.connect().await?;
    let row = db
        .query_one_raw(Statement::from_string(backend, check))
        .await?
        .ok_or("a count")?;
    assert_eq!(row.try_get::<i64>("", "found")?, 1);
    Ok(())
}
