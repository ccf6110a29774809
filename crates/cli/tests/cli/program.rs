//! Calling the program in a directory of its own, with an environment of its own.

use std::path::Path;
use std::process::{Command, Output};

use tempfile::TempDir;

/// A directory to call the program in. Without anything else it migrates `stairway.db` there.
pub(crate) struct Place {
    directory: TempDir,
    variables: Vec<(String, String)>,
}

/// What came of a call.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self {
            directory: tempfile::tempdir().expect("a directory can be made"),
            variables: Vec::new(),
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    pub(crate) fn write(&self, name: &str, text: &str) {
        std::fs::write(self.path().join(name), text).expect("a file can be written");
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.push((name.to_owned(), value.to_owned()));
    }

    pub(crate) fn call(&self, line: &str) -> Said {
        let words: Vec<&str> = line.split_whitespace().collect();
        self.call_words(&words)
    }

    pub(crate) fn call_words(&self, words: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_stairway"));
        command.args(words).current_dir(self.path());
        for (name, _) in std::env::vars_os() {
            let is_ours = |prefix: &str| name.to_string_lossy().starts_with(prefix);
            if is_ours("MIGRATION_")
                || is_ours("STAIRWAY_")
                || is_ours("DATABASE_URL")
                || is_ours("RUST_LOG")
            {
                command.env_remove(&name);
            }
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        let Output {
            status,
            stdout,
            stderr,
        } = command
            .stdin(std::process::Stdio::null())
            .output()
            .expect("the program starts");
        Said {
            code: status.code().unwrap_or(-1),
            out: String::from_utf8(stdout).expect("results are UTF-8"),
            err: String::from_utf8(stderr).expect("messages are UTF-8"),
        }
    }

    /// A call that must end with this code.
    pub(crate) fn expect(&self, code: i32, line: &str) -> Said {
        let said = self.call(line);
        assert_eq!(
            said.code, code,
            "{line}\nout: {}\nerr: {}",
            said.out, said.err
        );
        said
    }
}
