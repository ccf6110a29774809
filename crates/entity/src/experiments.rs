//! A question that training runs are to answer.

use sea_orm::entity::prelude::*;

/// One row of `experiments`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "experiments")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique_key = "project_name")]
    pub project_id: i64,
    #[sea_orm(column_type = "String(StringLen::N(200))", unique_key = "project_name")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub hypothesis: Option<String>,
    #[sea_orm(indexed)]
    pub created_by: Option<i64>,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "project_id", to = "id", on_delete = "Cascade")]
    pub project: BelongsTo<super::projects::Entity>,
    #[sea_orm(belongs_to, from = "created_by", to = "id", on_delete = "SetNull")]
    pub creator: BelongsTo<Option<super::users::Entity>>,
    #[sea_orm(has_many)]
    pub training_runs: HasMany<super::training_runs::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
