//! Finding out, by looking at the catalogue, whether a statement was done.
//!
//! The objects that a definition concerns look either as they did before it, or it is done; before it
//! is sent, their look is written down.

mod effect;
mod mysql;
mod postgres;

use stairway_plan::sql::{Dialect, ObjectName, Statement, StatementKind};

use crate::connection::Session;

pub(super) use postgres::{IndexReady, clear_invalid_indexes};

/// What looking came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Settled {
    /// It is done.
    Done,
    /// It is not done, or doing it again does no harm.
    NotDone,
    /// It is done but for this, which ends it.
    Rest(String),
    /// Looking does not tell, for this reason.
    Unknown(String),
}

/// What stands in the place of a look where no look would tell, before the reason.
const BLIND: &str = "nothing to look at: ";

/// What is written down in the place of a look where none would tell, for this reason.
pub(super) fn blind(reason: &str) -> String {
    format!("{BLIND}{reason}")
}

/// Whether a look is none.
pub(super) fn is_blind(look: &str) -> bool {
    look.starts_with(BLIND)
}

/// What the objects that a statement concerns look like now; nothing where no look tells.
pub(super) async fn definition(
    session: &mut Session,
    statement: &Statement,
    text: &str,
) -> Result<Option<String>, sqlx::Error> {
    match session.dialect() {
        Dialect::MySql => mysql::definition(session, statement, text).await,
        Dialect::Postgres => postgres::definition(session, statement).await,
        Dialect::Sqlite => Ok(None),
    }
}

/// Finds out whether a statement that was started is done.
pub(super) async fn settle(
    session: &mut Session,
    statement: &Statement,
    text: &str,
    before: Option<&str>,
) -> Result<Settled, sqlx::Error> {
    if let Some(reason) = before.and_then(|before| before.strip_prefix(BLIND)) {
        return Ok(Settled::Unknown(reason.to_owned()));
    }
    if matches!(
        statement.kind,
        StatementKind::Vacuum
            | StatementKind::Cluster
            | StatementKind::Reindex { .. }
            | StatementKind::RefreshView { .. }
            | StatementKind::PragmaWrite
    ) {
        return Ok(Settled::NotDone);
    }
    let special = match session.dialect() {
        Dialect::MySql => mysql::settle(session, statement, text, before).await?,
        Dialect::Postgres => postgres::settle(session, statement, text, before).await?,
        Dialect::Sqlite => None,
    };
    if let Some(settled) = special {
        return Ok(settled);
    }
    let Some(before) = before else {
        return Ok(Settled::Unknown(
            "nothing in the catalogue tells whether its last statement was done".to_owned(),
        ));
    };
    let now = definition(session, statement, text).await?;
    Ok(match now {
        Some(now) if now == before => Settled::NotDone,
        Some(now) if session.dialect() == Dialect::MySql => {
            match effect::effect(statement, text, &now) {
                effect::Effect::There => Settled::Done,
                effect::Effect::NotMade => Settled::NotDone,
                effect::Effect::Missing(what) => Settled::Unknown(format!(
                    "what its last statement concerns has changed since, but not as the statement would have \
                     changed it: {what}. Somebody else seems to have changed it"
                )),
            }
        }
        Some(_) => Settled::Done,
        None => Settled::Unknown(
            "the objects of its last statement can't be looked at any more".to_owned(),
        ),
    })
}

/// A name as it stands in a statement.
fn quoted(dialect: Dialect, name: &ObjectName) -> String {
    let own = dialect.quote_identifier(&name.name);
    name.schema.as_deref().map_or(own.clone(), |schema| {
        format!("{}.{own}", dialect.quote_identifier(schema))
    })
}
