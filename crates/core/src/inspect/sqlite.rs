//! Reading the catalogue of this kind of database.

use sqlx::SqliteConnection;
use stairway_plan::schema::Schema;

use super::{InspectError, InspectOptions};

/// Reads everything.
pub(super) async fn read(
    _connection: &mut SqliteConnection,
    _options: &InspectOptions,
) -> Result<Schema, InspectError> {
    Err(InspectError::InvalidUrl {
        reason: "not read yet".to_owned(),
    })
}
