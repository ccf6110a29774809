//! What a project trains.

use sea_orm::entity::prelude::*;

/// One row of `models`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "models")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique_key = "project_name")]
    pub project_id: i64,
    #[sea_orm(column_type = "String(StringLen::N(200))", unique_key = "project_name")]
    pub name: String,
    #[sea_orm(column_type = "String(StringLen::N(50))")]
    pub framework: String,
    #[sea_orm(column_type = "Text")]
    pub description: Option<String>,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "project_id", to = "id", on_delete = "Cascade")]
    pub project: BelongsTo<super::projects::Entity>,
    #[sea_orm(has_many)]
    pub model_versions: HasMany<super::model_versions::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
