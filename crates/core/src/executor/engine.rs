//! MySQL/MariaDB: tables whose storage engine has no transactions. What is written to them stays
//! written, whatever becomes of the transaction around it.

use std::collections::HashMap;

use stairway_plan::sql::lexer::{TokenKind, tokens};
use stairway_plan::sql::{Dialect, ObjectName, Statement, StatementKind};

use super::pieces::Piece;
use crate::connection::Session;

/// More names than this in one statement are looked up table by table no longer.
const NAMES_AT_ONCE: usize = 16;

/// What is known of tables' engines. Asked once for each table, until a definition changes it.
#[derive(Debug, Default)]
pub(super) struct Engines {
    /// The engine's name if it has no transactions.
    known: HashMap<String, Option<String>>,
}

impl Engines {
    /// Definitions may give a table another engine.
    pub(super) fn forget(&mut self, statement: &Statement) {
        if statement.is_opaque() || statement.kind == StatementKind::Use {
            self.known.clear();
        }
        if statement.is_ddl() {
            for object in &statement.affects {
                self.known.remove(&object.name.to_string());
            }
        }
    }

    /// A table that a row change writes to and that has no transactions, with its engine.
    pub(super) async fn without_transactions(
        &mut self,
        session: &mut Session,
        piece: &Piece,
    ) -> Result<Option<(String, String)>, sqlx::Error> {
        let unknown: Vec<ObjectName> = written_tables(piece)
            .into_iter()
            .filter(|name| !self.known.contains_key(&name.to_string()))
            .take(NAMES_AT_ONCE)
            .collect();
        if !unknown.is_empty() {
            let questions: Vec<String> = unknown.iter().map(question).collect();
            let rows = session.rows(questions.join(" UNION ALL ")).await?;
            for name in &unknown {
                self.known.insert(name.to_string(), None);
            }
            for row in rows {
                let column = |index: usize| row.get(index).cloned().flatten();
                if let (Some(name), engine @ Some(_)) = (column(0), column(1)) {
                    self.known.insert(name, engine);
                }
            }
        }
        Ok(written_tables(piece).into_iter().find_map(|name| {
            let engine = self.known.get(&name.to_string())?.clone()?;
            Some((name.to_string(), engine))
        }))
    }
}

fn question(name: &ObjectName) -> String {
    let quote = |text: &str| Dialect::MySql.quote_string(text);
    let schema = name
        .schema
        .as_deref()
        .map_or_else(|| "DATABASE()".to_owned(), quote);
    format!(
        "SELECT {shown}, t.ENGINE FROM information_schema.TABLES t \
         JOIN information_schema.ENGINES e ON e.ENGINE = t.ENGINE \
         WHERE t.TABLE_SCHEMA = {schema} AND t.TABLE_NAME = {table} AND e.TRANSACTIONS <> 'YES'",
        shown = quote(&name.to_string()),
        table = quote(&name.name),
    )
}

/// The tables that a row change may write to. An `UPDATE` or `DELETE` of several tables names them
/// before its `SET` or `WHERE`; every word there is taken for one.
fn written_tables(piece: &Piece) -> Vec<ObjectName> {
    let target = piece.statement.table.clone();
    let end = match piece.statement.kind {
        StatementKind::Update { .. } => "set",
        StatementKind::Delete { .. } => "where",
        _ => return target.into_iter().collect(),
    };
    let mut names: Vec<ObjectName> = target.into_iter().collect();
    for token in tokens(&piece.text, Dialect::MySql) {
        let text = token.text(&piece.text);
        let name = match token.kind {
            TokenKind::Word if text.eq_ignore_ascii_case(end) => break,
            TokenKind::Word => text.to_owned(),
            TokenKind::QuotedIdentifier => text.trim_matches('`').replace("``", "`"),
            _ => continue,
        };
        if names.iter().all(|known| known.name != name) {
            names.push(ObjectName::new(name));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::super::pieces::pieces;
    use super::*;

    fn written(sql: &str) -> Vec<String> {
        pieces(sql, Dialect::MySql)
            .iter()
            .flat_map(written_tables)
            .map(|name| name.to_string())
            .collect()
    }

    #[test]
    fn an_insert_writes_to_its_table_alone() {
        assert_eq!(written("INSERT INTO `a` SELECT * FROM b"), ["a"]);
        assert_eq!(written("REPLACE INTO s.a VALUES (1)"), ["s.a"]);
    }

    #[test]
    fn an_update_of_several_tables_may_write_to_each() {
        let names = written("UPDATE a JOIN `b` ON a.id = b.id SET a.x = 1 WHERE c = 2");
        assert!(names.contains(&"a".to_owned()) && names.contains(&"b".to_owned()));
        assert!(!names.contains(&"c".to_owned()));
        let names = written("DELETE b FROM a, b WHERE a.id = b.id");
        assert!(names.contains(&"a".to_owned()) && names.contains(&"b".to_owned()));
    }
}
