//! `stamp`: recording revisions without running them.

use std::fmt::Write as _;

use clap::Args;
use serde_json::Value;
use stairway_core::StampReport;
use stairway_core::settings::Overrides;

use super::Execute;
use crate::error::CommandError;
use crate::report::{Outcome, Report, versioned};
use crate::session::Session;
use crate::style::{BAD, GOOD, paint, revision};

/// Record revisions as applied, or not, without running them
///
/// For a database whose schema is there already: the targets and everything below them count as
/// applied, what stands above them does not. No revision is run. `base` forgets everything.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway stamp head                     the schema is there: nothing is pending
  stairway stamp m20260102 --dry-run      what would be recorded
  stairway stamp head --purge             forget what is recorded first, also what this build does not know")]
pub(crate) struct Arguments {
    /// Where the database is to count as being: revisions, heads or base
    #[arg(value_name = "TARGET", required = true, allow_negative_numbers = true)]
    targets: Vec<String>,
    /// Forget everything that is recorded first
    #[arg(long)]
    purge: bool,
    /// Only show what would be recorded
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true")]
    dry_run: Option<String>,
    /// How long to wait for another run that holds the lock [default: 10m]
    #[arg(long, value_name = "DURATION")]
    lock_timeout: Option<String>,
}

impl Execute for Arguments {
    fn overrides(&self, overrides: &mut Overrides) {
        overrides.set("dry_run", self.dry_run.as_ref());
        overrides.set("lock_timeout", self.lock_timeout.as_ref());
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let manager = session.manager()?;
        let report = manager
            .stamp(&self.targets, self.purge, session.policy.dry_run)
            .await?;
        Ok(Outcome::done(StampView { report }))
    }
}

struct StampView {
    report: StampReport,
}

impl Report for StampView {
    fn json(&self) -> serde_json::Result<Value> {
        versioned(&self.report)
    }

    fn text(&self) -> String {
        let report = &self.report;
        if report.added.is_empty() && report.removed.is_empty() {
            return "Nothing to record: the database counts as being there already\n".to_owned();
        }
        let mut text = if report.dry_run {
            "Would be recorded:\n"
        } else {
            "Recorded:\n"
        }
        .to_owned();
        for id in &report.removed {
            let _ = writeln!(text, "  {} {}", paint(BAD, "- not applied"), revision(id));
        }
        for id in &report.added {
            let _ = writeln!(text, "  {} {}", paint(GOOD, "+ applied    "), revision(id));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use stairway_core::plan::revision::RevisionId;

    use super::*;

    #[test]
    fn what_is_recorded_and_forgotten_is_listed() {
        let ids = |names: &[&str]| names.iter().map(|name| RevisionId::from(*name)).collect();
        let view = StampView {
            report: StampReport {
                added: ids(&["m1", "m2"]),
                removed: ids(&["m9"]),
                dry_run: true,
            },
        };
        insta::assert_snapshot!(anstream::adapter::strip_str(&view.text()), @r"
        Would be recorded:
          - not applied m9
          + applied     m1
          + applied     m2
        ");
    }
}
