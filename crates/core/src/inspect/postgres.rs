//! Reading PostgreSQL's catalogue: one read-only snapshot, a constant number of queries.

use sqlx::PgConnection;
use stairway_plan::dialect::postgres::catalogue::{self, CatalogueQuery};
use stairway_plan::dialect::postgres::{read as read_rows, read_server};
use stairway_plan::schema::Schema;

use super::rows::{execute, fetch_text};
use super::{InspectError, InspectOptions};

/// Reads everything that the connection's user sees, in a transaction of its own that is always
/// ended.
pub(super) async fn read(
    connection: &mut PgConnection,
    options: &InspectOptions,
) -> Result<Schema, InspectError> {
    for statement in catalogue::BEGIN {
        execute(&mut *connection, "begin", (*statement).to_owned()).await?;
    }
    let schema = read_in_transaction(connection, options).await;
    let ended = execute(&mut *connection, "end", catalogue::END.to_owned()).await;
    let schema = schema?;
    ended?;
    Ok(schema)
}

/// Reads everything inside a transaction that somebody else began and will end.
pub(crate) async fn read_within(
    connection: &mut PgConnection,
    options: &InspectOptions,
) -> Result<Schema, InspectError> {
    for statement in &catalogue::BEGIN[1..] {
        execute(&mut *connection, "begin", (*statement).to_owned()).await?;
    }
    read_in_transaction(connection, options).await
}

/// Reads everything inside a transaction that is open already and has an empty search path.
async fn read_in_transaction(
    connection: &mut PgConnection,
    options: &InspectOptions,
) -> Result<Schema, InspectError> {
    let server = fetch(connection, &catalogue::SERVER, 0).await?;
    let (server, version) = read_server(&server)?;
    let mut results = Vec::with_capacity(catalogue::QUERIES.len());
    for query in catalogue::QUERIES {
        results.push(fetch(connection, query, version).await?);
    }
    let default_schema = options.default_schema.as_deref().unwrap_or("public");
    Ok(read_rows(
        server,
        &results,
        default_schema,
        options.history_table.as_deref(),
    )?)
}

async fn fetch(
    connection: &mut PgConnection,
    query: &CatalogueQuery,
    version: u32,
) -> Result<Vec<Vec<Option<String>>>, InspectError> {
    fetch_text(connection, query.name, query.for_version(version)).await
}
