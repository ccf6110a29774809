//! What a training run can run on, and what an hour of it costs.

use sea_orm::entity::prelude::*;

/// One row of `compute_tiers`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "compute_tiers")]
pub struct Model {
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(50))"
    )]
    pub code: String,
    pub vcpus: i16,
    #[sea_orm(default_value = 0)]
    pub gpus: i16,
    pub memory_gib: i32,
    #[sea_orm(column_type = "Decimal(Some((10, 4)))")]
    pub hourly_usd: Decimal,
    #[sea_orm(has_many)]
    pub training_runs: HasMany<super::training_runs::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
