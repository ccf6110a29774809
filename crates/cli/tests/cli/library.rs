//! The command line over a project's own migrations.

use stairway_core::sea_orm_migration::prelude::*;
use stairway_core::{MigrationSet, MigrationSetError};

struct Named(&'static str);

impl MigrationName for Named {
    fn name(&self) -> &str {
        self.0
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Named {
    async fn up(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }

    async fn down(&self, _manager: &SchemaManager) -> Result<(), DbErr> {
        Ok(())
    }
}

struct Two;

impl MigratorTrait for Two {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Named("m1_one")), Box::new(Named("m2_two"))]
    }
}

struct Twice;

impl MigratorTrait for Twice {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Named("m1_one")), Box::new(Named("m1_one"))]
    }
}

/// Calls the command line in this process. Returns the exit code, which can only be read as text.
fn call(line: &str, migrations: Result<MigrationSet, MigrationSetError>) -> String {
    format!("{:?}", stairway_cli::run_from(line.split(' '), migrations))
}

#[test]
fn a_project_gets_every_command_with_one_call() {
    let directory = tempfile::tempdir().unwrap();
    let url = format!("sqlite://{}/x.db?mode=rwc", directory.path().display());
    for (code, command) in [
        (3, "status --exit-code"),
        (0, "upgrade"),
        (0, "status --exit-code"),
        (0, "downgrade -1 --yes"),
        (3, "check"),
    ] {
        let line = format!("migrate -q --database-url {url} {command}");
        let said = call(&line, MigrationSet::from_migrator::<Two>());
        assert!(said.contains(&format!("({code})")), "{command}: {said}");
    }
}

#[test]
fn revisions_that_make_no_graph_are_a_finding_of_check_and_an_error_of_everything_else() {
    for (code, command) in [
        (3, "check --offline"),
        (2, "heads"),
        (2, "graph"),
        (0, "completions bash"),
    ] {
        let said = call(
            &format!("migrate {command}"),
            MigrationSet::from_migrator::<Twice>(),
        );
        assert!(said.contains(&format!("({code})")), "{command}: {said}");
    }
}
