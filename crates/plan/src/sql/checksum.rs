//! Whether a revision still emits the SQL that it emitted when it was applied.
//!
//! The checksum is taken of statements, not of source text, so that formatting, comments and line
//! ends do not matter. What a migration takes from the clock or from chance comes out different each
//! time, and would be a false alarm; so literals that look like it are left out. The price: an edit
//! that changes nothing but such a literal, say one date of this century into another, is not seen.
//! A name that the clock made, as in `backup_20260102`, is compared all the same.

use std::borrow::Cow;

use sha2::{Digest, Sha256};

use super::Dialect;
use super::fingerprint::hexadecimal;
use super::lexer::{Token, TokenKind, tokens};
use super::volatile::{is_hexadecimal, point_in_time, without_volatile};
use crate::history::Checksum;

/// The name of the algorithm of [`checksum`]. Whatever changes a digest needs another name, since
/// digests are kept in databases for years.
pub const ALGORITHM: &str = "sha256-statements-1";

/// The SQL that a revision emits now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendering {
    /// Its statements, in order.
    Statements(Vec<String>),
    /// It cannot be known without running it.
    Unavailable {
        /// Why, for a person: which statement reads the database, for example.
        reason: String,
    },
}

impl Rendering {
    /// What to keep beside the applied revision.
    pub fn checksum(&self, dialect: Dialect) -> Checksum {
        match self {
            Self::Statements(statements) => {
                checksum(statements.iter().map(String::as_str), dialect)
            }
            Self::Unavailable { reason } => Checksum::NotComparable {
                reason: reason.clone(),
            },
        }
    }
}

/// How a revision's SQL compares with what was applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Comparison {
    /// It is the same, as far as the checksum tells.
    Same,
    /// It was changed after it had been applied.
    Edited,
    /// It cannot be told, for this reason.
    NotComparable(String),
}

/// The checksum of a revision's statements.
///
/// Comments, the blanks between tokens, semicolons at ends, empty statements, byte order marks and
/// carriage returns before line feeds do not count; nor does whether statements come one by one or
/// in one string. The case of words without quotes counts in MySQL only, where that of names can
/// matter. Optimizer hints (`/*+ … */`) and MySQL's executable comments count. In literals, dollar
/// quotes included, these are left out: dates and times of the years 2001 to 2100 in the common
/// forms, times of day with seconds, UUIDs, salted password hashes, hexadecimal and random strings
/// from 16 characters on (from 20 where they have letters of one case only), and numbers that are
/// seconds, milliseconds, microseconds or nanoseconds since 1970, from September 2001 on.
pub fn checksum<'a>(statements: impl IntoIterator<Item = &'a str>, dialect: Dialect) -> Checksum {
    let mut digest = StatementDigest::default();
    for statement in statements {
        digest.add(statement, dialect);
    }
    digest.checksum()
}

/// The [`checksum`] of statements that come one after another.
#[derive(Clone, Debug, Default)]
pub struct StatementDigest(Sha256);

impl StatementDigest {
    /// Adds a statement.
    pub fn add(&mut self, statement: &str, dialect: Dialect) {
        let Self(digest) = self;
        let mut empty = true;
        for token in tokens(statement, dialect) {
            let text = token.text(statement);
            if text == ";" {
                end_statement(digest, &mut empty);
            } else if let Some(text) = compared(&token, text, dialect) {
                empty = false;
                digest.update([tag(token.kind)]);
                digest.update((text.len() as u64).to_le_bytes());
                digest.update(text.as_bytes());
            }
        }
        end_statement(digest, &mut empty);
    }

    /// The checksum of all that were added.
    pub fn checksum(&self) -> Checksum {
        Checksum::Digest {
            algorithm: ALGORITHM.to_owned(),
            digest: hexadecimal(&self.0.clone().finalize()),
        }
    }
}

/// Compares the checksum kept when a revision was applied with the SQL that it emits now.
///
/// A checksum by another algorithm than [`ALGORITHM`], an earlier or later Stairway's, is not
/// comparable; it never counts as edited.
pub fn compare(stored: &Checksum, rendered: &Rendering, dialect: Dialect) -> Comparison {
    let stored = match stored {
        Checksum::NotComparable { reason } => return Comparison::NotComparable(reason.clone()),
        Checksum::Digest { algorithm, .. } if algorithm != ALGORITHM => {
            return Comparison::NotComparable(format!(
                "its checksum was made with `{algorithm}`, this version compares `{ALGORITHM}`"
            ));
        }
        Checksum::Digest { digest, .. } => digest,
    };
    match rendered.checksum(dialect) {
        Checksum::NotComparable { reason } => Comparison::NotComparable(reason),
        Checksum::Digest { digest, .. } if digest == *stored => Comparison::Same,
        Checksum::Digest { .. } => Comparison::Edited,
    }
}

fn end_statement(digest: &mut Sha256, empty: &mut bool) {
    if !std::mem::replace(empty, true) {
        digest.update([u8::MAX]);
    }
}

/// What of a token counts; none of those that do not.
fn compared<'a>(token: &Token, text: &'a str, dialect: Dialect) -> Option<Cow<'a, str>> {
    Some(match token.kind {
        TokenKind::Whitespace | TokenKind::LineComment => return None,
        TokenKind::BlockComment if !text.starts_with("/*+") => return None,
        TokenKind::Word if dialect != Dialect::MySql => Cow::Owned(text.to_ascii_lowercase()),
        TokenKind::String | TokenKind::DollarString => {
            let text = text.replace("\r\n", "\n");
            Cow::Owned(without_volatile(&text).into_owned())
        }
        TokenKind::Number if is_volatile_number(text) => Cow::Borrowed("<number>"),
        _ => Cow::Borrowed(text),
    })
}

fn is_volatile_number(number: &str) -> bool {
    let bytes = number.as_bytes();
    match number.get(..2) {
        Some("0x" | "0X") => is_hexadecimal(&bytes[2..]),
        _ => point_in_time(bytes) == Some(bytes.len()),
    }
}

/// A token's kind in the digest. These never change.
fn tag(kind: TokenKind) -> u8 {
    match kind {
        TokenKind::Word => 1,
        TokenKind::QuotedIdentifier => 2,
        TokenKind::String => 3,
        TokenKind::DollarString => 4,
        TokenKind::Number => 5,
        TokenKind::Parameter => 6,
        TokenKind::Variable => 7,
        TokenKind::Operator => 8,
        TokenKind::Punctuation => 9,
        TokenKind::ExecutableCommentOpen => 10,
        TokenKind::ExecutableCommentClose => 11,
        TokenKind::BlockComment => 12,
        TokenKind::LineComment => 13,
        TokenKind::Whitespace => 14,
        TokenKind::Unknown => 15,
    }
}
