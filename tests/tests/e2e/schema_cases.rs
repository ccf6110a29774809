//! The sample cases of comparing two databases, as a person goes through them: the command line says
//! what differs, the database's own client runs the script, and then nothing differs any more; the
//! script of the way back, run likewise, makes it as it was.

use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use stairway_tests::{Backend, TestDatabase, has_programs, on_each_backend, stairway};

/// Drops everything of users and makes `public` anew: much quicker than a new database.
const EMPTY_POSTGRES: &str = "DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql' LOOP
        EXECUTE format('DROP EXTENSION %I CASCADE', item.name);
    END LOOP;
    FOR item IN SELECT nspname AS name FROM pg_namespace
                WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', item.name);
    END LOOP;
    CREATE SCHEMA public;
END $$";

fn cases() -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("../crates/core/tests/cases/autogen_examples.json");
    let text = fs::read_to_string(path).expect("a file with cases");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    list(&all, "cases").to_vec()
}

fn list<'a>(value: &'a Value, field: &str) -> &'a [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

fn key(backend: Backend) -> &'static str {
    match backend {
        Backend::Postgres => "postgres",
        Backend::MySql => "mysql",
        Backend::Sqlite => "sqlite",
    }
}

fn client(backend: Backend) -> &'static str {
    match backend {
        Backend::Postgres => "psql",
        Backend::MySql => "mariadb",
        Backend::Sqlite => "sqlite3",
    }
}

/// Empties the database and runs the statements of one side of the case.
fn fill(database: &TestDatabase, case: &Value, side: &str) {
    match database.backend() {
        Backend::Postgres => database.execute(EMPTY_POSTGRES),
        Backend::MySql => {
            let name = database.name();
            database.execute(&format!("DROP DATABASE {name}; CREATE DATABASE {name}"));
        }
        Backend::Sqlite => {
            let file = database.file().expect("SQLite's databases are files");
            fs::File::create(file).expect("an empty file");
        }
    }
    let sides = &case[side];
    let statements = sides.get(key(database.backend())).unwrap_or(&sides["*"]);
    let mut session = database.session();
    for statement in statements.as_array().expect("a list of statements") {
        session.execute(statement.as_str().expect("a statement"));
    }
}

/// Runs a script with the database's own client, which stops at the first error.
fn run_script(database: &TestDatabase, script: &str) -> Result<(), String> {
    let mut command = Command::new(client(database.backend()));
    match database.backend() {
        Backend::Postgres => {
            command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", database.url()]);
        }
        Backend::MySql => {
            let rest = database.url().split("://").nth(1).unwrap_or_default();
            let authority = rest.split('/').next().unwrap_or_default();
            let (user, host) = authority.rsplit_once('@').unwrap_or(("root", authority));
            let (user, password) = user.split_once(':').unwrap_or((user, ""));
            let (host, port) = host.split_once(':').unwrap_or((host, "3306"));
            command.args(["--batch", "-u", user, "-h", host, "-P", port]);
            if !password.is_empty() {
                command.env("MYSQL_PWD", password);
            }
            command.arg(database.name());
        }
        Backend::Sqlite => {
            command.arg("-bail");
            command.arg(database.file().expect("SQLite's databases are files"));
        }
    }
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| error.to_string())?;
    if let Some(mut input) = child.stdin.take() {
        // A client that stops early closes its end.
        let _ = input.write_all(script.as_bytes());
    }
    let output = child
        .wait_with_output()
        .map_err(|error| error.to_string())?;
    if output.status.success() {
        Ok(())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// What a person who knows of the renames would say.
fn renames(case: &Value) -> Vec<String> {
    let mut arguments = Vec::new();
    for expected in list(case, "expect") {
        let text = |field: &str| expected[field].as_str().unwrap_or_default();
        let rename = match text("op") {
            "rename_table" => format!("{}={}", text("from"), text("to")),
            "rename_column" => format!("{}.{}={}", text("table"), text("from"), text("to")),
            _ => continue,
        };
        arguments.extend(["--rename".to_owned(), rename]);
    }
    arguments
}

/// `schema diff` of the two, with its exit code.
fn diff(from: &TestDatabase, to: &TestDatabase, arguments: &[&str], case: &Value) -> (i32, String) {
    let run = stairway()
        .args(["schema", "diff", "--exit-code"])
        .args(["--from", from.url(), "--to", to.url()])
        .args(arguments)
        .args(renames(case))
        .run();
    assert!(matches!(run.code, 0 | 3), "{}: {run}", case["id"]);
    (run.code, run.stdout)
}

/// Whether a change is what the case names, by the fields that the case gives.
fn is_meant(pattern: &Value, change: &Value) -> bool {
    const HINTS: [&str; 4] = ["inline_ok", "alternative", "optional_if", "flagged"];
    match pattern {
        Value::String(op) => op == "any_op" || change["op"] == *op,
        Value::Object(fields) => fields
            .iter()
            .filter(|(field, _)| !HINTS.contains(&field.as_str()))
            .all(|(field, value)| change[field] == *value),
        _ => false,
    }
}

/// What of the changes is not as the case wants it.
fn complaints(case: &Value, code: i32, changes: &[Value]) -> Vec<String> {
    let mut found = Vec::new();
    if (code == 3) == changes.is_empty() {
        found.push(format!("exit code {code} with {} changes", changes.len()));
    }
    for expected in list(case, "expect") {
        let is_there = changes.iter().any(|change| is_meant(expected, change));
        if !is_there && expected["inline_ok"] != Value::Bool(true) {
            found.push(format!("missing: {expected}"));
        }
    }
    // What an entity has no words for is an ordinary difference between two databases.
    if case["guard"] != "out_of_model" {
        for change in changes {
            let is_forbidden = list(case, "forbid")
                .iter()
                .any(|pattern| is_meant(pattern, change));
            if is_forbidden || !case["guard"].is_null() {
                found.push(format!("not a difference: {}", change["description"]));
            }
        }
    }
    for warning in list(case, "warn") {
        let is_given = changes
            .iter()
            .any(|change| list(change, "warnings").contains(warning));
        if !is_given {
            found.push(format!("no warning: {warning}"));
        }
    }
    found
}

/// Goes through one case and returns what is wrong.
fn go_through(
    case: &Value,
    [before, original, after]: [&TestDatabase; 3],
) -> Result<Vec<String>, String> {
    fill(before, case, "before");
    fill(original, case, "before");
    fill(after, case, "after");
    let (code, json) = diff(before, after, &["--output", "json"], case);
    let report: Value = serde_json::from_str(&json).map_err(|error| format!("{error}: {json}"))?;
    let found = complaints(case, code, list(&report, "changes"));
    let (_, script) = diff(before, after, &["--output", "sql"], case);
    let (_, reverse) = diff(before, after, &["--output", "sql", "--reverse"], case);
    for (script, wanted) in [(script, after), (reverse, original)] {
        run_script(before, &script).map_err(|error| format!("{error}after\n{script}"))?;
        let (code, rest) = diff(before, wanted, &[], &Value::Null);
        if code != 0 {
            return Err(format!("still different after\n{script}:\n{rest}"));
        }
    }
    Ok(found)
}

#[test]
fn the_sample_cases_hold_from_the_command_line() {
    on_each_backend(|before| {
        let backend = before.backend();
        if !has_programs(&[client(backend)]) {
            return;
        }
        let (original, after) = (TestDatabase::create(backend), TestDatabase::create(backend));
        let mut report = Vec::new();
        let mut tried = 0;
        for case in cases() {
            if !list(&case, "backends")
                .iter()
                .any(|name| *name == key(backend))
            {
                continue;
            }
            tried += 1;
            let found = go_through(&case, [&before, &original, &after])
                .unwrap_or_else(|failure| vec![failure]);
            for complaint in found {
                report.push(format!("{}: {complaint}", case["id"]));
            }
        }
        assert!(tried > 0, "no case was tried");
        assert!(
            report.is_empty(),
            "{tried} cases on {backend}\n{}",
            report.join("\n")
        );
    });
}
