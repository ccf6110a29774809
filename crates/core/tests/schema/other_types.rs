//! Composite and range types that are in use, and types that are neither made nor removed.

use stairway_core::compare::{CompareOptions, Comparison, Source, compare};
use stairway_plan::diff::Answers;
use stairway_plan::op::{Change, Risk, Warning};

use crate::databases::{Backend, Database};

/// Two databases, and what is to be done to the first one.
struct Two {
    before: Database,
    after: Database,
}

impl Two {
    async fn new(before: &[&str], after: &[&str]) -> Option<Self> {
        let backend = Backend::Postgres;
        if !backend.is_available() {
            eprintln!("no {} server to test on", backend.name());
            return None;
        }
        let two = Self {
            before: Database::create(backend).await,
            after: Database::create(backend).await,
        };
        for (database, sql) in [(&two.before, before), (&two.after, after)] {
            let sql: Vec<String> = sql.iter().map(ToString::to_string).collect();
            database.run(&sql).await.expect("a schema");
        }
        Some(two)
    }

    async fn compare(&self) -> Comparison {
        let [from, to] = [&self.before, &self.after].map(|one| Source::Url(one.url.clone()));
        let (options, answers) = (CompareOptions::default(), Answers::new());
        let compared = compare(&from, &to, &options, &answers).await;
        compared.expect("a comparison")
    }

    async fn drop(self) {
        self.before.drop().await;
        self.after.drop().await;
    }
}

/// A base type takes functions in C, which no comparison makes.
const BASE_TYPE: [&str; 4] = [
    "CREATE TYPE ink",
    "CREATE FUNCTION ink_in(cstring) RETURNS ink LANGUAGE internal IMMUTABLE STRICT AS 'textin'",
    "CREATE FUNCTION ink_out(ink) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout'",
    "CREATE TYPE ink (INPUT = ink_in, OUTPUT = ink_out, LIKE = text)",
];

#[tokio::test]
async fn a_change_that_needs_a_type_that_is_not_made_says_so() {
    let table = "CREATE TABLE t (id int PRIMARY KEY)";
    let uses = [
        "CREATE TYPE pen AS (colour ink)",
        "CREATE DOMAIN dry AS ink",
        "CREATE TABLE n (id int PRIMARY KEY, a ink, b ink[], c pen)",
        "ALTER TABLE t ADD COLUMN f dry, ADD COLUMN g ink",
    ];
    let after: Vec<&str> = [table].into_iter().chain(BASE_TYPE).chain(uses).collect();
    let Some(two) = Two::new(&[table], &after).await else {
        return;
    };
    let compared = two.compare().await;
    let flagged = compared.changes.iter();
    let flagged = flagged.filter(|change| change.warnings.contains(&Warning::NeedsType));
    let flagged: Vec<(String, Risk)> = flagged
        .map(|change| (change.description.clone(), change.risk))
        .collect();
    two.drop().await;
    assert_eq!(
        flagged,
        [
            (
                "+ composite type pen (colour ink)".to_owned(),
                Risk::MayFail
            ),
            ("+ domain dry over ink".to_owned(), Risk::MayFail),
            ("+ table n (4 columns)".to_owned(), Risk::MayFail),
            ("+ column t.g ink".to_owned(), Risk::MayFail),
        ]
    );
    let is_named = compared
        .not_compared
        .iter()
        .any(|other| other == "base type ink");
    assert!(is_named, "{:?}", compared.not_compared);
}

/// Collations of users are not made either.
#[tokio::test]
async fn a_change_that_needs_a_collation_that_is_not_made_says_so() {
    let before = "CREATE TABLE t (id int PRIMARY KEY, a text, b text)";
    let after = [
        "CREATE SCHEMA \"My\"",
        "CREATE COLLATION \"My\".\"Ci\" FROM \"C\"",
        "CREATE TABLE t (id int PRIMARY KEY, a text COLLATE \"My\".\"Ci\", b text, c text COLLATE \"My\".\"Ci\")",
        "CREATE INDEX i ON t (b COLLATE \"My\".\"Ci\")",
        "CREATE TABLE n (id text COLLATE \"My\".\"Ci\", other text COLLATE \"C\")",
        "CREATE DOMAIN d AS text COLLATE \"My\".\"Ci\"",
    ];
    let Some(two) = Two::new(&[before], &after).await else {
        return;
    };
    let compared = two.compare().await;
    two.drop().await;
    let needy = compared.changes.iter().filter(|change| {
        let note = "the collation \"My\".\"Ci\" is not there and is not made: make it first";
        change.warnings.contains(&Warning::NeedsType)
            && change.notes.iter().any(|other| other == note)
    });
    let needy: Vec<&str> = needy.map(|change| change.description.as_str()).collect();
    assert_eq!(
        needy,
        [
            "+ domain d over text",
            "+ table n (2 columns)",
            "+ column t.c text",
            "~ column t.a: collation none to \"My\".\"Ci\"",
            "+ index i on t (b collate \"My\".\"Ci\")",
        ]
    );
}

#[tokio::test]
async fn what_cannot_be_changed_while_it_is_in_use_is_named_and_stays() {
    let tables = "CREATE TABLE t (id int PRIMARY KEY, a floats, b addr[], c outside)";
    let before = [
        "CREATE TYPE floats AS RANGE (subtype = float8)",
        "CREATE TYPE addr AS (street text, number int)",
        "CREATE TYPE inside AS (a int)",
        "CREATE TYPE outside AS (i inside)",
        tables,
    ];
    let after = [
        "CREATE TYPE floats AS RANGE (subtype = numeric)",
        "CREATE TYPE addr AS (number int, street text)",
        "CREATE TYPE inside AS (a bigint)",
        "CREATE TYPE outside AS (i inside)",
        tables,
    ];
    let Some(two) = Two::new(&before, &after).await else {
        return;
    };
    let compared = two.compare().await;
    two.drop().await;
    let changes: Vec<&String> = compared.changes.iter().map(|c| &c.description).collect();
    assert!(changes.is_empty(), "{changes:?}");
    for what in [
        "range type floats: ",
        "composite type addr: ",
        "composite type inside: ",
    ] {
        let is_named = compared
            .not_compared
            .iter()
            .any(|other| other.starts_with(what));
        assert!(is_named, "{what}{:?}", compared.not_compared);
    }
}

/// How much care it takes depends on whether rows have the type.
#[tokio::test]
async fn the_risk_is_that_of_a_type_in_use() {
    let types = |kind: &str| {
        [
            format!("CREATE TYPE used AS ({kind})"),
            format!("CREATE TYPE unused AS ({kind})"),
            "CREATE TABLE t (id int PRIMARY KEY, u used)".to_owned(),
        ]
    };
    for (from, to, risk, warning) in [
        ("a int", "a int, b int", Risk::Safe, None),
        ("a int", "a bigint", Risk::Rewrites, None),
        ("a int, b int", "b int, a int", Risk::Rewrites, None),
        (
            "a bigint",
            "a int",
            Risk::MayFail,
            Some(Warning::MayFailOnData),
        ),
        (
            "a int, b int",
            "a int",
            Risk::DataLoss,
            Some(Warning::DataLoss),
        ),
    ] {
        let (before, after) = (types(from), types(to));
        let [before, after] = [&before, &after].map(|list| list.each_ref().map(String::as_str));
        let Some(two) = Two::new(&before, &after).await else {
            return;
        };
        let compared = two.compare().await;
        two.drop().await;
        let risk_of = |name: &str| {
            let is_meant = |change: &&Change| {
                let words = format!("composite type {name}: ");
                change.description.contains(&words)
            };
            let change = compared.changes.iter().find(is_meant).expect("a change");
            (change.risk, change.warnings.iter().copied().next())
        };
        assert_eq!(risk_of("used"), (risk, warning), "{from} to {to}");
        assert_eq!(risk_of("unused"), (Risk::Safe, None), "{from} to {to}");
    }
}
