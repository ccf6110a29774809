//! Reading the statements that make tables and indexes.

use crate::dialect::Dialect;
use crate::dialect::tokens::{Token, closing, significant, unquote};
use crate::sql::Dialect as SqlDialect;
use crate::sql::lexer::{TokenKind, tokens};

use super::super::canonical::string_value;

/// A name, with its database where that is said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) database: Option<String>,
    pub(super) name: String,
}

/// A statement that is read.
#[derive(Clone, Debug)]
pub(super) enum Statement {
    CreateTable {
        table: Box<TableText>,
        if_not_exists: bool,
        replace: bool,
    },
    /// `ALTER TABLE … ADD`, and `CREATE INDEX`, which is the same.
    Add {
        table: Name,
        elements: Vec<Element>,
    },
    DropTables(Vec<Name>),
}

/// What stands in `CREATE TABLE`.
#[derive(Clone, Debug, Default)]
pub(super) struct TableText {
    pub(super) name: Name,
    pub(super) elements: Vec<Element>,
    pub(super) engine: Option<String>,
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
    pub(super) row_format: Option<String>,
    pub(super) comment: String,
}

/// A part of a table.
#[derive(Clone, Debug)]
pub(super) enum Element {
    Column(Box<ColumnText>),
    Key(Key),
    ForeignKey(ForeignKeyText),
    Check {
        name: Option<String>,
        expression: String,
    },
}

/// A column.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one word that the column has or has not"
)]
#[derive(Clone, Debug, Default)]
pub(super) struct ColumnText {
    pub(super) name: String,
    pub(super) written_type: TypeText,
    pub(super) charset: Option<String>,
    pub(super) collation: Option<String>,
    /// `NULL` or `NOT NULL`, where either is said.
    pub(super) nullable: Option<bool>,
    pub(super) default: Option<String>,
    pub(super) on_update: Option<String>,
    /// The expression, and whether it is kept.
    pub(super) generated: Option<(String, bool)>,
    pub(super) auto_increment: bool,
    pub(super) invisible: bool,
    pub(super) comment: String,
    pub(super) primary: bool,
    pub(super) unique: bool,
    pub(super) check: Option<String>,
    pub(super) references: Option<References>,
}

/// A type as it is written.
#[derive(Clone, Debug, Default)]
pub(super) struct TypeText {
    /// In lower case, `double precision` and the like with a blank.
    pub(super) name: String,
    pub(super) numbers: Vec<u64>,
    pub(super) values: Vec<String>,
    pub(super) unsigned: bool,
    pub(super) zerofill: bool,
}

/// What a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyKind {
    Primary,
    Unique,
    Plain,
    Fulltext,
    Spatial,
}

/// A key or index.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) kind: KeyKind,
    pub(super) name: Option<String>,
    pub(super) parts: Vec<KeyPart>,
    pub(super) comment: String,
    pub(super) hidden: bool,
    /// The server made it for a foreign key, and drops it when another one serves.
    pub(super) generated: bool,
}

/// A column of a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct KeyPart {
    pub(super) column: String,
    pub(super) length: Option<u64>,
    pub(super) descending: bool,
}

/// A foreign key.
#[derive(Clone, Debug)]
pub(super) struct ForeignKeyText {
    pub(super) name: Option<String>,
    pub(super) index: Option<String>,
    pub(super) columns: Vec<String>,
    pub(super) references: References,
}

/// What a foreign key refers to.
#[derive(Clone, Debug)]
pub(super) struct References {
    pub(super) table: Name,
    pub(super) columns: Vec<String>,
    pub(super) on_delete: String,
    pub(super) on_update: String,
}

/// Up to here every server that is known runs what stands in `/*!50700 … */`.
const RUN_EVERYWHERE: u32 = 50_700;

/// Reads a statement. Nothing where any part of it is not understood.
pub(super) fn statement(sql: &str) -> Option<Statement> {
    if !runs_everywhere(sql) {
        return None;
    }
    let mut parser = Parser {
        sql,
        tokens: significant(sql, Dialect::Mysql),
        at: 0,
    };
    let statement = parser.statement()?;
    parser.skip_sign(";");
    parser.peek().is_none().then_some(statement)
}

/// The parts of a table as a server shows it, without those that are not understood.
pub(super) fn shown_elements(sql: &str) -> Vec<Element> {
    let mut parser = Parser {
        sql,
        tokens: significant(sql, Dialect::Mysql),
        at: 0,
    };
    let mut elements = Vec::new();
    while parser.peek().is_some_and(|token| !token.is_sign("(")) {
        parser.at += 1;
    }
    while parser.skip_sign("(") || parser.skip_sign(",") {
        let element = parser.element();
        if parser.is_sign_at(0, ",") || parser.is_sign_at(0, ")") {
            elements.extend(element);
        }
        while parser.peek().is_some() && !parser.is_sign_at(0, ",") && !parser.is_sign_at(0, ")") {
            let close = closing(&parser.tokens, parser.at).filter(|_| parser.is_sign_at(0, "("));
            parser.at = close.unwrap_or(parser.at) + 1;
        }
    }
    elements
}

/// Whether no part of the text is for some servers only.
fn runs_everywhere(sql: &str) -> bool {
    tokens(sql, SqlDialect::MySql)
        .filter(|token| token.kind == TokenKind::ExecutableCommentOpen)
        .all(|token| {
            let number = token
                .text(sql)
                .trim_start_matches(|c: char| !c.is_ascii_digit());
            !token.text(sql).contains('M')
                && (number.is_empty() || number.parse().is_ok_and(|n: u32| n <= RUN_EVERYWHERE))
        })
}

struct Parser<'a> {
    sql: &'a str,
    tokens: Vec<Token<'a>>,
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at)
    }

    fn is_word_at(&self, offset: usize, word: &str) -> bool {
        let token = self.tokens.get(self.at + offset);
        token.is_some_and(|token| token.is_word(word))
    }

    fn is_sign_at(&self, offset: usize, sign: &str) -> bool {
        let token = self.tokens.get(self.at + offset);
        token.is_some_and(|token| token.is_sign(sign))
    }

    /// Steps over all of these words or over none of them.
    fn skip(&mut self, words: &[&str]) -> bool {
        let found = words
            .iter()
            .enumerate()
            .all(|(offset, word)| self.is_word_at(offset, word));
        if found {
            self.at += words.len();
        }
        found
    }

    fn skip_any(&mut self, words: &[&str]) -> bool {
        words.iter().any(|word| self.skip(&[word]))
    }

    fn skip_sign(&mut self, sign: &str) -> bool {
        let found = self.is_sign_at(0, sign);
        self.at += usize::from(found);
        found
    }

    fn expect(&mut self, words: &[&str]) -> Option<()> {
        self.skip(words).then_some(())
    }

    fn expect_sign(&mut self, sign: &str) -> Option<()> {
        self.skip_sign(sign).then_some(())
    }

    fn identifier(&mut self) -> Option<String> {
        let token = self.peek()?;
        let name = match token.kind {
            TokenKind::Word => token.text.to_owned(),
            TokenKind::QuotedIdentifier => unquote(token.text),
            _ => return None,
        };
        self.at += 1;
        Some(name)
    }

    fn table_name(&mut self) -> Option<Name> {
        let name = self.identifier()?;
        if self.skip_sign(".") {
            let database = Some(name);
            let name = self.identifier()?;
            return Some(Name { database, name });
        }
        Some(Name {
            database: None,
            name,
        })
    }

    fn string(&mut self) -> Option<String> {
        let token = self.peek()?;
        let is_plain = token.kind == TokenKind::String && token.text.starts_with(['\'', '"']);
        let value = is_plain.then(|| string_value(token.text))?;
        self.at += 1;
        // Two in a row are one.
        let is_one = self
            .peek()
            .is_none_or(|next| next.kind != TokenKind::String);
        is_one.then_some(value)
    }

    fn number(&mut self) -> Option<u64> {
        let token = self
            .peek()
            .filter(|token| token.kind == TokenKind::Number)?;
        let number = token.text.parse().ok()?;
        self.at += 1;
        Some(number)
    }

    /// The text between parentheses.
    fn parenthesised(&mut self) -> Option<String> {
        if !self.is_sign_at(0, "(") {
            return None;
        }
        let close = closing(&self.tokens, self.at)?;
        let (first, last) = (self.tokens.get(self.at + 1)?, self.tokens.get(close - 1)?);
        if first.span.start >= last.span.end {
            return None;
        }
        let text = self.sql.get(first.span.start..last.span.end)?.to_owned();
        self.at = close + 1;
        Some(text)
    }

    fn statement(&mut self) -> Option<Statement> {
        if self.skip(&["DROP", "TABLE"]) {
            self.skip(&["IF", "EXISTS"]);
            let mut names = vec![self.table_name()?];
            while self.skip_sign(",") {
                names.push(self.table_name()?);
            }
            self.skip_any(&["RESTRICT", "CASCADE"]);
            return Some(Statement::DropTables(names));
        }
        if self.skip(&["ALTER", "TABLE"]) {
            return self.additions();
        }
        self.expect(&["CREATE"])?;
        let replace = self.skip(&["OR", "REPLACE"]);
        if self.skip(&["TABLE"]) {
            return self.table(replace);
        }
        let kind = self.key_kind();
        self.expect(&["INDEX"])?;
        self.index(kind.unwrap_or(KeyKind::Plain))
    }

    fn additions(&mut self) -> Option<Statement> {
        let table = self.table_name()?;
        let mut elements = Vec::new();
        loop {
            self.expect(&["ADD"])?;
            if self.skip(&["COLUMN"]) {
                elements.push(Element::Column(Box::new(self.column()?)));
            } else {
                elements.push(self.element()?);
            }
            if !self.skip_sign(",") {
                return Some(Statement::Add { table, elements });
            }
        }
    }

    fn key_kind(&mut self) -> Option<KeyKind> {
        [
            ("UNIQUE", KeyKind::Unique),
            ("FULLTEXT", KeyKind::Fulltext),
            ("SPATIAL", KeyKind::Spatial),
        ]
        .into_iter()
        .find_map(|(word, kind)| self.skip(&[word]).then_some(kind))
    }

    fn index(&mut self, kind: KeyKind) -> Option<Statement> {
        let name = Some(self.identifier()?);
        self.skip_using()?;
        self.expect(&["ON"])?;
        let table = self.table_name()?;
        let key = self.key(kind, name)?;
        let elements = vec![Element::Key(key)];
        Some(Statement::Add { table, elements })
    }

    fn table(&mut self, replace: bool) -> Option<Statement> {
        let if_not_exists = self.skip(&["IF", "NOT", "EXISTS"]);
        let mut table = TableText {
            name: self.table_name()?,
            ..TableText::default()
        };
        self.expect_sign("(")?;
        loop {
            table.elements.push(self.element()?);
            if !self.skip_sign(",") {
                break;
            }
        }
        self.expect_sign(")")?;
        while self.peek().is_some_and(|token| !token.is_sign(";")) {
            self.option(&mut table)?;
            self.skip_sign(",");
        }
        Some(Statement::CreateTable {
            table: Box::new(table),
            if_not_exists,
            replace,
        })
    }

    fn option(&mut self, table: &mut TableText) -> Option<()> {
        self.skip(&["DEFAULT"]);
        if self.skip(&["ENGINE"]) {
            self.skip_sign("=");
            table.engine = Some(self.identifier()?);
        } else if self.skip(&["CHARACTER", "SET"]) || self.skip(&["CHARSET"]) {
            self.skip_sign("=");
            table.charset = Some(self.word_or_string()?);
        } else if self.skip(&["COLLATE"]) {
            self.skip_sign("=");
            table.collation = Some(self.word_or_string()?);
        } else if self.skip(&["COMMENT"]) {
            self.skip_sign("=");
            table.comment = self.string()?;
        } else if self.skip(&["ROW_FORMAT"]) {
            self.skip_sign("=");
            table.row_format = Some(self.identifier()?);
        } else if self.skip(&["AUTO_INCREMENT"]) {
            // Where counting begins is no part of a schema.
            self.skip_sign("=");
            self.number()?;
        } else {
            return None;
        }
        Some(())
    }

    fn word_or_string(&mut self) -> Option<String> {
        let word = self.identifier().or_else(|| self.string())?;
        Some(word.to_ascii_lowercase())
    }

    fn element(&mut self) -> Option<Element> {
        let name = if self.skip(&["CONSTRAINT"]) {
            let is_named = !["PRIMARY", "UNIQUE", "FOREIGN", "CHECK"]
                .iter()
                .any(|word| self.is_word_at(0, word));
            Some(if is_named {
                Some(self.identifier()?)
            } else {
                None
            })
        } else {
            None
        };
        let has_constraint = name.is_some();
        let name = name.flatten();
        if self.skip(&["PRIMARY", "KEY"]) {
            // A name that is given to it is dropped by the server.
            if !self.is_sign_at(0, "(") && !self.is_word_at(0, "USING") {
                self.identifier()?;
            }
            self.skip_using()?;
            return Some(Element::Key(self.key(KeyKind::Primary, None)?));
        }
        if self.is_word_at(0, "FOREIGN") {
            self.expect(&["FOREIGN", "KEY"])?;
            let index = if self.is_sign_at(0, "(") {
                None
            } else {
                Some(self.identifier()?)
            };
            let columns = self.names()?;
            let references = self.references()?;
            return Some(Element::ForeignKey(ForeignKeyText {
                name,
                index,
                columns,
                references,
            }));
        }
        if self.is_word_at(0, "CHECK") && self.is_sign_at(1, "(") {
            self.at += 1;
            let expression = self.parenthesised()?;
            return Some(Element::Check { name, expression });
        }
        if let Some(kind) = self.key_kind() {
            self.skip_any(&["KEY", "INDEX"]);
            return self.named_key(kind, name);
        }
        if has_constraint {
            return None;
        }
        if self.skip_any(&["KEY", "INDEX"]) {
            return self.named_key(KeyKind::Plain, None);
        }
        Some(Element::Column(Box::new(self.column()?)))
    }

    fn named_key(&mut self, kind: KeyKind, constraint: Option<String>) -> Option<Element> {
        let has_name = !self.is_sign_at(0, "(") && !self.is_word_at(0, "USING");
        let name = if has_name {
            Some(self.identifier()?)
        } else {
            constraint
        };
        self.skip_using()?;
        Some(Element::Key(self.key(kind, name)?))
    }

    /// How InnoDB builds an index is not a person's choice; another engine has `HASH`.
    fn skip_using(&mut self) -> Option<()> {
        if self.skip(&["USING"]) {
            self.skip(&["BTREE"]).then_some(())
        } else {
            Some(())
        }
    }

    fn key(&mut self, kind: KeyKind, name: Option<String>) -> Option<Key> {
        self.expect_sign("(")?;
        let mut key = Key {
            kind,
            name,
            parts: Vec::new(),
            comment: String::new(),
            hidden: false,
            generated: false,
        };
        loop {
            let column = self.identifier()?;
            let mut length = None;
            if self.skip_sign("(") {
                length = Some(self.number()?);
                self.expect_sign(")")?;
            }
            let descending = !self.skip(&["ASC"]) && self.skip(&["DESC"]);
            key.parts.push(KeyPart {
                column,
                length,
                descending,
            });
            if !self.skip_sign(",") {
                break;
            }
        }
        self.expect_sign(")")?;
        loop {
            if self.skip(&["COMMENT"]) {
                key.comment = self.string()?;
            } else if self.skip_any(&["IGNORED", "INVISIBLE"]) {
                key.hidden = true;
            } else if self.is_word_at(0, "USING") {
                self.skip_using()?;
            } else if !self.skip(&["NOT", "IGNORED"]) && !self.skip(&["VISIBLE"]) {
                return Some(key);
            }
        }
    }

    fn names(&mut self) -> Option<Vec<String>> {
        self.expect_sign("(")?;
        let mut names = vec![self.identifier()?];
        while self.skip_sign(",") {
            names.push(self.identifier()?);
        }
        self.expect_sign(")")?;
        Some(names)
    }

    fn references(&mut self) -> Option<References> {
        self.expect(&["REFERENCES"])?;
        let table = self.table_name()?;
        let columns = self.names()?;
        let mut references = References {
            table,
            columns,
            on_delete: "RESTRICT".to_owned(),
            on_update: "RESTRICT".to_owned(),
        };
        loop {
            if self.skip(&["ON", "DELETE"]) {
                references.on_delete = self.action()?;
            } else if self.skip(&["ON", "UPDATE"]) {
                references.on_update = self.action()?;
            } else if self.is_word_at(0, "MATCH") {
                return None;
            } else {
                return Some(references);
            }
        }
    }

    fn action(&mut self) -> Option<String> {
        let actions: [&[&str]; 4] = [
            &["CASCADE"],
            &["RESTRICT"],
            &["SET", "NULL"],
            &["NO", "ACTION"],
        ];
        let action = actions.into_iter().find(|words| self.skip(words))?;
        Some(action.join(" "))
    }

    fn column(&mut self) -> Option<ColumnText> {
        let name = self.identifier()?;
        let mut column = ColumnText {
            name,
            written_type: self.written_type()?,
            ..ColumnText::default()
        };
        while !self.at_end_of_element() {
            self.attribute(&mut column)?;
        }
        Some(column)
    }

    fn at_end_of_element(&self) -> bool {
        self.peek()
            .is_none_or(|token| [",", ")", ";"].iter().any(|sign| token.is_sign(sign)))
    }

    fn written_type(&mut self) -> Option<TypeText> {
        let token = self.peek().filter(|token| token.kind == TokenKind::Word)?;
        let mut name = token.text.to_ascii_lowercase();
        self.at += 1;
        if name == "double" && self.skip(&["PRECISION"]) {
            "double precision".clone_into(&mut name);
        } else if ["char", "character"].contains(&name.as_str()) && self.skip(&["VARYING"]) {
            "varchar".clone_into(&mut name);
        }
        let mut written = TypeText {
            name,
            ..TypeText::default()
        };
        if self.skip_sign("(") {
            loop {
                match self.number() {
                    Some(number) => written.numbers.push(number),
                    None => written.values.push(self.string()?),
                }
                if !self.skip_sign(",") {
                    break;
                }
            }
            self.expect_sign(")")?;
        }
        loop {
            if self.skip(&["UNSIGNED"]) {
                written.unsigned = true;
            } else if self.skip(&["ZEROFILL"]) {
                written.zerofill = true;
            } else if !self.skip(&["SIGNED"]) {
                return Some(written);
            }
        }
    }

    fn attribute(&mut self, column: &mut ColumnText) -> Option<()> {
        if self.skip(&["NOT", "NULL"]) {
            column.nullable = Some(false);
        } else if self.skip(&["NULL"]) {
            column.nullable = Some(true);
        } else if self.skip(&["DEFAULT"]) {
            column.default = Some(self.value()?);
        } else if self.skip(&["ON", "UPDATE"]) {
            column.on_update = Some(self.value()?);
        } else if self.skip(&["AUTO_INCREMENT"]) {
            column.auto_increment = true;
        } else if self.skip(&["PRIMARY", "KEY"]) || self.skip(&["PRIMARY"]) {
            column.primary = true;
        } else if self.skip(&["UNIQUE"]) {
            self.skip(&["KEY"]);
            column.unique = true;
        } else if self.skip(&["COMMENT"]) {
            column.comment = self.string()?;
        } else if self.skip(&["CHARACTER", "SET"]) || self.skip(&["CHARSET"]) {
            column.charset = Some(self.word_or_string()?);
        } else if self.skip(&["COLLATE"]) {
            column.collation = Some(self.word_or_string()?);
        } else if self.skip(&["CHECK"]) {
            if column.check.is_some() {
                return None;
            }
            column.check = Some(self.parenthesised()?);
        } else if self.skip(&["GENERATED", "ALWAYS", "AS"]) || self.skip(&["AS"]) {
            let expression = self.parenthesised()?;
            let stored = self.skip_any(&["STORED", "PERSISTENT"]);
            self.skip(&["VIRTUAL"]);
            column.generated = Some((expression, stored));
        } else if self.skip(&["INVISIBLE"]) {
            column.invisible = true;
        } else if self.is_word_at(0, "REFERENCES") {
            column.references = Some(self.references()?);
        } else {
            return None;
        }
        Some(())
    }

    /// A value after `DEFAULT` or `ON UPDATE`: in parentheses, a literal, a word or a call.
    fn value(&mut self) -> Option<String> {
        let first = self.at;
        if self.is_sign_at(0, "(") {
            self.at = closing(&self.tokens, self.at)? + 1;
        } else {
            if !self.skip_sign("-") {
                self.skip_sign("+");
            }
            let token = self.peek()?;
            let is_value = matches!(
                token.kind,
                TokenKind::Number | TokenKind::String | TokenKind::Word
            );
            let is_word = token.kind == TokenKind::Word;
            let is_string = token.kind == TokenKind::String;
            if !is_value {
                return None;
            }
            self.at += 1;
            if is_word && self.is_sign_at(0, "(") {
                self.at = closing(&self.tokens, self.at)? + 1;
            } else if is_string && self.peek().is_some_and(|t| t.kind == TokenKind::String) {
                return None;
            }
        }
        let (start, end) = (self.tokens.get(first)?, self.tokens.get(self.at - 1)?);
        let text = self.sql.get(start.span.start..end.span.end)?;
        Some(text.to_owned())
    }
}
