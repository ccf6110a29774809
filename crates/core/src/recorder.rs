//! Reads and makes the tables of the books on a session.

use stairway_plan::bookkeeping::{Bookkeeping, ExistingTables, LAYOUT_VERSION};
use stairway_plan::graph::RevisionGraph;
use stairway_plan::history::History;
use stairway_plan::sql::Dialect;

use crate::connection::{Session, TextRow};
use crate::error::Error;
use crate::lock::{self, Footing};

/// Reads which revisions are applied and which steps are unfinished: two statements at most, none
/// of which writes or needs more than SELECT. It is as the graph sees it.
pub(crate) async fn read_history(
    session: &mut Session,
    books: &Bookkeeping,
    graph: &RevisionGraph,
) -> Result<History, Error> {
    let failed = |error: sqlx::Error| Error::query("reading the history", books.dialect(), &error);
    let existing = books.found_tables(&session.rows(books.find_tables()).await.map_err(failed)?);
    match books.read_history(existing) {
        None => Ok(History::default()),
        Some(query) => Ok(books
            .parse_history(&session.rows(query).await.map_err(failed)?)
            .seen_by(graph)),
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
    let rows = if let Some(rows) = read_as_if_complete(session, books).await {
        rows
    } else {
        let existing = existing_tables(session, books).await?;
        let Some(query) = books.read_applied(existing) else {
            return Ok(graph.is_empty());
        };
        session.rows(query).await.map_err(failed)?
    };
    let applied = books.parse_applied(&rows);
    Ok(applied.is_some_and(|applied| {
        let mut known = 0;
        let all_are_accounted_for = applied.iter().all(|id| {
            if graph.contains(id.as_str()) {
                known += 1;
                return true;
            }
            graph.replaced_by(id.as_str()).is_some()
        });
        all_are_accounted_for && known == graph.len()
    }))
}

/// Reads without asking first which tables are there, which is dear on MySQL and SQLite. Nothing if
/// one is missing. PostgreSQL would write that into its log as an error, and is quick to ask.
async fn read_as_if_complete(session: &mut Session, books: &Bookkeeping) -> Option<Vec<TextRow>> {
    match books.dialect() {
        Dialect::Postgres => return None,
        Dialect::Sqlite => return session.rows(books.read_applied_together()).await.ok(),
        Dialect::MySql => {}
    }
    let all = ExistingTables {
        history: true,
        ledger: true,
        audit: true,
        journal: true,
        lease: true,
        layout: true,
    };
    session.rows(books.read_applied(all)?).await.ok()
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
pub(crate) async fn ensure_tables(
    session: &mut Session,
    books: &Bookkeeping,
    lock: &lock::Request<'_>,
) -> Result<(), Error> {
    let failed =
        |error: sqlx::Error| Error::query("making the history tables", books.dialect(), &error);
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
    let statements = books.create_missing(existing).join("; ");
    let sql = match (books.dialect(), lock.footing) {
        // Every definition commits by itself there.
        (Dialect::MySql, _) => statements,
        (Dialect::Sqlite, _) => format!("BEGIN IMMEDIATE; {statements}; COMMIT"),
        (Dialect::Postgres, Footing::Direct) => format!("BEGIN; {statements}; COMMIT"),
        (Dialect::Postgres, Footing::Pooled) => {
            lock.begin_locked(session, "").await?;
            format!("{statements}; COMMIT")
        }
    };
    if let Err(error) = session.run(sql).await {
        drop(session.run("ROLLBACK").await);
        return Err(failed(error));
    }
    Ok(())
}
