//! Writing the Rust code that stands for a directory of revisions. Pure: text in, text out.

use std::fmt::Write as _;

use crate::fingerprint::fingerprint;

/// One revision file, read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RevisionFile {
    /// The file's name without `.rs`; usable as the name of a module.
    pub(crate) stem: String,
    /// Where the file lies, absolute, as the compiler is to read it.
    pub(crate) absolute_path: String,
    /// Where the file lies, relative to the crate's directory, with `/` between the parts.
    pub(crate) relative_path: String,
    /// What stands in the file.
    pub(crate) text: String,
}

/// The code for these revisions, which are in bytewise order of their stems already.
pub(crate) fn generate(revisions: &[RevisionFile]) -> String {
    let mut code = String::from("// Written by stairway-build. Changes here are lost.\n\n");
    for revision in revisions {
        code.push_str(&module(revision));
    }
    code.push_str(&migrator(revisions));
    code.push_str(&sources(revisions));
    code
}

fn module(revision: &RevisionFile) -> String {
    // The `pub struct Migration` that every SeaORM migration has can't be reached from outside the
    // crate because the module is private; and the ids in its module comment are no code.
    format!(
        "#[path = {path:?}]\n#[allow(unreachable_pub, clippy::doc_markdown)]\nmod {stem};\n\n",
        path = revision.absolute_path,
        stem = revision.stem,
    )
}

fn migrator(revisions: &[RevisionFile]) -> String {
    // A list of functions rather than one `vec!` of boxes, which would be built on the stack.
    let mut makers = String::new();
    for revision in revisions {
        let _ = writeln!(
            makers,
            "            || ::std::boxed::Box::new({}::Migration),",
            revision.stem
        );
    }
    format!(
        "\
/// The revisions that were found at build time, in name order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Migrator;

impl ::sea_orm_migration::MigratorTrait for Migrator {{
    fn migrations()
    -> ::std::vec::Vec<::std::boxed::Box<dyn ::sea_orm_migration::MigrationTrait>> {{
        const REVISIONS: &[fn() -> ::std::boxed::Box<dyn ::sea_orm_migration::MigrationTrait>] = &[
{makers}        ];
        REVISIONS.iter().map(|make| make()).collect()
    }}
}}

"
    )
}

fn sources(revisions: &[RevisionFile]) -> String {
    let mut entries = String::new();
    for revision in revisions {
        let _ = write!(
            entries,
            "    ::stairway_core::RevisionSource {{
        name: {name:?},
        module_comment: {comment:?},
        fingerprint: {fingerprint:?},
        path: {path:?},
    }},
",
            name = revision.stem,
            comment = module_comment(&revision.text),
            fingerprint = fingerprint(&revision.text),
            path = revision.relative_path,
        );
    }
    format!(
        "\
/// What each revision file says of itself, in the order of [`Migrator`].
pub static SOURCES: &[::stairway_core::RevisionSource] = &[
{entries}];

/// The revisions with their places in the graph, for Stairway. [`Migrator`] is the same list for
/// everything that knows plain migrations only.
#[derive(Clone, Copy, Debug)]
pub struct Revisions;

impl ::stairway_core::Project for Revisions {{
    fn migration_set() -> ::std::result::Result<::stairway_core::MigrationSet, ::stairway_core::MigrationSetError> {{
        ::stairway_core::MigrationSet::from_sources::<Migrator>(SOURCES)
    }}
}}
"
    )
}

/// The leading `//!` lines of a source text without the markers, joined by line feeds.
///
/// Empty lines, plain `//` comments (a licence, say) and one-line inner attributes may stand before
/// and between them; the first line that is anything else ends the module comment.
fn module_comment(text: &str) -> String {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut comment = Vec::new();
    for line in text.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("//!") {
            comment.push(words.strip_prefix(' ').unwrap_or(words));
        } else if !may_precede_module_comment(line) {
            break;
        }
    }
    comment.join("\n")
}

fn may_precede_module_comment(line: &str) -> bool {
    let is_plain_comment = line.starts_with("//") && !line.starts_with("///");
    let is_inner_attribute = line.starts_with("#![") && line.ends_with(']');
    line.is_empty() || is_plain_comment || is_inner_attribute
}

#[cfg(test)]
mod tests {
    use super::*;

    fn revision(stem: &str, text: &str) -> RevisionFile {
        RevisionFile {
            stem: stem.to_owned(),
            absolute_path: format!("/project/src/revisions/{stem}.rs"),
            relative_path: format!("src/revisions/{stem}.rs"),
            text: text.to_owned(),
        }
    }

    #[test]
    fn two_revisions_become_two_modules_a_migrator_and_two_sources() {
        let code = generate(&[
            revision("m1_users", "//! Create users\n"),
            revision(
                "m2_models",
                "//! Create models\n//!\n//! revises: m1_users\nuse x;\n",
            ),
        ]);
        let expected = r#"// Written by stairway-build. Changes here are lost.

#[path = "/project/src/revisions/m1_users.rs"]
#[allow(unreachable_pub, clippy::doc_markdown)]
mod m1_users;

#[path = "/project/src/revisions/m2_models.rs"]
#[allow(unreachable_pub, clippy::doc_markdown)]
mod m2_models;

/// The revisions that were found at build time, in name order.
#[derive(Clone, Copy, Debug, Default)]
pub struct Migrator;

impl ::sea_orm_migration::MigratorTrait for Migrator {
    fn migrations()
    -> ::std::vec::Vec<::std::boxed::Box<dyn ::sea_orm_migration::MigrationTrait>> {
        const REVISIONS: &[fn() -> ::std::boxed::Box<dyn ::sea_orm_migration::MigrationTrait>] = &[
            || ::std::boxed::Box::new(m1_users::Migration),
            || ::std::boxed::Box::new(m2_models::Migration),
        ];
        REVISIONS.iter().map(|make| make()).collect()
    }
}

/// What each revision file says of itself, in the order of [`Migrator`].
pub static SOURCES: &[::stairway_core::RevisionSource] = &[
    ::stairway_core::RevisionSource {
        name: "m1_users",
        module_comment: "Create users",
        fingerprint: "FIRST",
        path: "src/revisions/m1_users.rs",
    },
    ::stairway_core::RevisionSource {
        name: "m2_models",
        module_comment: "Create models\n\nrevises: m1_users",
        fingerprint: "SECOND",
        path: "src/revisions/m2_models.rs",
    },
];

/// The revisions with their places in the graph, for Stairway. [`Migrator`] is the same list for
/// everything that knows plain migrations only.
#[derive(Clone, Copy, Debug)]
pub struct Revisions;

impl ::stairway_core::Project for Revisions {
    fn migration_set() -> ::std::result::Result<::stairway_core::MigrationSet, ::stairway_core::MigrationSetError> {
        ::stairway_core::MigrationSet::from_sources::<Migrator>(SOURCES)
    }
}
"#
        .replace("FIRST", &fingerprint("//! Create users\n"))
        .replace(
            "SECOND",
            &fingerprint("//! Create models\n//!\n//! revises: m1_users\nuse x;\n"),
        );
        assert_eq!(code, expected);
    }

    #[test]
    fn no_revisions_make_an_empty_migrator() {
        let code = generate(&[]);
        assert!(code.contains("MigrationTrait>] = &[\n        ];"), "{code}");
        assert!(code.contains("RevisionSource] = &[\n];"), "{code}");
        assert!(!code.contains("mod "), "{code}");
    }

    #[test]
    fn quotes_backslashes_and_line_feeds_cannot_leave_their_string() {
        let mut odd = revision("m1", "//! say \"hi\" \\ { } \u{7}\n//! next\n");
        odd.absolute_path = r#"C:\a "b"\m1.rs"#.to_owned();
        let code = generate(&[odd]);
        assert!(code.contains(r#"#[path = "C:\\a \"b\"\\m1.rs"]"#), "{code}");
        assert!(
            code.contains(r#"module_comment: "say \"hi\" \\ { } \u{7}\nnext","#),
            "{code}"
        );
    }

    #[test]
    fn the_module_comment_is_the_leading_inner_doc_lines() {
        for (text, comment) in [
            ("", ""),
            ("use x;\n//! late\n", ""),
            ("/// of an item\nstruct X;\n", ""),
            (
                "//!no blank\r\n//!  two blanks  \r\nuse x;\r\n",
                "no blank\n two blanks",
            ),
            (
                "\u{feff}//! after a byte order mark\n",
                "after a byte order mark",
            ),
            (
                "// Licence\n\n#![allow(dead_code)]\n//! One\n// aside\n//! two\n\nuse x;\n//! no\n",
                "One\ntwo",
            ),
        ] {
            assert_eq!(module_comment(text), comment, "{text:?}");
        }
    }
}
