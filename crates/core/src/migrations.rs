//! The revisions of a project, in code: its migrations and what is known of them.

use std::collections::{HashMap, HashSet};
use std::fmt;
use std::sync::Arc;

use sea_orm_migration::{MigrationTrait, MigratorTrait, MigratorTraitSelf};
use stairway_plan::graph::{GraphError, RevisionGraph};
use stairway_plan::header::{HeaderError, RevisionSource, revisions_from_sources};
use stairway_plan::revision::{Revision, RevisionId};

/// A project's migrations with their places in the graph. Cheap to clone.
#[derive(Clone)]
pub struct MigrationSet {
    inner: Arc<Inner>,
}

struct Inner {
    migrations: HashMap<RevisionId, Arc<dyn MigrationTrait>>,
    graph: RevisionGraph,
    history_table: String,
}

/// Why a project's revisions make no graph.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MigrationSetError {
    /// The revisions contradict one another.
    #[error(transparent)]
    Graph(#[from] GraphError),
    /// A module comment can't be understood.
    #[error(transparent)]
    Header(#[from] HeaderError),
    /// The build script found a file, but the migrator has no migration of that name.
    #[error(
        "the revision file `{path}` has no migration in the migrator: does it declare `pub struct Migration` \
         with `DeriveMigrationName`?"
    )]
    SourceWithoutMigration { path: String },
    /// A migration was given metadata for another name.
    #[error("metadata is given for `{id}`, but the migrator has no such migration")]
    MetadataWithoutMigration { id: RevisionId },
}

impl MigrationSet {
    /// Takes a migrator as it is: the order of its list is its chain.
    pub fn from_migrator<M: MigratorTrait>() -> Result<Self, MigrationSetError> {
        Self::chain(M::migrations(), M::migration_table_name().to_string())
    }

    /// Takes a migrator value as it is: the order of its list is its chain.
    pub fn from_migrator_self<M: MigratorTraitSelf>(
        migrator: &M,
    ) -> Result<Self, MigrationSetError> {
        Self::chain(
            migrator.migrations(),
            migrator.migration_table_name().to_string(),
        )
    }

    /// Takes a migrator whose revisions the build script found, with the metadata of their module
    /// comments. A migration that no source describes follows the one before it in the list.
    pub fn from_sources<M: MigratorTrait>(
        sources: &[RevisionSource],
    ) -> Result<Self, MigrationSetError> {
        Self::with_metadata::<M>(revisions_from_sources(sources)?)
    }

    /// Takes a migrator with metadata that was made by hand, for all or some of its migrations.
    pub fn with_metadata<M: MigratorTrait>(
        metadata: Vec<Revision>,
    ) -> Result<Self, MigrationSetError> {
        let migrations = M::migrations();
        let names: HashSet<&str> = migrations
            .iter()
            .map(|migration| migration.name())
            .collect();
        let mut described: HashMap<RevisionId, Revision> = HashMap::new();
        for revision in metadata {
            if !names.contains(revision.id.as_str()) {
                return Err(match revision.source_path {
                    Some(path) => MigrationSetError::SourceWithoutMigration { path },
                    None => MigrationSetError::MetadataWithoutMigration { id: revision.id },
                });
            }
            described.insert(revision.id.clone(), revision);
        }
        let mut previous: Option<RevisionId> = None;
        let revisions = migrations
            .iter()
            .map(|migration| {
                let id = RevisionId::from(migration.name());
                let before = previous.replace(id.clone());
                described
                    .remove(&id)
                    .unwrap_or_else(|| Revision::new(id, before))
            })
            .collect();
        Self::build(migrations, revisions, M::migration_table_name().to_string())
    }

    fn chain(
        migrations: Vec<Box<dyn MigrationTrait>>,
        table: String,
    ) -> Result<Self, MigrationSetError> {
        let mut previous: Option<RevisionId> = None;
        let revisions = migrations
            .iter()
            .map(|migration| {
                let id = RevisionId::from(migration.name());
                let before = previous.replace(id.clone());
                Revision::new(id, before)
            })
            .collect();
        Self::build(migrations, revisions, table)
    }

    fn build(
        migrations: Vec<Box<dyn MigrationTrait>>,
        revisions: Vec<Revision>,
        history_table: String,
    ) -> Result<Self, MigrationSetError> {
        let ids: Vec<RevisionId> = revisions
            .iter()
            .map(|revision| revision.id.clone())
            .collect();
        let graph = RevisionGraph::new(revisions)?;
        // One after another, as the revisions were made of them.
        let migrations = ids
            .into_iter()
            .zip(migrations.into_iter().map(Arc::from))
            .collect();
        Ok(Self {
            inner: Arc::new(Inner {
                migrations,
                graph,
                history_table,
            }),
        })
    }

    /// The revisions and how they follow one another.
    pub fn graph(&self) -> &RevisionGraph {
        &self.inner.graph
    }

    /// The migration of a revision.
    pub fn migration(&self, id: &RevisionId) -> Option<Arc<dyn MigrationTrait>> {
        self.inner.migrations.get(id).cloned()
    }

    /// The name of the history table that the migrator asks for.
    pub fn history_table(&self) -> &str {
        &self.inner.history_table
    }
}

/// A project whose revisions Stairway can take: every `MigratorTrait`, and what the build script makes
/// of a directory, which knows the places in the graph besides.
pub trait Project {
    /// The project's revisions.
    fn migration_set() -> Result<MigrationSet, MigrationSetError>;
}

impl<M: MigratorTrait> Project for M {
    fn migration_set() -> Result<MigrationSet, MigrationSetError> {
        MigrationSet::from_migrator::<M>()
    }
}

impl fmt::Debug for MigrationSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MigrationSet")
            .field("revisions", &self.inner.graph.len())
            .field("history_table", &self.inner.history_table)
            .finish()
    }
}
