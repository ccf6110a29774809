//! The password is nowhere: in no output, log, row or command line, whatever goes wrong.

use std::fs;
use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use serde_json::json;
use stairway_tests::servers::process::Signal;
use stairway_tests::servers::{Server, ServerOptions};
use stairway_tests::{Backend, Finished, Program, TestDatabase, stairway_server, wait_until};

use super::scenario::{DEADLINE, Scenario, own_server, revision, shop};
use crate::calls::SECRET;

/// What every password of these tests holds. No encoding changes it but one that changes letters.
const CORE: &str = SECRET;

/// A password with what must be escaped somewhere.
const PASSWORD: &str = "p@s:w/?#%&='\"\\ é+hunter2swordfish;--";

/// Servers that ask for the password.
fn servers() -> impl Iterator<Item = (Backend, Server)> {
    [Backend::Postgres, Backend::MySql]
        .into_iter()
        .filter_map(|backend| {
            let server = own_server(backend, &ServerOptions::new().password(PASSWORD))?;
            Some((backend, server))
        })
}

/// The forms in which the password could be written.
fn forms() -> Vec<String> {
    let each = |form: fn(u8) -> String| CORE.bytes().map(form).collect::<Vec<_>>().concat();
    let percent = each(|byte| format!("%{byte:02X}"));
    let hexadecimal = each(|byte| format!("{byte:02x}"));
    vec![CORE.to_owned(), percent, hexadecimal]
}

#[track_caller]
fn expect_clean(what: &str, text: &str) {
    for form in forms() {
        assert!(
            !text.to_lowercase().contains(&form.to_lowercase()),
            "{what} gives the password away: {text}"
        );
    }
}

/// Looks into every file below a directory.
fn expect_clean_files(directory: &Path) {
    for entry in fs::read_dir(directory).expect("it can be read").flatten() {
        let path = entry.path();
        if path.is_dir() {
            expect_clean_files(&path);
        } else {
            let content = fs::read(&path).unwrap_or_default();
            expect_clean(
                &path.display().to_string(),
                &String::from_utf8_lossy(&content),
            );
        }
    }
}

/// Every command, in the order in which it makes sense.
const COMMANDS: [&str; 24] = [
    "status",
    "status --exit-code",
    "upgrade --dry-run",
    "upgrade --steps 1",
    "current",
    "heads",
    "branches",
    "history",
    "graph",
    "show m1_evidence",
    "run",
    "log",
    "check",
    "schema inspect",
    "schema diff --from revisions",
    "downgrade -1 --yes",
    "stamp heads",
    "repair",
    "unlock --yes",
    "wait --timeout 1s",
    "backup",
    "upgrade --backup",
    "create something --autogenerate",
    "downgrade base --yes",
];

/// Runs a command with everything that writes anything, and looks into all of it.
#[track_caller]
fn call(scenario: &Scenario, line: &str, output: &str, directory: &Path) -> Finished {
    let log = directory.join("log.jsonl").display().to_string();
    let events = directory.join("events.jsonl").display().to_string();
    let run = scenario
        .program(&format!(
            "-vv --output {output} --log-file {log} --events {events} {line}"
        ))
        .current_dir(directory)
        .env("RUST_BACKTRACE", "1")
        .run();
    expect_clean(&format!("{line} --output {output}"), &run.to_string());
    assert!((0..=5).contains(&run.code), "{line}: {run}");
    run
}

#[test]
fn no_command_shows_the_password_whether_it_succeeds_or_fails() {
    for (backend, server) in servers() {
        let database = TestDatabase::create_on(backend, server.url());
        let directory = tempfile::tempdir().expect("a directory can be made");
        let place = directory.path();
        let (webhook, messages) = receiver();
        let scenario = Scenario::new(database.url(), &shop())
            .with("MIGRATION_WEBHOOK_URL", &webhook)
            .with("MIGRATION_WEBHOOK_ON", "all")
            .with("MIGRATION_WAIT_TIMEOUT", "500ms");
        for output in ["text", "json"] {
            let mut succeeded = 0;
            for line in COMMANDS {
                let run = call(&scenario, line, output, place);
                succeeded += usize::from(run.code == 0);
            }
            assert!(succeeded > 15, "they do something: {succeeded}");
        }
        // Another password, which is a secret as well.
        let wrong = stairway_tests::servers::ServerUrl::parse(database.url()).expect("a good URL");
        let wrong = wrong.with_user(&wrong.user(), Some(&format!("{CORE} that was yesterday's")));
        let refused = scenario.at(&wrong.reveal());
        // Somebody who is not there.
        let absent = scenario.at(&wrong.with_port(1).reveal());
        for line in COMMANDS {
            call(&refused, line, "text", place);
            call(&refused, line, "json", place);
        }
        for line in ["status", "upgrade", "run", "wait --timeout 100ms"] {
            call(&absent, line, "text", place);
            call(&absent, line, "json", place);
        }
        // A migration that puts the URL into what it says.
        for action in [
            json!({ "fail": format!("can't reach {}", database.url()) }),
            json!({ "panic": format!("no {} and no {PASSWORD}", database.url()) }),
            json!({ "panic_in_task": format!("no {}", database.url()) }),
            json!(format!(
                "SELECT nothing FROM nowhere WHERE password = '{CORE}'"
            )),
        ] {
            scenario.write(&[revision("m1_talkative", [action])]);
            let run = call(&scenario, "upgrade", "text", place);
            assert_eq!(run.code, 1, "{run}");
            call(&scenario, "upgrade", "json", place);
            call(&scenario, "log --limit 100", "json", place);
            call(&scenario, "status", "text", place);
        }
        if backend == Backend::MySql {
            call(&scenario, "repair --mark-reverted --yes", "text", place);
        }
        // Users with passwords are made by migrations too.
        let user = format!("{}_u", database.name());
        scenario.write(&[revision(
            "m1_user",
            match backend {
                Backend::Postgres => [
                    format!("CREATE ROLE {user} LOGIN PASSWORD '{CORE}'"),
                    format!("DROP ROLE {user}"),
                ],
                Backend::MySql | Backend::Sqlite => [
                    format!("CREATE USER {user} IDENTIFIED BY '{CORE}'"),
                    format!("DROP USER {user}"),
                ],
            },
        )]);
        let run = call(&scenario, "upgrade", "text", place);
        assert_eq!(run.code, 0, "{run}");
        // What is in the database.
        for table in [
            "seaql_migrations",
            "stairway_ledger",
            "stairway_audit",
            "stairway_journal",
            "stairway_lease",
        ] {
            let rows = database.rows(&format!("SELECT * FROM {table}"));
            expect_clean(table, &format!("{rows:?}"));
        }
        assert!(database.rows("SELECT * FROM stairway_audit").len() > 10);
        // What went to the webhook, and every file: logs, events, backups.
        let told: Vec<String> = messages.try_iter().collect();
        assert!(told.len() > 5, "messages were sent: {}", told.len());
        expect_clean("the webhook", &told.concat());
        assert!(fs::metadata(place.join("log.jsonl")).is_ok_and(|file| file.len() > 1000));
        assert!(fs::metadata(place.join("events.jsonl")).is_ok_and(|file| file.len() > 1000));
        expect_clean_files(place);
    }
}

/// Takes messages and keeps them.
fn receiver() -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("it is bound");
    let (sender, receiver) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            // The head and the body come together or shortly after one another.
            let mut message = Vec::new();
            let mut buffer = [0; 4096];
            while let Ok(length) = stream.read(&mut buffer) {
                message.extend_from_slice(&buffer[..length]);
                let text = String::from_utf8_lossy(&message).to_lowercase();
                let body = text.find("\r\n\r\n").map(|at| at + 4);
                let wanted = text
                    .split("content-length: ")
                    .nth(1)
                    .and_then(|rest| rest.split("\r\n").next()?.parse::<usize>().ok());
                let is_whole = matches!((body, wanted), (Some(body), Some(wanted)) if text.len() >= body + wanted);
                if length == 0 || is_whole {
                    break;
                }
            }
            drop(
                stream.write_all(
                    b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n",
                ),
            );
            if sender
                .send(String::from_utf8_lossy(&message).into_owned())
                .is_err()
            {
                return;
            }
        }
    });
    (format!("http://{address}/hook"), receiver)
}

#[test]
fn no_url_that_can_t_be_used_shows_its_password() {
    let directory = tempfile::tempdir().expect("a directory can be made");
    for url in [
        format!("postgres://app:{CORE}@db:port/shop"),
        format!("postgres://app:{CORE}@[::1/shop"),
        format!("postgres://app:{CORE}"),
        format!("postgres://app:{CORE}@"),
        format!("postgres:app:{CORE}@db/shop"),
        format!("postgres://app:a?{CORE}@127.0.0.1:1/shop"),
        format!("postgres://app:a/{CORE}@127.0.0.1:1/shop"),
        format!("postgres://app:a#{CORE}@127.0.0.1:1/shop"),
        format!("postgres://app:%ff{CORE}@127.0.0.1:1/shop"),
        format!("postgres://127.0.0.1:1/shop?user=app&password={CORE}"),
        format!("postgres://127.0.0.1:1/shop?user=app&passwort={CORE}&pasword={CORE}"),
        format!("postgres://127.0.0.1:1/shop?sslpassword={CORE}"),
        format!("mysql://app:{CORE}@127.0.0.1:1"),
        format!("mysql://app:{CORE}@127.0.0.1:1/shop?ssl-mode=sideways"),
        format!("mysql://app:a/{CORE}@127.0.0.1:1/shop"),
        format!("mysql://app:a?{CORE}@127.0.0.1:1/shop"),
        format!("oracle://app:{CORE}@db/shop"),
        format!("app:{CORE}@db/shop"),
        format!("host=db user=app password={CORE}"),
        format!("jdbc:postgresql://db/shop?user=app&password={CORE}"),
    ] {
        let scenario = Scenario::new(&url, &shop()).with("MIGRATION_WAIT_TIMEOUT", "10ms");
        for line in ["status", "upgrade", "check"] {
            for output in ["text", "json"] {
                let run = call(&scenario, line, output, directory.path());
                assert_ne!(run.code, 0, "{url}: {run}");
            }
        }
        // As an argument, in the place of one, and in a file of settings.
        for arguments in [
            vec!["--database-url", url.as_str(), "status"],
            vec!["status", url.as_str()],
            vec![url.as_str()],
            vec!["--database", url.as_str(), "status"],
            vec!["upgrade", url.as_str()],
        ] {
            let run = Program::workspace("stairway").args(&arguments).run();
            expect_clean(&format!("{arguments:?}")[..10], &run.to_string());
        }
        let settings = tempfile::tempdir().expect("a directory can be made");
        for text in [
            format!("database_url = {url:?}\n"),
            format!("[databases.shop]\nurl = {url:?}\n"),
            format!("[databases.shop]\nurl = \"{CORE}\n"),
            format!("[databases.shop]\nurl_env = {url:?}\n"),
            format!("wait_timeout = {url:?}\n"),
        ] {
            let path = settings.path().join("stairway.toml");
            fs::write(&path, text).expect("a file can be written");
            let run = Program::workspace("stairway")
                .args(["--config", &path.display().to_string(), "-vv", "status"])
                .run();
            expect_clean("stairway.toml", &run.to_string());
        }
        let run = stairway_server()
            .args(["--listen", "127.0.0.1:0"])
            .env("DATABASE_URL", &url)
            .env("MIGRATION_WAIT_TIMEOUT", "10ms")
            .run();
        expect_clean("stairway-server", &run.to_string());
    }
    expect_clean_files(directory.path());
}

/// The command lines of all processes that can be seen, but for those of tests.
fn command_lines() -> Vec<String> {
    fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| {
            let name = entry.file_name();
            name.to_string_lossy()
                .bytes()
                .all(|byte| byte.is_ascii_digit())
        })
        .filter_map(|entry| fs::read(entry.path().join("cmdline")).ok())
        .map(|line| String::from_utf8_lossy(&line).replace('\0', " "))
        .collect()
}

#[test]
fn the_dump_program_gets_the_password_in_another_way_than_its_command_line() {
    if !Path::new("/proc/self/cmdline").exists() {
        return;
    }
    for (backend, server) in servers() {
        let (program, lock) = match backend {
            Backend::Postgres | Backend::Sqlite => (
                "pg_dump",
                "BEGIN; LOCK TABLE evidence IN ACCESS EXCLUSIVE MODE",
            ),
            Backend::MySql => ("dump", "LOCK TABLES evidence WRITE"),
        };
        if !stairway_tests::has_programs(&[if backend == Backend::MySql {
            "mariadb-dump"
        } else {
            "pg_dump"
        }]) {
            continue;
        }
        let database = TestDatabase::create_on(backend, server.url());
        let scenario = Scenario::new(database.url(), &shop());
        scenario.call(0, "upgrade");
        // While the table is locked the dump waits, and can be looked at.
        let mut holder = database.session();
        holder.execute(lock);
        let run = scenario.spawn("backup");
        let name = database.name().to_owned();
        let mut dump = String::new();
        wait_until("the dump runs", DEADLINE, || {
            for line in command_lines() {
                expect_clean("a command line", &line);
                let is_ours =
                    line.contains(program) && (line.contains(&name) || line.contains("backups"));
                if is_ours {
                    dump.clone_from(&line);
                }
            }
            !dump.is_empty()
        });
        assert!(!dump.contains("p@s") && !dump.contains("p%40s"), "{dump}");
        drop(holder);
        let run = run.wait(DEADLINE);
        assert_eq!(run.code, 0, "{run}");
        expect_clean("backup", &run.to_string());
    }
}

#[test]
fn no_endpoint_of_the_server_shows_the_password() {
    for (backend, server) in servers() {
        let database = TestDatabase::create_on(backend, server.url());
        let url = stairway_tests::servers::ServerUrl::parse(database.url()).expect("a good URL");
        let wrong = url.with_user(&url.user(), Some(&format!("{CORE}, but wrong")));
        for (url, works) in [
            (url.reveal(), true),
            (wrong.reveal(), false),
            (wrong.with_port(1).reveal(), false),
        ] {
            let port = free_port();
            let running = stairway_server()
                .args(["--listen", &format!("127.0.0.1:{port}"), "-vv"])
                .env("DATABASE_URL", &url)
                .env("MIGRATION_WAIT_TIMEOUT", "500ms")
                .env("MIGRATION_FAIL_ON_ERROR", "false")
                .spawn();
            wait_until("the server answers", DEADLINE, || {
                get(port, "/health/live").is_some()
            });
            if works {
                wait_until("it is ready", DEADLINE, || {
                    get(port, "/health/ready").is_some_and(|answer| answer.contains(" 200 "))
                });
            }
            for path in [
                "/",
                "/health",
                "/health/live",
                "/health/startup",
                "/health/ready",
                "/health/migrations",
                "/health/migrations/history",
                "/metrics",
                "/openapi.json",
                "/nowhere",
                "/?database=nowhere",
            ] {
                let answer = get(port, path).unwrap_or_default();
                assert!(answer.starts_with("HTTP/1.1"), "{path}: {answer}");
                expect_clean(path, &answer);
            }
            running.signal(Signal::Terminate);
            let ended = running.wait(DEADLINE);
            expect_clean("stairway-server", &ended.to_string());
        }
    }
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0")
        .and_then(|listener| listener.local_addr())
        .expect("a free port")
        .port()
}

fn get(port: u16, path: &str) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).ok()?;
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .ok()?;
    write!(
        stream,
        "GET {path} HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n"
    )
    .ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    Some(String::from_utf8_lossy(&answer).into_owned())
}
