//! A model as one training left it.

use sea_orm::entity::prelude::*;

/// One row of `model_versions`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "model_versions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique_key = "model_version")]
    pub model_id: i64,
    #[sea_orm(unique_key = "model_version")]
    pub version: i32,
    #[sea_orm(indexed)]
    pub training_run_id: Option<i64>,
    #[sea_orm(default_value = "development")]
    pub stage: ModelStage,
    #[sea_orm(column_type = "Text")]
    pub notes: Option<String>,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "model_id", to = "id", on_delete = "Cascade")]
    pub model: BelongsTo<super::models::Entity>,
    #[sea_orm(belongs_to, from = "training_run_id", to = "id", on_delete = "SetNull")]
    pub training_run: BelongsTo<Option<super::training_runs::Entity>>,
    #[sea_orm(has_many)]
    pub deployments: HasMany<super::deployments::Entity>,
    #[sea_orm(has_many)]
    pub evaluations: HasMany<super::evaluations::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What a model version is ready for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Enum",
    enum_name = "model_stage",
    rename_all = "snake_case"
)]
pub enum ModelStage {
    /// Being worked on.
    Development,
    /// Being tried out.
    Staging,
    /// In use.
    Production,
    /// No longer in use.
    Archived,
}
