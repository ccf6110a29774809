//! One migration and its place in the graph.

use std::borrow::Borrow;
use std::fmt;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// The identity of a revision: its migration name, for example `m20260102_120000_add_users`.
///
/// Cloning is cheap. Ordering is bytewise, never by locale.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct RevisionId(Arc<str>);

impl RevisionId {
    /// Makes an id from a migration name, which is taken as it is.
    pub fn new(name: impl AsRef<str>) -> Self {
        Self(Arc::from(name.as_ref()))
    }

    /// The migration name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for RevisionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for RevisionId {
    fn from(name: &str) -> Self {
        Self::new(name)
    }
}

impl From<String> for RevisionId {
    fn from(name: String) -> Self {
        Self::new(name)
    }
}

impl From<RevisionId> for String {
    fn from(id: RevisionId) -> Self {
        id.as_str().to_owned()
    }
}

impl Borrow<str> for RevisionId {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl AsRef<str> for RevisionId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What Stairway knows of one revision without running it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Revision {
    /// The migration name.
    pub id: RevisionId,
    /// One line for people: the module comment's first line, or the id's words.
    pub message: String,
    /// The revisions that this one follows (`revises:`). Empty for a base.
    pub parents: Vec<RevisionId>,
    /// Revisions that must be applied first without being parents (`depends-on:`).
    pub depends_on: Vec<RevisionId>,
    /// Names that stand for the branch which starts here (`label:`).
    pub branch_labels: Vec<String>,
    /// Revisions that this one stands in for after a squash (`replaces:`).
    pub replaces: Vec<RevisionId>,
    /// Where in an expand/contract deployment it belongs (`phase:`).
    pub phase: Option<Phase>,
    /// Lint rules switched off for this revision, with the reason given (`lint-allow:`).
    pub lint_allow: Vec<LintAllowance>,
    /// Rows that the revision's data statements must change in all, if stated (`expect-rows:`).
    pub expected_rows: Option<RowExpectation>,
    /// A fingerprint of the source text, when the revision was found by the build script.
    pub source_fingerprint: Option<String>,
    /// Where the source file lies, relative to its crate, when it was found by the build script.
    pub source_path: Option<String>,
}

impl Revision {
    /// A revision with nothing but an id and parents; the message is made from the id.
    pub fn new(id: impl Into<RevisionId>, parents: impl IntoIterator<Item = RevisionId>) -> Self {
        let id = id.into();
        Self {
            message: message_from_id(id.as_str()),
            id,
            parents: parents.into_iter().collect(),
            depends_on: Vec::new(),
            branch_labels: Vec::new(),
            replaces: Vec::new(),
            phase: None,
            lint_allow: Vec::new(),
            expected_rows: None,
            source_fingerprint: None,
            source_path: None,
        }
    }
}

/// Where a revision belongs in a deployment that keeps two versions of the application alive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Before the new application version: only adds.
    Expand,
    /// Moves data between the old and the new form.
    Backfill,
    /// After the old application version is gone: removes.
    Contract,
}

impl Phase {
    /// Every phase, in the order of a deployment.
    pub const ALL: [Self; 3] = [Self::Expand, Self::Backfill, Self::Contract];

    /// The phase's name in module comments and JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Expand => "expand",
            Self::Backfill => "backfill",
            Self::Contract => "contract",
        }
    }
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A lint rule that a revision switches off, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LintAllowance {
    /// The rule's code.
    pub code: String,
    /// The reason, which is required.
    pub reason: String,
}

/// How many rows a revision says that its data statements change (inclusive bounds).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RowExpectation {
    /// At least this many.
    pub at_least: u64,
    /// At most this many; unbounded when absent.
    pub at_most: Option<u64>,
}

/// Words from a migration name: what stands in front of them is dropped, `_` become spaces.
pub(crate) fn message_from_id(id: &str) -> String {
    let mut message = String::with_capacity(id.len());
    for word in without_stamp(id).split('_').filter(|word| !word.is_empty()) {
        if !message.is_empty() {
            message.push(' ');
        }
        message.push_str(word);
    }
    if message.is_empty() {
        id.clone_into(&mut message);
    }
    message
}

/// The part of a migration name that a person chose: without the leading `m`, date and time. A name
/// that is nothing else is kept whole.
pub(crate) fn without_stamp(id: &str) -> &str {
    let is_digits = |word: &str| !word.is_empty() && word.bytes().all(|b| b.is_ascii_digit());
    let mut rest = id.strip_prefix('m').unwrap_or(id);
    for _ in 0..2 {
        match rest.split_once('_') {
            Some((stamp, words)) if is_digits(stamp) => rest = words,
            _ => break,
        }
    }
    let is_only_stamp = rest
        .split('_')
        .all(|word| word.is_empty() || is_digits(word));
    let had_stamp = rest.len() + 1 < id.len();
    if had_stamp && !is_only_stamp {
        rest
    } else {
        id
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_made_from_what_a_person_chose_of_the_name() {
        for (id, message) in [
            ("m20260102_120000_add_users", "add users"),
            ("20260102_add_users", "add users"),
            ("0001_initial", "initial"),
            ("m1_users", "users"),
            ("add__users_", "add users"),
            ("merge", "merge"),
            ("m20260102_120000", "m20260102 120000"),
            ("m_add", "m add"),
            ("v2_2024_report", "v2 2024 report"),
            ("m1_2_3_go", "3 go"),
            ("_", "_"),
            ("日本語_表", "日本語 表"),
        ] {
            assert_eq!(message_from_id(id), message, "{id}");
        }
    }

    #[test]
    fn an_id_is_its_text_wherever_it_is_written() {
        let id = RevisionId::new("m1_users");
        assert_eq!(id.to_string(), "m1_users");
        assert_eq!(serde_json::to_string(&id).unwrap(), "\"m1_users\"");
        assert_eq!(
            serde_json::from_str::<RevisionId>("\"m1_users\"").unwrap(),
            id
        );
    }
}
