//! `backup`: a copy of the database, now.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use stairway_core::settings::Overrides;

use super::Execute;
use crate::error::CommandError;
use crate::report::{Outcome, Report, versioned};
use crate::session::Session;

/// Write a backup of the database
///
/// An SQLite file is copied by the database itself; PostgreSQL needs `pg_dump`, MariaDB
/// `mariadb-dump`, MySQL `mysqldump`. The file is named by database, revision and time, and verified to be readable.
/// Its path is the result.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway backup
  stairway backup --directory /var/backups/shop
  stairway backup --all")]
pub(crate) struct Arguments {
    /// Where to write it [default: backups]
    #[arg(long, value_name = "DIRECTORY")]
    directory: Option<String>,
}

impl Execute for Arguments {
    fn overrides(&self, overrides: &mut Overrides) {
        overrides.set("backup_directory", self.directory.as_ref());
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let manager = session.manager()?;
        let path = manager.backup().await?;
        Ok(Outcome::done(Written {
            database: manager.config().name.clone(),
            path: path.display().to_string(),
        }))
    }
}

#[derive(Serialize)]
struct Written {
    database: String,
    path: String,
}

impl Report for Written {
    fn json(&self) -> serde_json::Result<Value> {
        versioned(self)
    }

    fn text(&self) -> String {
        format!("{}\n", self.path)
    }
}
