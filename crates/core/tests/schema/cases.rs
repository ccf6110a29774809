//! The cases in `tests/cases`: before, after, what must come out and what must not.
//!
//! Each case is tried on every database that it names and that there is a server for. Besides what
//! the case says, these laws hold for each: the script makes the first database like the second one,
//! comparing again finds nothing, and the reverse script makes it as it was.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::path::Path;

use serde_json::Value;
use stairway_core::compare::{CompareOptions, Comparison, Side, Source, compare_sides};
use stairway_core::inspect::InspectOptions;
use stairway_plan::diff::{Answers, Difference, Spelling, Unstated};
use stairway_plan::op::Change;
use stairway_plan::render::difference::{reversed, script};

use crate::databases::{Backend, Database};

/// The fields that an expected operation is recognised by.
const FIELDS: [&str; 25] = [
    "schema",
    "table",
    "column",
    "columns",
    "name",
    "from",
    "to",
    "ref_table",
    "ref_columns",
    "value",
    "type",
    "nullable",
    "default",
    "expr",
    "comment",
    "on",
    "include",
    "unique",
    "method",
    "values",
    "where",
    "before",
    "arguments",
    "description",
    "risk",
];

pub(crate) fn load(file: &str) -> Vec<Value> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/cases")
        .join(file);
    let text = std::fs::read_to_string(&path).expect("a file with cases");
    let all: Value = serde_json::from_str(&text).expect("JSON");
    all["cases"].as_array().expect("a list of cases").clone()
}

pub(crate) fn statements(case: &Value, side: &str, backend: Backend) -> Vec<String> {
    let side = &case[side];
    let list = side
        .get(backend.name())
        .or_else(|| side.get("*"))
        .expect("statements for the database");
    list.as_array()
        .expect("a list of statements")
        .iter()
        .map(|statement| statement.as_str().expect("a statement").to_owned())
        .collect()
}

/// Statements that not every case has.
fn optional(case: &Value, field: &str, backend: Backend) -> Vec<String> {
    if case[field].is_null() {
        Vec::new()
    } else {
        statements(case, field, backend)
    }
}

fn list<'a>(case: &'a Value, field: &str) -> &'a [Value] {
    case[field].as_array().map_or(&[], Vec::as_slice)
}

/// What a person who knows of the renames, and what new columns get, would answer.
fn answers(case: &Value) -> Answers {
    let mut answers = Answers::new();
    for fill in list(case, "fill") {
        answers
            .add_fill(fill.as_str().expect("an answer"))
            .expect("an answer");
    }
    for expected in list(case, "expect") {
        let text = |field: &str| expected[field].as_str().unwrap_or_default().to_owned();
        let rename = match expected["op"].as_str() {
            Some("rename_table") => format!("{}={}", text("from"), text("to")),
            Some("rename_column") => format!("{}.{}={}", text("table"), text("from"), text("to")),
            Some("rename_enum_value") => {
                format!("{}.{}={}", text("name"), text("from"), text("to"))
            }
            _ => continue,
        };
        answers.add_rename(&rename).expect("a rename");
    }
    answers
}

fn matches(expected: &Value, change: &Value) -> bool {
    expected["op"] == change["op"]
        && FIELDS.iter().all(|field| {
            let wanted = &expected[*field];
            wanted.is_null() && expected.get(*field).is_none() || *wanted == change[*field]
        })
        && expected
            .get("options")
            .is_none_or(|wanted| *wanted == change["options"])
}

/// Everything about a comparison that is not as the case wants it.
fn complaints(case: &Value, comparison: &Comparison) -> Vec<String> {
    let changes: Vec<Value> = comparison.changes.iter().map(Change::to_json).collect();
    let mut complaints = Vec::new();
    let mut taken = BTreeSet::new();
    for expected in list(case, "expect") {
        let found = changes
            .iter()
            .enumerate()
            .find(|(at, change)| !taken.contains(at) && matches(expected, change));
        match found {
            Some((at, _)) => {
                taken.insert(at);
            }
            None if expected["inline_ok"] == Value::Bool(true) => {}
            None => complaints.push(format!("missing: {expected}")),
        }
    }
    if case["guard"].is_null() {
        for (at, change) in changes.iter().enumerate() {
            let is_extra = !taken.contains(&at)
                && change["origin"]["kind"] == "difference"
                && !list(case, "allow").contains(&change["op"]);
            if is_extra {
                complaints.push(format!("not asked for: {}", change["description"]));
            }
        }
    } else if case["guard"] != "out_of_model" {
        for change in &changes {
            complaints.push(format!("not a difference: {}", change["description"]));
        }
    }
    for forbidden in list(case, "forbid") {
        for change in &changes {
            let is_forbidden = match forbidden {
                Value::String(op) => op == "any_op" || change["op"] == *op,
                pattern => {
                    let fields = pattern.as_object().expect("an operation");
                    fields.iter().all(|(field, value)| change[field] == *value)
                }
            };
            if is_forbidden {
                complaints.push(format!("forbidden: {}", change["description"]));
            }
        }
    }
    for named in list(case, "named") {
        let words = named.as_str().expect("what must be named");
        let mut all = comparison.not_compared.iter().chain(&comparison.notes);
        if !all.any(|object| object.starts_with(words)) {
            let (others, notes) = (&comparison.not_compared, &comparison.notes);
            complaints.push(format!("not named: {words}, only {others:?} and {notes:?}"));
        }
    }
    for warning in list(case, "warn") {
        let is_given = changes.iter().any(|change| {
            change["warnings"]
                .as_array()
                .is_some_and(|list| list.contains(warning))
        });
        if !is_given {
            complaints.push(format!("no warning: {warning}"));
        }
    }
    complaints
}

fn options(unstated: Unstated) -> CompareOptions {
    let mut options = CompareOptions::default();
    options.diff.unstated = unstated;
    options
}

pub(crate) fn difference(comparison: &Comparison) -> Difference {
    Difference {
        changes: comparison.changes.clone(),
        not_compared: comparison.not_compared.clone(),
        notes: comparison.notes.clone(),
    }
}

/// A database as it is now.
async fn read(database: &Database) -> Side {
    let source = Source::Url(database.url.clone());
    Side::open(&source, &InspectOptions::default())
        .await
        .expect("a schema")
}

async fn compared(
    from: &mut Side,
    to: &mut Side,
    options: &CompareOptions,
    answers: &Answers,
) -> Comparison {
    compare_sides(from, to, options, answers)
        .await
        .expect("a comparison")
}

/// In which way of reading the second database the case says what must come out. An object that an
/// entity cannot express is only taken away when silence about it counts.
fn stated_in(case: &Value) -> Unstated {
    match case["unstated"].as_str() {
        Some("remove") => Unstated::Remove,
        _ => Unstated::LeaveAlone,
    }
}

/// The answers of the case's queries that are not as they must be: rows that need not be lost.
fn lost_rows(case: &Value, database: &Database) -> Vec<String> {
    let kept = list(case, "kept").iter().map(|pair| {
        let text = |at: usize| pair[at].as_str().expect("a query and its answer");
        (text(0), text(1))
    });
    kept.filter_map(|(query, wanted)| {
        let answer = match database.run_script(&format!("{query};")) {
            Ok(answer) => answer.trim().replace('\t', "|"),
            Err(error) => error,
        };
        (answer != wanted).then(|| format!("{query} gives {answer} and not {wanted}"))
    })
    .collect()
}

/// Tries a case on one database and returns what is wrong.
async fn try_case(case: &Value, backend: Backend, databases: &mut Three) -> Vec<String> {
    let before_sql = statements(case, "before", backend);
    let after_sql = statements(case, "after", backend);
    for (database, sql) in [
        (&mut databases.before, &before_sql),
        (&mut databases.original, &before_sql),
        (&mut databases.after, &after_sql),
    ] {
        if let Err(error) = database.refill(sql).await {
            return vec![format!("the case itself fails: {error}")];
        }
    }
    let rows = optional(case, "rows", backend);
    if let Err(error) = databases.before.run(&rows).await {
        return vec![format!("the case itself fails: {error}")];
    }
    let mut before = read(&databases.before).await;
    let mut after = read(&databases.after).await;
    let mut original = read(&databases.original).await;
    let mut found = Vec::new();
    let mut scripts = BTreeSet::new();
    for unstated in [Unstated::LeaveAlone, Unstated::Remove] {
        let options = options(unstated);
        let comparison = compared(&mut before, &mut after, &options, &answers(case)).await;
        if unstated == stated_in(case) {
            found.extend(complaints(case, &comparison));
        }
        // Where both ways find the same, the laws need to be tried once only.
        if scripts.insert(script(&difference(&comparison), before.schema())) {
            let broken = try_laws(
                case,
                &databases.before,
                [&mut before, &mut after, &mut original],
                &options,
                &comparison,
            )
            .await;
            if !broken.is_empty() {
                found.extend(broken.iter().map(|text| format!("[{unstated:?}] {text}")));
                break;
            }
        }
    }
    before.close().await;
    after.close().await;
    original.close().await;
    found
}

/// Runs the script and the reverse script, and returns what is not as it should be.
async fn try_laws(
    case: &Value,
    database: &Database,
    [before, after, original]: [&mut Side; 3],
    options: &CompareOptions,
    comparison: &Comparison,
) -> Vec<String> {
    let difference = difference(comparison);
    let there = before.schema().clone();
    let back = reversed(&difference, &difference.applied_to(&there), None);
    let reverse = script(&back, &there);
    let script = script(&difference, &there);
    if let Err(error) = database.run_script(&script) {
        return vec![format!("the script fails: {error}\n{script}")];
    }
    let mut found = Vec::new();
    before.refresh(&options.inspect).await.expect("a schema");
    let rest = compared(before, after, options, &Answers::new()).await;
    for change in &rest.changes {
        found.push(format!(
            "still different after\n{script}: {} ({})",
            change.description,
            change.sql.join("; ")
        ));
    }
    for complaint in lost_rows(case, database) {
        found.push(format!("{complaint} after\n{script}"));
    }
    if let Err(error) = database.run_script(&reverse) {
        found.push(format!("the reverse script fails: {error}\n{reverse}"));
        return found;
    }
    let mut exact = CompareOptions::default();
    exact.diff.unstated = Unstated::Remove;
    exact.diff.spelling = Spelling::Exact;
    before.refresh(&options.inspect).await.expect("a schema");
    let rest = compared(before, original, &exact, &Answers::new()).await;
    for change in &rest.changes {
        found.push(format!(
            "not as before after\n{script}and\n{reverse}: {} ({})",
            change.description,
            change.sql.join("; ")
        ));
    }
    found
}

/// The databases that all cases take turns to use.
struct Three {
    before: Database,
    /// As `before` was before anything was done to it.
    original: Database,
    after: Database,
}

async fn try_all(file: &str, backend: Backend) {
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let only = std::env::var("STAIRWAY_TEST_CASE").ok();
    let mut report = String::new();
    let mut tried = 0;
    let mut databases = Three {
        before: Database::create(backend).await,
        original: Database::create(backend).await,
        after: Database::create(backend).await,
    };
    for case in load(file) {
        let id = case["id"].as_str().expect("an id");
        let is_meant = only.as_ref().is_none_or(|only| id.contains(only.as_str()));
        let names_backend = list(&case, "backends")
            .iter()
            .any(|name| *name == backend.name());
        if !is_meant || !names_backend {
            continue;
        }
        tried += 1;
        for complaint in try_case(&case, backend, &mut databases).await {
            eprintln!("{id}: {complaint}");
            // Writing to a string cannot fail.
            let _ = writeln!(report, "{id}: {complaint}");
        }
    }
    databases.before.drop().await;
    databases.original.drop().await;
    databases.after.drop().await;
    assert!(tried > 0 || only.is_some(), "no case was tried");
    assert!(
        report.is_empty(),
        "{tried} cases on {}\n{report}",
        backend.name()
    );
}

#[tokio::test]
async fn the_sample_cases_hold_on_postgres() {
    try_all("autogen_examples.json", Backend::Postgres).await;
}

#[tokio::test]
async fn our_own_cases_hold_on_postgres() {
    try_all("own.json", Backend::Postgres).await;
}

#[tokio::test]
async fn our_own_cases_hold_on_mysql() {
    try_all("own.json", Backend::Mysql).await;
}

#[tokio::test]
async fn our_own_cases_hold_on_sqlite() {
    try_all("own.json", Backend::Sqlite).await;
}

#[tokio::test]
async fn the_sample_cases_hold_on_mysql() {
    try_all("autogen_examples.json", Backend::Mysql).await;
}

#[tokio::test]
async fn the_sample_cases_hold_on_sqlite() {
    try_all("autogen_examples.json", Backend::Sqlite).await;
}

#[tokio::test]
async fn the_own_cases_hold_on_mysql() {
    try_all("own_mysql.json", Backend::Mysql).await;
}

#[tokio::test]
async fn the_own_cases_hold_on_sqlite() {
    try_all("own_sqlite.json", Backend::Sqlite).await;
}

#[tokio::test]
async fn further_cases_hold_on_postgres() {
    try_all("own_more.json", Backend::Postgres).await;
}

#[tokio::test]
async fn further_cases_hold_on_mysql() {
    try_all("own_more.json", Backend::Mysql).await;
}

#[tokio::test]
async fn further_cases_hold_on_sqlite() {
    try_all("own_more.json", Backend::Sqlite).await;
}
