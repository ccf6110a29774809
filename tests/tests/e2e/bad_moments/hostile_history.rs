//! History tables that anyone may have written to: strange versions, NULLs, other column types,
//! thousands of rows that mean nothing here.

use std::time::{Duration, Instant};

use stairway_tests::servers::ServerUrl;
use stairway_tests::{Backend, Session, TestDatabase, on_each_backend};

use super::scenario::{Scenario, shop};

/// A command that takes longer hangs.
const LIMIT: Duration = Duration::from_mins(1);

/// Commands that read whatever is there, and one that writes.
const READING: [&str; 8] = [
    "status",
    "--output json status",
    "history",
    "--output json log --limit 10000",
    "upgrade --dry-run",
    "show m1_evidence",
    "repair",
    "current",
];

/// Runs everything; none may panic, hang, or print what a terminal would obey.
#[track_caller]
fn expect_calm(scenario: &Scenario, what: &str) {
    for line in READING
        .iter()
        .chain(&["upgrade --lock-timeout 1s", "downgrade -1 --yes"])
    {
        let began = Instant::now();
        let run = scenario.program(line).run();
        let told = format!("{what}, {line}: {run}");
        assert!((0..=5).contains(&run.code), "{told}");
        assert!(!run.stderr.contains("panicked"), "{told}");
        assert!(began.elapsed() < LIMIT, "{told}");
        for stream in [&run.stdout, &run.stderr] {
            assert!(
                !stream.contains("\u{1b}]0;evil") && !stream.contains('\u{7}'),
                "{told}"
            );
        }
        if run.code != 0 {
            assert!(
                run.stderr.contains("error") || run.stderr.contains("ERROR"),
                "it says why: {told}"
            );
        }
    }
}

/// Tables of the name `seaql_migrations` that are not what they should be.
fn tables(backend: Backend) -> Vec<(&'static str, Vec<String>)> {
    let sql = |statements: &[&str]| statements.iter().map(|text| (*text).to_owned()).collect();
    let (text, escape) = match backend {
        Backend::Postgres => ("text", r"E'\x1b]0;evil\x07'"),
        Backend::MySql => ("longtext", "CONCAT(CHAR(27), ']0;evil', CHAR(7))"),
        Backend::Sqlite => ("text", "char(27) || ']0;evil' || char(7)"),
    };
    let plain = format!("CREATE TABLE seaql_migrations (version {text}, applied_at bigint)");
    let huge = match backend {
        Backend::Postgres | Backend::MySql => "repeat('x', 1000000)",
        Backend::Sqlite => "hex(zeroblob(500000))",
    };
    let thousands = match backend {
        Backend::Postgres => {
            "INSERT INTO seaql_migrations SELECT 'm_unknown_' || i, i FROM generate_series(1, 10000) i"
        }
        Backend::MySql => {
            "INSERT INTO seaql_migrations SELECT CONCAT('m_unknown_', seq), seq FROM seq_1_to_10000"
        }
        Backend::Sqlite => {
            "INSERT INTO seaql_migrations WITH RECURSIVE c(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM c WHERE \
             i < 10000) SELECT 'm_unknown_' || i, i FROM c"
        }
    };
    let mut tables = vec![
        (
            "NULLs",
            vec![
                plain.clone(),
                "INSERT INTO seaql_migrations VALUES (NULL, NULL), ('m1_evidence', NULL), (NULL, 7)".to_owned(),
            ],
        ),
        (
            "strange versions",
            vec![
                plain.clone(),
                format!(
                    "INSERT INTO seaql_migrations VALUES ('', 1), ('  ', 2), ({escape}, 3), ('a''b;--', 4), \
                     ('m1_evidence ', 5), ('日本語', 6), ('m1_evidence', 7), ('m1_evidence', 8), ('head', 9), \
                     ('+1', 10), ('a:b', 11), ('base', 12)"
                ),
            ],
        ),
        (
            "a huge version",
            vec![
                plain.clone(),
                format!("INSERT INTO seaql_migrations VALUES ({huge}, 1)"),
            ],
        ),
        ("thousands of rows", vec![plain.clone(), thousands.to_owned()]),
        (
            "moments out of all time",
            vec![
                plain,
                "INSERT INTO seaql_migrations VALUES ('m1_evidence', 9223372036854775807), \
                 ('m2_counted', -9223372036854775807)"
                    .to_owned(),
            ],
        ),
        (
            "a moment in words",
            sql(&[
                "CREATE TABLE seaql_migrations (version varchar(100), applied_at varchar(100))",
                "INSERT INTO seaql_migrations VALUES ('m1_evidence', 'yesterday')",
            ]),
        ),
        (
            "numbers for versions",
            sql(&[
                "CREATE TABLE seaql_migrations (version int, applied_at int)",
                "INSERT INTO seaql_migrations VALUES (1, 1)",
            ]),
        ),
        (
            "no column for the moment",
            sql(&[
                "CREATE TABLE seaql_migrations (version varchar(100))",
                "INSERT INTO seaql_migrations VALUES ('m1_evidence')",
            ]),
        ),
        (
            "no column for the version",
            sql(&["CREATE TABLE seaql_migrations (id int)"]),
        ),
        (
            "a view",
            sql(&["CREATE VIEW seaql_migrations AS SELECT 'm1_evidence' AS version, 1 AS applied_at"]),
        ),
    ];
    match backend {
        Backend::Sqlite => tables.push((
            "bytes that are no text",
            sql(&[
                "CREATE TABLE seaql_migrations (version, applied_at)",
                "INSERT INTO seaql_migrations VALUES (CAST(x'ff00fe' AS TEXT), x'ff'), (x'c328', 1.5), (3.5, 'x')",
            ]),
        )),
        Backend::MySql => tables.push((
            "bytes that are no text",
            sql(&[
                "CREATE TABLE seaql_migrations (version varbinary(100), applied_at blob)",
                "INSERT INTO seaql_migrations VALUES (x'ff00fe', x'ff'), (x'c328', '')",
            ]),
        )),
        Backend::Postgres => tables.push((
            "another type for the version",
            sql(&[
                "CREATE TABLE seaql_migrations (version bytea, applied_at timestamptz)",
                r"INSERT INTO seaql_migrations VALUES ('\xff00fe', now())",
            ]),
        )),
    }
    tables
}

#[test]
fn no_history_table_makes_a_command_panic_or_hang() {
    on_each_backend(|database| {
        let backend = database.backend();
        for (what, statements) in tables(backend) {
            let database = TestDatabase::create(backend);
            for statement in &statements {
                database.execute(statement);
            }
            let scenario = Scenario::new(database.url(), &shop());
            expect_calm(&scenario, &format!("{what} on {backend}"));
        }
    });
}

#[test]
fn a_database_whose_text_is_in_no_encoding_is_read_without_a_panic() {
    if !stairway_tests::available_backends().contains(&Backend::Postgres) {
        return;
    }
    let home = TestDatabase::create(Backend::Postgres);
    let name = format!("{}_ascii", home.name());
    home.execute(&format!(
        "CREATE DATABASE {name} ENCODING 'SQL_ASCII' LOCALE 'C' TEMPLATE template0"
    ));
    let url = ServerUrl::parse(home.url())
        .expect("a good URL")
        .with_database(&name)
        .reveal();
    let mut session = Session::try_open(Backend::Postgres, &url).expect("it is there");
    // Sent in ASCII, stored as it is.
    session.execute(
        r"SET client_encoding = 'SQL_ASCII'; CREATE TABLE seaql_migrations (version text, applied_at bigint); INSERT INTO seaql_migrations VALUES (E'\xff\xfe', 1)",
    );
    let scenario = Scenario::new(&url, &shop());
    expect_calm(&scenario, "bytes that are no text on postgres");
    drop(session);
    home.execute(&format!("DROP DATABASE {name} WITH (FORCE)"));
}

#[test]
fn side_tables_that_were_tampered_with_make_no_command_panic_or_hang() {
    on_each_backend(|database| {
        let backend = database.backend();
        let revisions = shop();
        let tamperings: &[&str] = &[
            "UPDATE stairway_ledger SET parents = 'no list', message = '', checksum = repeat_('9', 5000)",
            "UPDATE stairway_ledger SET checksum_algorithm = 'of the future'",
            match backend {
                Backend::Sqlite => {
                    "UPDATE seaql_migrations SET rowid = -9223372036854775807 WHERE version = 'm1_evidence'"
                }
                _ => {
                    "UPDATE stairway_ledger SET sequence = -9223372036854775807 WHERE revision = 'm1_evidence'"
                }
            },
            "DELETE FROM stairway_ledger",
            "DELETE FROM seaql_migrations",
            "UPDATE stairway_audit SET action = 'sideways', outcome = '', actor = escape_, host = ''",
            "UPDATE stairway_audit SET duration_ms = -1",
            "UPDATE stairway_layout SET version = 'of the future'",
            "UPDATE stairway_layout SET version = 9999",
            "DELETE FROM stairway_layout",
            "DROP TABLE stairway_ledger",
            "DROP TABLE stairway_audit",
            "INSERT INTO stairway_journal SELECT * FROM stairway_journal",
            "ALTER TABLE stairway_audit DROP COLUMN outcome",
            "ALTER TABLE stairway_journal DROP COLUMN state",
        ];
        for tampering in tamperings {
            let database = TestDatabase::create(backend);
            let scenario = Scenario::new(database.url(), &revisions);
            scenario.call(0, "upgrade");
            let (repeat, escape) = match backend {
                Backend::Sqlite => (
                    "printf('%.*c', 5000, '9')",
                    "char(27) || ']0;evil' || char(7)",
                ),
                Backend::Postgres => ("repeat('9', 60)", r"E'\x1b]0;evil\x07'"),
                Backend::MySql => ("repeat('9', 60)", "CONCAT(CHAR(27), ']0;evil', CHAR(7))"),
            };
            let sql = tampering
                .replace("repeat_('9', 5000)", repeat)
                .replace("escape_", escape);
            // Where types or constraints do not allow it, nobody can do that.
            if database.try_rows(&sql).is_ok() {
                expect_calm(&scenario, &format!("{sql} on {backend}"));
            }
        }
        // A journal of a step that nobody knows, in every state.
        for (position, direction, state) in [
            ("1", "upgrade", "started"),
            ("0", "upgrade", "done"),
            ("-7", "sideways", "odd"),
            ("9223372036854775807", "downgrade", "read"),
        ] {
            let database = TestDatabase::create(backend);
            let scenario = Scenario::new(database.url(), &revisions);
            scenario.call(0, "upgrade");
            for revision in ["m2_counted", "m_unknown", ""] {
                let columns = columns(&database, "stairway_journal");
                let values: Vec<String> = columns
                    .iter()
                    .map(|(name, is_number)| match name.as_str() {
                        "revision" => format!("'{revision}'"),
                        "position" => position.to_owned(),
                        "direction" => format!("'{direction}'"),
                        "state" => format!("'{state}'"),
                        _ if *is_number => "0".to_owned(),
                        name if name.ends_with("_at") => "CURRENT_TIMESTAMP".to_owned(),
                        _ => "'{[('".to_owned(),
                    })
                    .collect();
                let names: Vec<&str> = columns.iter().map(|(name, _)| name.as_str()).collect();
                // Where types or constraints do not allow it, nobody can do that.
                drop(database.try_rows(&format!(
                    "INSERT INTO stairway_journal ({}) VALUES ({})",
                    names.join(", "),
                    values.join(", ")
                )));
            }
            expect_calm(
                &scenario,
                &format!("a journal at {position}, {direction}, {state} on {backend}"),
            );
        }
    });
}

/// The columns of a table, and whether each holds numbers.
fn columns(database: &TestDatabase, table: &str) -> Vec<(String, bool)> {
    let sql = match database.backend() {
        Backend::Sqlite => format!("SELECT name, type FROM pragma_table_info('{table}')"),
        Backend::Postgres => format!(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}'"
        ),
        Backend::MySql => format!(
            "SELECT column_name, data_type FROM information_schema.columns WHERE table_name = '{table}' \
             AND table_schema = DATABASE()"
        ),
    };
    database
        .rows(&sql)
        .into_iter()
        .map(|row| {
            let mut row = row.into_iter().flatten();
            let name = row.next().unwrap_or_default();
            let kind = row.next().unwrap_or_default().to_lowercase();
            (name, kind.contains("int"))
        })
        .collect()
}
