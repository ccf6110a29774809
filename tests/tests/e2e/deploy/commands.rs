//! Every command line that the files call is run as they call it, so that they can't drift from the
//! command line that there is.

use std::fs;

use stairway_tests::{Program, TestDatabase, has_programs, on_each_backend, stairway};
use tempfile::TempDir;

use super::{files_below, path, read};

/// What a pipeline gives to a shell at once: a job's lines, or one step's.
#[derive(Debug)]
struct Script {
    place: String,
    lines: Vec<String>,
}

impl Script {
    /// Of these lines those that call the command line.
    fn of<'a>(place: &str, lines: impl IntoIterator<Item = &'a str>) -> Self {
        let calls = ["scripts/migrate.sh ", "stairway ", "cargo xtask migrate "];
        let lines = lines
            .into_iter()
            .map(str::trim)
            .filter(|line| calls.iter().any(|call| line.starts_with(call)))
            .map(str::to_owned)
            .collect();
        Self {
            place: place.to_owned(),
            lines,
        }
    }

    fn run(&self, database: &TestDatabase) {
        let backups = TempDir::new().expect("a directory");
        // `stairway` on PATH, as in an image.
        let text = format!(
            "stairway() {{ \"$STAIRWAY_BIN\" \"$@\"; }}\nset -euo pipefail\n{}",
            self.lines.join("\n")
        );
        let run = Program::at("bash")
            .args(["-c", &text])
            .current_dir(path(""))
            .env("STAIRWAY_BIN", binary())
            .env("MIGRATION_BACKUP_DIRECTORY", backups.path())
            .database(database)
            .run();
        assert_eq!(
            run.code,
            0,
            "{} on {}: {:?}\n{run}",
            self.place,
            database.backend(),
            self.lines
        );
        let backs_up = self.lines.iter().any(|line| line.contains("--backup"));
        let written = fs::read_dir(backups.path()).expect("a directory").count();
        assert_eq!(written, usize::from(backs_up), "{}", self.place);
    }
}

/// Where the built command line is.
fn binary() -> String {
    stairway().path().display().to_string()
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

/// The `run:` of a workflow's steps.
fn steps(file: &str) -> Vec<Script> {
    let text = read(file);
    let lines: Vec<&str> = text.lines().collect();
    let mut scripts = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let key = line.trim_start().trim_start_matches("- ");
        let Some(value) = key.strip_prefix("run:").map(str::trim) else {
            continue;
        };
        let place = format!("{file}:{}", at + 1);
        if value.starts_with('|') {
            let block = lines[at + 1..]
                .iter()
                .take_while(|next| next.trim().is_empty() || indentation(next) > indentation(line));
            scripts.push(Script::of(&place, block.copied()));
        } else {
            scripts.push(Script::of(&place, [value]));
        }
    }
    scripts
}

/// The jobs of a GitLab pipeline: what `script` and `after_script` of each say.
fn jobs(file: &str) -> Vec<Script> {
    let text = read(file);
    let mut jobs: Vec<(String, Vec<&str>)> = Vec::new();
    let mut in_script = false;
    for line in text.lines() {
        if let Some(name) = line.strip_suffix(':').filter(|name| !name.starts_with(' ')) {
            jobs.push((format!("{file}: {name}"), Vec::new()));
        } else if indentation(line) == 2 && !line.trim_start().starts_with('#') {
            in_script = matches!(line.trim(), "script:" | "after_script:");
        } else if let (true, Some(call), Some((_, lines))) =
            (in_script, line.trim().strip_prefix("- "), jobs.last_mut())
        {
            lines.push(call);
        }
    }
    jobs.into_iter()
        .map(|(place, lines)| Script::of(&place, lines))
        .collect()
}

/// What a Jenkins pipeline gives to `sh`.
fn shells(file: &str) -> Vec<Script> {
    let text = read(file);
    let mut scripts = Vec::new();
    let mut rest = text.as_str();
    while let Some((_, after)) = rest.split_once("sh '") {
        let (end, from) = if after.starts_with("''") {
            ("'''", 2)
        } else {
            ("'", 0)
        };
        let (script, after) = after[from..].split_once(end).expect("a quoted text ends");
        scripts.push(Script::of(
            &format!("{file}: {}", script.trim()),
            script.lines(),
        ));
        rest = after;
    }
    scripts
}

/// What a container is started with: `args: [a, b]`, `command: [a, b]`, `CMD ["a", "b"]`.
fn containers(file: &str) -> Vec<Script> {
    let text = read(file);
    let calls = text.lines().enumerate().filter_map(|(at, line)| {
        let list = ["args: [", "command: [", "CMD ["]
            .iter()
            .find_map(|beginning| line.trim().strip_prefix(beginning))?
            .strip_suffix(']')?;
        let words: Vec<&str> = list
            .split(", ")
            .map(|word| word.trim_matches('"'))
            .collect();
        // The path of the program itself, or another program's arguments.
        if words[0].contains('/') {
            return None;
        }
        Some(Script::of(
            &format!("{file}:{}", at + 1),
            [format!("stairway {}", words.join(" ")).as_str()],
        ))
    });
    calls.collect()
}

/// Everything that is called, with how many calls each kind of file has at least: finding fewer means
/// that they are no longer found.
fn everything() -> Vec<Script> {
    let kubernetes = files_below("deploy/kubernetes", ".yaml");
    let kinds: [(Vec<Script>, usize); 5] = [
        (
            files_below(".github/workflows", ".yml")
                .iter()
                .flat_map(|file| steps(file))
                .collect(),
            2,
        ),
        (jobs("deploy/ci/gitlab-ci.yml"), 14),
        (shells("deploy/ci/Jenkinsfile"), 14),
        (
            kubernetes
                .iter()
                .flat_map(|file| containers(file))
                .collect(),
            2,
        ),
        (
            ["deploy/docker-compose.yml", "deploy/Dockerfile"]
                .iter()
                .flat_map(|file| containers(file))
                .collect(),
            2,
        ),
    ];
    let mut all = Vec::new();
    for (scripts, least) in kinds {
        let calls: usize = scripts.iter().map(|script| script.lines.len()).sum();
        assert!(
            calls >= least,
            "only {calls} of {least} calls were found: {scripts:?}"
        );
        all.extend(
            scripts
                .into_iter()
                .filter(|script| !script.lines.is_empty()),
        );
    }
    all
}

#[test]
fn every_call_in_the_files_works_as_it_is_written() {
    let scripts = everything();
    on_each_backend(|database| {
        let backend = database.backend();
        for script in &scripts {
            script.run(&TestDatabase::create(backend));
        }
    });
}

fn action(command: &str, database: Option<&TestDatabase>) -> (Program, TempDir) {
    let directory = TempDir::new().expect("a directory");
    let program = Program::at("bash")
        .args([path(".github/actions/migrate/migrate.sh")])
        .env("COMMAND", command)
        .env("STAIRWAY_BIN", binary())
        // As the action sets them when the caller says nothing.
        .env("DATABASE_URL", database.map_or("", TestDatabase::url))
        .env("MIGRATION_WEBHOOK_URL", "")
        .env("MIGRATION_CREATE_BACKUP", "false")
        .env("GITHUB_OUTPUT", directory.path().join("output"))
        .env("GITHUB_STEP_SUMMARY", directory.path().join("summary"));
    (program, directory)
}

#[test]
fn the_action_checks_tests_and_migrates_and_says_where_the_database_is() {
    if !has_programs(&["jq"]) {
        return;
    }
    let (program, _directory) = action("check", None);
    let run = program.run();
    assert_eq!(run.code, 0, "offline {run}");
    on_each_backend(|database| {
        for command in ["check", "test", "run", "upgrade", "status", "check"] {
            let (program, directory) = action(command, Some(&database));
            let run = program.run();
            assert_eq!(run.code, 0, "{command} {run}");
            let output =
                fs::read_to_string(directory.path().join("output")).expect("outputs are set");
            assert!(
                output.starts_with("status={\"schema_version\":"),
                "{output}"
            );
            let expected = format!("up-to-date={}\n", output.contains("\"is_up_to_date\":true"));
            assert!(output.ends_with(&expected), "{output}");
            let summary = fs::read_to_string(directory.path().join("summary")).expect("a summary");
            assert_eq!(summary.lines().count(), 3, "{summary}");
        }
    });
}

#[test]
fn the_action_fails_with_the_command_s_own_code_and_shows_findings_at_their_files() {
    if !has_programs(&["jq"]) {
        return;
    }
    on_each_backend(|database| {
        let run = stairway().args(["upgrade"]).database(&database).run();
        assert_eq!(run.code, 0, "{run}");
        let revision = "m20260105_090000_create_users";
        database.execute(&format!(
            "UPDATE stairway_ledger SET checksum = 'another' WHERE revision = '{revision}'"
        ));
        let (program, _directory) = action("check", Some(&database));
        let run = program.run();
        assert_eq!(run.code, 3, "{run}");
        let annotation =
            format!("::error file=migration/src/revisions/{revision}.rs,title=stairway edited::");
        assert!(run.stdout.contains(&annotation), "{run}");

        // Whoever waits for the deployment is told that there is none.
        let (url, messages) = super::webhook::receiver(200);
        for format in ["json", "slack"] {
            let (program, _directory) = action("check", Some(&database));
            let run = program
                .env("MIGRATION_WEBHOOK_URL", &url)
                .env("MIGRATION_WEBHOOK_FORMAT", format)
                .run();
            assert_eq!(run.code, 3, "{run}");
            assert!(!format!("{run}").contains(&url), "{run}");
        }
        let patience = std::time::Duration::from_mins(1);
        let message = messages.recv_timeout(patience).expect("a message");
        assert_eq!(message["outcome"], "refused", "{message}");
        let message = messages.recv_timeout(patience).expect("a message");
        let text = message["text"].as_str().expect("a text");
        assert!(text.starts_with(":x: *Migration refused*"), "{text}");
    });
    let (program, _directory) = action("upgrade", None);
    assert_ne!(
        program.run().code,
        0,
        "without a database nothing is migrated"
    );
    let (program, _directory) = action("destroy", None);
    assert_eq!(program.run().code, 2);
}

/// A repository with one revision on `main`, and a branch that is checked out.
fn repository() -> TempDir {
    let directory = TempDir::new().expect("a directory");
    let run = Program::at("bash")
        .args([
            "-euc",
            "git init -q -b main . && mkdir -p migration/src/revisions \
            && echo one > migration/src/revisions/m1_a.rs && echo x > other && git add . \
            && git commit -qm first && git checkout -qb work",
        ])
        .current_dir(directory.path())
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env("GIT_AUTHOR_NAME", "a")
        .env("GIT_AUTHOR_EMAIL", "a@example.com")
        .env("GIT_COMMITTER_NAME", "a")
        .env("GIT_COMMITTER_EMAIL", "a@example.com")
        .run();
    assert_eq!(run.code, 0, "{run}");
    directory
}

#[test]
fn a_revision_that_others_may_have_applied_is_not_changed_unnoticed() {
    let cases = [
        (
            "echo two > migration/src/revisions/m2_b.rs; echo y > other",
            "work",
            0,
            "No revision of main was changed",
        ),
        (
            "echo two > migration/src/revisions/m1_a.rs",
            "work",
            3,
            "file=migration/src/revisions/m1_a.rs",
        ),
        (
            "git rm -q migration/src/revisions/m1_a.rs",
            "work",
            3,
            "was removed",
        ),
        (
            "git mv migration/src/revisions/m1_a.rs migration/src/revisions/m3_a.rs",
            "work",
            3,
            "was renamed",
        ),
        (
            "echo two > migration/src/revisions/m1_a.rs",
            "work\n\nEdits-Revision: it was never released",
            0,
            "on purpose",
        ),
    ];
    for (change, message, code, words) in cases {
        let directory = repository();
        let script = path("deploy/ci/edited-revisions.sh")
            .canonicalize()
            .expect("the script is there");
        let text = format!(
            "{change}\ngit add -A && git commit -qm \"$MESSAGE\" && exec {} main",
            script.display()
        );
        let run = Program::at("bash")
            .args(["-euc", &text])
            .current_dir(directory.path())
            .env("MESSAGE", message)
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_AUTHOR_NAME", "a")
            .env("GIT_AUTHOR_EMAIL", "a@example.com")
            .env("GIT_COMMITTER_NAME", "a")
            .env("GIT_COMMITTER_EMAIL", "a@example.com")
            .run();
        assert_eq!(run.code, code, "{change}: {run}");
        assert!(run.stdout.contains(words), "{change}: {run}");
    }
}
