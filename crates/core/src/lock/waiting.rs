//! Waiting for the lock.

use std::time::{Duration, Instant};

use stairway_plan::bookkeeping::Bookkeeping;
use stairway_plan::event::{EventKind, LockHolder};
use stairway_plan::sql::Dialect;

use crate::BoxFuture;
use crate::config::{Config, OrphanPolicy};
use crate::connection::Session;
use crate::error::Error;
use crate::observer::Observers;
use crate::stop::Stop;

use super::{
    Acquired, Footing, LockKey, MigrationLock, end_session, file, heartbeat, holder, lease_of,
    lock_error, mysql, postgres,
};

/// Whoever waits for the lock says between attempts whether there is still anything to do.
pub(crate) trait StillNeeded: Send {
    /// Looks at the database.
    fn is_still_needed<'a>(
        &'a mut self,
        session: &'a mut Session,
    ) -> BoxFuture<'a, Result<bool, Error>>;
}

/// There is something to do whatever the database says.
pub(crate) struct Always;

impl StillNeeded for Always {
    fn is_still_needed<'a>(&'a mut self, _: &'a mut Session) -> BoxFuture<'a, Result<bool, Error>> {
        Box::pin(std::future::ready(Ok(true)))
    }
}

/// Who asks for which lock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Request<'run> {
    pub(crate) key: &'run LockKey,
    pub(crate) books: &'run Bookkeeping,
    pub(crate) config: &'run Config,
    pub(crate) observers: &'run Observers,
    pub(crate) stop: &'run Stop,
    pub(crate) footing: Footing,
}

/// Who waits longer than this is told for whom. Sixteen replicas that start together and have little to
/// do are through before, and asking costs the server more than all the rest of the waiting.
const WORTH_TELLING: Duration = Duration::from_millis(500);

/// How often it is told again.
const TELL_AGAIN: Duration = Duration::from_secs(5);

/// How often a waiter looks at whether the holder, who has the lock still, has done all there is to do.
const LOOK_AT_WORK: Duration = Duration::from_secs(1);

/// How often a waiter looks at whether the holder still lives.
const ORPHAN_LOOK: Duration = Duration::from_secs(2);

/// How the lock is to be held.
#[derive(Clone, Copy, Debug)]
enum Tenure<'a> {
    /// Not at all: only until nobody else has it.
    Glance,
    /// Until it is given back.
    Session,
    /// By a transaction that is opened for it and gets these settings.
    Transaction(&'a str),
}

impl Request<'_> {
    /// Waits for the lock, at most as long as the configuration allows, and says who holds it.
    /// `still_needed` is asked between attempts, so that a replica whose work was done by another
    /// goes on without ever holding the lock. Behind a pooler the lock is not taken here, but by each
    /// transaction: [`Self::begin_locked`]. What is waited is counted from `started` on.
    pub(crate) async fn acquire(
        &self,
        session: &mut Session,
        started: Instant,
        still_needed: &mut dyn StillNeeded,
    ) -> Result<(Acquired, Duration), Error> {
        let acquired = self
            .wait(session, started, Tenure::Session, still_needed)
            .await?;
        Ok((
            acquired.map_or(Acquired::NothingLeft, Acquired::Lock),
            started.elapsed(),
        ))
    }

    /// Waits until nobody has the lock, which needs nothing of what taking it needs (on PostgreSQL a
    /// second connection, to know what lies between us and the server): most of the replicas that
    /// start together only wait. Returns false where there is nothing left to do.
    pub(crate) async fn wait_while_taken(
        &self,
        session: &mut Session,
        started: Instant,
        still_needed: &mut dyn StillNeeded,
    ) -> Result<bool, Error> {
        let free = self
            .wait(session, started, Tenure::Glance, still_needed)
            .await?;
        Ok(free.is_some())
    }

    /// Behind a pooler: opens a transaction that holds the lock until it ends, and that begins with
    /// these settings.
    pub(crate) async fn begin_locked(
        &self,
        session: &mut Session,
        settings: &str,
    ) -> Result<(), Error> {
        self.wait(
            session,
            Instant::now(),
            Tenure::Transaction(settings),
            &mut Always,
        )
        .await
        .map(drop)
    }

    async fn is_taken(&self, session: &mut Session) -> Result<bool, Error> {
        let taken = match (session.dialect(), &self.key.file) {
            (Dialect::Postgres, _) => postgres::is_taken(session, self.key).await,
            (Dialect::MySql, _) => mysql::is_taken(session, &self.key.name).await,
            (Dialect::Sqlite, Some(path)) => Ok(file::is_taken(path)),
            (Dialect::Sqlite, None) => Ok(false),
        };
        taken.map_err(|error| lock_error(session, &error))
    }

    async fn try_once(
        &self,
        session: &mut Session,
        tenure: Tenure<'_>,
    ) -> Result<Option<MigrationLock>, Error> {
        let settings = match tenure {
            Tenure::Glance => return Ok(Some(MigrationLock::Unneeded)),
            Tenure::Session => {
                return MigrationLock::try_acquire(self.key, session, self.footing).await;
            }
            Tenure::Transaction(settings) => settings,
        };
        let number = self.key.number;
        // The settings answer, too.
        let taken = session
            .rows(format!(
                "BEGIN; {settings}SELECT CASE WHEN pg_try_advisory_xact_lock({number}) THEN 't' ELSE 'f' END"
            ))
            .await
            .map_err(|error| lock_error(session, &error))?
            .pop()
            .and_then(|row| row.into_iter().next().flatten());
        if taken.as_deref() == Some("t") {
            return Ok(Some(MigrationLock::PostgresTransaction));
        }
        session
            .run("ROLLBACK")
            .await
            .map_err(|error| lock_error(session, &error))?;
        Ok(None)
    }

    /// Polls. Whoever waits inside PostgreSQL holds a snapshot, for which a concurrent index build of
    /// the lock's holder would wait in turn. Who finds the lock free after a wait looks first whether
    /// there is still anything to do: those that have waited together would otherwise hold one another
    /// up, each for as long as it takes to find nothing.
    async fn wait(
        &self,
        session: &mut Session,
        started: Instant,
        tenure: Tenure<'_>,
        still_needed: &mut dyn StillNeeded,
    ) -> Result<Option<MigrationLock>, Error> {
        let mut told: Option<Instant> = None;
        let mut looked_at_work = Instant::now();
        let mut looked_at_holder = Instant::now();
        let mut warned = false;
        let mut first = true;
        loop {
            let is_free = match tenure {
                Tenure::Transaction(_) => true,
                Tenure::Session if first => true,
                Tenure::Session | Tenure::Glance => !self.is_taken(session).await?,
            };
            if !first && (is_free || looked_at_work.elapsed() >= LOOK_AT_WORK) {
                looked_at_work = Instant::now();
                if !still_needed.is_still_needed(session).await? {
                    return Ok(None);
                }
            }
            if is_free && let Some(lock) = self.try_once(session, tenure).await? {
                return Ok(Some(lock));
            }
            first = false;
            let waited = started.elapsed();
            let left = self.config.lock_wait_timeout.saturating_sub(waited);
            let is_to_be_told = match told {
                None => waited >= WORTH_TELLING,
                Some(at) => at.elapsed() >= TELL_AGAIN,
            };
            if is_to_be_told {
                told = Some(Instant::now());
                self.observers.emit(EventKind::WaitingForLock {
                    holder: self.holder(session).await?,
                    waited_ms: crate::milliseconds(waited),
                    time_left_ms: crate::milliseconds(left),
                });
            }
            if looked_at_holder.elapsed() >= ORPHAN_LOOK {
                looked_at_holder = Instant::now();
                self.see_to_orphan(session, &mut warned).await?;
            }
            if left.is_zero() {
                return Err(Error::LockTimeout {
                    waited,
                    holder: self.holder(session).await?.map(Box::new),
                    location: self.config.location(),
                });
            }
            // Jitter keeps replicas that were started together from asking together.
            let pause = pause_after(waited);
            let jitter = pause.mul_f64(fastrand::f64() * 0.5);
            self.stop.sleep((pause + jitter).min(left)).await?;
        }
    }

    async fn holder(&self, session: &mut Session) -> Result<Option<LockHolder>, Error> {
        holder(self.key, self.books, session)
            .await
            .map_err(|error| lock_error(session, &error))
    }

    /// The holder is dead and the server still runs its statement: that is waited for, or it is
    /// cancelled by ending the session. Nothing is ever run beside it, since it has the lock.
    async fn see_to_orphan(&self, session: &mut Session, warned: &mut bool) -> Result<(), Error> {
        let failed = |session: &Session, error: sqlx::Error| {
            Error::query("looking after the lock's holder", session.dialect(), &error)
        };
        let found = match session.dialect() {
            Dialect::Postgres => postgres::holder(session, self.key.number).await,
            Dialect::MySql => mysql::holder(session, &self.key.name).await,
            Dialect::Sqlite => return Ok(()),
        };
        let Some((id, _)) = found.map_err(|error| failed(session, error))? else {
            return Ok(());
        };
        let lease = lease_of(self.key, self.books, session, id)
            .await
            .map_err(|error| failed(session, error))?;
        let Some((lease, silent)) = lease.and_then(|lease| {
            let silent = lease.silent_seconds?;
            (silent > heartbeat::DEAD_AFTER).then_some((lease, silent))
        }) else {
            return Ok(());
        };
        let who = format!(
            "the run that holds the lock ({} on {}) has given no sign of life for {silent} s",
            lease.application, lease.host
        );
        match self.config.orphan {
            OrphanPolicy::Wait if *warned => {}
            OrphanPolicy::Wait => {
                *warned = true;
                self.observers.emit(EventKind::Warning {
                    message: format!(
                        "{who}; its statement may still run on the server and is waited for. To end it: \
                         `stairway unlock`, or MIGRATION_ORPHAN=cancel"
                    ),
                });
            }
            OrphanPolicy::Cancel => {
                end_session(session, id)
                    .await
                    .map_err(|error| failed(session, error))?;
                self.observers.emit(EventKind::Warning {
                    message: format!("{who}; its session {id} on the server was ended"),
                });
            }
        }
        Ok(())
    }
}

/// How long a waiter pauses: a small part of what it has waited already, so that it notices soon
/// when a short run is over and costs the server little while a long one lasts.
fn pause_after(waited: Duration) -> Duration {
    (waited / 8).clamp(Duration::from_millis(25), Duration::from_millis(250))
}
