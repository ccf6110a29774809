//! Servers of a test's own: they die, freeze and come back when the test says so, and leave nothing.

use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use stairway_tests::servers::{
    Server, ServerOptions, ServerUrl, mariadb, pgbouncer, postgres, process,
};
use stairway_tests::{Backend, Session, available_backends, has_programs, wait_until};

const DEADLINE: Duration = Duration::from_mins(1);

/// Starts a server of each kind that this run tests and has installed.
fn each_server(options: &ServerOptions, test: impl Fn(Backend, Server) + Sync) {
    let backends = available_backends();
    thread::scope(|scope| {
        if backends.contains(&Backend::Postgres) && has_programs(&["initdb"]) {
            scope.spawn(|| {
                let server = postgres::start(options).expect("PostgreSQL starts");
                test(Backend::Postgres, server);
            });
        }
        if backends.contains(&Backend::MySql) && has_programs(&["mariadbd", "mariadb-install-db"]) {
            scope.spawn(|| {
                let server = mariadb::start(options).expect("MariaDB starts");
                test(Backend::MySql, server);
            });
        }
    });
}

fn database(backend: Backend) -> &'static str {
    match backend {
        Backend::Sqlite => "main",
        Backend::Postgres => "postgres",
        Backend::MySql => "test",
    }
}

fn connect(backend: Backend, url: &ServerUrl) -> sqlx::Result<Session> {
    Session::try_open(backend, &url.with_database(database(backend)).reveal())
}

fn pid(server: &Server) -> u32 {
    server.pid().expect("the server is running")
}

#[test]
fn a_durable_server_keeps_what_was_committed_when_it_is_killed_and_started_again() {
    each_server(&ServerOptions::new().durable(), |backend, mut server| {
        let mut session = connect(backend, server.url()).expect("the server is ready");
        session.execute("CREATE TABLE kept (id int)");
        session.execute("INSERT INTO kept VALUES (7)");
        let processes = process::tree(pid(&server));

        server.kill().expect("the server is running");
        assert_eq!(
            process::running(&processes),
            [0; 0],
            "processes of {backend} survive it"
        );
        assert_eq!(server.pid(), None);
        assert!(
            session.try_rows("SELECT 1").is_err(),
            "{backend} answers after its death"
        );
        assert!(
            connect(backend, server.url()).is_err(),
            "{backend} is there after its death"
        );
        assert!(server.kill().is_err(), "it can't be killed twice");

        server.start_again().expect("the data is in order");
        let mut session = connect(backend, server.url()).expect("on the same port");
        assert_eq!(
            session.rows("SELECT id FROM kept"),
            [[Some("7".to_owned())]]
        );
    });
}

#[test]
fn a_restarted_server_is_another_process_with_the_same_data() {
    each_server(&ServerOptions::new(), |backend, mut server| {
        let mut session = connect(backend, server.url()).expect("the server is ready");
        session.execute("CREATE TABLE kept (id int)");
        let before = pid(&server);
        // The open session must not keep the server from ending.
        server.restart().expect("the server stops and starts");
        assert_ne!(pid(&server), before);
        let mut session = connect(backend, server.url()).expect("on the same port");
        session.execute("SELECT id FROM kept");
    });
}

#[test]
fn a_frozen_server_does_not_answer_until_it_is_thawed() {
    each_server(&ServerOptions::new(), |backend, server| {
        let mut session = connect(backend, server.url()).expect("the server is ready");
        server.freeze().expect("the server is running");
        let (send, answer) = mpsc::channel();
        let asking = thread::spawn(move || send.send(session.try_rows("SELECT 1").is_ok()));
        let waited = answer.recv_timeout(Duration::from_millis(300));
        assert_eq!(
            waited,
            Err(mpsc::RecvTimeoutError::Timeout),
            "{backend} answers while frozen"
        );
        server.thaw().expect("the server is running");
        assert_eq!(
            answer.recv_timeout(DEADLINE),
            Ok(true),
            "{backend} does not go on"
        );
        assert!(asking.join().is_ok());
    });
}

#[test]
fn nothing_is_left_of_a_server_that_is_dropped_even_when_it_is_frozen() {
    each_server(&ServerOptions::new(), |backend, server| {
        let directory = server.directory().to_owned();
        let processes = process::tree(pid(&server));
        assert!(directory.exists());
        server.freeze().expect("the server is running");
        drop(server);
        assert!(
            !directory.exists(),
            "{} of {backend} is left",
            directory.display()
        );
        wait_until("its processes have ended", DEADLINE, || {
            process::running(&processes).is_empty()
        });
    });
}

#[test]
fn a_server_with_a_password_refuses_a_wrong_one() {
    let password = "it's \"secret\" & 100%";
    each_server(
        &ServerOptions::new().password(password),
        |backend, server| {
            assert!(!server.url().to_string().contains("secret"));
            let user = server.url().user();
            connect(backend, server.url()).expect("the URL has the password");
            let wrong = server.url().with_user(&user, Some("wrong"));
            let error = connect(backend, &wrong)
                .expect_err("the password is wrong")
                .to_string();
            assert!(error.contains("password"), "{error}");
            assert!(connect(backend, &server.url().with_user(&user, None)).is_err());
        },
    );
}

#[test]
fn a_setting_of_the_test_wins_over_the_usual_one() {
    let options = ServerOptions::new().setting("max_connections", "17");
    each_server(&options, |backend, server| {
        let mut session = connect(backend, server.url()).expect("the server is ready");
        let rows = match backend {
            Backend::Postgres => session.rows("SELECT current_setting('max_connections')"),
            Backend::MySql => session.rows("SELECT @@max_connections"),
            Backend::Sqlite => panic!("SQLite has no server"),
        };
        assert_eq!(rows, [[Some("17".to_owned())]]);
    });
}

#[test]
fn a_server_that_ends_at_once_is_an_error_with_its_log() {
    each_server(&ServerOptions::new(), |_, mut server| {
        server.stop().expect("the server is running");
        // Without the data there is nothing to start on.
        std::fs::remove_dir_all(server.directory().join("data")).expect("the data is there");
        let error = server
            .start_again()
            .expect_err("the data is gone")
            .to_string();
        assert!(error.contains("data"), "{error}");
        assert_eq!(server.pid(), None);
    });
}

#[test]
fn clients_of_a_pooler_in_transaction_mode_share_a_session_of_the_server() {
    if !available_backends().contains(&Backend::Postgres) || !has_programs(&["initdb", "pgbouncer"])
    {
        return;
    }
    let options = ServerOptions::new().password("secret");
    let server = postgres::start(&options).expect("PostgreSQL starts");
    let options = options.setting("default_pool_size", "1");
    let mut pooler = pgbouncer::start(server.url(), &options).expect("PgBouncer starts");

    let mut one = connect(Backend::Postgres, pooler.url()).expect("the pooler is ready");
    let mut other = connect(Backend::Postgres, pooler.url()).expect("the pooler is ready");
    let session = "SELECT pg_backend_pid()";
    assert_eq!(one.rows(session), other.rows(session));

    pooler.restart().expect("the pooler stops and starts");
    assert!(one.try_rows(session).is_err());
    connect(Backend::Postgres, pooler.url())
        .expect("the pooler is ready")
        .execute(session);
}
