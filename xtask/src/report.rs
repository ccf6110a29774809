//! What the person who runs a command is told, and how it ended.

use std::fmt;

/// Tells the person on stderr what is being done: stdout belongs to the programs that are run.
#[expect(clippy::print_stderr, reason = "the one place where xtask prints")]
pub(crate) fn say(message: &str) {
    eprintln!("xtask: {message}");
}

/// A command could not do its work.
#[derive(Debug)]
pub(crate) struct Failure {
    pub(crate) code: u8,
    pub(crate) message: String,
}

impl Failure {
    /// The work was tried and failed.
    pub(crate) fn failed(message: impl fmt::Display) -> Self {
        Self {
            code: 1,
            message: message.to_string(),
        }
    }

    /// The person has to change the command line, a setting or the machine first.
    pub(crate) fn usage(message: impl fmt::Display) -> Self {
        Self {
            code: 2,
            message: message.to_string(),
        }
    }
}
