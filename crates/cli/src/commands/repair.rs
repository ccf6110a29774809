//! `repair`: settling a revision that was interrupted.

use std::fmt::Write as _;

use clap::Args;
use serde_json::Value;
use stairway_core::plan::history::InterruptedStep;
use stairway_core::{RepairAction, RepairReport};

use super::{Execute, Needs};
use crate::error::CommandError;
use crate::report::{Outcome, Report, TextReport, versioned};
use crate::session::Session;
use crate::style::{GOOD, count, direction, paint, revision, time, visible};

/// Settle a revision that was interrupted
///
/// A plain rerun settles most interruptions by looking at the database. This is for what can't be
/// settled that way: look at the database yourself, then say what is true. It is recorded in the
/// audit trail. Without an option, what was interrupted is shown.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway repair                            what was interrupted
  stairway repair --resume                   the statement in doubt was not done: the next run starts with it
  stairway repair --mark-applied             all of the revision is there: record it as applied
  stairway repair --mark-reverted add_users  nothing of it is there: forget that it began")]
pub(crate) struct Arguments {
    /// The revision, if more than one was interrupted
    #[arg(value_name = "REVISION")]
    revision: Option<String>,
    #[command(flatten)]
    action: ActionArguments,
    /// Do not ask
    #[arg(short, long)]
    yes: bool,
}

/// What is true.
#[derive(Debug, Args)]
#[group(multiple = false)]
struct ActionArguments {
    /// The statement in doubt was not done: the next run starts with it
    #[arg(long)]
    resume: bool,
    /// All of the revision is there
    #[arg(long)]
    mark_applied: bool,
    /// Nothing of the revision is there
    #[arg(long)]
    mark_reverted: bool,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        Needs::OneDatabase
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let manager = session.manager()?;
        let interrupted = manager.read_history().await?.interrupted;
        let named = self.revision.as_deref();
        let is_named =
            |step: &InterruptedStep| named.is_none_or(|name| step.revision.as_str() == name);
        let is_part =
            |step: &InterruptedStep| named.is_none_or(|name| step.revision.as_str().contains(name));
        let mut matching: Vec<&InterruptedStep> =
            interrupted.iter().filter(|step| is_named(step)).collect();
        if matching.is_empty() {
            matching = interrupted.iter().filter(|step| is_part(step)).collect();
        }
        if interrupted.is_empty() {
            let text = "Nothing is interrupted: there is nothing to repair\n".to_owned();
            return Ok(Outcome::done(TextReport {
                name: "message",
                text,
            }));
        }
        let Some(action) = self.action.action() else {
            session
                .console
                .aside(&interrupted.iter().map(describe).collect::<String>());
            return Err(CommandError::usage_with_hint(
                "nothing was done: say what is true",
                "look at the database, then add --resume (the statement in doubt was not done), --mark-applied \
                 (all of the revision is there) or --mark-reverted (nothing of it is there)",
            ));
        };
        let step = match (matching.pop(), matching.is_empty()) {
            (Some(step), true) => step,
            (None, _) => {
                return Err(CommandError::usage(format!(
                    "no interrupted revision is called `{}`; interrupted: {}",
                    visible(named.unwrap_or_default()),
                    names(&interrupted)
                )));
            }
            (Some(_), false) => {
                return Err(CommandError::usage_with_hint(
                    format!(
                        "more than one revision is interrupted: {}",
                        names(&interrupted)
                    ),
                    "name the one to settle",
                ));
            }
        };
        if !self.yes {
            session
                .console
                .aside(&format!("{}{}\n", describe(step), what_it_does(action)));
        }
        session.confirm("Is that true?", self.yes).await?;
        let report = manager.repair(action, Some(step.revision.as_str())).await?;
        Ok(Outcome::done(RepairView { report }))
    }
}

impl ActionArguments {
    fn action(&self) -> Option<RepairAction> {
        if self.resume {
            Some(RepairAction::Resume)
        } else if self.mark_applied {
            Some(RepairAction::MarkApplied)
        } else if self.mark_reverted {
            Some(RepairAction::MarkReverted)
        } else {
            None
        }
    }
}

fn names(steps: &[InterruptedStep]) -> String {
    steps
        .iter()
        .map(|step| visible(step.revision.as_str()).into_owned())
        .collect::<Vec<_>>()
        .join(", ")
}

fn describe(step: &InterruptedStep) -> String {
    let since = step
        .started_at
        .map(|at| format!(", begun {}", time(at)))
        .unwrap_or_default();
    let done = count(
        usize::try_from(step.statements_done).unwrap_or(usize::MAX),
        "statement",
    );
    let mut text = format!(
        "Interrupted: {} of {}{since}, {done} done\n",
        direction(step.direction),
        revision(&step.revision)
    );
    if let Some(statement) = &step.in_doubt {
        let _ = writeln!(text, "In doubt:    {}", visible(statement));
    }
    text
}

fn what_it_does(action: RepairAction) -> &'static str {
    match action {
        RepairAction::Resume => {
            "You say that the statement in doubt was not done: the next run starts with it."
        }
        RepairAction::MarkApplied => {
            "You say that all of the revision is there: it is recorded as applied, and nothing is run."
        }
        RepairAction::MarkReverted => {
            "You say that nothing of the revision is there: it is recorded as not applied, and nothing is run."
        }
    }
}

struct RepairView {
    report: RepairReport,
}

impl Report for RepairView {
    fn json(&self) -> serde_json::Result<Value> {
        versioned(&self.report)
    }

    fn text(&self) -> String {
        format!(
            "{} {}: {}\n",
            paint(GOOD, "Settled"),
            revision(&self.report.revision),
            visible(&self.report.description)
        )
    }
}
