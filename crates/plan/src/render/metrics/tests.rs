//! The numbers that an alert stands on: what each event and report changes, and that the text can
//! be read back whatever the names are.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::revision::RevisionId;

fn at(second: i64, kind: EventKind) -> Event {
    Event {
        timestamp: DateTime::from_timestamp(1_800_000_000 + second, 0).expect("in range"),
        database: "default".to_owned(),
        kind,
    }
}

fn status(state: DatabaseState, pending: usize) -> StatusReport {
    StatusReport {
        schema_version: 1,
        database: "default".to_owned(),
        dialect: "postgres".to_owned(),
        location: "postgres://db/shop".to_owned(),
        state,
        current_revision: Some(RevisionId::from("m1_users")),
        head_revision: Some(RevisionId::from("m2_orders")),
        current_revisions: vec![RevisionId::from("m1_users")],
        head_revisions: vec![RevisionId::from("m2_orders")],
        is_up_to_date: state == DatabaseState::UpToDate,
        pending_migrations: vec![RevisionId::from("m2_orders"); pending],
        pending_count: pending,
        applied_count: 1,
        unknown_revisions: Vec::new(),
        out_of_order_revisions: Vec::new(),
        edited_revisions: Vec::new(),
        not_comparable_revisions: Vec::new(),
        interrupted: Vec::new(),
        timestamp: DateTime::from_timestamp(1_800_000_000, 0).expect("in range"),
    }
}

fn connecting() -> EventKind {
    EventKind::StageStarted {
        stage: Stage::Connect,
    }
}

fn step_finished(elapsed_ms: u64) -> EventKind {
    EventKind::StepFinished {
        revision: RevisionId::from("m1_users"),
        direction: Direction::Upgrade,
        elapsed_ms,
        statements: 1,
        rows_affected: 0,
    }
}

/// The value of the series with exactly this name and these labels.
fn value(text: &str, series: &str) -> Option<String> {
    text.lines().find_map(|line| {
        let (name, value) = line.rsplit_once(' ')?;
        (name == series).then(|| value.to_owned())
    })
}

#[test]
fn a_database_has_its_series_before_anything_happened() {
    let text = MigrationMetrics::new(["default"]).render();
    for series in [
        "db_migration_up_to_date{database=\"default\"}",
        "db_migration_failures_total{database=\"default\"}",
        "db_migration_retries_total{database=\"default\"}",
        "db_migration_applied_total{database=\"default\"}",
        "db_migration_duration_seconds_count{database=\"default\",direction=\"upgrade\"}",
    ] {
        assert_eq!(
            value(&text, series).as_deref(),
            Some("0"),
            "{series} in\n{text}"
        );
    }
    assert_eq!(
        value(
            &text,
            "db_migration_state{database=\"default\",state=\"unknown\"}"
        )
        .as_deref(),
        Some("1")
    );
    assert!(
        !text.contains("db_migration_last_success_timestamp_seconds{"),
        "no success has been seen, so no time is claimed"
    );
}

#[test]
fn a_run_with_a_retry_and_a_wait_for_the_lock_is_counted_once() {
    let mut metrics = MigrationMetrics::new(["default"]);
    metrics.observe(&at(0, connecting()));
    metrics.observe(&at(
        1,
        EventKind::WaitingForLock {
            holder: None,
            waited_ms: 1_500,
            time_left_ms: 10_000,
        },
    ));
    let waiting = metrics.render();
    assert_eq!(
        value(&waiting, "db_migration_lock_waiting{database=\"default\"}").as_deref(),
        Some("1")
    );
    assert_eq!(
        value(
            &waiting,
            "db_migration_lock_wait_seconds{database=\"default\"}"
        )
        .as_deref(),
        Some("1.500")
    );
    assert_eq!(
        value(&waiting, "db_migration_running{database=\"default\"}").as_deref(),
        Some("1")
    );

    metrics.observe(&at(2, EventKind::LockAcquired { waited_ms: 2_000 }));
    metrics.observe(&at(
        3,
        EventKind::Retrying {
            attempt: 1,
            max_attempts: 3,
            error: "deadlock".to_owned(),
            retry_in_ms: 5_000,
        },
    ));
    metrics.observe(&at(8, step_finished(40)));
    metrics.observe(&at(9, step_finished(7_200_000)));
    metrics.observe(&at(
        10,
        EventKind::Verified {
            state: DatabaseState::UpToDate,
            current: vec![RevisionId::from("m2_orders")],
        },
    ));
    metrics.observe(&at(
        10,
        EventKind::RunFinished {
            run_id: "r1".to_owned(),
            steps: 2,
            elapsed_ms: 10_250,
        },
    ));
    metrics.record_status(&status(DatabaseState::UpToDate, 0));
    insta::assert_snapshot!(metrics.render());
}

#[test]
fn a_failed_run_is_counted_and_no_longer_runs() {
    let mut metrics = MigrationMetrics::new(["default"]);
    metrics.observe(&at(0, connecting()));
    metrics.observe(&at(
        1,
        EventKind::RunFailed {
            run_id: "r1".to_owned(),
            steps_done: 0,
            elapsed_ms: 900,
            error: "no".to_owned(),
        },
    ));
    metrics.record_failure("default");
    let text = metrics.render();
    assert_eq!(
        value(&text, "db_migration_failures_total{database=\"default\"}").as_deref(),
        Some("2")
    );
    assert_eq!(
        value(&text, "db_migration_running{database=\"default\"}").as_deref(),
        Some("0")
    );
}

#[test]
fn a_database_that_can_not_be_read_claims_nothing() {
    let mut metrics = MigrationMetrics::new(["default"]);
    metrics.record_status(&status(DatabaseState::UpToDate, 0));
    assert_eq!(
        value(
            &metrics.render(),
            "db_migration_up_to_date{database=\"default\"}"
        )
        .as_deref(),
        Some("1")
    );
    metrics.record_unreadable("default");
    let text = metrics.render();
    assert_eq!(
        value(&text, "db_migration_up_to_date{database=\"default\"}").as_deref(),
        Some("0")
    );
    assert_eq!(
        value(
            &text,
            "db_migration_database_readable{database=\"default\"}"
        )
        .as_deref(),
        Some("0")
    );
    assert_eq!(
        value(&text, "db_migration_pending{database=\"default\"}"),
        None
    );
}

#[test]
fn exactly_one_state_is_set_whatever_the_state_is() {
    for state in DatabaseState::ALL {
        let mut metrics = MigrationMetrics::new(["default"]);
        metrics.record_status(&status(state, 3));
        let text = metrics.render();
        let set: Vec<&str> = text
            .lines()
            .filter(|line| line.starts_with("db_migration_state{") && line.ends_with(" 1"))
            .collect();
        assert_eq!(
            set,
            [format!(
                "db_migration_state{{database=\"default\",state=\"{}\"}} 1",
                state.as_str()
            )]
        );
    }
}

/// Splits a sample into its name and its labels, as a scraper does.
fn parse_sample(line: &str) -> Option<(String, Vec<(String, String)>)> {
    let (name, rest) = line.split_once('{')?;
    let mut labels = Vec::new();
    let mut rest = rest;
    loop {
        let (label, after) = rest.split_once("=\"")?;
        let mut text = String::new();
        let mut chars = after.char_indices();
        let end = loop {
            match chars.next()? {
                (_, '\\') => match chars.next()?.1 {
                    'n' => text.push('\n'),
                    escaped @ ('\\' | '"') => text.push(escaped),
                    _ => return None,
                },
                (end, '"') => break end,
                (_, '\n') => return None,
                (_, plain) => text.push(plain),
            }
        };
        labels.push((label.to_owned(), text));
        rest = &after[end + 1..];
        match rest.strip_prefix(',') {
            Some(next) => rest = next,
            None => break,
        }
    }
    rest.strip_prefix("} ")?.parse::<f64>().ok()?;
    Some((name.to_owned(), labels))
}

proptest! {
    #[test]
    fn every_sample_belongs_to_a_family_and_is_read_back_whatever_the_names_are(
        database in ".{0,20}(\\\\|\"|\n)?.{0,4}",
        revision in ".{0,20}(\\\\|\"|\n)?",
        durations in proptest::collection::vec(0_u64..10_000_000, 0..20),
    ) {
        let mut metrics = MigrationMetrics::new([database.clone()]);
        for duration in &durations {
            let mut event = at(0, step_finished(*duration));
            event.database.clone_from(&database);
            metrics.observe(&event);
        }
        let mut report = status(DatabaseState::Behind, 1);
        report.database.clone_from(&database);
        report.current_revision = Some(RevisionId::from(revision.clone()));
        metrics.record_status(&report);

        let text = metrics.render();
        let mut families = BTreeSet::new();
        let mut family = String::new();
        let mut series = BTreeSet::new();
        // Only a line feed ends a line of the format; other separators may stand in a label.
        for line in text.split('\n').filter(|line| !line.is_empty()) {
            if let Some(declared) = line.strip_prefix("# TYPE ") {
                declared.split(' ').next().unwrap_or_default().clone_into(&mut family);
                prop_assert!(families.insert(family.clone()), "{} is declared twice", family);
            } else if !line.starts_with('#') {
                let (name, labels) = parse_sample(line)
                    .ok_or_else(|| TestCaseError::fail(format!("not a sample: {line:?}")))?;
                prop_assert!(name.starts_with(&family), "{} stands below {}", name, family);
                prop_assert_eq!(&labels[0], &("database".to_owned(), database.clone()));
                prop_assert!(series.insert((name, labels)), "twice: {}", line);
            }
        }
        let info = series.iter().find(|(name, _)| name == "db_migration_info");
        prop_assert!(info.is_some_and(|(_, labels)| labels.contains(&("current_revision".to_owned(), revision))));
    }

    #[test]
    fn the_histogram_counts_each_duration_in_every_bucket_that_holds_it(
        durations in proptest::collection::vec(0_u64..10_000_000, 0..40),
    ) {
        let mut metrics = MigrationMetrics::new(["default"]);
        for duration in &durations {
            metrics.observe(&at(0, step_finished(*duration)));
        }
        let text = metrics.render();
        for (bound, written) in DURATION_BOUNDS {
            let within = durations.iter().filter(|duration| **duration <= bound).count();
            let series = format!(
                "db_migration_duration_seconds_bucket{{database=\"default\",direction=\"upgrade\",le=\"{written}\"}}"
            );
            prop_assert_eq!(value(&text, &series), Some(within.to_string()));
        }
    }
}
