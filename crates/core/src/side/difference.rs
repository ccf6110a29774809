//! Comparing two schemas that were read.

use stairway_plan::diff::{DiffError, DiffOptions, Difference, PureJudge, Questioner, diff};
use stairway_plan::schema::Schema;

use super::{SideError, Sources};
use crate::BoxFuture;

/// Says what makes the first schema like the second one.
///
/// # Errors
/// When the schemas are of different kinds of database.
pub fn difference<'a>(
    _sources: &'a Sources,
    from: &'a Schema,
    to: &'a Schema,
    options: &'a DiffOptions,
    questioner: &'a (dyn Questioner + Sync),
) -> BoxFuture<'a, Result<Difference, SideError>> {
    Box::pin(async move {
        diff(from, to, options, &PureJudge, questioner)
            .map_err(|error: DiffError| SideError::Different(error))
    })
}
