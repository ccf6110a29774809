use proptest::prelude::*;

use super::super::statement::StatementKind as Kind;
use super::super::{Dialect, ObjectKind, ObjectName, SettingScope, Statement, classify};
use super::{any_dialect, soup};

const PG: Dialect = Dialect::Postgres;
const MY: Dialect = Dialect::MySql;
const LITE: Dialect = Dialect::Sqlite;

#[track_caller]
fn kinds(dialect: Dialect, cases: &[(&str, Kind)]) {
    for (sql, expected) in cases {
        assert_eq!(classify(sql, dialect).kind, *expected, "{dialect}: {sql}");
    }
}

/// The names of the affected objects, with their kinds where they are no tables.
fn affects(sql: &str, dialect: Dialect) -> String {
    let names: Vec<_> = classify(sql, dialect)
        .affects
        .into_iter()
        .map(|object| match object.kind {
            ObjectKind::Table => object.name.to_string(),
            kind => format!("{kind:?} {}", object.name),
        })
        .collect();
    names.join(", ")
}

#[test]
fn queries_are_reads() {
    for dialect in Dialect::ALL {
        for sql in [
            "SELECT 1",
            "-- note\n/* note */ (select 1) union (select 2)",
            "((SELECT 1))",
            "VALUES (1)",
            "WITH a AS (SELECT 1), b AS (SELECT 2) SELECT * FROM a",
            "WITH RECURSIVE a(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a) SELECT n FROM a",
            "EXPLAIN SELECT 1",
            "EXPLAIN UPDATE t SET a = 1",
        ] {
            let statement = classify(sql, dialect);
            assert!(
                statement.is_read() && statement.returns_rows(),
                "{dialect}: {sql}"
            );
        }
    }
    for (dialect, sql) in [
        (PG, "TABLE t"),
        (PG, "SHOW server_version"),
        (PG, "EXPLAIN (ANALYZE false, VERBOSE) DELETE FROM t"),
        (PG, "EXPLAIN (SELECT 1)"),
        (PG, "COPY t TO STDOUT"),
        (PG, "COPY (SELECT 1) TO STDOUT"),
        (PG, "SELECT update FROM t WHERE (update)"),
        (PG, "EXPLAIN ANALYZE SELECT 1"),
        (MY, "SHOW TABLES"),
        (MY, "DESCRIBE t"),
        (MY, "SELECT 1 INTO @x"),
        (MY, "SELECT INSERT('a', 1, 1, 'b'), REPLACE('a', 'b', 'c')"),
        (MY, "/*!50100 SELECT 1 */"),
        (MY, "SET STATEMENT max_statement_time=1 FOR SELECT 1"),
        (MY, "ANALYZE FORMAT=JSON SELECT 1"),
        (MY, "CHECKSUM TABLE t"),
        (LITE, "PRAGMA table_info(t)"),
        (LITE, "PRAGMA main.foreign_keys"),
        (LITE, "PRAGMA user_version;"),
        (LITE, "EXPLAIN QUERY PLAN DELETE FROM t"),
    ] {
        assert!(classify(sql, dialect).is_read(), "{dialect}: {sql}");
    }
}

#[test]
fn row_changes_are_no_reads_however_they_are_wrapped() {
    let changes: [(Dialect, &str, Kind); 22] = [
        (
            PG,
            "INSERT INTO t VALUES (1)",
            Kind::Insert { returning: false },
        ),
        (
            PG,
            "INSERT INTO t SELECT 1 RETURNING id",
            Kind::Insert { returning: true },
        ),
        (
            PG,
            "UPDATE ONLY t SET a = (SELECT 1)",
            Kind::Update { returning: false },
        ),
        (
            PG,
            "DELETE FROM t RETURNING *",
            Kind::Delete { returning: true },
        ),
        (
            PG,
            "MERGE INTO t USING s ON true WHEN MATCHED THEN DELETE",
            Kind::Merge { returning: false },
        ),
        (
            PG,
            "WITH a AS (SELECT 1) INSERT INTO t SELECT * FROM a",
            Kind::Insert { returning: false },
        ),
        (
            PG,
            "WITH a AS (DELETE FROM t RETURNING *) SELECT * FROM a",
            Kind::Delete { returning: true },
        ),
        (
            PG,
            "WITH a AS MATERIALIZED (UPDATE t SET b = 1 RETURNING b), c AS (SELECT 1) TABLE a",
            Kind::Update { returning: true },
        ),
        (
            PG,
            "SELECT * FROM (WITH a AS (INSERT INTO t VALUES (1) RETURNING a) SELECT * FROM a) x",
            Kind::Insert { returning: true },
        ),
        (
            PG,
            "EXPLAIN ANALYZE UPDATE t SET a = 1",
            Kind::Update { returning: false },
        ),
        (
            PG,
            "EXPLAIN (COSTS off, ANALYZE) DELETE FROM t",
            Kind::Delete { returning: false },
        ),
        (
            PG,
            "COPY (DELETE FROM t RETURNING *) TO STDOUT",
            Kind::Delete { returning: true },
        ),
        (PG, "COPY t (a, b) FROM stdin", Kind::LoadData),
        (
            MY,
            "INSERT IGNORE INTO t VALUES (1)",
            Kind::Insert { returning: false },
        ),
        (
            MY,
            "INSERT INTO t VALUES (JSON_VALUE('{}', '$' RETURNING int))",
            Kind::Insert { returning: false },
        ),
        (
            MY,
            "REPLACE INTO t VALUES (1)",
            Kind::Replace { returning: false },
        ),
        (
            MY,
            "ANALYZE UPDATE t SET a = 1",
            Kind::Update { returning: false },
        ),
        (
            MY,
            "EXPLAIN ANALYZE DELETE FROM t",
            Kind::Delete { returning: false },
        ),
        (
            MY,
            "LOAD DATA LOCAL INFILE 'x' REPLACE INTO TABLE t",
            Kind::LoadData,
        ),
        (
            MY,
            "SET STATEMENT a=1 FOR DELETE FROM t",
            Kind::Delete { returning: false },
        ),
        (
            LITE,
            "INSERT OR REPLACE INTO t VALUES (1)",
            Kind::Insert { returning: false },
        ),
        (
            LITE,
            "UPDATE OR IGNORE t SET a = 1 RETURNING a",
            Kind::Update { returning: true },
        ),
    ];
    for (dialect, sql, kind) in changes {
        let statement = classify(sql, dialect);
        assert_eq!(statement.kind, kind, "{sql}");
        assert!(statement.is_data_change() && !statement.is_read());
        assert_eq!(statement.table, Some(ObjectName::new("t")), "{sql}");
        assert!(statement.affects.is_empty());
    }
}

#[test]
fn a_select_into_makes_a_table_in_postgres() {
    let statement = classify("WITH x AS (SELECT 1) SELECT * INTO TEMP TABLE t FROM x", PG);
    assert_eq!(statement.kind, Kind::CreateTable);
    assert!(statement.temporary && statement.is_ddl());
    assert_eq!(affects("SELECT 1 INTO a.b", PG), "a.b");
}

#[test]
fn several_statements_are_not_taken_for_the_first() {
    for dialect in Dialect::ALL {
        let statement = classify("SELECT 1; DROP TABLE t", dialect);
        assert_eq!(statement.kind, Kind::Several);
        assert!(!statement.is_read() && statement.is_opaque());
        assert_eq!(classify("SELECT 1; -- end", dialect).kind, Kind::Query);
        assert_eq!(classify(" -- nothing\n;", dialect).kind, Kind::Empty);
    }
    assert!(classify("SELECT 1; SELECT 2", MY).commits_implicitly(MY));
}

#[test]
fn names_are_those_of_the_catalogue() {
    let target = |sql: &str, dialect| classify(sql, dialect).target.map(|name| name.to_string());
    let table = |sql: &str| target(sql, PG).unwrap_or_default();
    assert_eq!(table("CREATE TABLE Users (id int)"), "users");
    assert_eq!(table("CREATE TABLE \"Users\" (id int)"), "Users");
    assert_eq!(
        table("CREATE TABLE IF NOT EXISTS App . \"a\"\"b\" (id int)"),
        "app.a\"b"
    );
    assert_eq!(table("ALTER TABLE db.app.t ADD a int"), "app.t");
    assert_eq!(table("ALTER TABLE IF EXISTS ONLY t ADD a int"), "t");
    assert_eq!(
        table("CREATE TABLE U&\"d\\0061t\\+000061\" (a int)"),
        "data"
    );
    assert_eq!(
        table(&format!("CREATE TABLE {} (a int)", "a".repeat(70))),
        "a".repeat(63)
    );
    assert_eq!(
        target("CREATE TABLE Users (id int)", MY).as_deref(),
        Some("Users")
    );
    assert_eq!(
        target("CREATE TABLE `a``b`.2fa (id int)", MY).as_deref(),
        Some("a`b.2fa")
    );
    assert_eq!(
        target("CREATE TABLE \"T\" (id int)", MY).as_deref(),
        Some("T")
    );
    assert_eq!(
        target("CREATE TABLE [a b] (id)", LITE).as_deref(),
        Some("a b")
    );
    assert_eq!(
        target("CREATE VIRTUAL TABLE 't' USING fts5(a)", LITE).as_deref(),
        Some("t")
    );
}

#[test]
fn indexes_are_told_apart() {
    let index = |unique, concurrently, if_not_exists| Kind::CreateIndex {
        unique,
        concurrently,
        if_not_exists,
    };
    kinds(
        PG,
        &[
            ("CREATE INDEX i ON t (a)", index(false, false, false)),
            ("CREATE UNIQUE INDEX i ON t (a)", index(true, false, false)),
            (
                "CREATE INDEX CONCURRENTLY ON t (a)",
                index(false, true, false),
            ),
            (
                "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON ONLY s.t USING gin (a)",
                index(true, true, true),
            ),
            (
                "DROP INDEX CONCURRENTLY IF EXISTS i",
                Kind::DropIndex { concurrently: true },
            ),
            (
                "REINDEX (VERBOSE, CONCURRENTLY) TABLE t",
                Kind::Reindex { concurrently: true },
            ),
            (
                "REINDEX (CONCURRENTLY off) TABLE t",
                Kind::Reindex {
                    concurrently: false,
                },
            ),
            (
                "REINDEX INDEX CONCURRENTLY i",
                Kind::Reindex { concurrently: true },
            ),
            ("ALTER INDEX i RENAME TO j", Kind::AlterIndex),
        ],
    );
    let statement = classify("CREATE INDEX CONCURRENTLY IF NOT EXISTS I ON s.t (a)", PG);
    assert_eq!(statement.target, Some(ObjectName::in_schema("s", "i")));
    assert_eq!(statement.table, Some(ObjectName::in_schema("s", "t")));
    assert!(statement.if_not_exists);
    assert_eq!(affects("CREATE INDEX i ON s.t (a)", PG), "s.t, Index s.i");
    assert_eq!(affects("CREATE INDEX ON t (a)", PG), "t");
    assert_eq!(
        affects("CREATE UNIQUE INDEX m.i ON t (a)", LITE),
        "t, Index m.i"
    );
    assert_eq!(
        affects("CREATE FULLTEXT INDEX i USING BTREE ON d.t (a)", MY),
        "d.t"
    );
    assert_eq!(affects("DROP INDEX i ON t ALGORITHM=INPLACE", MY), "t");
    assert_eq!(
        affects("DROP INDEX a, s.b CASCADE", PG),
        "Index a, Index s.b"
    );
}

#[test]
fn the_objects_that_tell_whether_a_statement_was_done_are_all_named() {
    for (dialect, sql, expected) in [
        (MY, "CREATE TABLE IF NOT EXISTS t (a int)", "t"),
        (MY, "CREATE OR REPLACE TABLE t LIKE u", "t"),
        (
            MY,
            "ALTER ONLINE TABLE d.t ADD COLUMN a int, ADD INDEX (a)",
            "d.t",
        ),
        (
            MY,
            "ALTER TABLE t RENAME INDEX a TO b, RENAME COLUMN c TO d",
            "t",
        ),
        (MY, "ALTER TABLE t ADD a int, RENAME d.u", "t, d.u"),
        (MY, "ALTER TABLE t RENAME AS u", "t, u"),
        (
            MY,
            "ALTER TABLE t EXCHANGE PARTITION p WITH TABLE u",
            "t, u",
        ),
        (MY, "RENAME TABLE a TO b, d.c TO d.e", "a, b, d.c, d.e"),
        (MY, "RENAME TABLE a WAIT 5 TO b", "a, b"),
        (MY, "DROP TABLE IF EXISTS a, d.b CASCADE", "a, d.b"),
        (MY, "DROP VIEW v, w", "View v, View w"),
        (
            MY,
            "CREATE DEFINER=root@localhost SQL SECURITY INVOKER VIEW v AS SELECT 1",
            "View v",
        ),
        (
            MY,
            "CREATE ALGORITHM=MERGE DEFINER='a'@'%' VIEW v AS SELECT 1",
            "View v",
        ),
        (
            MY,
            "CREATE DEFINER=CURRENT_USER() TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a=1",
            "Trigger g",
        ),
        (MY, "CREATE PROCEDURE p() BEGIN END", "Procedure p"),
        (
            MY,
            "CREATE AGGREGATE FUNCTION f RETURNS STRING SONAME 'x'",
            "Function f",
        ),
        (MY, "CREATE SCHEMA s", "Database s"),
        (MY, "ALTER DATABASE CHARACTER SET utf8mb4", ""),
        (MY, "TRUNCATE TABLE t", ""),
        (MY, "UPDATE t SET a = 1", ""),
        (MY, "GRANT SELECT ON t TO u", ""),
        (PG, "ALTER TABLE s.t RENAME TO u", "s.t, s.u"),
        (PG, "ALTER TABLE t RENAME a TO b", "t"),
        (PG, "ALTER TABLE t SET SCHEMA s", "t, s.t"),
        (
            PG,
            "ALTER TABLE t ATTACH PARTITION p FOR VALUES IN (1)",
            "t, p",
        ),
        (PG, "ALTER TYPE a RENAME TO b", "Type a, Type b"),
        (PG, "ALTER TYPE a RENAME VALUE 'x' TO 'y'", "Type a"),
        (
            PG,
            "DROP FUNCTION f(int, text), s.g(a int) CASCADE",
            "Function f, Function s.g",
        ),
        (PG, "DROP TRIGGER g ON t", "Trigger g"),
        (PG, "CREATE SCHEMA AUTHORIZATION joe", "Schema joe"),
        (
            PG,
            "CREATE MATERIALIZED VIEW IF NOT EXISTS v AS SELECT 1",
            "MaterializedView v",
        ),
        (PG, "CREATE UNLOGGED TABLE t (a int)", "t"),
        (PG, "CREATE FOREIGN TABLE t (a int) SERVER s", "t"),
        (
            PG,
            "CREATE OPERATOR CLASS c DEFAULT FOR TYPE int USING btree AS STORAGE int",
            "",
        ),
        (
            PG,
            "CREATE EXTENSION IF NOT EXISTS \"uuid-ossp\"",
            "Extension uuid-ossp",
        ),
        (LITE, "ALTER TABLE t RENAME COLUMN a TO b", "t"),
        (LITE, "ALTER TABLE t RENAME TO u", "t, u"),
        (LITE, "DROP TABLE t", "t"),
    ] {
        assert_eq!(affects(sql, dialect), expected, "{dialect}: {sql}");
    }
    let trigger = classify(
        "CREATE TRIGGER g AFTER UPDATE OF a, b ON s.t EXECUTE FUNCTION f()",
        PG,
    );
    assert_eq!(trigger.table, Some(ObjectName::in_schema("s", "t")));
}

#[test]
fn definitions_are_told_apart() {
    kinds(
        PG,
        &[
            ("CREATE TYPE e AS ENUM ('a')", Kind::CreateType),
            ("CREATE DOMAIN d AS int", Kind::CreateType),
            (
                "ALTER TYPE e ADD VALUE IF NOT EXISTS 'b' BEFORE 'a'",
                Kind::AlterType { add_value: true },
            ),
            (
                "ALTER TYPE e ADD ATTRIBUTE a int",
                Kind::AlterType { add_value: false },
            ),
            ("DROP TYPE e", Kind::DropType),
            (
                "CREATE OR REPLACE RECURSIVE VIEW v (a) AS SELECT 1",
                Kind::CreateView {
                    materialized: false,
                },
            ),
            (
                "DROP MATERIALIZED VIEW v",
                Kind::DropView { materialized: true },
            ),
            (
                "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
                Kind::RefreshView { concurrently: true },
            ),
            (
                "CREATE CONSTRAINT TRIGGER g AFTER INSERT ON t EXECUTE FUNCTION f()",
                Kind::Create(ObjectKind::Trigger),
            ),
            (
                "CREATE EVENT TRIGGER g ON ddl_command_end EXECUTE FUNCTION f()",
                Kind::Create(ObjectKind::Other),
            ),
            (
                "CREATE TRUSTED PROCEDURAL LANGUAGE l",
                Kind::Create(ObjectKind::Other),
            ),
            (
                "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
                Kind::Create(ObjectKind::Function),
            ),
            ("CREATE SEQUENCE s", Kind::Create(ObjectKind::Sequence)),
            ("CREATE POLICY p ON t", Kind::Create(ObjectKind::Policy)),
            ("CREATE USER u", Kind::Create(ObjectKind::Role)),
            (
                "CREATE USER MAPPING FOR u SERVER s",
                Kind::Create(ObjectKind::Other),
            ),
            ("DROP SCHEMA s CASCADE", Kind::Drop(ObjectKind::Schema)),
            ("COMMENT ON TABLE t IS 'x'", Kind::Comment),
            ("GRANT SELECT ON t TO u", Kind::Grant),
            ("REVOKE SELECT ON t FROM u", Kind::Revoke),
            ("TRUNCATE ONLY t", Kind::TruncateTable),
            ("CREATE TABLE t AS SELECT 1", Kind::CreateTable),
            ("CREATE", Kind::Create(ObjectKind::Other)),
        ],
    );
    for (dialect, sql) in [
        (PG, "ALTER TYPE e ADD VALUE 'b'"),
        (PG, "COMMENT ON TABLE t IS 'x'"),
        (MY, "RENAME TABLE a TO b"),
        (
            LITE,
            "CREATE TRIGGER t AFTER INSERT ON a BEGIN SELECT 1; SELECT 2; END",
        ),
    ] {
        assert!(classify(sql, dialect).is_ddl(), "{sql}");
    }
    assert!(!classify("DROP PREPARE s", MY).is_ddl());
}

#[test]
fn transaction_control_is_recognised_in_every_spelling() {
    kinds(
        PG,
        &[
            ("BEGIN ISOLATION LEVEL SERIALIZABLE", Kind::Begin),
            ("START TRANSACTION READ ONLY", Kind::Begin),
            ("COMMIT", Kind::Commit { chain: false }),
            ("END TRANSACTION", Kind::Commit { chain: false }),
            ("COMMIT AND CHAIN", Kind::Commit { chain: true }),
            ("COMMIT WORK AND NO CHAIN", Kind::Commit { chain: false }),
            ("ABORT", Kind::Rollback { chain: false }),
            ("ROLLBACK AND CHAIN", Kind::Rollback { chain: true }),
            ("ROLLBACK WORK TO SAVEPOINT s", Kind::RollbackTo),
            ("ROLLBACK TO s", Kind::RollbackTo),
            ("SAVEPOINT s", Kind::Savepoint),
            ("RELEASE s", Kind::Release),
            (
                "PREPARE TRANSACTION 'x'",
                Kind::TwoPhase {
                    ends_transaction: true,
                },
            ),
            (
                "COMMIT PREPARED 'x'",
                Kind::TwoPhase {
                    ends_transaction: false,
                },
            ),
            ("SET TRANSACTION READ ONLY", Kind::SetTransaction),
            ("SET CONSTRAINTS ALL DEFERRED", Kind::SetTransaction),
            ("LOCK TABLE t IN SHARE MODE", Kind::LockTables),
        ],
    );
    kinds(
        MY,
        &[
            ("BEGIN WORK", Kind::Begin),
            ("START TRANSACTION WITH CONSISTENT SNAPSHOT", Kind::Begin),
            ("START SLAVE", Kind::Administer),
            ("SET autocommit = 0", Kind::SetAutocommit { on: false }),
            (
                "SET @@session.autocommit := ON",
                Kind::SetAutocommit { on: true },
            ),
            (
                "SET names utf8mb4, SESSION autocommit = off",
                Kind::SetAutocommit { on: false },
            ),
            (
                "SET GLOBAL autocommit = 0",
                Kind::Set {
                    scope: SettingScope::Global,
                },
            ),
            (
                "XA COMMIT 'x'",
                Kind::TwoPhase {
                    ends_transaction: true,
                },
            ),
            ("LOCK TABLES t WRITE, u READ", Kind::LockTables),
            ("UNLOCK TABLES", Kind::UnlockTables),
            ("BEGIN NOT ATOMIC SELECT 1; SELECT 2; END", Kind::Do),
        ],
    );
    kinds(
        LITE,
        &[
            ("BEGIN IMMEDIATE TRANSACTION", Kind::Begin),
            ("END", Kind::Commit { chain: false }),
            ("ROLLBACK TRANSACTION TO SAVEPOINT s", Kind::RollbackTo),
            ("RELEASE SAVEPOINT s", Kind::Release),
        ],
    );
    let ends = |sql| classify(sql, PG).ends_transaction();
    assert!(ends("COMMIT") && ends("ROLLBACK") && ends("PREPARE TRANSACTION 'x'"));
    assert!(!ends("ROLLBACK TO s") && !ends("RELEASE s") && !ends("PREPARE s AS SELECT 1"));
    assert!(classify("COMMIT AND CHAIN", PG).begins_transaction());
}

#[test]
fn settings_tell_how_far_they_reach() {
    let session = Kind::Set {
        scope: SettingScope::Session,
    };
    let local = Kind::Set {
        scope: SettingScope::Transaction,
    };
    for (dialect, sql, kind, setting) in [
        (PG, "SET search_path TO a, b", session, Some("search_path")),
        (
            PG,
            "SET SESSION lock_timeout = '1s'",
            session,
            Some("lock_timeout"),
        ),
        (
            PG,
            "SET LOCAL lock_timeout = '1s'",
            local,
            Some("lock_timeout"),
        ),
        (PG, "SET TIME ZONE 'UTC'", session, Some("timezone")),
        (PG, "SET SCHEMA 'a'", session, Some("search_path")),
        (PG, "SET my.Setting = 1", session, Some("my.setting")),
        (PG, "RESET ALL", session, Some("all")),
        (PG, "SET ROLE joe", Kind::SetRole, None),
        (PG, "RESET ROLE", Kind::SetRole, None),
        (
            PG,
            "SET SESSION AUTHORIZATION joe",
            Kind::SetSessionAuthorization,
            None,
        ),
        (PG, "DISCARD ALL", Kind::Discard, None),
        (MY, "SET SESSION sql_mode = ''", session, Some("sql_mode")),
        (
            MY,
            "SET @@foreign_key_checks = 0",
            session,
            Some("foreign_key_checks"),
        ),
        (MY, "/*!40101 SET NAMES utf8 */", session, Some("names")),
        (
            MY,
            "SET @old = 1",
            Kind::Set {
                scope: SettingScope::UserVariable,
            },
            Some("@old"),
        ),
        (
            MY,
            "SET PERSIST max_connections = 1",
            Kind::Set {
                scope: SettingScope::Global,
            },
            Some("max_connections"),
        ),
        (MY, "SET TRANSACTION READ ONLY", Kind::SetTransaction, None),
        (MY, "USE other", Kind::Use, None),
        (
            LITE,
            "PRAGMA foreign_keys = ON",
            Kind::PragmaWrite,
            Some("foreign_keys"),
        ),
        (
            LITE,
            "PRAGMA main.user_version(3)",
            Kind::PragmaWrite,
            Some("user_version"),
        ),
        (LITE, "PRAGMA optimize", Kind::PragmaWrite, Some("optimize")),
    ] {
        let statement = classify(sql, dialect);
        assert_eq!(statement.kind, kind, "{sql}");
        assert_eq!(statement.setting.as_deref(), setting, "{sql}");
        let passes = kind == local
            || kind == Kind::SetTransaction
            || matches!(
                kind,
                Kind::Set {
                    scope: SettingScope::Global
                }
            );
        assert_eq!(statement.changes_session(), !passes, "{sql}");
    }
    let by_function = classify("SELECT pg_catalog.set_config('search_path', '', false)", PG);
    assert!(by_function.changes_session() && !by_function.is_read());
}

#[test]
fn mysql_commits_implicitly_as_its_manual_says() {
    let commits = |sql: &str| classify(sql, MY).commits_implicitly(MY);
    for sql in [
        "ALTER TABLE t ADD a int",
        "CREATE TABLE t (a int)",
        "CREATE TABLE IF NOT EXISTS t (a int)",
        "CREATE TABLE t AS SELECT 1",
        "DROP TABLE IF EXISTS t",
        "RENAME TABLE a TO b",
        "RENAME USER a TO b",
        "TRUNCATE t",
        "CREATE INDEX i ON t (a)",
        "DROP INDEX i ON t",
        "CREATE VIEW v AS SELECT 1",
        "ALTER VIEW v AS SELECT 1",
        "DROP VIEW v",
        "CREATE TRIGGER g BEFORE INSERT ON t FOR EACH ROW SET @a = 1",
        "DROP TRIGGER g",
        "CREATE PROCEDURE p() SELECT 1",
        "ALTER FUNCTION f COMMENT 'x'",
        "DROP FUNCTION f",
        "CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1",
        "ALTER EVENT e DISABLE",
        "CREATE DATABASE d",
        "ALTER DATABASE d CHARACTER SET utf8mb4",
        "CREATE SEQUENCE s",
        "CREATE TEMPORARY SEQUENCE s",
        "CREATE SERVER s FOREIGN DATA WRAPPER mysql OPTIONS (HOST 'x')",
        "CREATE USER u",
        "CREATE ROLE r",
        "CREATE TABLESPACE s ADD DATAFILE 'x'",
        "CREATE SPATIAL REFERENCE SYSTEM 1 NAME 'x' DEFINITION 'y'",
        "GRANT SELECT ON t TO u",
        "REVOKE SELECT ON t FROM u",
        "SET PASSWORD = 'x'",
        "SET DEFAULT ROLE NONE",
        "BEGIN",
        "START TRANSACTION",
        "SET autocommit = 1",
        "LOCK TABLES t WRITE",
        "UNLOCK TABLES",
        "ANALYZE LOCAL TABLE t",
        "CHECK TABLE t",
        "OPTIMIZE NO_WRITE_TO_BINLOG TABLE t",
        "REPAIR TABLE t",
        "CACHE INDEX t IN c",
        "LOAD INDEX INTO CACHE t",
        "FLUSH TABLES",
        "RESET MASTER",
        "CHANGE MASTER TO MASTER_HOST = 'x'",
        "STOP REPLICA",
        "INSTALL PLUGIN p SONAME 'x'",
        "UNINSTALL SONAME 'x'",
        "BACKUP STAGE START",
        "SET STATEMENT max_statement_time = 1 FOR CREATE TABLE t (a int)",
    ] {
        assert!(commits(sql), "{sql}");
        assert!(!classify(sql, MY).commits_implicitly(PG), "{sql}");
    }
    for sql in [
        "CREATE TEMPORARY TABLE t (a int)",
        "CREATE OR REPLACE TEMPORARY TABLE t (a int)",
        "DROP TEMPORARY TABLE IF EXISTS t",
        "CREATE TEMPORARY TABLE t AS SELECT 1",
        "INSERT INTO t VALUES (1)",
        "SELECT 1",
        "SAVEPOINT s",
        "SET autocommit = 0",
        "SET ROLE NONE",
        "SET GLOBAL max_connections = 1",
        "RESET PERSIST",
        "USE d",
        "CHECKSUM TABLE t",
        "ANALYZE SELECT 1",
        "LOAD DATA INFILE 'x' INTO TABLE t",
        "CALL p()",
        "DROP PREPARE s",
        "PREPARE s FROM 'SELECT 1'",
        "BEGIN NOT ATOMIC SELECT 1; END",
        "XA START 'x'",
    ] {
        assert!(!commits(sql), "{sql}");
    }
}

#[test]
fn what_cannot_run_in_a_transaction_is_known() {
    let outside =
        |sql: &str, dialect| classify(sql, dialect).runs_outside_transaction_only(dialect);
    for sql in [
        "CREATE INDEX CONCURRENTLY i ON t (a)",
        "DROP INDEX CONCURRENTLY i",
        "REINDEX TABLE CONCURRENTLY t",
        "REINDEX (CONCURRENTLY) INDEX i",
        "REINDEX SCHEMA public",
        "REINDEX DATABASE d",
        "VACUUM",
        "VACUUM (ANALYZE) t",
        "CREATE DATABASE d",
        "DROP DATABASE IF EXISTS d WITH (FORCE)",
        "ALTER DATABASE d SET TABLESPACE s",
        "CREATE TABLESPACE s LOCATION '/x'",
        "DROP TABLESPACE s",
        "ALTER SYSTEM SET work_mem = '4MB'",
        "ALTER TABLE t DETACH PARTITION p CONCURRENTLY",
        "CLUSTER",
        "CLUSTER VERBOSE",
        "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p",
        "ALTER SUBSCRIPTION s REFRESH PUBLICATION",
        "DROP SUBSCRIPTION s",
        "COMMIT PREPARED 'x'",
        "DISCARD ALL",
    ] {
        assert!(outside(sql, PG), "{sql}");
    }
    for sql in [
        "CREATE INDEX i ON t (a)",
        "CREATE INDEX concurrently_done ON t (a)",
        "REINDEX TABLE t",
        "REFRESH MATERIALIZED VIEW CONCURRENTLY v",
        "CLUSTER t USING i",
        "ANALYZE",
        "ALTER DATABASE d SET work_mem = '4MB'",
        "ALTER TABLE t SET TABLESPACE s",
        "ALTER TABLE t DETACH PARTITION p",
        "ALTER TABLE t DETACH PARTITION p FINALIZE",
        "ALTER TYPE e ADD VALUE 'b'",
        "CREATE SUBSCRIPTION s CONNECTION 'host=x' PUBLICATION p WITH (slot_name = none, create_slot = false)",
        "DISCARD PLANS",
        "CHECKPOINT",
    ] {
        assert!(!outside(sql, PG), "{sql}");
    }
    for sql in [
        "VACUUM",
        "VACUUM INTO 'x'",
        "PRAGMA foreign_keys = ON",
        "PRAGMA main.journal_mode = WAL",
        "PRAGMA synchronous(1)",
    ] {
        assert!(outside(sql, LITE), "{sql}");
    }
    for sql in [
        "PRAGMA foreign_keys",
        "PRAGMA defer_foreign_keys = ON",
        "PRAGMA user_version = 1",
        "ATTACH 'x' AS y",
    ] {
        assert!(!outside(sql, LITE), "{sql}");
    }
    assert!(!outside("CREATE DATABASE d", MY));
}

#[test]
fn what_a_text_does_not_tell_is_said_to_be_opaque() {
    for sql in [
        "DO $$ BEGIN END $$",
        "CALL p()",
        "EXECUTE s",
        "LISTEN c",
        "nonsense",
    ] {
        let statement: Statement = classify(sql, PG);
        assert!(statement.is_opaque() && !statement.is_read(), "{sql}");
    }
}

proptest! {
    #[test]
    fn any_text_is_classified(sql in soup(), dialect in any_dialect()) {
        let statement = classify(&sql, dialect);
        let roles = [
            statement.is_read(),
            statement.is_opaque(),
            statement.is_ddl(),
            statement.ends_transaction(),
        ];
        prop_assert!(roles.into_iter().filter(|role| *role).count() <= 1);
    }

    #[test]
    fn comments_and_case_do_not_change_what_a_statement_is(
        sql in prop::sample::select(vec![
            "CREATE UNIQUE INDEX i ON t (a)",
            "ALTER TABLE t ADD a int",
            "WITH x AS (SELECT 1) INSERT INTO t SELECT 1 FROM x",
            "SELECT a FROM t",
            "ROLLBACK TO SAVEPOINT s",
            "SET autocommit = 1",
        ]),
        dialect in any_dialect(),
    ) {
        let spaced = format!("-- ;\n{}", sql.to_lowercase().replace(' ', " /* ; */\n\t"));
        prop_assert_eq!(classify(&spaced, dialect).kind, classify(sql, dialect).kind);
    }
}
