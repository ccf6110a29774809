use proptest::prelude::*;

use super::super::fingerprint::hexadecimal;
use super::super::{Dialect, redact_secrets, redact_statement, redact_url};
use super::{any_dialect, soup};

#[test]
fn a_url_keeps_all_but_its_password() {
    for (url, shown) in [
        (
            "postgres://app:s3cret@db:5432/shop",
            "postgres://app:***@db:5432/shop",
        ),
        ("postgres://app@db/shop", "postgres://app@db/shop"),
        ("postgres://:pw@db/shop", "postgres://:***@db/shop"),
        ("mysql://a:b@h1:1,h2:2/d", "mysql://a:***@h1:1,h2:2/d"),
        (
            "mysql://root@127.0.0.1:3306/test",
            "mysql://root@127.0.0.1:3306/test",
        ),
        ("postgres://db:5432/shop", "postgres://db:5432/shop"),
        ("postgres://[::1]:5432/shop", "postgres://[::1]:5432/shop"),
        (
            "postgres://a:b@[::1]:5432/shop",
            "postgres://a:***@[::1]:5432/shop",
        ),
        ("sqlite::memory:", "sqlite::memory:"),
        ("sqlite://C:/a@b.db?mode=rwc", "sqlite://C:/a@b.db?mode=rwc"),
        ("sqlite://app.db?key=abc", "sqlite://app.db?key=***"),
        ("app.db", "app.db"),
        ("", ""),
    ] {
        assert_eq!(redact_url(url), shown);
    }
}

#[test]
fn secrets_among_the_parameters_are_masked() {
    for (url, shown) in [
        (
            "postgres://db/shop?user=app&password=x%26y&sslmode=require",
            "postgres://db/shop?user=app&password=***&sslmode=require",
        ),
        (
            "postgres://db/shop?sslPassword=x&sslkey=/k.pem",
            "postgres://db/shop?sslPassword=***&sslkey=/k.pem",
        ),
        ("mysql://db/d?pass%77ord=x", "mysql://db/d?pass%77ord=***"),
        (
            "mysql://db/d?password=a&b&c=d",
            "mysql://db/d?password=***&***&c=d",
        ),
        (
            "host=db password=x user=app",
            "host=db password=*** user=app",
        ),
        (
            "host=db password = 'a \\' b' user=app",
            "host=db password = *** user=app",
        ),
        ("password=a b c user=app", "password=*** user=app"),
        ("host=db PassWord=", "host=db PassWord=***"),
    ] {
        assert_eq!(redact_url(url), shown);
    }
}

#[test]
fn a_url_that_cannot_be_read_is_masked_generously() {
    for (url, shown) in [
        (
            "postgres://app:p@ss/w?rd#x@db/shop",
            "postgres://app:***@db/shop",
        ),
        ("postgres://app:secret", "postgres://app:***"),
        ("postgres://app:secret/shop", "postgres://app:***"),
        ("app:secret@tcp(db:3306)/shop", "app:***@tcp(db:3306)/shop"),
        ("postgres:/app:secret@db/shop", "postgres:***@db/shop"),
        (
            "postgres://db/shop?password=a@b",
            "postgres://db/shop?password=***",
        ),
    ] {
        assert_eq!(redact_url(url), shown);
    }
}

#[test]
fn a_known_secret_is_found_in_every_form() {
    let secrets = ["p@ss w'rd\\1"];
    for text in [
        "p@ss w'rd\\1",
        "p%40ss%20w%27rd%5C1",
        "p%40ss+w%27rd%5c1",
        "p@ss w''rd\\1",
        "p@ss w\\'rd\\\\1",
    ] {
        assert_eq!(redact_secrets(&format!("<{text}>"), &secrets), "<***>");
    }
    assert_eq!(redact_secrets("<a b>", &["a%20b"]), "<***>");
    assert_eq!(redact_secrets("<100%41>", &["100%41"]), "<***>");
    assert_eq!(redact_secrets("<\"a\\nb\">", &["a\nb"]), "<\"***\">");
}

#[test]
fn secrets_that_overlap_leave_nothing() {
    assert_eq!(redact_secrets("xabcdex", &["abc", "cde"]), "x***x");
    assert_eq!(redact_secrets("xababax", &["aba"]), "x***x");
    assert_eq!(redact_secrets("xabcx", &["", "abc", "b"]), "x***x");
    assert_eq!(redact_secrets("nothing", &[]), "nothing");
}

#[test]
fn password_clauses_are_masked() {
    for (dialect, sql, shown) in [
        (
            Dialect::Postgres,
            "CREATE ROLE a LOGIN PASSWORD 'x' VALID UNTIL '2030-01-01'",
            "CREATE ROLE a LOGIN PASSWORD '***' VALID UNTIL '2030-01-01'",
        ),
        (
            Dialect::Postgres,
            "ALTER USER a WITH ENCRYPTED PASSWORD $$x$$",
            "ALTER USER a WITH ENCRYPTED PASSWORD '***'",
        ),
        (
            Dialect::Postgres,
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password 'x')",
            "CREATE USER MAPPING FOR a SERVER s OPTIONS (user 'u', password '***')",
        ),
        (
            Dialect::Postgres,
            "CREATE SUBSCRIPTION s CONNECTION 'host=h password=x' PUBLICATION p",
            "CREATE SUBSCRIPTION s CONNECTION '***' PUBLICATION p",
        ),
        (
            Dialect::Postgres,
            "SELECT dblink('postgres://u:x@h/d', 'SELECT 1')",
            "SELECT dblink('***', 'SELECT 1')",
        ),
        (
            Dialect::Postgres,
            "DO $a$ BEGIN EXECUTE 'ALTER USER u PASSWORD ''x'''; END $a$",
            "DO $a$ BEGIN EXECUTE '***'; END $a$",
        ),
        (
            Dialect::Postgres,
            "DO $a$ BEGIN CREATE ROLE r PASSWORD 'x'; END $a$",
            "DO $a$ BEGIN CREATE ROLE r PASSWORD '***'; END $a$",
        ),
        (
            Dialect::Postgres,
            "UPDATE t SET password_hash = E'x', name = 'y'",
            "UPDATE t SET password_hash = '***', name = 'y'",
        ),
        (
            Dialect::Postgres,
            "UPDATE t SET settings = '{\"Password\" : \"x\"}'",
            "UPDATE t SET settings = '***'",
        ),
        (
            Dialect::Postgres,
            "SELECT 1 -- password=x\n, /* postgres://a:x@h */ 2",
            "SELECT 1 -- ***\n, /* *** */ 2",
        ),
        (
            Dialect::MySql,
            "CREATE USER 'a'@'%' IDENTIFIED BY 'x' REQUIRE SSL",
            "CREATE USER 'a'@'%' IDENTIFIED BY '***' REQUIRE SSL",
        ),
        (
            Dialect::MySql,
            "ALTER USER a IDENTIFIED WITH p AS 'x' REPLACE 'x', b IDENTIFIED BY \"x\"",
            "ALTER USER a IDENTIFIED WITH p AS '***' REPLACE '***', b IDENTIFIED BY '***'",
        ),
        (
            Dialect::MySql,
            "SET PASSWORD FOR 'bob'@'%' = PASSWORD(CONCAT('x', 'x'))",
            "SET PASSWORD FOR 'bob'@'%' = PASSWORD(CONCAT('***', '***'))",
        ),
        (
            Dialect::MySql,
            "CHANGE MASTER TO MASTER_PASSWORD='x', MASTER_HOST='h'",
            "CHANGE MASTER TO MASTER_PASSWORD='***', MASTER_HOST='h'",
        ),
        (
            Dialect::MySql,
            "CREATE SERVER s OPTIONS (USER 'u', PASSWORD 'x')",
            "CREATE SERVER s OPTIONS (USER 'u', PASSWORD '***')",
        ),
        (
            Dialect::MySql,
            "SET @my_password := 'x'",
            "SET @my_password := '***'",
        ),
        (
            Dialect::MySql,
            "UPDATE t SET pin_password = 1234",
            "UPDATE t SET pin_password = '***'",
        ),
        (Dialect::Sqlite, "PRAGMA key = \"x\"", "PRAGMA key = '***'"),
        (Dialect::Sqlite, "PRAGMA key = x", "PRAGMA key = '***'"),
        (
            Dialect::Sqlite,
            "ATTACH 'f' AS d KEY 'x'",
            "ATTACH 'f' AS d KEY '***'",
        ),
    ] {
        assert_eq!(redact_statement(sql, dialect), shown);
    }
}

#[test]
fn statements_without_secrets_stay_as_they_are() {
    for sql in [
        "CREATE TABLE users (id int PRIMARY KEY, password text NOT NULL DEFAULT 'x')",
        "INSERT INTO t (name, password) VALUES ('a', 'b')",
        "COMMENT ON COLUMN t.password IS 'The hash'",
        "UPDATE t SET value = 'dark' WHERE key = 'theme'",
        "SELECT 'https://example.com:8080/a' -- see the password policy",
        "ALTER TABLE t ADD max_tokens int DEFAULT 4096",
    ] {
        for dialect in Dialect::ALL {
            assert_eq!(redact_statement(sql, dialect), sql);
        }
    }
}

proptest! {
    #[test]
    fn the_password_of_a_url_never_shows(password in any::<String>(), tail in "[a-z/:?=&]{0,12}") {
        let url = format!("postgres://app:{password}@db{tail}");
        let shown = redact_url(&url);
        prop_assert!(shown.starts_with("postgres://app:***@db"), "{}", shown);
        prop_assert_eq!(redact_url(&shown), shown.clone());
    }

    #[test]
    fn a_password_parameter_never_shows(password in "[^&*]*[^&* ][^&*]*") {
        let url = format!("postgres://db/shop?password={password}&x=y");
        let given = format!("={password}");
        prop_assert!(!redact_url(&url).contains(&given));
    }

    #[test]
    fn a_secret_never_stays(
        secrets in prop::collection::vec("[^*]{1,8}", 1..4),
        noise in prop::collection::vec(any::<String>(), 4),
    ) {
        let known: Vec<&str> = secrets.iter().map(String::as_str).collect();
        let text = noise.join(&secrets[0]) + &secrets.join("");
        let plain = redact_secrets(&text, &known);
        for secret in &secrets {
            prop_assert!(!plain.contains(secret.as_str()), "{:?} in {:?}", secret, plain);
        }
    }

    #[test]
    fn an_encoded_secret_never_stays(secret in "[a-zA-Z%@/ '\"\\\\é]{1,8}", percent in any::<bool>()) {
        let encoded: String = if percent {
            let digits = hexadecimal(secret.as_bytes()).to_uppercase();
            let bytes: Vec<_> = (0..digits.len()).step_by(2).map(|at| &digits[at..at + 2]).collect();
            format!("%{}", bytes.join("%"))
        } else {
            let quoted = format!("{secret:?}");
            quoted[1..quoted.len() - 1].to_owned()
        };
        prop_assert_eq!(redact_secrets(&format!("<{encoded}>"), &[&secret]), "<***>");
    }

    #[test]
    fn a_password_literal_never_shows(
        before in any::<String>(),
        secret in "[a-z0-9]{10}",
        after in "['\"\\\\$a-z ;(),]{0,6}",
        dialect in any_dialect(),
    ) {
        let literal = dialect.quote_string(&format!("{before}{secret}{after}"));
        for sql in [
            format!("ALTER ROLE a PASSWORD {literal}"),
            format!("CREATE USER a IDENTIFIED BY {literal}"),
            format!("UPDATE t SET api_password={literal} WHERE id = 1"),
            format!("SELECT {}", dialect.quote_string(&format!("ALTER ROLE a PASSWORD {literal}"))),
        ] {
            let shown = redact_statement(&sql, dialect);
            prop_assert!(!shown.contains(&secret), "{}", shown);
        }
    }

    #[test]
    fn any_text_is_redacted(text in soup(), dialect in any_dialect()) {
        redact_url(&text);
        let once = redact_statement(&text, dialect);
        redact_statement(&once, dialect);
        redact_secrets(&text, &[&once, "a", "'"]);
    }
}
