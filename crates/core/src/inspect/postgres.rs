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
    let schema = read_in_transaction(connection, options, CatalogueQuery::for_version).await;
    let ended = execute(&mut *connection, "end", catalogue::END.to_owned()).await;
    let schema = schema?;
    ended?;
    Ok(schema)
}

/// Reads everything inside a transaction that somebody else began and will end; if `temporary`, with
/// what the session has made in its temporary schema.
pub(crate) async fn read_within(
    connection: &mut PgConnection,
    options: &InspectOptions,
    temporary: bool,
) -> Result<Schema, InspectError> {
    for statement in &catalogue::BEGIN[1..] {
        execute(&mut *connection, "begin", (*statement).to_owned()).await?;
    }
    let text = if temporary {
        CatalogueQuery::with_temporary_objects
    } else {
        CatalogueQuery::for_version
    };
    read_in_transaction(connection, options, text).await
}

/// Reads everything inside a transaction that is open already and has an empty search path.
async fn read_in_transaction(
    connection: &mut PgConnection,
    options: &InspectOptions,
    text: fn(&CatalogueQuery, u32) -> String,
) -> Result<Schema, InspectError> {
    let server = fetch(
        connection,
        &catalogue::SERVER,
        catalogue::SERVER.for_version(0),
    )
    .await?;
    let (server, version) = read_server(&server)?;
    let mut results = Vec::with_capacity(catalogue::QUERIES.len());
    for query in catalogue::QUERIES {
        results.push(fetch(connection, query, text(query, version)).await?);
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
    text: String,
) -> Result<Vec<Vec<Option<String>>>, InspectError> {
    fetch_text(connection, query.name, text).await
}
