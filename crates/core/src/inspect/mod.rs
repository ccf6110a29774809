//! Reading the schema of a live database.
//!
//! From the catalogues, in a constant number of queries however many tables there are, with no right
//! but to read. What the rows mean is worked out in [`stairway_plan::dialect`].

mod connection;
mod mysql;
mod postgres;
mod rows;
mod sqlite;

use stairway_plan::dialect::rows::CatalogueError;
use stairway_plan::schema::Schema;
use thiserror::Error;

pub use connection::{Connection, dialect_of};
pub(crate) use mysql::surroundings;
pub(crate) use postgres::read_within as inspect_in_transaction;
pub(crate) use rows::{execute, fetch_text};

/// What to read.
#[derive(Clone, Debug, Default)]
pub struct InspectOptions {
    /// The name of the history table that the project chose, which is left alone as the usual ones
    /// are.
    pub history_table: Option<String>,
    /// PostgreSQL: the schema that unqualified names mean; `public` if not given.
    pub default_schema: Option<String>,
}

/// Why a schema could not be read.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum InspectError {
    /// The URL is of no database kind that is known.
    #[error("`{scheme}` is not a database that Stairway knows: use postgres, mysql or sqlite")]
    UnknownScheme { scheme: String },
    /// The URL cannot be used.
    #[error("the database URL cannot be used: {reason}")]
    InvalidUrl { reason: String },
    /// The database did not answer or refused.
    #[error("cannot connect to the {dialect} database: {source}")]
    Connect {
        dialect: &'static str,
        source: sqlx::Error,
    },
    /// A catalogue query failed.
    #[error("cannot read the catalogue ({query}): {source}")]
    Query {
        query: &'static str,
        source: sqlx::Error,
    },
    /// The catalogue said something that was not understood.
    #[error(transparent)]
    Rows(#[from] CatalogueError),
}

/// Reads the schema that the connection sees. Writes nothing and leaves no transaction open.
pub async fn inspect(
    connection: &mut Connection,
    options: &InspectOptions,
) -> Result<Schema, InspectError> {
    match connection {
        Connection::Postgres(connection) => postgres::read(connection, options).await,
        Connection::Mysql(connection) => mysql::read(connection, options).await,
        Connection::Sqlite(connection) => sqlite::read(connection, options).await,
    }
}
