//! MySQL and MariaDB make up values where a column refuses NULL and has no default, and put an empty
//! one where an `ENUM` loses a value. No script lets them.

use stairway_core::compare::{CompareOptions, Side, Source, compare_sides};
use stairway_core::inspect::InspectOptions;
use stairway_plan::diff::Answers;
use stairway_plan::render::difference::{reversed, script};

use crate::cases::difference;
use crate::databases::{Backend, Database};

/// What comes of a script on a table with rows.
struct Tried {
    script: String,
    /// What the shell said where the server is strict, and where it is not.
    outcomes: [Result<String, String>; 2],
    /// The answer to the query afterwards, in both.
    rows: [String; 2],
}

/// Runs the script, or its reverse, on a database with rows, once in strict mode and once without
/// any.
async fn tried(before: &[&str], after: &[&str], query: &str, back: bool) -> Option<Tried> {
    if !Backend::Mysql.is_available() {
        eprintln!("no mysql server to test on");
        return None;
    }
    let owned = |list: &[&str]| -> Vec<String> { list.iter().map(ToString::to_string).collect() };
    let mut database = Database::create(Backend::Mysql).await;
    let other = Database::create(Backend::Mysql).await;
    database
        .run(&owned(before))
        .await
        .expect("a table with rows");
    other.run(&owned(after)).await.expect("a table");
    let open = |database: &Database| Source::Url(database.url.clone());
    let inspect = InspectOptions::default();
    let mut from = Side::open(&open(&database), &inspect)
        .await
        .expect("a schema");
    let mut to = Side::open(&open(&other), &inspect).await.expect("a schema");
    let schema = from.schema().clone();
    let (options, answers) = (CompareOptions::default(), Answers::new());
    let comparison = if back {
        compare_sides(&mut to, &mut from, &options, &answers).await
    } else {
        compare_sides(&mut from, &mut to, &options, &answers).await
    };
    let mut difference = difference(&comparison.expect("a comparison"));
    if back {
        difference = reversed(&difference, &schema, None);
    }
    let script = script(&difference, &schema);
    from.close().await;
    to.close().await;
    let mut outcomes = Vec::new();
    let mut rows = Vec::new();
    for mode in ["STRICT_TRANS_TABLES", ""] {
        database
            .refill(&owned(before))
            .await
            .expect("a table with rows");
        outcomes.push(database.run_script(&format!("SET sql_mode = '{mode}';\n{script}")));
        rows.push(database.run_script(&format!("{query};")).expect("rows"));
    }
    database.drop().await;
    other.drop().await;
    Some(Tried {
        script,
        outcomes: outcomes.try_into().expect("two outcomes"),
        rows: rows.try_into().expect("two answers"),
    })
}

/// The script fails in both modes, and the rows are as they were.
fn assert_refused(tried: &Tried, rows: &str) {
    for (outcome, found) in tried.outcomes.iter().zip(&tried.rows) {
        assert!(outcome.is_err(), "{outcome:?} after\n{}", tried.script);
        assert_eq!(found, rows, "after\n{}", tried.script);
    }
}

const TABLE: &str = "CREATE TABLE t (id integer PRIMARY KEY)";
const ROW: &str = "INSERT INTO t (id) VALUES (1)";

#[tokio::test]
async fn a_new_column_gets_no_value_that_nobody_gave() {
    for column in [
        "v varchar(20)",
        "v integer",
        "v date",
        "v timestamp",
        "v enum('a', 'b')",
    ] {
        let after = format!("CREATE TABLE t (id integer PRIMARY KEY, {column} NOT NULL)");
        let Some(tried) = tried(&[TABLE, ROW], &[&after], "SELECT * FROM t", false).await else {
            return;
        };
        assert_refused(&tried, "1\tNULL\n");
        assert!(tried.script.contains("-- CHECK: "), "{}", tried.script);
    }
}

#[tokio::test]
async fn a_new_column_with_a_key_gets_no_value_that_nobody_gave() {
    let after =
        "CREATE TABLE t (id integer PRIMARY KEY, v integer NOT NULL UNIQUE, w integer AS (v + 1))";
    let query = "SELECT id, v FROM t";
    if let Some(tried) = tried(&[TABLE, ROW], &[after], query, false).await {
        assert_refused(&tried, "1\tNULL\n");
    }
}

#[tokio::test]
async fn a_column_that_comes_to_refuse_null_keeps_its_rows() {
    for column in ["v varchar(20)", "v integer", "v timestamp"] {
        let before = format!("CREATE TABLE t (id integer PRIMARY KEY, {column} NULL)");
        let after = format!("CREATE TABLE t (id integer PRIMARY KEY, {column} NOT NULL)");
        let found = tried(&[&before, ROW], &[&after], "SELECT * FROM t", false).await;
        if let Some(tried) = found {
            assert_refused(&tried, "1\tNULL\n");
        }
    }
}

/// The column that the script dropped comes back on the way back, without its values.
#[tokio::test]
async fn the_way_back_makes_up_no_values_either() {
    for column in [
        "v varchar(20) NOT NULL",
        "v timestamp NOT NULL",
        "v integer NOT NULL UNIQUE",
    ] {
        let wanted = format!("CREATE TABLE t (id integer PRIMARY KEY, {column})");
        let found = tried(&[TABLE, ROW], &[&wanted], "SELECT * FROM t", true).await;
        if let Some(tried) = found {
            assert_refused(&tried, "1\tNULL\n");
        }
    }
}

#[tokio::test]
async fn a_row_with_a_value_that_an_enum_loses_keeps_it() {
    for (kind, value) in [("enum", "old"), ("set", "new,old")] {
        let before =
            format!("CREATE TABLE t (id integer PRIMARY KEY, m {kind}('new', 'old') NOT NULL)");
        let row = format!("INSERT INTO t VALUES (1, '{value}')");
        let after =
            format!("CREATE TABLE t (id integer PRIMARY KEY, m {kind}('new', 'done') NOT NULL)");
        let found = tried(&[&before, &row], &[&after], "SELECT m FROM t", false).await;
        let Some(tried) = found else { return };
        assert_refused(&tried, &format!("{value}\n"));
        let names = "-- CHECK: rows that have 'old' make it fail";
        assert!(tried.script.contains(names), "{}", tried.script);
        let offers = "UPDATE t SET m = 'done' WHERE m = 'old'";
        assert_eq!(
            tried.script.contains(offers),
            kind == "enum",
            "{}",
            tried.script
        );
    }
}

/// An empty table needs nobody's answer.
#[tokio::test]
async fn tables_without_rows_take_the_steps() {
    let after =
        "CREATE TABLE t (id integer PRIMARY KEY, v varchar(20) NOT NULL, w timestamp NOT NULL)";
    let query = "SELECT column_name, is_nullable FROM information_schema.columns \
                 WHERE table_schema = database() AND column_name IN ('v', 'w') ORDER BY 1";
    if let Some(tried) = tried(&[TABLE], &[after], query, false).await {
        for (outcome, found) in tried.outcomes.iter().zip(&tried.rows) {
            assert_eq!(outcome.as_deref(), Ok(""), "{}", tried.script);
            assert_eq!(found, "v\tNO\nw\tNO\n", "{}", tried.script);
        }
    }
}
