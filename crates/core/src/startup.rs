//! The common case in one call: migrate when a service starts.

use stairway_plan::report::StatusReport;

use crate::Error;
use crate::manager::{Manager, RunReport};
use crate::migrations::Project;
use crate::settings::{self, SettingsError};

/// Migrates the database that `DATABASE_URL` (or `stairway.toml`) names, for use at the start of a
/// service's `main`. However many replicas call it together, each revision is applied exactly once.
///
/// With `auto_upgrade` off it only looks. With `wait_for_db` it waits for a database that does not
/// answer, at most `MIGRATION_WAIT_TIMEOUT`. With `fail_on_error` off, a failure is logged and
/// `Ok(None)` is returned, so that the service can start all the same.
///
/// ```no_run
/// use sea_orm_migration::prelude::*;
/// # struct Migrator;
/// # #[async_trait::async_trait]
/// # impl MigratorTrait for Migrator {
/// #     fn migrations() -> Vec<Box<dyn MigrationTrait>> { vec![] }
/// # }
/// # async fn example() -> Result<(), stairway_core::Error> {
/// stairway_core::run_migrations_on_startup::<Migrator>(true, true, true).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// Whatever stops the run, unless `fail_on_error` is off. The failure is logged either way.
pub async fn run_migrations_on_startup<P: Project>(
    auto_upgrade: bool,
    wait_for_db: bool,
    fail_on_error: bool,
) -> Result<Option<RunReport>, Error> {
    let result = match manager_from_environment::<P>(auto_upgrade) {
        Ok(manager) => manager.auto_migrate(wait_for_db).await,
        Err(error) => {
            tracing::error!(%error, "Migration failed: {error}");
            Err(error)
        }
    };
    match result {
        Ok(report) => Ok(Some(report)),
        // The run has logged it.
        Err(_) if !fail_on_error => Ok(None),
        Err(error) => Err(error),
    }
}

/// Where the database that `DATABASE_URL` (or `stairway.toml`) names stands. Only reads.
///
/// # Errors
/// If the database can't be read.
pub async fn check_migration_status<P: Project>() -> Result<StatusReport, Error> {
    manager_from_environment::<P>(false)?
        .migration_status()
        .await
}

fn manager_from_environment<P: Project>(auto_upgrade: bool) -> Result<Manager, Error> {
    let mut config = settings::config_from_environment()
        .map_err(|error: SettingsError| Error::Configuration(error.to_string()))?;
    config.auto_upgrade = auto_upgrade;
    Ok(Manager::new(P::migration_set()?, config))
}
