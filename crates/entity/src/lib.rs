//! The entities of the reference application, an ML platform: one module for each table, as the
//! tables are when every migration is applied.

pub mod api_keys;
pub mod artifacts;
pub mod background_jobs;
pub mod compute_tiers;
pub mod dataset_versions;
pub mod datasets;
pub mod deployments;
pub mod evaluation_scores;
pub mod evaluations;
pub mod experiments;
pub mod model_versions;
pub mod models;
pub mod project_members;
pub mod projects;
pub mod run_metrics;
pub mod training_runs;
pub mod user_preferences;
pub mod users;

pub mod prelude;

use sea_orm::{DbBackend, EntityRegistry, Schema, SchemaBuilder};

/// The schema that the entities describe, as statements for `backend`.
pub fn schema(backend: DbBackend) -> SchemaBuilder {
    EntityRegistry::build_schema(Schema::new(backend), concat!(module_path!(), "::*"))
}
