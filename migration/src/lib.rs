//! The migrations of the reference application, an ML platform, laid out the way a user's project
//! has them: one revision is one file in `src/revisions`, and no list is edited.

include!(concat!(env!("OUT_DIR"), "/revisions.rs"));

pub use sea_orm_migration::{MigrationTrait, MigratorTrait, SchemaManager};
pub use stairway_core::RevisionSource;
