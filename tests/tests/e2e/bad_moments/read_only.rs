//! Standbys, replicas, read-only users and files, and proxies that send reads elsewhere.

use std::collections::BTreeSet;
use std::process::Command;

use stairway_tests::servers::{ServerOptions, ServerUrl, postgres};
use stairway_tests::{
    Backend, Proxy, Session, SmallDisk, TestDatabase, Verdict, available_backends, has_programs,
    wait_until,
};

use super::scenario::{DEADLINE, Scenario, expect_shop, first_database, own_server, shop, texts};
use crate::calls::expect_words;

#[test]
fn a_streaming_standby_is_recognised_and_read_and_nothing_is_written() {
    let Some(primary) = own_server(Backend::Postgres, &ServerOptions::new()) else {
        return;
    };
    if !has_programs(&["pg_basebackup"]) {
        return;
    }
    let standby =
        postgres::start_standby(primary.url(), &ServerOptions::new()).expect("the standby starts");
    let database = TestDatabase::create_on(Backend::Postgres, primary.url());
    let on_primary = Scenario::new(database.url(), &shop()[..1]);
    on_primary.call(0, "upgrade");
    let url = standby.url().with_database(database.name()).reveal();
    wait_until("the standby has the first revision", DEADLINE, || {
        Session::try_open(Backend::Postgres, &url)
            .and_then(|mut session| session.try_rows("SELECT version FROM seaql_migrations"))
            .is_ok_and(|rows| rows == texts(&[&["m1_evidence"]]))
    });
    // Nothing to do is nothing to do on a standby too.
    let on_standby = on_primary.at(&url);
    on_standby.call(0, "upgrade");
    assert_eq!(on_standby.state(), "up_to_date");

    on_primary.write(&shop());
    let on_standby = on_primary.at(&url);
    assert_eq!(on_standby.state(), "behind");
    for line in ["upgrade", "run"] {
        let run = on_standby.call(1, line);
        expect_words(
            &run,
            &[
                "read-only standby",
                "nothing was done",
                "use the primary's URL",
            ],
        );
    }

    // A proxy that sends reads to the standby and writes to the primary.
    let proxy = splitting(Backend::Postgres, database.url(), standby.url());
    let run = on_primary.at(&proxy.url()).call(1, "upgrade");
    expect_words(
        &run,
        &["proxy", "nothing was done", "use the primary's URL"],
    );
    assert_eq!(on_primary.state(), "behind");

    on_primary.call(0, "upgrade");
    expect_shop(&database, &on_primary);
}

/// A proxy that sends reads outside of transactions to the other server.
fn splitting(backend: Backend, url: &str, other: &ServerUrl) -> Proxy {
    let proxy = Proxy::in_front_of(backend, url, Some(other));
    let mut in_transaction = BTreeSet::new();
    let mut skipped = BTreeSet::new();
    proxy.judge(move |message| {
        if message.text.contains("BEGIN") {
            in_transaction.insert(message.connection);
        }
        if message.text.contains("COMMIT") || message.text.contains("ROLLBACK") {
            in_transaction.remove(&message.connection);
            return Verdict::Pass;
        }
        // The first messages log in, to both.
        let is_login = skipped.insert((message.connection, 0));
        let reads = message.text.contains("SELECT") && !message.text.contains("SET ");
        if !is_login && reads && !in_transaction.contains(&message.connection) {
            Verdict::PassToOther
        } else {
            Verdict::Pass
        }
    });
    proxy
}

#[test]
fn a_proxy_that_sends_mariadb_s_reads_to_another_server_is_recognised() {
    let Some(other) = own_server(
        Backend::MySql,
        &ServerOptions::new().setting("server-id", "77"),
    ) else {
        return;
    };
    let Some(main) = own_server(Backend::MySql, &ServerOptions::new()) else {
        return;
    };
    let name = first_database(Backend::MySql);
    let url = main.url().with_database(name).reveal();
    let direct = Scenario::new(&url, &shop());
    let proxy = splitting(Backend::MySql, &url, other.url());
    let run = direct.at(&proxy.url()).call(1, "upgrade");
    expect_words(
        &run,
        &[
            "a proxy on the way sends what only reads to another server",
            "nothing was done",
        ],
    );
    assert_eq!(direct.state(), "empty");
    // One that is read-only says so itself.
    let mut session = Session::try_open(Backend::MySql, &other.url().with_database(name).reveal())
        .expect("it is there");
    session.execute("SET GLOBAL read_only = ON");
    let run = direct.at(&proxy.url()).call(1, "upgrade");
    expect_words(&run, &["read_only is on", "nothing was done"]);
    direct.call(0, "upgrade");
}

#[test]
fn a_server_that_lets_nobody_write_is_recognised() {
    // PostgreSQL: a user or a database whose transactions are read-only.
    if available_backends().contains(&Backend::Postgres) {
        let database = TestDatabase::create(Backend::Postgres);
        database.execute(&format!(
            "ALTER DATABASE {} SET default_transaction_read_only = on",
            database.name()
        ));
        let scenario = Scenario::new(database.url(), &shop());
        let run = scenario.call(1, "upgrade");
        expect_words(
            &run,
            &[
                "read-only",
                "default_transaction_read_only",
                "nothing was done",
            ],
        );
        let mut session = database.session();
        session.execute("SET default_transaction_read_only = off");
        session.execute(&format!(
            "ALTER DATABASE {} RESET default_transaction_read_only",
            database.name()
        ));
        scenario.call(0, "upgrade");
        expect_shop(&database, &scenario);
    }
    // MariaDB: a replica, and a user who may not write to it all the same.
    if let Some(server) = own_server(Backend::MySql, &ServerOptions::new()) {
        let database = TestDatabase::create_on(Backend::MySql, server.url());
        database.execute(&format!(
            "CREATE USER app IDENTIFIED BY ''; GRANT ALL ON {}.* TO app",
            database.name()
        ));
        let url = ServerUrl::parse(database.url()).expect("a good URL");
        let scenario = Scenario::new(&url.with_user("app", None).reveal(), &shop());
        database.execute("SET GLOBAL read_only = ON");
        let run = scenario.call(1, "upgrade");
        expect_words(
            &run,
            &[
                "read-only replica",
                "nothing was done",
                "use the primary's URL",
            ],
        );
        // A server that becomes one in the middle: a failover.
        database.execute("SET GLOBAL read_only = OFF");
        let go = scenario.file("go");
        let mut revisions = shop();
        revisions[1]["up"]
            .as_array_mut()
            .expect("a list")
            .insert(2, serde_json::json!({ "wait_for": go }));
        scenario.write(&revisions);
        let run = scenario.spawn("upgrade -v");
        wait_until("the second revision is under way", DEADLINE, || {
            run.stderr().contains("note varchar(20)")
        });
        database.execute("SET GLOBAL read_only = ON");
        std::fs::write(&go, "").expect("a file can be written");
        let run = run.wait(DEADLINE);
        assert_eq!(run.code, 1, "{run}");
        expect_words(
            &run,
            &[
                "m2_counted",
                "read-only",
                "use the primary's URL",
                "done and recorded",
            ],
        );
        database.execute("SET GLOBAL read_only = OFF");
        scenario.call(0, "upgrade");
        expect_shop(&database, &scenario);
    }
}

#[test]
fn an_sqlite_file_that_can_t_be_written_is_recognised() {
    if !available_backends().contains(&Backend::Sqlite) {
        return;
    }
    let Some(disk) = SmallDisk::mount(4096, None) else {
        return;
    };
    let url = format!("sqlite://{}?mode=rwc", disk.path().join("app.db").display());
    let scenario = Scenario::new(&url, &shop()[..1]);
    scenario.call(0, "upgrade");
    scenario.write(&shop());
    let remount = |how: &str| {
        let done = Command::new("mount")
            .args(["-o", how])
            .arg(disk.path())
            .status();
        assert!(done.is_ok_and(|status| status.success()), "{how}");
    };
    remount("remount,ro");
    assert_eq!(scenario.state(), "behind", "it can be read");
    let run = scenario.call(1, "upgrade");
    expect_words(&run, &["app.db.lock", "read-only disk"]);
    remount("remount,rw");
    // A URL that says so.
    let run = scenario
        .at(&url.replace("mode=rwc", "mode=ro"))
        .call(1, "upgrade");
    expect_words(&run, &["read-only"]);
    scenario.call(0, "upgrade");
    assert_eq!(scenario.state(), "up_to_date");
}
