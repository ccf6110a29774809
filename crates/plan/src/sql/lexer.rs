//! SQL text cut into tokens that together are the text again.
//!
//! The lexer never fails: what a database would refuse (an unclosed quote, a stray control
//! character) still becomes a token. It assumes the databases' default modes: in PostgreSQL
//! `standard_conforming_strings` is on, in MySQL a backslash escapes and `"` quotes a string.

use super::Dialect;

/// A range of bytes in a text; both ends lie between characters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Span {
    /// Offset of the first byte.
    pub start: usize,
    /// Offset after the last byte.
    pub end: usize,
}

impl Span {
    /// The part of the text that the span covers; empty where the text is another one.
    pub fn text(self, sql: &str) -> &str {
        sql.get(self.start..self.end).unwrap_or("")
    }
}

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Blanks, line ends and byte order marks, which concatenated files have in the middle too.
    Whitespace,
    /// `-- …` or, in MySQL, `# …`, without the line end.
    LineComment,
    /// `/* … */`, nested in PostgreSQL.
    BlockComment,
    /// MySQL's `/*!50100` or MariaDB's `/*M!100100`: what follows is run by the server.
    ExecutableCommentOpen,
    /// The `*/` of an executable comment.
    ExecutableCommentClose,
    /// A keyword or an identifier without quotes.
    Word,
    /// An identifier in quotes, brackets or backticks.
    QuotedIdentifier,
    /// A string literal with its prefix (`E`, `N`, `B`, `X`, `U&`).
    String,
    /// PostgreSQL's `$tag$ … $tag$`.
    DollarString,
    /// A number.
    Number,
    /// A place for a bound value: `$1` in PostgreSQL, `?` in MySQL, `?1`, `:name`, `@name` and
    /// `$name` in SQLite.
    Parameter,
    /// MySQL's `@name` and `@@name`.
    Variable,
    /// One operator.
    Operator,
    /// One of `( ) [ ] { } , ; .`
    Punctuation,
    /// One character that means nothing in SQL.
    Unknown,
}

/// One token of a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// Where it stands.
    pub span: Span,
    /// Whether a quote or comment is closed; true of everything else.
    pub closed: bool,
}

impl Token {
    /// The token's text.
    pub fn text<'a>(&self, sql: &'a str) -> &'a str {
        self.span.text(sql)
    }

    /// Whether the database acts on it: neither blank nor comment nor comment mark.
    pub fn is_significant(&self) -> bool {
        !matches!(
            self.kind,
            TokenKind::Whitespace
                | TokenKind::LineComment
                | TokenKind::BlockComment
                | TokenKind::ExecutableCommentOpen
                | TokenKind::ExecutableCommentClose
        )
    }
}

/// All tokens of a text in order. Their spans touch and together cover the text.
pub fn tokens(sql: &str, dialect: Dialect) -> Lexer<'_> {
    Lexer::new(sql, dialect)
}

/// An iterator over the tokens of a text.
#[derive(Clone, Debug)]
pub struct Lexer<'a> {
    sql: &'a str,
    position: usize,
    dialect: Dialect,
    executable_depth: u32,
    /// Whether the last token, directly before the position, can be followed by `.name`.
    after_name: bool,
    /// Whether the last token was the `.` of a qualified name.
    after_dot: bool,
}

impl<'a> Lexer<'a> {
    /// A lexer at the start of a text.
    pub fn new(sql: &'a str, dialect: Dialect) -> Self {
        Self {
            sql,
            position: 0,
            dialect,
            executable_depth: 0,
            after_name: false,
            after_dot: false,
        }
    }

    /// The offset of the next token.
    pub fn position(&self) -> usize {
        self.position
    }

    /// Whether the position is inside a MySQL executable comment.
    pub fn in_executable_comment(&self) -> bool {
        self.executable_depth > 0
    }

    /// Goes on at another offset, outside any executable comment. An offset inside a character
    /// moves to its end.
    pub fn seek(&mut self, offset: usize) {
        let mut offset = offset.min(self.sql.len());
        while !self.sql.is_char_boundary(offset) {
            offset += 1;
        }
        self.position = offset;
        self.executable_depth = 0;
        self.after_name = false;
        self.after_dot = false;
    }

    fn scan(&mut self, rest: &str, first: char) -> (TokenKind, usize, bool) {
        use TokenKind as Kind;
        let bytes = rest.as_bytes();
        let second = bytes.get(1).copied();
        if is_blank(first) {
            let length = rest
                .char_indices()
                .skip(1)
                .find(|(_, c)| !is_blank(*c))
                .map_or(rest.len(), |(at, _)| at);
            return (Kind::Whitespace, length, true);
        }
        if let Some(length) = line_comment(rest, self.dialect) {
            return (Kind::LineComment, length, true);
        }
        if rest.starts_with("/*") {
            if let Some(length) = executable_open(rest, self.dialect) {
                self.executable_depth = self.executable_depth.saturating_add(1);
                return (Kind::ExecutableCommentOpen, length, true);
            }
            let (length, closed) = block_comment(rest, self.dialect);
            return (Kind::BlockComment, length, closed);
        }
        if self.executable_depth > 0 && rest.starts_with("*/") {
            self.executable_depth -= 1;
            return (Kind::ExecutableCommentClose, 2, true);
        }
        if let Some((kind, length, closed)) = quoted(rest, self.dialect) {
            return (kind, length, closed);
        }
        if self.after_dot && first.is_ascii_digit() && self.dialect == Dialect::MySql {
            return (Kind::Word, word_length(rest), true);
        }
        if is_word_start(first, self.dialect) {
            return (Kind::Word, word_length(rest), true);
        }
        let fraction = first == '.' && second.is_some_and(|c| c.is_ascii_digit());
        if first.is_ascii_digit() || (fraction && !self.after_name) {
            let length = number_length(rest);
            if self.dialect == Dialect::MySql && first != '.' {
                // A name may begin with digits there, as in `2fa_tokens`.
                let word = word_length(rest);
                if word > length {
                    return (Kind::Word, word, true);
                }
            }
            return (Kind::Number, length, true);
        }
        if let Some((kind, length)) = parameter(rest, self.dialect) {
            return (kind, length, true);
        }
        if matches!(first, '(' | ')' | '[' | ']' | '{' | '}' | ',' | ';' | '.') {
            return (Kind::Punctuation, 1, true);
        }
        if let Some(length) = operator_length(rest, self.dialect) {
            return (Kind::Operator, length, true);
        }
        (Kind::Unknown, first.len_utf8(), true)
    }
}

impl Iterator for Lexer<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        let sql = self.sql;
        let rest = sql.get(self.position..)?;
        let first = rest.chars().next()?;
        let (kind, length, closed) = self.scan(rest, first);
        let start = self.position;
        self.position += length;
        self.after_dot = kind == TokenKind::Punctuation && first == '.' && self.after_name;
        self.after_name = matches!(kind, TokenKind::Word | TokenKind::QuotedIdentifier);
        let span = Span {
            start,
            end: self.position,
        };
        Some(Token { kind, span, closed })
    }
}

/// The characters that only separate.
pub(crate) const BLANKS: [char; 7] = [' ', '\t', '\n', '\r', '\x0b', '\x0c', '\u{feff}'];

fn is_blank(c: char) -> bool {
    BLANKS.contains(&c)
}

fn is_word_start(c: char, dialect: Dialect) -> bool {
    c.is_ascii_alphabetic()
        || c == '_'
        || is_beyond_ascii(c)
        || (c == '$' && dialect == Dialect::MySql)
}

fn is_word_part(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '$') || is_beyond_ascii(c)
}

fn is_beyond_ascii(c: char) -> bool {
    !c.is_ascii() && !is_blank(c)
}

fn word_length(rest: &str) -> usize {
    rest.find(|c| !is_word_part(c)).unwrap_or(rest.len())
}

fn line_comment(rest: &str, dialect: Dialect) -> Option<usize> {
    let begins = match dialect {
        // Two dashes without a blank are two minus signs there.
        Dialect::MySql => {
            rest.starts_with('#')
                || rest.strip_prefix("--").is_some_and(|after| {
                    after
                        .chars()
                        .next()
                        .is_none_or(|c| is_blank(c) || c.is_ascii_control())
                })
        }
        Dialect::Postgres | Dialect::Sqlite => rest.starts_with("--"),
    };
    begins.then(|| {
        let end = match dialect {
            Dialect::Postgres => rest.find(['\n', '\r']),
            Dialect::MySql | Dialect::Sqlite => rest.find('\n'),
        };
        end.unwrap_or(rest.len())
    })
}

fn executable_open(rest: &str, dialect: Dialect) -> Option<usize> {
    if dialect != Dialect::MySql {
        return None;
    }
    let mark = ["/*!", "/*M!"].iter().find(|m| rest.starts_with(**m))?;
    let digits = rest[mark.len()..]
        .bytes()
        .take(6)
        .take_while(u8::is_ascii_digit)
        .count();
    // A version has five or six digits; fewer belong to the statement.
    if digits < 5 {
        return Some(mark.len());
    }
    let length = mark.len() + digits;
    // No server is of that version: dumps speak to the client program alone with it.
    let of_no_server = rest[mark.len()..length].bytes().all(|digit| digit == b'9');
    (!of_no_server).then_some(length)
}

fn block_comment(rest: &str, dialect: Dialect) -> (usize, bool) {
    if dialect != Dialect::Postgres {
        return match rest[2..].find("*/") {
            Some(at) => (at + 4, true),
            None => (rest.len(), false),
        };
    }
    let bytes = rest.as_bytes();
    let mut depth = 0_u64;
    let mut at = 0;
    while at + 1 < bytes.len() {
        match (bytes[at], bytes[at + 1]) {
            (b'/', b'*') => {
                depth += 1;
                at += 2;
            }
            (b'*', b'/') => {
                depth -= 1;
                at += 2;
                if depth == 0 {
                    return (at, true);
                }
            }
            _ => at += 1,
        }
    }
    (rest.len(), false)
}

/// A string or a quoted identifier at the start of the text, with its prefix.
fn quoted(rest: &str, dialect: Dialect) -> Option<(TokenKind, usize, bool)> {
    use TokenKind as Kind;
    let bytes = rest.as_bytes();
    let first = *bytes.first()?;
    match (first, dialect) {
        (b'\'', _) => {
            let escapes = dialect == Dialect::MySql;
            return Some(with_kind(
                Kind::String,
                until_quote(rest, 1, b'\'', escapes),
            ));
        }
        (b'"', Dialect::MySql) => {
            return Some(with_kind(Kind::String, until_quote(rest, 1, b'"', true)));
        }
        (b'"', _) => {
            let end = until_quote(rest, 1, b'"', false);
            return Some(with_kind(Kind::QuotedIdentifier, end));
        }
        (b'`', Dialect::MySql | Dialect::Sqlite) => {
            let end = until_quote(rest, 1, b'`', false);
            return Some(with_kind(Kind::QuotedIdentifier, end));
        }
        (b'[', Dialect::Sqlite) => {
            let end = match rest.find(']') {
                Some(at) => (at + 1, true),
                None => (rest.len(), false),
            };
            return Some(with_kind(Kind::QuotedIdentifier, end));
        }
        (b'$', Dialect::Postgres) => {
            let (length, closed) = dollar_string(rest)?;
            return Some((Kind::DollarString, length, closed));
        }
        _ => {}
    }
    let second = *bytes.get(1)?;
    if second == b'\'' {
        let prefix = first.to_ascii_lowercase();
        return match (prefix, dialect) {
            (b'e', Dialect::Postgres) => Some(with_kind(Kind::String, escape_string(rest))),
            (b'n' | b'b' | b'x', Dialect::Postgres) | (b'x', Dialect::Sqlite) => {
                Some(with_kind(Kind::String, until_quote(rest, 2, b'\'', false)))
            }
            (b'n' | b'b' | b'x', Dialect::MySql) => {
                Some(with_kind(Kind::String, until_quote(rest, 2, b'\'', true)))
            }
            _ => None,
        };
    }
    if dialect == Dialect::Postgres && first.eq_ignore_ascii_case(&b'u') && second == b'&' {
        return match bytes.get(2)? {
            b'\'' => Some(with_kind(Kind::String, until_quote(rest, 3, b'\'', false))),
            b'"' => {
                let end = until_quote(rest, 3, b'"', false);
                Some(with_kind(Kind::QuotedIdentifier, end))
            }
            _ => None,
        };
    }
    None
}

fn with_kind(kind: TokenKind, (length, closed): (usize, bool)) -> (TokenKind, usize, bool) {
    (kind, length, closed)
}

/// The length up to and with the closing quote; a doubled quote is part of the content.
fn until_quote(rest: &str, from: usize, quote: u8, backslash_escapes: bool) -> (usize, bool) {
    let bytes = rest.as_bytes();
    let mut at = from;
    while let Some(&byte) = bytes.get(at) {
        if byte == quote {
            if bytes.get(at + 1) == Some(&quote) {
                at += 2;
                continue;
            }
            return (at + 1, true);
        }
        if byte == b'\\' && backslash_escapes {
            // Step over the whole escaped character, so that the end stays between characters.
            at += 1 + rest[at + 1..].chars().next().map_or(0, char::len_utf8);
            continue;
        }
        at += 1;
    }
    (rest.len(), false)
}

/// PostgreSQL's `E'…'`. After a line end, a further quoted part continues it with escapes on.
fn escape_string(rest: &str) -> (usize, bool) {
    let (mut length, mut closed) = until_quote(rest, 2, b'\'', true);
    while closed {
        let Some(gap) = continuation_gap(&rest[length..]) else {
            break;
        };
        (length, closed) = until_quote(rest, length + gap + 1, b'\'', true);
    }
    (length, closed)
}

/// The length of blanks with a line end, and comments after it, up to a quote.
fn continuation_gap(rest: &str) -> Option<usize> {
    let bytes = rest.as_bytes();
    let mut line_end = false;
    let mut at = 0;
    loop {
        match bytes.get(at)? {
            b'\n' | b'\r' => {
                line_end = true;
                at += 1;
            }
            b' ' | b'\t' | 0x0b | 0x0c => at += 1,
            b'-' if bytes.get(at + 1) == Some(&b'-') => {
                at += rest[at..].find(['\n', '\r'])?;
            }
            b'\'' if line_end => return Some(at),
            _ => return None,
        }
    }
}

fn dollar_string(rest: &str) -> Option<(usize, bool)> {
    let tag_length = rest[1..].find('$')?;
    let tag = &rest[1..=tag_length];
    let tag_is_name = tag.chars().enumerate().all(|(index, c)| {
        c == '_'
            || is_beyond_ascii(c)
            || c.is_ascii_alphabetic()
            || (index > 0 && c.is_ascii_digit())
    });
    if !tag_is_name {
        return None;
    }
    let delimiter = &rest[..tag_length + 2];
    let from = delimiter.len();
    Some(match rest[from..].find(delimiter) {
        Some(at) => (from + at + delimiter.len(), true),
        None => (rest.len(), false),
    })
}

fn number_length(rest: &str) -> usize {
    let bytes = rest.as_bytes();
    let digits = |from: usize, accepts: fn(&u8) -> bool| {
        bytes[from..]
            .iter()
            .take_while(|b| accepts(b) || **b == b'_')
            .count()
    };
    if bytes[0] == b'0' {
        let accepts: Option<fn(&u8) -> bool> = match bytes.get(1) {
            Some(b'x' | b'X') => Some(u8::is_ascii_hexdigit),
            Some(b'o' | b'O') => Some(|b| (b'0'..=b'7').contains(b)),
            Some(b'b' | b'B') => Some(|b| matches!(b, b'0' | b'1')),
            _ => None,
        };
        if let Some(accepts) = accepts {
            let count = digits(2, accepts);
            if count > 0 {
                return 2 + count;
            }
        }
    }
    let mut at = digits(0, u8::is_ascii_digit);
    // `1..10` is a range, not the number `1.`
    if bytes.get(at) == Some(&b'.') && bytes.get(at + 1) != Some(&b'.') {
        at += 1;
        at += digits(at, u8::is_ascii_digit);
    }
    if matches!(bytes.get(at), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(at + 1), Some(b'+' | b'-')));
        if bytes.get(at + 1 + sign).is_some_and(u8::is_ascii_digit) {
            at += 1 + sign;
            at += digits(at, u8::is_ascii_digit);
        }
    }
    at
}

fn parameter(rest: &str, dialect: Dialect) -> Option<(TokenKind, usize)> {
    use TokenKind as Kind;
    let first = rest.chars().next()?;
    let after = &rest[1..];
    let digits = || after.bytes().take_while(u8::is_ascii_digit).count();
    match (dialect, first) {
        (Dialect::Postgres, '$') => (digits() > 0).then(|| (Kind::Parameter, 1 + digits())),
        (Dialect::MySql, '?') => Some((Kind::Parameter, 1)),
        (Dialect::Sqlite, '?') => Some((Kind::Parameter, 1 + digits())),
        (Dialect::Sqlite, ':' | '@' | '$') => {
            let length = word_length(after);
            (length > 0).then_some((Kind::Parameter, 1 + length))
        }
        (Dialect::MySql, '@') => {
            let marks = if after.starts_with('@') { 2 } else { 1 };
            let length = word_length(&rest[marks..]);
            (length > 0).then_some((Kind::Variable, marks + length))
        }
        _ => None,
    }
}

fn operator_length(rest: &str, dialect: Dialect) -> Option<usize> {
    match dialect {
        Dialect::Postgres => postgres_operator_length(rest),
        Dialect::MySql => known_operator_length(
            rest,
            &[
                "->>", "<=>", "->", ":=", "&&", "||", "<<", ">>", "<=", ">=", "<>", "!=",
            ],
            "+-*/<>=!%^&|~:@",
        ),
        Dialect::Sqlite => known_operator_length(
            rest,
            &["->>", "->", "||", "<<", ">>", "<=", ">=", "<>", "!=", "=="],
            "+-*/<>=!%&|~:",
        ),
    }
}

fn known_operator_length(rest: &str, long: &[&str], single: &str) -> Option<usize> {
    if let Some(operator) = long.iter().find(|o| rest.starts_with(**o)) {
        return Some(operator.len());
    }
    let first = rest.chars().next()?;
    single.contains(first).then_some(1)
}

/// PostgreSQL takes the longest run of operator characters, less a trailing sign (manual, "Lexical
/// Structure", "Operators"), so that `a=-1` compares with minus one.
fn postgres_operator_length(rest: &str) -> Option<usize> {
    if rest.starts_with("::") || rest.starts_with(":=") {
        return Some(2);
    }
    if rest.starts_with(':') {
        return Some(1);
    }
    let bytes = rest.as_bytes();
    let mut length = 0;
    while let Some(&byte) = bytes.get(length) {
        let next = bytes.get(length + 1);
        let comment =
            (byte == b'-' && next == Some(&b'-')) || (byte == b'/' && next == Some(&b'*'));
        if comment || !b"+-*/<>=~!@#%^&|`?".contains(&byte) {
            break;
        }
        length += 1;
    }
    if length == 0 {
        return None;
    }
    if !bytes[..length].iter().any(|b| b"~!@#%^&|`?".contains(b)) {
        while length > 1 && matches!(bytes[length - 1], b'+' | b'-') {
            length -= 1;
        }
    }
    Some(length)
}
