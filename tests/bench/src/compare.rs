//! Comparing schemas of many tables.

use std::fmt::Write as _;
use std::time::{Duration, Instant};

use sqlx::{
    AssertSqlSafe, Connection as _, Executor, MySqlConnection, PgConnection, SqliteConnection,
};
use stairway_core::compare::{CompareOptions, Comparison, Source, compare};
use stairway_plan::dialect::{mysql, postgres, sqlite};
use stairway_plan::diff::Answers;

use crate::process::{command, milliseconds, peak_memory};
use crate::report::{Report, against_bar};
use crate::traffic;
use crate::world::{Kind, Outcome, World};

const SIZES: [usize; 3] = [100, 500, 1_000];
const ROUNDS: usize = 7;
/// What a comparison that finds nothing may take, measured by its catalogue queries alone.
const BAR: f64 = 1.2;

pub(crate) async fn measure(world: &World, report: &mut Report) -> Outcome {
    report.section(
        "Comparing two databases",
        "Tables of eight columns with a key, an index, a unique constraint, a check and a foreign key, the same in two \
         databases. Connecting, reading both and comparing, against connecting and running the same catalogue queries \
         without looking at the rows: the quicker half of seven rounds, in turns. Bar: the time of the queries plus 20 %. Statements and \
         protocol requests as the server gets them, both databases together; memory is the most that a process has held.",
        &[
            "database",
            "tables",
            "changes",
            "queries",
            "comparison",
            "ratio",
            "statements / requests",
            "MiB",
        ],
    );
    for kind in Kind::ALL {
        for size in SIZES {
            row(world, report, kind, size, 0).await?;
        }
        row(world, report, kind, 1_000, 10).await?;
    }
    Ok(())
}

async fn row(
    world: &World,
    report: &mut Report,
    kind: Kind,
    tables: usize,
    changes: usize,
) -> Outcome {
    let name = format!("bench_compare_{tables}_{changes}");
    let from = world.database(kind, &name).await?;
    let to = world.database(kind, &other(&name)).await?;
    run(kind, &from, &schema(tables, 0)).await?;
    run(kind, &to, &schema(tables, changes)).await?;
    let found = compared(&from).await?.changes.len();
    if found != changes {
        return Err(format!("{changes} changes were made and {found} found").into());
    }
    let (mut queries, mut whole) = (Vec::new(), Vec::new());
    for _ in 0..ROUNDS {
        let began = Instant::now();
        ask(kind, &from).await?;
        ask(kind, &to).await?;
        queries.push(began.elapsed());
        let began = Instant::now();
        compared(&from).await?;
        whole.push(began.elapsed());
    }
    let (queries, whole) = (quicker_half(queries), quicker_half(whole));
    let sent = match kind {
        Kind::Sqlite => "in-process".to_owned(),
        Kind::Postgres | Kind::MariaDb => traffic::of_child(kind, "compare", &from, 0)?,
    };
    let ratio = whole.as_secs_f64() / queries.as_secs_f64();
    report.row([
        kind.name().to_owned(),
        tables.to_string(),
        changes.to_string(),
        format!("{:.0} ms", milliseconds(queries)),
        format!("{:.0} ms", milliseconds(whole)),
        if kind == Kind::Postgres && changes == 0 {
            against_bar(ratio, BAR)
        } else {
            format!("{ratio:.2}")
        },
        sent,
        format!(
            "{:.0}",
            peak_memory(command("compare", &from, 0)?)? / 1024.0
        ),
    ]);
    Ok(())
}

/// The mean of the quicker half: what the work takes when nothing else gets in between.
fn quicker_half(mut rounds: Vec<Duration>) -> Duration {
    rounds.sort_unstable();
    rounds.truncate(rounds.len().div_ceil(2));
    let count = u32::try_from(rounds.len()).unwrap_or(1);
    rounds.iter().sum::<Duration>() / count
}

/// The name of the second database, or its URL.
fn other(name: &str) -> String {
    name.replace("bench_compare", "bench_compared_with")
}

/// Compares the database with the second one.
pub(crate) async fn compared(url: &str) -> Outcome<Comparison> {
    let from = Source::Url(url.to_owned());
    let to = Source::Url(other(url));
    Ok(compare(&from, &to, &CompareOptions::default(), &Answers::new()).await?)
}

/// The statements that make the tables. Each change is a column that takes no NULL any more.
fn schema(tables: usize, changes: usize) -> String {
    let mut sql = String::new();
    for number in 0..tables {
        let null = if number % 100 == 0 && number / 100 < changes {
            ""
        } else {
            "NOT NULL"
        };
        let key = match number {
            0 => String::new(),
            _ => format!(
                ", CONSTRAINT fk_{number} FOREIGN KEY (parent_id) REFERENCES table_{} (id)",
                number - 1
            ),
        };
        // Writing to a String can't fail.
        let _ = writeln!(
            sql,
            "CREATE TABLE table_{number} (id bigint NOT NULL PRIMARY KEY, parent_id bigint, \
             name varchar(80) NOT NULL DEFAULT 'none', note varchar(200), amount decimal(10,2) {null} DEFAULT 0, \
             done boolean NOT NULL DEFAULT false, born date, at timestamp NULL, \
             CONSTRAINT uq_{number} UNIQUE (name, born), CONSTRAINT ck_{number} CHECK (amount >= 0){key});\n\
             CREATE INDEX ix_{number} ON table_{number} (parent_id, name);"
        );
    }
    sql
}

async fn run(kind: Kind, url: &str, sql: &str) -> Outcome {
    let sql = sqlx::raw_sql(AssertSqlSafe(sql.to_owned()));
    match kind {
        Kind::Postgres => {
            sql.execute(&mut PgConnection::connect(url).await?).await?;
        }
        Kind::MariaDb => {
            sql.execute(&mut MySqlConnection::connect(url).await?)
                .await?;
        }
        Kind::Sqlite => {
            let mut connection = SqliteConnection::connect(url).await?;
            connection.execute("BEGIN").await?;
            sql.execute(&mut connection).await?;
            connection.execute("COMMIT").await?;
            connection.close().await?;
        }
    }
    Ok(())
}

/// Connects and runs the catalogue queries of one database.
async fn ask(kind: Kind, url: &str) -> Outcome {
    match kind {
        Kind::Postgres => {
            let mut connection = PgConnection::connect(url).await?;
            let version = 150_000;
            let first = postgres::catalogue::BEGIN.iter().copied();
            let queries = std::iter::once(&postgres::catalogue::SERVER)
                .chain(postgres::catalogue::QUERIES)
                .map(|query| query.for_version(version));
            for sql in first.map(ToOwned::to_owned).chain(queries) {
                fetch(&mut connection, sql).await?;
            }
            fetch(&mut connection, postgres::catalogue::END.to_owned()).await?;
            connection.close().await?;
        }
        Kind::MariaDb => {
            let mut connection = MySqlConnection::connect(url).await?;
            let server = fetch_text(&mut connection, mysql::catalogue::SERVER).await?;
            let queries = mysql::catalogue::queries(&mysql::catalogue::server(&server));
            let optional = [queries.checks, queries.check_owners];
            let all = [
                queries.tables,
                queries.columns,
                queries.indexes,
                queries.key_columns,
                queries.foreign_keys,
                queries.views,
                queries.triggers,
                queries.routines,
                queries.parameters,
                queries.events,
            ];
            for sql in all.into_iter().chain(optional.into_iter().flatten()) {
                fetch(&mut connection, sql).await?;
            }
            connection.close().await?;
        }
        Kind::Sqlite => {
            let mut connection = SqliteConnection::connect(url).await?;
            for sql in [
                sqlite::catalogue::VERSION,
                sqlite::catalogue::OBJECTS,
                sqlite::catalogue::TABLE_KINDS,
                sqlite::catalogue::COLUMNS,
                sqlite::catalogue::VIEW_COLUMNS,
                sqlite::catalogue::INDEXES,
                sqlite::catalogue::FOREIGN_KEYS,
            ] {
                fetch(&mut connection, sql.to_owned()).await?;
            }
            connection.close().await?;
        }
    }
    Ok(())
}

/// Takes the rows and looks at none.
async fn fetch<'c, E: Executor<'c>>(connection: E, sql: String) -> Outcome {
    sqlx::raw_sql(AssertSqlSafe(sql))
        .fetch_all(connection)
        .await?;
    Ok(())
}

async fn fetch_text(
    connection: &mut MySqlConnection,
    sql: &'static str,
) -> Outcome<Vec<Vec<Option<String>>>> {
    use sqlx::Row as _;
    let rows = sqlx::raw_sql(sql).fetch_all(connection).await?;
    rows.iter()
        .map(|row| {
            let values = (0..row.len()).map(|at| Ok(row.try_get_unchecked(at)?));
            values.collect::<Outcome<Vec<Option<String>>>>()
        })
        .collect()
}
