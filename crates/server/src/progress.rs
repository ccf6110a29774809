//! How far start-up is: events of a run folded into what a probe and a person are shown.

use chrono::{DateTime, Utc};
use serde::Serialize;
use stairway_plan::event::{Event, EventKind, Stage};
use stairway_plan::revision::RevisionId;

/// How far the start-up of one database is.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StartupReport {
    /// The database's name among those configured.
    pub database: String,
    /// Whether start-up is under way, over, or has failed.
    pub status: StartupStatus,
    /// The stage it is in, or was in when it ended.
    pub stage: Stage,
    /// The revision whose step runs.
    pub revision: Option<RevisionId>,
    /// That revision's message.
    pub message: Option<String>,
    /// How far the run is.
    pub progress: Option<Progress>,
    /// What it waits for.
    pub waiting_for: Option<Waiting>,
    /// Where the backup of this start-up lies.
    pub backup: Option<String>,
    /// Why it failed, or why the latest attempt did.
    pub error: Option<String>,
    /// What to do about it.
    pub hint: Option<String>,
    /// When start-up began.
    pub started_at: Option<DateTime<Utc>>,
    /// When the stage began.
    pub stage_started_at: Option<DateTime<Utc>>,
    /// When start-up was over.
    pub finished_at: Option<DateTime<Utc>>,
}

/// Whether start-up is under way, over, or has failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum StartupStatus {
    /// Not over yet.
    Starting,
    /// Ended well.
    Started,
    /// Ended with an error.
    Failed,
    /// Ended because the server was asked to stop.
    Stopped,
}

impl StartupStatus {
    /// The status's name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Started => "started",
            Self::Failed => "failed",
            Self::Stopped => "stopped",
        }
    }
}

/// How far a run is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Progress {
    /// Steps of the run that ended well.
    pub done: u64,
    /// The number of the step that runs, from 1.
    pub position: u64,
    /// All steps of the run.
    pub total: u64,
    /// Statements of this step that ended well.
    pub statements_done: u64,
    /// Steps done, of all, in hundredths.
    pub percent: u64,
}

/// What start-up waits for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "what", rename_all = "snake_case")]
pub enum Waiting {
    /// The database, which does not answer.
    Database { attempt: u32, time_left_ms: u64 },
    /// The migration lock, which another run holds.
    Lock {
        holder: Option<String>,
        waited_ms: u64,
        time_left_ms: u64,
    },
    /// The next attempt after one that failed.
    Retry {
        attempt: u32,
        max_attempts: u32,
        retry_in_ms: u64,
    },
}

impl StartupReport {
    /// Start-up that has not begun.
    pub(crate) fn new(database: &str) -> Self {
        Self {
            database: database.to_owned(),
            status: StartupStatus::Starting,
            stage: Stage::Connect,
            revision: None,
            message: None,
            progress: None,
            waiting_for: None,
            backup: None,
            error: None,
            hint: None,
            started_at: None,
            stage_started_at: None,
            finished_at: None,
        }
    }

    /// Start-up begins, or begins again.
    pub(crate) fn begin(&mut self, now: DateTime<Utc>) {
        let earlier_error = self.error.take();
        *self = Self::new(&self.database);
        self.error = earlier_error;
        self.started_at = Some(now);
        self.stage_started_at = Some(now);
    }

    /// Start-up is over.
    pub(crate) fn finish(&mut self, now: DateTime<Utc>) {
        self.status = StartupStatus::Started;
        self.stage = Stage::Ready;
        self.error = None;
        self.hint = None;
        self.end_run();
        self.stage_started_at = Some(now);
        self.finished_at = Some(now);
    }

    /// Start-up was asked to stop and did.
    pub(crate) fn stop(&mut self, now: DateTime<Utc>) {
        self.status = StartupStatus::Stopped;
        self.end_run();
        self.finished_at = Some(now);
    }

    /// Start-up failed. What ran last stays visible.
    pub(crate) fn fail(&mut self, error: String, hint: Option<String>, now: DateTime<Utc>) {
        self.status = StartupStatus::Failed;
        self.error = Some(error);
        self.hint = hint;
        self.waiting_for = None;
        self.finished_at = Some(now);
    }

    /// Takes note of an event of a run.
    pub(crate) fn observe(&mut self, event: &Event) {
        match &event.kind {
            EventKind::StageStarted { stage } => {
                self.stage = *stage;
                self.stage_started_at = Some(event.timestamp);
                self.waiting_for = None;
            }
            EventKind::WaitingForDatabase {
                attempt,
                error,
                time_left_ms,
                ..
            } => {
                self.waiting_for = Some(Waiting::Database {
                    attempt: *attempt,
                    time_left_ms: *time_left_ms,
                });
                self.error = Some(error.clone());
            }
            EventKind::DatabaseReachable { .. } => {
                self.waiting_for = None;
                self.error = None;
                if self.stage == Stage::Connect {
                    self.stage = Stage::Inspect;
                    self.stage_started_at = Some(event.timestamp);
                }
            }
            EventKind::WaitingForLock {
                holder,
                waited_ms,
                time_left_ms,
            } => {
                let holder = holder.as_ref();
                self.waiting_for = Some(Waiting::Lock {
                    holder: holder.and_then(|holder| holder.application.clone()),
                    waited_ms: *waited_ms,
                    time_left_ms: *time_left_ms,
                });
            }
            EventKind::LockAcquired { .. } => self.waiting_for = None,
            EventKind::RunStarted { steps, .. } => {
                self.progress = Some(Progress {
                    total: *steps,
                    ..Progress::default()
                });
            }
            EventKind::StepStarted {
                revision,
                message,
                position,
                total,
                ..
            } => {
                self.revision = Some(revision.clone());
                self.message = Some(message.clone());
                self.waiting_for = None;
                self.progress = Some(Progress::at(*position, *total));
            }
            EventKind::StatementFinished { .. } | EventKind::StatementSkipped { .. } => {
                if let Some(progress) = &mut self.progress {
                    progress.statements_done += 1;
                }
            }
            EventKind::StepFinished { .. } => {
                self.error = None;
                if let Some(progress) = &mut self.progress {
                    progress.finish_step();
                }
            }
            EventKind::StepFailed { error, .. } | EventKind::RunFailed { error, .. } => {
                self.error = Some(error.clone());
            }
            EventKind::Retrying {
                attempt,
                max_attempts,
                error,
                retry_in_ms,
            } => {
                self.waiting_for = Some(Waiting::Retry {
                    attempt: *attempt,
                    max_attempts: *max_attempts,
                    retry_in_ms: *retry_in_ms,
                });
                self.error = Some(error.clone());
            }
            EventKind::BackupFinished { destination, .. } => {
                self.backup = Some(destination.clone());
            }
            EventKind::RunFinished { .. } => self.end_run(),
            EventKind::Notice { .. }
            | EventKind::Warning { .. }
            | EventKind::LockReleased
            | EventKind::BackupStarted { .. }
            | EventKind::StatementStarted { .. }
            | EventKind::Verified { .. }
            | EventKind::StopRequested => {}
        }
    }

    /// Whether a step runs at present.
    pub(crate) fn is_running(&self) -> bool {
        self.status == StartupStatus::Starting && self.revision.is_some()
    }

    fn end_run(&mut self) {
        self.revision = None;
        self.message = None;
        self.waiting_for = None;
        self.progress = None;
    }
}

impl Progress {
    fn at(position: u64, total: u64) -> Self {
        let done = position.saturating_sub(1);
        Self {
            done,
            position,
            total,
            statements_done: 0,
            percent: percent(done, total),
        }
    }

    fn finish_step(&mut self) {
        self.done = self.position;
        self.statements_done = 0;
        self.percent = percent(self.done, self.total);
    }
}

fn percent(done: u64, total: u64) -> u64 {
    done.saturating_mul(100)
        .checked_div(total)
        .unwrap_or(100)
        .min(100)
}

#[cfg(test)]
mod tests {
    //! Whatever comes in whatever order, what is shown makes sense.

    use proptest::prelude::*;
    use stairway_plan::plan::Direction;

    use super::*;

    fn event() -> impl Strategy<Value = EventKind> {
        let number = || prop_oneof![0_u64..5, Just(u64::MAX)];
        let revision = || RevisionId::from("m1");
        prop_oneof![
            Just(EventKind::StageStarted {
                stage: Stage::Migrate
            }),
            number().prop_map(|steps| EventKind::RunStarted {
                run_id: "r".to_owned(),
                direction: Direction::Upgrade,
                target: "heads".to_owned(),
                steps,
            }),
            (number(), number()).prop_map(move |(position, total)| EventKind::StepStarted {
                revision: revision(),
                message: "m".to_owned(),
                direction: Direction::Upgrade,
                position,
                total,
                transactional: true,
            }),
            Just(EventKind::StatementFinished {
                revision: revision(),
                index: 1,
                rows_affected: 0,
                elapsed_ms: 0
            }),
            Just(EventKind::StepFinished {
                revision: revision(),
                direction: Direction::Upgrade,
                elapsed_ms: 0,
                statements: 1,
                rows_affected: 0,
            }),
            Just(EventKind::WaitingForLock {
                holder: None,
                waited_ms: 0,
                time_left_ms: 0
            }),
            Just(EventKind::LockAcquired { waited_ms: 0 }),
            Just(EventKind::RunFailed {
                run_id: "r".to_owned(),
                steps_done: 0,
                elapsed_ms: 0,
                error: "no".to_owned()
            }),
            Just(EventKind::RunFinished {
                run_id: "r".to_owned(),
                steps: 0,
                elapsed_ms: 0
            }),
        ]
    }

    proptest! {
        #[test]
        fn progress_stays_between_nothing_and_all_whatever_happens(
            kinds in proptest::collection::vec(event(), 0..30),
        ) {
            let now = DateTime::from_timestamp(1_800_000_000, 0).expect("in range");
            let mut report = StartupReport::new("default");
            report.begin(now);
            for kind in kinds {
                report.observe(&Event { timestamp: now, database: "default".to_owned(), kind });
                prop_assert!(report.progress.is_none_or(|progress| progress.percent <= 100));
            }
            report.finish(now);
            prop_assert_eq!((report.status, report.stage), (StartupStatus::Started, Stage::Ready));
            prop_assert_eq!((report.progress, report.revision, report.error), (None, None, None));
        }
    }
}
