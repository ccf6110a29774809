//! The exclusive right to migrate one database.
//!
//! PostgreSQL: an advisory lock on the very session that runs the statements, so that it is freed
//! exactly when they can no longer run. It is polled for: a session blocked in `pg_advisory_lock`
//! holds a snapshot, for which `CREATE INDEX CONCURRENTLY` waits, which is a deadlock. Behind a
//! transaction pooler a session lock protects nothing; there each step takes the lock inside its
//! own transaction. MySQL/MariaDB: `GET_LOCK`, which is shared by all databases of a server.
//! SQLite: an operating-system lock on `<database>.lock`, freed with the process.

mod file;
mod footing;
mod heartbeat;
mod mysql;
mod postgres;
mod waiting;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use stairway_plan::bookkeeping::{Bookkeeping, LeaseRow};
use stairway_plan::event::LockHolder;
use stairway_plan::sql::{Dialect, redact_statement};

use crate::config::{Config, DatabaseSource};
use crate::connection::{Failure, Session};
use crate::error::Error;

pub(crate) use footing::{Claim, Footing, examine};
pub(crate) use heartbeat::Heartbeat;
pub(crate) use waiting::{Always, Request, StillNeeded};

/// Which lock belongs to a database and its history.
#[derive(Clone, Debug)]
pub(crate) struct LockKey {
    /// The lock's name on MySQL/MariaDB and in the lease table.
    pub(crate) name: String,
    /// The lock's number on PostgreSQL.
    pub(crate) number: i64,
    /// The schema of the history table, where it is or where it would be made; in MySQL the database.
    pub(crate) schema: Option<String>,
    /// The database in use, on MySQL/MariaDB.
    pub(crate) database: Option<String>,
    /// Why nothing can be written here.
    read_only: Option<&'static str>,
    /// The file that is locked for SQLite; none for a database in memory.
    file: Option<PathBuf>,
}

/// The lock, held until it is released or its session ends.
#[derive(Debug)]
pub(crate) enum MigrationLock {
    /// A session-level advisory lock, which is taken again and again (see
    /// [`MigrationLock::condition_at_begin`]) and is to be given back as often.
    Postgres { number: i64, times: AtomicU32 },
    /// Each step locks inside its transaction.
    PostgresTransaction,
    /// A named lock of the session.
    MySql { name: String },
    /// A locked file.
    File(file::LockedFile),
    /// A database in memory, which nobody else can reach.
    Unneeded,
}

/// What waiting for the lock came to.
#[derive(Debug)]
pub(crate) enum Acquired {
    /// The lock is ours.
    Lock(MigrationLock),
    /// While waiting it turned out that another run had done all there was to do.
    NothingLeft,
}

impl LockKey {
    /// The key, from the database and its history table. However a session comes to that table (by
    /// a configured schema, by the search path, through a link to the file), the key is the same.
    pub(crate) async fn of(
        config: &Config,
        books: &Bookkeeping,
        session: &mut Session,
    ) -> Result<Self, sqlx::Error> {
        match session.dialect() {
            Dialect::Postgres => Self::postgres(books, session).await,
            Dialect::MySql => Self::mysql(books, session).await,
            Dialect::Sqlite => Self::sqlite(config, books, session).await,
        }
    }

    async fn postgres(books: &Bookkeeping, session: &mut Session) -> Result<Self, sqlx::Error> {
        let table = Dialect::Postgres.quote_string(&books.quoted_history_table());
        let row = session
            .rows(format!(
                "SELECT current_database(), coalesce((SELECT n.nspname FROM pg_class c \
                 JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass({table})), current_schema()), \
                 CASE WHEN pg_is_in_recovery() THEN 't' ELSE 'f' END, current_setting('transaction_read_only')"
            ))
            .await?
            .pop()
            .unwrap_or_default();
        let column = |index: usize| row.get(index).and_then(Option::as_deref);
        let database = column(0).unwrap_or_default();
        let schema = books.schema().or(column(1)).map(str::to_owned);
        let located = schema
            .as_deref()
            .map_or_else(|| books.clone(), |schema| books.located(schema));
        Ok(Self {
            name: located.lock_name(database),
            number: located.lock_number(database),
            schema,
            database: None,
            read_only: match (column(2), column(3)) {
                (Some("t"), _) => Some(
                    "the server is a read-only standby, or a proxy on the way sends reads to one (pg_is_in_recovery)",
                ),
                (_, Some("on")) => Some(
                    "transactions are read-only here (default_transaction_read_only is on for this user or database)",
                ),
                _ => None,
            },
            file: None,
        })
    }

    async fn mysql(books: &Bookkeeping, session: &mut Session) -> Result<Self, sqlx::Error> {
        let row = session
            .rows("SELECT DATABASE(), @@lower_case_table_names, @@read_only, @@innodb_read_only")
            .await?
            .pop()
            .unwrap_or_default();
        let column = |index: usize| row.get(index).and_then(Option::as_deref);
        let database = column(0).map(str::to_owned);
        let schema = books
            .schema()
            .map(str::to_owned)
            .or_else(|| database.clone());
        let place = schema.clone().unwrap_or_default();
        // Where the server does not tell `Shop` from `shop`, the lock must not either.
        let place = if column(1) == Some("0") {
            place
        } else {
            place.to_lowercase()
        };
        let located = Bookkeeping::new(Dialect::MySql, books.history_table(), Some(&place));
        let is_on = |index: usize| !matches!(column(index), None | Some("0" | "OFF"));
        Ok(Self {
            name: located.lock_name(&place),
            number: located.lock_number(&place),
            schema,
            database,
            read_only: (is_on(2) || is_on(3)).then_some(
                "the server is a read-only replica, or a proxy on the way sends reads to one (read_only is on)",
            ),
            file: None,
        })
    }

    async fn sqlite(
        config: &Config,
        books: &Bookkeeping,
        session: &mut Session,
    ) -> Result<Self, sqlx::Error> {
        let file = match &config.database {
            DatabaseSource::Url(url) => url.sqlite_file().map(PathBuf::from),
            DatabaseSource::Connection(_) => session
                .value("SELECT file FROM pragma_database_list WHERE name = 'main'")
                .await?
                .filter(|file| !file.is_empty())
                .map(PathBuf::from),
        };
        // Two links to one file must not have two locks.
        let file = file.map(|file| std::fs::canonicalize(&file).unwrap_or(file));
        Ok(Self {
            name: books.lock_name(""),
            number: books.lock_number(""),
            schema: None,
            database: None,
            read_only: None,
            file: file.map(|file| file::lock_file_of(&file)),
        })
    }

    /// PostgreSQL: the number of the lock that says "I am about to take it", see [`Claim`].
    pub(crate) fn claim(&self) -> i64 {
        !self.number
    }

    /// Whether it is an SQLite database in a file.
    pub(crate) fn has_file(&self) -> bool {
        self.file.is_some()
    }

    /// The tables, named with their schema.
    pub(crate) fn located(&self, books: &Bookkeeping) -> Bookkeeping {
        match (&self.schema, books.dialect()) {
            (Some(schema), Dialect::Postgres | Dialect::MySql) => books.located(schema),
            _ => books.clone(),
        }
    }

    /// Refuses a database in which nothing can be written, before that is tried.
    pub(crate) fn check_writable(&self, config: &Config) -> Result<(), Error> {
        if config.dialect() == Dialect::Postgres && self.schema.is_none() {
            return Err(Error::Unsupported(
                "there is no schema to keep the history in: set the search path, or name one with \
                 MIGRATION_HISTORY_SCHEMA"
                    .to_owned(),
            ));
        }
        match self.read_only {
            None => Ok(()),
            Some(reason) => Err(Error::Refused {
                location: config.location(),
                failure: Failure::ReadOnly,
                message: format!("{reason}; nothing was done"),
            }),
        }
    }
}

impl MigrationLock {
    /// Takes the lock if nobody holds it. Never waits.
    async fn try_acquire(
        key: &LockKey,
        session: &mut Session,
        footing: Footing,
    ) -> Result<Option<Self>, Error> {
        let taken = match session.dialect() {
            Dialect::Postgres if footing == Footing::Pooled => true,
            Dialect::Postgres => postgres::try_lock(session, key.number)
                .await
                .map_err(|error| lock_error(session, &error))?,
            Dialect::MySql => mysql::try_lock(session, &key.name)
                .await
                .map_err(|error| lock_error(session, &error))?,
            Dialect::Sqlite => match &key.file {
                Some(path) => return Ok(file::LockedFile::try_lock(path)?.map(Self::File)),
                None => return Ok(Some(Self::Unneeded)),
            },
        };
        Ok(taken.then(|| match session.dialect() {
            Dialect::Postgres if footing == Footing::Pooled => Self::PostgresTransaction,
            Dialect::Postgres => Self::Postgres {
                number: key.number,
                times: AtomicU32::new(1),
            },
            Dialect::MySql => Self::MySql {
                name: key.name.clone(),
            },
            Dialect::Sqlite => Self::Unneeded,
        }))
    }

    /// Whether the lock is still ours. Asked before every step.
    pub(crate) async fn is_held(&self, session: &mut Session) -> Result<bool, sqlx::Error> {
        match self {
            Self::Postgres { number, .. } => postgres::is_held(session, *number).await,
            Self::MySql { name } => mysql::is_held(session, name).await,
            Self::File(file) => Ok(file.is_held()),
            Self::PostgresTransaction | Self::Unneeded => Ok(true),
        }
    }

    /// Gives the lock back. A failure is of no consequence: the session's end frees it.
    pub(crate) async fn release(self, session: &mut Session) {
        let result = match self {
            Self::Postgres { number, times } => {
                postgres::unlock(session, number, times.into_inner()).await
            }
            Self::MySql { name } => mysql::unlock(session, &name).await,
            Self::File(file) => {
                file.unlock();
                Ok(())
            }
            Self::PostgresTransaction | Self::Unneeded => Ok(()),
        };
        if let Err(error) = result {
            tracing::debug!(%error, "the lock ends with its session");
        }
    }

    /// The condition, in SQL, that this session holds the lock; none where SQL can't tell.
    pub(crate) fn held_condition(&self) -> Option<String> {
        match self {
            Self::Postgres { number, .. } => Some(postgres::held_condition(*number)),
            Self::MySql { name } => Some(mysql::held_condition(name)),
            Self::PostgresTransaction | Self::File(_) | Self::Unneeded => None,
        }
    }

    /// As [`Self::held_condition`], for the beginning of each step. On PostgreSQL the session takes
    /// the lock once more, which it can if it has it: that costs next to nothing, while looking into
    /// `pg_locks` costs a tenth of a small step. Where a function has given the lock back out of
    /// sight, it is held again from here on, or another run has it and the condition fails.
    pub(crate) fn condition_at_begin(&self) -> Option<String> {
        match self {
            Self::Postgres { number, .. } => Some(format!("pg_try_advisory_lock({number})")),
            _ => self.held_condition(),
        }
    }

    /// The database is asked for [`Self::condition_at_begin`]: the lock is given back as often as it
    /// was taken.
    pub(crate) fn is_asked_at_begin(&self) {
        if let Self::Postgres { times, .. } = self {
            times.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Whether the lock is ours as far as the session has no part in it: SQLite's is a file's.
    pub(crate) fn is_held_outside_session(&self) -> bool {
        match self {
            Self::File(file) => file.is_held(),
            _ => true,
        }
    }

    /// A query that fails unless this session holds the lock, to stand before what must not be
    /// committed without it. PostgreSQL's error says [`LOCK_LOST`], MySQL's has the number 1242.
    pub(crate) fn guard(&self, dialect: Dialect) -> Option<String> {
        let held = self.held_condition()?;
        match dialect {
            Dialect::Postgres => Some(format!(
                "SELECT CAST(CASE WHEN {held} THEN '1' ELSE '{LOCK_LOST}' END AS integer)"
            )),
            Dialect::MySql => Some(format!("SELECT IF({held}, 1, (SELECT 1 UNION SELECT 2))")),
            Dialect::Sqlite => None,
        }
    }
}

/// Who holds the lock, as far as can be found out without it.
pub(crate) async fn holder(
    key: &LockKey,
    books: &Bookkeeping,
    session: &mut Session,
) -> Result<Option<LockHolder>, sqlx::Error> {
    let (session_id, mut holder) = match session.dialect() {
        Dialect::Postgres => match postgres::holder(session, key.number).await? {
            Some(found) => found,
            None => return Ok(None),
        },
        Dialect::MySql => match mysql::holder(session, &key.name).await? {
            Some(found) => found,
            None => return Ok(None),
        },
        Dialect::Sqlite => return Ok(key.file.as_deref().and_then(file::holder)),
    };
    if let Some(lease) = lease_of(key, books, session, session_id).await? {
        holder.pid = lease.pid;
        holder.host = Some(lease.host);
        holder.application = Some(lease.application);
        holder.since = lease.acquired_at;
        if let Some(silent) = lease
            .silent_seconds
            .filter(|silent| *silent > heartbeat::DEAD_AFTER)
        {
            let activity = holder.activity.unwrap_or_default();
            holder.activity = Some(format!("no sign of life for {silent} s; {activity}"));
        }
    }
    Ok(Some(holder))
}

/// What a session does, for people: its state and the beginning of its statement, secrets masked.
fn activity(state: Option<String>, statement: Option<String>, dialect: Dialect) -> Option<String> {
    let statement = redact_statement(&statement.unwrap_or_default(), dialect);
    let beginning: String = statement.chars().take(120).collect();
    state.map(|state| format!("{state}: {beginning}"))
}

/// What the holder wrote of itself into the lease table; the row of an earlier one names another
/// session of the server.
async fn lease_of(
    key: &LockKey,
    books: &Bookkeeping,
    session: &mut Session,
    holder: i64,
) -> Result<Option<LeaseRow>, sqlx::Error> {
    let existing = books.found_tables(&session.rows(books.find_tables()).await?);
    if !existing.lease {
        return Ok(None);
    }
    let rows = session.rows(books.read_lease(&key.name)).await?;
    Ok(books
        .parse_lease(&rows)
        .filter(|lease| lease.session == Some(holder)))
}

/// Ends the holder's session on the server, which frees the lock and rolls back its transaction.
/// Returns false where there is nothing to end: SQLite's lock ends with its process.
pub(crate) async fn break_lock(key: &LockKey, session: &mut Session) -> Result<bool, sqlx::Error> {
    let holder = match session.dialect() {
        Dialect::Postgres => postgres::holder(session, key.number).await?,
        Dialect::MySql => mysql::holder(session, &key.name).await?,
        Dialect::Sqlite => None,
    };
    match holder {
        Some((id, _)) => end_session(session, id).await,
        None => Ok(false),
    }
}

/// Ends a session of the server.
async fn end_session(session: &mut Session, id: i64) -> Result<bool, sqlx::Error> {
    match session.dialect() {
        Dialect::Postgres => Ok(session
            .value(format!("SELECT pg_terminate_backend({id})"))
            .await?
            .as_deref()
            == Some("t")),
        Dialect::MySql => {
            session.run(format!("KILL CONNECTION {id}")).await?;
            Ok(true)
        }
        Dialect::Sqlite => Ok(false),
    }
}

/// What PostgreSQL says when [`MigrationLock::guard`] fails.
pub(crate) const LOCK_LOST: &str = "stairway: the migration lock is lost";

fn lock_error(session: &Session, error: &sqlx::Error) -> Error {
    Error::query("taking the migration lock", session.dialect(), error)
}
