//! Who works in which project.

use sea_orm::entity::prelude::*;

/// One row of `project_members`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "project_members")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub project_id: i64,
    #[sea_orm(primary_key, auto_increment = false, indexed)]
    pub user_id: i64,
    #[sea_orm(default_value = "reader")]
    pub role: ProjectRole,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub joined_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "project_id", to = "id", on_delete = "Cascade")]
    pub project: BelongsTo<super::projects::Entity>,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What a member may do in a project.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Enum",
    enum_name = "project_role",
    rename_all = "snake_case"
)]
pub enum ProjectRole {
    /// Looks only.
    Reader,
    /// Changes what is in it.
    Writer,
    /// Changes the project itself.
    Owner,
}
