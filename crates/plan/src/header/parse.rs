//! From a module comment to what it says.

use super::error::{HeaderError, HeaderProblem};
use super::{Header, one_line};
use crate::revision::{LintAllowance, Phase, RevisionId, RowExpectation};

const KEYS: [&str; 7] = [
    "revises",
    "label",
    "depends-on",
    "replaces",
    "phase",
    "lint-allow",
    "expect-rows",
];

/// What a line is, seen by itself.
enum Line<'a> {
    Prose,
    Fence,
    Key { key: &'static str, value: &'a str },
    Misspelt { key: &'a str, known: &'static str },
}

pub(super) fn parse(module_comment: &str) -> Result<Header, HeaderError> {
    let mut header = Header::default();
    let mut in_code = false;
    let mut has_begun = false;
    for (index, line) in module_comment.lines().enumerate() {
        let line = one_line(line);
        if line.is_empty() {
            continue;
        }
        let is_first = !std::mem::replace(&mut has_begun, true);
        let read = match Line::of(&line) {
            Line::Fence => {
                in_code = !in_code;
                Ok(())
            }
            _ if in_code => Ok(()),
            Line::Prose => {
                if is_first {
                    header.message = Some(line.strip_prefix("# ").unwrap_or(&line).to_owned());
                }
                Ok(())
            }
            Line::Key { key, value } => header.read(key, value),
            Line::Misspelt { key, known } => Err(HeaderProblem::MisspeltKey {
                key: key.to_owned(),
                known,
            }),
        };
        read.map_err(|problem| HeaderError {
            path: None,
            line: index + 1,
            problem,
        })?;
    }
    Ok(header)
}

/// Whether a line says nothing to the parser.
pub(super) fn is_prose(line: &str) -> bool {
    matches!(Line::of(line), Line::Prose)
}

impl<'a> Line<'a> {
    fn of(line: &'a str) -> Self {
        if line.starts_with("```") || line.starts_with("~~~") {
            return Self::Fence;
        }
        let Some((word, value)) = line
            .split_once(':')
            .filter(|(_, rest)| !rest.starts_with(':'))
        else {
            return Self::Prose;
        };
        let word = word.trim_end();
        if let Some(key) = KEYS.into_iter().find(|&key| key == word) {
            return Self::Key {
                key,
                value: value.trim(),
            };
        }
        let lower = word.to_lowercase();
        let is_like = |key: &&str| strsim::osa_distance(&lower, key) <= 1;
        match KEYS.into_iter().find(is_like) {
            Some(known) => Self::Misspelt { key: word, known },
            None => Self::Prose,
        }
    }
}

impl Header {
    fn read(&mut self, key: &'static str, value: &str) -> Result<(), HeaderProblem> {
        if value.is_empty() {
            return Err(HeaderProblem::MissingValue { key });
        }
        match key {
            "revises" => self.read_parents(key, value)?,
            "label" => self.labels.extend(names(key, value)?.map(str::to_owned)),
            "depends-on" => self
                .depends_on
                .extend(names(key, value)?.map(RevisionId::from)),
            "replaces" => self
                .replaces
                .extend(names(key, value)?.map(RevisionId::from)),
            "phase" => once(key, &mut self.phase, phase(key, value)?)?,
            "expect-rows" => once(key, &mut self.expected_rows, rows(key, value)?)?,
            _ => self.lint_allow.push(allowance(value)?),
        }
        Ok(())
    }

    fn read_parents(&mut self, key: &'static str, value: &str) -> Result<(), HeaderProblem> {
        let is_base = |parents: &[RevisionId]| parents.is_empty();
        let named: Vec<RevisionId> = names(key, value)?.map(RevisionId::from).collect();
        let base = RevisionId::from("base");
        let named = if named == [base.clone()] {
            Vec::new()
        } else {
            named
        };
        let disagree = |before: &Vec<RevisionId>| is_base(before) != is_base(&named);
        if named.contains(&base) || self.revises.as_ref().is_some_and(disagree) {
            return Err(HeaderProblem::BaseWithParents);
        }
        self.revises.get_or_insert_default().extend(named);
        Ok(())
    }
}

fn once<T>(key: &'static str, place: &mut Option<T>, value: T) -> Result<(), HeaderProblem> {
    match place.replace(value) {
        None => Ok(()),
        Some(_) => Err(HeaderProblem::GivenTwice { key }),
    }
}

/// The names of a list; none is empty or has a space in it.
fn names<'a>(
    key: &'static str,
    value: &'a str,
) -> Result<impl Iterator<Item = &'a str>, HeaderProblem> {
    let names = || value.split(',').map(str::trim);
    for name in names() {
        if name.is_empty() {
            return Err(HeaderProblem::MissingValue { key });
        }
        if name.contains(char::is_whitespace) {
            return Err(HeaderProblem::SpaceInName {
                key,
                name: name.to_owned(),
            });
        }
    }
    Ok(names())
}

fn phase(key: &'static str, value: &str) -> Result<Phase, HeaderProblem> {
    let known = Phase::ALL.into_iter().find(|phase| phase.as_str() == value);
    known.ok_or_else(|| HeaderProblem::InvalidValue {
        key,
        value: value.to_owned(),
        expected: "`expand`, `backfill` or `contract`",
    })
}

fn allowance(value: &str) -> Result<LintAllowance, HeaderProblem> {
    let (code, reason) = value.split_once(char::is_whitespace).unwrap_or((value, ""));
    if reason.is_empty() {
        return Err(HeaderProblem::MissingReason {
            code: code.to_owned(),
        });
    }
    Ok(LintAllowance {
        code: code.to_owned(),
        reason: reason.to_owned(),
    })
}

fn rows(key: &'static str, value: &str) -> Result<RowExpectation, HeaderProblem> {
    let number = |text: &str| {
        let is_plain = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<u64>().ok().filter(|_| is_plain)
    };
    let (from, to) = match value.split_once("..") {
        None => (number(value), number(value).map(Some)),
        Some((from, "")) => (number(from), Some(None)),
        Some((from, to)) => (number(from), number(to).map(Some)),
    };
    let expected = from
        .zip(to)
        .map(|(at_least, at_most)| RowExpectation { at_least, at_most });
    expected
        .filter(|rows| rows.at_most.is_none_or(|most| rows.at_least <= most))
        .ok_or_else(|| HeaderProblem::InvalidValue {
            key,
            value: value.to_owned(),
            expected: "a number of rows: `10`, `10..` or `10..20`",
        })
}

pub(super) fn rows_text(rows: RowExpectation) -> String {
    let RowExpectation { at_least, at_most } = rows;
    match at_most {
        None => format!("{at_least}.."),
        Some(most) if most == at_least => most.to_string(),
        Some(most) => format!("{at_least}..{most}"),
    }
}
