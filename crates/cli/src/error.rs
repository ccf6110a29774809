//! Why a command did not do what was asked.

use std::fmt::Write as _;

use std::error::Error as _;

use serde_json::{Value, json};
use stairway_core::plan::revision::RevisionId;
use stairway_core::settings::SettingsError;
use stairway_core::side::SideError;
use stairway_core::telemetry::LogError;
use stairway_core::{Error, MigrationSetError, Remains, StepFailure};

use crate::exit_code;
use crate::style::{BAD, DIM, HEADING, paint, visible};

/// Why a command did not do what was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CommandError {
    /// The library says why.
    #[error(transparent)]
    Core(#[from] Error),
    /// A schema can't be read.
    #[error(transparent)]
    Side(#[from] SideError),
    /// The settings are wrong.
    #[error(transparent)]
    Settings(#[from] SettingsError),
    /// The project's revisions make no graph.
    #[error("the project's revisions can't be used: {0}")]
    Revisions(MigrationSetError),
    /// The log can't be written.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The command was used wrongly.
    #[error("{message}")]
    Usage {
        message: String,
        hint: Option<String>,
    },
    /// Something that should not happen.
    #[error("{0}")]
    Failed(String),
    /// A person said no.
    #[error("nothing was done: the answer was not yes")]
    Declined,
    /// A signal came.
    #[error("interrupted")]
    Interrupted,
}

impl CommandError {
    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: None,
        }
    }

    pub(crate) fn usage_with_hint(message: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::Usage {
            message: message.into(),
            hint: Some(hint.into()),
        }
    }

    /// The exit code. `signal` is that of the signal that came in the meantime, if one did: whatever
    /// failed then, failed because of it.
    pub(crate) fn exit_code(&self, signal: Option<u8>) -> u8 {
        if let Some(code) = signal {
            return code;
        }
        match self {
            Self::Core(error) | Self::Side(SideError::Core(error)) => exit_code::of(error),
            Self::Side(
                SideError::Missing(_) | SideError::Different(_) | SideError::File { .. },
            ) => exit_code::USAGE,
            Self::Settings(_) | Self::Revisions(_) | Self::Log(_) | Self::Usage { .. } => {
                exit_code::USAGE
            }
            Self::Side(_) | Self::Declined | Self::Failed(_) => exit_code::FAILED,
            Self::Interrupted => exit_code::INTERRUPTED,
        }
    }

    /// What to do next. `signal` as for [`exit_code`](Self::exit_code).
    pub(crate) fn hint(&self, signal: Option<u8>) -> Option<String> {
        match self {
            // It did not fail by itself: there is nothing to correct.
            Self::Core(Error::Step(_)) if signal.is_some() => {
                Some("run the same command again; it goes on from there".to_owned())
            }
            Self::Core(error) | Self::Side(SideError::Core(error)) => error.hint(),
            Self::Settings(error) => error.hint(),
            Self::Usage { hint, .. } => hint.clone(),
            Self::Revisions(_) => Some("correct the revisions, then build again".to_owned()),
            Self::Side(_) | Self::Log(_) | Self::Failed(_) | Self::Declined | Self::Interrupted => {
                None
            }
        }
    }

    /// The sentence and what caused it, without what a sentence already says.
    pub(crate) fn sentence(&self) -> String {
        let mut text = self.to_string();
        let mut cause = self.source();
        while let Some(error) = cause {
            let words = error.to_string();
            if !text.contains(&words) {
                text.push_str(": ");
                text.push_str(&words);
            }
            cause = error.source();
        }
        text
    }

    /// For a terminal: the sentence, details on lines of their own, then the hint.
    pub(crate) fn text(&self, signal: Option<u8>) -> String {
        let mut text = format!("{} ", paint(BAD, "error:"));
        match self {
            Self::Core(Error::Step(step)) => text.push_str(&step_failure(step)),
            _ => text.push_str(&visible_lines(&self.sentence())),
        }
        text.push('\n');
        if let Some(hint) = self.hint(signal) {
            let _ = writeln!(text, "{} {}", paint(HEADING, "hint:"), visible_lines(&hint));
        }
        text
    }

    /// For programs: see `docs/json/error.schema.json`.
    pub(crate) fn json(&self, signal: Option<u8>) -> Value {
        let code = self.exit_code(signal);
        let mut error = json!({
            "kind": exit_code::name(code),
            "exit_code": code,
            "message": self.sentence(),
            "hint": self.hint(signal),
        });
        if let Self::Core(Error::Step(step)) = self {
            error["revision"] = json!(step.revision);
            error["direction"] = json!(step.direction);
            error["failure"] = json!(step.failure.to_string());
            error["statement"] = json!(step.statement);
            error["statement_index"] = json!(step.statement_index);
            error["completed"] = json!(step.completed);
        }
        error
    }
}

/// A failed step on several lines: what, where, what is left.
fn step_failure(step: &StepFailure) -> String {
    let mut text = format!(
        "{} of {} on {} failed ({}): {}",
        crate::style::direction(step.direction),
        visible(step.revision.as_str()),
        visible(&step.location),
        step.failure,
        visible_lines(&step.message)
    );
    let mut detail = |name: &str, words: &str| {
        let _ = write!(text, "\n  {} {words}", paint(DIM, &format!("{name:<12}")));
    };
    if let Some(statement) = &step.statement {
        let indented = visible_lines(statement).replace('\n', "\n               ");
        detail(
            "statement",
            &format!("{}: {indented}", step.statement_index),
        );
    }
    detail(
        "left of it",
        &match step.remains {
            Remains::Nothing => "nothing".to_owned(),
            Remains::Statements(1) => "1 statement, done and recorded".to_owned(),
            Remains::Statements(done) => format!("{done} statements, done and recorded"),
            Remains::Unknown => "not known, the next run finds out".to_owned(),
        },
    );
    let named = |some: &[RevisionId]| {
        some.iter()
            .map(|id| visible(id.as_str()).into_owned())
            .collect::<Vec<_>>()
            .join(", ")
    };
    let completed = match step.completed.as_slice() {
        [] => "nothing in this run".to_owned(),
        many if many.len() > NAMED => format!(
            "{} revisions, the last of them {}",
            many.len(),
            named(&many[many.len() - NAMED..])
        ),
        some => named(some),
    };
    detail("done before", &completed);
    text
}

/// How many of the completed revisions are named.
const NAMED: usize = 10;

/// Text from elsewhere on as many lines as it has.
fn visible_lines(text: &str) -> String {
    text.lines().map(visible).collect::<Vec<_>>().join("\n")
}
