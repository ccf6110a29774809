//! Rows as text.

use futures_util::TryStreamExt;
use sqlx::{ColumnIndex, Decode, Executor, Row, Type};

use super::InspectError;
use stairway_plan::dialect::rows::TextRow;

/// Runs one query in the simple protocol, where every value comes as text, and collects its rows.
pub(crate) async fn fetch_text<'c, DB, E>(
    connection: E,
    name: &'static str,
    sql: String,
) -> Result<Vec<TextRow>, InspectError>
where
    DB: sqlx::Database,
    E: Executor<'c, Database = DB>,
    usize: ColumnIndex<DB::Row>,
    for<'r> String: Decode<'r, DB> + Type<DB>,
{
    let wrap = |source| InspectError::Query {
        query: name,
        source,
    };
    let mut rows = Vec::new();
    let mut stream = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch(connection);
    while let Some(row) = stream.try_next().await.map_err(wrap)? {
        let mut values = Vec::with_capacity(row.len());
        for index in 0..row.len() {
            let value: Option<String> = row.try_get_unchecked(index).map_err(wrap)?;
            values.push(value);
        }
        rows.push(values);
    }
    Ok(rows)
}

/// Runs one statement that has no rows.
pub(crate) async fn execute<'c, DB, E>(
    connection: E,
    name: &'static str,
    sql: String,
) -> Result<(), InspectError>
where
    DB: sqlx::Database,
    E: Executor<'c, Database = DB>,
{
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql))
        .execute(connection)
        .await
        .map(|_| ())
        .map_err(|source| InspectError::Query {
            query: name,
            source,
        })
}
