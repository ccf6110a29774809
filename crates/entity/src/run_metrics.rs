//! What a training run measured at each step.

use sea_orm::entity::prelude::*;

/// One row of `run_metrics`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "run_metrics")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub training_run_id: i64,
    #[sea_orm(
        primary_key,
        auto_increment = false,
        column_type = "String(StringLen::N(100))"
    )]
    pub name: String,
    #[sea_orm(primary_key, auto_increment = false)]
    pub step: i64,
    pub value: f64,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub recorded_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "training_run_id", to = "id", on_delete = "Cascade")]
    pub training_run: BelongsTo<super::training_runs::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
