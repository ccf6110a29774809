//! `unlock`: who holds the migration lock, and the end of its session.

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use stairway_core::plan::event::LockHolder;

use super::{Execute, Needs};
use crate::error::CommandError;
use crate::report::{Outcome, Report, versioned};
use crate::session::Session;
use crate::style::{Facts, time, visible};

/// Show who holds the migration lock, and end its session
///
/// A lock belongs to a session and goes with it, so there is nothing to unlock after a crash. This is
/// for a holder that hangs: it shows who that is, asks, and ends its session on the server. A step
/// that was running is rolled back, or settled by the next run.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway unlock
  stairway unlock --show
  stairway unlock --yes")]
pub(crate) struct Arguments {
    /// Only show who holds the lock
    #[arg(long, conflicts_with = "yes")]
    show: bool,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        Needs::OneDatabase
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let manager = session.manager()?;
        let database = manager.config().name.clone();
        let holder = manager.lock_holder().await?;
        let Some(found) = holder.as_ref().filter(|_| !self.show) else {
            return Ok(Outcome::done(UnlockView {
                database,
                holder,
                ended: false,
            }));
        };
        if !self.yes {
            session.console.aside(&format!(
                "The migration lock is held by\n{}",
                describe(found)
            ));
        }
        session.confirm("End its session?", self.yes).await?;
        let ended = manager.unlock().await?;
        Ok(Outcome::done(UnlockView {
            database,
            ended: ended.is_some(),
            holder: ended,
        }))
    }
}

#[derive(Serialize)]
struct UnlockView {
    database: String,
    holder: Option<LockHolder>,
    ended: bool,
}

impl Report for UnlockView {
    fn json(&self) -> serde_json::Result<Value> {
        versioned(self)
    }

    fn text(&self) -> String {
        match &self.holder {
            None => format!(
                "Nobody holds the migration lock of {}\n",
                visible(&self.database)
            ),
            Some(holder) if self.ended => {
                format!("Ended the session that held the lock\n{}", describe(holder))
            }
            Some(holder) => format!("The migration lock is held by\n{}", describe(holder)),
        }
    }
}

fn describe(holder: &LockHolder) -> String {
    let mut facts = Facts::new();
    if let Some(pid) = holder.pid {
        facts.add("  process", pid.to_string());
    }
    let mut known = |name, value: &Option<String>| {
        if let Some(value) = value {
            facts.add(name, visible(value));
        }
    };
    known("  host", &holder.host);
    known("  application", &holder.application);
    known("  doing", &holder.activity);
    if let Some(since) = holder.since {
        facts.add("  since", time(since));
    }
    facts.text()
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;

    use super::*;

    #[test]
    fn the_holder_is_described_as_far_as_it_is_known() {
        let holder = LockHolder {
            pid: Some(4711),
            host: Some("10.0.0.7".to_owned()),
            application: Some("stairway 12@web-1".to_owned()),
            since: Some(DateTime::UNIX_EPOCH),
            activity: None,
        };
        let view = UnlockView {
            database: "shop".to_owned(),
            holder: Some(holder),
            ended: false,
        };
        insta::assert_snapshot!(anstream::adapter::strip_str(&view.text()), @r"
        The migration lock is held by
          process      4711
          host         10.0.0.7
          application  stairway 12@web-1
          since        1970-01-01 00:00:00 UTC
        ");
    }
}
