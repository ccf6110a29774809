//! One connection to one database, never silently replaced.
//!
//! Sqlx's pools may hand out another connection after an error or a timeout; a migration's lock,
//! settings and transaction live on one session, so Stairway holds the bare connection. Its
//! prepared-statement cache stays unused: after DDL in the same session a cached plan describes
//! columns that no longer exist.

use std::ops::{Deref, DerefMut};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::TryStreamExt;
use sea_orm::{ExecResult, QueryResult, Statement};
use sea_query_sqlx::SqlxValues;
use sqlx::pool::PoolConnection;
use sqlx::{AssertSqlSafe, Connection, Database, MySql, Postgres, Row, Sqlite};
use stairway_plan::sql::Dialect;

use super::Vigil;
use crate::stop::{Stop, Urgency};

/// One row of a query of our own: each column as text, or nothing for NULL.
pub(crate) type TextRow = Vec<Option<String>>;

/// A pinned connection, and how long it is waited for.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) link: Link,
    vigil: Option<Vigil>,
    /// How many transactions have ended in it, where that is counted.
    ended_transactions: Option<Arc<AtomicU64>>,
}

/// A pinned connection.
#[derive(Debug)]
pub(crate) enum Link {
    Postgres(Pinned<Postgres>),
    MySql(Pinned<MySql>),
    Sqlite(Pinned<Sqlite>),
    /// Given up: something was sent and its answer is not waited for any more, so that nothing that
    /// comes back could be understood.
    Abandoned(Dialect),
}

/// What a statement of a migration did.
#[derive(Debug)]
pub(crate) struct Executed {
    /// In sea-orm's form. It panics when PostgreSQL's is asked for a generated id, or SQLite's for a
    /// negative one.
    pub(crate) result: ExecResult,
    pub(crate) rows_affected: u64,
    /// The last generated id; 0 where there is none.
    pub(crate) last_insert_id: u64,
}

/// How long saying goodbye to a server may take.
const GOODBYE: Duration = Duration::from_secs(3);

/// How many steps SQLite's machine makes between two looks at whether it is to stop.
const SQLITE_STEPS: i32 = 10_000;

const JOURNAL_MODE: &str = "PRAGMA main.journal_mode";

/// A connection that is ours alone, or one lent by the user's pool for as long as we hold it.
pub(crate) enum Pinned<DB: Database> {
    Owned(DB::Connection),
    Lent(PoolConnection<DB>),
}

impl<DB: Database> std::fmt::Debug for Pinned<DB> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Owned(_) => "Owned",
            Self::Lent(_) => "Lent",
        })
    }
}

impl<DB: Database> Deref for Pinned<DB> {
    type Target = DB::Connection;

    fn deref(&self) -> &DB::Connection {
        match self {
            Self::Owned(connection) => connection,
            Self::Lent(connection) => connection,
        }
    }
}

impl<DB: Database> DerefMut for Pinned<DB> {
    fn deref_mut(&mut self) -> &mut DB::Connection {
        match self {
            Self::Owned(connection) => connection,
            Self::Lent(connection) => connection,
        }
    }
}

/// Runs the same expression on whichever connection the session holds.
macro_rules! on_connection {
    ($session:expr, $connection:ident => $body:expr) => {
        match $session {
            Link::Postgres(pinned) => {
                let $connection: &mut sqlx::PgConnection = &mut *pinned;
                $body
            }
            Link::MySql(pinned) => {
                let $connection: &mut sqlx::MySqlConnection = &mut *pinned;
                $body
            }
            Link::Sqlite(pinned) => {
                let $connection: &mut sqlx::SqliteConnection = &mut *pinned;
                $body
            }
            Link::Abandoned(_) => Err(abandoned()),
        }
    };
}

impl Session {
    pub(crate) fn dialect(&self) -> Dialect {
        match &self.link {
            Link::Postgres(_) => Dialect::Postgres,
            Link::MySql(_) => Dialect::MySql,
            Link::Sqlite(_) => Dialect::Sqlite,
            Link::Abandoned(dialect) => *dialect,
        }
    }

    /// The connection belongs to the application's pool.
    pub(crate) fn is_lent(&self) -> bool {
        matches!(
            self.link,
            Link::Postgres(Pinned::Lent(_))
                | Link::MySql(Pinned::Lent(_))
                | Link::Sqlite(Pinned::Lent(_))
        )
    }

    /// Whether the server is PostgreSQL of at least this version, in the form 140000.
    pub(crate) fn is_postgres_since(&self, version: u32) -> bool {
        match &self.link {
            Link::Postgres(connection) => connection
                .server_version_num()
                .is_some_and(|found| found >= version),
            _ => false,
        }
    }

    /// Gives the session up in the middle of a statement. The connection is closed without a word;
    /// everything that is asked of the session from now on is an error.
    pub(crate) fn abandon(&mut self) {
        let dialect = self.dialect();
        match std::mem::replace(&mut self.link, Link::Abandoned(dialect)) {
            Link::Postgres(Pinned::Lent(connection)) => drop(connection.detach()),
            Link::MySql(Pinned::Lent(connection)) => drop(connection.detach()),
            Link::Sqlite(Pinned::Lent(mut connection)) => connection.close_on_drop(),
            owned => drop(owned),
        }
    }

    /// SQLite: lets its statements be interrupted when the run is to stop at once. They run inside
    /// this process, where nothing else could reach them. From then on transactions that end are counted,
    /// unless the connection is the application's, which may have hooks of its own.
    pub(crate) async fn heed(&mut self, stop: &Stop) -> Result<(), sqlx::Error> {
        if let Link::Sqlite(connection) = &mut self.link {
            let is_own = matches!(connection, Pinned::Owned(_));
            let stop = stop.clone();
            let mut handle = connection.lock_handle().await?;
            handle.set_progress_handler(SQLITE_STEPS, move || stop.urgency() < Urgency::Now);
            if is_own {
                let ended = Arc::new(AtomicU64::new(0));
                let (committed, undone) = (Arc::clone(&ended), Arc::clone(&ended));
                handle.set_commit_hook(move || {
                    committed.fetch_add(1, Ordering::Relaxed);
                    true
                });
                handle.set_rollback_hook(move || {
                    undone.fetch_add(1, Ordering::Relaxed);
                });
                self.ended_transactions = Some(ended);
            }
        }
        Ok(())
    }

    /// SQLite: lets the rollback journal's file stay between two transactions, as this connection's own
    /// choice (<https://sqlite.org/pragma.html#pragma_journal_mode>). To make and to delete it takes a small step a
    /// fifth of its time. A database that is in another mode than the default stays in it.
    pub(super) async fn keep_journal_file(&mut self) -> Result<(), sqlx::Error> {
        if self.value(JOURNAL_MODE).await?.as_deref() == Some("delete") {
            self.run(format!("{JOURNAL_MODE} = PERSIST")).await?;
        }
        Ok(())
    }

    /// SQLite: deletes the file that [`Self::keep_journal_file`] let stay. One that is left over means
    /// nothing to SQLite, since its header is blank.
    async fn delete_journal_file(&mut self) -> Result<(), sqlx::Error> {
        if self.value(JOURNAL_MODE).await?.as_deref() == Some("persist") {
            self.run(format!("{JOURNAL_MODE} = DELETE")).await?;
        }
        Ok(())
    }

    /// How many transactions that wrote have been committed or undone in the session, as SQLite itself
    /// says at each (<https://sqlite.org/c3ref/commit_hook.html>). Nothing where that is not counted.
    pub(crate) fn ended_transactions(&self) -> Option<u64> {
        self.ended_transactions
            .as_ref()
            .map(|ended| ended.load(Ordering::Relaxed))
    }

    /// From now on answers are not waited for when the server gives no sign of working on them.
    pub(crate) fn keep_vigil(&mut self, vigil: Option<Vigil>) {
        self.vigil = vigil;
    }

    /// The session has this number on the server, where it is ours alone or a pooler's.
    pub(crate) fn has_number(&mut self, number: i64, is_own: bool) {
        self.vigil = self
            .vigil
            .take()
            .map(|vigil| vigil.for_session(number, is_own));
    }

    /// Runs SQL of our own, several statements at once if need be, in one message to the server.
    /// Returns the rows affected by all of them.
    pub(crate) async fn run(&mut self, sql: impl Into<String>) -> Result<u64, sqlx::Error> {
        let work = self.link.run(sql.into());
        let answer = Vigil::over_question(self.vigil.as_ref(), work).await;
        self.unless_given_up(answer)
    }

    /// Runs a query of our own and returns every row as text.
    pub(crate) async fn rows(
        &mut self,
        sql: impl Into<String>,
    ) -> Result<Vec<TextRow>, sqlx::Error> {
        let work = self.link.rows(sql.into());
        let answer = Vigil::over_question(self.vigil.as_ref(), work).await;
        self.unless_given_up(answer)
    }

    /// The first column of the first row of a query of our own.
    pub(crate) async fn value(
        &mut self,
        sql: impl Into<String>,
    ) -> Result<Option<String>, sqlx::Error> {
        Ok(self
            .rows(sql)
            .await?
            .into_iter()
            .next()
            .and_then(|row| row.into_iter().next().flatten()))
    }

    /// Runs a migration's statement the way that sea-orm would: without bound values by the simple
    /// protocol, so that several statements in one string work; otherwise prepared, uncached.
    pub(crate) async fn execute(&mut self, statement: &Statement) -> Result<Executed, sqlx::Error> {
        let work = self.link.execute(statement);
        let answer = Vigil::over_statement(self.vigil.as_ref(), work).await;
        self.unless_given_up(answer)
    }

    /// Runs a migration's query and returns its rows in the driver's own form.
    pub(crate) async fn query(
        &mut self,
        statement: &Statement,
    ) -> Result<Vec<QueryResult>, sqlx::Error> {
        let work = self.link.query(statement);
        let answer = Vigil::over_statement(self.vigil.as_ref(), work).await;
        self.unless_given_up(answer)
    }

    /// What comes after an answer that was given up could not be understood any more.
    fn unless_given_up<T>(
        &mut self,
        answer: Option<Result<T, sqlx::Error>>,
    ) -> Result<T, sqlx::Error> {
        answer.unwrap_or_else(|| {
            let error = self.vigil.as_ref().map_or_else(abandoned, Vigil::given_up);
            self.abandon();
            Err(error)
        })
    }

    /// Ends a session that has only read: closes it, or gives a lent connection back to its pool. A
    /// failure to say goodbye is of no consequence: the server ends the session with the connection.
    pub(crate) async fn close(self) {
        let goodbye = async {
            match self.link {
                Link::Postgres(Pinned::Owned(connection)) => drop(connection.close().await),
                Link::MySql(Pinned::Owned(connection)) => drop(connection.close().await),
                Link::Sqlite(Pinned::Owned(connection)) => drop(connection.close().await),
                Link::Postgres(Pinned::Lent(_))
                | Link::MySql(Pinned::Lent(_))
                | Link::Sqlite(Pinned::Lent(_))
                | Link::Abandoned(_) => {}
            }
        };
        // A server that does not answer must not keep the process.
        drop(tokio::time::timeout(GOODBYE, goodbye).await);
    }

    /// Ends a session that has migrated. A lent connection has other settings than its pool gave it,
    /// and has cached what the schema was: it is closed, and the pool opens a new one. Closing one of
    /// SQLite's would lose a database in memory: what was changed in it is put back with `restore`.
    /// Where nothing was written (`only_read`), SQLite's thread is not waited for: freeing the schema of
    /// a thousand tables takes it a twentieth of a start with nothing to do.
    pub(crate) async fn retire(mut self, restore: Option<&str>, only_read: bool) {
        let goodbye = async {
            if let Link::Sqlite(Pinned::Owned(_)) = self.link
                && !only_read
                && let Err(error) = self.delete_journal_file().await
            {
                tracing::debug!(%error, "the journal's file stays");
            }
            match self.link {
                Link::Sqlite(Pinned::Owned(connection)) if only_read => drop(connection),
                Link::Postgres(Pinned::Lent(connection)) => drop(connection.close().await),
                Link::MySql(Pinned::Lent(connection)) => drop(connection.close().await),
                Link::Sqlite(Pinned::Lent(mut connection)) => {
                    if let Ok(mut handle) = connection.lock_handle().await {
                        handle.remove_progress_handler();
                    }
                    if let Some(restore) = restore
                        && let Err(error) = sqlx::raw_sql(AssertSqlSafe(restore))
                            .execute(&mut *connection)
                            .await
                    {
                        tracing::warn!(%error, "the connection's settings could not be put back: it is closed");
                        connection.close_on_drop();
                    }
                }
                other => Self::from(other).close().await,
            }
        };
        drop(tokio::time::timeout(GOODBYE, goodbye).await);
    }
}

impl From<Link> for Session {
    fn from(link: Link) -> Self {
        Self {
            link,
            vigil: None,
            ended_transactions: None,
        }
    }
}

impl Link {
    /// As [`Session::run`], however long it takes.
    pub(super) async fn run(&mut self, sql: String) -> Result<u64, sqlx::Error> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql));
        on_connection!(self, connection => Ok(query.execute(connection).await?.rows_affected()))
    }

    /// As [`Session::rows`], however long it takes.
    pub(super) async fn rows(&mut self, sql: String) -> Result<Vec<TextRow>, sqlx::Error> {
        let query = sqlx::raw_sql(AssertSqlSafe(sql));
        on_connection!(self, connection => {
            let mut stream = query.fetch(connection);
            let mut rows = Vec::new();
            while let Some(row) = stream.try_next().await? {
                rows.push(text_row(&row, |row, index| row.try_get_unchecked(index))?);
            }
            Ok(rows)
        })
    }

    async fn execute(&mut self, statement: &Statement) -> Result<Executed, sqlx::Error> {
        let sql = AssertSqlSafe(statement.sql.clone());
        match &statement.values {
            None => {
                let query = sqlx::raw_sql(sql);
                on_connection!(self, connection => Ok(query.execute(connection).await?.into()))
            }
            Some(values) => {
                let values = SqlxValues(values.clone());
                on_connection!(self, connection => Ok(sqlx::query_with(sql, values)
                    .persistent(false)
                    .execute(connection)
                    .await?
                    .into()))
            }
        }
    }

    async fn query(&mut self, statement: &Statement) -> Result<Vec<QueryResult>, sqlx::Error> {
        let sql = AssertSqlSafe(statement.sql.clone());
        let values = SqlxValues(
            statement
                .values
                .clone()
                .unwrap_or(sea_orm::Values(Vec::new())),
        );
        on_connection!(self, connection => Ok(sqlx::query_with(sql, values)
            .persistent(false)
            .fetch_all(connection)
            .await?
            .into_iter()
            .map(Into::into)
            .collect()))
    }
}

fn abandoned() -> sqlx::Error {
    sqlx::Error::Io(std::io::Error::new(
        std::io::ErrorKind::ConnectionAborted,
        "the connection was given up",
    ))
}

impl From<sqlx::postgres::PgQueryResult> for Executed {
    fn from(result: sqlx::postgres::PgQueryResult) -> Self {
        Self {
            rows_affected: result.rows_affected(),
            last_insert_id: 0,
            result: result.into(),
        }
    }
}

impl From<sqlx::mysql::MySqlQueryResult> for Executed {
    fn from(result: sqlx::mysql::MySqlQueryResult) -> Self {
        Self {
            rows_affected: result.rows_affected(),
            last_insert_id: result.last_insert_id(),
            result: result.into(),
        }
    }
}

impl From<sqlx::sqlite::SqliteQueryResult> for Executed {
    fn from(result: sqlx::sqlite::SqliteQueryResult) -> Self {
        Self {
            rows_affected: result.rows_affected(),
            last_insert_id: u64::try_from(result.last_insert_rowid()).unwrap_or(0),
            result: result.into(),
        }
    }
}

/// Reads every column of a row through `get`.
fn text_row<R: Row>(
    row: &R,
    get: impl Fn(&R, usize) -> Result<Option<String>, sqlx::Error>,
) -> Result<TextRow, sqlx::Error> {
    (0..row.len()).map(|index| get(row, index)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stop::StopHandle;

    /// The step's transaction is told by this from another that took its place.
    #[tokio::test]
    async fn sqlite_counts_transactions_that_end_and_nothing_else() {
        let connection = sqlx::SqliteConnection::connect("sqlite::memory:")
            .await
            .expect("a database in memory");
        let mut session = Session::from(Link::Sqlite(Pinned::Owned(connection)));
        assert_eq!(session.ended_transactions(), None, "nobody counts yet");
        session
            .heed(&StopHandle::default().watch())
            .await
            .expect("hooks can be set");
        for (sql, ended) in [
            ("CREATE TABLE t (id int UNIQUE ON CONFLICT ROLLBACK)", 1),
            ("BEGIN IMMEDIATE; SELECT 1", 1),
            (
                "INSERT INTO t VALUES (1); SAVEPOINT inner; INSERT INTO t VALUES (2)",
                1,
            ),
            ("ROLLBACK TO SAVEPOINT inner; RELEASE SAVEPOINT inner", 1),
            ("COMMIT", 2),
            ("BEGIN IMMEDIATE; ROLLBACK", 3),
            ("BEGIN IMMEDIATE; COMMIT", 4),
            ("BEGIN IMMEDIATE; COMMIT; BEGIN IMMEDIATE", 5),
            // It takes the whole transaction with it.
            ("INSERT INTO t VALUES (1)", 6),
        ] {
            drop(session.run(sql).await);
            assert_eq!(session.ended_transactions(), Some(ended), "{sql}");
        }
    }
}
