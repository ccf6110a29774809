//! Reading the catalogue of this kind of database.

use sqlx::PgConnection;
use stairway_plan::schema::Schema;

use super::{InspectError, InspectOptions};

/// Reads everything.
pub(super) async fn read(
    _connection: &mut PgConnection,
    _options: &InspectOptions,
) -> Result<Schema, InspectError> {
    Err(InspectError::Rows {
        query: "postgres",
        reason: "not read yet".to_owned(),
    })
}
