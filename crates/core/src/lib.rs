//! Runs Stairway's plans against PostgreSQL, MySQL/MariaDB and SQLite.
//!
//! [`Manager`] is the front door: built from a project's ordinary `MigratorTrait` and a [`Config`],
//! it says where a database stands, brings it to a target exactly once however many replicas start
//! together, takes it back, and keeps a record. [`run_migrations_on_startup`] is the common case in
//! one call.
//!
//! The pure half (revisions, graph, plans, reports, SQL text) is re-exported as [`plan`].

mod backup;
mod bridge;
pub mod compare;
mod config;
mod connection;
mod create;
mod error;
mod executor;
pub mod inspect;
mod lock;
mod manager;
mod metrics;
mod migrations;
pub mod notify;
mod observer;
mod operations;
pub mod rebuild;
mod recorder;
mod render;
mod runner;
mod script;
pub mod settings;
pub mod side;
mod startup;
mod stop;
pub mod telemetry;
mod wait;

use std::pin::Pin;
use std::time::Duration;

pub use config::{Config, DatabaseSource, OrphanPolicy, PoolerPolicy};
pub use connection::{DEFAULT_DATABASE_URL, DatabaseUrl, Failure, UrlError};
pub use error::{Error, InDoubt, Remains, StepFailure};
pub use manager::{
    CreatedRevision, Manager, NewRevision, RepairAction, RepairReport, RunOptions, RunReport,
    StampReport, StepReport,
};
pub use metrics::MetricsObserver;
pub use migrations::{MigrationSet, MigrationSetError, Project};
pub use observer::{EventLog, Observer};
pub use sea_orm_migration;
pub use stairway_plan as plan;
pub use stairway_plan::header::RevisionSource;
pub use startup::{check_migration_status, run_migrations_on_startup};
pub use stop::{StopHandle, Urgency};

/// A future whose type does not grow with what it does. The border of this crate is made of these,
/// so that a crate that calls it need not compile it again.
pub type BoxFuture<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// A duration in whole milliseconds.
pub(crate) fn milliseconds(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
