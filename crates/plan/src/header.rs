//! What a revision file says of itself in its module comment.
//!
//! The first line is the message. After it, lines of the form `key: value` place the revision in the
//! graph; everything else is prose for people. See [`Header`] for the keys.

mod error;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt::Write as _;

pub use error::{HeaderError, HeaderProblem};

use crate::listing::steers;
use crate::revision::{LintAllowance, Phase, Revision, RevisionId, RowExpectation};

/// One revision file as the build script found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RevisionSource {
    /// The migration name, which is the file's stem.
    pub name: &'static str,
    /// The file's leading `//!` lines without the markers, joined by line feeds.
    pub module_comment: &'static str,
    /// A fingerprint of the normalised source text, `algorithm:hex`.
    pub fingerprint: &'static str,
    /// The file's path relative to its crate's directory, with `/` between the parts.
    pub path: &'static str,
}

/// What a module comment says.
///
/// ```text
/// Add user preferences table
///
/// revises: m20260101_090000_create_users     parents, or `base`
/// label: preferences                         names for the branch that starts here
/// depends-on: m20260101_120000_add_teams     must be applied first without being parents
/// replaces: m20250101_000000_first           stands in for these after a squash
/// phase: expand                              or `backfill`, `contract`
/// lint-allow: CODE why the rule is wrong here
/// expect-rows: 10..20                        rows that data statements change; or `10`, `10..`
/// ```
///
/// Lists are separated by commas. Lists and `lint-allow` may stand on several lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Header {
    /// The first line that is not empty, without the `#` of a heading.
    pub message: Option<String>,
    /// The parents; empty for `base`, absent if the comment does not say.
    pub revises: Option<Vec<RevisionId>>,
    /// The branch labels.
    pub labels: Vec<String>,
    /// The dependencies, each an id or a branch label.
    pub depends_on: Vec<RevisionId>,
    /// What the revision stands in for.
    pub replaces: Vec<RevisionId>,
    /// Where in a deployment it belongs.
    pub phase: Option<Phase>,
    /// Lint rules switched off.
    pub lint_allow: Vec<LintAllowance>,
    /// How many rows its data statements change.
    pub expected_rows: Option<RowExpectation>,
}

impl Header {
    /// Reads a module comment, without the `//!` in front of its lines.
    ///
    /// Prose is passed over, and so is code between fences. A line that begins with a key but for its
    /// case or one letter is an error, since it would otherwise say nothing without a word.
    ///
    /// # Errors
    /// The first line that can't be what it seems to be.
    pub fn parse(module_comment: &str) -> Result<Self, HeaderError> {
        parse::parse(module_comment)
    }

    /// The module comment that says this, each line with its `//!` and a line feed.
    ///
    /// Line breaks and surplus spaces in texts become single spaces. Names must be without commas and
    /// spaces, as they are wherever they come from a comment.
    pub fn render(&self) -> String {
        let mut lines = String::new();
        let mut line = |text: String| {
            // Writing to a string does not fail.
            let _ = writeln!(lines, "//! {text}");
        };
        if let Some(message) = self
            .message
            .as_deref()
            .map(one_line)
            .filter(|m| !m.is_empty())
        {
            let reads_otherwise = message.starts_with('#') || !parse::is_prose(&message);
            line(if reads_otherwise {
                format!("# {message}")
            } else {
                message
            });
        }
        let keys = self.keys();
        if !keys.is_empty() && !lines.is_empty() {
            lines.push_str("//!\n");
        }
        for (key, value) in keys {
            let _ = writeln!(lines, "//! {key}: {value}");
        }
        lines
    }

    fn keys(&self) -> Vec<(&'static str, String)> {
        let mut keys = Vec::new();
        let list = |ids: &[RevisionId]| {
            ids.iter()
                .map(RevisionId::as_str)
                .collect::<Vec<_>>()
                .join(", ")
        };
        match self.revises.as_deref() {
            None => {}
            Some([]) => keys.push(("revises", "base".to_owned())),
            Some(parents) => keys.push(("revises", list(parents))),
        }
        if !self.labels.is_empty() {
            keys.push(("label", self.labels.join(", ")));
        }
        for (key, ids) in [
            ("depends-on", &self.depends_on),
            ("replaces", &self.replaces),
        ] {
            if !ids.is_empty() {
                keys.push((key, list(ids)));
            }
        }
        if let Some(phase) = self.phase {
            keys.push(("phase", phase.to_string()));
        }
        for LintAllowance { code, reason } in &self.lint_allow {
            keys.push(("lint-allow", format!("{code} {}", one_line(reason))));
        }
        if let Some(rows) = self.expected_rows {
            keys.push(("expect-rows", parse::rows_text(rows)));
        }
        keys
    }
}

/// One space in place of all space between words, and of what no comment may contain.
fn one_line(text: &str) -> String {
    let words = text.split(|c: char| c.is_whitespace() || steers(c));
    let words: Vec<&str> = words.filter(|word| !word.is_empty()).collect();
    words.join(" ")
}

/// Makes revisions of the files that a build script found.
///
/// The order of `sources` does not matter: they are taken in the bytewise order of their names. A
/// file that does not say what it revises follows the one before it in that order.
///
/// # Errors
/// The first module comment that can't be read, with its path.
pub fn revisions_from_sources(sources: &[RevisionSource]) -> Result<Vec<Revision>, HeaderError> {
    let mut sources: Vec<&RevisionSource> = sources.iter().collect();
    sources.sort_by_key(|source| source.name);
    let mut revisions: Vec<Revision> = Vec::with_capacity(sources.len());
    for source in sources {
        let header =
            Header::parse(source.module_comment).map_err(|error| error.in_file(source.path))?;
        let before = revisions.last().map(|revision| revision.id.clone());
        let parents = header
            .revises
            .unwrap_or_else(|| before.into_iter().collect());
        let named = Revision::new(source.name, parents);
        revisions.push(Revision {
            message: header.message.unwrap_or_else(|| named.message.clone()),
            depends_on: header.depends_on,
            branch_labels: header.labels,
            replaces: header.replaces,
            phase: header.phase,
            lint_allow: header.lint_allow,
            expected_rows: header.expected_rows,
            source_fingerprint: Some(source.fingerprint.to_owned()),
            source_path: Some(source.path.to_owned()),
            ..named
        });
    }
    Ok(revisions)
}
