//! `wait`: until the database answers.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use stairway_core::settings::Overrides;
use stairway_core::{Error, Failure};

use super::Execute;
use crate::error::CommandError;
use crate::report::{Outcome, Report, versioned};
use crate::session::Session;
use crate::style::visible;

/// Wait until the database answers
///
/// Exits with 5 if it does not in time. A wrong password or an unknown database is not waited for.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway wait
  stairway wait --timeout 5m && start-service")]
pub(crate) struct Arguments {
    /// At most this long [default: 60s]
    #[arg(long, value_name = "DURATION")]
    timeout: Option<String>,
}

impl Execute for Arguments {
    fn overrides(&self, overrides: &mut Overrides) {
        overrides.set("wait_timeout", self.timeout.as_ref());
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let manager = session.manager()?;
        manager
            .wait_for_database(manager.config().wait_timeout)
            .await?;
        let server_version = match manager.check_database_connection().await {
            Ok(version) => version,
            Err(Error::Refused {
                failure: Failure::UnknownDatabase,
                ..
            }) => "the file is made by the first upgrade".to_owned(),
            Err(error) => return Err(error.into()),
        };
        let config = manager.config();
        Ok(Outcome::done(Reachable {
            database: config.name.clone(),
            location: config.location(),
            server_version,
        }))
    }
}

#[derive(Serialize)]
struct Reachable {
    database: String,
    location: String,
    server_version: String,
}

impl Report for Reachable {
    fn json(&self) -> serde_json::Result<Value> {
        versioned(self)
    }

    fn text(&self) -> String {
        format!(
            "{} ({}) answers: {}\n",
            visible(&self.database),
            visible(&self.location),
            visible(&self.server_version)
        )
    }
}
