//! `downgrade`: taking revisions back.

use std::fmt::Write as _;

use clap::Args;
use stairway_core::plan::plan::{Direction, Notice, Plan};
use stairway_core::settings::Overrides;
use stairway_core::{Manager, RunOptions};

use super::{Execute, Needs};
use crate::args::{MigrationArguments, target};
use crate::error::CommandError;
use crate::report::{Outcome, TextReport};
use crate::session::Session;
use crate::style::{REVISION, Table, WARN, count, paint, plain, revisions, styled, visible};

/// Take revisions back
///
/// Takes back what was applied above the target, latest applied first. What the revisions made goes,
/// with the data in it: the list is shown, and a yes is needed.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway downgrade -1                   the latest applied revision
  stairway downgrade m20260102            down to a revision, which stays
  stairway downgrade base --yes           everything, without being asked
  stairway downgrade -1 --dry-run         the steps and their SQL
  stairway downgrade --backup -1          with a backup first
  stairway downgrade --sql head:head-1    a script")]
pub(crate) struct Arguments {
    /// Where to go: -N, a revision, base, BRANCH@base; with --sql FROM:TO
    #[arg(allow_hyphen_values = true, value_parser = target)]
    target: String,
    #[command(flatten)]
    migration: MigrationArguments,
    /// Do not ask
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
    }

    fn is_measured(&self) -> bool {
        !self.migration.sql
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let manager = session.manager()?;
        if self.migration.sql {
            let text = manager
                .offline_sql(Direction::Downgrade, &self.target)
                .await?;
            return Ok(Outcome::done(TextReport { name: "sql", text }));
        }
        session.wait_if_asked(self.migration.wait.as_ref()).await?;
        let dry_run = session.policy.dry_run;
        if !dry_run {
            self.confirm(session, manager).await?;
        }
        // A run of its own writes one before an upgrade only; what a downgrade drops is dearer still.
        let wanted = self.migration.backup.is_some() && manager.config().backup_before_upgrade;
        let backup = if wanted && !dry_run {
            Some(manager.backup().await?)
        } else {
            None
        };
        let options = RunOptions {
            dry_run,
            backup: false,
            steps: self.migration.steps(),
        };
        let mut view = session
            .run(Direction::Downgrade, &self.target, options)
            .await?;
        view.report.backup = view.report.backup.or(backup);
        Ok(Outcome::done(view))
    }
}

impl Arguments {
    /// Shows what would go and asks.
    async fn confirm(&self, session: &Session<'_>, manager: &Manager) -> Result<(), CommandError> {
        if self.yes {
            return Ok(());
        }
        let plan = self.plan(manager).await?;
        if plan.steps.is_empty() {
            return Ok(());
        }
        session.console.aside(&describe(&plan, manager));
        session
            .confirm(
                "Take them back, and lose the data in what they made?",
                false,
            )
            .await?;
        // What `-1` means may have changed while the person was reading.
        if self.plan(manager).await?.steps == plan.steps {
            Ok(())
        } else {
            Err(CommandError::usage_with_hint(
                "nothing was done: another run changed what is applied in the meantime",
                "run the same command again to see what it would take back now",
            ))
        }
    }

    async fn plan(&self, manager: &Manager) -> Result<Plan, CommandError> {
        let mut plan = manager.plan(Direction::Downgrade, &self.target).await?;
        if let Some(steps) = self.migration.steps() {
            plan.steps.truncate(steps);
        }
        Ok(plan)
    }
}

/// What would go, for somebody who is to say yes or no.
fn describe(plan: &Plan, manager: &Manager) -> String {
    let mut text = format!(
        "This takes {} back on {} ({}):\n",
        count(plan.steps.len(), "revision"),
        visible(&manager.config().name),
        visible(&manager.config().location())
    );
    let mut table = Table::new(&["revision", "message"]);
    for step in &plan.steps {
        table.row(vec![
            styled(REVISION, visible(step.revision.as_str())),
            plain(visible(&step.message)),
        ]);
    }
    text.push_str(&table.text());
    for notice in &plan.notices {
        let words = match notice {
            Notice::OtherBranches {
                branch,
                revisions: ids,
            } => format!(
                "{} stand on what goes, although they are not on the branch {}",
                revisions(ids),
                visible(branch)
            ),
            Notice::UnknownRevisions { revisions: ids } => {
                format!(
                    "the database has revisions that this build does not know: {}",
                    revisions(ids)
                )
            }
            Notice::OutOfOrder { .. } => continue,
        };
        let _ = writeln!(text, "{} {words}", paint(WARN, "warning:"));
    }
    text
}
