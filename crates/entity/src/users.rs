//! People who sign in.

use sea_orm::entity::prelude::*;

/// One row of `users`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "users")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(column_type = "String(StringLen::N(320))", unique)]
    pub email: String,
    #[sea_orm(column_type = "String(StringLen::N(200))")]
    pub display_name: String,
    #[sea_orm(default_value = "member")]
    pub role: UserRole,
    #[sea_orm(default_value = true)]
    pub is_active: bool,
    pub last_login_at: Option<DateTimeUtc>,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub updated_at: DateTimeUtc,
    #[sea_orm(default_value = false)]
    pub email_verified: bool,
    #[sea_orm(has_one)]
    pub user_preferences: HasOne<super::user_preferences::Entity>,
    #[sea_orm(has_many)]
    pub api_keys: HasMany<super::api_keys::Entity>,
    #[sea_orm(has_many)]
    pub projects: HasMany<super::projects::Entity>,
    #[sea_orm(has_many)]
    pub project_members: HasMany<super::project_members::Entity>,
    #[sea_orm(has_many)]
    pub dataset_versions: HasMany<super::dataset_versions::Entity>,
    #[sea_orm(has_many)]
    pub experiments: HasMany<super::experiments::Entity>,
    #[sea_orm(has_many)]
    pub training_runs: HasMany<super::training_runs::Entity>,
    #[sea_orm(has_many)]
    pub deployments: HasMany<super::deployments::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What a user may do on the platform.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Enum",
    enum_name = "user_role",
    rename_all = "snake_case"
)]
pub enum UserRole {
    /// Looks only.
    Viewer,
    /// Works in projects.
    Member,
    /// Runs the platform.
    Admin,
}
