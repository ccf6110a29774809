//! MySQL's and MariaDB's named locks. They belong to the session and are shared by all databases
//! of a server, so the name holds the database's.

use stairway_plan::bookkeeping::Bookkeeping;
use stairway_plan::event::LockHolder;
use stairway_plan::sql::Dialect;

use crate::connection::Session;

fn quoted(name: &str) -> String {
    Dialect::MySql.quote_string(name)
}

pub(super) async fn try_lock(session: &mut Session, name: &str) -> Result<bool, sqlx::Error> {
    Ok(session
        .value(format!("SELECT GET_LOCK({}, 0)", quoted(name)))
        .await?
        .as_deref()
        == Some("1"))
}

pub(super) async fn is_held(session: &mut Session, name: &str) -> Result<bool, sqlx::Error> {
    let query = format!("SELECT IS_USED_LOCK({}) = CONNECTION_ID()", quoted(name));
    Ok(session.value(query).await?.as_deref() == Some("1"))
}

pub(super) async fn unlock(session: &mut Session, name: &str) -> Result<(), sqlx::Error> {
    session
        .value(format!("SELECT RELEASE_LOCK({})", quoted(name)))
        .await
        .map(drop)
}

pub(super) async fn holder(
    session: &mut Session,
    books: &Bookkeeping,
    name: &str,
) -> Result<Option<LockHolder>, sqlx::Error> {
    let query = format!("SELECT CAST(IS_USED_LOCK({}) AS CHAR)", quoted(name));
    let Some(id) = session
        .value(query)
        .await?
        .and_then(|id| id.parse::<i64>().ok())
    else {
        return Ok(None);
    };
    let rows = session
        .rows(format!(
            "SELECT HOST, CONCAT(COMMAND, ': ', COALESCE(LEFT(INFO, 120), '')) \
             FROM information_schema.PROCESSLIST WHERE ID = {id}"
        ))
        .await?;
    let mut columns = rows.into_iter().next().unwrap_or_default().into_iter();
    let mut holder = LockHolder {
        pid: Some(id),
        host: columns.next().flatten(),
        activity: columns.next().flatten(),
        ..LockHolder::default()
    };
    // The holder says in the lease table who it is; the row of an earlier one names another session.
    let existing = books.found_tables(&session.rows(books.find_tables()).await?);
    if existing.lease
        && let Some(lease) = books.parse_lease(&session.rows(books.read_lease(name)).await?)
        && lease.session == Some(id)
    {
        holder.pid = lease.pid;
        holder.host = Some(lease.host);
        holder.application = Some(lease.application);
        holder.since = lease.acquired_at;
    }
    Ok(Some(holder))
}

pub(super) async fn kill_holder(session: &mut Session, name: &str) -> Result<bool, sqlx::Error> {
    let query = format!("SELECT CAST(IS_USED_LOCK({}) AS CHAR)", quoted(name));
    let Some(id) = session
        .value(query)
        .await?
        .and_then(|id| id.parse::<i64>().ok())
    else {
        return Ok(false);
    };
    session.run(format!("KILL CONNECTION {id}")).await?;
    Ok(true)
}
