//! The one place that writes to standard output and standard error, and that asks questions.
//!
//! Results go to standard output; whatever else a person should see goes to standard error. With
//! JSON logs nothing is written to standard error but JSON lines: notes and errors become such.

use std::io::{self, IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use indicatif::MultiProgress;
use serde_json::{Value, json};
use stairway_core::plan::sql::redact_url;
use stairway_core::telemetry::LineSink;

use crate::error::CommandError;
use crate::exit_code;
use crate::report::Report;
use crate::style::{BAD, HEADING, WARN, paint, visible};

/// The target of log lines that repeat what was written to standard error in words.
pub(crate) const TARGET: &str = "stairway::console";

/// The form of results.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum OutputFormat {
    /// For people.
    #[default]
    Text,
    /// For programs.
    Json,
    /// A script for the database's own client, from `schema`.
    Sql,
}

/// Standard output and standard error.
#[derive(Debug)]
pub(crate) struct Console {
    output: OutputFormat,
    /// Standard error holds JSON lines and nothing else.
    json_lines: bool,
    quiet: bool,
    bars: MultiProgress,
    output_failed: AtomicBool,
}

impl Console {
    pub(crate) fn new(output: OutputFormat, json_lines: bool, quiet: bool) -> Self {
        Self {
            output,
            json_lines,
            quiet,
            bars: MultiProgress::new(),
            output_failed: AtomicBool::new(false),
        }
    }

    pub(crate) fn output(&self) -> OutputFormat {
        self.output
    }

    /// Whether results are for people.
    pub(crate) fn is_text(&self) -> bool {
        self.output == OutputFormat::Text
    }

    /// Where spinners go.
    pub(crate) fn bars(&self) -> &MultiProgress {
        &self.bars
    }

    /// Takes log lines, so that they don't run into a spinner.
    pub(crate) fn line_sink(self: &Arc<Self>) -> LineSink {
        let console = Arc::clone(self);
        Arc::new(move |line| console.write_error(&String::from_utf8_lossy(line)))
    }

    /// Writes a command's result.
    pub(crate) fn result(&self, report: &dyn Report) -> Result<(), CommandError> {
        match self.output {
            OutputFormat::Text => self.write_output(&report.text()),
            OutputFormat::Json => self.json(&to_json(report)?),
            OutputFormat::Sql => self.write_output(&report.sql().unwrap_or_else(|| report.text())),
        }
        Ok(())
    }

    /// Writes a JSON value as a result.
    pub(crate) fn json(&self, value: &Value) {
        self.write_output(&format!("{value:#}\n"));
    }

    /// Writes text as a result.
    pub(crate) fn text(&self, text: &str) {
        self.write_output(text);
    }

    /// Says something that helps to understand the result.
    pub(crate) fn note(&self, text: &str) {
        tracing::info!(target: TARGET, event = "note", "{text}");
        if !self.quiet && !self.json_lines {
            self.write_error(&format!("{} {}\n", paint(HEADING, "note:"), visible(text)));
        }
    }

    /// Says something that a person should look at.
    pub(crate) fn warning(&self, text: &str) {
        tracing::warn!(target: TARGET, event = "warning", "{text}");
        if !self.json_lines {
            self.write_error(&format!("{} {}\n", paint(WARN, "warning:"), visible(text)));
        }
    }

    /// Writes lines for people that belong to no result: a heading, a question's subject.
    pub(crate) fn aside(&self, text: &str) {
        if !self.json_lines {
            self.write_error(text);
        }
    }

    /// Says why a command failed, on standard error; with JSON results also as the result.
    /// `database` names the database where there are several.
    pub(crate) fn error(&self, error: &CommandError, signal: Option<u8>, database: Option<&str>) {
        let (code, hint) = (error.exit_code(signal), error.hint(signal));
        tracing::error!(
            target: TARGET, event = "error", database, exit_code = code, hint = hint.as_deref(),
            "{}", error.sentence()
        );
        if !self.json_lines {
            self.write_error(&error.text(signal));
        }
        if self.output == OutputFormat::Json && database.is_none() {
            self.json(&json!({ "schema_version": 1, "error": error.json(signal) }));
        }
    }

    /// Whether somebody is there to answer a question.
    pub(crate) fn can_ask(&self) -> bool {
        !self.json_lines && io::stdin().is_terminal() && io::stderr().is_terminal()
    }

    /// Asks a question that only a clear yes answers with yes. Blocks.
    pub(crate) fn ask(&self, question: &str) -> io::Result<bool> {
        self.write_error(&format!("{} [y/N] ", paint(BAD, question)));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        Ok(matches!(
            answer.trim().to_ascii_lowercase().as_str(),
            "y" | "yes"
        ))
    }

    /// Asks for a text; nothing for an empty answer. Blocks.
    pub(crate) fn ask_for(&self, question: &str) -> io::Result<Option<String>> {
        self.write_error(&format!("{} ", paint(HEADING, question)));
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        let answer = answer.trim();
        Ok((!answer.is_empty()).then(|| answer.to_owned()))
    }

    /// The exit code, unless a result could not be written.
    pub(crate) fn exit_code(&self, code: u8) -> u8 {
        if code == exit_code::DONE && self.output_failed.load(Ordering::Relaxed) {
            exit_code::FAILED
        } else {
            code
        }
    }

    fn write_output(&self, text: &str) {
        let written = self.bars.suspend(|| {
            let mut out = anstream::stdout().lock();
            out.write_all(text.as_bytes()).and_then(|()| out.flush())
        });
        match written {
            Ok(()) => {}
            // Whoever reads has seen enough, as in `stairway log | head`.
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => {}
            Err(error) => {
                if !self.output_failed.swap(true, Ordering::Relaxed) {
                    self.write_error(&format!(
                        "{} standard output can't be written: {error}\n",
                        paint(BAD, "error:")
                    ));
                }
            }
        }
    }

    pub(crate) fn write_error(&self, text: &str) {
        self.bars.suspend(|| {
            let mut err = anstream::stderr().lock();
            // There is nowhere left to say that this failed.
            drop(err.write_all(text.as_bytes()).and_then(|()| err.flush()));
        });
    }
}

/// A report's JSON form.
pub(crate) fn to_json(report: &dyn Report) -> Result<Value, CommandError> {
    report.json().map_err(|error| {
        CommandError::usage(format!("the result can't be written as JSON: {error}"))
    })
}

/// What clap says before there is a console: help and version as a result, mistakes as an error.
/// Returns the exit code.
pub(crate) fn usage(error: &clap::Error) -> u8 {
    let console = Console::new(OutputFormat::Text, false, false);
    let text = mask_urls(&error.render().ansi().to_string());
    if error.use_stderr() {
        console.write_error(&text);
        exit_code::USAGE
    } else {
        console.write_output(&text);
        console.exit_code(exit_code::DONE)
    }
}

/// Masks what could be a password in a URL that was typed in the wrong place.
fn mask_urls(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find("://") {
        let (before, after) = rest.split_at(at + 3);
        masked.push_str(before);
        let end = after
            .find(|c: char| c.is_whitespace() || c == '\'' || c == '\u{1b}')
            .unwrap_or(after.len());
        let (url, after) = after.split_at(end);
        match url.rfind('@') {
            Some(host) => {
                masked.push_str("***");
                masked.push_str(&url[host..]);
            }
            // What follows a colon may be a password whose host was forgotten.
            None => masked.push_str(redact_url(&format!("://{url}")).trim_start_matches("://")),
        }
        rest = after;
    }
    masked.push_str(rest);
    masked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_in_the_wrong_place_is_repeated_without_its_password() {
        let said = "unexpected argument 'postgres://app:hunter2@db/shop' found, see https://x.org";
        assert_eq!(
            mask_urls(said),
            "unexpected argument 'postgres://***@db/shop' found, see https://x.org"
        );
        assert_eq!(
            mask_urls("no 'mysql://app:hunter2'"),
            "no 'mysql://app:***'"
        );
    }
}
