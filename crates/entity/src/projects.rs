//! What a team works on; everything else belongs to one.

use sea_orm::entity::prelude::*;

/// One row of `projects`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "projects")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(indexed)]
    pub owner_id: i64,
    #[sea_orm(column_type = "String(StringLen::N(100))", unique)]
    pub slug: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub name: String,
    #[sea_orm(column_type = "Text")]
    pub description: Option<String>,
    #[sea_orm(default_value = "private")]
    pub visibility: ProjectVisibility,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    pub archived_at: Option<DateTimeUtc>,
    #[sea_orm(column_type = "Decimal(Some((12, 2)))", default_value = 0)]
    pub monthly_budget_usd: Decimal,
    #[sea_orm(belongs_to, from = "owner_id", to = "id", on_delete = "Restrict")]
    pub owner: BelongsTo<super::users::Entity>,
    #[sea_orm(has_many)]
    pub project_members: HasMany<super::project_members::Entity>,
    #[sea_orm(has_many)]
    pub datasets: HasMany<super::datasets::Entity>,
    #[sea_orm(has_many)]
    pub models: HasMany<super::models::Entity>,
    #[sea_orm(has_many)]
    pub experiments: HasMany<super::experiments::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// Who sees a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Enum",
    enum_name = "project_visibility",
    rename_all = "snake_case"
)]
pub enum ProjectVisibility {
    /// Its members.
    Private,
    /// Everyone who signs in.
    Internal,
    /// Everyone.
    Public,
}
