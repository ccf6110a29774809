//! What the build script found.

use stairway_migration::SOURCES;
use stairway_plan::graph::RevisionGraph;
use stairway_plan::header::revisions_from_sources;
use stairway_plan::revision::{Revision, RevisionId};

use crate::history;

#[test]
fn every_source_has_its_migration_under_the_same_name_and_in_name_order() {
    let sources: Vec<&str> = SOURCES.iter().map(|source| source.name).collect();
    assert_eq!(sources, history::names());
    assert!(sources.is_sorted());
    assert!(sources.len() >= 18);
}

#[test]
fn every_source_says_what_it_does_and_where_it_lies() {
    for source in SOURCES {
        let message = source.module_comment.lines().next().unwrap_or_default();
        assert!(message.len() > 10, "{}: {message:?}", source.name);
        assert_eq!(source.path, format!("src/revisions/{}.rs", source.name));
        let text = std::fs::read_to_string(
            std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join(source.path),
        )
        .unwrap();
        assert!(
            text.starts_with(&format!("//! {message}\n")),
            "{}",
            source.name
        );
    }
}

#[test]
fn name_order_has_every_parent_before_its_child() {
    let revisions = revisions();
    for (position, revision) in revisions.iter().enumerate() {
        for parent in &revision.parents {
            let earlier = revisions[..position]
                .iter()
                .any(|other| other.id == *parent);
            assert!(
                earlier,
                "{} revises {parent}, which does not come before it",
                revision.id
            );
        }
    }
}

#[test]
fn one_branch_leaves_the_trunk_and_is_merged_back() {
    let names = history::names();
    let graph = RevisionGraph::new(revisions()).unwrap();
    assert_eq!(graph.bases(), names.first().map(RevisionId::new).as_slice());
    assert_eq!(graph.heads(), names.last().map(RevisionId::new).as_slice());
    let id = RevisionId::new;
    assert_eq!(
        graph.branch_points(),
        [id("m20260126_090000_create_deployments")]
    );
    assert_eq!(
        graph.merge_points(),
        [id("m20260209_090000_merge_evaluations")]
    );
    assert_eq!(
        graph.declares("evaluations"),
        Some(&id("m20260202_090000_create_evaluations"))
    );
}

/// The revisions as Stairway reads them from the sources.
fn revisions() -> Vec<Revision> {
    revisions_from_sources(SOURCES).expect("every module comment can be read")
}
