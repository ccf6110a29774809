//! Where the commands of a page are run.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use regex::Regex;
use stairway_tests::{Finished, Program, TestDatabase, stairway, stairway_server};
use tempfile::TempDir;

/// What a command names that a test has elsewhere: what stands in the page, what is run in its place (the
/// shell knows the variables), and why. All other commands are run as they are shown.
const REPLACED: &[(&str, &str, &str)] = &[
    (
        " /backups",
        " \"$BACKUPS\"",
        "a volume of a container: nothing is written to this machine's root directory",
    ),
    (
        "http://localhost:8000/",
        "http://$STAIRWAY_LISTEN/",
        "the port may be taken: the test's server listens on a free one",
    ),
    (
        "--listen 0.0.0.0:8000 --internal-listen 127.0.0.1:9000",
        "--listen 0.0.0.0:${STAIRWAY_LISTEN#*:} --internal-listen \"$INTERNAL_LISTEN\"",
        "the same",
    ),
];

/// The end of a terminal's line, and what sets colours and takes the progress display away.
static CONTROL: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\r|\x1b\[[0-9;]*[A-Za-z]").expect("it is written here"));

/// A shell in a directory of its own, with `stairway` and `stairway-server` on its path. What a command
/// prints on standard output and on standard error is kept in one, as a reader sees it.
#[derive(Debug)]
pub(crate) struct Shell {
    home: TempDir,
    directory: PathBuf,
    variables: Vec<(String, String)>,
    /// What is called otherwise in the page: the real name, and the page's.
    names: Vec<(String, String)>,
}

impl Shell {
    /// A shell with these programs on its path, by their names there, and without a database.
    pub(crate) fn with_programs(programs: &[(&str, &Path)]) -> Self {
        let home = TempDir::new().expect("a directory can be made");
        for name in ["bin", "work", "backups"] {
            fs::create_dir(home.path().join(name)).expect("a fresh directory");
        }
        for (name, program) in programs {
            symlink(program, home.path().join("bin").join(name)).expect("a fresh directory");
        }
        let path = |name: &str| home.path().join(name).display().to_string();
        let on_path = std::env::var("PATH").unwrap_or_default();
        let variables = [
            ("PATH", format!("{}:{on_path}", path("bin"))),
            ("HOME", path("")),
            ("BACKUPS", path("backups")),
        ];
        Self {
            directory: home.path().join("work"),
            home,
            variables: variables
                .map(|(name, value)| (name.to_owned(), value))
                .into(),
            names: Vec::new(),
        }
    }

    /// A shell without a database.
    pub(crate) fn new() -> Self {
        let (stairway, server) = (stairway(), stairway_server());
        Self::with_programs(&[
            ("stairway", stairway.path()),
            ("stairway-server", server.path()),
        ])
    }

    /// A shell whose `DATABASE_URL` is this.
    pub(crate) fn at(url: &str) -> Self {
        Self::new().env("DATABASE_URL", url)
    }

    /// A shell on this database.
    pub(crate) fn on(database: &TestDatabase) -> Self {
        Self::at(database.url())
    }

    /// Sets a variable.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.variables.push((name.to_owned(), value.into()));
        self
    }

    /// Runs its commands in this directory.
    pub(crate) fn in_directory(mut self, directory: PathBuf) -> Self {
        self.directory = directory;
        self
    }

    /// What is called so here, the page calls otherwise.
    pub(crate) fn called(mut self, here: &str, page: &str) -> Self {
        self.names.push((here.to_owned(), page.to_owned()));
        self
    }

    /// Where a command runs.
    pub(crate) fn directory(&self) -> &Path {
        &self.directory
    }

    /// How many backups were written to the place that pages name.
    pub(crate) fn backups(&self) -> usize {
        let directory = fs::read_dir(self.home.path().join("backups"));
        directory.expect("it was made").count()
    }

    /// What was printed, in the page's names, and without what a terminal does not show.
    pub(crate) fn in_the_page_s_names(&self, printed: &str) -> String {
        let printed = CONTROL.replace_all(printed, "").into_owned();
        self.names
            .iter()
            .fold(printed, |printed, (here, page)| printed.replace(here, page))
    }

    /// A page's command, to be run or started.
    pub(crate) fn program(&self, command: &str) -> Program {
        self.bash(&format!("exec 2>&1\n{}", replaced(command)))
    }

    /// Runs a page's command on a terminal, and answers its question with yes.
    #[track_caller]
    pub(crate) fn answer(&self, command: &str) -> Finished {
        self.type_on_terminal(command, "y\n")
    }

    /// Runs a page's command on a terminal on which somebody answers its question with this.
    #[track_caller]
    pub(crate) fn type_on_terminal(&self, command: &str, keys: &str) -> Finished {
        self.bash(&replaced(command))
            .answer_on_terminal("[y/N]", keys)
    }

    fn bash(&self, script: &str) -> Program {
        let program = Program::at("bash")
            .args(["-c", script])
            .current_dir(&self.directory);
        self.variables
            .iter()
            .fold(program, |program, (name, value)| program.env(name, value))
    }

    /// Runs a command that no page shows: it brings about the state that a section is about.
    #[track_caller]
    pub(crate) fn prepare(&self, command: &str) -> Finished {
        let run = self.program(command).run();
        assert_eq!(run.code, 0, "{command}: {run}");
        run
    }
}

fn replaced(command: &str) -> String {
    REPLACED
        .iter()
        .fold(command.to_owned(), |command, (shown, run, _)| {
            command.replace(shown, run)
        })
}
