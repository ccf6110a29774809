use super::*;
use crate::position::ChecksumComparison;
use crate::sample::{SEVEN, at, graph, ledger};

fn noon() -> DateTime<Utc> {
    DateTime::from_timestamp(1_767_268_800, 0).unwrap()
}

#[test]
fn a_status_has_every_field_that_is_documented() {
    let graph = graph(&["m1", "m2 <m1", "m3 <m2"]);
    let position = Position::of(
        &graph,
        &ledger(&["m1", "m3", "u"]),
        &ChecksumComparison::default(),
    );
    let status = StatusReport::new(position, "default", "sqlite", "file app.db", noon());
    insta::assert_snapshot!(serde_json::to_string_pretty(&status).unwrap(), @r#"
    {
      "schema_version": 1,
      "database": "default",
      "dialect": "sqlite",
      "location": "file app.db",
      "state": "diverged",
      "current_revision": "m3",
      "head_revision": "m3",
      "current_revisions": [
        "m3"
      ],
      "head_revisions": [
        "m3"
      ],
      "is_up_to_date": false,
      "pending_migrations": [
        "m2"
      ],
      "pending_count": 1,
      "applied_count": 2,
      "unknown_revisions": [
        "u"
      ],
      "out_of_order_revisions": [
        "m2"
      ],
      "edited_revisions": [],
      "not_comparable_revisions": [],
      "interrupted": [],
      "timestamp": "2026-01-01T12:00:00Z"
    }
    "#);
    let json = serde_json::to_string(&status).unwrap();
    assert_eq!(serde_json::from_str::<StatusReport>(&json).unwrap(), status);
}

#[test]
fn the_current_revision_is_the_head_applied_last() {
    let graph = graph(SEVEN);
    let mut history = at(&graph, "ffff6666");
    history.applied.extend(History::of(["cccc3333"]).applied);
    let position = Position::of(&graph, &history, &ChecksumComparison::default());
    let status = StatusReport::new(position, "default", "sqlite", "", noon());
    assert_eq!(status.current_revision, Some("cccc3333".into()));
    assert_eq!(status.head_revision, Some("abab7777".into()));
    assert!(!status.is_up_to_date);
}

#[test]
fn nothing_applied_and_nothing_to_apply_is_said_with_null() {
    let position = Position::of(
        &graph(&[]),
        &History::default(),
        &ChecksumComparison::default(),
    );
    let status = StatusReport::new(position, "default", "sqlite", "", noon());
    assert_eq!(
        (status.current_revision, status.head_revision),
        (None, None)
    );
    assert!(status.is_up_to_date);
}

#[test]
fn an_upgraded_database_is_at_the_head_revision() {
    let graph = graph(SEVEN);
    let everything = at(&graph, "eeee5555 ffff6666 abab7777");
    let position = Position::of(&graph, &everything, &ChecksumComparison::default());
    let status = StatusReport::new(position, "default", "sqlite", "", noon());
    assert_eq!(status.current_revision, status.head_revision);
    assert!(status.is_up_to_date);
}

#[test]
fn a_revision_says_where_it_stands_only_if_a_database_was_asked() {
    let graph = graph(SEVEN);
    let left = RevisionId::from("cccc3333");
    let alone = RevisionReport::new(&graph, None, &left).unwrap();
    assert_eq!(alone.message, "cccc3333");
    assert_eq!(alone.parents, ["bbbb2222".into()]);
    assert_eq!(alone.branch_labels, ["left"]);
    assert_eq!(
        (alone.is_current, alone.is_applied, alone.is_head),
        (None, None, false)
    );

    let mut history = at(&graph, "cccc3333");
    history.applied[2].applied_at = Some(noon());
    let asked = RevisionReport::new(&graph, Some(&history), &left).unwrap();
    assert_eq!(
        (asked.is_current, asked.is_applied),
        (Some(true), Some(true))
    );
    assert_eq!(asked.applied_at, Some(noon()));

    let others = ["bbbb2222", "eeee5555", "unknown"].map(RevisionId::from);
    let others = RevisionReport::list(&graph, Some(&history), &others);
    let flags: Vec<_> = others
        .iter()
        .map(|r| (r.is_current, r.is_applied, r.is_head))
        .collect();
    assert_eq!(
        flags,
        [
            (Some(false), Some(true), false),
            (Some(false), Some(false), true)
        ]
    );
    assert_eq!(RevisionReport::new(&graph, None, &"unknown".into()), None);
}
