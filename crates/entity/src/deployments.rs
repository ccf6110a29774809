//! A model version that answers requests somewhere.

use sea_orm::entity::prelude::*;

/// One row of `deployments`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "deployments")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(indexed)]
    pub model_version_id: i64,
    #[sea_orm(
        column_type = "String(StringLen::N(50))",
        unique_key = "environment_name"
    )]
    pub environment: String,
    #[sea_orm(
        column_type = "String(StringLen::N(100))",
        unique_key = "environment_name"
    )]
    pub name: String,
    #[sea_orm(default_value = "pending")]
    pub status: DeploymentStatus,
    #[sea_orm(default_value = 1)]
    pub replicas: i16,
    #[sea_orm(column_type = "Decimal(Some((5, 2)))", default_value = 100)]
    pub traffic_percent: Decimal,
    #[sea_orm(indexed)]
    pub deployed_by: Option<i64>,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    pub retired_at: Option<DateTimeUtc>,
    #[sea_orm(
        belongs_to,
        from = "model_version_id",
        to = "id",
        on_delete = "Restrict"
    )]
    pub model_version: BelongsTo<super::model_versions::Entity>,
    #[sea_orm(belongs_to, from = "deployed_by", to = "id", on_delete = "SetNull")]
    pub deployer: BelongsTo<Option<super::users::Entity>>,
}

impl ActiveModelBehavior for ActiveModel {}

/// How far a deployment has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Enum",
    enum_name = "deployment_status",
    rename_all = "snake_case"
)]
pub enum DeploymentStatus {
    /// Not yet up.
    Pending,
    /// Answers requests.
    Active,
    /// Did not come up.
    Failed,
    /// Taken down.
    Retired,
}
