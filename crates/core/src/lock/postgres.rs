//! PostgreSQL's advisory locks (manual, section 13.3.5).

use chrono::DateTime;
use stairway_plan::event::LockHolder;
use stairway_plan::sql::Dialect;

use crate::connection::Session;

use super::LockKey;

/// The rows of `pg_locks` for advisory locks of this database with these numbers. A 64-bit number
/// shows as two halves.
fn lock_rows(numbers: &[i64]) -> String {
    let halves: Vec<String> = numbers
        .iter()
        .map(|number| {
            let bits = number.cast_unsigned();
            let (high, low) = (bits >> 32, bits & 0xffff_ffff);
            format!("(l.classid = {high}::bigint::oid AND l.objid = {low}::bigint::oid)")
        })
        .collect();
    format!(
        "l.locktype = 'advisory' AND l.granted AND l.objsubid = 1 AND ({}) \
         AND l.database = (SELECT d.oid FROM pg_database d WHERE d.datname = current_database())",
        halves.join(" OR ")
    )
}

pub(super) async fn try_lock(session: &mut Session, number: i64) -> Result<bool, sqlx::Error> {
    Ok(session
        .value(format!("SELECT pg_try_advisory_lock({number})"))
        .await?
        .as_deref()
        == Some("t"))
}

/// Whether any session has the lock, or is about to take it.
pub(super) async fn is_taken(session: &mut Session, key: &LockKey) -> Result<bool, sqlx::Error> {
    let taken = format!(
        "SELECT CASE WHEN EXISTS (SELECT 1 FROM pg_locks l WHERE {}) THEN 't' ELSE 'f' END",
        lock_rows(&[key.number, key.claim()])
    );
    Ok(session.value(taken).await?.as_deref() == Some("t"))
}

pub(super) async fn is_held(session: &mut Session, number: i64) -> Result<bool, sqlx::Error> {
    Ok(session
        .value(format!("SELECT {}", held_condition(number)))
        .await?
        .as_deref()
        == Some("t"))
}

/// The condition that this session holds the lock.
pub(super) fn held_condition(number: i64) -> String {
    format!(
        "EXISTS (SELECT 1 FROM pg_locks l WHERE l.pid = pg_backend_pid() AND {})",
        lock_rows(&[number])
    )
}

/// Gives the lock back that was taken so many times.
pub(super) async fn unlock(
    session: &mut Session,
    number: i64,
    times: u32,
) -> Result<(), sqlx::Error> {
    session
        .run(format!(
            "SELECT count(pg_advisory_unlock({number})) FROM generate_series(1, {times})"
        ))
        .await
        .map(drop)
}

/// The holder's session on the server, and what the server knows of it.
pub(super) async fn holder(
    session: &mut Session,
    number: i64,
) -> Result<Option<(i64, LockHolder)>, sqlx::Error> {
    let rows = session
        .rows(format!(
            "SELECT l.pid::text, a.client_addr::text, a.application_name, \
             to_char(a.backend_start AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"'), \
             a.state, regexp_replace(a.query, '\\s+', ' ', 'g') \
             FROM pg_locks l LEFT JOIN pg_stat_activity a ON a.pid = l.pid WHERE {}",
            lock_rows(&[number])
        ))
        .await?;
    let Some(row) = rows.into_iter().next() else {
        return Ok(None);
    };
    let mut columns = row.into_iter();
    let mut next = || columns.next().flatten();
    let (pid, address, application, since) = (next(), next(), next(), next());
    let activity = super::activity(next(), next(), Dialect::Postgres);
    let id = pid.as_deref().and_then(|pid| pid.parse().ok()).unwrap_or(0);
    // Our own sessions carry their process and machine in the application name.
    let own = application
        .as_deref()
        .and_then(|name| name.strip_prefix("stairway ")?.split_once('@'));
    let holder = LockHolder {
        pid: own
            .map_or(pid.as_deref(), |(pid, _)| Some(pid))
            .and_then(|pid| pid.parse().ok()),
        host: own.map(|(_, host)| host.to_owned()).or(address),
        since: since
            .and_then(|since| DateTime::parse_from_rfc3339(&since).ok())
            .map(|since| since.to_utc()),
        application,
        activity,
    };
    Ok(Some((id, holder)))
}
