//! `upgrade`: applying revisions.

use std::time::Instant;

use clap::Args;
use stairway_core::RunOptions;
use stairway_core::plan::plan::Direction;
use stairway_core::settings::Overrides;

use super::{Execute, Needs};
use crate::args::{MigrationArguments, PlanArguments, target};
use crate::error::CommandError;
use crate::notify;
use crate::report::{Outcome, RunView, TextReport};
use crate::session::Session;

/// Apply revisions
///
/// Takes the migration lock, applies what is missing of the target and everything below it, each
/// revision in a transaction where the database allows it, and verifies the result. With nothing to
/// do, no lock is taken and nothing is written.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway upgrade                        everything that is pending
  stairway upgrade +1                     the next revision
  stairway upgrade add_users              up to a revision, with all that it needs
  stairway upgrade reporting@head         the head of a branch
  stairway upgrade --dry-run              the steps and their SQL
  stairway upgrade --sql > upgrade.sql    a script from an empty database to the heads
  stairway upgrade --sql m20260102:head   a script from a revision to the head")]
pub(crate) struct Arguments {
    /// Where to go: a revision, head, heads, +N, BRANCH@head; with --sql also FROM:TO
    #[arg(allow_hyphen_values = true, value_parser = target, hide_default_value = true)]
    pub(crate) target: Option<String>,
    #[command(flatten)]
    pub(crate) migration: MigrationArguments,
    #[command(flatten)]
    plan: PlanArguments,
    /// Accepted as in `downgrade`; an upgrade asks nothing
    #[arg(short, long)]
    yes: bool,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        if self.migration.sql {
            // The script is in the dialect of that database, which is not asked.
            Needs::OneDatabase
        } else {
            Needs::Databases
        }
    }

    fn overrides(&self, overrides: &mut Overrides) {
        self.migration.overrides(overrides);
        self.plan.overrides(overrides);
    }

    fn is_measured(&self) -> bool {
        !self.migration.sql
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let manager = session.manager()?;
        let target = self.target.as_deref().unwrap_or("heads");
        if self.migration.sql {
            let text = manager.offline_sql(Direction::Upgrade, target).await?;
            return Ok(Outcome::done(TextReport { name: "sql", text }));
        }
        let began = Instant::now();
        let result = self.migrate(session, target).await;
        notify::tell(session, "upgrade", began, &result).await;
        result.map(Outcome::done)
    }
}

impl Arguments {
    async fn migrate(&self, session: &Session<'_>, target: &str) -> Result<RunView, CommandError> {
        let manager = session.manager()?;
        session.wait_if_asked(self.migration.wait.as_ref()).await?;
        let options = RunOptions {
            dry_run: session.policy.dry_run,
            backup: manager.config().backup_before_upgrade,
            steps: self.migration.steps(),
        };
        session.run(Direction::Upgrade, target, options).await
    }
}
