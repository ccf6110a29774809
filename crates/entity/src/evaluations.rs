//! A model version measured against a dataset version.

use sea_orm::entity::prelude::*;

/// One row of `evaluations`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "evaluations")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique_key = "model_dataset")]
    pub model_version_id: i64,
    #[sea_orm(indexed, unique_key = "model_dataset")]
    pub dataset_version_id: i64,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    pub finished_at: Option<DateTimeUtc>,
    #[sea_orm(
        belongs_to,
        from = "model_version_id",
        to = "id",
        on_delete = "Cascade"
    )]
    pub model_version: BelongsTo<super::model_versions::Entity>,
    #[sea_orm(
        belongs_to,
        from = "dataset_version_id",
        to = "id",
        on_delete = "Restrict"
    )]
    pub dataset_version: BelongsTo<super::dataset_versions::Entity>,
    #[sea_orm(has_many)]
    pub evaluation_scores: HasMany<super::evaluation_scores::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
