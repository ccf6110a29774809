//! Entities and SQL files without the right to make databases on MySQL and MariaDB, where a definition
//! can't be rolled back: the statements are read instead of run.

use stairway_plan::dialect::mysql::ddl::{Source, read_statements};
use stairway_plan::schema::{Schema, is_history_table};

use super::{SideError, open};
use crate::connection::DatabaseUrl;
use crate::inspect::{InspectOptions, surroundings};

/// Reads what the statements would make in the database of the URL.
pub(super) async fn read(
    server: &DatabaseUrl,
    parts: &[Source<'_>],
    beside: Option<&Schema>,
    options: &InspectOptions,
) -> Result<Schema, SideError> {
    let mut connection = open(server).await?;
    let surroundings = surroundings(&mut connection).await;
    // Only reading was done: a failure to say goodbye is of no consequence.
    drop(connection.close().await);
    let surroundings = surroundings.map_err(|source| SideError::Inspect {
        side: server.to_string(),
        source,
    })?;
    let history = options.history_table.as_deref();
    read_statements(parts, &surroundings, beside, |table| {
        is_history_table(table, history)
    })
    .map_err(|source| SideError::Unreadable {
        server: server.to_string(),
        source,
    })
}
