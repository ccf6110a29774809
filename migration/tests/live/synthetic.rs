//! Small migrators that do what a test needs, good or bad.

use std::sync::Arc;

use sea_orm_migration::MigratorTraitSelf;
use sea_orm_migration::prelude::*;

/// What a migration does.
#[derive(Clone)]
pub(crate) enum Action {
    /// Runs these statements, each for itself.
    Sql(Vec<String>),
    /// Panics.
    Panic,
    /// Puts the time of day into its SQL.
    Clock,
}

/// A migration made for a test.
#[derive(Clone)]
struct Made {
    name: &'static str,
    up: Action,
    down: Action,
    transaction: Option<bool>,
}

/// A list of such migrations.
#[derive(Clone, Default)]
pub(crate) struct Migrations(Vec<Arc<Made>>);

impl Migrations {
    /// One more, with the statements that do and undo it.
    pub(crate) fn with(self, name: &'static str, up: &[&str], down: &[&str]) -> Self {
        self.with_action(name, Action::Sql(owned(up)), Action::Sql(owned(down)), None)
    }

    /// One more that wants no transaction.
    pub(crate) fn without_transaction(self, name: &'static str, up: &[&str]) -> Self {
        self.with_action(
            name,
            Action::Sql(owned(up)),
            Action::Sql(Vec::new()),
            Some(false),
        )
    }

    /// One more of any kind.
    pub(crate) fn with_action(
        mut self,
        name: &'static str,
        up: Action,
        down: Action,
        transaction: Option<bool>,
    ) -> Self {
        self.0.push(Arc::new(Made {
            name,
            up,
            down,
            transaction,
        }));
        self
    }

    /// The same list up to a number of migrations.
    pub(crate) fn first(&self, count: usize) -> Self {
        Self(self.0[..count].to_vec())
    }

    /// The set that Stairway takes.
    pub(crate) fn set(&self) -> stairway_core::MigrationSet {
        stairway_core::MigrationSet::from_migrator_self(self).expect("a chain is a graph")
    }
}

fn owned(statements: &[&str]) -> Vec<String> {
    statements
        .iter()
        .map(|statement| (*statement).to_owned())
        .collect()
}

#[async_trait::async_trait]
impl MigratorTraitSelf for Migrations {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        self.0
            .iter()
            .map(|made| Box::new((**made).clone()) as Box<dyn MigrationTrait>)
            .collect()
    }
}

impl MigrationName for Made {
    fn name(&self) -> &str {
        self.name
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Made {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(&self.up, manager).await
    }

    async fn down(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        run(&self.down, manager).await
    }

    fn use_transaction(&self) -> Option<bool> {
        self.transaction
    }
}

async fn run(action: &Action, manager: &SchemaManager<'_>) -> Result<(), DbErr> {
    match action {
        Action::Sql(statements) => {
            for statement in statements {
                manager
                    .get_connection()
                    .execute_unprepared(statement)
                    .await?;
            }
            Ok(())
        }
        Action::Panic => panic!("the migration's own fault"),
        Action::Clock => {
            let nanoseconds = std::time::SystemTime::now()
                .duration_since(std::time::UNIX_EPOCH)
                .map_or(0, |since| since.as_nanos());
            let statement = format!("INSERT INTO one (id) VALUES ({})", nanoseconds % 1_000_003);
            manager
                .get_connection()
                .execute_unprepared(&statement)
                .await
                .map(drop)
        }
    }
}
