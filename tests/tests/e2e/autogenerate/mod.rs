//! The whole way of a change that begins in an entity: a revision is written from the difference, is
//! built like any other, applied, found to be enough, and taken back.

#[cfg(target_os = "linux")]
mod asked;
mod journey;
mod left_alone;
mod refused;
mod renames;

use std::collections::BTreeMap;
use std::fs;
use std::sync::LazyLock;
use std::thread;

use stairway_tests::{Backend, Finished, Program, Project, TestDatabase, available_backends};

use crate::calls::expect;

/// The revision that every state of the project has.
const FIRST: &str = "m20260101_090000_add_users_posts_and_diaries";

/// The program before anything was written from its entities.
static PROJECT: LazyLock<Project> = LazyLock::new(|| {
    let project = empty();
    project.build();
    project
});

/// The program with all that was written from its entities, on each database.
static WORK: LazyLock<Work> = LazyLock::new(work);

fn empty() -> Project {
    let project = Project::of_program(include_str!("project/main.rs"));
    let entities = include_str!("project/entities.rs");
    fs::write(project.root().join("entities.rs"), entities).expect("a file can be written");
    let first = project.revisions().join(format!("{FIRST}.rs"));
    fs::write(first, include_str!("project/first.rs")).expect("a file can be written");
    project
}

/// The project as somebody has it who has brought the entities into this state and has these revisions.
fn checkout(
    project: &Project,
    database: &TestDatabase,
    entities: &str,
    revisions: &[&str],
) -> Program {
    project
        .program()
        .env("ENTITIES", entities)
        .env("REVISIONS", revisions.join(","))
        .env("MIGRATION_RETRY_DELAY", "10ms")
        .database(database)
}

/// Runs a command of such a project.
#[track_caller]
fn run(program: Program, code: i32, line: &str) -> Finished {
    let run = program.args(line.split_whitespace()).run();
    expect(&run, code, line);
    run
}

/// Makes what the first revision makes, and rows in it.
fn found(database: &TestDatabase) {
    run(
        checkout(&PROJECT, database, "first", &[FIRST]),
        0,
        "upgrade",
    );
    database.execute(
        "INSERT INTO users (name, email) VALUES ('Ada', 'ada@example.org'), ('Bob', NULL);
         INSERT INTO posts (user_id, title) VALUES (1, 'On engines'), (1, 'On numbers');
         INSERT INTO diaries (mood) VALUES ('happy'), ('sad')",
    );
}

/// An edit of the entities, and how a revision is written for it.
struct Edit {
    name: &'static str,
    entities: &'static str,
    options: &'static [&'static str],
}

const NICKNAMES: &str = "users.nickname='none'";

const EDITS: [Edit; 10] = [
    Edit {
        name: "grow",
        entities: "grown",
        options: &["--fill", NICKNAMES],
    },
    Edit {
        name: "grow by SQL",
        entities: "grown",
        options: &["--fill", NICKNAMES, "--sql"],
    },
    Edit {
        name: "grow from revisions",
        entities: "grown",
        options: &["--fill", NICKNAMES, "--from", "revisions"],
    },
    Edit {
        name: "grow unfilled",
        entities: "grown",
        options: &[],
    },
    Edit {
        name: "grow unfilled by SQL",
        entities: "grown",
        options: &["--sql"],
    },
    Edit {
        name: "rename column",
        entities: "renamed column",
        options: &["--rename", "users.name=full_name"],
    },
    Edit {
        name: "rename as stated",
        entities: "renamed column, as stated",
        options: &[],
    },
    Edit {
        name: "replace column",
        entities: "renamed column",
        options: &["--fill", "users.full_name='?'"],
    },
    Edit {
        name: "rename table",
        entities: "renamed table",
        options: &["--rename", "posts=articles"],
    },
    Edit {
        name: "rename value",
        entities: "renamed value",
        options: &["--rename", "mood.sad=blue"],
    },
];

/// What was written for an edit.
struct Written {
    revision: String,
    /// The file.
    source: String,
    /// What the command said.
    said: String,
}

struct Work {
    project: Project,
    written: BTreeMap<(Backend, &'static str), Written>,
}

impl Work {
    fn of(&self, database: &TestDatabase, edit: &str) -> &Written {
        let written = self.written.iter();
        let mut found =
            written.filter(|((backend, name), _)| *backend == database.backend() && *name == edit);
        found.next().map(|(_, written)| written).expect("an edit")
    }
}

/// Writes a revision for each edit on each database, into one project, and builds that once.
fn work() -> Work {
    let project = empty();
    let shared = &project;
    let written = thread::scope(|scope| {
        let threads: Vec<_> = available_backends()
            .into_iter()
            .map(|backend| scope.spawn(move || write_all(shared, backend)))
            .collect();
        let written = threads.into_iter().map(thread::ScopedJoinHandle::join);
        written
            .flat_map(|list| list.expect("all are written"))
            .collect()
    });
    project.build();
    Work { project, written }
}

fn write_all(project: &Project, backend: Backend) -> Vec<((Backend, &'static str), Written)> {
    let database = TestDatabase::create(backend);
    found(&database);
    let drifted = TestDatabase::create(backend);
    found(&drifted);
    drifted.execute(
        "CREATE TABLE stray (id int); ALTER TABLE users ADD COLUMN tried_out int; \
         DROP TABLE diaries",
    );
    let directory = project.revisions();
    let mut list = Vec::new();
    for edit in &EDITS {
        // Elsewhere the values belong to a column, or to nobody.
        if edit.entities == "renamed value" && backend != Backend::Postgres {
            continue;
        }
        let database = match edit.name {
            "grow from revisions" => &drifted,
            _ => &database,
        };
        let run = checkout(&PROJECT, database, edit.entities, &[FIRST])
            .args(["create", &format!("{} on {backend}", edit.name)])
            .args(["--autogenerate", "--directory"])
            .args([&directory])
            .args(edit.options)
            .run();
        expect(&run, 0, edit.name);
        let created = run
            .stdout
            .lines()
            .find_map(|line| line.strip_prefix("Created "));
        let path = created.unwrap_or_else(|| panic!("{}: nothing was written: {run}", edit.name));
        let source = fs::read_to_string(path).expect("it was written");
        let file = path.rsplit('/').next().unwrap_or(path);
        let written = Written {
            revision: file.trim_end_matches(".rs").to_owned(),
            source,
            said: run.stdout,
        };
        list.push(((backend, edit.name), written));
    }
    list
}

/// The schema as `schema inspect` shows it.
#[track_caller]
fn schema(database: &TestDatabase) -> serde_json::Value {
    run(
        checkout(&PROJECT, database, "first", &[FIRST]),
        0,
        "schema inspect --output json",
    )
    .json()
}
