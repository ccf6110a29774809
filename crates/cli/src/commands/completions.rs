//! `completions`: a completion script for a shell.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use super::{Execute, Needs};
use crate::error::CommandError;
use crate::report::{Outcome, TextReport};
use crate::session::Session;

/// Print a completion script for a shell
///
/// Put it where the shell looks for it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway completions bash > ~/.local/share/bash-completion/completions/stairway
  stairway completions zsh > ~/.zfunc/_stairway
  stairway completions fish > ~/.config/fish/completions/stairway.fish")]
pub(crate) struct Arguments {
    /// The shell
    #[arg(value_enum)]
    shell: Shell,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        Needs::Offline
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let mut script = Vec::new();
        let mut command = crate::args::Arguments::command();
        clap_complete::generate(self.shell, &mut command, session.program, &mut script);
        let text = String::from_utf8_lossy(&script).into_owned();
        Ok(Outcome::done(TextReport {
            name: "script",
            text,
        }))
    }
}
