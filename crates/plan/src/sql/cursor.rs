//! Reading a statement's words and names, one after the other.

use super::Dialect;
use super::lexer::{Lexer, Token, TokenKind};
use super::statement::ObjectName;

/// A place between two significant tokens of a text. Cloning it is cheap, for looking ahead.
#[derive(Clone, Debug)]
pub(crate) struct Cursor<'a> {
    sql: &'a str,
    dialect: Dialect,
    lexer: Lexer<'a>,
    next: Option<Token>,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(sql: &'a str, dialect: Dialect) -> Self {
        let mut cursor = Self {
            sql,
            dialect,
            lexer: Lexer::new(sql, dialect),
            next: None,
        };
        cursor.advance();
        cursor
    }

    pub(crate) fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// Steps over the next token and returns it.
    pub(crate) fn advance(&mut self) -> Option<Token> {
        let token = self.next;
        self.next = self.lexer.by_ref().find(Token::is_significant);
        token
    }

    /// Whether the statement has no further token.
    pub(crate) fn at_end(&self) -> bool {
        self.next.is_none() || self.is(";")
    }

    pub(crate) fn kind(&self) -> Option<TokenKind> {
        self.next.map(|token| token.kind)
    }

    /// The next token's text; empty at the end.
    pub(crate) fn text(&self) -> &'a str {
        self.next.map_or("", |token| token.text(self.sql))
    }

    /// Whether the next token is this word or mark, whatever the case.
    pub(crate) fn is(&self, expected: &str) -> bool {
        self.next.is_some_and(|token| {
            matches!(
                token.kind,
                TokenKind::Word | TokenKind::Punctuation | TokenKind::Operator
            ) && token.text(self.sql).eq_ignore_ascii_case(expected)
        })
    }

    pub(crate) fn is_any(&self, expected: &[&str]) -> bool {
        expected.iter().any(|word| self.is(word))
    }

    /// Steps over the next token if it is this word or mark.
    pub(crate) fn take(&mut self, expected: &str) -> bool {
        let found = self.is(expected);
        if found {
            self.advance();
        }
        found
    }

    /// Steps over any of these words, as often as they come.
    pub(crate) fn skip(&mut self, words: &[&str]) {
        while self.is_any(words) {
            self.advance();
        }
    }

    /// Steps over these words if all of them follow.
    pub(crate) fn take_all(&mut self, words: &[&str]) -> bool {
        let mut ahead = self.clone();
        let found = words.iter().all(|word| ahead.take(word));
        if found {
            *self = ahead;
        }
        found
    }

    /// Whether the next token can name something.
    pub(crate) fn is_name(&self) -> bool {
        match self.kind() {
            Some(TokenKind::Word | TokenKind::QuotedIdentifier) => true,
            // `"name"` with MySQL's ANSI_QUOTES, and SQLite's leniency.
            Some(TokenKind::String) => self.dialect != Dialect::Postgres,
            _ => false,
        }
    }

    /// Steps over one name without its qualifiers.
    pub(crate) fn identifier(&mut self) -> Option<String> {
        if !self.is_name() {
            return None;
        }
        let token = self.advance()?;
        Some(plain_name(token.text(self.sql), token.kind, self.dialect))
    }

    /// Steps over a name, with qualifiers or without.
    pub(crate) fn name(&mut self) -> Option<ObjectName> {
        let mut name = self.identifier()?;
        let mut schema = None;
        while self.is(".") {
            self.advance();
            let Some(next) = self.identifier() else {
                break;
            };
            schema = Some(std::mem::replace(&mut name, next));
        }
        Some(ObjectName { schema, name })
    }

    /// Steps over names between commas; parenthesised lists and further words after a name, as in
    /// `f(int), g CASCADE`, are passed over.
    pub(crate) fn names(&mut self) -> Vec<ObjectName> {
        let mut names = Vec::new();
        loop {
            self.skip(&["only"]);
            names.extend(self.name());
            self.take("*");
            while !self.at_end() && !self.is(",") {
                self.step_over();
            }
            if !self.take(",") {
                return names;
            }
        }
    }

    /// Steps over one token, or over all of a parenthesised group.
    pub(crate) fn step_over(&mut self) {
        let mut depth = 0_u64;
        loop {
            if self.is("(") {
                depth += 1;
            } else if self.is(")") {
                depth = depth.saturating_sub(1);
            }
            if self.advance().is_none() || depth == 0 {
                return;
            }
        }
    }

    /// Steps to the first of these words outside parentheses; returns whether there is one.
    pub(crate) fn seek(&mut self, words: &[&str]) -> bool {
        while !self.at_end() {
            if self.is_any(words) {
                return true;
            }
            self.step_over();
        }
        false
    }
}

/// PostgreSQL cuts longer names (manual, "Identifiers and Key Words").
const LONGEST_POSTGRES_NAME: usize = 63;

/// A name as the catalogue holds it: without quotes, folded and cut as the database does.
fn plain_name(text: &str, kind: TokenKind, dialect: Dialect) -> String {
    let mut name = match kind {
        TokenKind::QuotedIdentifier | TokenKind::String => unquoted(text),
        _ if dialect == Dialect::Postgres => text.to_ascii_lowercase(),
        _ => text.to_owned(),
    };
    if dialect == Dialect::Postgres && name.len() > LONGEST_POSTGRES_NAME {
        let mut end = LONGEST_POSTGRES_NAME;
        while !name.is_char_boundary(end) {
            end -= 1;
        }
        name.truncate(end);
    }
    name
}

fn unquoted(text: &str) -> String {
    let unicode = text.starts_with(['u', 'U']) && text[1..].starts_with("&\"");
    let quoted = if unicode { &text[2..] } else { text };
    let mut characters = quoted.chars();
    let Some(open) = characters.next() else {
        return String::new();
    };
    let close = if open == '[' { ']' } else { open };
    let content = characters.as_str();
    let content = content.strip_suffix(close).unwrap_or(content);
    let doubled: String = [close, close].iter().collect();
    let name = content.replace(&doubled, close.encode_utf8(&mut [0; 4]));
    if unicode { unescaped(&name) } else { name }
}

/// Resolves `\0061` and `\+000061` of a `U&""` name; anything else stays as it is.
fn unescaped(name: &str) -> String {
    let mut plain = String::with_capacity(name.len());
    let mut rest = name;
    while let Some(at) = rest.find('\\') {
        plain.push_str(&rest[..at]);
        let after = &rest[at + 1..];
        let (skip, digits) = if after.starts_with('+') {
            (1, 6)
        } else {
            (0, 4)
        };
        let code = after
            .get(skip..skip + digits)
            .and_then(|code| u32::from_str_radix(code, 16).ok())
            .and_then(char::from_u32);
        if let Some(character) = code {
            plain.push(character);
            rest = &after[skip + digits..];
        } else {
            plain.push('\\');
            rest = after.strip_prefix('\\').unwrap_or(after);
        }
    }
    plain.push_str(rest);
    plain
}
