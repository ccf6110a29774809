//! Writing a new revision file.

use std::fmt::Write;
use std::path::{Path, PathBuf};

use chrono::{Duration, NaiveDateTime, Utc};
use stairway_plan::graph::RevisionGraph;
use stairway_plan::header::Header;
use stairway_plan::history::History;
use stairway_plan::plan::PlanError;
use stairway_plan::revision::RevisionId;
use stairway_plan::target::Target;

use crate::config::Config;
use crate::error::Error;
use crate::manager::{CreatedRevision, NewRevision};

/// Words that say nothing of what a revision does.
const VAGUE_WORDS: [&str; 16] = [
    "update",
    "updates",
    "fix",
    "fixes",
    "change",
    "changes",
    "misc",
    "stuff",
    "wip",
    "tmp",
    "temp",
    "test",
    "new",
    "migration",
    "schema",
    "db",
];

/// How long the words in a file name may be.
const SLUG_LENGTH: usize = 60;

/// Writes a revision file with the right name, parents and message.
pub(crate) fn create(
    graph: &RevisionGraph,
    config: &Config,
    request: &NewRevision,
) -> Result<CreatedRevision, Error> {
    let (mut created, source) = draft(graph, config, request)?;
    write_new(&created.path, &source)?;
    let directory = created.path.parent().unwrap_or(Path::new("."));
    if let Some(warning) = register(directory, &created.revision)? {
        created.warnings.push(warning);
    }
    Ok(created)
}

/// What [`create`] would write, and where.
pub(crate) fn draft(
    graph: &RevisionGraph,
    config: &Config,
    request: &NewRevision,
) -> Result<(CreatedRevision, String), Error> {
    let message = request
        .message
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ");
    let slug = slug_of(&message);
    if slug.is_empty() {
        return Err(Error::Configuration(
            "a revision needs a message with letters or digits, for example \"Add user preferences table\"".to_owned(),
        ));
    }
    let mut warnings = Vec::new();
    if is_vague(&slug) {
        warnings.push(format!(
            "\"{message}\" does not say what the revision does; whoever reads the history will want to know, for \
             example \"Add user preferences table\""
        ));
    }
    let parents = parents_of(graph, request)?;
    let depends_on = resolve_all(graph, &request.depends_on)?;
    check_label(graph, request.branch_label.as_deref())?;
    let id = new_id(graph, Utc::now().naive_utc(), &slug);
    let directory = request
        .directory
        .as_ref()
        .unwrap_or(&config.revisions_directory);
    let path = directory.join(format!("{id}.rs"));
    let header = Header {
        message: Some(message),
        revises: Some(parents.clone()),
        labels: request.branch_label.iter().cloned().collect(),
        depends_on,
        ..Header::default()
    };
    let source = match &request.source {
        Some(source) => format!("{}\n\n{source}", header.render().trim_end()),
        None => source_of(&header, request.up_and_down.as_ref()),
    };
    let created = CreatedRevision {
        revision: id,
        parents,
        path,
        warnings,
    };
    Ok((created, source))
}

/// The file's text: an ordinary sea-orm migration.
fn source_of(header: &Header, bodies: Option<&(String, String)>) -> String {
    let empty = |what: &str| format!("        // {what}\n        Ok(())\n");
    let (manager, up, down) = match bodies {
        Some((up, down)) => ("manager", up.clone(), down.clone()),
        None => (
            "_manager",
            empty("What to change, for example `manager.create_table(...).await?;`"),
            empty("How to take it back."),
        ),
    };
    let comment = header.render();
    format!(
        "{comment}\n\nuse sea_orm_migration::prelude::*;\n\n#[derive(DeriveMigrationName)]\npub struct Migration;\n\n\
         #[async_trait::async_trait]\nimpl MigrationTrait for Migration {{\n    \
         async fn up(&self, {manager}: &SchemaManager) -> Result<(), DbErr> {{\n{up}    }}\n\n    \
         async fn down(&self, {manager}: &SchemaManager) -> Result<(), DbErr> {{\n{down}    }}\n}}\n",
        comment = comment.trim_end(),
    )
}

/// The parents: those asked for, or the only head.
fn parents_of(graph: &RevisionGraph, request: &NewRevision) -> Result<Vec<RevisionId>, Error> {
    if request.heads.is_empty() {
        if graph.is_empty() {
            return Ok(Vec::new());
        }
        return resolve(graph, "head");
    }
    let parents = resolve_all(graph, &request.heads)?;
    let heads = graph.heads();
    if let Some(inner) = parents.iter().find(|parent| !heads.contains(parent))
        && !request.splice
    {
        return Err(Error::Configuration(format!(
            "{inner} is not a head, so a revision on it starts a new branch: say --splice if that is meant"
        )));
    }
    Ok(parents)
}

fn resolve_all(graph: &RevisionGraph, targets: &[String]) -> Result<Vec<RevisionId>, Error> {
    let mut resolved = Vec::new();
    for target in targets {
        for id in resolve(graph, target)? {
            if !resolved.contains(&id) {
                resolved.push(id);
            }
        }
    }
    Ok(resolved)
}

fn resolve(graph: &RevisionGraph, target: &str) -> Result<Vec<RevisionId>, Error> {
    let target = Target::parse(target).map_err(PlanError::from)?;
    Ok(target
        .resolve(graph, &History::default())
        .map_err(PlanError::from)?)
}

fn check_label(graph: &RevisionGraph, label: Option<&str>) -> Result<(), Error> {
    let Some(label) = label else { return Ok(()) };
    if label.is_empty() || !label.chars().all(|c| c.is_alphanumeric() || c == '_') {
        return Err(Error::Configuration(format!(
            "the label `{label}` may have letters, digits and _ only"
        )));
    }
    match graph.declares(label) {
        Some(id) => Err(Error::Configuration(format!(
            "the label `{label}` is declared by {id} already"
        ))),
        None => Ok(()),
    }
}

/// Lower-case words joined by `_`, as far as they fit.
fn slug_of(message: &str) -> String {
    let mut slug = String::new();
    for word in message
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        if !slug.is_empty() && slug.len() + 1 + word.len() > SLUG_LENGTH {
            break;
        }
        if !slug.is_empty() {
            slug.push('_');
        }
        slug.extend(
            word.chars()
                .take(SLUG_LENGTH)
                .map(|c| c.to_ascii_lowercase()),
        );
    }
    slug
}

fn is_vague(slug: &str) -> bool {
    slug.split('_')
        .all(|word| VAGUE_WORDS.contains(&word) || word.bytes().all(|b| b.is_ascii_digit()))
}

/// A name from time and words. Names must sort after those that are there: plain sea-orm-migration
/// runs them in that order, and clocks of developers differ.
fn new_id(graph: &RevisionGraph, now: NaiveDateTime, slug: &str) -> RevisionId {
    let latest = graph
        .iter()
        .filter_map(|revision| stamp_of(revision.id.as_str()))
        .max();
    let mut stamp = now;
    if let Some(latest) = latest
        && stamp <= latest
        // A name that lies far in the future is somebody's mistake, not a clock's.
        && latest - stamp < Duration::days(366)
    {
        stamp = latest + Duration::seconds(1);
    }
    loop {
        let id = RevisionId::from(format!("m{}_{slug}", stamp.format("%Y%m%d_%H%M%S")));
        if !graph.contains(id.as_str()) {
            return id;
        }
        stamp += Duration::seconds(1);
    }
}

/// The time in a name such as `m20260102_120000_add_users`.
fn stamp_of(id: &str) -> Option<NaiveDateTime> {
    NaiveDateTime::parse_from_str(id.get(1..16)?, "%Y%m%d_%H%M%S").ok()
}

fn write_new(path: &Path, source: &str) -> Result<(), Error> {
    use std::io::Write as _;
    let failed = |source| Error::File {
        doing: "writing the revision",
        path: path.to_owned(),
        source,
    };
    let directory = path.parent().unwrap_or(Path::new("."));
    if !directory.is_dir() {
        return Err(Error::Configuration(format!(
            "the directory of revisions {} does not exist: name it with --directory, MIGRATION_REVISIONS_DIRECTORY or \
             `revisions_directory` in stairway.toml",
            directory.display()
        )));
    }
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(path)
        .map_err(failed)?;
    file.write_all(source.as_bytes()).map_err(failed)
}

/// Sees to it that the next build has the revision. Where a build script lists the directory there
/// is nothing to do; a hand-written list in `lib.rs` beside the files gets two lines. Returns what a
/// person must do where neither is found.
fn register(directory: &Path, id: &RevisionId) -> Result<Option<String>, Error> {
    let list = directory.join("lib.rs");
    if !list.is_file() {
        return Ok(None);
    }
    let source = std::fs::read_to_string(&list).map_err(|source| Error::File {
        doing: "reading the list of migrations",
        path: list.clone(),
        source,
    })?;
    match registered(&source, id.as_str()) {
        Some(text) => {
            std::fs::write(&list, text).map_err(|source| Error::File {
                doing: "writing the list of migrations",
                path: list,
                source,
            })?;
            Ok(None)
        }
        None => Ok(Some(format!(
            "{} has no list that could be added to: add `mod {id};` and `Box::new({id}::Migration)` by hand",
            list.display()
        ))),
    }
}

/// The list with the revision added: `mod` after the last one of its kind, and the migration at the
/// end of the `vec![…]` in `fn migrations`.
fn registered(source: &str, id: &str) -> Option<String> {
    let function = source.find("fn migrations")?;
    let open = function + source[function..].find("vec![")? + "vec!".len();
    let close = open + matching_bracket(&source[open..])?;
    let before = source[open + 1..close].trim_end();
    let comma = if before.is_empty() || before.ends_with(',') {
        ""
    } else {
        ","
    };
    let list_end = open + 1 + before.len();
    let mut text = String::with_capacity(source.len() + 2 * id.len() + 64);
    text.push_str(&source[..list_end]);
    // Writing to a String can't fail.
    let _ = write!(
        text,
        "{comma}\n            Box::new({id}::Migration),\n        "
    );
    text.push_str(&source[close..]);
    let last_module = text
        .match_indices('\n')
        .map(|(at, _)| at + 1)
        .chain([0])
        .filter(|start| {
            let line = text[*start..].lines().next().unwrap_or_default();
            line.strip_prefix("mod m")
                .or_else(|| line.strip_prefix("pub mod m"))
                .is_some_and(|rest| rest.ends_with(';'))
        });
    let insert_at = match last_module.max() {
        Some(start) => {
            start
                + text[start..]
                    .find('\n')
                    .map_or(text.len() - start, |end| end + 1)
        }
        None => text
            .find("\npub struct")
            .or_else(|| text.find("\nstruct"))
            .map_or(0, |at| at + 1),
    };
    text.insert_str(insert_at, &format!("mod {id};\n"));
    Some(text)
}

/// Where the bracket that opens the text is closed; comments and strings do not count.
fn matching_bracket(text: &str) -> Option<usize> {
    let bytes = text.as_bytes();
    let (mut depth, mut at) = (0_usize, 0);
    while at < bytes.len() {
        match bytes[at] {
            b'/' if bytes.get(at + 1) == Some(&b'/') => {
                at += text[at..].find('\n').unwrap_or(text.len() - at);
                continue;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += text[at..].find("*/").map_or(text.len() - at, |end| end + 2);
                continue;
            }
            b'"' => {
                at += 1;
                while at < bytes.len() && bytes[at] != b'"' {
                    at += if bytes[at] == b'\\' { 2 } else { 1 };
                }
            }
            b'[' => depth += 1,
            b']' => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(at);
                }
            }
            _ => {}
        }
        at += 1;
    }
    None
}

impl Config {
    /// Where new revision files go.
    pub fn revisions_directory(&self) -> &PathBuf {
        &self.revisions_directory
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use stairway_plan::revision::Revision;

    fn graph(ids: &[&str]) -> RevisionGraph {
        let mut previous = None;
        let revisions = ids
            .iter()
            .map(|id| {
                let before: Option<RevisionId> = previous.replace(RevisionId::from(*id));
                Revision::new(*id, before)
            })
            .collect();
        RevisionGraph::new(revisions).unwrap()
    }

    fn request(message: &str) -> NewRevision {
        NewRevision {
            message: message.to_owned(),
            ..NewRevision::default()
        }
    }

    #[test]
    fn a_new_file_is_an_ordinary_migration_that_follows_the_head() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config {
            revisions_directory: directory.path().to_owned(),
            ..Config::default()
        };
        let graph = graph(&["m20260101_000000_one", "m20260102_000000_two"]);
        let created = create(&graph, &config, &request("Add  user preferences table")).unwrap();
        let source = std::fs::read_to_string(&created.path).unwrap();
        assert!(
            created
                .revision
                .as_str()
                .ends_with("_add_user_preferences_table")
        );
        assert_eq!(created.parents, [RevisionId::from("m20260102_000000_two")]);
        assert!(created.warnings.is_empty());
        assert!(
            source.starts_with(
                "//! Add user preferences table\n//!\n//! revises: m20260102_000000_two\n\nuse "
            ),
            "{source}"
        );
    }

    #[test]
    fn a_vague_message_is_taken_with_a_warning_and_an_empty_one_is_not() {
        let directory = tempfile::tempdir().unwrap();
        let config = Config {
            revisions_directory: directory.path().to_owned(),
            ..Config::default()
        };
        for message in ["update", "Fix", "changes", "misc fixes 2"] {
            assert_eq!(
                create(&graph(&[]), &config, &request(message))
                    .unwrap()
                    .warnings
                    .len(),
                1,
                "{message}"
            );
        }
        for message in ["", "  ", "…"] {
            create(&graph(&[]), &config, &request(message)).unwrap_err();
        }
    }

    #[test]
    fn a_name_sorts_after_all_that_are_there() {
        let now =
            NaiveDateTime::parse_from_str("2026-01-01 00:00:00", "%Y-%m-%d %H:%M:%S").unwrap();
        let ahead = graph(&["m20260101_000500_by_a_fast_clock"]);
        assert_eq!(new_id(&ahead, now, "x").as_str(), "m20260101_000501_x");
        assert_eq!(new_id(&graph(&[]), now, "x").as_str(), "m20260101_000000_x");
    }

    #[test]
    fn a_hand_written_list_gets_two_lines() {
        let source = "pub use sea_orm_migration::prelude::*;\n\nmod m1_one;\n\npub struct Migrator;\n\nimpl MigratorTrait for Migrator {\n    fn migrations() -> Vec<Box<dyn MigrationTrait>> {\n        vec![\n            Box::new(m1_one::Migration), // [first]\n        ]\n    }\n}\n// vec![not this]\n";
        let text = registered(source, "m2_two").unwrap();
        assert!(text.contains("mod m1_one;\nmod m2_two;\n"), "{text}");
        assert!(
            text.contains("Box::new(m2_two::Migration),\n        ]\n    }"),
            "{text}"
        );
        assert_eq!(registered("fn other() {}", "m2"), None);
    }
}
