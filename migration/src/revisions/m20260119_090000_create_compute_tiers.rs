//! Create compute tiers
//!
//! Reference data: what a training run can run on, and what an hour of it costs.

use sea_orm_migration::prelude::*;
use sea_orm_migration::schema::{decimal_len, integer, small_integer, string_len};
use sea_orm_migration::sea_orm::prelude::Decimal;

#[derive(DeriveMigrationName)]
pub struct Migration;

#[async_trait::async_trait]
impl MigrationTrait for Migration {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table("compute_tiers")
                    .col(string_len("code", 50).primary_key())
                    .col(small_integer("vcpus"))
                    .col(small_integer("gpus").default(0))
                    .col(integer("memory_gib"))
                    .col(decimal_len("hourly_usd", 10, 4))
                    .to_owned(),
            )
            .await?;
        let mut tiers = Query::insert();
        tiers.into_table("compute_tiers").columns([
            "code",
            "vcpus",
            "gpus",
            "memory_gib",
            "hourly_usd",
        ]);
        for (code, vcpus, gpus, memory_gib, hourly_usd) in [
            ("cpu-small", 4, 0, 16, Decimal::new(1_920, 4)),
            ("cpu-large", 32, 0, 128, Decimal::new(15_360, 4)),
            ("gpu-small", 8, 1, 64, Decimal::new(12_120, 4)),
            ("gpu-large", 96, 8, 1152, Decimal::new(327_726, 4)),
        ] {
            tiers.values_panic([
                code.into(),
                vcpus.into(),
                gpus.into(),
                memory_gib.into(),
                hourly_usd.into(),
            ]);
        }
        manager.execute(tiers).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table("compute_tiers").to_owned())
            .await
    }
}
