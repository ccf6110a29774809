use std::sync::PoisonError;

use chrono::DateTime;
use stairway_plan::position::DatabaseState;

use super::*;

/// What `log_event` logs for these, in JSON or plain.
fn lines(json: bool, kinds: impl IntoIterator<Item = EventKind>) -> Vec<String> {
    let lines: Arc<Mutex<Vec<u8>>> = Arc::default();
    let sink = Arc::clone(&lines);
    let writer = LineWriter {
        sink: Some(Arc::new(move |line| {
            sink.lock()
                .unwrap_or_else(PoisonError::into_inner)
                .extend_from_slice(line);
        })),
    };
    let layer: BoxedLayer = if json {
        Box::new(json_layer(writer).with_filter(levels(LogLevel::Trace)))
    } else {
        let layer = tracing_subscriber::fmt::layer()
            .event_format(PlainLine)
            .with_writer(writer);
        Box::new(layer.with_filter(levels(LogLevel::Trace)))
    };
    tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
        for kind in kinds {
            let event = Event {
                timestamp: DateTime::UNIX_EPOCH,
                database: "shop".to_owned(),
                kind,
            };
            log_event(&event);
        }
    });
    let lines = lines.lock().unwrap_or_else(PoisonError::into_inner);
    std::str::from_utf8(&lines)
        .unwrap()
        .lines()
        .map(str::to_owned)
        .collect()
}

/// What `log_event` logs for these, in JSON.
fn logged(kinds: impl IntoIterator<Item = EventKind>) -> Vec<serde_json::Value> {
    lines(true, kinds)
        .iter()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn id(name: &str) -> RevisionId {
    RevisionId::from(name)
}

/// One event of every kind.
fn every_kind() -> Vec<EventKind> {
    let direction = Direction::Upgrade;
    let holder = LockHolder {
        pid: Some(7),
        host: Some("web-1".to_owned()),
        application: Some("stairway".to_owned()),
        since: Some(DateTime::UNIX_EPOCH),
        activity: None,
    };
    vec![
        EventKind::WaitingForDatabase {
            attempt: 1,
            error: "connection refused".to_owned(),
            retry_in_ms: 100,
            time_left_ms: 5000,
        },
        EventKind::DatabaseReachable {
            dialect: "postgres".to_owned(),
            server_version: "PostgreSQL 15".to_owned(),
            elapsed_ms: 3,
        },
        EventKind::StageStarted {
            stage: Stage::Connect,
        },
        EventKind::RunStarted {
            run_id: "r1".to_owned(),
            direction,
            target: "heads".to_owned(),
            steps: 2,
        },
        EventKind::Notice {
            notice: Notice::OutOfOrder {
                revisions: vec![id("a")],
            },
        },
        EventKind::Notice {
            notice: Notice::UnknownRevisions {
                revisions: vec![id("a")],
            },
        },
        EventKind::Notice {
            notice: Notice::OtherBranches {
                branch: "left".to_owned(),
                revisions: vec![id("a")],
            },
        },
        EventKind::Warning {
            message: "look".to_owned(),
        },
        EventKind::WaitingForLock {
            holder: Some(holder),
            waited_ms: 1,
            time_left_ms: 2000,
        },
        EventKind::LockAcquired { waited_ms: 1 },
        EventKind::LockReleased,
        EventKind::BackupStarted {
            destination: "backups/x".to_owned(),
        },
        EventKind::BackupFinished {
            destination: "backups/x".to_owned(),
            bytes: 9,
            elapsed_ms: 1,
        },
        EventKind::StepStarted {
            revision: id("a"),
            message: "Add a".to_owned(),
            direction,
            position: 1,
            total: 2,
            transactional: true,
        },
        EventKind::StatementStarted {
            revision: id("a"),
            index: 1,
            sql: "select 1".to_owned(),
        },
        EventKind::StatementFinished {
            revision: id("a"),
            index: 1,
            rows_affected: 0,
            elapsed_ms: 1,
        },
        EventKind::StatementSkipped {
            revision: id("a"),
            index: 1,
            sql: "select 1".to_owned(),
        },
        EventKind::StepFinished {
            revision: id("a"),
            direction,
            elapsed_ms: 1,
            statements: 1,
            rows_affected: 0,
        },
        EventKind::StepFailed {
            revision: id("a"),
            direction,
            elapsed_ms: 1,
            error: "no".to_owned(),
            rolled_back: true,
        },
        EventKind::Retrying {
            attempt: 1,
            max_attempts: 3,
            error: "deadlock".to_owned(),
            retry_in_ms: 5000,
        },
        EventKind::Verified {
            state: DatabaseState::UpToDate,
            current: vec![id("b")],
        },
        EventKind::RunFinished {
            run_id: "r1".to_owned(),
            steps: 2,
            elapsed_ms: 9,
        },
        EventKind::RunFailed {
            run_id: "r1".to_owned(),
            steps_done: 1,
            elapsed_ms: 9,
            error: "no".to_owned(),
        },
        EventKind::StopRequested,
    ]
}

#[test]
fn every_event_is_logged_once_under_its_own_name_with_its_database() {
    let kinds = every_kind();
    let lines = logged(kinds.clone());
    assert_eq!(lines.len(), kinds.len());
    for (kind, line) in kinds.iter().zip(&lines) {
        let name = &serde_json::to_value(kind).unwrap()["event"];
        assert_eq!(&line["event"], name);
        assert_eq!(line["database"], "shop");
        assert_eq!(
            line["target"], "stairway",
            "the field of the logger is not hidden by ours: {line}"
        );
        assert!(!line["message"].as_str().unwrap().is_empty(), "{line}");
    }
}

#[test]
fn the_lines_that_operators_look_for_are_as_documented() {
    let messages: Vec<String> = logged(every_kind())
        .iter()
        .map(|line| {
            format!(
                "{} {}",
                line["level"].as_str().unwrap(),
                line["message"].as_str().unwrap()
            )
        })
        .collect();
    for expected in [
        "INFO Starting database migration to head...",
        "INFO Database migration completed successfully",
        "ERROR Migration failed: no",
        "INFO Applying a (1 of 2): Add a",
        "INFO Applied a in 1 ms",
        "WARN Trying again in 5.0 s (1 of 3): deadlock",
        "INFO Waiting for the migration lock, held by stairway, process 7 on web-1 since 1970-01-01 00:00:00 UTC, 2 s left",
        "ERROR The upgrade of a failed, nothing of it is left",
    ] {
        assert!(
            messages.iter().any(|message| message == expected),
            "{expected} is not in {messages:#?}"
        );
    }
}

#[test]
fn a_plain_line_is_time_level_database_and_message_without_the_fields_of_json() {
    let plain: Vec<String> = lines(false, every_kind())
        .iter()
        .map(|line| line.split_once(' ').unwrap().1.to_owned())
        .collect();
    assert!(
        plain
            .iter()
            .any(|line| line == " INFO [shop] Applied a in 1 ms"),
        "{plain:#?}"
    );
    assert!(
        plain
            .iter()
            .any(|line| line == "DEBUG [shop] Statement 1 of a: select 1"),
        "{plain:#?}"
    );
}

#[test]
fn a_run_to_somewhere_else_names_its_target() {
    assert_eq!(
        starting(Direction::Upgrade, "+2"),
        "Starting database migration to +2..."
    );
    assert_eq!(
        starting(Direction::Downgrade, "base"),
        "Starting database downgrade to base..."
    );
}

#[test]
fn a_holder_of_which_little_is_known_still_makes_a_sentence() {
    let nobody = LockHolder::default();
    assert_eq!(held_by(None), "");
    assert_eq!(held_by(Some(&nobody)), "");
    let host = LockHolder {
        host: Some("db".to_owned()),
        ..LockHolder::default()
    };
    assert_eq!(held_by(Some(&host)), ", held by someone on db");
    let pid = LockHolder {
        pid: Some(3),
        ..LockHolder::default()
    };
    assert_eq!(held_by(Some(&pid)), ", held by process 3");
}

#[test]
fn statements_are_logged_only_when_asked_for() {
    assert!(!levels(LogLevel::Info).would_enable(TARGET, &tracing::Level::DEBUG));
    assert!(levels(LogLevel::Debug).would_enable(TARGET, &tracing::Level::DEBUG));
    assert!(!levels(LogLevel::Debug).would_enable("sqlx::query", &tracing::Level::WARN));
}

#[test]
fn a_log_file_that_cannot_be_opened_is_an_error_that_names_it() {
    let options = LogOptions {
        file: Some(PathBuf::from("/nowhere/at/all.log")),
        ..LogOptions::default()
    };
    let error = init_logging(&options).unwrap_err().to_string();
    assert!(
        error.starts_with("the log file /nowhere/at/all.log can't be written: "),
        "{error}"
    );
}

/// Notes each span when it ends: its name, its parents from the outside in, and its fields.
#[derive(Clone, Default)]
struct Ended(Arc<Mutex<Vec<String>>>);

#[derive(Default)]
struct Fields(std::collections::BTreeMap<&'static str, String>);

impl Visit for Fields {
    fn record_debug(&mut self, field: &Field, value: &dyn fmt::Debug) {
        self.0.insert(field.name(), format!("{value:?}"));
    }
}

impl Layer<Registry> for Ended {
    fn on_new_span(
        &self,
        attributes: &tracing::span::Attributes<'_>,
        id: &tracing::Id,
        context: tracing_subscriber::layer::Context<'_, Registry>,
    ) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        context.span(id).unwrap().extensions_mut().insert(fields);
    }

    fn on_record(
        &self,
        id: &tracing::Id,
        values: &tracing::span::Record<'_>,
        context: tracing_subscriber::layer::Context<'_, Registry>,
    ) {
        let span = context.span(id).unwrap();
        let mut extensions = span.extensions_mut();
        values.record(extensions.get_mut::<Fields>().unwrap());
    }

    fn on_event(
        &self,
        event: &tracing::Event<'_>,
        context: tracing_subscriber::layer::Context<'_, Registry>,
    ) {
        let mut words = Words::default();
        event.record(&mut words);
        let place = context
            .event_span(event)
            .map_or("nowhere", |span| span.name());
        self.0
            .lock()
            .unwrap()
            .push(format!("{place}: {}", words.message));
    }

    fn on_close(&self, id: tracing::Id, context: tracing_subscriber::layer::Context<'_, Registry>) {
        let span = context.span(&id).unwrap();
        let path: Vec<&str> = span.scope().from_root().map(|span| span.name()).collect();
        let extensions = span.extensions();
        let fields = &extensions.get::<Fields>().unwrap().0;
        let fields: Vec<String> = fields
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let line = format!("end of {} {}", path.join(" > "), fields.join(" "));
        self.0.lock().unwrap().push(line);
    }
}

#[test]
fn a_run_its_revisions_and_their_statements_are_spans_and_are_logged_in_them() {
    let ended = Ended::default();
    let subscriber = tracing_subscriber::registry().with(ended.clone());
    tracing::subscriber::with_default(subscriber, || {
        let observers = crate::observer::Observers::new("shop", Vec::new()).for_run();
        observers.run_begins("r1", Direction::Upgrade, "heads");
        let statement = |index| EventKind::StatementStarted {
            revision: id("a"),
            index,
            sql: format!("select {index}"),
        };
        let step = EventKind::StepStarted {
            revision: id("a"),
            message: "Add a".to_owned(),
            direction: Direction::Upgrade,
            position: 1,
            total: 1,
            transactional: true,
        };
        for kind in [
            EventKind::LockAcquired { waited_ms: 1 },
            step.clone(),
            statement(1),
            EventKind::StatementFinished {
                revision: id("a"),
                index: 1,
                rows_affected: 7,
                elapsed_ms: 2,
            },
            statement(2),
            EventKind::StepFailed {
                revision: id("a"),
                direction: Direction::Upgrade,
                elapsed_ms: 3,
                error: "deadlock".to_owned(),
                rolled_back: true,
            },
            step,
            EventKind::StepFinished {
                revision: id("a"),
                direction: Direction::Upgrade,
                elapsed_ms: 4,
                statements: 0,
                rows_affected: 0,
            },
            EventKind::RunFinished {
                run_id: "r1".to_owned(),
                steps: 1,
                elapsed_ms: 5,
            },
        ] {
            observers.emit(kind);
        }
        // A run that is dropped says nothing of how it ended.
        let dropped = observers.for_run();
        dropped.run_begins("r2", Direction::Downgrade, "base");
    });
    let lines = ended.0.lock().unwrap();
    let run = "end of stairway.run";
    let revision =
        "end of stairway.run > stairway.revision database=\"shop\" direction=\"upgrade\"";
    let statement =
        "end of stairway.run > stairway.revision > stairway.statement database=\"shop\"";
    assert_eq!(
        *lines,
        [
            "stairway.run: The migration lock is held".to_owned(),
            "stairway.revision: Applying a (1 of 1): Add a".to_owned(),
            "stairway.statement: Statement 1 of a".to_owned(),
            "stairway.statement: Statement 1 of a done".to_owned(),
            format!(
                "{statement} elapsed_ms=2 index=1 otel.kind=\"client\" otel.name=\"statement\" \
                 outcome=\"succeeded\" revision=\"a\" rows_affected=7 sql=select 1"
            ),
            "stairway.statement: Statement 2 of a".to_owned(),
            "stairway.statement: The upgrade of a failed, nothing of it is left".to_owned(),
            format!(
                "{statement} index=2 otel.kind=\"client\" otel.name=\"statement\" \
                 otel.status_code=\"ERROR\" outcome=\"failed\" revision=\"a\" sql=select 2"
            ),
            format!(
                "{revision} elapsed_ms=3 error=\"deadlock\" otel.name=upgrade a \
                 otel.status_code=\"ERROR\" otel.status_description=\"deadlock\" outcome=\"failed\" \
                 position=1 revision=\"a\" rolled_back=true total=1 transactional=true"
            ),
            "stairway.revision: Applying a (1 of 1): Add a".to_owned(),
            "stairway.revision: Applied a in 4 ms".to_owned(),
            format!(
                "{revision} elapsed_ms=4 otel.name=upgrade a outcome=\"succeeded\" position=1 \
                 revision=\"a\" rows_affected=0 statements=0 total=1 transactional=true"
            ),
            "stairway.run: Database migration completed successfully".to_owned(),
            format!(
                "{run} database=\"shop\" direction=\"upgrade\" elapsed_ms=5 otel.name=\"upgrade\" \
                 outcome=\"succeeded\" run_id=\"r1\" steps=1 to=\"heads\""
            ),
            format!(
                "{run} database=\"shop\" direction=\"downgrade\" otel.name=\"downgrade\" run_id=\"r2\" \
                 to=\"base\""
            ),
        ]
    );
}
