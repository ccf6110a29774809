//! Reading the `CREATE` statements that SQLite keeps in its catalogue.
//!
//! The pragmas do not tell checks, generated columns, collations of columns, conflict clauses, names
//! of constraints, `AUTOINCREMENT` and deferrability, so these are read from the text. Every part
//! knows where it stands, so that a text can be changed in one place and stay as its author wrote it
//! everywhere else.

use thiserror::Error;

use crate::dialect::Dialect;
use crate::dialect::tokens::{Token, significant};
use crate::schema::{Deferrability, ForeignKeyAction};
use crate::sql::lexer::{Span, TokenKind};

/// A statement that does not have the form that SQLite's grammar gives it.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("expected {expected} at byte {offset} of the statement")]
pub struct DdlError {
    /// What should have stood there.
    pub expected: &'static str,
    /// Where, in bytes from the beginning.
    pub offset: usize,
}

/// A name in a statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Identifier {
    /// The name, unquoted.
    pub(crate) name: String,
    /// Where it stands.
    pub(crate) span: Span,
}

/// A `CREATE TABLE` statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CreateTable {
    pub(crate) name: Identifier,
    pub(crate) columns: Vec<ColumnDefinition>,
    pub(crate) constraints: Vec<TableConstraint>,
    /// What follows the closing parenthesis: `STRICT`, `WITHOUT ROWID`.
    pub(crate) options: Span,
    pub(crate) strict: bool,
    pub(crate) without_rowid: bool,
}

/// A column in a `CREATE TABLE` statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnDefinition {
    pub(crate) span: Span,
    pub(crate) name: Identifier,
    /// Where the type stands; empty, directly after the name, when there is none.
    pub(crate) type_span: Span,
    pub(crate) clauses: Vec<ColumnClause>,
}

/// A clause of a column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ColumnClause {
    /// The whole clause with its `CONSTRAINT name`.
    pub(crate) span: Span,
    pub(crate) name: Option<String>,
    pub(crate) kind: ClauseKind,
}

/// What a clause of a column says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ClauseKind {
    PrimaryKey {
        on_conflict: Option<String>,
        /// Where `AUTOINCREMENT` stands.
        autoincrement: Option<Span>,
    },
    NotNull,
    Null,
    Unique {
        on_conflict: Option<String>,
    },
    /// The span is that of the condition without its parentheses.
    Check(Span),
    /// The span is that of the value, with its parentheses if it has some.
    Default(Span),
    Collate(String),
    References(References),
    Generated {
        /// Without its parentheses.
        expression: Span,
        stored: bool,
    },
}

/// A constraint beside the columns.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct TableConstraint {
    /// The whole constraint with its `CONSTRAINT name`.
    pub(crate) span: Span,
    pub(crate) name: Option<String>,
    pub(crate) kind: ConstraintKind,
}

/// What a constraint beside the columns says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ConstraintKind {
    PrimaryKey {
        columns: Vec<Identifier>,
        on_conflict: Option<String>,
        autoincrement: Option<Span>,
    },
    Unique {
        columns: Vec<Identifier>,
        on_conflict: Option<String>,
    },
    /// The span is that of the condition without its parentheses.
    Check(Span),
    ForeignKey {
        columns: Vec<Identifier>,
        references: References,
    },
}

/// What a foreign key refers to, and how.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct References {
    pub(crate) table: Identifier,
    /// Empty for the primary key of the table.
    pub(crate) columns: Vec<Identifier>,
    pub(crate) on_delete: ForeignKeyAction,
    pub(crate) on_update: ForeignKeyAction,
    pub(crate) deferrability: Deferrability,
}

/// A `CREATE INDEX` statement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct CreateIndex {
    /// One span for each key, without `COLLATE` at its end and direction.
    pub(crate) keys: Vec<Span>,
    /// The condition of a partial index.
    pub(crate) predicate: Option<Span>,
}

/// Reads a `CREATE TABLE` statement.
pub(crate) fn parse_table(sql: &str) -> Result<CreateTable, DdlError> {
    let mut parser = Parser::new(sql);
    parser.expect_word("CREATE")?;
    if !parser.skip_word("TEMP") {
        parser.skip_word("TEMPORARY");
    }
    parser.expect_word("TABLE")?;
    parser.skip_words(&["IF", "NOT", "EXISTS"]);
    let mut name = parser.identifier()?;
    if parser.skip_sign(".") {
        name = parser.identifier()?;
    }
    parser.expect_sign("(")?;
    let mut columns = Vec::new();
    let mut constraints = Vec::new();
    loop {
        if parser.at_table_constraint() {
            if let Some(constraint) = parser.table_constraint()? {
                constraints.push(constraint);
            }
            // Constraints need no comma between them.
            if parser.at_table_constraint() {
                continue;
            }
        } else {
            columns.push(parser.column()?);
        }
        if !parser.skip_sign(",") {
            break;
        }
    }
    let close = parser.expect_sign(")")?;
    let mut table = CreateTable {
        name,
        columns,
        constraints,
        options: Span {
            start: close.end,
            end: sql.len(),
        },
        strict: false,
        without_rowid: false,
    };
    while let Some(token) = parser.peek() {
        if token.is_word("STRICT") {
            table.strict = true;
        } else if token.is_word("ROWID") {
            table.without_rowid = true;
        }
        parser.at += 1;
    }
    Ok(table)
}

/// Reads a `CREATE INDEX` statement.
pub(crate) fn parse_index(sql: &str) -> Result<CreateIndex, DdlError> {
    let mut parser = Parser::new(sql);
    parser.expect_word("CREATE")?;
    parser.skip_word("UNIQUE");
    parser.expect_word("INDEX")?;
    parser.skip_words(&["IF", "NOT", "EXISTS"]);
    parser.identifier()?;
    if parser.skip_sign(".") {
        parser.identifier()?;
    }
    parser.expect_word("ON")?;
    parser.identifier()?;
    parser.expect_sign("(")?;
    let mut keys = Vec::new();
    loop {
        let first = parser.at;
        let mut last = parser.skip_expression(&[",", ")"])?;
        let word_at = |at: usize, word: &str| parser.tokens[at].is_word(word);
        if last > first && (word_at(last, "ASC") || word_at(last, "DESC")) {
            last -= 1;
        }
        if last > first + 1 && word_at(last - 1, "COLLATE") {
            last -= 2;
        }
        keys.push(parser.span(first, last));
        if !parser.skip_sign(",") {
            break;
        }
    }
    parser.expect_sign(")")?;
    let predicate = if parser.skip_word("WHERE") {
        let start = parser.peek().map_or(sql.len(), |token| token.span.start);
        let end = parser.tokens.last().map_or(sql.len(), |token| {
            if token.is_sign(";") {
                token.span.start
            } else {
                token.span.end
            }
        });
        Some(Span { start, end })
    } else {
        None
    };
    Ok(CreateIndex { keys, predicate })
}

struct Parser<'a> {
    sql: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn new(sql: &'a str) -> Self {
        Self {
            sql,
            tokens: significant(sql, Dialect::Sqlite),
            at: 0,
        }
    }

    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    fn peek_word(&self, word: &str) -> bool {
        self.peek().is_some_and(|token| token.is_word(word))
    }

    fn peek_sign(&self, sign: &str) -> bool {
        self.peek().is_some_and(|token| token.is_sign(sign))
    }

    fn error(&self, expected: &'static str) -> DdlError {
        DdlError {
            expected,
            offset: self.peek().map_or(self.sql.len(), |token| token.span.start),
        }
    }

    fn skip_word(&mut self, word: &str) -> bool {
        let found = self.peek_word(word);
        self.at += usize::from(found);
        found
    }

    /// Steps over all of these words or over none of them.
    fn skip_words(&mut self, words: &[&str]) -> bool {
        let found = words.iter().enumerate().all(|(offset, word)| {
            self.tokens
                .get(self.at + offset)
                .is_some_and(|token| token.is_word(word))
        });
        if found {
            self.at += words.len();
        }
        found
    }

    fn skip_sign(&mut self, sign: &str) -> bool {
        let found = self.peek_sign(sign);
        self.at += usize::from(found);
        found
    }

    fn expect_word(&mut self, word: &'static str) -> Result<(), DdlError> {
        if self.skip_word(word) {
            Ok(())
        } else {
            Err(self.error(word))
        }
    }

    fn expect_sign(&mut self, sign: &'static str) -> Result<Span, DdlError> {
        match self.peek() {
            Some(token) if token.is_sign(sign) => {
                let span = token.span;
                self.at += 1;
                Ok(span)
            }
            _ => Err(self.error(sign)),
        }
    }

    fn identifier(&mut self) -> Result<Identifier, DdlError> {
        let identifier = self.peek().and_then(|token| {
            Some(Identifier {
                name: token.name()?,
                span: token.span,
            })
        });
        let identifier = identifier.ok_or_else(|| self.error("a name"))?;
        self.at += 1;
        Ok(identifier)
    }

    /// From the beginning of one token to the end of another.
    fn span(&self, first: usize, last: usize) -> Span {
        Span {
            start: self
                .tokens
                .get(first)
                .map_or(self.sql.len(), |token| token.span.start),
            end: self
                .tokens
                .get(last)
                .map_or(self.sql.len(), |token| token.span.end),
        }
    }

    /// From the beginning of a token to the end of the one last read.
    fn span_since(&self, first: usize) -> Span {
        self.span(first, self.at.saturating_sub(1))
    }

    /// Steps up to one of the signs outside parentheses, and says which token came last before it.
    fn skip_expression(&mut self, ends: &[&str]) -> Result<usize, DdlError> {
        let first = self.at;
        let mut depth = 0_usize;
        while let Some(token) = self.peek() {
            if depth == 0 && ends.iter().any(|end| token.is_sign(end)) {
                break;
            }
            if token.is_sign("(") {
                depth += 1;
            } else if token.is_sign(")") {
                depth = depth
                    .checked_sub(1)
                    .ok_or_else(|| self.error("an expression"))?;
            }
            self.at += 1;
        }
        if self.at == first {
            return Err(self.error("an expression"));
        }
        Ok(self.at - 1)
    }

    /// Reads `( expression )` and gives the span of the expression.
    fn parenthesised(&mut self) -> Result<Span, DdlError> {
        self.expect_sign("(")?;
        let first = self.at;
        let last = self.skip_expression(&[")"])?;
        self.expect_sign(")")?;
        Ok(self.span(first, last))
    }

    /// Reads `(a, b COLLATE nocase DESC)`. Gives `AUTOINCREMENT`, which may stand at the end of a
    /// primary key's list, too.
    fn column_list(&mut self) -> Result<(Vec<Identifier>, Option<Span>), DdlError> {
        self.expect_sign("(")?;
        let mut columns = Vec::new();
        let mut autoincrement = None;
        loop {
            columns.push(self.identifier()?);
            if self.skip_word("COLLATE") {
                self.identifier()?;
            }
            if !self.skip_word("ASC") {
                self.skip_word("DESC");
            }
            if self.peek_word("AUTOINCREMENT") {
                autoincrement = self.peek().map(|token| token.span);
                self.at += 1;
            }
            if !self.skip_sign(",") {
                break;
            }
        }
        self.expect_sign(")")?;
        Ok((columns, autoincrement))
    }

    fn on_conflict(&mut self) -> Result<Option<String>, DdlError> {
        if !self.skip_words(&["ON", "CONFLICT"]) {
            return Ok(None);
        }
        let resolution = self.identifier()?;
        Ok(Some(resolution.name.to_ascii_uppercase()))
    }

    fn column(&mut self) -> Result<ColumnDefinition, DdlError> {
        let first = self.at;
        let name = self.identifier()?;
        let type_span = self.type_name(name.span)?;
        let mut clauses: Vec<ColumnClause> = Vec::new();
        while !self.peek_sign(",") && !self.peek_sign(")") {
            let clause_first = self.at;
            let clause_name = self.constraint_name()?;
            if self.at_deferrability() {
                // SQLite lets it stand apart from the REFERENCES that it belongs to.
                let deferrability = self.deferrability()?;
                let end = self.span_since(clause_first).end;
                if let Some(clause) = clauses.last_mut()
                    && let ClauseKind::References(references) = &mut clause.kind
                {
                    references.deferrability = deferrability;
                    clause.span.end = end;
                }
                continue;
            }
            if clause_name.is_some() && (self.peek_sign(",") || self.peek_sign(")")) {
                // A name without a constraint is allowed and means nothing.
                break;
            }
            let Some(kind) = self.column_clause()? else {
                if clause_name.is_some() {
                    continue;
                }
                return Err(self.error("a clause of a column"));
            };
            clauses.push(ColumnClause {
                span: self.span_since(clause_first),
                name: clause_name,
                kind,
            });
        }
        Ok(ColumnDefinition {
            span: self.span_since(first),
            name,
            type_span,
            clauses,
        })
    }

    /// A type is any number of names and, at most, two numbers in parentheses.
    fn type_name(&mut self, name: Span) -> Result<Span, DdlError> {
        let first = self.at;
        while let Some(token) = self.peek() {
            let is_clause = token.kind == TokenKind::Word
                && CLAUSE_WORDS
                    .iter()
                    .any(|word| token.text.eq_ignore_ascii_case(word));
            if is_clause || token.name().is_none() {
                break;
            }
            self.at += 1;
        }
        if self.at == first {
            return Ok(Span {
                start: name.end,
                end: name.end,
            });
        }
        if self.peek_sign("(") {
            self.parenthesised()?;
        }
        Ok(self.span_since(first))
    }

    fn constraint_name(&mut self) -> Result<Option<String>, DdlError> {
        if !self.skip_word("CONSTRAINT") {
            return Ok(None);
        }
        Ok(Some(self.identifier()?.name))
    }

    fn column_clause(&mut self) -> Result<Option<ClauseKind>, DdlError> {
        let kind = if self.skip_words(&["PRIMARY", "KEY"]) {
            if !self.skip_word("ASC") {
                self.skip_word("DESC");
            }
            let on_conflict = self.on_conflict()?;
            let autoincrement = self
                .peek()
                .filter(|token| token.is_word("AUTOINCREMENT"))
                .map(|token| token.span);
            self.at += usize::from(autoincrement.is_some());
            ClauseKind::PrimaryKey {
                on_conflict,
                autoincrement,
            }
        } else if self.skip_words(&["NOT", "NULL"]) {
            self.on_conflict()?;
            ClauseKind::NotNull
        } else if self.skip_word("NULL") {
            self.on_conflict()?;
            ClauseKind::Null
        } else if self.skip_word("UNIQUE") {
            ClauseKind::Unique {
                on_conflict: self.on_conflict()?,
            }
        } else if self.skip_word("CHECK") {
            ClauseKind::Check(self.parenthesised()?)
        } else if self.skip_word("DEFAULT") {
            ClauseKind::Default(self.default_value()?)
        } else if self.skip_word("COLLATE") {
            ClauseKind::Collate(self.identifier()?.name)
        } else if self.peek_word("REFERENCES") {
            ClauseKind::References(self.references()?)
        } else if self.skip_words(&["GENERATED", "ALWAYS", "AS"]) || self.skip_word("AS") {
            let expression = self.parenthesised()?;
            let stored = self.skip_word("STORED");
            if !stored {
                self.skip_word("VIRTUAL");
            }
            ClauseKind::Generated { expression, stored }
        } else {
            return Ok(None);
        };
        Ok(Some(kind))
    }

    fn default_value(&mut self) -> Result<Span, DdlError> {
        let first = self.at;
        if self.peek_sign("(") {
            self.parenthesised()?;
            return Ok(self.span_since(first));
        }
        if !self.skip_sign("-") {
            self.skip_sign("+");
        }
        let is_value = self.peek().is_some_and(|token| {
            matches!(
                token.kind,
                TokenKind::Number
                    | TokenKind::String
                    | TokenKind::Word
                    | TokenKind::QuotedIdentifier
            )
        });
        if !is_value {
            return Err(self.error("a default value"));
        }
        self.at += 1;
        Ok(self.span_since(first))
    }

    fn references(&mut self) -> Result<References, DdlError> {
        self.expect_word("REFERENCES")?;
        let table = self.identifier()?;
        let columns = if self.peek_sign("(") {
            self.column_list()?.0
        } else {
            Vec::new()
        };
        let mut references = References {
            table,
            columns,
            on_delete: ForeignKeyAction::NoAction,
            on_update: ForeignKeyAction::NoAction,
            deferrability: Deferrability::NotDeferrable,
        };
        loop {
            if self.skip_words(&["ON", "DELETE"]) {
                references.on_delete = self.action()?;
            } else if self.skip_words(&["ON", "UPDATE"]) {
                references.on_update = self.action()?;
            } else if self.skip_words(&["ON", "INSERT"]) {
                // SQLite's grammar has it and does nothing with it.
                self.action()?;
            } else if self.skip_word("MATCH") {
                // Parsed and ignored: every foreign key is MATCH SIMPLE.
                self.identifier()?;
            } else if self.at_deferrability() {
                references.deferrability = self.deferrability()?;
            } else {
                return Ok(references);
            }
        }
    }

    fn action(&mut self) -> Result<ForeignKeyAction, DdlError> {
        let actions: [(&[&str], ForeignKeyAction); 5] = [
            (&["SET", "NULL"], ForeignKeyAction::SetNull),
            (&["SET", "DEFAULT"], ForeignKeyAction::SetDefault),
            (&["CASCADE"], ForeignKeyAction::Cascade),
            (&["RESTRICT"], ForeignKeyAction::Restrict),
            (&["NO", "ACTION"], ForeignKeyAction::NoAction),
        ];
        for (words, action) in actions {
            if self.skip_words(words) {
                return Ok(action);
            }
        }
        Err(self.error("an action"))
    }

    fn at_deferrability(&self) -> bool {
        self.peek_word("DEFERRABLE")
            || (self.peek_word("NOT")
                && self
                    .tokens
                    .get(self.at + 1)
                    .is_some_and(|token| token.is_word("DEFERRABLE")))
    }

    fn deferrability(&mut self) -> Result<Deferrability, DdlError> {
        let not = self.skip_word("NOT");
        self.expect_word("DEFERRABLE")?;
        let mut deferred = false;
        if self.skip_word("INITIALLY") {
            deferred = self.skip_word("DEFERRED");
            if !deferred {
                self.expect_word("IMMEDIATE")?;
            }
        }
        Ok(match (not, deferred) {
            (true, _) => Deferrability::NotDeferrable,
            // `DEFERRABLE INITIALLY IMMEDIATE` can be deferred by a pragma only; it is told apart
            // because it is written apart.
            (false, false) => Deferrability::InitiallyImmediate,
            (false, true) => Deferrability::InitiallyDeferred,
        })
    }

    fn at_table_constraint(&self) -> bool {
        let next = |word: &str| {
            self.tokens
                .get(self.at + 1)
                .is_some_and(|token| token.is_word(word))
        };
        let next_is_parenthesis = self
            .tokens
            .get(self.at + 1)
            .is_some_and(|token| token.is_sign("("));
        self.peek_word("CONSTRAINT")
            || (self.peek_word("PRIMARY") && next("KEY"))
            || (self.peek_word("FOREIGN") && next("KEY"))
            || ((self.peek_word("UNIQUE") || self.peek_word("CHECK")) && next_is_parenthesis)
    }

    fn table_constraint(&mut self) -> Result<Option<TableConstraint>, DdlError> {
        let first = self.at;
        let name = self.constraint_name()?;
        let kind = if self.skip_words(&["PRIMARY", "KEY"]) {
            let (columns, autoincrement) = self.column_list()?;
            ConstraintKind::PrimaryKey {
                columns,
                on_conflict: self.on_conflict()?,
                autoincrement,
            }
        } else if self.skip_word("UNIQUE") {
            let (columns, _) = self.column_list()?;
            ConstraintKind::Unique {
                columns,
                on_conflict: self.on_conflict()?,
            }
        } else if self.skip_word("CHECK") {
            let condition = self.parenthesised()?;
            self.on_conflict()?;
            ConstraintKind::Check(condition)
        } else if self.skip_words(&["FOREIGN", "KEY"]) {
            let (columns, _) = self.column_list()?;
            ConstraintKind::ForeignKey {
                columns,
                references: self.references()?,
            }
        } else if name.is_some() {
            // A name without a constraint is allowed and means nothing.
            return Ok(None);
        } else {
            return Err(self.error("a constraint"));
        };
        Ok(Some(TableConstraint {
            span: self.span_since(first),
            name,
            kind,
        }))
    }
}

/// The words that end a type and begin a clause of a column.
const CLAUSE_WORDS: [&str; 13] = [
    "AS",
    "CHECK",
    "COLLATE",
    "CONSTRAINT",
    "DEFAULT",
    "DEFERRABLE",
    "GENERATED",
    "INITIALLY",
    "NOT",
    "NULL",
    "PRIMARY",
    "REFERENCES",
    "UNIQUE",
];
