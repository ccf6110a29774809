use super::*;
use crate::schema::ForeignKeyAction;

/// Rows as a catalogue gives them.
fn rows<const N: usize>(rows: &[[&str; N]]) -> Vec<TextRow> {
    let row = |row: &[&str; N]| row.iter().map(|cell| Some((*cell).to_owned())).collect();
    rows.iter().map(row).collect()
}

fn surroundings(version: &str) -> Surroundings {
    let server = [[version, "app", "InnoDB", "utf8mb4", "utf8mb4_0900_ai_ci"]];
    let charsets = [
        ["utf8mb4", "utf8mb4_0900_ai_ci", "4"],
        ["utf8mb3", "utf8mb3_general_ci", "3"],
        ["latin1", "latin1_swedish_ci", "1"],
        ["binary", "binary", "1"],
    ];
    Surroundings::new(rows(&server), &rows(&[["0", "1"]]), &rows(&charsets))
}

fn read_on(version: &str, sql: &str, beside: Option<&Schema>) -> Result<Schema, Unreadable> {
    let source = Source {
        origin: "a file",
        sql,
    };
    read_statements(&[source], &surroundings(version), beside, |_| false)
}

const MYSQL: &str = "8.0.36";
const MARIADB: &str = "10.11.6-MariaDB";

fn table<'s>(schema: &'s Schema, name: &str) -> &'s Table {
    &schema.tables[&ObjectName::bare(name)]
}

#[test]
fn a_table_is_read_in_the_words_of_its_server() {
    let sql = "CREATE TABLE `t` (\n  `id` int unsigned NOT NULL AUTO_INCREMENT PRIMARY KEY,\n  `a` varchar(20) \
        CHARACTER SET utf8 DEFAULT 'it''s',\n  `j` json DEFAULT (json_object('a', 'b')),\n  `at` datetime DEFAULT \
        CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP,\n  `p` int CHECK (p > 0),\n  CHECK (p <> 'x'),\n  CONSTRAINT \
        `f` FOREIGN KEY (`p`) REFERENCES `app`.`t` (`ID`) ON DELETE SET NULL\n) COMMENT 'a table';";
    let mysql = read_on(MYSQL, sql, None).expect("statements that are read");
    let t = table(&mysql, "t");
    let column = |name: &str| t.column(name).expect("a column");
    assert_eq!(column("id").column_type.text, "integer unsigned");
    assert!(!column("id").nullable && column("id").identity.is_some());
    assert_eq!(column("a").charset.as_deref(), Some("utf8mb3"));
    assert_eq!(column("a").collation.as_deref(), Some("utf8mb3_general_ci"));
    assert_eq!(column("a").default.as_deref(), Some("'it''s'"));
    assert_eq!(column("j").column_type.text, "json");
    assert_eq!(
        column("j").default.as_deref(),
        Some("(json_object('a', 'b'))")
    );
    assert_eq!(column("at").default.as_deref(), Some("CURRENT_TIMESTAMP"));
    assert_eq!(column("at").on_update.as_deref(), Some("current_timestamp"));
    let names: Vec<_> = t.checks.iter().map(|check| check.name.clone()).collect();
    assert_eq!(
        names,
        [Some("t_chk_2".to_owned()), Some("t_chk_1".to_owned())]
    );
    let key = &t.foreign_keys[0];
    assert_eq!(key.ref_table, ObjectName::bare("t"));
    assert_eq!(key.ref_columns, ["id"]);
    assert_eq!(key.on_delete, ForeignKeyAction::SetNull);
    assert_eq!(key.own_index.as_deref(), Some("f"));
    assert_eq!(t.comment.as_deref(), Some("a table"));

    let mariadb = read_on(MARIADB, sql, None).expect("statements that are read");
    let t = table(&mariadb, "t");
    assert_eq!(t.column("j").expect("a column").column_type.text, "json");
    let names: Vec<_> = t.checks.iter().map(|check| check.name.clone()).collect();
    assert_eq!(names, [Some("CONSTRAINT_1".to_owned()), None]);
}

#[test]
fn what_is_not_understood_is_as_it_is_in_the_other_schema() {
    let there = "CREATE TABLE a (id int PRIMARY KEY, n int, CONSTRAINT c CHECK (n > 1)); CREATE TABLE b (id int); \
        CREATE INDEX i ON b (id)";
    let there = read_on(MYSQL, there, None).expect("statements that are read");
    let sql = "CREATE TABLE a (id int PRIMARY KEY, n int, CONSTRAINT c CHECK (soundex(n) > 1)); CREATE TABLE b (id \
        int); CREATE INDEX i ON b ((id + 1)); CREATE VIEW v AS SELECT 1; CREATE TABLE p (id int) PARTITION BY HASH (id)";
    let schema = read_on(MYSQL, sql, Some(&there)).expect("statements that are read");
    assert_eq!(table(&schema, "a"), table(&there, "a"));
    assert_eq!(table(&schema, "b"), table(&there, "b"));
    assert_eq!(schema.tables.len(), 2, "a new table is not guessed");
    for words in ["index i: ", "view v: ", "table p: ", "a check of table a: "] {
        let mut all = schema.not_compared.iter();
        assert!(all.any(|text| text.starts_with(words)), "{words}");
    }
    // With nothing beside, a table that is not understood would count as one that is not there.
    let alone = read_on(
        MYSQL,
        "CREATE TABLE p (id int) PARTITION BY HASH (id)",
        None,
    );
    assert_eq!(
        alone.expect_err("nothing to take it from").origin,
        "table p"
    );
}

#[test]
fn what_may_reach_anything_is_refused() {
    for sql in [
        "CALL everything()",
        "RENAME TABLE a TO b",
        "DROP INDEX i ON a",
        "SET sql_mode = 'ANSI_QUOTES'",
        "SET default_storage_engine = MyISAM",
        "CREATE TABLE other.t (id int)",
        "CREATE TEMPORARY TABLE t (id int)",
        "PREPARE s FROM 'DROP TABLE a'",
    ] {
        let schema = Schema::empty(Dialect::Mysql, Server::default(), None);
        assert!(read_on(MYSQL, sql, Some(&schema)).is_err(), "{sql}");
    }
    for sql in [
        "SET NAMES utf8mb4",
        "/*!40101 SET @OLD_SQL_MODE=@@SQL_MODE, SQL_MODE='NO_AUTO_VALUE_ON_ZERO' */",
        "SET SQL_MODE = CONCAT(@@SQL_MODE, ',STRICT_ALL_TABLES')",
        "SET SQL_MODE = @OLD_SQL_MODE",
        "SET FOREIGN_KEY_CHECKS = 0",
        "/*!40014 SET FOREIGN_KEY_CHECKS=@OLD_FOREIGN_KEY_CHECKS */",
        "LOCK TABLES a WRITE",
        "INSERT INTO a VALUES (1)",
        "DROP TABLE IF EXISTS a",
        "DROP VIEW IF EXISTS v",
    ] {
        assert!(read_on(MYSQL, sql, None).is_ok(), "{sql}");
    }
}
