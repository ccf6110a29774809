//! A dataset as it was when something used it.

use sea_orm::entity::prelude::*;

/// One row of `dataset_versions`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "dataset_versions")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique_key = "dataset_version")]
    pub dataset_id: i64,
    #[sea_orm(unique_key = "dataset_version")]
    pub version: i32,
    #[sea_orm(column_type = "String(StringLen::N(1000))")]
    pub storage_uri: String,
    #[sea_orm(column_type = "Char(Some(64))")]
    pub sha256: String,
    pub row_count: Option<i64>,
    #[sea_orm(default_value = 0)]
    pub size_bytes: i64,
    #[sea_orm(indexed)]
    pub created_by: Option<i64>,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "dataset_id", to = "id", on_delete = "Cascade")]
    pub dataset: BelongsTo<super::datasets::Entity>,
    #[sea_orm(belongs_to, from = "created_by", to = "id", on_delete = "SetNull")]
    pub creator: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(has_many)]
    pub training_runs: HasMany<super::training_runs::Entity>,
    #[sea_orm(has_many)]
    pub evaluations: HasMany<super::evaluations::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
