//! Everything that parses, on texts that nobody would write: no panic, no hang, no secret.
//!
//! Each property is tried on 256 cases; `PROPTEST_CASES=100000` makes a long run of it. What is parsed
//! inside the crates (settings, targets, ranges, SQL by pieces, module comments) has its properties
//! there as well, under the same variable.

use std::fs;
use std::time::{Duration, Instant};

use proptest::prelude::*;
use stairway_core::DatabaseUrl;
use stairway_core::plan::bookkeeping::Bookkeeping;
use stairway_core::plan::graph::RevisionGraph;
use stairway_core::plan::plan::{Direction, PlanOptions, plan};
use stairway_core::plan::position::{ChecksumComparison, Position};
use stairway_core::plan::revision::{Revision, RevisionId};
use stairway_core::plan::sql::{
    Dialect, checksum, classify, fingerprint, redact_secrets, redact_statement, redact_url, split,
};
use stairway_core::plan::target::{Range, Target};
use stairway_core::settings::parse_duration;
use stairway_tests::{Backend, TestDatabase, available_backends, stairway};

use crate::calls::SECRET;

/// Whatever is parsed is parsed sooner, on a busy machine too.
const LIMIT: Duration = Duration::from_secs(30);

/// Characters that mean something in a URL, or nothing anywhere.
const ODD: &str = "[a-z0-9:/?#@&=+%.,;!'\"\\\\\\[\\]{}|^~ \\t\u{e9}\u{1f600}-]{0,6}";

fn schemes() -> impl Strategy<Value = String> {
    prop_oneof![
        Just("postgres://".to_owned()),
        Just("postgresql://".to_owned()),
        Just("mysql://".to_owned()),
        Just("mariadb://".to_owned()),
        Just("POSTGRES://".to_owned()),
        Just("postgres:".to_owned()),
        Just("mysql:/".to_owned()),
        Just(String::new()),
        Just("oracle://".to_owned()),
        ODD.prop_map(|odd| format!("{odd}://")),
    ]
}

/// A URL with the password where passwords are, among odd characters.
fn urls() -> impl Strategy<Value = String> {
    let password = (ODD, ODD).prop_map(|(before, after)| format!("{before}{SECRET}{after}"));
    (
        schemes(),
        "[a-z%]{0,5}",
        password,
        prop_oneof![
            Just("db".to_owned()),
            Just("[::1]".to_owned()),
            Just("db:5432".to_owned()),
            "[a-z0-9:.\\[\\]]{0,8}"
        ],
        prop_oneof![
            Just("/shop".to_owned()),
            Just(String::new()),
            ODD.prop_map(|odd| format!("/{odd}"))
        ],
        prop_oneof![Just(String::new()), ODD.prop_map(|odd| format!("?{odd}"))],
        any::<bool>(),
    )
        .prop_map(
            |(scheme, user, password, host, database, query, in_query)| {
                if in_query {
                    format!("{scheme}{host}{database}?user={user}&password={password}")
                } else {
                    format!("{scheme}{user}:{password}@{host}{database}{query}")
                }
            },
        )
}

/// A value in a row of a table that anyone may have written to.
fn values() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        Just(None),
        prop::sample::select(vec![
            "applied",
            "journal",
            "upgrade",
            "downgrade",
            "started",
            "done",
            "read",
            "succeeded",
            "t",
            "0",
            "1",
            "-1",
            "9223372036854775807",
            "-9223372036854775808",
            "18446744073709551616",
            "1e9",
            "m1",
            "m2",
            "m3",
            "",
            " ",
            "2026-01-01T00:00:00Z",
            "99999-13-41",
            "[\"m1\"]",
            "[",
            "{}",
            "null",
            "v1",
        ])
        .prop_map(|text| Some(text.to_owned())),
        any::<String>().prop_map(Some),
        any::<i64>().prop_map(|number| Some(number.to_string())),
    ]
}

fn rows() -> impl Strategy<Value = Vec<Vec<Option<String>>>> {
    prop::collection::vec(prop::collection::vec(values(), 0..14), 0..12)
}

fn dialects() -> impl Strategy<Value = Dialect> {
    prop::sample::select(Dialect::ALL.to_vec())
}

fn graph() -> RevisionGraph {
    let revision = |id: &str, parents: &[&str]| {
        Revision::new(id, parents.iter().map(|parent| RevisionId::from(*parent)))
    };
    RevisionGraph::new(vec![
        revision("m1", &[]),
        revision("m2", &["m1"]),
        revision("m3", &["m1"]),
        revision("m4", &["m2", "m3"]),
    ])
    .expect("it is a graph")
}

fn targets() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[hm1234@+:. -]{0,12}",
        prop::collection::vec(
            prop::sample::select(vec![
                "head",
                "heads",
                "base",
                "current",
                "m1",
                "m2",
                "m4",
                "@",
                "+",
                "-",
                ":",
                "1",
                "2",
                "99999999999999999999",
                " ",
                "\u{0}",
                "é"
            ]),
            0..6
        )
        .prop_map(|parts| parts.concat()),
    ]
}

proptest! {
    #[test]
    fn no_url_gives_its_password_away(url in urls()) {
        let said = match DatabaseUrl::parse(&url) {
            Ok(parsed) => {
                // What a server or a driver may say of it.
                let told = parsed.redact(&format!("no route to {}", url.trim()));
                format!("{parsed} {parsed:?} {told}")
            }
            Err(error) => format!("{error} {error:?}"),
        };
        prop_assert!(!said.contains(SECRET), "{url} became {said}");
        prop_assert!(!redact_url(&url).contains(SECRET), "{url} became {}", redact_url(&url));
    }

    #[test]
    fn a_known_secret_is_found_in_any_text(before in any::<String>(), secret in "[^ ]{4,12}", after in any::<String>()) {
        let text = format!("{before}{secret}{after}");
        let masked = redact_secrets(&text, &[&secret]);
        // The mask itself may make up an odd one.
        prop_assert!(!masked.contains(&secret) || "***".contains(&secret) || secret.contains('*'), "{masked}");
    }

    #[test]
    fn any_rows_are_a_history_and_any_history_has_a_plan(
        rows in rows(),
        dialect in dialects(),
        target in targets(),
        upgrade in any::<bool>(),
    ) {
        let books = Bookkeeping::new(dialect, "seaql_migrations", None);
        drop((books.found_tables(&rows), books.parse_applied(&rows), books.parse_journal(&rows)));
        drop((books.parse_audit(&rows), books.parse_lease(&rows)));
        let history = books.parse_history(&rows);
        let graph = graph();
        drop(Position::of(&graph, &history, &ChecksumComparison::default()));
        let direction = if upgrade { Direction::Upgrade } else { Direction::Downgrade };
        drop(plan(&graph, &history, direction, &target, PlanOptions::default()));
        if let Ok(target) = Target::parse(&target) {
            drop(target.resolve(&graph, &history));
        }
        drop(Range::parse(&target));
    }

    #[test]
    fn any_text_is_a_duration_or_an_error(text in prop_oneof![any::<String>(), "[0-9.]{0,30}(ms|s|m|h|)[0-9.]{0,5}(s|m|)"]) {
        if let Ok(duration) = parse_duration(&text) {
            // A clock can be added to it.
            prop_assert!(Instant::now().checked_add(duration).is_some(), "{duration:?}");
        }
    }

    #[test]
    fn any_text_is_read_as_sql(text in any::<String>(), dialect in dialects()) {
        for statement in split(&text, dialect) {
            drop(classify(statement.text, dialect));
        }
        drop((fingerprint(&text), redact_statement(&text, dialect), checksum([text.as_str()], dialect)));
    }

    #[test]
    fn a_password_in_a_statement_is_masked(
        dialect in dialects(),
        before in "[a-z]{0,5}",
        form in prop::sample::select(vec![
            "CREATE USER {} IDENTIFIED BY '{S}'",
            "ALTER ROLE {} WITH LOGIN PASSWORD '{S}'",
            "CREATE ROLE {} PASSWORD '{S}' LOGIN",
            "ALTER USER {}@localhost IDENTIFIED BY '{S}'",
            "CREATE USER MAPPING FOR {} SERVER s OPTIONS (user 'x', password '{S}')",
            "create user {} identified by \"{S}\"",
        ]),
    ) {
        // Elsewhere that is a name in quotes.
        prop_assume!(dialect == Dialect::MySql || !form.contains('"'));
        let sql = form.replace("{}", &format!("u{before}")).replace("{S}", SECRET);
        let shown = redact_statement(&sql, dialect);
        prop_assert!(!shown.contains(SECRET), "{shown}");
    }
}

#[test]
fn a_long_text_takes_no_longer_than_its_length() {
    for fragment in [
        "'",
        "\"",
        "`",
        "$$",
        "$a$",
        "/*",
        "--",
        "(",
        ")",
        ";",
        "\\",
        "[",
        "BEGIN ",
        "CASE ",
        "a,",
        "a.",
        "@",
        "%41",
        "CREATE TABLE ",
        "SELECT (",
        "/*!",
        "é",
        "E'\\'",
        "password=",
        "://x:y@",
    ] {
        let text = fragment.repeat(40_000 / fragment.len());
        for dialect in Dialect::ALL {
            let began = Instant::now();
            for statement in split(&text, dialect) {
                drop(classify(statement.text, dialect));
            }
            drop((fingerprint(&text), redact_statement(&text, dialect)));
            drop((checksum([text.as_str()], dialect), redact_url(&text)));
            drop((Target::parse(&text), DatabaseUrl::parse(&text)));
            let took = began.elapsed();
            assert!(took < LIMIT, "{fragment:?} in {dialect:?} took {took:?}");
        }
    }
}

#[test]
fn answers_settings_and_arguments_that_make_no_sense_are_refused_by_the_program_itself() {
    let strange = [
        "rename",
        "rename =",
        "rename a=b=c",
        "fill",
        "fill x",
        "fill a.b.c.d=1",
        "rename a.b=c.d.e",
        "\u{0}",
        "é=é",
        "rename \u{1b}[31m=x",
        "fill a.b='; DROP TABLE x",
        "= = =",
        "rename .=.",
        "{}",
        "%%%",
    ];
    let backend = available_backends()[0];
    let database = TestDatabase::create(backend);
    let directory = tempfile::tempdir().expect("a directory can be made");
    for (number, text) in strange.iter().enumerate() {
        let path = directory.path().join(format!("strange{number}"));
        fs::write(&path, text).expect("a file can be written");
        let path = path.display().to_string();
        for arguments in [
            vec!["create", "x", "--autogenerate", "--answers", &path],
            vec!["--config", &path, "status"],
            vec!["upgrade", text],
            vec!["history", text],
            vec!["show", text],
            vec!["downgrade", "--yes", text],
        ] {
            // A process takes no such argument.
            if arguments.iter().any(|argument| argument.contains('\0')) {
                continue;
            }
            let run = stairway().args(&arguments).database(&database).run();
            assert!((0..=5).contains(&run.code), "{arguments:?}: {run}");
            assert!(!run.stderr.contains("panicked"), "{arguments:?}: {run}");
        }
    }
    if backend == Backend::Sqlite {
        // Bytes that are no text.
        let path = directory.path().join("bytes");
        fs::write(&path, [0xff, 0xfe, 0x00, 0xc3]).expect("a file can be written");
        for option in ["--config", "--answers"] {
            let arguments = if option == "--config" {
                vec![
                    "--config".into(),
                    path.clone().into_os_string(),
                    "status".into(),
                ]
            } else {
                vec![
                    "create".into(),
                    "x".into(),
                    "--autogenerate".into(),
                    "--answers".into(),
                    path.clone().into_os_string(),
                ]
            };
            let run = stairway().args(arguments).database(&database).run();
            assert!((1..=2).contains(&run.code), "{option}: {run}");
            assert!(!run.stderr.contains("panicked"), "{option}: {run}");
        }
    }
}
