//! The databases whose SQL is understood, and how each quotes.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A family of databases that share their SQL. MariaDB counts as MySQL.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    #[serde(rename = "mysql")]
    MySql,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    /// Every dialect, in the order of the documentation.
    pub const ALL: [Self; 3] = [Self::Postgres, Self::MySql, Self::Sqlite];

    /// The name in settings, JSON and metrics: `postgres`, `mysql` or `sqlite`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }

    /// The name as a quoted identifier, exact in case.
    ///
    /// No database accepts a NUL character in a name. It is passed on in a form that keeps the
    /// statement whole and that the server refuses, never dropped.
    pub fn quote_identifier(self, name: &str) -> String {
        match self {
            Self::MySql => format!("`{}`", name.replace('`', "``")),
            // The protocol ends a statement at a NUL byte, so it must not stand there as it is.
            Self::Postgres if name.contains('\0') => {
                let escaped = name
                    .replace('"', "\"\"")
                    .replace('\\', "\\\\")
                    .replace('\0', "\\0000");
                format!("U&\"{escaped}\"")
            }
            Self::Postgres | Self::Sqlite => format!("\"{}\"", name.replace('"', "\"\"")),
        }
    }

    /// The value as a string literal or, where no literal can hold it, as an expression in brackets.
    ///
    /// PostgreSQL: a value with a backslash becomes an `E''` literal, which means the same whatever
    /// `standard_conforming_strings` says; one with a NUL character is written so that the server
    /// refuses it, as it refuses the bound value. MySQL: the default `sql_mode` is assumed, in
    /// which a backslash escapes. SQLite: a NUL character becomes `char(0)`.
    pub fn quote_string(self, value: &str) -> String {
        let has_null = value.contains('\0');
        let has_special = has_null || value.contains('\\');
        let (open, null, close) = match self {
            Self::Postgres if has_special => ("E'", "\\000", "'"),
            Self::MySql => ("'", "\\0", "'"),
            Self::Sqlite if has_null => ("('", "'||char(0)||'", "')"),
            Self::Postgres | Self::Sqlite => ("'", "", "'"),
        };
        let mut quoted = String::with_capacity(open.len() + value.len() + close.len());
        quoted.push_str(open);
        let mut rest = value;
        while let Some(at) = rest
            .bytes()
            .position(|byte| matches!(byte, b'\'' | b'\\' | 0))
        {
            quoted.push_str(&rest[..at]);
            match &rest[at..=at] {
                "'" => quoted.push_str("''"),
                "\0" => quoted.push_str(null),
                // A backslash is a character like others to SQLite.
                _ if self == Self::Sqlite => quoted.push('\\'),
                _ => quoted.push_str("\\\\"),
            }
            rest = &rest[at + 1..];
        }
        quoted.push_str(rest);
        quoted.push_str(close);
        quoted
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Postgres => "PostgreSQL",
            Self::MySql => "MySQL/MariaDB",
            Self::Sqlite => "SQLite",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_json_are_those_of_the_settings() {
        for dialect in Dialect::ALL {
            let json = serde_json::to_string(&dialect).unwrap();
            assert_eq!(json, format!("\"{}\"", dialect.as_str()));
            assert_eq!(serde_json::from_str::<Dialect>(&json).unwrap(), dialect);
        }
        assert_eq!(format!("{:>15}", Dialect::MySql), "  MySQL/MariaDB");
    }

    #[test]
    fn a_quote_inside_an_identifier_is_doubled() {
        assert_eq!(Dialect::Postgres.quote_identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(Dialect::Sqlite.quote_identifier("a\"b"), "\"a\"\"b\"");
        assert_eq!(Dialect::MySql.quote_identifier("a`b"), "`a``b`");
        assert_eq!(Dialect::Postgres.quote_identifier("a\\b"), "\"a\\b\"");
    }

    #[test]
    fn a_backslash_in_a_string_stays_one_backslash() {
        assert_eq!(Dialect::Postgres.quote_string("it's"), "'it''s'");
        assert_eq!(Dialect::Postgres.quote_string("a\\'b"), "E'a\\\\''b'");
        assert_eq!(Dialect::MySql.quote_string("a\\'b"), "'a\\\\''b'");
        assert_eq!(Dialect::Sqlite.quote_string("a\\'b"), "'a\\''b'");
    }

    #[test]
    fn a_nul_character_never_cuts_a_statement_short() {
        for dialect in Dialect::ALL {
            assert!(!dialect.quote_string("a\0b").contains('\0'), "{dialect}");
        }
        assert_eq!(Dialect::Postgres.quote_string("a\0b"), "E'a\\000b'");
        assert_eq!(Dialect::MySql.quote_string("a\0b"), "'a\\0b'");
        assert_eq!(Dialect::Sqlite.quote_string("a\0b"), "('a'||char(0)||'b')");
        assert_eq!(
            Dialect::Postgres.quote_identifier("a\0\\"),
            "U&\"a\\0000\\\\\""
        );
    }
}
