//! The significant tokens of the SQL that catalogues keep as text.

use crate::sql::Dialect as SqlDialect;
use crate::sql::lexer::{self, Span, TokenKind};

use super::Dialect;

/// One token that means something: neither blank nor comment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Token<'a> {
    /// What it is.
    pub(super) kind: TokenKind,
    /// How it is written.
    pub(super) text: &'a str,
    /// Where it stands.
    pub(super) span: Span,
}

impl Token<'_> {
    /// Whether it is this keyword, in any case.
    pub(super) fn is_word(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it is this operator or punctuation.
    pub(super) fn is_sign(&self, sign: &str) -> bool {
        matches!(self.kind, TokenKind::Punctuation | TokenKind::Operator) && self.text == sign
    }

    /// The name that it stands for, if it can be a name.
    pub(super) fn name(&self) -> Option<String> {
        match self.kind {
            TokenKind::Word => Some(self.text.to_owned()),
            TokenKind::QuotedIdentifier | TokenKind::String => Some(unquote(self.text)),
            _ => None,
        }
    }
}

/// The significant tokens of a text, in order.
pub(super) fn significant(sql: &str, dialect: Dialect) -> Vec<Token<'_>> {
    let dialect = match dialect {
        Dialect::Postgres => SqlDialect::Postgres,
        Dialect::Mysql => SqlDialect::MySql,
        Dialect::Sqlite => SqlDialect::Sqlite,
    };
    lexer::tokens(sql, dialect)
        .filter(lexer::Token::is_significant)
        .map(|token| Token {
            kind: token.kind,
            text: token.text(sql),
            span: token.span,
        })
        .collect()
}

/// What stands between quotes, backticks or brackets, with doubled quotes made single. Escapes by
/// backslash stay as they are.
pub(super) fn unquote(text: &str) -> String {
    let Some(open) = text.chars().next() else {
        return String::new();
    };
    let close = match open {
        '[' => ']',
        '"' | '\'' | '`' => open,
        _ => return text.to_owned(),
    };
    let inner = &text[1..];
    let inner = inner.strip_suffix(close).unwrap_or(inner);
    if close == ']' {
        return inner.to_owned();
    }
    let mut doubled = String::with_capacity(2);
    doubled.push(close);
    doubled.push(close);
    inner.replace(&doubled, &doubled[1..])
}

/// The text with every comment and run of blanks made one space, and none at the ends.
pub(super) fn tidy(sql: &str, dialect: Dialect) -> String {
    let mut tidied = String::with_capacity(sql.len());
    let mut end = None;
    for token in significant(sql, dialect) {
        if end.is_some_and(|end| end < token.span.start) {
            tidied.push(' ');
        }
        tidied.push_str(token.text);
        end = Some(token.span.end);
    }
    tidied
}

/// The position of the `)` that closes the `(` at `open`.
pub(super) fn closing(tokens: &[Token<'_>], open: usize) -> Option<usize> {
    let mut depth = 0_usize;
    for (at, token) in tokens.iter().enumerate().skip(open) {
        if token.is_sign("(") {
            depth += 1;
        } else if token.is_sign(")") {
            depth = depth.checked_sub(1)?;
            if depth == 0 {
                return Some(at);
            }
        }
    }
    None
}

/// The tokens without parentheses that enclose all of them.
pub(super) fn without_outer_parentheses<'t, 'a>(mut tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    while tokens.len() >= 2
        && tokens[0].is_sign("(")
        && closing(tokens, 0) == Some(tokens.len() - 1)
    {
        tokens = &tokens[1..tokens.len() - 1];
    }
    tokens
}
