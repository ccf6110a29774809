//! Every entity, named like its table.

pub use super::api_keys::Entity as ApiKeys;
pub use super::artifacts::Entity as Artifacts;
pub use super::background_jobs::Entity as BackgroundJobs;
pub use super::compute_tiers::Entity as ComputeTiers;
pub use super::dataset_versions::Entity as DatasetVersions;
pub use super::datasets::Entity as Datasets;
pub use super::deployments::Entity as Deployments;
pub use super::evaluation_scores::Entity as EvaluationScores;
pub use super::evaluations::Entity as Evaluations;
pub use super::experiments::Entity as Experiments;
pub use super::model_versions::Entity as ModelVersions;
pub use super::models::Entity as Models;
pub use super::project_members::Entity as ProjectMembers;
pub use super::projects::Entity as Projects;
pub use super::run_metrics::Entity as RunMetrics;
pub use super::training_runs::Entity as TrainingRuns;
pub use super::user_preferences::Entity as UserPreferences;
pub use super::users::Entity as Users;
