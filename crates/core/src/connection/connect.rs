//! Opening a session.

use std::time::Duration;

use sea_orm::DatabaseConnection;
use sqlx::{ConnectOptions, Connection, MySqlConnection, PgConnection, SqliteConnection};
use stairway_plan::sql::Dialect;

use super::{DatabaseUrl, Link, Pinned, Session, UrlTarget};
use crate::config::DatabaseSource;

/// How many rows SQLite's thread may be ahead of whoever reads them. With the driver's 50 the two wait
/// for one another twenty times in a history of a thousand revisions.
pub(crate) const SQLITE_ROW_BUFFER: usize = 1_024;

/// What a session is opened for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Access {
    /// Only to look. An SQLite file that is missing is not made.
    Read,
    /// To migrate.
    Write,
}

/// How to stop a statement that runs on a session, from another connection.
#[derive(Clone, Debug)]
pub(crate) struct Cancel {
    source: DatabaseSource,
    session: i64,
}

/// Opens a session. Sends nothing beyond what the protocol's start needs.
pub(crate) async fn connect(
    source: &DatabaseSource,
    access: Access,
    application: &str,
    timeout: Duration,
) -> Result<Session, sqlx::Error> {
    let opening = async {
        match source {
            DatabaseSource::Url(url) => connect_url(url, access, application).await,
            DatabaseSource::Connection(connection) => borrow_from_pool(connection).await,
        }
    };
    match tokio::time::timeout(timeout, opening).await {
        Ok(result) => result,
        Err(_) => Err(sqlx::Error::Io(std::io::Error::new(
            std::io::ErrorKind::TimedOut,
            format!("no answer within {} s", timeout.as_secs_f32()),
        ))),
    }
}

async fn connect_url(
    url: &DatabaseUrl,
    access: Access,
    application: &str,
) -> Result<Session, sqlx::Error> {
    match &*url.target {
        UrlTarget::Postgres(options) => {
            let mut options = options
                .clone()
                .statement_cache_capacity(0)
                // PgBouncer refuses unknown start-up parameters, and this one changes nothing since
                // PostgreSQL 12, where floats are printed in full anyway.
                .extra_float_digits(None)
                .disable_statement_logging();
            if options.get_application_name().is_none() {
                options = options.application_name(application);
            }
            Ok(Link::Postgres(Pinned::Owned(PgConnection::connect_with(&options).await?)).into())
        }
        UrlTarget::MySql(options) => {
            // Settings that sqlx would send in a statement of their own are sent by
            // `prepare_for_migration`, and only when there is something to migrate.
            let options = options
                .clone()
                .statement_cache_capacity(0)
                .pipes_as_concat(false)
                .no_engine_substitution(false)
                .timezone(None)
                .set_names(false)
                .disable_statement_logging();
            Ok(Link::MySql(Pinned::Owned(
                MySqlConnection::connect_with(&options).await?,
            ))
            .into())
        }
        UrlTarget::Sqlite { options, file } => {
            let mut options = options
                .clone()
                .statement_cache_capacity(0)
                .busy_timeout(Duration::from_secs(5))
                .row_buffer_size(SQLITE_ROW_BUFFER)
                .disable_statement_logging();
            if access == Access::Read && file.is_some() {
                options = options.create_if_missing(false).read_only(true);
            }
            Ok(Link::Sqlite(Pinned::Owned(
                SqliteConnection::connect_with(&options).await?,
            ))
            .into())
        }
    }
}

/// Takes one connection out of the user's pool for as long as the session lives.
async fn borrow_from_pool(connection: &DatabaseConnection) -> Result<Session, sqlx::Error> {
    match connection.get_database_backend() {
        sea_orm::DbBackend::Postgres => Ok(Link::Postgres(Pinned::Lent(
            connection.get_postgres_connection_pool().acquire().await?,
        ))
        .into()),
        sea_orm::DbBackend::MySql => Ok(Link::MySql(Pinned::Lent(
            connection.get_mysql_connection_pool().acquire().await?,
        ))
        .into()),
        sea_orm::DbBackend::Sqlite => Ok(Link::Sqlite(Pinned::Lent(
            connection.get_sqlite_connection_pool().acquire().await?,
        ))
        .into()),
        _ => Err(sqlx::Error::Configuration(
            "this kind of database is not known to Stairway".into(),
        )),
    }
}

/// Whether another session can be opened beside the one that migrates.
pub(crate) fn can_open_another(source: &DatabaseSource) -> bool {
    let DatabaseSource::Connection(connection) = source else {
        return true;
    };
    let most = match connection.get_database_backend() {
        sea_orm::DbBackend::Postgres => connection
            .get_postgres_connection_pool()
            .options()
            .get_max_connections(),
        sea_orm::DbBackend::MySql => connection
            .get_mysql_connection_pool()
            .options()
            .get_max_connections(),
        _ => 1,
    };
    most > 1
}

/// The server's version in words.
pub(crate) async fn server_version(session: &mut Session) -> Result<String, sqlx::Error> {
    let query = match session.dialect() {
        Dialect::Postgres => "SELECT current_setting('server_version')",
        Dialect::MySql => "SELECT VERSION()",
        Dialect::Sqlite => "SELECT sqlite_version()",
    };
    Ok(session.value(query).await?.unwrap_or_default())
}

impl Cancel {
    /// How to stop this session's statements; nothing for SQLite, whose statements run in this
    /// process.
    pub(crate) async fn of(
        source: &DatabaseSource,
        session: &mut Session,
    ) -> Result<Option<Self>, sqlx::Error> {
        let query = match session.dialect() {
            Dialect::Postgres => "SELECT pg_backend_pid()",
            Dialect::MySql => "SELECT CONNECTION_ID()",
            Dialect::Sqlite => return Ok(None),
        };
        let session = session.value(query).await?.and_then(|id| id.parse().ok());
        Ok(session.map(|session| Self::new(source, session)))
    }

    /// How to stop the statements of the server session with this number.
    pub(crate) fn new(source: &DatabaseSource, session: i64) -> Self {
        Self {
            source: source.clone(),
            session,
        }
    }

    /// The server's number for the session.
    pub(crate) fn session(&self) -> i64 {
        self.session
    }

    /// Stops the statement that the session runs, if any.
    pub(crate) async fn cancel(&self) -> Result<(), sqlx::Error> {
        let mut other = connect(
            &self.source,
            Access::Read,
            "stairway-cancel",
            Duration::from_secs(5),
        )
        .await?;
        let statement = match other.dialect() {
            Dialect::Postgres => format!("SELECT pg_cancel_backend({})", self.session),
            Dialect::MySql => format!("KILL QUERY {}", self.session),
            Dialect::Sqlite => return Ok(()),
        };
        let sent = tokio::time::timeout(Duration::from_secs(5), other.run(statement)).await;
        other.close().await;
        match sent {
            Ok(result) => result.map(drop),
            Err(_) => Err(sqlx::Error::Io(std::io::ErrorKind::TimedOut.into())),
        }
    }
}
