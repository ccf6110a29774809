//! What stands between us and the server, found out before anything is written.
//!
//! Behind a pooler in transaction mode a session's lock protects nothing. Behind a proxy that sends
//! reads to a replica, what is read is not what is written to.

use std::time::Duration;

use stairway_plan::sql::Dialect;

use crate::config::{Config, DatabaseSource, PoolerPolicy};
use crate::connection::{Access, Failure, Session, TextRow, Vigil, connect};
use crate::error::Error;

/// How the session reaches the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Footing {
    /// One session of the server belongs to us.
    Direct,
    /// Server sessions are shared, and change from one transaction to the next.
    Pooled,
}

/// How often it is tried to catch a pooler at it, where something looks like one.
const TRIES_IF_SUSPECT: u32 = 25;
const TRIES: u32 = 3;

/// A connection of one's own answers within this time; one that a pooler has no session for waits.
const STALL: Duration = Duration::from_secs(1);

/// After so many waits in vain it is taken for one.
const STALLS: u32 = 10;

/// The right to examine on PostgreSQL, which takes a second connection: of those that start together
/// only one is to go to that length, and the others wait until it has the lock proper. Held like that
/// lock behind a pooler, by transactions, since what the connection goes through is not known yet. In
/// between it lapses; a second examiner then costs its second connection, nothing else.
#[derive(Debug, Default)]
pub(crate) struct Claim(Option<i64>);

impl Claim {
    /// Takes the claim with this number, which leaves the session in a transaction until
    /// [`examine`]. Nothing if another has it.
    pub(crate) async fn take(
        config: &Config,
        session: &mut Session,
        number: i64,
    ) -> Result<Option<Self>, Error> {
        if session.dialect() != Dialect::Postgres || config.pooler != PoolerPolicy::Detect {
            return Ok(Some(Self::default()));
        }
        let claim = Self(Some(number));
        let taken = session
            .value(claim.begin())
            .await
            .map_err(|error| examining_failed(Dialect::Postgres, &error))?;
        if taken.as_deref() == Some("t") {
            return Ok(Some(claim));
        }
        session
            .run("ROLLBACK")
            .await
            .map_err(|error| examining_failed(Dialect::Postgres, &error))?;
        Ok(None)
    }

    /// Opens a transaction that has the claim, if no other has.
    fn begin(&self) -> String {
        self.0.map_or_else(
            || "BEGIN".to_owned(),
            |number| format!("BEGIN; SELECT pg_try_advisory_xact_lock({number})"),
        )
    }
}

fn examining_failed(dialect: Dialect, error: &sqlx::Error) -> Error {
    Error::query(
        "finding out what the connection goes through",
        dialect,
        error,
    )
}

/// Finds out what the connection goes through.
///
/// # Errors
/// [`Error::Refused`] if reads and writes go to different servers.
pub(crate) async fn examine(
    config: &Config,
    session: &mut Session,
    claim: Claim,
) -> Result<Footing, Error> {
    let dialect = session.dialect();
    let examined = match dialect {
        Dialect::Sqlite => Ok(Examined::Footing(Footing::Direct)),
        Dialect::MySql => mysql(session).await,
        Dialect::Postgres => match config.pooler {
            PoolerPolicy::Direct => Ok(Examined::Footing(Footing::Direct)),
            PoolerPolicy::Transaction => Ok(Examined::Footing(Footing::Pooled)),
            PoolerPolicy::Detect => postgres(config, session, &claim).await,
        },
    };
    match examined.map_err(|error| examining_failed(dialect, &error))? {
        Examined::Footing(footing) => Ok(footing),
        Examined::Split => Err(Error::Refused {
            location: config.location(),
            failure: Failure::ReadOnly,
            message: "a proxy on the way sends what only reads to another server than what writes, so that what is \
                      read here may be old; nothing was done"
                .to_owned(),
        }),
    }
}

enum Examined {
    Footing(Footing),
    Split,
}

/// Where a statement was run: the server session, whether its server is a standby, and the time there.
const PLACE: &str = "SELECT pg_backend_pid(), pg_is_in_recovery(), clock_timestamp(), \
     (SELECT backend_start FROM pg_stat_get_activity(pg_backend_pid()))";

/// A second connection opens a transaction. Where that moves the first one to another server session,
/// or shows both on the same one, sessions are shared. A second connection that is served by a
/// session older than itself is a sign of a pooler, which is then tried for longer: other clients can
/// take the shared session in between.
async fn postgres(
    config: &Config,
    session: &mut Session,
    claim: &Claim,
) -> Result<Examined, sqlx::Error> {
    let column = |row: &TextRow, index: usize| row.get(index).cloned().flatten();
    let first = session.rows(PLACE).await?.pop().unwrap_or_default();
    let Some(mut other) = beside_claim(config, session, claim).await? else {
        return Ok(Examined::Footing(Footing::Direct));
    };
    let mut shared = false;
    let mut split = false;
    let mut tries = TRIES;
    let mut attempts_made = 0;
    let mut stalls = 0;
    let mut other_before = None;
    while attempts_made < tries && !shared && !split {
        let before = session.rows(PLACE).await?.pop().unwrap_or_default();
        other.run(claim.begin()).await?;
        let during = other.rows(PLACE).await?.pop().unwrap_or_default();
        let (after, stalled) = beside_transaction(session, &mut other).await?;
        let owned = !session.is_lent();
        if owned && attempts_made == 0 && is_earlier(column(&during, 3), column(&first, 2)) {
            tries = TRIES_IF_SUSPECT;
        }
        split = column(&before, 1) != column(&during, 1) || column(&after, 1) != column(&during, 1);
        let other_moved = other_before
            .replace(column(&during, 0))
            .is_some_and(|earlier| earlier != column(&during, 0));
        shared = column(&before, 0) == column(&during, 0)
            || column(&before, 0) != column(&after, 0)
            || other_moved;
        if stalled {
            // Others do the same: not all again at once.
            stalls += 1;
            shared |= stalls == STALLS;
            tokio::time::sleep(STALL.mul_f64(fastrand::f64())).await;
        } else {
            attempts_made += 1;
            tokio::time::sleep(Duration::from_millis(u64::from(attempts_made.min(4)))).await;
        }
    }
    other.close().await;
    Ok(match (split, shared) {
        (true, _) => Examined::Split,
        (false, true) => Examined::Footing(Footing::Pooled),
        (false, false) => Examined::Footing(Footing::Direct),
    })
}

/// Where the first connection is while the other has a transaction open, which is ended then. Whoever
/// holds a session of a pooler must not wait for a second one without end: several that do so wait for
/// one another. Returns whether it had to be ended for that.
async fn beside_transaction(
    session: &mut Session,
    other: &mut Session,
) -> Result<(TextRow, bool), sqlx::Error> {
    let asked = session.rows(PLACE);
    tokio::pin!(asked);
    let answered = tokio::time::timeout(STALL, &mut asked).await;
    other.run("ROLLBACK").await?;
    let (rows, stalled) = match answered {
        Ok(rows) => (rows?, false),
        Err(_) => (asked.await?, true),
    };
    Ok((rows.into_iter().next_back().unwrap_or_default(), stalled))
}

/// The second session, while the first one has the claim in a transaction. Where a pooler has only
/// one session of the server to lend, the second waits for the first, which is not to last.
async fn beside_claim(
    config: &Config,
    session: &mut Session,
    claim: &Claim,
) -> Result<Option<Session>, sqlx::Error> {
    let opened = second_session(config);
    if claim.0.is_none() {
        return opened.await;
    }
    tokio::pin!(opened);
    let other = tokio::time::timeout(STALL, &mut opened).await;
    session.run("ROLLBACK").await?;
    match other {
        Ok(other) => other,
        Err(_) => opened.await,
    }
}

/// Another session of the same user. Nothing where the application's pool has no other to lend.
async fn second_session(config: &Config) -> Result<Option<Session>, sqlx::Error> {
    let timeout = match &config.database {
        DatabaseSource::Url(_) => config.connect_timeout,
        DatabaseSource::Connection(_) => Duration::from_secs(2),
    };
    let opened = connect(
        &config.database,
        Access::Read,
        &config.application_name(),
        timeout,
    )
    .await;
    match (opened, &config.database) {
        (Ok(mut session), _) => {
            session.keep_vigil(Vigil::of(config));
            Ok(Some(session))
        }
        (Err(error), DatabaseSource::Connection(_)) => {
            tracing::debug!(%error, "the pool lends no second connection, so a pooler can't be told");
            Ok(None)
        }
        (Err(error), DatabaseSource::Url(_)) => Err(error),
    }
}

/// Both in the server's own form, which sorts by time within a time zone.
fn is_earlier(one: Option<String>, other: Option<String>) -> bool {
    matches!((one, other), (Some(one), Some(other)) if one < other)
}

async fn mysql(session: &mut Session) -> Result<Examined, sqlx::Error> {
    const SERVER: &str = "SELECT @@server_id, @@hostname, @@port, @@read_only";
    let plain = session.rows(SERVER).await?;
    session.run("BEGIN").await?;
    let within = session.rows(SERVER).await?;
    session.run("ROLLBACK").await?;
    Ok(if plain == within {
        Examined::Footing(Footing::Direct)
    } else {
        Examined::Split
    })
}
