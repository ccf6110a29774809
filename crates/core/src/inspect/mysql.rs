//! Reading the catalogue of MySQL and MariaDB.

use sqlx::MySqlConnection;
use stairway_plan::dialect::mysql::catalogue::{
    self, Answers, Queries, SERVER, has_partitions, queries,
};
use stairway_plan::dialect::mysql::ddl::{self, Surroundings};
use stairway_plan::dialect::mysql::hidden;
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
        let shown = fetch(connection, "tables with foreign keys", &statements).await?;
        foreign_keys.extend(hidden::rules(&shown));
    }
    Ok(Answers {
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
    })
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
