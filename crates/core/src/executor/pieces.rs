//! A migration's SQL string, statement by statement.

use stairway_plan::sql::lexer::{Token, TokenKind, tokens};
use stairway_plan::sql::{Dialect, Statement, StatementKind, split};

/// Functions and words before a bracket in a query that are known to change nothing. Whatever else
/// stands there may be a function that writes: `setval`, one of the application's own.
const HARMLESS: &[&str] = &[
    "abs",
    "all",
    "and",
    "any",
    "array",
    "array_agg",
    "as",
    "avg",
    "between",
    "bigint",
    "binary",
    "bool_and",
    "bool_or",
    "by",
    "case",
    "cast",
    "ceil",
    "ceiling",
    "char",
    "char_length",
    "character",
    "coalesce",
    "concat",
    "concat_ws",
    "count",
    "curdate",
    "current_database",
    "current_schema",
    "current_schemas",
    "current_setting",
    "current_timestamp",
    "database",
    "date",
    "date_add",
    "date_format",
    "date_part",
    "date_sub",
    "date_trunc",
    "datetime",
    "day",
    "decimal",
    "dense_rank",
    "distinct",
    "else",
    "except",
    "exists",
    "extract",
    "filter",
    "first_value",
    "floor",
    "format_type",
    "from",
    "generate_series",
    "greatest",
    "group_concat",
    "having",
    "hex",
    "if",
    "ifnull",
    "in",
    "inner",
    "instr",
    "int",
    "integer",
    "intersect",
    "interval",
    "is",
    "isnull",
    "join",
    "json_agg",
    "json_array",
    "json_extract",
    "json_object",
    "json_unquote",
    "jsonb_agg",
    "jsonb_build_object",
    "key",
    "lag",
    "last_value",
    "lateral",
    "lead",
    "least",
    "left",
    "length",
    "like",
    "limit",
    "lower",
    "ltrim",
    "max",
    "md5",
    "min",
    "mod",
    "month",
    "not",
    "now",
    "ntile",
    "nullif",
    "numeric",
    "obj_description",
    "offset",
    "on",
    "or",
    "order",
    "over",
    "partition",
    "pg_get_constraintdef",
    "pg_get_expr",
    "pg_get_indexdef",
    "pg_get_viewdef",
    "pg_table_is_visible",
    "pow",
    "power",
    "quote_ident",
    "random",
    "rank",
    "regexp_replace",
    "replace",
    "reverse",
    "right",
    "round",
    "row",
    "row_number",
    "row_to_json",
    "rtrim",
    "schema",
    "select",
    "sha2",
    "sign",
    "some",
    "split_part",
    "sqrt",
    "string_agg",
    "strpos",
    "substr",
    "substring",
    "sum",
    "then",
    "timestamp",
    "to_char",
    "to_date",
    "to_json",
    "to_jsonb",
    "to_number",
    "to_regclass",
    "to_timestamp",
    "trim",
    "trunc",
    "union",
    "unnest",
    "upper",
    "user",
    "using",
    "uuid",
    "values",
    "varchar",
    "version",
    "when",
    "where",
    "with",
    "within",
    "year",
];

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
            statement: piece.classify(dialect),
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

    /// SQLite: whether what follows in the same string puts back what it changes in the session, as
    /// making a table anew does with a temporary table and `legacy_alter_table`.
    pub(super) fn is_put_back_by(&self, following: &[Self]) -> bool {
        let statement = &self.statement;
        if statement.temporary {
            let name = statement.target.as_ref().map(|target| target.name.as_str());
            return name.is_some_and(|name| {
                following
                    .iter()
                    .any(|piece| piece.dropped_tables().contains(&name))
            });
        }
        let sets_same = |piece: &&Self| {
            piece.statement.kind == StatementKind::PragmaWrite
                && piece.statement.setting == statement.setting
        };
        let is_usual = |piece: &Self| {
            let value = piece.text.rsplit(['=', ' ']).next().unwrap_or_default();
            ["off", "reset"].contains(&value.trim().to_ascii_lowercase().as_str())
        };
        let known = ["legacy_alter_table", "writable_schema"];
        statement.kind == StatementKind::PragmaWrite
            && statement
                .setting
                .as_deref()
                .is_some_and(|name| known.contains(&name))
            && (is_usual(self) || following.iter().rfind(sets_same).is_some_and(is_usual))
    }

    /// Whether a query calls a function that is not known to change nothing. SQLite's change nothing.
    pub(super) fn may_write(&self, dialect: Dialect) -> bool {
        if dialect == Dialect::Sqlite || self.statement.kind != StatementKind::Query {
            return false;
        }
        let mut before: Option<Token> = None;
        for token in tokens(&self.text, dialect).filter(Token::is_significant) {
            let opens = token.text(&self.text) == "(";
            if let Some(name) = before.filter(|_| opens) {
                let word = name.text(&self.text);
                let is_harmless = match name.kind {
                    TokenKind::Word => HARMLESS
                        .binary_search(&word.to_ascii_lowercase().as_str())
                        .is_ok(),
                    // A table's columns, an operator, a number.
                    TokenKind::QuotedIdentifier => false,
                    _ => true,
                };
                if !is_harmless {
                    return true;
                }
            }
            before = Some(token);
        }
        false
    }

    /// PostgreSQL: whether it leaves something in the session that the transaction's end does not
    /// take back.
    pub(super) fn outlives_transaction(&self) -> bool {
        let first = tokens(&self.text, Dialect::Postgres)
            .find(Token::is_significant)
            .map(|token| token.text(&self.text).to_ascii_lowercase())
            .unwrap_or_default();
        let takes_session_lock = tokens(&self.text, Dialect::Postgres).any(|token| {
            let word = token.text(&self.text).to_ascii_lowercase();
            token.kind == TokenKind::Word
                && word.contains("advisory_lock")
                && !word.contains("xact")
        });
        let is_local_lock = self.statement.kind == StatementKind::LockTables;
        takes_session_lock
            || (self.statement.changes_session() && !is_local_lock)
            || matches!(first.as_str(), "listen" | "prepare" | "declare" | "load")
    }

    /// MySQL: the variables of its own making (`@name`) that it names.
    pub(super) fn user_variables(&self) -> Vec<String> {
        tokens(&self.text, Dialect::MySql)
            .filter(|token| token.kind == TokenKind::Variable)
            .map(|token| token.text(&self.text).to_owned())
            .filter(|name| !name.starts_with("@@"))
            .collect()
    }

    /// MySQL: a query that sets variables (`SELECT … INTO @name`, `SELECT @name := …`).
    pub(super) fn selects_into_variable(&self) -> bool {
        let mut significant = tokens(&self.text, Dialect::MySql).filter(Token::is_significant);
        let has_assignment = significant.any(|token| {
            let text = token.text(&self.text);
            text == ":=" || text.eq_ignore_ascii_case("into")
        });
        has_assignment && !self.user_variables().is_empty()
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_words_are_sorted_for_the_search() {
        assert!(HARMLESS.is_sorted());
    }

    #[test]
    fn a_query_that_may_write_is_told_by_the_functions_that_it_calls() {
        let may_write = |sql: &str| {
            pieces(sql, Dialect::Postgres)
                .iter()
                .any(|piece| piece.may_write(Dialect::Postgres))
        };
        for sql in [
            "SELECT setval('t_id_seq', (SELECT max(id) FROM t))",
            "SELECT app.rebuild_totals()",
            "SELECT \"Fill\"(1)",
        ] {
            assert!(may_write(sql), "{sql}");
        }
        for sql in [
            "SELECT COUNT(*) > 0 AS \"has_table\" FROM (SELECT \"table_name\" FROM t) AS s WHERE a IN (1)",
            "SELECT id FROM t WHERE (a = 1) AND coalesce(b, 2) > 1 ORDER BY lower(c)",
            "SELECT 1",
        ] {
            assert!(!may_write(sql), "{sql}");
        }
    }

    #[test]
    fn what_a_string_puts_back_by_itself_is_told_from_what_it_leaves() {
        let first = |sql: &str| {
            let pieces = pieces(sql, Dialect::Sqlite);
            pieces[0].is_put_back_by(&pieces[1..])
        };
        for sql in [
            "PRAGMA legacy_alter_table = ON; DROP TABLE t; PRAGMA legacy_alter_table = OFF",
            "PRAGMA legacy_alter_table = OFF",
            "PRAGMA writable_schema = ON; PRAGMA writable_schema = RESET",
            "CREATE TEMP TABLE g (a); INSERT INTO temp.g VALUES (1); DROP TABLE temp.g",
        ] {
            assert!(first(sql), "{sql}");
        }
        for sql in [
            "PRAGMA legacy_alter_table = ON; DROP TABLE t",
            "PRAGMA legacy_alter_table = ON; PRAGMA writable_schema = OFF",
            "PRAGMA case_sensitive_like = ON; PRAGMA case_sensitive_like = OFF",
            "CREATE TEMP TABLE g (a); DROP TABLE other",
            "CREATE TABLE t (a)",
        ] {
            assert!(!first(sql), "{sql}");
        }
    }

    #[test]
    fn variables_that_a_query_sets_are_found() {
        let piece = |sql: &str| pieces(sql, Dialect::MySql).remove(0);
        assert!(piece("SELECT max(id) INTO @last FROM t").selects_into_variable());
        assert!(piece("SELECT @n := 1").selects_into_variable());
        assert!(!piece("SELECT @@version").selects_into_variable());
        assert_eq!(piece("SET @a = 1, @b = @@x").user_variables(), ["@a", "@b"]);
    }
}
