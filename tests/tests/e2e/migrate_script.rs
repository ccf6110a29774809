//! `scripts/migrate.sh`, in copies of it with programs that only show how they were called.

use std::fs::{self, File};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use stairway_tests::{Backend, Program, TestDatabase, has_programs, stairway};
use tempfile::TempDir;

/// Arguments that a careless script takes apart, expands or drops.
const AWKWARD: &[&str] = &[
    "create",
    "Add user table",
    "",
    "it's \"quoted\"",
    "*",
    "$HOME",
    "a\\b",
    "--",
    "-n",
    "a;b",
    "two\nlines",
];

fn script() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../scripts/migrate.sh")
}

/// A project with a copy of the script, and a directory for the `PATH`.
struct Project {
    directory: TempDir,
}

impl Project {
    fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("a project")
            .tempdir()
            .expect("a directory");
        let project = Self { directory };
        fs::create_dir_all(project.path("scripts")).expect("a directory");
        fs::create_dir_all(project.path("bin")).expect("a directory");
        fs::copy(script(), project.path("scripts/migrate.sh")).expect("the script is there");
        project
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// A program that prints its name, its working directory and its arguments, and exits with 3.
    fn program(&self, name: &str) -> PathBuf {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("inside the project")).expect("a directory");
        let text = format!("#!/bin/sh\necho {name}; pwd -P; printf '[%s]' \"$@\"; exit 3\n");
        fs::write(&path, text).expect("a file can be written");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("the file is ours");
        path
    }

    /// A file that was written `seconds` ago.
    fn aged(&self, name: &str, seconds: u64) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().expect("inside the project")).expect("a directory");
        let file = File::options()
            .create(true)
            .append(true)
            .open(&path)
            .expect("a file");
        let time = SystemTime::now() - Duration::from_secs(seconds);
        file.set_modified(time).expect("the file is ours");
    }

    /// Runs the script from another directory. Besides the system's own programs only those in the
    /// project's `bin` are on the `PATH`.
    fn run(&self, arguments: &[&str]) -> (i32, String, String) {
        self.run_with(Program::at(self.path("scripts/migrate.sh")), arguments)
    }

    fn run_with(&self, script: Program, arguments: &[&str]) -> (i32, String, String) {
        let path = format!("{}:/usr/bin:/bin", self.path("bin").display());
        let run = script
            .args(arguments)
            .env("PATH", path)
            .env("CDPATH", "/")
            .run();
        (run.code, run.stdout, run.stderr)
    }

    /// What a program of [`Project::program`] prints when it is run in the project's root.
    fn output(&self, name: &str, arguments: &[&str]) -> String {
        let root = self
            .directory
            .path()
            .canonicalize()
            .expect("the directory is there");
        let arguments: Vec<_> = arguments
            .iter()
            .map(|argument| format!("[{argument}]"))
            .collect();
        let arguments = arguments.concat();
        format!("{name}\n{}\n{arguments}", root.display())
    }

    /// Fails unless the script runs the program of this name in the project's root with exactly the
    /// arguments that it was given, and ends with its exit code.
    #[track_caller]
    fn assert_runs(&self, name: &str) {
        let (code, stdout, stderr) = self.run(AWKWARD);
        assert_eq!(stdout, self.output(name, AWKWARD), "{stderr}");
        assert_eq!(code, 3);
        assert_eq!(stderr, "");
    }
}

#[test]
fn the_scripts_pass_shellcheck() {
    if has_programs(&["shellcheck"]) {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
        let scripts = [script(), root.join(".ci/run")];
        let run = Program::at("shellcheck").args(scripts).run();
        assert_eq!(run.code, 0, "{run}");
    }
}

#[test]
fn the_binary_that_the_person_names_comes_first() {
    let project = Project::new();
    let named = project.program("elsewhere/my stairway");
    project.program("target/debug/stairway");
    let script = Program::at(project.path("scripts/migrate.sh")).env("STAIRWAY_BIN", named);
    let (code, stdout, _) = project.run_with(script, AWKWARD);
    assert_eq!(stdout, project.output("elsewhere/my stairway", AWKWARD));
    assert_eq!(code, 3);
}

#[test]
fn the_newest_built_binary_is_run() {
    let project = Project::new();
    project.program("bin/cargo");
    project.aged("migration/src/revision.rs", 900);
    project.program("target/release/stairway");
    project.program("target/debug/stairway");
    project.aged("target/release/stairway", 60);
    project.aged("target/debug/stairway", 600);
    project.assert_runs("target/release/stairway");
    project.aged("target/debug/stairway", 6);
    project.assert_runs("target/debug/stairway");
}

#[test]
fn a_binary_older_than_a_revision_is_built_anew_by_cargo() {
    let project = Project::new();
    project.program("bin/cargo");
    project.aged("Cargo.toml", 900);
    project.program("target/debug/stairway");
    project.aged("target/debug/stairway", 600);
    project.assert_runs("target/debug/stairway");
    project.aged("migration/src/revision.rs", 60);
    let (code, stdout, _) = project.run(&["status", "a b"]);
    let arguments = ["run", "--quiet", "--bin", "stairway", "--", "status", "a b"];
    assert_eq!(stdout, project.output("bin/cargo", &arguments));
    assert_eq!(code, 3);
}

#[test]
fn an_outdated_binary_is_run_with_a_warning_where_there_is_no_cargo() {
    let project = Project::new();
    project.aged("Cargo.toml", 900);
    project.program("target/debug/stairway");
    project.aged("target/debug/stairway", 600);
    project.aged("migration/src/revision.rs", 60);
    let (code, stdout, stderr) = project.run(AWKWARD);
    assert_eq!(stdout, project.output("target/debug/stairway", AWKWARD));
    assert_eq!(code, 3);
    assert!(
        stderr.contains("target/debug/stairway is older than ./migration/src/revision.rs"),
        "{stderr}"
    );
}

#[test]
fn a_binary_on_the_path_is_run_where_nothing_is_built() {
    let project = Project::new();
    project.program("bin/stairway");
    project.assert_runs("bin/stairway");
}

#[test]
fn the_real_script_runs_the_real_command_line_from_any_directory() {
    let database = TestDatabase::create(Backend::Sqlite);
    // Builds it, if need be.
    drop(stairway());
    let arguments = ["--output", "json", "status", "--exit-code"];
    let run = Program::at(script())
        .args(arguments)
        .database(&database)
        .run();
    assert_eq!(run.code, 3, "{run}");
    assert_eq!(run.json()["is_up_to_date"], false);
}

#[test]
fn nothing_to_run_is_a_message_that_says_where_it_was_looked_for() {
    let project = Project::new();
    let (code, stdout, stderr) = project.run(&["status"]);
    assert_eq!((code, stdout.as_str()), (127, ""));
    for place in ["target", "cargo", "PATH", "STAIRWAY_BIN"] {
        assert!(stderr.contains(place), "{place} is not in: {stderr}");
    }
}
