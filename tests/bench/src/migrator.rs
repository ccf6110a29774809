//! As many small migrations as asked for.

use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;

/// A migrator with this many migrations, each of which makes one table.
pub(crate) struct Small(pub(crate) usize);

struct OneTable {
    name: String,
    table: String,
}

impl MigrationName for OneTable {
    fn name(&self) -> &str {
        &self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for OneTable {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(
                Table::create()
                    .table(Alias::new(&self.table))
                    .col(ColumnDef::new("id").integer().not_null().primary_key())
                    .col(ColumnDef::new("name").string_len(100))
                    .to_owned(),
            )
            .await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .drop_table(Table::drop().table(Alias::new(&self.table)).to_owned())
            .await
    }
}

#[async_trait::async_trait]
impl MigratorTraitSelf for Small {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        (0..self.0)
            .map(|number| {
                Box::new(OneTable {
                    name: format!("m{number:08}_create_table"),
                    table: format!("table_{number}"),
                }) as Box<dyn MigrationTrait>
            })
            .collect()
    }
}
