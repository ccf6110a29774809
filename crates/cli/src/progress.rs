//! What a person at a terminal sees of a run: a line for each thing done, a spinner for the one that
//! is being done.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anstyle::Style;
use indicatif::{ProgressBar, ProgressStyle};
use stairway_core::Observer;
use stairway_core::plan::event::{Event, EventKind};
use stairway_core::plan::plan::{Direction, Notice};
use stairway_core::telemetry::held_by;

use crate::printer::Console;
use crate::style::{BAD, DIM, GOOD, WARN, count, duration, paint, revision, revisions, visible};

/// Shows events on a terminal.
pub(crate) struct Progress {
    console: Arc<Console>,
    /// Show statements, too.
    verbose: bool,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    spinner: Option<ProgressBar>,
    /// What the running step is called.
    step: String,
}

impl Progress {
    pub(crate) fn new(console: Arc<Console>, verbose: bool) -> Self {
        Self {
            console,
            verbose,
            state: Mutex::default(),
        }
    }
}

impl Observer for Progress {
    fn observe(&self, event: &Event) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let doing = doing(&event.kind, &mut state.step);
        if matches!(doing, Doing::Nothing | Doing::Now { restart: true, .. })
            && let Some(spinner) = state.spinner.take()
        {
            spinner.finish_and_clear();
        }
        if let Some(line) = line(&event.kind, self.verbose) {
            self.console.write_error(&line);
        }
        match doing {
            Doing::Same | Doing::Nothing => {}
            Doing::Now { words, .. } => {
                let spinner = state.spinner.get_or_insert_with(|| {
                    let spinner = self.console.bars().add(ProgressBar::new_spinner());
                    spinner.set_style(spinner_style());
                    spinner.enable_steady_tick(Duration::from_millis(120));
                    spinner
                });
                spinner.set_message(words);
            }
        }
    }
}

impl Drop for Progress {
    fn drop(&mut self) {
        let state = self.state.get_mut().unwrap_or_else(PoisonError::into_inner);
        if let Some(spinner) = state.spinner.take() {
            spinner.finish_and_clear();
        }
    }
}

fn spinner_style() -> ProgressStyle {
    ProgressStyle::with_template("{spinner:>12} {wide_msg} {elapsed:>4}")
        .unwrap_or_else(|_| ProgressStyle::default_spinner())
        .tick_chars("|/-\\ ")
}

/// What the spinner is to say.
#[derive(Debug, PartialEq, Eq)]
enum Doing {
    /// What it says.
    Same,
    /// Nothing: it goes.
    Nothing,
    /// This. `restart` lets its time begin anew.
    Now { words: String, restart: bool },
}

/// What an event means for the spinner.
fn doing(kind: &EventKind, step: &mut String) -> Doing {
    let now = |words: String, restart| Doing::Now { words, restart };
    match kind {
        EventKind::WaitingForDatabase {
            error,
            time_left_ms,
            ..
        } => now(
            format!(
                "waiting for the database, {} left: {}",
                duration(*time_left_ms),
                visible(error)
            ),
            false,
        ),
        EventKind::WaitingForLock {
            holder,
            time_left_ms,
            ..
        } => now(
            format!(
                "waiting for the lock, {} left{}",
                duration(*time_left_ms),
                visible(&held_by(holder.as_ref()))
            ),
            false,
        ),
        EventKind::BackupStarted { destination } => now(
            format!("writing a backup to {}", visible(destination)),
            true,
        ),
        EventKind::StepStarted {
            revision: id,
            position,
            total,
            direction,
            ..
        } => {
            let verb = match direction {
                Direction::Upgrade => "applying",
                Direction::Downgrade => "taking back",
            };
            *step = format!("{verb} {} ({position}/{total})", visible(id.as_str()));
            now(step.clone(), true)
        }
        EventKind::StatementStarted { index, .. } => {
            now(format!("{step}, statement {index}"), false)
        }
        EventKind::Retrying {
            error, retry_in_ms, ..
        } => now(
            format!(
                "trying again in {}: {}",
                duration(*retry_in_ms),
                visible(error)
            ),
            true,
        ),
        EventKind::StepFinished { .. }
        | EventKind::StepFailed { .. }
        | EventKind::DatabaseReachable { .. }
        | EventKind::LockAcquired { .. }
        | EventKind::BackupFinished { .. }
        | EventKind::RunFinished { .. }
        | EventKind::RunFailed { .. } => Doing::Nothing,
        EventKind::RunStarted { .. }
        | EventKind::StageStarted { .. }
        | EventKind::Notice { .. }
        | EventKind::Warning { .. }
        | EventKind::LockReleased
        | EventKind::StatementFinished { .. }
        | EventKind::StatementSkipped { .. }
        | EventKind::Verified { .. }
        | EventKind::StopRequested => Doing::Same,
    }
}

/// The line that an event leaves behind, if it does.
fn line(kind: &EventKind, verbose: bool) -> Option<String> {
    let said = |style: Style, verb: &str, words: String| {
        Some(format!(
            "{} {words}\n",
            paint(style, &format!("{verb:>12}"))
        ))
    };
    match kind {
        EventKind::RunStarted {
            direction,
            target,
            steps,
            ..
        } => {
            let steps = count(usize::try_from(*steps).unwrap_or(usize::MAX), "revision");
            let words = match (direction, target.as_str()) {
                (Direction::Upgrade, "head" | "heads") => {
                    "database migration to head...".to_owned()
                }
                (Direction::Upgrade, target) => {
                    format!("database migration to {}...", visible(target))
                }
                (Direction::Downgrade, target) => {
                    format!("database downgrade to {}...", visible(target))
                }
            };
            said(GOOD, "Starting", format!("{words} ({steps})"))
        }
        EventKind::Notice { notice } => said(
            WARN,
            "Notice",
            match notice {
                Notice::OutOfOrder { revisions: ids } => {
                    format!("below later revisions: {}", revisions(ids))
                }
                Notice::UnknownRevisions { revisions: ids } => {
                    format!(
                        "the database has revisions that this build does not know: {}",
                        revisions(ids)
                    )
                }
                Notice::OtherBranches {
                    branch,
                    revisions: ids,
                } => format!(
                    "not on the branch {}, but standing on what goes: {}",
                    visible(branch),
                    revisions(ids)
                ),
            },
        ),
        EventKind::Warning { message } => said(WARN, "Warning", visible(message).into_owned()),
        EventKind::BackupFinished {
            destination,
            elapsed_ms,
            ..
        } => said(
            GOOD,
            "Backed up",
            format!("to {}  {}", visible(destination), took(*elapsed_ms)),
        ),
        EventKind::StatementStarted { index, sql, .. } if verbose => {
            said(DIM, &index.to_string(), paint(DIM, &visible(sql)))
        }
        EventKind::StatementSkipped { index, sql, .. } => said(
            DIM,
            "Done before",
            format!("statement {index}: {}", paint(DIM, &visible(sql))),
        ),
        EventKind::StepFinished {
            revision: id,
            direction,
            elapsed_ms,
            rows_affected,
            ..
        } => {
            let rows = match rows_affected {
                0 => String::new(),
                rows => format!(
                    "  {}",
                    paint(
                        DIM,
                        &count(usize::try_from(*rows).unwrap_or(usize::MAX), "row")
                    )
                ),
            };
            let verb = match direction {
                Direction::Upgrade => "Applied",
                Direction::Downgrade => "Took back",
            };
            said(
                GOOD,
                verb,
                format!("{}  {}{rows}", revision(id), took(*elapsed_ms)),
            )
        }
        EventKind::StepFailed {
            revision: id,
            elapsed_ms,
            rolled_back,
            ..
        } => {
            let left = if *rolled_back {
                "rolled back"
            } else {
                "not rolled back"
            };
            said(
                BAD,
                "Failed",
                format!("{}  {}  {left}", revision(id), took(*elapsed_ms)),
            )
        }
        EventKind::Retrying {
            attempt,
            max_attempts,
            error,
            retry_in_ms,
        } => said(
            WARN,
            "Retrying",
            format!(
                "in {} ({attempt} of {max_attempts}): {}",
                duration(*retry_in_ms),
                visible(error)
            ),
        ),
        _ => None,
    }
}

fn took(milliseconds: u64) -> String {
    paint(DIM, &duration(milliseconds))
}

#[cfg(test)]
mod tests {
    use stairway_core::plan::revision::RevisionId;

    use super::*;

    fn lines(kinds: &[EventKind], verbose: bool) -> String {
        let text: String = kinds
            .iter()
            .filter_map(|kind| line(kind, verbose))
            .collect();
        anstream::adapter::strip_str(&text).to_string()
    }

    fn run() -> Vec<EventKind> {
        let (revision, direction) = (RevisionId::from("m1_users"), Direction::Upgrade);
        vec![
            EventKind::RunStarted {
                run_id: "r".to_owned(),
                direction,
                target: "heads".to_owned(),
                steps: 2,
            },
            EventKind::BackupStarted {
                destination: "backups/x.sql".to_owned(),
            },
            EventKind::BackupFinished {
                destination: "backups/x.sql".to_owned(),
                bytes: 1,
                elapsed_ms: 1_200,
            },
            EventKind::StepStarted {
                revision: revision.clone(),
                message: "Create users".to_owned(),
                direction,
                position: 1,
                total: 2,
                transactional: true,
            },
            EventKind::StatementStarted {
                revision: revision.clone(),
                index: 1,
                sql: "CREATE\nTABLE x".to_owned(),
            },
            EventKind::StepFinished {
                revision: revision.clone(),
                direction,
                elapsed_ms: 12,
                statements: 1,
                rows_affected: 3,
            },
            EventKind::StepFailed {
                revision,
                direction,
                elapsed_ms: 5,
                error: "no".to_owned(),
                rolled_back: true,
            },
            EventKind::Retrying {
                attempt: 1,
                max_attempts: 3,
                error: "deadlock".to_owned(),
                retry_in_ms: 5_000,
            },
        ]
    }

    #[test]
    fn a_run_leaves_a_line_for_each_thing_that_was_done() {
        insta::assert_snapshot!(lines(&run(), false), @r"
            Starting database migration to head... (2 revisions)
           Backed up to backups/x.sql  1.2 s
             Applied m1_users  12 ms  3 rows
              Failed m1_users  5 ms  rolled back
            Retrying in 5.0 s (1 of 3): deadlock
        ");
    }

    #[test]
    fn statements_are_shown_when_asked_for() {
        assert!(
            lines(&run(), true).contains("           1 CREATE\\nTABLE x\n"),
            "{}",
            lines(&run(), true)
        );
    }

    #[test]
    fn the_spinner_names_the_step_that_runs_and_goes_when_it_ends() {
        let mut step = String::new();
        let words: Vec<Doing> = run().iter().map(|kind| doing(kind, &mut step)).collect();
        let now = |words: &str, restart| Doing::Now {
            words: words.to_owned(),
            restart,
        };
        assert_eq!(words[3], now("applying m1_users (1/2)", true));
        assert_eq!(words[4], now("applying m1_users (1/2), statement 1", false));
        assert_eq!(words[5], Doing::Nothing);
    }
}
