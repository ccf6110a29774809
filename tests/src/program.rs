use std::env;
use std::ffi::OsStr;
use std::fmt;
use std::fs::{self, File};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::Value;
use stairway_test_servers::cargo;
use stairway_test_servers::process::{self, Signal};
use tempfile::TempDir;

use crate::TestDatabase;
use crate::binaries::binary;
use crate::wait::holds_within;

/// A program that has not ended by then hangs.
const DEADLINE: Duration = Duration::from_mins(5);

/// What variables that a program under test reads begin with: the person's own must not reach it.
const READ_BY_PROGRAMS: &[&str] = &[
    "DATABASE_URL",
    "MIGRATION_",
    "STAIRWAY_",
    "PG",
    "MYSQL_",
    "RUST_LOG",
    "RUST_BACKTRACE",
    "NO_COLOR",
    "CLICOLOR",
];

/// The `stairway` command line.
pub fn stairway() -> Program {
    Program::workspace("stairway")
}

/// The `stairway-server`.
pub fn stairway_server() -> Program {
    Program::workspace("stairway-server")
}

/// A program to run, in an empty directory of its own and without the person's settings. What it
/// writes is kept, so it sees no terminal.
#[derive(Debug)]
pub struct Program {
    command: Command,
    directory: TempDir,
}

impl Program {
    /// A binary of this workspace.
    ///
    /// # Panics
    /// It does not compile.
    pub fn workspace(name: &str) -> Self {
        Self::at(binary(name))
    }

    /// Any program.
    ///
    /// # Panics
    /// No temporary directory can be made.
    pub fn at(path: impl AsRef<OsStr>) -> Self {
        let directory = TempDir::new().expect("a temporary directory can be made");
        let mut command = Command::new(path);
        cargo::forget_package(&mut command);
        for (name, _) in env::vars_os() {
            let is_read = |name: &str| {
                READ_BY_PROGRAMS
                    .iter()
                    .any(|beginning| name.starts_with(beginning))
            };
            if name.to_str().is_some_and(is_read) {
                command.env_remove(name);
            }
        }
        let program = Self { command, directory };
        let working_directory = program.directory.path().join("work");
        fs::create_dir(&working_directory).expect("a fresh directory can be made");
        program.current_dir(working_directory)
    }

    /// The program's own path, or its name.
    pub fn path(&self) -> &Path {
        Path::new(self.command.get_program())
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.command.args(arguments);
        self
    }

    /// Sets a variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Sets `DATABASE_URL` to this database's.
    #[must_use]
    pub fn database(self, database: &TestDatabase) -> Self {
        self.env("DATABASE_URL", database.url())
    }

    /// Runs in this directory instead of an empty one.
    #[must_use]
    pub fn current_dir(mut self, directory: impl AsRef<Path>) -> Self {
        self.command.current_dir(directory);
        self
    }

    /// The directory in which the program runs.
    pub fn working_directory(&self) -> &Path {
        self.command
            .get_current_dir()
            .unwrap_or(self.directory.path())
    }

    /// Runs the program to its end.
    ///
    /// # Panics
    /// It can't be run, or has not ended after five minutes.
    #[track_caller]
    pub fn run(self) -> Finished {
        self.spawn().wait(DEADLINE)
    }

    /// Runs the program to its end on a terminal on which somebody types `keys`. All that it writes is
    /// in `stdout`, as the terminal shows it, the typed keys included.
    ///
    /// It is `script` of util-linux that makes the terminal: [`has_programs`](crate::has_programs).
    ///
    /// # Panics
    /// As [`Program::run`].
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn run_on_terminal(self, keys: &str) -> Finished {
        self.answer_on_terminal("", keys)
    }

    /// As [`Program::run_on_terminal`], where somebody types only once the terminal shows `question`.
    ///
    /// # Panics
    /// As [`Program::run`].
    #[cfg(target_os = "linux")]
    #[track_caller]
    pub fn answer_on_terminal(self, question: &str, keys: &str) -> Finished {
        let quoted = |word: &OsStr| format!("'{}'", word.to_string_lossy().replace('\'', r"'\''"));
        let words = [self.command.get_program()]
            .into_iter()
            .chain(self.command.get_args());
        let line = words.map(quoted).collect::<Vec<_>>().join(" ");
        let mut command = Command::new("script");
        command.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
        for (name, value) in self.command.get_envs() {
            match value {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        command.current_dir(self.working_directory());
        let on_terminal = Self { command, ..self };
        let mut running = on_terminal.spawn_reading(Stdio::piped());
        let is_asked = holds_within(DEADLINE, || {
            running.stdout().contains(question) || !running.is_running()
        });
        assert!(is_asked, "{question} is not asked: {}", running.stdout());
        if !running.stdout().contains(question) {
            // It has ended instead; the caller sees how.
            return running.wait(DEADLINE);
        }
        // Kept open until the program ends: nobody hangs up.
        let keyboard = running.child.stdin.as_mut().expect("it is a pipe");
        keyboard
            .write_all(keys.as_bytes())
            .expect("the program reads");
        running.wait(DEADLINE)
    }

    /// Starts the program.
    ///
    /// # Panics
    /// It can't be run.
    #[track_caller]
    pub fn spawn(self) -> Running {
        self.spawn_reading(Stdio::null())
    }

    #[track_caller]
    fn spawn_reading(mut self, input: Stdio) -> Running {
        let file =
            |name| File::create(self.directory.path().join(name)).expect("a file can be made");
        self.command
            .stdin(input)
            .stdout(file(STDOUT))
            .stderr(file(STDERR));
        let child = self.command.spawn().unwrap_or_else(|error| {
            panic!("running {}: {error}", self.command.get_program().display());
        });
        Running {
            child,
            directory: self.directory,
        }
    }
}

const STDOUT: &str = "stdout";
const STDERR: &str = "stderr";

/// A program that was started; killed when dropped.
#[derive(Debug)]
pub struct Running {
    child: Child,
    directory: TempDir,
}

impl Running {
    /// The process id.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// What the program has written to stdout so far.
    pub fn stdout(&self) -> String {
        read(&self.directory.path().join(STDOUT))
    }

    /// What the program has written to stderr so far.
    pub fn stderr(&self) -> String {
        read(&self.directory.path().join(STDERR))
    }

    /// Whether the program has not ended yet.
    pub fn is_running(&mut self) -> bool {
        matches!(self.child.try_wait(), Ok(None))
    }

    /// Sends a signal to the program alone, not to its children.
    ///
    /// # Panics
    /// There is no shell to send it with.
    pub fn signal(&self, signal: Signal) {
        process::send(signal, &[self.pid()]).expect("there is a shell");
    }

    /// Waits for the program to end.
    ///
    /// # Panics
    /// It has not ended after `deadline`; the message has what it has written.
    #[track_caller]
    pub fn wait(mut self, deadline: Duration) -> Finished {
        let ended = holds_within(deadline, || !self.is_running());
        let (stdout, stderr) = (self.stdout(), self.stderr());
        let status = self
            .child
            .try_wait()
            .expect("the program is this process's child");
        let code = status.map_or(-1, process::exit_code);
        let finished = Finished {
            code,
            stdout,
            stderr,
        };
        assert!(
            ended,
            "still running after {} s; so far: {finished}",
            deadline.as_secs()
        );
        finished
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.is_running() {
            let _ = self.child.kill();
            let _ = self.child.wait();
        }
    }
}

fn read(path: &PathBuf) -> String {
    fs::read(path)
        .map(|text| String::from_utf8_lossy(&text).into_owned())
        .unwrap_or_default()
}

/// How a program ended. `Display` shows all of it, for the message of an assertion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finished {
    /// The exit code; 128 and the signal's number where a signal has ended the program.
    pub code: i32,
    /// All that it wrote to stdout.
    pub stdout: String,
    /// All that it wrote to stderr.
    pub stderr: String,
}

impl Finished {
    /// What the program wrote to stdout, which is one JSON value.
    ///
    /// # Panics
    /// It is not.
    #[track_caller]
    pub fn json(&self) -> Value {
        serde_json::from_str(&self.stdout)
            .unwrap_or_else(|error| panic!("no JSON: {error}\n{self}"))
    }
}

impl fmt::Display for Finished {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            code,
            stdout,
            stderr,
        } = self;
        write!(
            out,
            "exit code {code}\n--- stdout ---\n{stdout}\n--- stderr ---\n{stderr}"
        )
    }
}
