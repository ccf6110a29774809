//! A migration's SQL string, statement by statement.

use stairway_plan::sql::{Dialect, Statement, StatementKind, classify, split};

/// One statement of a string that may hold several.
#[derive(Clone, Debug)]
pub(super) struct Piece {
    pub(super) text: String,
    pub(super) statement: Statement,
}

/// Cuts a string into its statements and recognises each.
pub(super) fn pieces(sql: &str, dialect: Dialect) -> Vec<Piece> {
    split(sql, dialect)
        .into_iter()
        .map(|piece| Piece {
            text: piece.text.to_owned(),
            statement: classify(piece.text, dialect),
        })
        .collect()
}

impl Piece {
    /// SQLite's switch for enforcing foreign keys.
    pub(super) fn switches_foreign_keys(&self) -> bool {
        self.statement.kind == StatementKind::PragmaWrite
            && matches!(
                self.statement.setting.as_deref(),
                Some("foreign_keys" | "defer_foreign_keys")
            )
    }

    /// The tables that it drops.
    pub(super) fn dropped_tables(&self) -> Vec<&str> {
        if self.statement.kind != StatementKind::DropTable {
            return Vec::new();
        }
        self.statement
            .affects
            .iter()
            .map(|object| object.name.name.as_str())
            .collect()
    }
}
