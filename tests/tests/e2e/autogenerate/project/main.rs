//! The program of a project with entities. One build stands for every state that the project is in
//! while somebody works on it: `REVISIONS` names the revisions that there are, `ENTITIES` the state of
//! the entities.

mod entities;

use std::env;
use std::process::ExitCode;

use sea_orm_migration::prelude::*;
use stairway_cli::CommandLine;
use stairway_core::{MigrationSet, RevisionSource};

include!(concat!(env!("OUT_DIR"), "/revisions.rs"));

/// The revisions that there are.
struct Present;

impl MigratorTrait for Present {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        let mut migrations = Migrator::migrations();
        migrations.retain(|migration| is_present(migration.name()));
        migrations
    }
}

fn is_present(name: &str) -> bool {
    let present = env::var("REVISIONS").unwrap_or_default();
    present.split(',').any(|other| other == name)
}

fn main() -> ExitCode {
    let sources: Vec<RevisionSource> = SOURCES
        .iter()
        .filter(|source| is_present(source.name))
        .copied()
        .collect();
    let state = env::var("ENTITIES").unwrap_or_default();
    CommandLine::new(MigrationSet::from_sources::<Present>(&sources))
        .entities(entities::of(&state))
        .run()
}
