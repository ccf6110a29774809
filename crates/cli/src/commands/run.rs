//! `run`: the start-up pipeline, once.

use std::time::Instant;

use clap::Args;
use stairway_core::RunOptions;
use stairway_core::plan::plan::Direction;
use stairway_core::settings::Overrides;

use super::Execute;
use crate::args::PlanArguments;
use crate::error::CommandError;
use crate::notify;
use crate::report::{Outcome, Report, RunView};
use crate::session::Session;

/// Start-up: wait for the database, back it up if asked, upgrade it, verify
///
/// What an init container or an entry point runs before the service: waits for the database, looks
/// where it stands, backs it up if asked, upgrades it with retries, verifies. Any number of replicas
/// may start it at once. Log lines are JSON unless a terminal reads them.
#[derive(Debug, Args)]
#[command(after_help = "\
With MIGRATION_FAIL_ON_ERROR=false a failed migration is logged and the exit code is 0, so that the
service starts all the same. Wrong settings and signals keep their exit codes.

Examples:
  stairway run
  stairway run --wait 5m --backup
  MIGRATION_DRY_RUN=true stairway run")]
pub(crate) struct Arguments {
    /// How long to wait for a database that does not answer yet [default: 60s]
    #[arg(long, value_name = "DURATION")]
    wait: Option<String>,
    /// How long to wait for another run that holds the lock [default: 10m]
    #[arg(long, value_name = "DURATION")]
    lock_timeout: Option<String>,
    /// Write a backup before anything is applied; if that fails nothing is migrated
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    backup: Option<String>,
    /// Only show what would be applied, with its SQL; change nothing
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    dry_run: Option<String>,
    #[command(flatten)]
    plan: PlanArguments,
}

impl Execute for Arguments {
    fn overrides(&self, overrides: &mut Overrides) {
        overrides.set("wait_timeout", self.wait.as_ref());
        overrides.set("lock_timeout", self.lock_timeout.as_ref());
        overrides.set("create_backup", self.backup.as_ref());
        overrides.set("dry_run", self.dry_run.as_ref());
        self.plan.overrides(overrides);
    }

    fn runs_unattended(&self) -> bool {
        true
    }

    fn is_measured(&self) -> bool {
        true
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let began = Instant::now();
        let result = self.migrate(session).await;
        notify::tell(session, "run", began, &result).await;
        match result {
            Ok(view) => Ok(Outcome::done(view)),
            Err(error) if is_tolerated(session, &error) => {
                session
                    .console
                    .error(&error, None, Some(&session.manager()?.config().name));
                session
                    .console
                    .warning("going on all the same, because fail_on_error is false");
                Ok(Outcome::done(Tolerated {
                    error: error.json(None),
                }))
            }
            Err(error) => Err(error),
        }
    }
}

impl Arguments {
    async fn migrate(&self, session: &Session<'_>) -> Result<RunView, CommandError> {
        let manager = session.manager()?;
        if session.policy.dry_run {
            let timeout = manager.config().wait_timeout;
            session.gently(manager.wait_for_database(timeout)).await?;
            let options = RunOptions {
                dry_run: true,
                ..RunOptions::default()
            };
            return session.run(Direction::Upgrade, "heads", options).await;
        }
        let report = session.gently(manager.auto_migrate(true)).await?;
        Ok(RunView {
            report,
            location: manager.config().location(),
        })
    }
}

/// Whether the settings say to live with this failure. Signals are not failures.
fn is_tolerated(session: &Session<'_>, error: &CommandError) -> bool {
    !session.policy.fail_on_error
        && session.signals.code().is_none()
        && matches!(error, CommandError::Core(_))
}

/// A failure that the settings say to live with; it was shown when it happened.
struct Tolerated {
    error: serde_json::Value,
}

impl Report for Tolerated {
    fn json(&self) -> serde_json::Result<serde_json::Value> {
        Ok(serde_json::json!({ "schema_version": 1, "error": self.error }))
    }

    fn text(&self) -> String {
        String::new()
    }
}
