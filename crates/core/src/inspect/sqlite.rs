//! Reading SQLite's catalogue.

use sqlx::SqliteConnection;
use stairway_plan::dialect::sqlite::catalogue::{self, Answers};
use stairway_plan::schema::{Schema, is_history_table};

use super::rows::fetch_text;
use super::{InspectError, InspectOptions};

/// Reads everything, in one transaction so that the answers fit together.
pub(super) async fn read(
    connection: &mut SqliteConnection,
    options: &InspectOptions,
) -> Result<Schema, InspectError> {
    // Inside a transaction of someone else, a savepoint does the same.
    run(connection, "SAVEPOINT stairway_inspect").await?;
    let answers = ask(connection).await;
    let ended = run(connection, "RELEASE stairway_inspect").await;
    let answers = answers?;
    ended?;
    let history = options.history_table.as_deref();
    Ok(catalogue::read(&answers, |table| {
        is_history_table(table, history)
    }))
}

async fn ask(connection: &mut SqliteConnection) -> Result<Answers, InspectError> {
    let version = fetch(connection, "version", catalogue::VERSION).await?;
    Ok(Answers {
        version,
        objects: fetch(connection, "objects", catalogue::OBJECTS).await?,
        table_kinds: fetch(connection, "kinds of tables", catalogue::TABLE_KINDS).await?,
        columns: fetch(connection, "columns", catalogue::COLUMNS).await?,
        // A view over something that is gone makes it fail. The columns of views are for people only.
        view_columns: fetch(connection, "columns of views", catalogue::VIEW_COLUMNS)
            .await
            .unwrap_or_default(),
        indexes: fetch(connection, "indexes", catalogue::INDEXES).await?,
        foreign_keys: fetch(connection, "foreign keys", catalogue::FOREIGN_KEYS).await?,
    })
}

async fn fetch(
    connection: &mut SqliteConnection,
    name: &'static str,
    sql: &str,
) -> Result<Vec<Vec<Option<String>>>, InspectError> {
    fetch_text(connection, name, sql.to_owned()).await
}

async fn run(connection: &mut SqliteConnection, sql: &'static str) -> Result<(), InspectError> {
    let run = sqlx::raw_sql(sql).execute(connection).await;
    run.map(|_| ()).map_err(|source| InspectError::Query {
        query: "transaction",
        source,
    })
}
