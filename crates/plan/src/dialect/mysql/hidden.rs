//! The actions of foreign keys for a user who may only read: `REFERENTIAL_CONSTRAINTS` shows nothing
//! to one without a right beyond SELECT, `SHOW CREATE TABLE` shows all.

use std::collections::BTreeSet;

use crate::dialect::Dialect;
use crate::dialect::rows::TextRow;
use crate::dialect::tokens::{Token, closing, significant};
use crate::sql::lexer::TokenKind;

use super::write;

/// The statements, in one text, that show the tables whose foreign keys have no actions among
/// `rules`. Nothing when there is no such table.
pub fn statements(key_columns: &[TextRow], rules: &[TextRow]) -> Option<String> {
    let known: BTreeSet<(&Option<String>, &Option<String>)> = rules
        .iter()
        .filter_map(|row| Some((row.first()?, row.get(1)?)))
        .collect();
    let tables: BTreeSet<&String> = key_columns
        .iter()
        .filter_map(|row| {
            let (table, name) = (row.first()?, row.get(1)?);
            let is_hidden = !known.contains(&(table, name));
            table.as_ref().filter(|_| is_hidden)
        })
        .collect();
    show_create(tables)
}

/// The statements, in one text, that show these tables. None for no tables.
pub(super) fn show_create(tables: BTreeSet<&String>) -> Option<String> {
    let shown: Vec<String> = tables
        .into_iter()
        .map(|table| format!("SHOW CREATE TABLE {}", write::quoted(table)))
        .collect();
    (!shown.is_empty()).then(|| shown.join("; "))
}

/// The rows that `REFERENTIAL_CONSTRAINTS` would have: table, name, and what a deletion and a change
/// do.
pub fn rules(shown: &[TextRow]) -> Vec<TextRow> {
    let mut rows = Vec::new();
    for row in shown {
        let (Some(Some(table)), Some(Some(sql))) = (row.first(), row.get(1)) else {
            continue;
        };
        let tokens = significant(sql, Dialect::Mysql);
        for (at, token) in tokens.iter().enumerate() {
            let is_foreign_key = token.is_word("constraint")
                && tokens
                    .get(at + 2)
                    .is_some_and(|next| next.is_word("foreign"));
            let name = tokens.get(at + 1).and_then(Token::name);
            let Some(name) = name.filter(|_| is_foreign_key) else {
                continue;
            };
            let clause = clause(&tokens[at + 2..]);
            rows.push(vec![
                Some(table.clone()),
                Some(name),
                Some(action(clause, "delete")),
                Some(action(clause, "update")),
            ]);
        }
    }
    rows
}

/// The tokens up to the comma or parenthesis that ends the clause.
fn clause<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let mut at = 0;
    while let Some(token) = tokens.get(at) {
        if token.is_sign("(") {
            at = closing(tokens, at).unwrap_or(tokens.len());
        } else if token.is_sign(",") || token.is_sign(")") {
            break;
        }
        at += 1;
    }
    &tokens[..at.min(tokens.len())]
}

/// What stands behind `ON DELETE` or `ON UPDATE`. Nothing there means `RESTRICT`.
fn action(clause: &[Token<'_>], event: &str) -> String {
    let start = clause
        .windows(2)
        .position(|pair| pair[0].is_word("on") && pair[1].is_word(event));
    let Some(start) = start else {
        return "RESTRICT".to_owned();
    };
    let words = clause[start + 2..]
        .iter()
        .take_while(|token| token.kind == TokenKind::Word && !token.is_word("on"));
    let words: Vec<String> = words.map(|token| token.text.to_ascii_uppercase()).collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_are_read_from_the_statement_of_the_table() {
        let sql = "CREATE TABLE `c` (\n  `id` int(11) NOT NULL,\n  KEY `k` (`a`),\n  CONSTRAINT `ck` \
                   CHECK (`id` > 0),\n  CONSTRAINT `f``1` FOREIGN KEY (`a`) REFERENCES `p` (`id`) ON \
                   DELETE SET NULL ON UPDATE CASCADE,\n  CONSTRAINT `f2` FOREIGN KEY (`b`) REFERENCES \
                   `p` (`id`)\n) ENGINE=InnoDB";
        let row = |values: [&str; 4]| values.map(|value| Some(value.to_owned())).to_vec();
        assert_eq!(
            rules(&[vec![Some("c".to_owned()), Some(sql.to_owned())]]),
            [
                row(["c", "f`1", "SET NULL", "CASCADE"]),
                row(["c", "f2", "RESTRICT", "RESTRICT"]),
            ]
        );
    }

    #[test]
    fn only_tables_with_hidden_actions_are_shown() {
        let key = |table: &str, name: &str| vec![Some(table.to_owned()), Some(name.to_owned())];
        let keys = [key("a", "f1"), key("b", "f2"), key("b", "f2")];
        assert_eq!(
            statements(&keys, &[key("a", "f1")]).as_deref(),
            Some("SHOW CREATE TABLE `b`")
        );
        assert_eq!(statements(&keys, &keys), None);
    }
}
