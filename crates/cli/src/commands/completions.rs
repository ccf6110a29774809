//! `completions`: a completion script for a shell.

use clap::builder::PossibleValuesParser;
use clap::{Args, Command, CommandFactory};
use clap_complete::Shell;
use stairway_core::plan::graph::RevisionGraph;

use super::{Execute, Needs};
use crate::error::CommandError;
use crate::report::{Outcome, TextReport};
use crate::session::Session;

/// Print a completion script for a shell
///
/// Put it where the shell looks for it. It knows the revisions and labels of the build that printed
/// it: print it again after a release.
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
        let mut command = crate::args::Arguments::command();
        if let Ok(manager) = session.manager() {
            command = with_revisions(command, manager.graph());
        }
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut command, session.program, &mut script);
        let text = String::from_utf8_lossy(&script).into_owned();
        Ok(Outcome::done(TextReport {
            name: "script",
            text,
        }))
    }
}

/// The arguments that name a revision, with the revisions that there are.
fn with_revisions(command: Command, graph: &RevisionGraph) -> Command {
    let ids = graph.iter().map(|revision| revision.id.to_string());
    let labels = graph.labels().map(|(label, _)| format!("{label}@head"));
    let names: Vec<String> = ["head", "heads", "base", "current"]
        .into_iter()
        .map(str::to_owned)
        .chain(labels)
        .chain(ids)
        .collect();
    let arguments = [
        ("upgrade", "target"),
        ("downgrade", "target"),
        ("show", "revision"),
        ("stamp", "targets"),
        ("merge", "revisions"),
        ("create", "head"),
        ("create", "depends_on"),
        ("log", "revision"),
        ("repair", "revision"),
    ];
    arguments
        .into_iter()
        .fold(command, |command, (name, argument)| {
            command.mut_subcommand(name, |sub| {
                sub.mut_arg(argument, |arg| {
                    arg.value_parser(PossibleValuesParser::new(names.clone()))
                })
            })
        })
}

#[cfg(test)]
mod tests {
    use stairway_core::plan::revision::Revision;

    use super::*;

    #[test]
    fn the_script_completes_the_names_of_revisions() {
        let graph = RevisionGraph::new(vec![Revision::new("m1_users", [])]).unwrap();
        let mut command = with_revisions(crate::args::Arguments::command(), &graph);
        let mut script = Vec::new();
        clap_complete::generate(Shell::Bash, &mut command, "stairway", &mut script);
        let script = String::from_utf8(script).unwrap();
        assert_eq!(
            script.matches("head heads base current m1_users").count(),
            9,
            "{script}"
        );
    }
}
