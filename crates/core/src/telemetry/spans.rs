//! Spans: a run, in it each attempt at a revision, in it each statement.
//!
//! | span | level | fields when it begins | fields when it ends |
//! |---|---|---|---|
//! | `stairway.run` | info | `database`, `run_id`, `direction`, `to` | `steps`, `elapsed_ms`, `outcome`, `error` |
//! | `stairway.revision` | info | `database`, `revision`, `direction`, `position`, `total`, `transactional` | `statements`, `rows_affected`, `elapsed_ms`, `outcome`, `error`, `rolled_back` |
//! | `stairway.statement` | debug | `database`, `revision`, `index`, `sql` | `rows_affected`, `elapsed_ms`, `outcome` |
//!
//! `outcome` is `succeeded` or `failed`, and stays empty where something ended without saying how: a
//! run that was dropped. Fields have the names and the meaning that they have in log lines. Failed
//! spans have `otel.status_code` as `tracing-opentelemetry` reads it.

use std::sync::{Mutex, PoisonError};

use stairway_plan::event::{Event, EventKind};
use stairway_plan::plan::Direction;
use tracing::Span;
use tracing::field::Empty;

use super::{TARGET, log_event, word};

/// The spans of one run that are open.
#[derive(Debug, Default)]
pub(crate) struct RunSpans {
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    run: Option<Span>,
    revision: Option<Span>,
    statement: Option<Span>,
}

impl RunSpans {
    /// Opens the run's span. It ends with the run's last event, or when this is dropped.
    pub(crate) fn run_begins(&self, database: &str, run_id: &str, direction: Direction, to: &str) {
        let span = tracing::info_span!(
            target: TARGET, "stairway.run", database, run_id, direction = word(direction), to,
            steps = Empty, elapsed_ms = Empty, outcome = Empty, error = Empty,
            otel.name = word(direction), otel.status_code = Empty, otel.status_description = Empty,
        );
        *self.lock() = Open {
            run: Some(span),
            ..Open::default()
        };
    }

    /// Logs an event in the innermost span that it belongs to. Opens and closes those that begin and
    /// end with it.
    pub(crate) fn log(&self, event: &Event) {
        let span = {
            let mut open = self.lock();
            open.begin(event);
            open.innermost()
        };
        // Whatever a subscriber does, it does without our lock.
        span.in_scope(|| log_event(event));
        let ended = self.lock().end(&event.kind);
        drop(ended);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Open {
    fn innermost(&self) -> Span {
        let open = self.statement.as_ref().or(self.revision.as_ref());
        open.or(self.run.as_ref())
            .cloned()
            .unwrap_or_else(Span::none)
    }

    fn begin(&mut self, event: &Event) {
        let database = event.database.as_str();
        match &event.kind {
            EventKind::StepStarted {
                revision,
                direction,
                position,
                total,
                transactional,
                ..
            } => {
                self.statement = None;
                self.revision = Some(tracing::info_span!(
                    target: TARGET, parent: self.run.as_ref().and_then(Span::id), "stairway.revision", database,
                    revision = revision.as_str(), direction = word(*direction), position, total, transactional,
                    statements = Empty, rows_affected = Empty, elapsed_ms = Empty, outcome = Empty,
                    error = Empty, rolled_back = Empty,
                    otel.name = %format_args!("{} {revision}", word(*direction)),
                    otel.status_code = Empty, otel.status_description = Empty,
                ));
            }
            EventKind::StatementStarted {
                revision,
                index,
                sql,
            } => {
                // Before the old one is dropped, so that the parent is still open.
                let parent = self.revision.as_ref().or(self.run.as_ref());
                self.statement = Some(tracing::debug_span!(
                    target: TARGET, parent: parent.and_then(Span::id), "stairway.statement", database,
                    revision = revision.as_str(), index, sql = %sql, rows_affected = Empty, elapsed_ms = Empty,
                    outcome = Empty, otel.name = "statement", otel.kind = "client", otel.status_code = Empty,
                ));
            }
            _ => {}
        }
    }

    /// Takes the spans that end with this event out, with how they ended.
    fn end(&mut self, kind: &EventKind) -> [Option<Span>; 3] {
        match kind {
            EventKind::StatementFinished {
                rows_affected,
                elapsed_ms,
                ..
            } => {
                if let Some(span) = &self.statement {
                    span.record("rows_affected", rows_affected);
                    span.record("elapsed_ms", elapsed_ms);
                    span.record("outcome", "succeeded");
                }
                [self.statement.take(), None, None]
            }
            EventKind::StepFinished {
                elapsed_ms,
                statements,
                rows_affected,
                ..
            } => {
                if let Some(span) = &self.revision {
                    span.record("statements", statements);
                    span.record("rows_affected", rows_affected);
                    span.record("elapsed_ms", elapsed_ms);
                    span.record("outcome", "succeeded");
                }
                [self.statement.take(), self.revision.take(), None]
            }
            EventKind::StepFailed {
                elapsed_ms,
                error,
                rolled_back,
                ..
            } => {
                // A statement that has not ended well by now is the one that failed.
                if let Some(span) = &self.statement {
                    span.record("outcome", "failed");
                    span.record("otel.status_code", "ERROR");
                }
                if let Some(span) = &self.revision {
                    span.record("elapsed_ms", elapsed_ms);
                    span.record("rolled_back", rolled_back);
                    failed(span, error);
                }
                [self.statement.take(), self.revision.take(), None]
            }
            EventKind::RunFinished {
                steps, elapsed_ms, ..
            } => {
                if let Some(span) = &self.run {
                    span.record("steps", steps);
                    span.record("elapsed_ms", elapsed_ms);
                    span.record("outcome", "succeeded");
                }
                self.take_all()
            }
            EventKind::RunFailed {
                steps_done,
                elapsed_ms,
                error,
                ..
            } => {
                if let Some(span) = &self.run {
                    span.record("steps", steps_done);
                    span.record("elapsed_ms", elapsed_ms);
                    failed(span, error);
                }
                self.take_all()
            }
            _ => [None, None, None],
        }
    }

    /// The inner ones first.
    fn take_all(&mut self) -> [Option<Span>; 3] {
        [self.statement.take(), self.revision.take(), self.run.take()]
    }
}

fn failed(span: &Span, error: &str) {
    span.record("outcome", "failed");
    span.record("error", error);
    span.record("otel.status_code", "ERROR");
    span.record("otel.status_description", error);
}
