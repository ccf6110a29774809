//! Keys that programs sign in with.

use sea_orm::entity::prelude::*;

/// One row of `api_keys`.
#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, DeriveEntityModel)]
#[sea_orm(table_name = "api_keys")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    #[sea_orm(unique_key = "user_name")]
    pub user_id: i64,
    #[sea_orm(column_type = "String(StringLen::N(100))", unique_key = "user_name")]
    pub name: String,
    /// The beginning of the key, for people to tell keys apart.
    #[sea_orm(column_type = "String(StringLen::N(12))")]
    pub prefix: String,
    /// SHA-256 of the key, in hexadecimal digits.
    #[sea_orm(column_type = "String(StringLen::N(64))", unique)]
    pub key_hash: String,
    #[sea_orm(column_type = "JsonBinary")]
    pub scopes: Json,
    pub last_used_at: Option<DateTimeUtc>,
    pub expires_at: Option<DateTimeUtc>,
    pub revoked_at: Option<DateTimeUtc>,
    #[sea_orm(default_expr = "Expr::current_timestamp()")]
    pub created_at: DateTimeUtc,
    #[sea_orm(belongs_to, from = "user_id", to = "id", on_delete = "Cascade")]
    pub user: BelongsTo<super::users::Entity>,
}

impl ActiveModelBehavior for ActiveModel {}
