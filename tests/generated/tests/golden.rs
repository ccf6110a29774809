//! Generated revisions are what they should be, compile, and do what they say on each database.
//!
//! A case is a folder under `cases`: `before.sql` and `after.sql`, or `before.postgres.sql` and the
//! like where databases differ; optionally `answers`, with lines as `--answers` takes them, and `kept`,
//! with queries, one on a line, whose answers stay the same, up and down. What is
//! expected stands in `expected`, a revision, a script and the operations for each database. To
//! write that anew: `STAIRWAY_UPDATE_GOLDEN=1 cargo test -p stairway-generated-cases`, twice,
//! since revisions are compiled before they are applied.

use std::fmt::Write as _;

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::{env, fs};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, Statement};
use sea_orm_migration::{MigrationTrait, SchemaManager};
use serde_json::Value;
use stairway_core::DatabaseUrl;
use stairway_core::plan::dialect::Dialect;
use stairway_core::plan::diff::{Answers, Difference};
use stairway_core::plan::filter::Filter;
use stairway_core::plan::header::Header;
use stairway_core::plan::render::difference::script;
use stairway_core::plan::render::migration::render;
use stairway_core::side::{Compared, Entities, Side, Sources};

type Failure = Box<dyn std::error::Error + Send + Sync>;

const BACKENDS: [&str; 3] = ["postgres", "mysql", "sqlite"];

/// A database of its own, dropped at the end.
struct Scratch {
    url: String,
    server: Option<(String, String)>,
    _directory: Option<tempfile::TempDir>,
}

impl Scratch {
    /// Nothing if there is no such server to test with.
    async fn new(backend: &str) -> Result<Option<Self>, Failure> {
        if backend == "sqlite" {
            let directory = tempfile::tempdir()?;
            let url = format!("sqlite://{}/case.db?mode=rwc", directory.path().display());
            // The file is made now, so that reading it never has to.
            connect(&url).await?.close().await?;
            return Ok(Some(Self {
                url,
                server: None,
                _directory: Some(directory),
            }));
        }
        let variable = format!("STAIRWAY_TEST_{}_URL", backend.to_uppercase());
        let Ok(server) = env::var(&variable) else {
            return Ok(None);
        };
        let name = format!("generated_{}_{:08x}", std::process::id(), fastrand::u32(..));
        let connection = connect(&server).await?;
        connection
            .execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await?;
        connection.close().await?;
        let (base, _) = server
            .rsplit_once('/')
            .ok_or("the server's URL has no database")?;
        Ok(Some(Self {
            url: format!("{base}/{name}"),
            server: Some((server.clone(), name)),
            _directory: None,
        }))
    }

    async fn drop(self) -> Result<(), Failure> {
        if let Some((server, name)) = &self.server {
            let connection = connect(server).await?;
            connection
                .execute_unprepared(&format!("DROP DATABASE {name}"))
                .await?;
            connection.close().await?;
        }
        Ok(())
    }

    fn side(&self) -> Result<Side, Failure> {
        Ok(Side::Database(DatabaseUrl::parse(&self.url)?))
    }

    fn sources(&self) -> Result<Sources, Failure> {
        let mut sources = Sources::new(DatabaseUrl::parse(&self.url)?);
        sources.entities = Some(Entities::new(stairway_entity::schema));
        Ok(sources)
    }
}

async fn connect(url: &str) -> Result<DatabaseConnection, Failure> {
    let mut options = ConnectOptions::new(url);
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|o| o.statement_cache_capacity(0));
    Ok(Database::connect(options).await?)
}

async fn run(url: &str, sql: &str) -> Result<(), Failure> {
    let connection = connect(url).await?;
    if !sql.trim().is_empty() {
        connection.execute_unprepared(sql).await?;
    }
    connection.close().await?;
    Ok(())
}

/// A file of a case, for this database or for all.
fn file(case: &Path, name: &str, backend: &str) -> Option<String> {
    let own = case.join(format!("{name}.{backend}.sql"));
    let shared = case.join(format!("{name}.sql"));
    fs::read_to_string(own)
        .or_else(|_| fs::read_to_string(shared))
        .ok()
}

fn answers(case: &Path) -> Result<Answers, Failure> {
    let mut answers = Answers::new();
    let text = fs::read_to_string(case.join("answers")).unwrap_or_default();
    for line in text.lines() {
        match line.split_once(' ') {
            Some(("rename", answer)) => answers.add_rename(answer)?,
            Some(("fill", answer)) => answers.add_fill(answer)?,
            _ => return Err(format!("{line}: neither rename nor fill").into()),
        }
    }
    Ok(answers)
}

/// What the case's queries answer, each a text.
async fn kept(case: &Path, connection: &DatabaseConnection) -> Result<Vec<String>, Failure> {
    let queries = fs::read_to_string(case.join("kept")).unwrap_or_default();
    let mut answers = Vec::new();
    for query in queries.lines() {
        let statement = Statement::from_string(connection.get_database_backend(), query);
        let row = connection.query_one_raw(statement).await?;
        let row = row.ok_or_else(|| format!("no row: {query}"))?;
        let answer: Option<String> = row.try_get_by_index(0)?;
        answers.push(format!("{query}: {}", answer.ok_or("NULL shows nothing")?));
    }
    Ok(answers)
}

async fn compare(from: &Scratch, to: &Scratch, answers: &Answers) -> Result<Compared, Failure> {
    let filter = Filter::default();
    Ok(from
        .sources()?
        .compare(&from.side()?, &to.side()?, &filter, answers)
        .await?)
}

/// What is written of the operations: what a person decides on, not every field.
fn operations(difference: &Difference) -> Result<String, Failure> {
    let mut list = Vec::new();
    for change in &difference.changes {
        let mut value = change.to_json();
        if let Value::Object(fields) = &mut value {
            for field in ["sql", "reverse_sql", "origin"] {
                fields.remove(field);
            }
        }
        list.push(value);
    }
    Ok(format!("{}\n", serde_json::to_string_pretty(&list)?))
}

/// Compares with the file, or writes it.
fn expect(path: &Path, actual: &str, problems: &mut Vec<String>) -> Result<(), Failure> {
    if env::var_os("STAIRWAY_UPDATE_GOLDEN").is_some() {
        if let Some(directory) = path.parent() {
            fs::create_dir_all(directory)?;
        }
        if fs::read_to_string(path).ok().as_deref() != Some(actual) {
            fs::write(path, actual)?;
        }
        return Ok(());
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    if expected != actual {
        problems.push(format!(
            "{} is not what is generated now:\n{actual}",
            path.display()
        ));
    }
    Ok(())
}

fn cases() -> &'static [PathBuf] {
    static CASES: OnceLock<Vec<PathBuf>> = OnceLock::new();
    CASES.get_or_init(|| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("cases");
        let entries = fs::read_dir(directory).expect("the directory of cases can be read");
        let mut cases: Vec<PathBuf> = entries
            .filter_map(|entry| Some(entry.ok()?.path()))
            .collect();
        cases.sort();
        cases
    })
}

async fn check_case(case: &Path, backend: &str) -> Result<Vec<String>, Failure> {
    let (Some(before_sql), Some(after_sql)) =
        (file(case, "before", backend), file(case, "after", backend))
    else {
        return Ok(Vec::new());
    };
    let (Some(before), Some(after)) = (Scratch::new(backend).await?, Scratch::new(backend).await?)
    else {
        return Ok(Vec::new());
    };
    let result = check_pair(case, backend, (&before, &before_sql), (&after, &after_sql)).await;
    before.drop().await?;
    after.drop().await?;
    result
}

async fn check_pair(
    case: &Path,
    backend: &str,
    (before, before_sql): (&Scratch, &str),
    (after, after_sql): (&Scratch, &str),
) -> Result<Vec<String>, Failure> {
    run(&before.url, before_sql).await?;
    run(&after.url, after_sql).await?;
    let mut problems = Vec::new();
    let answers = answers(case)?;
    let compared = compare(before, after, &answers).await?;
    let difference = &compared.difference;
    let name = case
        .file_name()
        .and_then(|name| name.to_str())
        .unwrap_or_default();

    // MySQL and MariaDB keep expressions in different words; the texts are MariaDB's.
    let is_reference =
        compared.from.dialect != Dialect::Mysql || compared.from.server.product == "MariaDB";
    if is_reference {
        let header = Header {
            message: Some(name.replace('_', " ")),
            ..Header::default()
        };
        let source = format!(
            "{}\n{}",
            header.render(),
            render(difference, &compared.from)?
        );
        let expected = case.join("expected");
        expect(
            &expected.join(format!("{backend}.rs")),
            &source,
            &mut problems,
        )?;
        let sql = script(difference, &compared.from);
        expect(
            &expected.join(format!("{backend}.sql")),
            &sql,
            &mut problems,
        )?;
        expect(
            &expected.join(format!("{backend}.json")),
            &operations(difference)?,
            &mut problems,
        )?;
    }

    let Some(migration) = migration(name, backend) else {
        problems.push(format!("{name} has no compiled revision for {backend}"));
        return Ok(problems);
    };
    let connection = connect(&before.url).await?;
    let manager = SchemaManager::new(&connection);
    let at_first = kept(case, &connection).await?;
    if let Err(error) = migration.up(&manager).await {
        problems.push(format!("up: {error}"));
        return Ok(problems);
    }
    let after_up = kept(case, &connection).await?;
    let left = compare(before, after, &Answers::new()).await?.difference;
    problems.extend(
        left.changes
            .iter()
            .map(|change| format!("after up there is still: {}", change.description)),
    );
    if let Err(error) = migration.down(&manager).await {
        problems.push(format!("down: {error}"));
        return Ok(problems);
    }
    let after_down = kept(case, &connection).await?;
    for (place, answers) in [("up", after_up), ("down", after_down)] {
        if answers != at_first {
            problems.push(format!(
                "{place} changes rows: {at_first:#?} become {answers:#?}"
            ));
        }
    }
    connection.close().await?;
    let fresh = Scratch::new(backend).await?.ok_or("the server is gone")?;
    run(&fresh.url, before_sql).await?;
    let left = compare(&fresh, before, &Answers::new()).await?.difference;
    problems.extend(
        left.changes
            .iter()
            .map(|change| format!("down did not take back: {}", change.description)),
    );
    fresh.drop().await?;
    Ok(problems)
}

fn migration(case: &str, backend: &str) -> Option<Box<dyn MigrationTrait>> {
    let all = stairway_generated_cases::all();
    let mut found = all
        .into_iter()
        .filter(|(name, database, _)| *name == case && *database == backend);
    found.next().map(|(_, _, migration)| migration)
}

async fn every_case(backend: &str) -> Result<(), Failure> {
    let mut report = String::new();
    for case in cases() {
        for problem in check_case(case, backend).await? {
            let _ = writeln!(report, "{} on {backend}: {problem}", case.display());
        }
    }
    assert!(report.is_empty(), "{report}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_generated_applied_and_taken_back_on_postgres() -> Result<(), Failure> {
    every_case("postgres").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_generated_applied_and_taken_back_on_mysql() -> Result<(), Failure> {
    every_case("mysql").await
}

#[tokio::test(flavor = "multi_thread")]
async fn every_case_is_generated_applied_and_taken_back_on_sqlite() -> Result<(), Failure> {
    every_case("sqlite").await
}

#[test]
fn every_case_has_a_revision_for_some_database() {
    for case in cases() {
        let name = case
            .file_name()
            .and_then(|name| name.to_str())
            .unwrap_or_default();
        assert!(
            BACKENDS
                .iter()
                .any(|backend| migration(name, backend).is_some()),
            "{name}: write what is expected with STAIRWAY_UPDATE_GOLDEN=1"
        );
    }
}
