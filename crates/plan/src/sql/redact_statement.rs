//! Statements without the secrets that they hold as literals.

use super::Dialect;
use super::lexer::{Token, TokenKind, tokens};
use super::redact::{MASK, names_secret, redact_settings, redact_url};

/// A statement without its secrets, for logs and the audit trail.
///
/// Masked are the literals after `PASSWORD`, `IDENTIFIED BY` and their like, those compared with or
/// assigned to anything whose name tells of a secret, literals and comments that hold a connection
/// string, a URL with a password or such a statement, and the same inside dollar quotes. The values
/// of an `INSERT` are told by their place only, and stay.
pub fn redact_statement(statement: &str, dialect: Dialect) -> String {
    redact(statement, dialect, 0)
}

/// Code in literals in code is looked into this deep; what lies deeper is masked as a whole.
const DEEPEST: u8 = 4;

/// What the tokens so far say about the next literal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Expected {
    Nothing,
    /// It is a secret.
    Secret,
    /// It is one after the next `=`: `SET PASSWORD FOR user = …`.
    SecretAfterEquals,
    /// All literals of the parenthesised group are, up to the parenthesis that closes this depth.
    Group(u64),
    /// All literals up to the next comma are: `IDENTIFIED WITH … BY …`.
    Clause,
}

fn redact(statement: &str, dialect: Dialect, depth: u8) -> String {
    let mut plain = String::with_capacity(statement.len());
    let mut expected = Expected::Nothing;
    let mut parentheses = 0_u64;
    let mut keyed = None;
    for token in tokens(statement, dialect) {
        let text = token.text(statement);
        match token.kind {
            TokenKind::String | TokenKind::DollarString => {
                push_literal(&mut plain, &token, text, expected, dialect, depth);
                if expected == Expected::Secret {
                    expected = Expected::Nothing;
                }
                continue;
            }
            TokenKind::LineComment | TokenKind::BlockComment => {
                push_comment(&mut plain, &token, text, dialect, depth);
                continue;
            }
            _ if expected == Expected::Secret && is_value(&token, text, keyed == Some(true)) => {
                push_mask(&mut plain);
                expected = Expected::Nothing;
                continue;
            }
            _ => plain.push_str(text),
        }
        if !token.is_significant() {
            continue;
        }
        // `PRAGMA key = …` and `ATTACH … KEY …` of encrypted SQLite files; elsewhere a key is none.
        let keyed = *keyed.get_or_insert_with(|| {
            ["pragma", "attach"]
                .iter()
                .any(|word| text.eq_ignore_ascii_case(word))
        });
        match text {
            "(" => parentheses = parentheses.saturating_add(1),
            ")" => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        expected = after(expected, &token, text, parentheses, keyed);
    }
    plain
}

/// Whether a token that is no string literal can be a secret's value.
fn is_value(token: &Token, text: &str, keyed: bool) -> bool {
    match token.kind {
        TokenKind::Number => true,
        // SQLite takes a quoted name for a string where nothing has that name.
        TokenKind::QuotedIdentifier => text.starts_with('"'),
        TokenKind::Word => keyed && !names_secret(text),
        _ => false,
    }
}

/// What is expected after a token that is no literal.
fn after(expected: Expected, token: &Token, text: &str, parentheses: u64, keyed: bool) -> Expected {
    let word = match token.kind {
        TokenKind::Word | TokenKind::QuotedIdentifier | TokenKind::Variable
        // A longer name is none of the words that matter, but may still tell of a secret.
            if text.len() <= 256 =>
        {
            text.to_ascii_lowercase()
        }
        _ => String::new(),
    };
    let is = |words: &[&str]| words.contains(&word.as_str());
    match expected {
        Expected::Clause if text == "," || text == ";" => return Expected::Nothing,
        Expected::Clause => return Expected::Clause,
        Expected::Group(depth) if text == ")" && parentheses < depth => return Expected::Nothing,
        Expected::Group(depth) => return Expected::Group(depth),
        Expected::SecretAfterEquals if text == "=" || text == ":=" => return Expected::Secret,
        Expected::SecretAfterEquals if text != "," && text != ";" => return expected,
        _ => {}
    }
    if is(&["identified"]) {
        return Expected::Clause;
    }
    if expected == Expected::Secret {
        if text == "(" {
            return Expected::Group(parentheses);
        }
        if is(&["for"]) {
            return Expected::SecretAfterEquals;
        }
        if token.kind == TokenKind::Operator || is(&["by", "as", "using", "in", "like"]) {
            return Expected::Secret;
        }
    }
    let is_key = is(&["key", "\"key\"", "`key`", "[key]"]);
    if !word.is_empty() && names_secret(&word) && (keyed || !is_key) {
        return Expected::Secret;
    }
    Expected::Nothing
}

fn push_literal(
    plain: &mut String,
    token: &Token,
    text: &str,
    expected: Expected,
    dialect: Dialect,
    depth: u8,
) {
    let is_secret = !matches!(expected, Expected::Nothing | Expected::SecretAfterEquals);
    if is_secret {
        push_mask(plain);
        return;
    }
    if token.kind == TokenKind::String {
        if hides_secret(&content(text), dialect, depth) {
            push_mask(plain);
        } else {
            plain.push_str(text);
        }
        return;
    }
    if depth >= DEEPEST {
        push_mask(plain);
        return;
    }
    let tag = text[1..].find('$').map_or(text.len(), |at| at + 2);
    let end = if token.closed {
        text.len() - tag
    } else {
        text.len()
    };
    plain.push_str(&text[..tag]);
    plain.push_str(&redact(&text[tag..end], dialect, depth + 1));
    plain.push_str(&text[end..]);
}

fn push_mask(plain: &mut String) {
    plain.push('\'');
    plain.push_str(MASK);
    plain.push('\'');
}

fn push_comment(plain: &mut String, token: &Token, text: &str, dialect: Dialect, depth: u8) {
    let inner = text.trim_start_matches(['-', '/', '*', '#']);
    if !hides_secret(inner, dialect, depth) {
        plain.push_str(text);
    } else if token.kind == TokenKind::LineComment {
        plain.push_str("-- ");
        plain.push_str(MASK);
    } else {
        // Without asterisks at its ends, which would be taken for those of the comment.
        plain.push_str("/* ");
        plain.push_str(MASK);
        plain.push_str(" */");
    }
}

/// The value of a string literal, nearly: enough to look for secrets in it.
fn content(literal: &str) -> String {
    let start = literal.find(['\'', '"']).map_or(0, |at| at + 1);
    literal[start..]
        .replace("\\'", "'")
        .replace("\\\"", "\"")
        .replace("''", "'")
        .replace("\"\"", "\"")
}

/// Whether a text holds a connection string, a URL, a JSON value or a statement with a secret.
fn hides_secret(text: &str, dialect: Dialect, depth: u8) -> bool {
    if text.contains("://") && redact_url(text) != text {
        return true;
    }
    let lower = text.to_ascii_lowercase();
    let telling = [
        "pass",
        "pwd",
        "secret",
        "token",
        "identified",
        "credential",
        "key",
    ];
    if !telling.iter().any(|word| lower.contains(word)) {
        return false;
    }
    if depth >= DEEPEST {
        return true;
    }
    let settings = ["pass", "pwd", "secret", "token", "credential"]
        .iter()
        .any(|word| lower.contains(word))
        && redact_settings(text) != text;
    settings || names_secret_in_json(text) || redact(text, dialect, depth + 1) != text
}

/// Whether a `"password": …` stands in the text.
fn names_secret_in_json(text: &str) -> bool {
    let mut name = "";
    for part in text.split('"') {
        if part.trim_start().starts_with(':') && name != "key" && names_secret(name) {
            return true;
        }
        name = part;
    }
    false
}
