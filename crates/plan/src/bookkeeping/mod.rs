//! The tables in which Stairway keeps its books, as text: how they are made, read and written.
//!
//! `seaql_migrations` is sea-orm-migration's own table and stays exactly as that library makes it:
//! the set of applied revisions. Everything else lives in side tables prefixed `stairway_`, which
//! are made on the first write and never needed to read which revisions are applied.
//!
//! All text values are written as literals, quoted for the dialect, so that several statements can
//! go to the server in one message.

mod layout;
mod prepared;
mod read;
mod write;

pub use read::{ExistingTables, JournalEntry, JournalState, LeaseRow};
pub use write::{AuditRecord, JournalRecord, StepRecord, Who};

use sha2::{Digest, Sha256};

use crate::sql::Dialect;

/// The history table of sea-orm-migration when a project does not name its own.
pub const DEFAULT_HISTORY_TABLE: &str = "seaql_migrations";

/// The layout of the side tables that this version writes.
pub const LAYOUT_VERSION: i64 = 1;

/// The names of the tables for one history in one kind of database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bookkeeping {
    dialect: Dialect,
    schema: Option<String>,
    history: String,
    ledger: String,
    audit: String,
    journal: String,
    lease: String,
    layout: String,
    /// The session has prepared what every step writes.
    is_prepared: bool,
}

impl Bookkeeping {
    /// The tables that belong to `history_table`, in the given schema or in the connection's own.
    ///
    /// The side tables of the default history table are `stairway_ledger`, `stairway_audit`,
    /// `stairway_journal`, `stairway_lease` and `stairway_layout`. Another history table has side
    /// tables of its own (`stairway_<table>_ledger`), so two applications in one database do not meet.
    pub fn new(dialect: Dialect, history_table: &str, schema: Option<&str>) -> Self {
        let side = |kind: &str| side_table(history_table, kind);
        Self {
            dialect,
            schema: schema.map(str::to_owned),
            history: history_table.to_owned(),
            ledger: side("ledger"),
            audit: side("audit"),
            journal: side("journal"),
            lease: side("lease"),
            layout: side("layout"),
            is_prepared: false,
        }
    }

    /// The same tables, named with the schema in which they lie, in MySQL with the database. A
    /// migration may change where the session looks; the books must stay where they are.
    #[must_use]
    pub fn located(&self, schema: &str) -> Self {
        Self {
            schema: Some(schema.to_owned()),
            ..self.clone()
        }
    }

    /// The kind of database.
    pub fn dialect(&self) -> Dialect {
        self.dialect
    }

    /// The schema of the tables, in MySQL the database; none where the connection's own is meant.
    pub fn schema(&self) -> Option<&str> {
        self.schema.as_deref()
    }

    /// The history table's name as it stands in a statement.
    pub fn quoted_history_table(&self) -> String {
        self.quoted(&self.history)
    }

    /// The name of the history table, unquoted.
    pub fn history_table(&self) -> &str {
        &self.history
    }

    /// The side tables' names, unquoted, in the order in which they are made.
    pub fn side_tables(&self) -> [&str; 5] {
        [
            &self.ledger,
            &self.audit,
            &self.journal,
            &self.lease,
            &self.layout,
        ]
    }

    /// What a lock on this history is called, given the database's name. At most 64 characters,
    /// the limit of MySQL's `GET_LOCK`, whose names are shared by all databases of a server.
    pub fn lock_name(&self, database: &str) -> String {
        let digest = hex(&self.lock_digest(database));
        format!("stairway_{}", &digest[..40])
    }

    /// The same as a number, for PostgreSQL's advisory locks.
    pub fn lock_number(&self, database: &str) -> i64 {
        let digest = self.lock_digest(database);
        let mut bytes = [0_u8; 8];
        bytes.copy_from_slice(&digest[..8]);
        i64::from_be_bytes(bytes)
    }

    fn lock_digest(&self, database: &str) -> Vec<u8> {
        let schema = self.schema.as_deref().unwrap_or_default();
        Sha256::digest(format!("stairway\0{database}\0{schema}\0{}", self.history)).to_vec()
    }

    /// A table's name as it stands in a statement.
    fn quoted(&self, table: &str) -> String {
        let table = self.dialect.quote_identifier(table);
        match &self.schema {
            Some(schema) => format!("{}.{table}", self.dialect.quote_identifier(schema)),
            None => table,
        }
    }

    fn text(&self, value: &str) -> String {
        self.dialect.quote_string(value)
    }

    fn optional_text(&self, value: Option<&str>) -> String {
        value.map_or_else(|| "NULL".to_owned(), |value| self.text(value))
    }

    /// This moment by the database's clock, in the form that the side tables keep.
    fn now(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => "clock_timestamp()",
            Dialect::MySql => "UTC_TIMESTAMP(6)",
            Dialect::Sqlite => "strftime('%Y-%m-%dT%H:%M:%fZ','now')",
        }
    }

    /// A moment of the side tables as RFC 3339 text in UTC.
    fn moment(&self, column: &str) -> String {
        match self.dialect {
            Dialect::Postgres => {
                format!("to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")
            }
            Dialect::MySql => format!("DATE_FORMAT({column}, '%Y-%m-%dT%H:%i:%s.%fZ')"),
            Dialect::Sqlite => column.to_owned(),
        }
    }

    /// Whole seconds from a moment of the side tables until now, by the database's clock.
    fn seconds_since(&self, column: &str) -> String {
        match self.dialect {
            Dialect::Postgres => {
                format!("CAST(EXTRACT(EPOCH FROM clock_timestamp() - {column}) AS bigint)")
            }
            Dialect::MySql => format!("TIMESTAMPDIFF(SECOND, {column}, UTC_TIMESTAMP(6))"),
            Dialect::Sqlite => format!(
                "CAST(strftime('%s','now') AS integer) - CAST(strftime('%s', {column}) AS integer)"
            ),
        }
    }

    /// This second since 1970 by the database's clock, which is what the history table keeps.
    fn epoch(&self) -> &'static str {
        match self.dialect {
            Dialect::Postgres => "CAST(EXTRACT(EPOCH FROM clock_timestamp()) AS bigint)",
            Dialect::MySql => "UNIX_TIMESTAMP()",
            Dialect::Sqlite => "CAST(strftime('%s','now') AS integer)",
        }
    }
}

/// A side table's name; hash-shortened where it would not fit PostgreSQL's 63 bytes.
fn side_table(history_table: &str, kind: &str) -> String {
    if history_table == DEFAULT_HISTORY_TABLE {
        return format!("stairway_{kind}");
    }
    let name = format!("stairway_{history_table}_{kind}");
    if name.len() <= 63 {
        return name;
    }
    let digest = hex(&Sha256::digest(history_table));
    format!("stairway_{}_{kind}", &digest[..24])
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing to a String can't fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_history_has_plainly_named_side_tables() {
        let books = Bookkeeping::new(Dialect::Postgres, DEFAULT_HISTORY_TABLE, None);
        assert_eq!(
            books.side_tables(),
            [
                "stairway_ledger",
                "stairway_audit",
                "stairway_journal",
                "stairway_lease",
                "stairway_layout"
            ]
        );
    }

    #[test]
    fn two_histories_in_one_database_share_no_table_and_no_lock() {
        let long = "a".repeat(63);
        let names = ["billing", "catalogue", &long, "ä'\"`"];
        for (i, one) in names.iter().enumerate() {
            for other in &names[i + 1..] {
                let (one, other) = (
                    Bookkeeping::new(Dialect::MySql, one, None),
                    Bookkeeping::new(Dialect::MySql, other, None),
                );
                assert!(
                    one.side_tables()
                        .iter()
                        .all(|table| !other.side_tables().contains(table))
                );
                assert!(one.side_tables().iter().all(|table| table.len() <= 63));
                assert_ne!(one.lock_name("shop"), other.lock_name("shop"));
                assert_ne!(one.lock_number("shop"), other.lock_number("shop"));
            }
        }
    }

    #[test]
    fn two_databases_of_one_server_have_locks_of_their_own() {
        let books = Bookkeeping::new(Dialect::MySql, DEFAULT_HISTORY_TABLE, None);
        assert_ne!(books.lock_name("one"), books.lock_name("two"));
        assert!(books.lock_name(&"x".repeat(200)).len() <= 64);
    }

    #[test]
    fn applied_revisions_are_understood_in_a_row_each_and_all_in_one() {
        let books = Bookkeeping::new(Dialect::Sqlite, DEFAULT_HISTORY_TABLE, None);
        let row =
            |kind: &str, text: Option<&str>| vec![Some(kind.to_owned()), text.map(str::to_owned)];
        let parsed = |rows: &[Vec<Option<String>>]| {
            let ids = books.parse_applied(rows)?;
            Some(ids.iter().map(ToString::to_string).collect::<Vec<_>>())
        };
        let two = Some(vec!["a".to_owned(), "it's \"b\"".to_owned()]);
        assert_eq!(
            parsed(&[
                row("applied", Some("a")),
                row("applied", Some("it's \"b\""))
            ]),
            two
        );
        assert_eq!(
            parsed(&[row("all applied", Some(r#"["a","it's \"b\""]"#))]),
            two
        );
        assert_eq!(parsed(&[row("all applied", Some("[]"))]), Some(Vec::new()));
        assert_eq!(parsed(&[row("all applied", Some(r#"["a",null]"#))]), None);
        assert_eq!(
            parsed(&[row("all applied", Some("[]")), row("journal", Some("a"))]),
            None
        );
    }
}
