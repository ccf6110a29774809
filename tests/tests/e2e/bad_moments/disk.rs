//! A disk that is full in the middle of a step, and has room again afterwards.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::Value;
use stairway_tests::servers::ServerOptions;
use stairway_tests::{Backend, SmallDisk, TestDatabase, available_backends};

use super::scenario::{Scenario, own_server, revision, texts};
use crate::calls::expect_words;

/// Two revisions; the second fills a table with this many rows of a kilobyte.
fn heavy(backend: Backend, rows: u32) -> Vec<Value> {
    let text = match backend {
        // PostgreSQL would compress one letter repeated.
        Backend::Postgres => {
            "(SELECT string_agg(md5(random()::text), '') FROM generate_series(1, 32) WHERE s.i > 0)"
        }
        Backend::MySql => "REPEAT(MD5(RAND()), 32)",
        Backend::Sqlite => "hex(randomblob(512))",
    };
    let fill = match backend {
        Backend::Postgres => {
            format!("INSERT INTO heavy SELECT i, {text} FROM generate_series(1, {rows}) s(i)")
        }
        Backend::MySql => {
            format!("INSERT INTO heavy SELECT seq, {text} FROM seq_1_to_{rows}")
        }
        Backend::Sqlite => format!(
            "INSERT INTO heavy WITH RECURSIVE s(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM s WHERE i < {rows}) \
             SELECT i, {text} FROM s"
        ),
    };
    vec![
        revision(
            "m1_evidence",
            ["CREATE TABLE evidence (what varchar(50) NOT NULL)"],
        ),
        revision(
            "m2_heavy",
            [
                "CREATE TABLE heavy (id int PRIMARY KEY, filling text NOT NULL)",
                "INSERT INTO evidence VALUES ('before')",
                fill.as_str(),
                "INSERT INTO evidence VALUES ('after')",
            ],
        ),
    ]
}

/// Runs until the disk is full, reads what is said, makes room and runs again.
#[track_caller]
fn fill_up(
    database: &Scenario,
    backend: Backend,
    disk: &SmallDisk,
    rows: u32,
    rows_of: impl Fn(&str) -> stairway_tests::Rows,
) {
    let revisions = heavy(backend, rows);
    database.write(&revisions[..1]);
    database.call(0, "upgrade");
    database.write(&revisions);
    disk.fill_but(u64::from(rows) * 512);
    let run = database.call(1, "upgrade");
    let left = "left of it   nothing";
    expect_words(
        &run,
        &[
            "m2_heavy",
            "disk full",
            left,
            "make room on the database's disk, then run the same command again",
        ],
    );
    // Looking needs no room.
    assert_eq!(database.state(), "behind");
    disk.make_room();
    database.call(0, "upgrade");
    assert_eq!(
        rows_of("SELECT what FROM evidence ORDER BY what"),
        texts(&[&["after"], &["before"]])
    );
    assert_eq!(
        rows_of("SELECT count(*) FROM heavy"),
        texts(&[&[&rows.to_string()]])
    );
    assert!(
        database
            .succeeded("upgrade")
            .values()
            .all(|times| *times == 1)
    );
}

#[test]
fn a_full_disk_under_an_sqlite_file_is_named_and_a_rerun_with_room_finishes() {
    if !available_backends().contains(&Backend::Sqlite) {
        return;
    }
    for journal in ["delete", "wal"] {
        let Some(disk) = SmallDisk::mount(4096, None) else {
            return;
        };
        let url = format!("sqlite://{}?mode=rwc", disk.path().join("app.db").display());
        let look = |sql: &str| {
            stairway_tests::Session::try_open(Backend::Sqlite, &url)
                .expect("it can be opened")
                .rows(sql)
        };
        look(&format!("PRAGMA journal_mode = {journal}"));
        let scenario = Scenario::new(&url, &[]);
        fill_up(&scenario, Backend::Sqlite, &disk, 600, look);
    }
}

#[test]
fn a_full_disk_under_postgresql_is_named_and_a_rerun_with_room_finishes() {
    let Some(server) = own_server(Backend::Postgres, &ServerOptions::new()) else {
        return;
    };
    let Some(disk) = SmallDisk::mount(32 * 1024, Some("postgres")) else {
        return;
    };
    // The server goes through the test's directory to get there.
    let place = disk.path().display().to_string();
    let home = TestDatabase::create_on(Backend::Postgres, server.url());
    home.execute(&format!("CREATE TABLESPACE small LOCATION '{place}'"));
    home.execute(&format!(
        "ALTER DATABASE {} SET default_tablespace = small",
        home.name()
    ));
    let scenario = Scenario::new(home.url(), &[]);
    fill_up(&scenario, Backend::Postgres, &disk, 4000, |sql| {
        home.rows(sql)
    });
    // The tablespace goes before its disk does.
    for table in [
        "heavy",
        "evidence",
        "seaql_migrations",
        "stairway_ledger",
        "stairway_audit",
        "stairway_journal",
        "stairway_lease",
        "stairway_layout",
    ] {
        home.execute(&format!("DROP TABLE {table}"));
    }
}

#[test]
fn a_full_disk_under_mariadb_is_named_and_a_rerun_with_room_finishes() {
    let Some(mut server) = own_server(Backend::MySql, &ServerOptions::new().durable()) else {
        return;
    };
    let Some(disk) = SmallDisk::mount(48 * 1024, Some("mysql")) else {
        return;
    };
    let database = TestDatabase::create_on(Backend::MySql, server.url());
    // The whole database lives on the small disk.
    let home = server.directory().join("data").join(database.name());
    move_directory(&home, &disk.path().join("database"));
    let rows = 8000;
    let revisions = heavy(Backend::MySql, rows);
    let scenario =
        Scenario::new(database.url(), &revisions[..1]).with("MIGRATION_WAIT_TIMEOUT", "1s");
    scenario.call(0, "upgrade");
    scenario.write(&revisions);

    // No room for a table.
    disk.fill_but(0);
    let run = scenario.call(1, "upgrade");
    expect_words(
        &run,
        &[
            "m2_heavy",
            "disk full",
            "CREATE TABLE heavy",
            "left of it   nothing",
            "make room on the database's disk, then run the same command again",
        ],
    );
    disk.make_room();

    // No room for its rows. The server may say so, or give up itself when it has no room to roll them
    // back: MariaDB 10.11 does.
    disk.fill_but(u64::from(rows) * 512);
    let run = scenario.program("upgrade").run();
    expect_words(
        &run,
        &[
            "m2_heavy",
            "INSERT INTO heavy",
            "run the same command again",
        ],
    );
    match run.code {
        1 => expect_words(&run, &["disk full", "done and recorded"]),
        5 => {
            expect_words(&run, &["connection lost", "could not be reached within"]);
            disk.make_room();
            server.restart_ended().expect("it starts");
        }
        code => panic!("exit code {code}: {run}"),
    }
    if run.code == 1 {
        disk.make_room();
    }
    scenario.call(0, "upgrade");
    assert_eq!(
        database.rows("SELECT what FROM evidence ORDER BY what"),
        texts(&[&["after"], &["before"]])
    );
    assert_eq!(
        database.rows("SELECT count(*) FROM heavy"),
        texts(&[&[&rows.to_string()]])
    );
    assert!(
        scenario
            .succeeded("upgrade")
            .values()
            .all(|times| *times == 1)
    );
}

/// Moves an almost empty directory of the server to another disk, and leaves a link.
fn move_directory(from: &Path, to: &Path) {
    fs::create_dir(to).expect("a directory can be made");
    let owner = fs::metadata(from).expect("it is there");
    let own = |path: &Path| {
        use std::os::unix::fs::{MetadataExt, chown};
        chown(path, Some(owner.uid()), Some(owner.gid())).expect("root may do so");
    };
    for entry in fs::read_dir(from).expect("it can be read").flatten() {
        let copy = to.join(entry.file_name());
        fs::copy(entry.path(), &copy).expect("it can be copied");
        own(&copy);
    }
    fs::set_permissions(to, fs::Permissions::from_mode(0o700)).expect("it is ours");
    own(to);
    fs::remove_dir_all(from).expect("it can be removed");
    symlink(to, from).expect("a link can be made");
}
