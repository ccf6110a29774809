//! Reading a directory of revision files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Component, Path, PathBuf};

use crate::generate::RevisionFile;

/// What stands in a directory of revisions.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Discovery {
    /// The revisions, in bytewise order of their stems.
    pub(crate) revisions: Vec<RevisionFile>,
    /// The directory and each revision file, as cargo is to watch them.
    pub(crate) watched: Vec<String>,
}

/// Reads every revision file of `directory`, which is relative to `manifest_directory`.
///
/// Returns every problem that was found, each in one line that says what to do.
pub(crate) fn read(manifest_directory: &Path, directory: &Path) -> Result<Discovery, Vec<String>> {
    let absolute = manifest_directory.join(directory);
    let watched_directory = watchable(&absolute).map_err(|problem| vec![problem])?;
    let entries = list(&absolute).map_err(|problem| vec![problem])?;

    let mut revisions = Vec::new();
    let mut problems = Vec::new();
    for path in entries {
        match read_entry(manifest_directory, &path) {
            Ok(revision) => revisions.extend(revision),
            Err(problem) => problems.push(problem),
        }
    }
    revisions.sort_by(|a, b| a.stem.cmp(&b.stem));
    problems.extend(names_that_differ_by_case(&revisions));
    if !problems.is_empty() {
        return Err(problems);
    }

    let files = revisions
        .iter()
        .map(|revision| revision.absolute_path.clone());
    let watched = std::iter::once(watched_directory).chain(files).collect();
    Ok(Discovery { revisions, watched })
}

/// The paths in a directory, sorted, so that problems come in the same order on every machine.
fn list(directory: &Path) -> Result<Vec<PathBuf>, String> {
    let unreadable = |error: std::io::Error| {
        format!(
            "the directory of revisions {} cannot be read: {error}; create it, or name the right one \
             in build.rs (an empty directory will do)",
            directory.display()
        )
    };
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(unreadable)? {
        paths.push(entry.map_err(unreadable)?.path());
    }
    paths.sort();
    Ok(paths)
}

/// Reads one entry of the directory; `None` when it is no revision.
fn read_entry(manifest_directory: &Path, path: &Path) -> Result<Option<RevisionFile>, String> {
    if path.is_dir() {
        return refuse_module_directory(path).map(|()| None);
    }
    if path.extension().is_none_or(|extension| extension != "rs") {
        return Ok(None);
    }
    let Some(stem) = path.file_stem().and_then(|stem| stem.to_str()) else {
        return Err(format!(
            "{} has a name that is not UTF-8; rename it",
            path.display()
        ));
    };
    // Editors and operating systems leave lock and metadata files such as `.#name.rs`.
    if stem == "mod" || stem.starts_with('.') {
        return Ok(None);
    }
    refuse_unusable_name(path, stem)?;
    let text = fs::read_to_string(path).map_err(|error| {
        format!(
            "the revision file {} cannot be read: {error}",
            path.display()
        )
    })?;
    Ok(Some(RevisionFile {
        stem: stem.to_owned(),
        absolute_path: watchable(path)?,
        relative_path: relative(manifest_directory, path),
        text,
    }))
}

/// A module can also be written as a directory with a `mod.rs`. Passing over one in silence would
/// lose a revision.
fn refuse_module_directory(path: &Path) -> Result<(), String> {
    if !path.join("mod.rs").is_file() || path.with_extension("rs").is_file() {
        return Ok(());
    }
    Err(format!(
        "{} holds a mod.rs, but a revision is one file: move it to {}",
        path.display(),
        path.with_extension("rs").display()
    ))
}

/// The stem becomes the name of a module beside `Migrator`.
fn refuse_unusable_name(path: &Path, stem: &str) -> Result<(), String> {
    let starts_well = stem.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    let is_identifier = starts_well
        && stem != "_"
        && stem
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let reason = if !is_identifier {
        "is no name for a Rust module: only ASCII letters, digits and _, and no digit first"
    } else if is_keyword(stem) {
        "is a keyword of Rust"
    } else if stem == "Migrator" {
        "is the name of the type that lists the revisions"
    } else {
        return Ok(());
    };
    Err(format!(
        "the revision file {} cannot be used: {stem:?} {reason}; rename it, for example to {}.rs",
        path.display(),
        better_name(stem)
    ))
}

/// A usable name close to an unusable one: `2026-add users` becomes `m2026_add_users`.
fn better_name(stem: &str) -> String {
    let words: Vec<&str> = stem
        .split(|character: char| !character.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
        .collect();
    let name = words.join("_");
    if name.starts_with(|first: char| first.is_ascii_digit()) {
        format!("m{name}")
    } else {
        format!("m_{name}")
    }
}

/// Keywords of every edition, and the words reserved to become some.
fn is_keyword(word: &str) -> bool {
    const KEYWORDS: &[&str] = &[
        "Self", "abstract", "as", "async", "await", "become", "box", "break", "const", "continue",
        "crate", "do", "dyn", "else", "enum", "extern", "false", "final", "fn", "for", "gen", "if",
        "impl", "in", "let", "loop", "macro", "match", "mod", "move", "mut", "override", "priv",
        "pub", "ref", "return", "self", "static", "struct", "super", "trait", "true", "try",
        "type", "typeof", "unsafe", "unsized", "use", "virtual", "where", "while", "yield",
    ];
    KEYWORDS.contains(&word)
}

/// Two files that only a case-sensitive file system can tell apart are one file elsewhere.
fn names_that_differ_by_case(revisions: &[RevisionFile]) -> Vec<String> {
    let mut by_lower_case: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for revision in revisions {
        by_lower_case
            .entry(revision.stem.to_lowercase())
            .or_default()
            .push(&revision.relative_path);
    }
    by_lower_case
        .into_values()
        .filter(|paths| paths.len() > 1)
        .map(|paths| {
            format!(
                "{} differ only by upper and lower case and would be one file on other systems; \
                 rename all but one",
                paths.join(" and ")
            )
        })
        .collect()
}

/// The path as text for cargo and the compiler.
fn watchable(path: &Path) -> Result<String, String> {
    match path.to_str() {
        // An instruction to cargo is one line.
        Some(text) if !text.contains(['\r', '\n']) => Ok(text.to_owned()),
        _ => Err(format!(
            "{} cannot be named to cargo: the path must be UTF-8 without line feeds; move the project",
            path.display()
        )),
    }
}

/// The path relative to the crate's directory, with `/` between the parts on every platform. A path
/// elsewhere stays absolute.
fn relative(manifest_directory: &Path, path: &Path) -> String {
    let path = path.strip_prefix(manifest_directory).unwrap_or(path);
    let mut text = String::new();
    for component in path.components() {
        match component {
            Component::RootDir => text.push('/'),
            Component::CurDir => {}
            Component::Prefix(_) | Component::ParentDir | Component::Normal(_) => {
                if !text.is_empty() && !text.ends_with('/') {
                    text.push('/');
                }
                text.push_str(&component.as_os_str().to_string_lossy());
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    /// A crate's directory with a `src/revisions`, removed at the end.
    struct Crate(PathBuf);

    impl Crate {
        fn new(files: &[&str]) -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let root = std::env::temp_dir().join(format!(
                "stairway-build-{}-{}",
                std::process::id(),
                COUNT.fetch_add(1, Ordering::Relaxed)
            ));
            let this = Self(root);
            fs::create_dir_all(this.revisions()).unwrap();
            for file in files {
                this.write(file, &format!("//! {file}\n"));
            }
            this
        }

        fn revisions(&self) -> PathBuf {
            self.0.join("src/revisions")
        }

        fn write(&self, file: &str, text: &str) {
            let path = self.revisions().join(file);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        }

        fn read(&self) -> Result<Discovery, Vec<String>> {
            read(&self.0, Path::new("src/revisions"))
        }

        /// The one problem of this crate, with the machine's own path taken out.
        fn problem(&self) -> String {
            let problems = self.read().unwrap_err();
            assert_eq!(problems.len(), 1, "{problems:?}");
            problems[0].replace(self.0.to_str().unwrap(), "")
        }
    }

    impl Drop for Crate {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn stems(discovery: &Discovery) -> Vec<&str> {
        discovery
            .revisions
            .iter()
            .map(|revision| revision.stem.as_str())
            .collect()
    }

    #[test]
    fn files_are_found_in_bytewise_order_and_others_are_passed_over() {
        let project = Crate::new(&[
            "m2_b.rs", "m10_c.rs", "m1_a.rs", "mZ.rs", "m_x.rs", "mod.rs", "notes.md", ".#m9.rs",
            "README",
        ]);
        fs::create_dir(project.revisions().join("fixtures")).unwrap();
        let found = project.read().unwrap();
        assert_eq!(stems(&found), ["m10_c", "m1_a", "m2_b", "mZ", "m_x"]);
        assert_eq!(found.revisions[1].relative_path, "src/revisions/m1_a.rs");
        assert_eq!(found.revisions[1].text, "//! m1_a.rs\n");
        assert!(Path::new(&found.revisions[1].absolute_path).is_absolute());
    }

    #[test]
    fn cargo_watches_the_directory_and_every_file() {
        let project = Crate::new(&["m1_a.rs", "notes.md"]);
        let directory = project.revisions();
        assert_eq!(
            project.read().unwrap().watched,
            [
                directory.to_str().unwrap(),
                directory.join("m1_a.rs").to_str().unwrap()
            ]
        );
    }

    #[test]
    fn an_empty_directory_is_no_problem() {
        let project = Crate::new(&[]);
        assert_eq!(project.read().unwrap().revisions, []);
    }

    #[test]
    fn a_missing_directory_is_named() {
        let project = Crate::new(&[]);
        fs::remove_dir(project.revisions()).unwrap();
        let problem = project.problem();
        assert!(
            problem.starts_with("the directory of revisions /src/revisions cannot be read: "),
            "{problem}"
        );
        assert!(
            problem.contains("create it, or name the right one in build.rs"),
            "{problem}"
        );
    }

    #[test]
    fn a_file_in_place_of_the_directory_is_a_problem() {
        let project = Crate::new(&[]);
        fs::remove_dir(project.revisions()).unwrap();
        fs::write(project.revisions(), "").unwrap();
        assert!(project.problem().contains("cannot be read: "));
    }

    #[test]
    fn a_name_that_is_no_module_is_refused_with_a_better_one() {
        for (file, better) in [
            ("20260101_users.rs", "m20260101_users.rs"),
            ("add-users.rs", "m_add_users.rs"),
            ("add users.v2.rs", "m_add_users_v2.rs"),
            ("type.rs", "m_type.rs"),
            ("Migrator.rs", "m_Migrator.rs"),
            ("_.rs", "m_.rs"),
        ] {
            let problem = Crate::new(&[file]).problem();
            assert!(
                problem.starts_with(&format!(
                    "the revision file /src/revisions/{file} cannot be used: "
                )),
                "{problem}"
            );
            assert!(
                problem.ends_with(&format!("rename it, for example to {better}")),
                "{problem}"
            );
            let better = better.strip_suffix(".rs").unwrap();
            assert_eq!(refuse_unusable_name(Path::new(file), better), Ok(()));
        }
    }

    #[test]
    fn a_file_that_is_not_text_is_named() {
        let project = Crate::new(&[]);
        fs::write(project.revisions().join("m1_a.rs"), [0xff, 0xfe]).unwrap();
        let problem = project.problem();
        assert!(
            problem.starts_with("the revision file /src/revisions/m1_a.rs cannot be read: "),
            "{problem}"
        );
    }

    #[test]
    fn a_revision_written_as_a_directory_is_not_lost_in_silence() {
        let project = Crate::new(&["m1_a/mod.rs"]);
        assert_eq!(
            project.problem(),
            "/src/revisions/m1_a holds a mod.rs, but a revision is one file: move it to \
             /src/revisions/m1_a.rs"
        );
    }

    #[test]
    fn names_that_differ_only_by_case_are_refused() {
        let revision = |stem: &str| RevisionFile {
            stem: stem.to_owned(),
            absolute_path: String::new(),
            relative_path: format!("src/revisions/{stem}.rs"),
            text: String::new(),
        };
        let revisions = [
            revision("m1_Users"),
            revision("m1_users"),
            revision("m2_users"),
        ];
        assert_eq!(
            names_that_differ_by_case(&revisions),
            [
                "src/revisions/m1_Users.rs and src/revisions/m1_users.rs differ only by upper and lower \
              case and would be one file on other systems; rename all but one"
            ]
        );
    }

    #[test]
    fn every_problem_is_reported_at_once() {
        let project = Crate::new(&["1.rs", "2.rs", "m3.rs"]);
        assert_eq!(project.read().unwrap_err().len(), 2);
    }

    #[test]
    fn a_directory_outside_the_crate_keeps_its_own_path() {
        assert_eq!(relative(Path::new("/a/b"), Path::new("/c/d.rs")), "/c/d.rs");
        assert_eq!(
            relative(Path::new("/a/b"), Path::new("/a/b/../d.rs")),
            "../d.rs"
        );
        assert_eq!(
            relative(Path::new("/a/b"), Path::new("/a/b/./c//d.rs")),
            "c/d.rs"
        );
    }
}
