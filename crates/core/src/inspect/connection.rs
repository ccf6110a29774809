//! One raw connection to any of the databases.

use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use sqlx::{ConnectOptions, Connection as _, MySqlConnection, PgConnection, SqliteConnection};
use stairway_plan::dialect::Dialect;

use super::InspectError;
use crate::connection::SQLITE_ROW_BUFFER;

/// One connection, without a pool and without a cache of prepared statements.
#[derive(Debug)]
pub enum Connection {
    /// To PostgreSQL.
    Postgres(PgConnection),
    /// To MySQL or MariaDB.
    Mysql(MySqlConnection),
    /// To an SQLite file.
    Sqlite(SqliteConnection),
}

impl Connection {
    /// Connects. An SQLite file must exist; it is not created.
    pub async fn open(url: &str) -> Result<Self, InspectError> {
        let dialect = dialect_of(url)?;
        let connect = |source| InspectError::Connect {
            dialect: dialect.as_str(),
            source,
        };
        let invalid = |error: sqlx::Error| InspectError::InvalidUrl {
            reason: error.to_string(),
        };
        Ok(match dialect {
            Dialect::Postgres => {
                let options: PgConnectOptions = url.parse().map_err(invalid)?;
                let options = options
                    .statement_cache_capacity(0)
                    .application_name("stairway");
                Self::Postgres(options.connect().await.map_err(connect)?)
            }
            Dialect::Mysql => {
                let options: MySqlConnectOptions = url.parse().map_err(invalid)?;
                let options = options.statement_cache_capacity(0);
                Self::Mysql(options.connect().await.map_err(connect)?)
            }
            Dialect::Sqlite => {
                let options: SqliteConnectOptions = url.parse().map_err(invalid)?;
                let options = options
                    .statement_cache_capacity(0)
                    .row_buffer_size(SQLITE_ROW_BUFFER);
                Self::Sqlite(options.connect().await.map_err(connect)?)
            }
        })
    }

    /// The kind of database.
    pub fn dialect(&self) -> Dialect {
        match self {
            Self::Postgres(_) => Dialect::Postgres,
            Self::Mysql(_) => Dialect::Mysql,
            Self::Sqlite(_) => Dialect::Sqlite,
        }
    }

    /// Says goodbye to the server.
    pub async fn close(self) -> Result<(), sqlx::Error> {
        match self {
            Self::Postgres(connection) => connection.close().await,
            Self::Mysql(connection) => connection.close().await,
            Self::Sqlite(connection) => connection.close().await,
        }
    }
}

/// The kind of database that a URL names.
pub fn dialect_of(url: &str) -> Result<Dialect, InspectError> {
    let scheme = url.split([':', '/']).next().unwrap_or_default();
    match scheme {
        "postgres" | "postgresql" => Ok(Dialect::Postgres),
        "mysql" | "mariadb" => Ok(Dialect::Mysql),
        "sqlite" => Ok(Dialect::Sqlite),
        other => Err(InspectError::UnknownScheme {
            scheme: other.to_owned(),
        }),
    }
}
