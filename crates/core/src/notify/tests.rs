//! Messages say what happened, arrive although the receiver stumbles, and never give the address
//! away or hold a run up.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use chrono::{TimeZone, Utc};
use serde_json::{Value, json};
use stairway_plan::revision::RevisionId;

use super::deliver::{Undelivered, deliver};
use super::message::{AppliedRevision, RunError};
use super::{Notification, RunLog, WebhookFormat, WebhookOccasion, WebhookUrl};
use crate::observer::Observer;

const SECRET: &str = "T0P53CR37";

/// What one request said.
#[derive(Debug)]
struct Received {
    head: String,
    body: Value,
}

/// A receiver that answers its requests with these statuses, one after another; 0 hangs up.
struct Receiver {
    url: String,
    thread: JoinHandle<Vec<Received>>,
}

impl Receiver {
    fn answering(statuses: &'static [u16]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let thread = std::thread::spawn(move || {
            statuses
                .iter()
                .map(|status| receive(listener.accept().unwrap().0, *status))
                .collect()
        });
        Self {
            url: format!("http://{address}/hooks/{SECRET}"),
            thread,
        }
    }

    async fn send(&self, notification: &Notification) -> Result<u32, Undelivered> {
        send(&self.url, notification, Duration::from_mins(1)).await
    }

    fn received(self) -> Vec<Received> {
        self.thread.join().unwrap()
    }
}

async fn send(
    url: &str,
    notification: &Notification,
    timeout: Duration,
) -> Result<u32, Undelivered> {
    let url = WebhookUrl::parse(url).unwrap();
    let body = notification.body(WebhookFormat::Json).to_string();
    deliver(&url, body, &notification.delivery_key(), timeout).await
}

fn receive(mut stream: TcpStream, status: u16) -> Received {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        assert_ne!(reader.read_line(&mut head).unwrap(), 0, "{head}");
    }
    let head = head.to_ascii_lowercase();
    let length = head
        .split("content-length: ")
        .nth(1)
        .unwrap()
        .lines()
        .next()
        .unwrap();
    let mut body = vec![0; length.parse().unwrap()];
    reader.read_exact(&mut body).unwrap();
    if status != 0 {
        let answer = format!(
            "HTTP/1.1 {status} x\r\nlocation: http://127.0.0.1:9/\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"
        );
        stream.write_all(answer.as_bytes()).unwrap();
    }
    Received {
        head,
        body: serde_json::from_slice(&body).unwrap(),
    }
}

fn succeeded() -> Notification {
    Notification {
        command: "run".to_owned(),
        database: "default".to_owned(),
        location: "postgres://db/shop".to_owned(),
        run_id: Some("r1".to_owned()),
        applied: vec![AppliedRevision {
            revision: RevisionId::new("m20260105_090000_create_users"),
            elapsed_ms: 12,
        }],
        backup: None,
        error: None,
        elapsed_ms: 1500,
        actor: "deploy".to_owned(),
        host: "web-1".to_owned(),
        application_version: Some("2.1.0".to_owned()),
        finished_at: Utc.with_ymd_and_hms(2026, 3, 2, 10, 0, 0).unwrap(),
    }
}

fn failed() -> Notification {
    Notification {
        applied: Vec::new(),
        error: Some(RunError {
            stopped: false,
            message: "relation <users> exists & more".to_owned(),
            hint: Some("look at it".to_owned()),
            revision: Some(RevisionId::new("m20260105_090000_create_users")),
        }),
        ..succeeded()
    }
}

#[test]
fn the_json_form_says_all_that_is_known() {
    assert_eq!(
        failed().body(WebhookFormat::Json),
        json!({
            "schema_version": 1, "event": "migration", "outcome": "failed", "command": "run",
            "database": "default", "location": "postgres://db/shop", "run_id": "r1", "applied": [],
            "backup": null,
            "error": {
                "message": "relation <users> exists & more", "hint": "look at it",
                "revision": "m20260105_090000_create_users",
            },
            "elapsed_ms": 1500, "actor": "deploy", "host": "web-1", "application_version": "2.1.0",
            "finished_at": "2026-03-02T10:00:00Z",
        })
    );
    let body = succeeded().body(WebhookFormat::Json);
    assert_eq!(body["outcome"], "succeeded");
    assert_eq!(body["error"], Value::Null);
    assert_eq!(
        body["applied"],
        json!([{ "revision": "m20260105_090000_create_users", "elapsed_ms": 12 }])
    );
}

#[test]
fn the_form_for_slack_is_one_text_in_which_nothing_from_elsewhere_has_a_meaning() {
    assert_eq!(
        succeeded().body(WebhookFormat::Slack),
        json!({ "text": ":white_check_mark: *Migration succeeded*: `default` at postgres://db/shop, version 2.1.0\n\
                         1 revision applied: `m20260105_090000_create_users` in 1.5 s, by deploy on web-1" })
    );
    let mut failure = failed();
    failure.host = "<!channel>".to_owned();
    assert_eq!(
        failure.body(WebhookFormat::Slack),
        json!({ "text": ":x: *Migration failed*: `default` at postgres://db/shop, version 2.1.0\n\
                         No revision was applied in 1.5 s, by deploy on &lt;!channel&gt;\n\
                         ```relation &lt;users&gt; exists &amp; more```\nWhat to do: look at it" })
    );
}

#[test]
fn an_error_as_long_as_a_dump_is_cut_at_a_character() {
    let mut failure = failed();
    failure.error.as_mut().unwrap().message = "ä".repeat(5_000);
    let body = failure.body(WebhookFormat::Json);
    let message = body["error"]["message"].as_str().unwrap();
    assert_eq!(message.chars().count(), 2_001);
    assert!(message.ends_with('…'));
}

#[tokio::test]
async fn a_message_arrives_as_json_at_the_first_attempt() {
    let receiver = Receiver::answering(&[204]);
    assert_eq!(receiver.send(&succeeded()).await, Ok(1));
    let requests = receiver.received();
    let head = &requests[0].head;
    assert!(
        head.starts_with(&format!("post /hooks/{} ", SECRET.to_ascii_lowercase())),
        "{head}"
    );
    assert!(head.contains("content-type: application/json"), "{head}");
    assert!(head.contains("idempotency-key: r1-succeeded"), "{head}");
    assert_eq!(requests[0].body, succeeded().body(WebhookFormat::Json));
}

#[tokio::test]
async fn a_receiver_that_stumbles_gets_the_same_message_again() {
    let receiver = Receiver::answering(&[503, 0, 200]);
    assert_eq!(receiver.send(&succeeded()).await, Ok(3));
    let requests = receiver.received();
    assert_eq!(requests.len(), 3);
    for repeated in &requests {
        assert_eq!(repeated.body, requests[0].body);
        assert!(
            repeated.head.contains("idempotency-key: r1-succeeded"),
            "{}",
            repeated.head
        );
    }
}

#[tokio::test]
async fn what_repeating_does_not_cure_is_not_repeated() {
    for (statuses, expected) in [
        (&[404][..], "it answered 404; is the address still valid?"),
        (&[400], "it answered 400"),
        (
            &[301],
            "it answered 301, which leads elsewhere; give the final address",
        ),
    ] {
        let receiver = Receiver::answering(statuses);
        let error = receiver.send(&succeeded()).await.unwrap_err();
        assert_eq!((error.attempts, error.reason.as_str()), (1, expected));
        assert_eq!(receiver.received().len(), 1);
    }
}

#[tokio::test]
async fn an_address_that_never_answers_holds_a_run_up_no_longer_than_allowed() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/{SECRET}", listener.local_addr().unwrap());
    let began = Instant::now();
    let error = send(&url, &succeeded(), Duration::from_millis(1200))
        .await
        .unwrap_err();
    // Generous, because the machine may be busy; without a limit this would never end.
    assert!(
        began.elapsed() < Duration::from_secs(30),
        "{:?}",
        began.elapsed()
    );
    assert_eq!(error.reason, "it did not answer in time");
    assert!(error.attempts >= 1);
}

#[tokio::test]
async fn no_failure_gives_the_address_away() {
    let unused = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    let not_tls = Receiver::answering(&[]);
    for url in [
        format!("http://{unused}/{SECRET}"),
        format!("https://{unused}/{SECRET}"),
        format!("http://no-such-host.invalid/{SECRET}"),
        not_tls.url.replace("http:", "https:"),
    ] {
        let error = send(&url, &succeeded(), Duration::from_secs(2))
            .await
            .unwrap_err();
        let said = format!("{error:?} {:?}", WebhookUrl::parse(&url));
        assert!(
            !said.contains(SECRET) && !said.contains("invalid/"),
            "{said}"
        );
        assert!(!error.reason.is_empty());
    }
    for wrong in [
        SECRET,
        &format!("ftp://x/{SECRET}"),
        &format!("https:///{SECRET}"),
        &format!("https://a b/{SECRET}"),
    ] {
        let said = WebhookUrl::parse(wrong).unwrap_err();
        assert!(!said.contains(SECRET), "{said}");
    }
}

#[test]
fn restarts_that_had_nothing_to_do_are_told_of_only_when_asked_for() {
    let nothing_done = Notification {
        applied: Vec::new(),
        ..succeeded()
    };
    let told = |occasion: WebhookOccasion| {
        [succeeded(), nothing_done.clone(), failed()]
            .map(|notification| occasion.includes(&notification))
    };
    assert_eq!(told(WebhookOccasion::Changes), [true, false, true]);
    assert_eq!(told(WebhookOccasion::Failures), [false, false, true]);
    assert_eq!(told(WebhookOccasion::All), [true, true, true]);
}

#[test]
fn names_in_settings_and_choices_belong_together() {
    assert_eq!(WebhookFormat::NAMES.len(), WebhookFormat::ALL.len());
    assert_eq!(WebhookFormat::ALL[1], WebhookFormat::Slack);
    assert_eq!(WebhookOccasion::NAMES.len(), WebhookOccasion::ALL.len());
    assert_eq!(WebhookOccasion::ALL[1], WebhookOccasion::Failures);
}

#[tokio::test]
async fn what_a_run_really_did_is_in_the_message() {
    use crate::{Config, Manager, MigrationSet};
    use sea_orm_migration::prelude::*;

    struct Migrator;
    struct First;
    impl MigrationName for First {
        fn name(&self) -> &'static str {
            "m20260101_000000_first"
        }
    }
    #[async_trait::async_trait]
    impl MigrationTrait for First {
        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            manager
                .get_connection()
                .execute_unprepared("CREATE TABLE first (id INTEGER)")
                .await?;
            Ok(())
        }
    }
    #[async_trait::async_trait]
    impl MigratorTrait for Migrator {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            vec![Box::new(First)]
        }
    }

    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/a.db?mode=rwc", directory.path().display());
    let log = Arc::new(RunLog::default());
    let manager = Manager::new(
        MigrationSet::from_migrator::<Migrator>().unwrap(),
        Config::new(&url).unwrap(),
    )
    .with_observer(Arc::clone(&log) as Arc<dyn Observer>);
    let report = manager.upgrade_to_head(false).await.unwrap();
    let notification = log.notification("upgrade", manager.config(), report.elapsed_ms, None);
    assert_eq!(notification.run_id, Some(report.run_id));
    let applied: Vec<&str> = notification
        .applied
        .iter()
        .map(|step| step.revision.as_str())
        .collect();
    assert_eq!(applied, ["m20260101_000000_first"]);
    assert_eq!(notification.outcome(), "succeeded");
}
