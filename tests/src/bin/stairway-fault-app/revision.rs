//! Migrations as values: a name, a wish about transactions, and two functions.

use std::future::Future;
use std::pin::Pin;

use sea_orm::{ConnectionTrait, DbBackend};
use sea_orm_migration::prelude::*;
use stairway_core::plan::revision::Revision as Metadata;

pub(crate) type Work<'a> = Pin<Box<dyn Future<Output = Result<(), DbErr>> + Send + 'a>>;

/// Runs statements on a manager.
pub(crate) type Direction = for<'a> fn(&'a SchemaManager<'a>) -> Work<'a>;

/// A list of migrations, and what is to be known of some of them.
#[derive(Default)]
pub(crate) struct Revisions {
    pub(crate) migrations: Vec<Box<dyn MigrationTrait>>,
    pub(crate) metadata: Vec<Metadata>,
}

impl Revisions {
    #[must_use]
    pub(crate) fn with(mut self, migration: impl MigrationTrait + 'static) -> Self {
        self.migrations.push(Box::new(migration));
        self
    }
}

/// One migration.
pub(crate) struct Revision {
    pub(crate) name: String,
    pub(crate) transaction: Option<bool>,
    pub(crate) up: Direction,
    pub(crate) down: Direction,
}

impl Revision {
    pub(crate) fn new(name: &str, up: Direction) -> Self {
        Self {
            name: name.to_owned(),
            transaction: None,
            up,
            down: |_| Box::pin(async { Ok(()) }),
        }
    }

    #[must_use]
    pub(crate) fn transaction(mut self, wish: bool) -> Self {
        self.transaction = Some(wish);
        self
    }

    #[must_use]
    pub(crate) fn down(mut self, down: Direction) -> Self {
        self.down = down;
        self
    }
}

impl MigrationName for Revision {
    fn name(&self) -> &str {
        &self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Revision {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        (self.up)(manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        (self.down)(manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        self.transaction
    }
}

/// Runs SQL as it stands.
pub(crate) async fn run(manager: &SchemaManager<'_>, sql: &str) -> Result<u64, DbErr> {
    let result = manager.get_connection().execute_unprepared(sql).await?;
    Ok(result.rows_affected())
}

/// Runs the SQL of whichever database it is.
pub(crate) async fn run_for(
    manager: &SchemaManager<'_>,
    postgres: &str,
    mysql: &str,
    sqlite: &str,
) -> Result<u64, DbErr> {
    let sql = match manager.get_database_backend() {
        DbBackend::Postgres => postgres,
        DbBackend::MySql => mysql,
        _ => sqlite,
    };
    if sql.is_empty() {
        return Ok(0);
    }
    run(manager, sql).await
}

/// Makes the file that `FAULT_GATE` names, and waits until somebody removes it.
pub(crate) fn wait_at_gate() {
    let Some(gate) = std::env::var_os("FAULT_GATE") else {
        return;
    };
    if std::fs::write(&gate, "").is_err() {
        return;
    }
    while std::path::Path::new(&gate).exists() {
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}
