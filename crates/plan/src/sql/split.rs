//! A script cut into its statements.

use super::Dialect;
use super::body::BodyTracker;
use super::lexer::{BLANKS, Lexer, Span, Token, TokenKind};

/// One statement of a script.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatementText<'a> {
    /// The statement without its terminator, with the comments that precede it, trimmed.
    pub text: &'a str,
    /// The line of its first word, not of a comment before it. The first line is 1.
    pub start_line: usize,
    /// Where `text` stands in the script.
    pub span: Span,
    /// What is to be done with it.
    pub kind: TextKind,
}

/// What a piece of a script is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TextKind {
    /// A statement for the server.
    Sql,
    /// PostgreSQL's `COPY … FROM stdin`. The rows that follow it in the script are not part of the
    /// text; they can only be sent with the copy protocol.
    CopyFromStdin {
        /// The rows, without the closing `\.`; empty where none follow.
        data: Span,
    },
    /// A command for a client program, which no server understands: psql's `\restrict`, the SQLite
    /// shell's `.mode`.
    ClientCommand,
}

/// Cuts a script into its statements.
///
/// A semicolon inside quotes, comments, PostgreSQL's `BEGIN ATOMIC` bodies, and the bodies of stored
/// programs in MySQL and triggers in SQLite does not end a statement. MySQL's `DELIMITER` is
/// followed and left out, and so is a line of dashes where a statement would begin; where a delimiter is set, the body of a stored program reaches up to it, while
/// other statements still end at a semicolon too. Pieces that hold nothing but comments are dropped.
/// An unclosed quote or body reaches to the end of the script.
///
/// Splitting a returned text again gives that text, except for a stored program of MySQL whose end
/// only its delimiter showed.
pub fn split(sql: &str, dialect: Dialect) -> Vec<StatementText<'_>> {
    let mut splitter = Splitter {
        sql,
        dialect,
        lexer: Lexer::new(sql, dialect),
        delimiter: None,
        piece: Piece::new(dialect),
        pieces: Vec::new(),
        line: 1,
        line_known_at: 0,
    };
    splitter.run();
    splitter.pieces
}

/// The client cuts a longer delimiter to this many bytes.
const LONGEST_DELIMITER: usize = 15;

struct Splitter<'a> {
    sql: &'a str,
    dialect: Dialect,
    lexer: Lexer<'a>,
    delimiter: Option<&'a str>,
    piece: Piece,
    pieces: Vec<StatementText<'a>>,
    line: usize,
    line_known_at: usize,
}

/// The statement that is being read.
struct Piece {
    /// Offset of its first comment or token.
    start: Option<usize>,
    /// Offset of its first significant token.
    first: Option<usize>,
    /// Offset after its last comment or token.
    end: usize,
    body: BodyTracker,
}

impl Piece {
    fn new(dialect: Dialect) -> Self {
        Self {
            start: None,
            first: None,
            end: 0,
            body: BodyTracker::new(dialect),
        }
    }
}

impl<'a> Splitter<'a> {
    fn run(&mut self) {
        loop {
            let at = self.lexer.position();
            if let Some(delimiter) = self.delimiter
                && self.sql[at..].starts_with(delimiter)
            {
                self.lexer.seek(at + delimiter.len());
                self.finish();
                continue;
            }
            let Some(token) = self.lexer.next() else {
                break;
            };
            if token.kind == TokenKind::Whitespace {
                continue;
            }
            if self.piece.first.is_none() && self.client_command(&token) {
                continue;
            }
            self.piece.start.get_or_insert(token.span.start);
            if token.is_significant() {
                self.take(token);
            } else {
                self.piece.end = token.span.end;
            }
        }
        self.finish();
    }

    fn take(&mut self, mut token: Token) {
        let delimiter_at = self.delimiter_within(&token);
        if let Some(at) = delimiter_at {
            token.span.end = at;
        }
        let text = token.text(self.sql);
        if text == ";" && self.ends_at_semicolon() {
            self.finish();
            return;
        }
        self.piece.first.get_or_insert(token.span.start);
        self.piece.end = token.span.end;
        self.piece.body.feed(&token, text);
        if let (Some(at), Some(delimiter)) = (delimiter_at, self.delimiter) {
            self.lexer.seek(at + delimiter.len());
            self.finish();
        }
    }

    fn ends_at_semicolon(&self) -> bool {
        let body = &self.piece.body;
        let held = match self.delimiter {
            None => body.holds_semicolon(),
            Some(_) => body.is_program(),
        };
        !held && !self.lexer.in_executable_comment()
    }

    /// Where the delimiter begins inside a token without quotes, as in `END$$`.
    fn delimiter_within(&self, token: &Token) -> Option<usize> {
        let delimiter = self.delimiter?;
        let quoted = matches!(
            token.kind,
            TokenKind::String | TokenKind::QuotedIdentifier | TokenKind::DollarString
        );
        if quoted {
            return None;
        }
        let Span { start, end } = token.span;
        let until = (end + delimiter.len() - 1).min(self.sql.len());
        let window = &self.sql.as_bytes()[start..until];
        window
            .windows(delimiter.len())
            .position(|part| part == delimiter.as_bytes())
            .map(|offset| start + offset)
    }

    /// Handles a command for a client program at the place of a statement.
    fn client_command(&mut self, token: &Token) -> bool {
        let start = token.span.start;
        let text = token.text(self.sql);
        let rest = &self.sql[start..];
        // MySQL's client takes two dashes where a statement would begin for a comment also without a
        // blank after them, as in a line of dashes; the server does not.
        let is_dashes = self.dialect == Dialect::MySql && text == "-" && rest.starts_with("--");
        let is_command = match self.dialect {
            Dialect::MySql => is_dashes || text.eq_ignore_ascii_case("delimiter"),
            Dialect::Postgres => text == "\\",
            // No statement begins with a dot.
            Dialect::Sqlite => {
                text == "." && rest[1..].starts_with(|c: char| c.is_ascii_alphabetic())
            }
        };
        if !is_command {
            return false;
        }
        let line_length = rest.find('\n').unwrap_or(rest.len());
        let line = rest[..line_length].trim_end_matches(BLANKS);
        if is_dashes {
            self.piece = Piece::new(self.dialect);
        } else if self.dialect == Dialect::MySql {
            let Some(argument) = line.split_ascii_whitespace().nth(1) else {
                return false;
            };
            let mut length = argument.len().min(LONGEST_DELIMITER);
            while !argument.is_char_boundary(length) {
                length -= 1;
            }
            self.delimiter = Some(&argument[..length]).filter(|d| *d != ";");
            self.piece = Piece::new(self.dialect);
        } else {
            self.push_command(start, line);
        }
        self.lexer.seek(start + line_length);
        true
    }

    fn push_command(&mut self, start: usize, line: &'a str) {
        let start_line = self.line_of(start);
        self.pieces.push(StatementText {
            text: line,
            start_line,
            span: Span {
                start,
                end: start + line.len(),
            },
            kind: TextKind::ClientCommand,
        });
        self.piece = Piece::new(self.dialect);
    }

    /// Ends the statement that is being read; the lexer stands behind its terminator.
    fn finish(&mut self) {
        let piece = std::mem::replace(&mut self.piece, Piece::new(self.dialect));
        let (Some(start), Some(first)) = (piece.start, piece.first) else {
            return;
        };
        let span = Span {
            start,
            end: piece.end,
        };
        let kind = if piece.body.is_copy_from_stdin() {
            let data = self.copy_data(span.end);
            TextKind::CopyFromStdin { data }
        } else {
            TextKind::Sql
        };
        let start_line = self.line_of(first);
        self.pieces.push(StatementText {
            text: span.text(self.sql),
            start_line,
            span,
            kind,
        });
    }

    /// The rows after a `COPY … FROM stdin` that ended at the offset, up to a line `\.`; reading
    /// goes on after them.
    fn copy_data(&mut self, end: usize) -> Span {
        let nothing = Span { start: end, end };
        let after = self.lexer.position();
        let rest = &self.sql[after..];
        let Some(line_end) = rest.find('\n') else {
            return nothing;
        };
        if !rest[..line_end].trim().is_empty() {
            return nothing;
        }
        let start = after + line_end + 1;
        let mut at = start;
        for line in self.sql[start..].split_inclusive('\n') {
            if line.trim_end_matches(['\n', '\r']) == "\\." {
                self.lexer.seek(at + line.len());
                return Span { start, end: at };
            }
            at += line.len();
        }
        self.lexer.seek(at);
        Span { start, end: at }
    }

    /// The line of an offset that is not before the last one asked for.
    fn line_of(&mut self, offset: usize) -> usize {
        let passed = &self.sql[self.line_known_at.min(offset)..offset];
        self.line += passed.matches('\n').count();
        self.line_known_at = offset;
        self.line
    }
}
