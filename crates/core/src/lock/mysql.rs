//! MySQL's and MariaDB's named locks. They belong to the session and are shared by all databases
//! of a server, so the name holds the database's.

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

/// Whether any session has the lock.
pub(super) async fn is_taken(session: &mut Session, name: &str) -> Result<bool, sqlx::Error> {
    let query = format!("SELECT IS_FREE_LOCK({})", quoted(name));
    Ok(session.value(query).await?.as_deref() == Some("0"))
}

pub(super) async fn is_held(session: &mut Session, name: &str) -> Result<bool, sqlx::Error> {
    let query = format!("SELECT {}", held_condition(name));
    Ok(session.value(query).await?.as_deref() == Some("1"))
}

/// The condition that this session holds the lock.
pub(super) fn held_condition(name: &str) -> String {
    format!("IS_USED_LOCK({}) <=> CONNECTION_ID()", quoted(name))
}

pub(super) async fn unlock(session: &mut Session, name: &str) -> Result<(), sqlx::Error> {
    session
        .value(format!("SELECT RELEASE_LOCK({})", quoted(name)))
        .await
        .map(drop)
}

/// The holder's session on the server, and what the server knows of it.
pub(super) async fn holder(
    session: &mut Session,
    name: &str,
) -> Result<Option<(i64, LockHolder)>, sqlx::Error> {
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
            "SELECT HOST, COMMAND, LEFT(INFO, 2000) \
             FROM information_schema.PROCESSLIST WHERE ID = {id}"
        ))
        .await?;
    let mut columns = rows.into_iter().next().unwrap_or_default().into_iter();
    let holder = LockHolder {
        pid: Some(id),
        host: columns.next().flatten(),
        activity: super::activity(
            columns.next().flatten(),
            columns.next().flatten(),
            Dialect::MySql,
        ),
        ..LockHolder::default()
    };
    Ok(Some((id, holder)))
}
