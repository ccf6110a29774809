//! The exclusive right to migrate one database.
//!
//! PostgreSQL: an advisory lock on the very session that runs the statements, so that it is freed
//! exactly when they can no longer run. It is polled for: a session blocked in `pg_advisory_lock`
//! holds a snapshot, for which `CREATE INDEX CONCURRENTLY` waits, which is a deadlock. Behind a
//! transaction pooler a session lock protects nothing; there each step takes the lock inside its
//! own transaction. MySQL/MariaDB: `GET_LOCK`, which is shared by all databases of a server.
//! SQLite: an operating-system lock on `<database>.lock`, freed with the process.

mod file;
mod mysql;
mod postgres;

use std::path::PathBuf;
use std::time::{Duration, Instant};

use stairway_plan::bookkeeping::Bookkeeping;
use stairway_plan::event::{EventKind, LockHolder};
use stairway_plan::sql::Dialect;

use crate::BoxFuture;
use crate::config::{Config, DatabaseSource, PoolerPolicy};
use crate::connection::Session;
use crate::error::Error;
use crate::observer::Observers;
use crate::stop::Stop;

pub(crate) use postgres::is_behind_pooler;

/// Which lock belongs to a database and its history.
#[derive(Clone, Debug)]
pub(crate) struct LockKey {
    /// The lock's name on MySQL/MariaDB and in the lease table.
    pub(crate) name: String,
    /// The lock's number on PostgreSQL.
    pub(crate) number: i64,
    /// The file that is locked for SQLite; none for a database in memory.
    file: Option<PathBuf>,
}

/// The lock, held until it is released or its session ends.
#[derive(Debug)]
pub(crate) enum MigrationLock {
    /// A session-level advisory lock.
    Postgres { number: i64 },
    /// Each step locks inside its transaction.
    PostgresTransaction { number: i64 },
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
    /// The key, from the database and its history table.
    pub(crate) async fn of(
        config: &Config,
        books: &Bookkeeping,
        session: &mut Session,
    ) -> Result<Self, sqlx::Error> {
        let (database, file) = match session.dialect() {
            Dialect::Postgres => (session.value("SELECT current_database()").await?, None),
            Dialect::MySql => (session.value("SELECT DATABASE()").await?, None),
            Dialect::Sqlite => {
                let file = match &config.database {
                    DatabaseSource::Url(url) => url.sqlite_file().map(PathBuf::from),
                    DatabaseSource::Connection(_) => session
                        .value("SELECT file FROM pragma_database_list WHERE name = 'main'")
                        .await?
                        .filter(|file| !file.is_empty())
                        .map(PathBuf::from),
                };
                (None, file)
            }
        };
        let database = database.unwrap_or_default();
        Ok(Self {
            name: books.lock_name(&database),
            number: books.lock_number(&database),
            file: file.map(|file| file::lock_file_of(&file)),
        })
    }
}

impl MigrationLock {
    /// Takes the lock if nobody holds it. Never waits.
    async fn try_acquire(
        key: &LockKey,
        session: &mut Session,
        behind_pooler: bool,
    ) -> Result<Option<Self>, Error> {
        let taken = match session.dialect() {
            Dialect::Postgres if behind_pooler => true,
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
            Dialect::Postgres if behind_pooler => Self::PostgresTransaction { number: key.number },
            Dialect::Postgres => Self::Postgres { number: key.number },
            Dialect::MySql => Self::MySql {
                name: key.name.clone(),
            },
            Dialect::Sqlite => Self::Unneeded,
        }))
    }

    /// Whether the lock is still ours. Asked before every step.
    pub(crate) async fn is_held(&self, session: &mut Session) -> Result<bool, sqlx::Error> {
        match self {
            Self::Postgres { number } => postgres::is_held(session, *number).await,
            Self::MySql { name } => mysql::is_held(session, name).await,
            Self::File(file) => Ok(file.is_held()),
            Self::PostgresTransaction { .. } | Self::Unneeded => Ok(true),
        }
    }

    /// Gives the lock back. A failure is of no consequence: the session's end frees it.
    pub(crate) async fn release(self, session: &mut Session) {
        let result = match self {
            Self::Postgres { number } => postgres::unlock(session, number).await,
            Self::MySql { name } => mysql::unlock(session, &name).await,
            Self::File(file) => {
                file.unlock();
                Ok(())
            }
            Self::PostgresTransaction { .. } | Self::Unneeded => Ok(()),
        };
        if let Err(error) = result {
            tracing::debug!(%error, "the lock ends with its session");
        }
    }

    /// PostgreSQL: the condition that this session holds the lock.
    pub(crate) fn postgres_condition(&self) -> String {
        match self {
            Self::Postgres { number } => postgres::held_condition(*number),
            _ => "true".to_owned(),
        }
    }

    /// The number to lock inside each step's transaction, behind a pooler.
    pub(crate) fn transaction_lock(&self) -> Option<i64> {
        match self {
            Self::PostgresTransaction { number } => Some(*number),
            _ => None,
        }
    }
}

/// Who holds the lock, as far as can be found out without it.
pub(crate) async fn holder(
    key: &LockKey,
    books: &Bookkeeping,
    session: &mut Session,
) -> Result<Option<LockHolder>, sqlx::Error> {
    match session.dialect() {
        Dialect::Postgres => postgres::holder(session, key.number).await,
        Dialect::MySql => mysql::holder(session, books, &key.name).await,
        Dialect::Sqlite => Ok(key.file.as_deref().and_then(file::holder)),
    }
}

/// Ends the holder's session on the server, which frees the lock and rolls back its transaction.
/// Returns false where there is nothing to end: SQLite's lock ends with its process.
pub(crate) async fn break_lock(key: &LockKey, session: &mut Session) -> Result<bool, sqlx::Error> {
    match session.dialect() {
        Dialect::Postgres => postgres::terminate_holder(session, key.number).await,
        Dialect::MySql => mysql::kill_holder(session, &key.name).await,
        Dialect::Sqlite => Ok(false),
    }
}

/// Whoever waits for the lock says between attempts whether there is still anything to do.
pub(crate) trait StillNeeded: Sync {
    /// Looks at the database.
    fn is_still_needed<'a>(
        &'a self,
        session: &'a mut Session,
    ) -> BoxFuture<'a, Result<bool, Error>>;
}

/// There is something to do whatever the database says.
pub(crate) struct Always;

impl StillNeeded for Always {
    fn is_still_needed<'a>(&'a self, _: &'a mut Session) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

/// Waits for the lock, at most as long as the configuration allows, and says who holds it.
/// `still_needed` is asked between attempts, so that a replica whose work was done by another
/// goes on without ever holding the lock.
pub(crate) async fn acquire(
    key: &LockKey,
    books: &Bookkeeping,
    session: &mut Session,
    config: &Config,
    observers: &Observers,
    stop: &Stop,
    still_needed: &dyn StillNeeded,
) -> Result<(Acquired, Duration), Error> {
    let behind_pooler = match config.pooler {
        PoolerPolicy::Direct => false,
        PoolerPolicy::Transaction => session.dialect() == Dialect::Postgres,
        PoolerPolicy::Detect => is_behind_pooler(config, session)
            .await
            .map_err(|error| lock_error(session, &error))?,
    };
    let started = Instant::now();
    let mut reported = Instant::now();
    let mut pause = Duration::from_millis(25);
    let mut first = true;
    loop {
        if let Some(lock) = MigrationLock::try_acquire(key, session, behind_pooler).await? {
            return Ok((Acquired::Lock(lock), started.elapsed()));
        }
        if !first && !still_needed.is_still_needed(session).await? {
            return Ok((Acquired::NothingLeft, started.elapsed()));
        }
        let waited = started.elapsed();
        let left = config.lock_wait_timeout.saturating_sub(waited);
        if first || reported.elapsed() >= Duration::from_secs(5) {
            reported = Instant::now();
            let holder = holder(key, books, session)
                .await
                .map_err(|error| lock_error(session, &error))?;
            observers.emit(EventKind::WaitingForLock {
                holder,
                waited_ms: crate::milliseconds(waited),
                time_left_ms: crate::milliseconds(left),
            });
        }
        first = false;
        if left.is_zero() {
            let holder = holder(key, books, session)
                .await
                .map_err(|error| lock_error(session, &error))?;
            return Err(Error::LockTimeout {
                waited,
                holder: holder.map(Box::new),
                location: config.location(),
            });
        }
        // Jitter keeps replicas that were started together from asking together.
        let jitter = pause.mul_f64(fastrand::f64() * 0.5);
        stop.sleep((pause + jitter).min(left)).await?;
        pause = (pause * 2).min(Duration::from_millis(250));
    }
}

fn lock_error(session: &Session, error: &sqlx::Error) -> Error {
    Error::query("taking the migration lock", session.dialect(), error)
}
