//! Migrations that misbehave.

use crate::revision::Revisions;

pub(crate) fn revisions(_name: &str, _argument: &str) -> Revisions {
    Revisions::default()
}
