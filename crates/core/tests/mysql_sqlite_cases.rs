//! Cases of two schemas on MariaDB and SQLite: what must come out of comparing them, and that the
//! scripts, run by the databases' own clients, lead from the one to the other and back.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use serde::Deserialize;
use serde_json::Value;
use stairway_core::inspect::{Connection, InspectOptions, inspect};
use stairway_plan::dialect::rules;
use stairway_plan::diff::{Answers, DiffOptions, Difference, PureJudge, Spelling, Unstated, diff};
use stairway_plan::op::Op;
use stairway_plan::schema::Schema;

#[derive(Deserialize)]
struct Case {
    id: String,
    backends: Vec<String>,
    guard: Option<String>,
    before: BTreeMap<String, Vec<String>>,
    after: BTreeMap<String, Vec<String>>,
    /// Statements that put rows into the database before.
    #[serde(default)]
    rows: BTreeMap<String, Vec<String>>,
    /// A query and what it must give after the changes, and after they were taken back.
    #[serde(default)]
    kept: BTreeMap<String, Vec<[String; 2]>>,
    expect: Vec<Value>,
    forbid: Vec<Value>,
    warn: Vec<String>,
}

fn for_backend(lists: &BTreeMap<String, Vec<String>>, backend: &str) -> Vec<String> {
    let list = lists.get(backend).or_else(|| lists.get("*"));
    list.cloned().unwrap_or_default()
}

/// A database of a case, gone when the value is.
enum Database {
    Sqlite {
        file: PathBuf,
        _folder: tempfile::TempDir,
    },
    Mysql {
        server: String,
        name: String,
    },
}

impl Database {
    fn new(backend: &str) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        if backend == "sqlite" {
            let folder = tempfile::tempdir().unwrap();
            return Self::Sqlite {
                file: folder.path().join("case.db"),
                _folder: folder,
            };
        }
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let name = format!("stairway_case_{}_{number}", std::process::id());
        let server = mysql_server().unwrap();
        let database = Self::Mysql {
            server,
            name: name.clone(),
        };
        database
            .client(&format!("CREATE DATABASE `{name}`"), false)
            .unwrap();
        database
    }

    fn url(&self) -> String {
        match self {
            Self::Sqlite { file, .. } => format!("sqlite://{}?mode=rwc", file.display()),
            Self::Mysql { server, name } => format!("{server}/{name}"),
        }
    }

    /// Runs a script in the database's own client.
    fn run(&self, script: &str) -> Result<String, String> {
        self.client(script, true)
    }

    fn client(&self, script: &str, in_database: bool) -> Result<String, String> {
        let mut command = match self {
            Self::Sqlite { file, .. } => {
                let mut command = Command::new("sqlite3");
                command.arg(file);
                command
            }
            Self::Mysql { server, name } => {
                let address = server.rsplit('@').next().unwrap();
                let (host, port) = address.split_once(':').unwrap_or((address, "3306"));
                let user = server
                    .trim_start_matches("mysql://")
                    .split(['@', ':'])
                    .next()
                    .unwrap();
                let mut command = Command::new("mariadb");
                command.args([
                    "--batch",
                    "--skip-column-names",
                    "--default-character-set=utf8mb4",
                ]);
                command.args(["-h", host, "-P", port, "-u", user]);
                if in_database {
                    command.arg(name);
                }
                command
            }
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child
            .stdin
            .take()
            .unwrap()
            .write_all(script.as_bytes())
            .unwrap();
        let output = child.wait_with_output().unwrap();
        let errors = String::from_utf8_lossy(&output.stderr).into_owned();
        if output.status.success() && errors.is_empty() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(errors)
        }
    }

    async fn read(&self) -> Schema {
        let mut connection = Connection::open(&self.url()).await.unwrap();
        let schema = inspect(&mut connection, &InspectOptions::default())
            .await
            .unwrap();
        connection.close().await.unwrap();
        schema
    }
}

impl Drop for Database {
    fn drop(&mut self) {
        if let Self::Mysql { name, .. } = &*self {
            let _ = self.client(&format!("DROP DATABASE `{name}`"), false);
        }
    }
}

/// The address of the MySQL server without a database.
fn mysql_server() -> Option<String> {
    let url = std::env::var("STAIRWAY_TEST_MYSQL_URL").ok()?;
    let at = url.rfind('/')?;
    Some(url[..at].to_owned())
}

fn cases(file: &str) -> Vec<Case> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(file);
    let text = std::fs::read_to_string(path).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    serde_json::from_value(value["cases"].take()).unwrap()
}

fn compare(from: &Schema, to: &Schema, answers: &Answers) -> Difference {
    let options = DiffOptions {
        unstated: Unstated::Remove,
        spelling: Spelling::Meaning,
    };
    diff(from, to, &options, &PureJudge, answers).unwrap()
}

/// Renames that a case expects are stated, as a person would.
fn answers(case: &Case) -> Answers {
    let mut answers = Answers::new();
    for expected in &case.expect {
        let text = |field: &str| expected[field].as_str().unwrap_or_default().to_owned();
        let (from, to) = (text("from"), text("to"));
        let rename = match expected["op"].as_str() {
            Some("rename_table") => format!("{from}={to}"),
            Some("rename_column") => format!("{}.{from}={to}", text("table")),
            _ => continue,
        };
        answers.add_rename(&rename).unwrap();
    }
    answers
}

/// Whether an operation has everything that the case says about it.
fn meets(change: &Value, expected: &Value) -> bool {
    let canonical = |value: &Value| {
        let text = value
            .as_str()
            .map_or_else(|| value.to_string(), ToOwned::to_owned);
        text.to_lowercase()
            .replace(['`', '"', '(', ')', ' '], "")
            .replace("integer", "int")
    };
    [
        "op",
        "table",
        "column",
        "name",
        "columns",
        "ref_table",
        "ref_columns",
        "expr",
        "default",
        "nullable",
        "type",
        "on",
        "comment",
        "to",
        "from",
        "value",
    ]
    .into_iter()
    .filter(|field| !expected[*field].is_null())
    .all(|field| canonical(&change[field]) == canonical(&expected[field]))
}

fn check_operations(case: &Case, backend: &str, found: &[Value], problems: &mut Vec<String>) {
    let id = &case.id;
    let names: Vec<String> = found
        .iter()
        .map(|change| change["description"].to_string())
        .collect();
    if case.guard.as_deref() == Some("out_of_model") {
        // Between two databases it is an ordinary difference.
        return;
    }
    if case.guard.is_some() && !found.is_empty() {
        problems.push(format!(
            "{id} on {backend}: found {names:?} where nothing differs"
        ));
    }
    for expected in &case.expect {
        if !found.iter().any(|change| meets(change, expected)) {
            problems.push(format!(
                "{id} on {backend}: {expected} is not among {found:#?}"
            ));
        }
    }
    for forbidden in &case.forbid {
        let hit = match forbidden {
            Value::String(name) if name == "any_op" => found.first(),
            Value::String(name) => found.iter().find(|change| change["op"] == name.as_str()),
            other => found.iter().find(|change| meets(change, other)),
        };
        if let Some(hit) = hit {
            problems.push(format!("{id} on {backend}: {hit} is forbidden"));
        }
    }
    for warning in &case.warn {
        let warned = found.iter().any(|change| {
            change["warnings"]
                .as_array()
                .is_some_and(|w| w.iter().any(|w| w == warning.as_str()))
        });
        if !warned {
            problems.push(format!(
                "{id} on {backend}: nothing warns of {warning}: {names:?}"
            ));
        }
    }
}

async fn run_case(case: &Case, backend: &str, problems: &mut Vec<String>) {
    let id = &case.id;
    let before = Database::new(backend);
    let after = Database::new(backend);
    let script = |statements: Vec<String>| {
        statements
            .into_iter()
            .map(|sql| format!("{sql}\n;\n"))
            .collect::<String>()
    };
    before
        .run(&script(for_backend(&case.before, backend)))
        .unwrap();
    before
        .run(&script(for_backend(&case.rows, backend)))
        .unwrap();
    after
        .run(&script(for_backend(&case.after, backend)))
        .unwrap();
    let (from, to) = (before.read().await, after.read().await);
    let difference = compare(&from, &to, &answers(case));
    let found: Vec<Value> = difference
        .changes
        .iter()
        .map(|change| change.to_json())
        .collect();
    check_operations(case, backend, &found, problems);

    let ops: Vec<Op> = difference
        .changes
        .iter()
        .map(|change| change.op.clone())
        .collect();
    let rules = rules(from.dialect);
    let forward = rules.script(&ops, &from);
    if let Err(error) = before.run(&forward) {
        problems.push(format!("{id} on {backend}: {error}\n{forward}"));
        return;
    }
    let reached = before.read().await;
    let left = compare(&reached, &to, &Answers::new());
    if !left.changes.is_empty() {
        let left: Vec<&str> = left
            .changes
            .iter()
            .map(|c| c.description.as_str())
            .collect();
        problems.push(format!(
            "{id} on {backend}: still to do {left:?} after\n{forward}"
        ));
    }
    let kept = case.kept.get(backend).or_else(|| case.kept.get("*"));
    for [query, expected] in kept.into_iter().flatten() {
        let answer = before
            .run(&format!("{query};\n"))
            .unwrap_or_else(|error| error);
        if answer.trim() != expected {
            problems.push(format!(
                "{id} on {backend}: {query} gives {answer} after\n{forward}"
            ));
        }
    }
    let reversed: Vec<Op> = ops.iter().rev().map(Op::reverse).collect();
    let backward = rules.script(&reversed, &difference.applied_to(&from));
    if let Err(error) = before.run(&backward) {
        problems.push(format!(
            "{id} on {backend}, back: {error}\n{backward}\nafter\n{forward}"
        ));
        return;
    }
    let back = before.read().await;
    let left = compare(&back, &from, &Answers::new());
    if !left.changes.is_empty() {
        let left: Vec<&str> = left
            .changes
            .iter()
            .map(|c| c.description.as_str())
            .collect();
        problems.push(format!(
            "{id} on {backend}: not back, {left:?} after\n{backward}"
        ));
    }
}

async fn run_file(file: &str, backend: &str) {
    let mut problems = Vec::new();
    let only = std::env::var("STAIRWAY_TEST_CASE").ok();
    for case in cases(file) {
        let is_wanted = only.as_ref().is_none_or(|only| case.id.contains(only));
        if is_wanted && case.backends.iter().any(|other| other == backend) {
            run_case(&case, backend, &mut problems).await;
        }
    }
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

#[tokio::test]
async fn sample_cases_hold_on_sqlite() {
    run_file("autogen_examples.json", "sqlite").await;
}

#[tokio::test]
async fn sample_cases_hold_on_mysql() {
    run_file("autogen_examples.json", "mysql").await;
}
