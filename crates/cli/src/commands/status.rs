//! `status`: where the database stands.

use std::fmt::Write as _;

use clap::Args;
use serde::Serialize;
use serde_json::Value;
use stairway_core::plan::event::LockHolder;
use stairway_core::plan::position::DatabaseState;
use stairway_core::plan::report::StatusReport;
use stairway_core::plan::revision::RevisionId;
use stairway_core::telemetry::held_by;

use super::Execute;
use crate::error::CommandError;
use crate::exit_code;
use crate::report::{Outcome, Report};
use crate::session::Session;
use crate::style::{
    BAD, Facts, GOOD, WARN, count, direction, paint, revision, revisions, time, visible,
};

/// Show where the database stands and what is pending
///
/// Only reads: nothing is made or changed, and SELECT is all it needs.
#[derive(Debug, Args)]
#[command(after_help = "\
States:
  empty        nothing is applied yet
  up to date   every revision that this build knows is applied, and no other
  behind       some revisions are pending
  ahead        the database has revisions that this build does not know: normal during a deployment
  diverged     some are pending and some unknown
  interrupted  a step began and did not finish: run the same command again, or see `repair`
  edited       a revision was changed in code after it had been applied

Examples:
  stairway status
  stairway status --exit-code && echo up to date
  stairway status --output json | jq .pending_migrations")]
pub(crate) struct Arguments {
    /// Exit with 3 unless the database is up to date
    #[arg(long)]
    exit_code: bool,
}

impl Execute for Arguments {
    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let status = session.manager()?.migration_status().await?;
        let code = if self.exit_code && !status.is_up_to_date {
            exit_code::DIFFERENT
        } else {
            exit_code::DONE
        };
        // While another run is at work, that is what whoever asks wants to know. Not worth a failure.
        let lock_holder = if status.is_up_to_date {
            None
        } else {
            session.manager()?.lock_holder().await.ok().flatten()
        };
        Ok(Outcome::with_code(
            StatusView {
                status,
                lock_holder,
            },
            code,
        ))
    }
}

/// A status for people and programs.
#[derive(Serialize)]
struct StatusView {
    #[serde(flatten)]
    status: StatusReport,
    lock_holder: Option<LockHolder>,
}

impl Report for StatusView {
    fn json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(self)
    }

    fn text(&self) -> String {
        let status = &self.status;
        let mut facts = Facts::new();
        facts.add(
            "Database",
            format!(
                "{} ({})",
                visible(&status.database),
                visible(&status.location)
            ),
        );
        facts.add("State", self.state());
        facts.add("Current", revisions(&status.current_revisions));
        facts.add("Head", revisions(&status.head_revisions));
        facts.add(
            "Applied",
            format!(
                "{} of {}",
                status.applied_count,
                status.applied_count + status.pending_count
            ),
        );
        let mut list = |name, ids: &[RevisionId]| {
            if !ids.is_empty() {
                facts.add(name, one_a_line(ids));
            }
        };
        list("Pending", &status.pending_migrations);
        list("Late", &status.out_of_order_revisions);
        list("Unknown", &status.unknown_revisions);
        list("Edited", &status.edited_revisions);
        for step in &status.interrupted {
            let since = step
                .started_at
                .map(|at| format!(", begun {}", time(at)))
                .unwrap_or_default();
            let mut text = format!(
                "{} of {}{since}, {} done",
                direction(step.direction),
                revision(&step.revision),
                count(
                    usize::try_from(step.statements_done).unwrap_or(usize::MAX),
                    "statement"
                )
            );
            if let Some(statement) = &step.in_doubt {
                let _ = write!(text, "\nin doubt: {}", visible(statement));
            }
            facts.add("Interrupted", text);
        }
        if let Some(holder) = &self.lock_holder {
            let holder = held_by(Some(holder));
            let holder = holder.trim_start_matches(", ");
            facts.add(
                "Running",
                format!("a run is at work, the lock is {}", visible(holder)),
            );
        } else if let Some(next) = self.next() {
            facts.add("Next", next);
        }
        facts.text()
    }
}

impl StatusView {
    fn state(&self) -> String {
        let status = &self.status;
        let pending = count(status.pending_count, "revision");
        let unknown = count(status.unknown_revisions.len(), "revision");
        match status.state {
            DatabaseState::UpToDate => paint(GOOD, "up to date"),
            DatabaseState::Empty => format!("{}: {pending} to apply", paint(WARN, "empty")),
            DatabaseState::Behind => format!("{}: {pending} pending", paint(WARN, "behind")),
            DatabaseState::Ahead => {
                format!(
                    "{}: it has {unknown} that this build does not know",
                    paint(WARN, "ahead")
                )
            }
            DatabaseState::Diverged => format!(
                "{}: {pending} pending, and it has {unknown} that this build does not know",
                paint(BAD, "diverged")
            ),
            DatabaseState::Interrupted => format!(
                "{}: a step began and did not finish",
                paint(BAD, "interrupted")
            ),
            DatabaseState::Edited => format!(
                "{}: {} changed in code after having been applied",
                paint(BAD, "edited"),
                count(status.edited_revisions.len(), "revision")
            ),
        }
    }

    /// What to type next.
    fn next(&self) -> Option<String> {
        let status = &self.status;
        let next = match status.state {
            DatabaseState::UpToDate => return None,
            DatabaseState::Ahead => {
                "nothing to do while a newer build is being deployed; otherwise deploy the build that has them"
            }
            DatabaseState::Empty | DatabaseState::Behind => {
                "`stairway upgrade --dry-run` shows the SQL, `stairway upgrade` applies it"
            }
            DatabaseState::Diverged => {
                "deploy a build that has both, or `stairway upgrade --allow-unknown` if they don't touch each other"
            }
            DatabaseState::Interrupted => {
                "run the same command again: it goes on from there; or see `stairway repair`"
            }
            DatabaseState::Edited => "take the change back and put it into a new revision",
        };
        Some(next.to_owned())
    }
}

fn one_a_line(ids: &[RevisionId]) -> String {
    ids.iter().map(revision).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use stairway_core::plan::history::InterruptedStep;
    use stairway_core::plan::plan::Direction;

    use super::*;

    fn status(state: DatabaseState) -> StatusReport {
        StatusReport {
            schema_version: 1,
            database: "shop".to_owned(),
            dialect: "postgres".to_owned(),
            location: "postgres://db/shop".to_owned(),
            state,
            current_revision: Some(RevisionId::from("m1_users")),
            head_revision: Some(RevisionId::from("m3_c")),
            current_revisions: vec![RevisionId::from("m1_users")],
            head_revisions: vec![RevisionId::from("m3_c")],
            is_up_to_date: state == DatabaseState::UpToDate,
            pending_migrations: Vec::new(),
            pending_count: 0,
            applied_count: 1,
            unknown_revisions: Vec::new(),
            out_of_order_revisions: Vec::new(),
            edited_revisions: Vec::new(),
            not_comparable_revisions: Vec::new(),
            interrupted: Vec::new(),
            timestamp: DateTime::UNIX_EPOCH,
        }
    }

    fn shown(status: StatusReport) -> String {
        anstream::adapter::strip_str(
            &StatusView {
                status,
                lock_holder: None,
            }
            .text(),
        )
        .to_string()
    }

    #[test]
    fn an_up_to_date_database_takes_a_few_lines() {
        insta::assert_snapshot!(shown(status(DatabaseState::UpToDate)), @r"
        Database  shop (postgres://db/shop)
        State     up to date
        Current   m1_users
        Head      m3_c
        Applied   1 of 1
        ");
    }

    #[test]
    fn a_database_that_is_behind_says_what_is_pending_and_what_to_type() {
        let mut behind = status(DatabaseState::Behind);
        behind.pending_migrations = vec![RevisionId::from("m2_b"), RevisionId::from("m3_c")];
        behind.pending_count = 2;
        behind.out_of_order_revisions = vec![RevisionId::from("m2_b")];
        insta::assert_snapshot!(shown(behind), @r"
        Database  shop (postgres://db/shop)
        State     behind: 2 revisions pending
        Current   m1_users
        Head      m3_c
        Applied   1 of 3
        Pending   m2_b
                  m3_c
        Late      m2_b
        Next      `stairway upgrade --dry-run` shows the SQL, `stairway upgrade` applies it
        ");
    }

    #[test]
    fn an_interrupted_step_is_named_with_the_statement_in_doubt() {
        let mut interrupted = status(DatabaseState::Interrupted);
        interrupted.interrupted = vec![InterruptedStep {
            revision: RevisionId::from("m2_b"),
            direction: Direction::Upgrade,
            started_at: Some(DateTime::UNIX_EPOCH),
            statements_done: 1,
            in_doubt: Some("ALTER TABLE users\nADD COLUMN x int".to_owned()),
        }];
        insta::assert_snapshot!(shown(interrupted), @r"
        Database     shop (postgres://db/shop)
        State        interrupted: a step began and did not finish
        Current      m1_users
        Head         m3_c
        Applied      1 of 1
        Interrupted  upgrade of m2_b, begun 1970-01-01 00:00:00 UTC, 1 statement done
                     in doubt: ALTER TABLE users\nADD COLUMN x int
        Next         run the same command again: it goes on from there; or see `stairway repair`
        ");
    }

    #[test]
    fn every_state_but_up_to_date_says_what_to_do_next() {
        for state in DatabaseState::ALL {
            let view = StatusView {
                status: status(state),
                lock_holder: None,
            };
            assert_eq!(
                view.next().is_none(),
                state == DatabaseState::UpToDate,
                "{state}"
            );
            assert!(shown(status(state)).contains(&state.to_string()), "{state}");
        }
    }

    #[test]
    fn names_from_a_hostile_history_table_cannot_steer_the_terminal() {
        let mut ahead = status(DatabaseState::Ahead);
        ahead.unknown_revisions = vec![RevisionId::from("x\u{1b}[2J")];
        let text = StatusView {
            status: ahead,
            lock_holder: None,
        }
        .text();
        assert!(text.contains("x\\u{1b}[2J"), "{text:?}");
    }
}
