//! What differs between databases, as data and text: catalogue queries and how to read their rows,
//! normalising, and rendering operations as SQL.

pub mod mysql;
pub mod postgres;
pub mod rows;
mod rules;
pub mod sqlite;
mod tokens;

use std::fmt;

use serde::{Deserialize, Serialize};

pub use rules::{Rendered, Rules, TypeChange, rules};

/// A kind of database. MariaDB counts as MySQL; where they differ, [`crate::schema::Server`] tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// SQLite.
    Sqlite,
}

impl Dialect {
    /// The name in JSON and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
