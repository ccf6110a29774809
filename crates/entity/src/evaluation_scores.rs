//! What an evaluation measured.

use sea_orm::entity::prelude::*;

/// One row of `evaluation_scores`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "evaluation_scores")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub evaluation_id: i64,
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(100))"
    )]
    pub metric: String,
    pub value: f64,
    #[sea_orm(belongs_to, from = "evaluation_id", to = "id", on_delete = "Cascade")]
    pub evaluation: BelongsTo<super::evaluations::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
