//! The laws of comparing, tried on schemas that are drawn at random.
//!
//! Comparing a schema with itself finds nothing. The script makes the first database like the second
//! one: comparing again finds nothing, and on PostgreSQL `pg_dump` writes the same for both. The
//! reverse script makes it as it was. Rows that need not be lost are there after either.
//!
//! `STAIRWAY_LAW_CASES` says how many pairs of schemas are drawn for each law and database,
//! `STAIRWAY_LAW_SEED` which ones. A pair that breaks a law is made as small as it gets and written to
//! `tests/cases/found`; what lies there is tried first every time.

mod dump;
pub(crate) mod spec;
pub(crate) mod sql;
mod types;

use std::cell::{Cell, RefCell};
use std::path::{Path, PathBuf};

use proptest::strategy::Strategy as _;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use serde_json::{Value, json};
use stairway_core::compare::{CompareOptions, Comparison, Side, Source, compare_sides};
use stairway_core::inspect::InspectOptions;
use stairway_plan::diff::{Answers, Spelling, Unstated};
use stairway_plan::render::difference::{reversed, script};

use crate::cases::difference;
use crate::databases::{Backend, Database};
use spec::Spec;

/// How many pairs are drawn if nobody says otherwise.
const CASES: u32 = 25;

/// A pair of schemas on one kind of database.
struct Case {
    before: Vec<String>,
    after: Vec<String>,
    renames: Vec<String>,
    /// Statements that fill the tables of the first one.
    rows: Vec<String>,
    /// Queries on what both have, as they are asked before and after. Only where there are rows.
    content: [Vec<String>; 2],
}

/// What became of a case.
enum Outcome {
    Holds,
    /// The server does not take the statements: nothing was tried.
    NoCase(String),
    Broken(String),
}

/// The databases that all cases of a test take turns to use.
struct Three {
    before: Database,
    original: Database,
    after: Database,
}

impl Three {
    async fn create(backend: Backend) -> Self {
        Self {
            before: Database::create(backend).await,
            original: Database::create(backend).await,
            after: Database::create(backend).await,
        }
    }

    async fn drop(self) {
        self.before.drop().await;
        self.original.drop().await;
        self.after.drop().await;
    }
}

impl Case {
    fn of(spec: &Spec, backend: Backend, with_rows: bool) -> Self {
        let side = |after| sql::Side {
            spec,
            backend,
            after,
        };
        let if_rows = |list: Vec<String>| if with_rows { list } else { Vec::new() };
        Self {
            before: side(false).statements(),
            after: side(true).statements(),
            renames: sql::renames(spec),
            rows: if_rows(side(false).rows()),
            content: [
                if_rows(side(false).content()),
                if_rows(side(true).content()),
            ],
        }
    }

    fn to_json(&self, backend: Backend, why: &str) -> Value {
        json!({
            "backend": backend.name(),
            "why": why.lines().next().unwrap_or_default(),
            "before": self.before,
            "after": self.after,
            "renames": self.renames,
            "rows": self.rows,
            "content_before": self.content[0],
            "content_after": self.content[1],
        })
    }

    fn from_json(value: &Value) -> Self {
        let list = |field: &str| {
            let list = value[field].as_array().expect("a list of statements");
            let texts = list.iter().map(|text| text.as_str().expect("a statement"));
            texts.map(ToOwned::to_owned).collect()
        };
        Self {
            before: list("before"),
            after: list("after"),
            renames: list("renames"),
            rows: list("rows"),
            content: [list("content_before"), list("content_after")],
        }
    }

    async fn hold(&self, databases: &mut Three) -> Outcome {
        for (database, statements) in [
            (&mut databases.before, &self.before),
            (&mut databases.original, &self.before),
            (&mut databases.after, &self.after),
        ] {
            if let Err(error) = database.refill(statements).await {
                return Outcome::NoCase(error);
            }
        }
        if let Err(error) = databases.before.run(&self.rows).await {
            return Outcome::NoCase(error);
        }
        let mut before = read(&databases.before).await;
        let mut original = read(&databases.original).await;
        let mut after = read(&databases.after).await;
        let mut sides = [&mut before, &mut original, &mut after];
        let broken = self.broken(databases, &mut sides).await;
        before.close().await;
        original.close().await;
        after.close().await;
        match broken {
            Ok(()) => Outcome::Holds,
            Err(words) => Outcome::Broken(words),
        }
    }

    /// Tries the laws, and says which one does not hold.
    async fn broken(
        &self,
        databases: &Three,
        [before, original, after]: &mut [&mut Side; 3],
    ) -> Result<(), String> {
        let mut found = CompareOptions::default();
        found.diff.unstated = Unstated::Remove;
        let mut exact = found.clone();
        exact.diff.spelling = Spelling::Exact;

        nothing(before, original, &exact, "a schema differs from itself").await?;
        let mut answers = Answers::new();
        for rename in &self.renames {
            answers.add_rename(rename).map_err(|e| e.to_string())?;
        }
        let kept = content(&databases.before, &self.content[0])?;
        let comparison = compared(before, after, &found, &answers).await;
        let difference = difference(&comparison);
        let there = before.schema().clone();
        let back = reversed(&difference, &difference.applied_to(&there), None);
        let reverse = script(&back, &there);
        let script = script(&difference, &there);
        let told = |words: String| format!("{words}\nafter\n{script}");
        let ran = databases.before.run_script(&script);
        ran.map_err(|error| told(format!("the script fails: {error}")))?;
        before
            .refresh(&found.inspect)
            .await
            .map_err(|e| e.to_string())?;
        nothing(before, after, &found, "still different")
            .await
            .map_err(told)?;
        dump::same(&databases.before, &databases.after).map_err(told)?;
        let now = content(&databases.before, &self.content[1])?;
        if kept != now {
            return Err(told(format!("rows changed: {kept:?} became {now:?}")));
        }

        let told = |words: String| told(format!("{words}\nafter the reverse\n{reverse}"));
        let ran = databases.before.run_script(&reverse);
        ran.map_err(|error| told(format!("the reverse script fails: {error}")))?;
        before
            .refresh(&found.inspect)
            .await
            .map_err(|e| e.to_string())?;
        nothing(before, original, &exact, "not as it was")
            .await
            .map_err(told)?;
        dump::same(&databases.before, &databases.original).map_err(told)?;
        let now = content(&databases.before, &self.content[0])?;
        if kept != now {
            return Err(told(format!("rows changed: {kept:?} became {now:?}")));
        }
        Ok(())
    }
}

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

/// Complains if there is a difference.
async fn nothing(
    from: &mut Side,
    to: &mut Side,
    options: &CompareOptions,
    what: &str,
) -> Result<(), String> {
    let comparison = compared(from, to, options, &Answers::new()).await;
    if comparison.is_empty() {
        return Ok(());
    }
    let list: Vec<String> = comparison
        .changes
        .iter()
        .map(|change| format!("{} ({})", change.description, change.sql.join("; ")))
        .collect();
    Err(format!("{what}: {}", list.join("; ")))
}

/// What the queries give.
fn content(database: &Database, queries: &[String]) -> Result<Vec<String>, String> {
    let answers = queries.iter().map(|query| database.run_script(query));
    answers.collect()
}

/// A number from the environment.
pub(crate) fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn found_directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases/found")
}

/// Draws schemas and tries the laws on each pair.
fn draw(backend: Backend, law: &str, with_rows: bool) {
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .expect("a runtime");
    let databases = RefCell::new(runtime.block_on(Three::create(backend)));
    let cases = number("STAIRWAY_LAW_CASES").map_or(CASES, |n| u32::try_from(n).unwrap_or(CASES));
    let mut seed = [7_u8; 32];
    seed[..8].copy_from_slice(&number("STAIRWAY_LAW_SEED").unwrap_or(1).to_le_bytes());
    let config = Config {
        cases,
        failure_persistence: None,
        max_global_rejects: cases,
        max_shrink_iters: 300,
        ..Config::default()
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &seed);
    let mut runner = TestRunner::new_with_rng(config, rng);
    let specs = spec::spec().prop_map(|spec| {
        if with_rows {
            sql::survivable(spec, backend)
        } else {
            spec
        }
    });
    let held = Cell::new(0);
    let result = runner.run(&specs, |spec| {
        let case = Case::of(&spec, backend, with_rows);
        match runtime.block_on(case.hold(&mut databases.borrow_mut())) {
            Outcome::Holds => {
                held.set(held.get() + 1);
                Ok(())
            }
            Outcome::NoCase(why) => {
                if number("STAIRWAY_LAW_TELL").is_some() {
                    eprintln!("no case: {why}");
                }
                Err(TestCaseError::reject("the server does not take it"))
            }
            Outcome::Broken(words) => Err(TestCaseError::fail(words)),
        }
    });
    runtime.block_on(databases.into_inner().drop());
    match result {
        Ok(()) => {}
        Err(TestError::Fail(why, spec)) => {
            let case = Case::of(&spec, backend, with_rows).to_json(backend, why.message());
            let text = serde_json::to_string_pretty(&case).expect("JSON");
            let mut hash = 0_u64;
            for byte in text.bytes() {
                hash = hash.wrapping_mul(31).wrapping_add(u64::from(byte));
            }
            let file = found_directory().join(format!("{law}_{}_{hash:016x}.json", backend.name()));
            let written = std::fs::create_dir_all(found_directory())
                .and_then(|()| std::fs::write(&file, format!("{text}\n")));
            panic!(
                "{law} on {} after {} cases that hold: {why}\n{text}\nkept as {}: {written:?}",
                backend.name(),
                held.get(),
                file.display()
            );
        }
        Err(error) => panic!("{law} on {}: {error}", backend.name()),
    }
}

/// Tries what was found before.
async fn try_found(backend: Backend) {
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let mut files: Vec<PathBuf> = std::fs::read_dir(found_directory())
        .expect("the directory of what was found")
        .map(|entry| entry.expect("an entry").path())
        .collect();
    files.sort();
    let mut databases = Three::create(backend).await;
    let mut report = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).expect("a case");
        let value: Value = serde_json::from_str(&text).expect("JSON");
        if value["backend"] != backend.name() {
            continue;
        }
        match Case::from_json(&value).hold(&mut databases).await {
            Outcome::Holds => {}
            Outcome::NoCase(why) => report.push(format!("{}: no case: {why}", file.display())),
            Outcome::Broken(why) => report.push(format!("{}: {why}", file.display())),
        }
    }
    databases.drop().await;
    assert!(report.is_empty(), "{}", report.join("\n"));
}

#[tokio::test]
async fn what_was_found_holds_on_postgres() {
    try_found(Backend::Postgres).await;
}

#[tokio::test]
async fn what_was_found_holds_on_mysql() {
    try_found(Backend::Mysql).await;
}

#[tokio::test]
async fn what_was_found_holds_on_sqlite() {
    try_found(Backend::Sqlite).await;
}

#[test]
fn any_schema_becomes_any_other_and_back_on_postgres() {
    draw(Backend::Postgres, "any", false);
}

#[test]
fn any_schema_becomes_any_other_and_back_on_mysql() {
    draw(Backend::Mysql, "any", false);
}

#[test]
fn any_schema_becomes_any_other_and_back_on_sqlite() {
    draw(Backend::Sqlite, "any", false);
}

#[test]
fn rows_survive_what_they_can_survive_on_postgres() {
    draw(Backend::Postgres, "rows", true);
}

#[test]
fn rows_survive_what_they_can_survive_on_mysql() {
    draw(Backend::Mysql, "rows", true);
}

#[test]
fn rows_survive_what_they_can_survive_on_sqlite() {
    draw(Backend::Sqlite, "rows", true);
}
