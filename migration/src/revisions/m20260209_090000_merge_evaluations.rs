//! Merge the evaluations branch
//!
//! Changes nothing: it only makes one head of two.
//!
//! revises: m20260203_090000_create_background_jobs, m20260204_090000_create_evaluation_scores

use sea_orm_migration::prelude::*;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}
