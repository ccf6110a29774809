//! Composite and range types on PostgreSQL are neither made nor removed; a change that needs one says so.

use stairway_core::compare::{CompareOptions, Source, compare};
use stairway_plan::diff::Answers;
use stairway_plan::op::{Risk, Warning};

use crate::databases::{Backend, Database};

#[tokio::test]
async fn a_change_that_needs_a_type_that_is_not_made_says_so() {
    let backend = Backend::Postgres;
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let before = Database::create(backend).await;
    let after = Database::create(backend).await;
    let tables = [
        "CREATE TABLE t (id int PRIMARY KEY)",
        "CREATE TYPE both_have AS (a int)",
    ];
    let tables = tables.map(str::to_owned);
    before.run(&tables).await.expect("a table");
    after.run(&tables).await.expect("a table");
    let types = [
        "CREATE TYPE addr AS (street text, number int)",
        "CREATE TYPE floats AS RANGE (subtype = float8)",
    ]
    .map(str::to_owned);
    let uses = [
        "CREATE TABLE n (id int PRIMARY KEY, home addr, others addr[], known both_have)",
        "CREATE DOMAIN some_floats AS floats CHECK (NOT isempty(VALUE))",
        "ALTER TABLE t ADD COLUMN f some_floats, ADD COLUMN g floats, ADD COLUMN h both_have",
    ]
    .map(str::to_owned);
    after.run(&types).await.expect("types");
    after.run(&uses).await.expect("their uses");
    let sources = [&before, &after].map(|database| Source::Url(database.url.clone()));
    let (options, answers) = (CompareOptions::default(), Answers::new());
    let compared = compare(&sources[0], &sources[1], &options, &answers).await;
    let compared = compared.expect("a comparison");
    let flagged = compared.changes.iter();
    let flagged = flagged.filter(|change| change.warnings.contains(&Warning::NeedsType));
    let flagged: Vec<(String, Risk, usize)> = flagged
        .map(|change| (change.description.clone(), change.risk, change.notes.len()))
        .collect();
    let refused = before.run_script(&compared.script());
    let script = compared.script();
    let back = compare(&sources[1], &sources[0], &options, &answers).await;
    before.run(&types).await.expect("types");
    let ran = before.run_script(&script);
    let again = compare(&sources[0], &sources[1], &options, &answers).await;
    before.drop().await;
    after.drop().await;
    assert_eq!(
        flagged,
        [
            (
                "+ domain some_floats over floats".to_owned(),
                Risk::MayFail,
                1
            ),
            ("+ table n (4 columns)".to_owned(), Risk::MayFail, 1),
            ("+ column t.g floats".to_owned(), Risk::MayFail, 1),
        ],
        "{script}"
    );
    for name in ["composite type addr", "range type floats"] {
        assert!(
            compared.not_compared.iter().any(|other| other == name),
            "{:?}",
            compared.not_compared
        );
    }
    refused.expect_err("the types are not there");
    let back = back.expect("a comparison");
    let is_flagged =
        |change: &stairway_plan::op::Change| change.warnings.contains(&Warning::NeedsType);
    assert!(
        !back.changes.iter().any(is_flagged),
        "nothing is needed to remove them"
    );
    ran.expect(&script);
    assert!(again.expect("a comparison").is_empty());
}
