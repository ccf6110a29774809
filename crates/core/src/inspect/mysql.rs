//! Reading the catalogue of MySQL and MariaDB.

use futures_util::TryStreamExt;
use sqlx::{MySqlConnection, Row};
use stairway_plan::dialect::mysql::catalogue::{
    self, Answers, Queries, SERVER, has_partitions, queries,
};
use stairway_plan::dialect::mysql::ddl::{self, Surroundings};
use stairway_plan::dialect::mysql::unshown::{Doubts, Shown};
use stairway_plan::dialect::mysql::{hidden, periods};
use stairway_plan::dialect::rows::TextRow;
use stairway_plan::schema::{Schema, is_history_table};

use super::rows::fetch_text;
use super::{Connection, InspectError, InspectOptions};

/// Reads everything. There is no snapshot of the catalogue: a change made meanwhile may be seen in
/// part.
pub(super) async fn read(
    connection: &mut MySqlConnection,
    options: &InspectOptions,
) -> Result<Schema, InspectError> {
    let server = fetch(connection, "server", SERVER).await?;
    let has_database = server
        .first()
        .and_then(|row| row.get(1))
        .is_some_and(Option::is_some);
    if !has_database {
        return Err(InspectError::InvalidUrl {
            reason: "it names no database".to_owned(),
        });
    }
    let queries = queries(&catalogue::server(&server));
    let answers = ask(connection, server, &queries).await?;
    let history = options.history_table.as_deref();
    Ok(stairway_plan::dialect::mysql::read(&answers, |table| {
        is_history_table(table, history)
    }))
}

/// What the server is like on which statements would be run.
pub(crate) async fn surroundings(
    connection: &mut Connection,
) -> Result<Surroundings, InspectError> {
    let Connection::Mysql(connection) = connection else {
        return Err(InspectError::InvalidUrl {
            reason: "it is not one of MySQL".to_owned(),
        });
    };
    let server = fetch(connection, "server", SERVER).await?;
    let settings = fetch(connection, "settings", ddl::SETTINGS).await?;
    let charsets = fetch(connection, "character sets", ddl::CHARSETS).await?;
    Ok(Surroundings::new(server, &settings, &charsets))
}

async fn ask(
    connection: &mut MySqlConnection,
    server: Vec<TextRow>,
    queries: &Queries,
) -> Result<Answers, InspectError> {
    let tables = fetch(connection, "tables", &queries.tables).await?;
    let partitions = if has_partitions(&tables) {
        fetch(connection, "partitions", &queries.partitions).await?
    } else {
        Vec::new()
    };
    let key_columns = fetch(connection, "columns of foreign keys", &queries.key_columns).await?;
    let mut foreign_keys = fetch(connection, "foreign keys", &queries.foreign_keys).await?;
    if let Some(statements) = hidden::statements(&key_columns, &foreign_keys) {
        let shown = fetch_shown(connection, "tables with foreign keys", statements).await?;
        foreign_keys.extend(hidden::rules(&shown));
    }
    let mut answers = Answers {
        server,
        tables,
        partitions,
        columns: fetch(connection, "columns", &queries.columns).await?,
        indexes: fetch(connection, "indexes", &queries.indexes).await?,
        key_columns,
        foreign_keys,
        checks: fetch_some(connection, "checks", queries.checks.as_ref()).await?,
        check_owners: fetch_some(
            connection,
            "owners of checks",
            queries.check_owners.as_ref(),
        )
        .await?,
        views: fetch(connection, "views", &queries.views).await?,
        triggers: fetch(connection, "triggers", &queries.triggers).await?,
        routines: fetch(connection, "routines", &queries.routines).await?,
        parameters: fetch(connection, "parameters", &queries.parameters).await?,
        events: fetch(connection, "events", &queries.events).await?,
        doubtful: Vec::new(),
    };
    let doubts = Doubts::of(&answers);
    if doubts != Doubts::default() {
        let shown = Shown {
            defaults: show(connection, doubts.defaults()).await?,
            tables: show(connection, doubts.tables()).await?,
            views: show(connection, doubts.views()).await?,
            triggers: show(connection, doubts.triggers()).await?,
            routines: show(connection, doubts.routines()).await?,
        };
        answers.doubtful = doubts.settle(&shown, &mut answers);
    }
    if let Some(statements) = periods::statements(&answers) {
        let shown = show(connection, Some(statements)).await?;
        let named = periods::take_out(&shown, &mut answers);
        answers.doubtful.extend(named);
    }
    Ok(answers)
}

/// What statements show; nothing where the user lacks a right that the catalogue does not ask for.
async fn show(
    connection: &mut MySqlConnection,
    statements: Option<String>,
) -> Result<Vec<TextRow>, InspectError> {
    let Some(statements) = statements else {
        return Ok(Vec::new());
    };
    match fetch_shown(connection, "texts that are shown in part", statements).await {
        Err(InspectError::Query {
            source: sqlx::Error::Database(error),
            ..
        }) => {
            tracing::debug!(%error, "a text can't be shown");
            Ok(Vec::new())
        }
        shown => shown,
    }
}

async fn fetch_some(
    connection: &mut MySqlConnection,
    name: &'static str,
    sql: Option<&String>,
) -> Result<Vec<TextRow>, InspectError> {
    match sql {
        Some(sql) => fetch(connection, name, sql).await,
        None => Ok(Vec::new()),
    }
}

async fn fetch(
    connection: &mut MySqlConnection,
    name: &'static str,
    sql: &str,
) -> Result<Vec<TextRow>, InspectError> {
    fetch_text(connection, name, sql.to_owned()).await
}

/// As [`fetch_text`], for statements that are shown: defaults in them may hold bytes that are no text.
async fn fetch_shown(
    connection: &mut MySqlConnection,
    name: &'static str,
    sql: String,
) -> Result<Vec<TextRow>, InspectError> {
    let wrap = |source| InspectError::Query {
        query: name,
        source,
    };
    let mut rows = Vec::new();
    let mut stream = sqlx::raw_sql(sqlx::AssertSqlSafe(sql)).fetch(connection);
    while let Some(row) = stream.try_next().await.map_err(wrap)? {
        let mut values = Vec::with_capacity(row.len());
        for index in 0..row.len() {
            let bytes: Option<Vec<u8>> = row.try_get_unchecked(index).map_err(wrap)?;
            values.push(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
        }
        rows.push(values);
    }
    Ok(rows)
}
