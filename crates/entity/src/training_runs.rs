//! One training of one model on one dataset version.

use sea_orm::entity::prelude::*;

/// One row of `training_runs`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "training_runs")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(indexed)]
    pub experiment_id: i64,
    #[sea_orm(indexed)]
    pub dataset_version_id: i64,
    #[sea_orm(column_type = "String(StringLen::N(50))", indexed)]
    pub compute_tier_code: Option<String>,
    #[sea_orm(indexed)]
    pub started_by: Option<i64>,
    #[sea_orm(column_type = "JsonBinary")]
    pub parameters: Json,
    #[sea_orm(column_type = "Decimal(Some((12, 4)))", default_value = 0)]
    pub cost_usd: Decimal,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub queued_at: DateTimeUtc,
    pub started_at: Option<DateTimeUtc>,
    pub finished_at: Option<DateTimeUtc>,
    #[sea_orm(indexed, default_value = "queued")]
    pub status: TrainingRunStatus,
    #[sea_orm(belongs_to, from = "experiment_id", to = "id", on_delete = "Cascade")]
    pub experiment: BelongsTo<super::experiments::Entity>,
    #[sea_orm(
        belongs_to,
        from = "dataset_version_id",
        to = "id",
        on_delete = "Restrict"
    )]
    pub dataset_version: BelongsTo<super::dataset_versions::Entity>,
    #[sea_orm(
        belongs_to,
        from = "compute_tier_code",
        to = "code",
        on_delete = "Restrict",
        on_update = "Cascade"
    )]
    pub compute_tier: BelongsTo<Option<super::compute_tiers::Entity>>,
    #[sea_orm(belongs_to, from = "started_by", to = "id", on_delete = "SetNull")]
    pub starter: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(has_many)]
    pub run_metrics: HasMany<super::run_metrics::Entity>,
    #[sea_orm(has_many)]
    pub artifacts: HasMany<super::artifacts::Entity>,
    #[sea_orm(has_many)]
    pub model_versions: HasMany<super::model_versions::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// How far a training run has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Enum",
    enum_name = "training_run_status",
    rename_all = "snake_case"
)]
pub enum TrainingRunStatus {
    /// Waits for a machine.
    Queued,
    /// Is under way.
    Running,
    /// Ended as it should.
    Succeeded,
    /// Ended with an error.
    Failed,
    /// Was stopped by someone.
    Cancelled,
}
