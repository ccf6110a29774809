//! What the build script found.

use stairway_migration::SOURCES;

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
    for (position, source) in SOURCES.iter().enumerate() {
        for parent in parents(source.module_comment) {
            let earlier = SOURCES[..position].iter().any(|other| other.name == parent);
            assert!(
                earlier,
                "{} revises {parent}, which does not come before it",
                source.name
            );
        }
    }
}

#[test]
fn one_revision_merges_two_branches() {
    let merges: Vec<usize> = SOURCES
        .iter()
        .map(|source| parents(source.module_comment).len())
        .filter(|n| *n > 1)
        .collect();
    assert_eq!(merges, [2]);
}

fn parents(module_comment: &str) -> Vec<&str> {
    module_comment
        .lines()
        .filter_map(|line| line.strip_prefix("revises:"))
        .flat_map(|names| names.split(','))
        .map(str::trim)
        .collect()
}
