//! Files that a training run left behind.

use sea_orm::entity::prelude::*;

/// One row of `artifacts`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "artifacts")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique_key = "run_path")]
    pub training_run_id: i64,
    #[sea_orm(default_value = "other")]
    pub kind: ArtifactKind,
    #[sea_orm(column_type = "String(StringLen::N(500))", unique_key = "run_path")]
    pub path: String,
    pub size_bytes: i64,
    #[sea_orm(column_type = "Char(Some(64))")]
    pub sha256: String,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "training_run_id", to = "id", on_delete = "Cascade")]
    pub training_run: BelongsTo<super::training_runs::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, EnumIter, DeriveActiveEnum)]
#[sea_orm(
    rs_type = "String",
    db_type = "Enum",
    enum_name = "artifact_kind",
    rename_all = "snake_case"
)]
pub enum ArtifactKind {
    /// Weights to go on from.
    Checkpoint,
    /// What the run wrote down.
    Log,
    /// A picture.
    Plot,
    /// Anything else.
    Other,
}
