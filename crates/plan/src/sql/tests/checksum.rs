use proptest::prelude::*;

use super::super::volatile::without_volatile;
use super::super::{Comparison, Dialect, Rendering, checksum, compare, fingerprint};
use super::{any_dialect, soup};
use crate::history::Checksum;

fn digest(statements: &[&str], dialect: Dialect) -> String {
    match checksum(statements.iter().copied(), dialect) {
        Checksum::Digest { digest, .. } => digest,
        Checksum::NotComparable { reason } => panic!("{reason}"),
    }
}

#[track_caller]
fn same(one: &str, other: &str, dialect: Dialect) {
    assert_eq!(
        digest(&[one], dialect),
        digest(&[other], dialect),
        "{one} / {other}"
    );
}

#[track_caller]
fn differs(one: &str, other: &str, dialect: Dialect) {
    assert_ne!(
        digest(&[one], dialect),
        digest(&[other], dialect),
        "{one} / {other}"
    );
}

/// Digests stay in databases for years. A change here needs another algorithm name.
#[test]
fn the_digest_of_a_statement_never_changes() {
    let statements = [
        "CREATE TABLE \"a\" (\"b\" int DEFAULT 1, c text /* note */);",
        "INSERT INTO a VALUES ($1, E'x\\'', '2026-01-02', 1735689600, $$ body $$) -- end",
    ];
    let digests: Vec<_> = Dialect::ALL
        .iter()
        .map(|dialect| digest(&statements, *dialect))
        .collect();
    insta::assert_debug_snapshot!(digests, @r#"
    [
        "fc549c54bd5e95a695d417146c48295a7640a4bbf4d14139ef1f1d3b94238644",
        "500686ad1cc3a42b2e8338207cde118677f6f5c2902fe9bb9f1e393d182d371e",
        "401f72057fa346f292c718cba8261cb2802ae23829eae3a8c1e67572c41bac19",
    ]
    "#);
    assert_eq!(
        checksum(["SELECT 1"], Dialect::Postgres),
        Checksum::Digest {
            algorithm: "sha256-statements-1".to_owned(),
            digest: digest(&["SELECT 1"], Dialect::Postgres)
        }
    );
}

#[test]
fn formatting_does_not_count() {
    for dialect in Dialect::ALL {
        same(
            "SELECT a FROM t",
            "\u{feff}SELECT\r\n  a -- the column\r\nFROM /* the table */ t ;;\n",
            dialect,
        );
        same("SELECT 'a\nb'", "SELECT 'a\r\nb'", dialect);
        same("SELECT count(*)>1", "SELECT count ( * ) > 1", dialect);
        assert_eq!(
            digest(&["SELECT 1; SELECT 2;", "-- nothing", ""], dialect),
            digest(&["SELECT 1", ";", "SELECT 2"], dialect)
        );
    }
}

#[test]
fn whatever_the_database_acts_on_counts() {
    for dialect in Dialect::ALL {
        differs("DROP TABLE a", "DROP TABLE b", dialect);
        differs("DROP TABLE a", "DROP VIEW a", dialect);
        differs("SELECT 'a b'", "SELECT 'a  b'", dialect);
        differs("SELECT 'A'", "SELECT 'a'", dialect);
        differs("SELECT 1", "SELECT 2", dialect);
        differs("SELECT 1, 2", "SELECT 12", dialect);
        differs("SELECT 1; SELECT 2", "SELECT 1 SELECT 2", dialect);
        differs("SELECT 1 a", "SELECT 1 'a'", dialect);
        assert_ne!(
            digest(&["SELECT 1", "SELECT 2"], dialect),
            digest(&["SELECT 2", "SELECT 1"], dialect)
        );
    }
    differs("SELECT $$a$$", "SELECT $$b$$", Dialect::Postgres);
    differs("SELECT /*+ SeqScan(t) */ 1", "SELECT 1", Dialect::Postgres);
    differs("SELECT 1 /*!50100 + 1 */", "SELECT 1", Dialect::MySql);
    differs("SELECT \"A\"", "SELECT \"a\"", Dialect::Postgres);
}

#[test]
fn the_case_of_words_counts_where_names_have_case() {
    same("select A from T", "SELECT a FROM t", Dialect::Postgres);
    same("select A from T", "SELECT a FROM t", Dialect::Sqlite);
    differs("SELECT a FROM T", "SELECT a FROM t", Dialect::MySql);
}

#[test]
fn what_the_clock_or_chance_made_does_not_count() {
    let again = [
        ("'2026-01-02'", "'2027-12-31'"),
        ("'2026-01-02T03:04:05.678901234Z'", "'2026-01-02T03:04:05Z'"),
        (
            "'2026-01-02 03:04:05 +00:00'",
            "'2026-01-03 13:14:15.5 -0530'",
        ),
        ("'2026-01-02 03:04:05.1 UTC'", "'2026-01-02 03:04:05.2 UTC'"),
        ("'20260102T030405Z'", "'20270102T030405Z'"),
        ("'20260102030405'", "'20260102030406'"),
        ("'02/01/2026 3:04 PM'", "'03/01/2026 4:05 PM'"),
        (
            "'Fri, 02 Jan 2026 03:04:05 +0000'",
            "'Sat, 03 January 2026 03:04:06 GMT'",
        ),
        ("'January 2, 2026'", "'Feb 13, 2026'"),
        ("'Fri Jan  2 03:04:05 2026'", "'Sat Jan 13 13:04:05 2027'"),
        ("'03:04:05.678'", "'13:04:05'"),
        ("'at 2026-01-02 by x'", "'at 2026-01-03 by x'"),
        (
            "'{\"at\":\"2026-01-02T03:04:05Z\",\"n\":1735689600123}'",
            "'{\"at\":\"2026-02-02T03:04:05Z\",\"n\":1735689600999}'",
        ),
        (
            "'0190a6f0-7b2c-7cc0-8a2e-1c5b6f7a8d90'",
            "'F47AC10B-58CC-4372-A567-0E02B2C3D479'",
        ),
        (
            "'urn:uuid:0190a6f0-7b2c-7cc0-8a2e-1c5b6f7a8d90'",
            "'urn:uuid:f47ac10b-58cc-4372-a567-0e02b2c3d479'",
        ),
        ("'9f86d081884c7d65'", "'60303ae22b998861bce3b28f33eec1be'"),
        ("'V1StGXR8_Z5jdHi6B-myT'", "'Uakgb_J5m9g-0JDMbcJqL'"),
        (
            "'dGhpcyBpcyA0MiByYW5kb20gYnl0ZXM='",
            "'q83vEjRWeJCrze8SNFZ4kKvN7xI0VniQ'",
        ),
        (
            "'01ARZ3NDEKTSV4RRFFQ69G5FAV'",
            "'01BX5ZZKBKACTAV9WEVGEMMVRZ'",
        ),
        (
            "'$2b$12$R9h/cIPz0gi.URNNX3kh2OPST9/PgBkqquzi.Ss7KIUgO2t0jWMUW'",
            "'$2b$12$EixZaYVK1fsbw1ZfbX3OXePaWxn96p36WQoeG6Lruj3vjPGga31lW'",
        ),
        ("1735689600", "1767225600"),
        ("1735689600123", "1735689600124"),
        ("1735689600.25", "1735689601.5"),
        ("1735689600123456789", "1735689600123456780"),
    ];
    for dialect in Dialect::ALL {
        for (one, other) in again {
            same(
                &format!("INSERT INTO t VALUES ({one})"),
                &format!("INSERT INTO t VALUES ({other})"),
                dialect,
            );
        }
    }
    same(
        "SELECT '\\x9f86d081884c7d659f86'",
        "SELECT '\\xaf86d081884c7d659f860a'",
        Dialect::Postgres,
    );
    same(
        "SELECT x'9f86d081884c7d659f86'",
        "SELECT x'8f86d081884c7d659f86'",
        Dialect::Sqlite,
    );
    same(
        "SELECT 0x9f86d081884c7d659f86",
        "SELECT 0x8f86d081884c7d659f86",
        Dialect::MySql,
    );
    same(
        "DO $$ SELECT '2026-01-02'; $$",
        "DO $$ SELECT '2026-01-03'; $$",
        Dialect::Postgres,
    );
}

#[test]
fn ordinary_literals_count() {
    for text in [
        "",
        "queued",
        "m20260102_120000_add_user_preferences",
        "1970-01-01",
        "1999-12-31",
        "9999-12-31",
        "2026-13-45",
        "2026-01",
        "v1.2.3",
        "09:30",
        "127.0.0.1:5432",
        "application/octet-stream",
        "path/to/Some/File2.txt",
        "TrainingRunMetricsV2Table",
        "getHTTPResponseCode2Name",
        "deadbeef",
        "0000000000000000",
        "abcdefghijklmnopqrstuvwxyz",
        "12345678901",
        "0123456789",
        "9999999999",
        "$1",
        "é2026x",
    ] {
        assert_eq!(without_volatile(text), text);
    }
    for (one, other) in [
        ("100", "200"),
        ("0", "1"),
        ("999999999", "999999998"),
        ("0.5", "0.25"),
    ] {
        differs(
            &format!("SELECT {one}"),
            &format!("SELECT {other}"),
            Dialect::Postgres,
        );
    }
}

#[test]
fn a_comparison_says_edited_only_when_it_can_tell() {
    let dialect = Dialect::Postgres;
    let rendering = |sql: &str| Rendering::Statements(vec![sql.to_owned()]);
    let stored = rendering("SELECT 1").checksum(dialect);
    assert_eq!(
        compare(&stored, &rendering("select 1 -- x"), dialect),
        Comparison::Same
    );
    assert_eq!(
        compare(&stored, &rendering("SELECT 2"), dialect),
        Comparison::Edited
    );
    assert_eq!(
        compare(&stored, &Rendering::Statements(Vec::new()), dialect),
        Comparison::Edited
    );
    let unavailable = Rendering::Unavailable {
        reason: "it reads the database".to_owned(),
    };
    assert_eq!(
        compare(&stored, &unavailable, dialect),
        Comparison::NotComparable("it reads the database".to_owned())
    );
    assert_eq!(
        compare(
            &unavailable.checksum(dialect),
            &rendering("SELECT 1"),
            dialect
        ),
        Comparison::NotComparable("it reads the database".to_owned())
    );
    let other = Checksum::Digest {
        algorithm: "sha256-statements-0".to_owned(),
        digest: digest(&["SELECT 1"], dialect),
    };
    insta::assert_debug_snapshot!(compare(&other, &rendering("SELECT 1"), dialect), @r#"
    NotComparable(
        "its checksum was made with `sha256-statements-0`, this version compares `sha256-statements-1`",
    )
    "#);
}

#[test]
fn a_fingerprint_is_exact() {
    assert_eq!(fingerprint(" SELECT 1\n"), fingerprint("SELECT 1"));
    assert_ne!(fingerprint("SELECT 1"), fingerprint("SELECT  1"));
    assert_ne!(
        fingerprint("SELECT '2026-01-02'"),
        fingerprint("SELECT '2026-01-03'")
    );
    insta::assert_snapshot!(fingerprint("SELECT 1"), @"e004ebd5b5532a4b85984a62f8ad48a8");
}

#[test]
fn long_literals_take_time_in_proportion() {
    for part in ["a", "-a", "$a", "2026-", "1 ", "$", "A1b", "0190a6f0-"] {
        let text = part.repeat(100_000);
        without_volatile(&text);
        digest(&[&format!("SELECT '{text}'")], Dialect::Postgres);
    }
}

/// Tokens whose order matters and that stay apart.
fn words() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-z]{1,8}|'[a-z ;-]{0,6}'|[0-9]{1,3}|[(),=<]", 1..12)
}

proptest! {
    #[test]
    fn blanks_and_comments_never_count(
        words in words(),
        gaps in prop::collection::vec(
            prop::sample::select(vec![" ", "\n", "\t \r\n", " /* ; ' */ ", " -- it's\n"]),
            12,
        ),
        dialect in any_dialect(),
    ) {
        let plain = words.join(" ");
        let spaced: String = words
            .iter()
            .zip(&gaps)
            .flat_map(|(word, gap)| [gap, word.as_str()])
            .collect();
        prop_assert_eq!(digest(&[&plain], dialect), digest(&[&format!("{spaced} ; ")], dialect));
    }

    #[test]
    fn another_word_always_counts(words in words(), at in any::<prop::sample::Index>(), dialect in any_dialect()) {
        let mut edited = words.clone();
        let at = at.index(edited.len());
        edited[at] = "another_word".to_owned();
        prop_assert_ne!(digest(&[&words.join(" ")], dialect), digest(&[&edited.join(" ")], dialect));
    }

    #[test]
    fn moments_and_ids_of_this_century_never_count(
        seconds in 1_000_000_000_i64..4_102_444_800,
        nanoseconds in 0_u32..1_000_000_000,
        id in any::<u128>(),
        dialect in any_dialect(),
    ) {
        let moment = chrono::DateTime::from_timestamp(seconds, nanoseconds).unwrap();
        let statement = |moment: chrono::DateTime<chrono::Utc>, id: u128| {
            let id = format!("{id:032x}");
            let uuid = format!("{}-{}-{}-{}-{}", &id[..8], &id[8..12], &id[12..16], &id[16..20], &id[20..]);
            format!(
                "INSERT INTO t VALUES ('{moment}', '{}', '{}', '{}', '{}', '{}', {}, {}, {}, {}, '{uuid}', '{}')",
                moment.to_rfc3339(),
                moment.to_rfc2822(),
                moment.naive_utc(),
                moment.date_naive(),
                moment.time(),
                moment.timestamp(),
                moment.timestamp_millis(),
                moment.timestamp_micros(),
                moment.timestamp_nanos_opt().unwrap(),
                moment.format("%c"),
            )
        };
        let other = chrono::DateTime::from_timestamp(1_735_689_600, 5).unwrap();
        prop_assert_eq!(
            digest(&[&statement(moment, id)], dialect),
            digest(&[&statement(other, 7)], dialect)
        );
    }

    #[test]
    fn any_text_has_a_checksum(text in soup(), dialect in any_dialect()) {
        prop_assert_eq!(digest(&[&text], dialect).len(), 64);
        let once = without_volatile(&text).into_owned();
        prop_assert_eq!(without_volatile(&once), once.as_str());
        prop_assert_eq!(fingerprint(&text).len(), 32);
    }
}
