//! Reads and makes the tables of the books on a session.

use stairway_plan::bookkeeping::{Bookkeeping, ExistingTables, LAYOUT_VERSION};
use stairway_plan::graph::RevisionGraph;
use stairway_plan::history::History;
use stairway_plan::sql::Dialect;

use crate::connection::Session;
use crate::error::Error;

/// Reads which revisions are applied and which steps are unfinished: two statements at most, none
/// of which writes or needs more than SELECT.
pub(crate) async fn read_history(
    session: &mut Session,
    books: &Bookkeeping,
) -> Result<History, Error> {
    let failed = |error: sqlx::Error| Error::query("reading the history", books.dialect(), &error);
    let existing = books.found_tables(&session.rows(books.find_tables()).await.map_err(failed)?);
    match books.read_history(existing) {
        None => Ok(History::default()),
        Some(query) => Ok(books.parse_history(&session.rows(query).await.map_err(failed)?)),
    }
}

/// Whether exactly the revisions of the graph are applied and no step is unfinished, which is what
/// most starts find. Two statements that never write.
pub(crate) async fn is_up_to_date(
    session: &mut Session,
    books: &Bookkeeping,
    graph: &RevisionGraph,
) -> Result<bool, Error> {
    let failed = |error: sqlx::Error| Error::query("reading the history", books.dialect(), &error);
    let existing = existing_tables(session, books).await?;
    let Some(query) = books.read_applied(existing) else {
        return Ok(graph.is_empty());
    };
    let rows = session.rows(query).await.map_err(failed)?;
    let applied = books.parse_applied(&rows);
    Ok(applied.is_some_and(|applied| {
        applied.len() == graph.len() && applied.iter().all(|id| graph.contains(id.as_str()))
    }))
}

/// The books with the schema in which they lie or will lie.
pub(crate) async fn locate(
    session: &mut Session,
    books: &Bookkeeping,
) -> Result<Bookkeeping, Error> {
    let Some(query) = books.locate() else {
        return Ok(books.clone());
    };
    let schema = session.value(query).await.map_err(|error| {
        Error::query(
            "asking where the history tables lie",
            books.dialect(),
            &error,
        )
    })?;
    match schema {
        Some(schema) => Ok(books.located(&schema)),
        None => Err(Error::Unsupported(
            "there is no schema to keep the history in: set the search path, or name one with \
             MIGRATION_HISTORY_SCHEMA"
                .to_owned(),
        )),
    }
}

/// Which tables are there.
pub(crate) async fn existing_tables(
    session: &mut Session,
    books: &Bookkeeping,
) -> Result<ExistingTables, Error> {
    let rows = session
        .rows(books.find_tables())
        .await
        .map_err(|error| Error::query("looking for the history tables", books.dialect(), &error))?;
    Ok(books.found_tables(&rows))
}

/// Makes the tables that are missing, under the lock. Refuses side tables that a newer version of
/// Stairway has laid out.
///
/// `transaction_lock` is the lock's number behind a pooler, where the lock is taken inside the
/// transaction that makes the tables.
pub(crate) async fn ensure_tables(
    session: &mut Session,
    books: &Bookkeeping,
    transaction_lock: Option<i64>,
) -> Result<(), Error> {
    let existing = existing_tables(session, books).await?;
    if existing.layout {
        let version = session
            .value(books.read_layout())
            .await
            .map_err(|error| Error::query("reading the layout version", books.dialect(), &error))?
            .and_then(|version| version.trim().parse::<i64>().ok())
            .unwrap_or(LAYOUT_VERSION);
        if version > LAYOUT_VERSION {
            return Err(Error::Unsupported(format!(
                "the side tables have layout {version}, which a newer version of Stairway made; this one knows \
                 layout {LAYOUT_VERSION}: use the newer version"
            )));
        }
    }
    if existing.is_complete() {
        return Ok(());
    }
    let statements = books.create_tables().join("; ");
    let sql = match books.dialect() {
        // Every definition commits by itself there.
        Dialect::MySql => statements,
        Dialect::Sqlite => format!("BEGIN IMMEDIATE; {statements}; COMMIT"),
        Dialect::Postgres => {
            let lock = transaction_lock
                .map(|number| format!("SELECT pg_advisory_xact_lock({number}); "))
                .unwrap_or_default();
            format!("BEGIN; {lock}{statements}; COMMIT")
        }
    };
    match session.run(sql).await {
        Ok(_) => Ok(()),
        Err(error) => {
            drop(session.run("ROLLBACK").await);
            Err(Error::query(
                "making the history tables",
                books.dialect(),
                &error,
            ))
        }
    }
}
