//! The operator's pages: each section's state is brought about on real servers, and in it each of the
//! section's commands is run as it is shown and prints what is shown.

mod beside;
mod kubernetes;
mod states;
mod stopped;

use std::collections::BTreeSet;

use stairway_tests::{Backend, TestDatabase, has_programs, on_each_backend};

use super::files_below;
use crate::pages::{Section, Shell, headings, read};

/// Where the pages are.
const DIRECTORY: &str = "docs/operations";

/// Databases that have users and listen to the network.
const SERVERS: &[Backend] = &[Backend::Postgres, Backend::MySql];

/// One test for each section of a page: on an empty database of each of these kinds the function brings
/// about the state, and runs the section's commands one after the other. The test fails where the page
/// shows another command next, or one more at the end.
macro_rules! sections {
    ($($page:literal, $heading:literal on $backends:expr => $module:ident::$name:ident;)*) => {
        /// The sections that show commands: the page and the heading.
        pub(super) const SECTIONS: &[(&str, &str)] = &[$(($page, $heading)),*];

        $(
            #[test]
            fn $name() {
                walk($page, $heading, $backends, $module::$name);
            }
        )*
    };
}

sections! {
    "docs/operations/runbook.md", "Runbook" on Backend::ALL => states::anywhere;
    "docs/operations/runbook.md", "Behind" on Backend::ALL => states::behind;
    "docs/operations/runbook.md", "Ahead" on Backend::ALL => states::ahead;
    "docs/operations/runbook.md", "Diverged" on Backend::ALL => states::diverged;
    "docs/operations/runbook.md", "Interrupted" on [Backend::MySql] => stopped::interrupted;
    "docs/operations/runbook.md", "Edited" on Backend::ALL => states::edited;
    "docs/operations/runbook.md", "Lock held" on [Backend::Postgres] => stopped::lock_held;
    "docs/operations/runbook.md", "Unreachable" on [Backend::Postgres] => states::unreachable;
    "docs/operations/runbook.md", "Refused" on SERVERS => states::refused;
    "docs/operations/runbook.md", "Backup failed" on Backend::ALL => stopped::backup_failed;
    "docs/operations/runbook.md", "Step failed: PostgreSQL" on [Backend::Postgres] => stopped::step_failed_on_postgres;
    "docs/operations/runbook.md", "Step failed: MySQL" on [Backend::MySql] => stopped::step_failed_on_mysql;
    "docs/operations/runbook.md", "Pooler" on [Backend::Postgres] => stopped::pooler;
    "docs/operations/README.md", "Three ways to deploy" on [Backend::Postgres] => beside::three_ways_to_deploy;
    "docs/operations/README.md", "Docker Compose" on [Backend::Postgres] => beside::docker_compose;
    "docs/operations/alerts.md", "Alerts" on [Backend::Sqlite] => beside::alerts;
    "docs/server.md", "The server" on [Backend::Sqlite] => beside::the_server;
}

fn walk(
    page: &str,
    heading: &str,
    backends: impl AsRef<[Backend]> + Sync,
    test: impl Fn(&mut Section, &TestDatabase) + Sync,
) {
    // `script` is a terminal, for commands that ask.
    if !has_programs(&["bash", "script"]) {
        return;
    }
    on_each_backend(|database| {
        if backends.as_ref().contains(&database.backend()) {
            let mut section = Section::of(page, heading);
            test(&mut section, &database);
            section.end();
        }
    });
}

#[test]
fn every_section_with_commands_has_its_test() {
    let mut shown = BTreeSet::new();
    for page in files_below(DIRECTORY, ".md") {
        let headings = headings(&page).into_iter();
        shown.extend(headings.map(|heading| (page.clone(), heading)));
    }
    let tested: BTreeSet<_> = SECTIONS
        .iter()
        .filter(|(page, _)| page.starts_with(DIRECTORY))
        .map(|(page, heading)| ((*page).to_owned(), (*heading).to_owned()))
        .collect();
    assert_eq!(shown, tested);
}

/// What stands between two backquotes in the text of all pages, outside of blocks.
fn spans() -> BTreeSet<String> {
    let mut pages = files_below("docs", ".md");
    pages.push("README.md".to_owned());
    let mut spans = BTreeSet::new();
    for page in pages {
        let mut is_text = true;
        for line in read(&page).lines() {
            if line.trim_start().starts_with("```") {
                is_text = !is_text;
            } else if is_text {
                spans.extend(line.split('`').skip(1).step_by(2).map(str::to_owned));
            }
        }
    }
    spans
}

/// Such a command is named and not shown: it often has words that stand for others, so it is not run.
#[test]
fn every_command_that_a_page_names_in_its_text_exists_with_its_options() {
    let spans = spans();
    let commands = spans.iter().flat_map(|span| span.split(" && "));
    let calls: Vec<_> = commands
        .filter(|command| command.starts_with("stairway "))
        .collect();
    assert!(calls.len() > 25, "{calls:?}");
    let shell = Shell::new();
    for call in calls {
        match call {
            "stairway help COMMAND" => shell.prepare("stairway help status"),
            // Whatever stands before `--help` has been understood when the help is shown.
            _ => shell.prepare(&format!("{call} --help")),
        };
    }
}
