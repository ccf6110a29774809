//! Where the body of a stored program begins and ends, so that its semicolons are not mistaken for
//! the end of the statement.

use super::Dialect;
use super::lexer::{Token, TokenKind};

/// Follows one statement, token by token.
#[derive(Debug)]
pub(crate) struct BodyTracker {
    dialect: Dialect,
    significant: usize,
    first_word: String,
    previous: Previous,
    parentheses: u64,
    header: Header,
    body: Body,
    blocks: Vec<Block>,
    /// Whether the next word begins a statement inside the body.
    at_statement: bool,
    declaration: Declaration,
    until: bool,
    copy: Copy,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Previous {
    Nothing,
    Dot,
    Begin,
    /// `CHARACTER`, `CHAR` or `RETURNS`, after which `SET` is no statement.
    TypeName,
    Each,
    End,
    Other,
}

/// What the words before the object's name say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Header {
    Unknown,
    NoProgram,
    Routine,
    Trigger,
    Event,
    /// A block outside any stored program, which MariaDB has.
    Block,
}

/// How far a program's statement has come towards its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Body {
    Awaited,
    /// All that precedes a body was seen: a block may begin.
    Ready,
    /// The body is one statement without a block.
    Simple,
}

/// What the current statement of a body declares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Declaration {
    No,
    Something,
    /// A handler, whose action can be a block.
    Handler,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Block {
    Begin,
    CaseStatement,
    CaseExpression,
    If,
    Loop,
    Repeat,
    While,
    For,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Copy {
    No,
    Started,
    From,
    FromStdin,
}

/// Words after which the kind of a `CREATE` statement is settled and has no body.
const PLAIN_OBJECTS: [&str; 12] = [
    "table",
    "view",
    "index",
    "database",
    "schema",
    "user",
    "role",
    "server",
    "sequence",
    "tablespace",
    "logfile",
    "resource",
];

/// Words that begin a routine's body where it is a single statement.
const SIMPLE_BODIES: [&str; 18] = [
    "return", "select", "insert", "update", "delete", "replace", "call", "set", "with", "truncate",
    "drop", "create", "alter", "execute", "signal", "do", "analyze", "values",
];

impl BodyTracker {
    pub(crate) fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            significant: 0,
            first_word: String::new(),
            previous: Previous::Nothing,
            parentheses: 0,
            header: Header::Unknown,
            body: Body::Awaited,
            blocks: Vec::new(),
            at_statement: false,
            declaration: Declaration::No,
            until: false,
            copy: Copy::No,
        }
    }

    /// Whether a semicolon here belongs to the statement.
    pub(crate) fn holds_semicolon(&self) -> bool {
        // A rule's commands stand in parentheses with semicolons between them.
        !self.blocks.is_empty() || (self.dialect == Dialect::Postgres && self.parentheses > 0)
    }

    /// Whether the statement has a body that only its author's delimiter ends for certain.
    pub(crate) fn is_program(&self) -> bool {
        matches!(
            self.header,
            Header::Routine | Header::Trigger | Header::Event | Header::Block
        )
    }

    /// Whether the statement is `COPY … FROM stdin`.
    pub(crate) fn is_copy_from_stdin(&self) -> bool {
        self.copy == Copy::FromStdin
    }

    /// Takes the next significant token.
    pub(crate) fn feed(&mut self, token: &Token, text: &str) {
        // No word that matters here is longer, and a word can be as long as the text.
        let word = if token.kind == TokenKind::Word && text.len() <= 16 {
            text.to_ascii_lowercase()
        } else {
            String::new()
        };
        if self.significant == 0 {
            self.first_word.clone_from(&word);
        }
        match self.dialect {
            Dialect::Postgres => self.feed_postgres(&word, text),
            Dialect::MySql => self.feed_mysql(&word, text),
            Dialect::Sqlite => self.feed_sqlite(&word, text),
        }
        match text {
            "(" => self.parentheses += 1,
            ")" => self.parentheses = self.parentheses.saturating_sub(1),
            _ => {}
        }
        self.significant += 1;
    }

    fn feed_postgres(&mut self, word: &str, text: &str) {
        self.copy = match (self.copy, word) {
            (Copy::No, "copy") if self.significant == 0 => Copy::Started,
            (Copy::Started, "from") if self.parentheses == 0 => Copy::From,
            (Copy::From, "stdin") => Copy::FromStdin,
            (Copy::From, _) => Copy::Started,
            (state, _) => state,
        };
        let opens = word == "atomic"
            && self.previous == Previous::Begin
            && self.first_word == "create"
            && self.blocks.is_empty();
        self.follow_simple_block(opens, word, text);
    }

    fn feed_sqlite(&mut self, word: &str, text: &str) {
        if self.first_word == "create" && self.header == Header::Unknown && self.significant > 0 {
            self.header = match word {
                "trigger" => Header::Trigger,
                "temp" | "temporary" => Header::Unknown,
                _ => Header::NoProgram,
            };
        }
        let opens = word == "begin"
            && self.header == Header::Trigger
            && self.body == Body::Awaited
            && self.parentheses == 0
            && self.previous != Previous::Dot;
        if opens {
            self.body = Body::Ready;
        }
        self.follow_simple_block(opens, word, text);
    }

    /// A body of plain statements: its `END` is the one at the place of a statement, which tells it
    /// from the `END` of a `CASE` expression.
    fn follow_simple_block(&mut self, opens: bool, word: &str, text: &str) {
        if opens {
            self.blocks.push(Block::Begin);
            self.at_statement = true;
        } else if word == "end" && self.at_statement {
            self.blocks.pop();
            self.at_statement = false;
        } else {
            self.at_statement = text == ";" && !self.blocks.is_empty();
        }
        self.previous = match (word, text) {
            ("begin", _) => Previous::Begin,
            (_, ".") => Previous::Dot,
            _ => Previous::Other,
        };
    }

    fn feed_mysql(&mut self, word: &str, text: &str) {
        let previous = self.previous;
        self.previous = match (word, text) {
            (_, ".") => Previous::Dot,
            ("character" | "char" | "returns", _) => Previous::TypeName,
            ("each", _) => Previous::Each,
            _ => Previous::Other,
        };
        if previous == Previous::Dot {
            self.at_statement = false;
        } else if !self.blocks.is_empty() {
            self.follow_mysql_body(word, text, previous);
        } else if self.is_program() {
            self.await_mysql_body(word, text, previous);
        } else if self.header == Header::Unknown {
            self.read_mysql_header(word);
        }
    }

    fn read_mysql_header(&mut self, word: &str) {
        if self.significant == 0 {
            match word {
                "create" | "alter" | "begin" => {}
                "if" | "case" | "loop" | "while" | "repeat" | "for" => {
                    self.header = Header::Block;
                    self.body = Body::Ready;
                    self.open_mysql_block(word);
                }
                _ => self.header = Header::NoProgram,
            }
            return;
        }
        if self.first_word == "begin" {
            self.header = Header::NoProgram;
            if word == "not" {
                self.header = Header::Block;
                self.blocks.push(Block::Begin);
            }
            return;
        }
        self.header = match word {
            "procedure" | "function" if self.first_word == "create" => Header::Routine,
            "trigger" if self.first_word == "create" => Header::Trigger,
            "event" => Header::Event,
            word if PLAIN_OBJECTS.contains(&word) => Header::NoProgram,
            // Longer than any `CREATE OR REPLACE DEFINER = user@host AGGREGATE`.
            _ if self.significant > 16 => Header::NoProgram,
            _ => Header::Unknown,
        };
    }

    /// Between the object's name and the first statement of its body.
    fn await_mysql_body(&mut self, word: &str, text: &str, previous: Previous) {
        if self.body == Body::Awaited {
            let ready = match self.header {
                Header::Routine => text == ")" && self.parentheses == 1,
                Header::Trigger => word == "row" && previous == Previous::Each,
                Header::Event => word == "do" && self.parentheses == 0,
                _ => true,
            };
            if ready {
                self.body = Body::Ready;
            }
            return;
        }
        if previous == Previous::End {
            return;
        }
        if word == "case" && self.body == Body::Simple {
            self.blocks.push(Block::CaseExpression);
        } else if self.body == Body::Ready && self.parentheses == 0 {
            let in_type = word == "set" && previous == Previous::TypeName;
            if SIMPLE_BODIES.contains(&word) && !in_type {
                self.body = Body::Simple;
            } else {
                self.open_mysql_block(word);
            }
        }
    }

    fn open_mysql_block(&mut self, word: &str) {
        let block = match word {
            "begin" => Block::Begin,
            "case" => Block::CaseStatement,
            "if" => Block::If,
            "loop" => Block::Loop,
            "repeat" => Block::Repeat,
            "while" => Block::While,
            "for" => Block::For,
            _ => return,
        };
        self.blocks.push(block);
        // The others have a condition first.
        self.at_statement = matches!(block, Block::Begin | Block::Loop | Block::Repeat);
        self.declaration = Declaration::No;
    }

    fn follow_mysql_body(&mut self, word: &str, text: &str, previous: Previous) {
        let at_statement = std::mem::take(&mut self.at_statement);
        let top = self.blocks.last().copied();
        let in_expression = top == Some(Block::CaseExpression);
        match word {
            "" => {
                if text == ";" {
                    self.at_statement = !in_expression;
                    self.declaration = Declaration::No;
                }
                // A label ends here, and its block begins.
                self.at_statement |= text == ":";
            }
            "end" => {
                let closes = match top {
                    Some(Block::CaseExpression) => true,
                    Some(Block::Repeat) => at_statement || self.until,
                    _ => at_statement,
                };
                if closes {
                    self.blocks.pop();
                    if !in_expression {
                        self.until = false;
                        self.previous = Previous::End;
                    }
                }
            }
            // The second word of `END IF` and its like.
            _ if previous == Previous::End => {}
            "case" if !at_statement => self.blocks.push(Block::CaseExpression),
            "begin" if self.declaration == Declaration::Handler => self.open_mysql_block(word),
            "begin" | "case" | "if" | "loop" | "repeat" | "while" | "for" if at_statement => {
                self.open_mysql_block(word);
            }
            "then" | "else" => self.at_statement = !in_expression,
            // Otherwise it is the statement `DO expression`.
            "do" => self.at_statement = !at_statement,
            "atomic" if self.first_word == "begin" && self.significant == 2 => {
                self.at_statement = true;
            }
            "declare" if at_statement => self.declaration = Declaration::Something,
            "handler" if self.declaration == Declaration::Something => {
                self.declaration = Declaration::Handler;
            }
            "until" => self.until |= at_statement,
            _ => {}
        }
    }
}
