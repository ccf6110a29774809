//! What MariaDB's catalogue can't show: it is kept in three bytes for a character, and shows `?` in
//! place of those that take four, as emoji do. A column that is changed is written with all that it
//! has, and a `?` that was read would be written in place of what is there.
//!
//! Where a text has such a sign, the same is asked for in a way that shows it: `DEFAULT(column)`, or
//! the statement of the table, view, trigger or routine. What can't be asked for is named. Comments
//! are not: the server has kept the `?` and nothing else.

use std::collections::BTreeMap;

use crate::dialect::Dialect;
use crate::dialect::rows::TextRow;
use crate::dialect::tokens::significant;
use crate::schema::Server;
use crate::sql::lexer::TokenKind;

use super::canonical::string_value;
use super::catalogue::{Answers, is_mariadb, server};
use super::ddl::shown_table;
use super::write::{quoted, string};

/// One sign of four bytes in an expression, as the catalogue shows it.
const FOUR: &str = "????";

/// What may not be as it is shown.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Doubts {
    /// Literal defaults: the columns of each table, and whether they are text.
    defaults: BTreeMap<String, Vec<(String, bool)>>,
    /// Tables with expressions.
    tables: Vec<String>,
    views: Vec<String>,
    triggers: Vec<String>,
    /// Kind and name.
    routines: Vec<(String, String)>,
    /// Columns whose values have such a sign, which nothing shows.
    values: Vec<String>,
}

/// The answers to the statements of [`Doubts`].
#[derive(Clone, Debug, Default)]
pub struct Shown {
    /// To [`Doubts::defaults`].
    pub defaults: Vec<TextRow>,
    /// To [`Doubts::tables`].
    pub tables: Vec<TextRow>,
    /// To [`Doubts::views`].
    pub views: Vec<TextRow>,
    /// To [`Doubts::triggers`].
    pub triggers: Vec<TextRow>,
    /// To [`Doubts::routines`].
    pub routines: Vec<TextRow>,
}

fn cell(row: &[Option<String>], at: usize) -> &str {
    row.get(at).and_then(Option::as_deref).unwrap_or_default()
}

/// The columns of the answers that hold what is looked at.
mod place {
    pub(super) const TYPE: usize = 2;
    pub(super) const DEFAULT: usize = 4;
    pub(super) const GENERATED: usize = 6;
    pub(super) const CHARSET: usize = 7;
    pub(super) const CHECK: usize = 2;
    pub(super) const VIEW: usize = 1;
    pub(super) const TRIGGER: usize = 4;
    pub(super) const ROUTINE: usize = 3;
}

impl Doubts {
    /// What is doubtful in the answers of this server. Nothing, as a rule.
    pub fn of(answers: &Answers) -> Self {
        let mut doubts = Self::default();
        let server: Server = server(&answers.server);
        if !is_mariadb(&server) {
            return doubts;
        }
        for row in &answers.columns {
            let (table, column) = (cell(row, 0), cell(row, 1));
            let default = cell(row, place::DEFAULT);
            if is_literal(default) {
                if default.contains('?') {
                    let is_text = !cell(row, place::CHARSET).is_empty();
                    let columns = doubts.defaults.entry(table.to_owned()).or_default();
                    columns.push((column.to_owned(), is_text));
                }
            } else if default.contains(FOUR) {
                doubts.tables.push(table.to_owned());
            }
            if cell(row, place::GENERATED).contains(FOUR) {
                doubts.tables.push(table.to_owned());
            }
            let shown_type = cell(row, place::TYPE);
            let has_values = shown_type.starts_with("enum(") || shown_type.starts_with("set(");
            if has_values && shown_type.contains('?') {
                doubts.values.push(format!("{table}.{column}"));
            }
        }
        for row in &answers.checks {
            if cell(row, place::CHECK).contains(FOUR) {
                doubts.tables.push(cell(row, 0).to_owned());
            }
        }
        doubts.tables.sort();
        doubts.tables.dedup();
        let names = |rows: &[TextRow], at: usize, sign: &str| -> Vec<String> {
            let rows = rows.iter().filter(|row| cell(row, at).contains(sign));
            rows.map(|row| cell(row, 0).to_owned()).collect()
        };
        doubts.views = names(&answers.views, place::VIEW, FOUR);
        doubts.triggers = names(&answers.triggers, place::TRIGGER, "?");
        let routines = answers.routines.iter();
        let routines = routines.filter(|row| cell(row, place::ROUTINE).contains('?'));
        doubts.routines = routines
            .map(|row| (cell(row, 1).to_owned(), cell(row, 0).to_owned()))
            .filter(|(kind, _)| ["FUNCTION", "PROCEDURE"].contains(&kind.as_str()))
            .collect();
        doubts
    }

    /// Statements, in one text, that give the bytes of defaults: table, then column and bytes in turn.
    pub fn defaults(&self) -> Option<String> {
        joined(self.defaults.iter().map(|(table, columns)| {
            let columns: Vec<String> = columns
                .iter()
                .map(|(column, is_text)| {
                    let default = format!("DEFAULT(t.{})", quoted(column));
                    let default = if *is_text {
                        format!("CONVERT({default} USING utf8mb4)")
                    } else {
                        default
                    };
                    format!("{}, HEX({default})", string(column))
                })
                .collect();
            format!(
                "SELECT {}, {} FROM (SELECT 1) AS one LEFT JOIN {} AS t ON FALSE",
                string(table),
                columns.join(", "),
                quoted(table)
            )
        }))
    }

    /// Statements, in one text, that show the tables.
    pub fn tables(&self) -> Option<String> {
        joined(
            self.tables
                .iter()
                .map(|name| format!("SHOW CREATE TABLE {}", quoted(name))),
        )
    }

    /// Statements, in one text, that show the views.
    pub fn views(&self) -> Option<String> {
        joined(
            self.views
                .iter()
                .map(|name| format!("SHOW CREATE VIEW {}", quoted(name))),
        )
    }

    /// Statements, in one text, that show the triggers.
    pub fn triggers(&self) -> Option<String> {
        joined(
            self.triggers
                .iter()
                .map(|name| format!("SHOW CREATE TRIGGER {}", quoted(name))),
        )
    }

    /// Statements, in one text, that show the functions and procedures.
    pub fn routines(&self) -> Option<String> {
        let routines = self.routines.iter();
        joined(routines.map(|(kind, name)| format!("SHOW CREATE {kind} {}", quoted(name))))
    }

    /// Puts what was shown into the answers, and gives what stays in doubt, for people.
    pub fn settle(&self, shown: &Shown, answers: &mut Answers) -> Vec<String> {
        let mut left = Vec::new();
        let mut leave = |what: String| {
            left.push(format!(
                "{what}: a `?` in it may stand for a character that the catalogue of MariaDB can't show"
            ));
        };
        self.settle_defaults(shown, answers, &mut leave);
        self.settle_tables(shown, answers, &mut leave);
        for name in &self.views {
            let view = answers.views.iter_mut().find(|row| cell(row, 0) == name);
            let text = shown.views.iter().find(|row| cell(row, 0) == name);
            let query = view
                .as_ref()
                .zip(text)
                .and_then(|(view, text)| query_of(cell(text, 1), cell(view, 2)));
            match (view, query) {
                (Some(view), Some(query)) => view[place::VIEW] = Some(query),
                _ => leave(format!("the query of view {name}")),
            }
        }
        for name in &self.triggers {
            let trigger = answers.triggers.iter_mut().find(|row| cell(row, 0) == name);
            let text = shown.triggers.iter().find(|row| cell(row, 0) == name);
            settle_body(trigger, text, place::TRIGGER, || {
                leave(format!("the body of trigger {name}"));
            });
        }
        for (kind, name) in &self.routines {
            let mut routines = answers.routines.iter_mut();
            let routine = routines.find(|row| cell(row, 0) == name && cell(row, 1) == kind);
            let begins = format!("{kind} ");
            let mut texts = shown.routines.iter();
            let text = texts.find(|row| cell(row, 0) == name && cell(row, 2).contains(&begins));
            settle_body(routine, text, place::ROUTINE, || {
                leave(format!("the body of {} {name}", kind.to_lowercase()));
            });
        }
        for column in &self.values {
            leave(format!("the values of column {column}"));
        }
        left
    }

    fn settle_defaults(
        &self,
        shown: &Shown,
        answers: &mut Answers,
        leave: &mut impl FnMut(String),
    ) {
        for (table, columns) in &self.defaults {
            let row = shown.defaults.iter().find(|row| cell(row, 0) == table);
            for (at, (column, is_text)) in columns.iter().enumerate() {
                let hex = row.and_then(|row| row.get(2 + 2 * at)?.as_deref());
                let mut rows = answers.columns.iter_mut();
                let target = rows.find(|row| cell(row, 0) == table && cell(row, 1) == column);
                let (Some(target), Some(bytes)) = (target, hex.and_then(bytes_of)) else {
                    leave(format!("the default of column {table}.{column}"));
                    continue;
                };
                let value = String::from_utf8(bytes).ok().filter(|value| {
                    *is_text || *value == string_value(cell(target, place::DEFAULT))
                });
                target[place::DEFAULT] = Some(match (value, hex) {
                    (Some(value), _) => string(&value),
                    (None, hex) => format!("x'{}'", hex.unwrap_or_default()),
                });
            }
        }
    }

    fn settle_tables(&self, shown: &Shown, answers: &mut Answers, leave: &mut impl FnMut(String)) {
        for table in &self.tables {
            let row = shown.tables.iter().find(|row| cell(row, 0) == table);
            let text = row.map(|row| shown_table(cell(row, 1))).unwrap_or_default();
            for row in answers
                .columns
                .iter_mut()
                .filter(|row| cell(row, 0) == table)
            {
                let column = cell(row, 1).to_owned();
                let found = text.columns.get(&column);
                if !is_literal(cell(row, place::DEFAULT))
                    && cell(row, place::DEFAULT).contains(FOUR)
                {
                    match found.and_then(|found| found.default.clone()) {
                        Some(default) => row[place::DEFAULT] = Some(default),
                        None => leave(format!("the default of column {table}.{column}")),
                    }
                }
                if cell(row, place::GENERATED).contains(FOUR) {
                    match found.and_then(|found| found.generated.clone()) {
                        Some(expression) => row[place::GENERATED] = Some(expression),
                        None => leave(format!("the expression of column {table}.{column}")),
                    }
                }
            }
            for row in answers
                .checks
                .iter_mut()
                .filter(|row| cell(row, 0) == table)
            {
                if !cell(row, place::CHECK).contains(FOUR) {
                    continue;
                }
                let name = cell(row, 1);
                let found = if cell(row, 3) == "Column" {
                    text.columns
                        .get(name)
                        .and_then(|column| column.check.clone())
                } else {
                    text.checks.get(name).cloned()
                };
                match found {
                    Some(check) => row[place::CHECK] = Some(check),
                    None => leave(format!("check {name} of table {table}")),
                }
            }
        }
    }
}

fn joined(statements: impl Iterator<Item = String>) -> Option<String> {
    let statements: Vec<String> = statements.collect();
    (!statements.is_empty()).then(|| statements.join("; "))
}

/// Whether a default is one string.
fn is_literal(default: &str) -> bool {
    let tokens = significant(default, Dialect::Mysql);
    matches!(tokens.as_slice(), [token] if token.kind == TokenKind::String)
}

fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let digits = hex.as_bytes().chunks(2);
    digits
        .map(|pair| {
            let pair = std::str::from_utf8(pair)
                .ok()
                .filter(|pair| pair.len() == 2)?;
            u8::from_str_radix(pair, 16).ok()
        })
        .collect()
}

/// The query in the statement of a view.
fn query_of(statement: &str, check_option: &str) -> Option<String> {
    let tokens = significant(statement, Dialect::Mysql);
    let view = tokens.iter().position(|token| token.is_word("view"))?;
    let rest = tokens.get(view..)?;
    let start = rest.iter().position(|token| token.is_word("as"))?;
    let start = rest.get(start + 1)?.span.start;
    let query = statement.get(start..)?;
    let option = format!(" WITH {check_option} CHECK OPTION");
    Some(query.strip_suffix(&option).unwrap_or(query).to_owned())
}

/// Takes a body from the end of the statement that shows it.
fn settle_body(row: Option<&mut TextRow>, text: Option<&TextRow>, at: usize, leave: impl FnOnce()) {
    let found = row
        .as_ref()
        .zip(text)
        .and_then(|(row, text)| body_of(cell(text, 2), cell(row, at)));
    match (row, found) {
        (Some(row), Some(body)) => row[at] = Some(body.to_owned()),
        _ => leave(),
    }
}

/// The end of the statement that is the body but for the signs that were not shown.
fn body_of<'s>(statement: &'s str, body: &str) -> Option<&'s str> {
    let length = body.chars().count();
    let start = statement
        .char_indices()
        .rev()
        .nth(length.checked_sub(1)?)?
        .0;
    let end = statement.get(start..)?;
    end.chars()
        .zip(body.chars())
        .all(|(one, shown)| one == shown || shown == '?' && one.len_utf8() == 4)
        .then_some(end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bodies_and_queries_are_found_in_statements() {
        assert_eq!(
            body_of(
                "CREATE FUNCTION f() RETURNS int return '\u{1f600}'",
                "return '?'"
            ),
            Some("return '\u{1f600}'")
        );
        assert_eq!(body_of("CREATE x return 'a'", "return 'b'"), None);
        assert_eq!(body_of("a", "longer"), None);
        assert_eq!(body_of("a", ""), None);
        assert_eq!(
            query_of(
                "CREATE ALGORITHM=UNDEFINED DEFINER=`r`@`%` SQL SECURITY DEFINER VIEW `v` AS select \
                 '\u{1f600}' AS `x` WITH CASCADED CHECK OPTION",
                "CASCADED"
            )
            .as_deref(),
            Some("select '\u{1f600}' AS `x`")
        );
        assert_eq!(bytes_of("00fF"), Some(vec![0, 255]));
        assert_eq!(bytes_of("0"), None);
    }
}
