//! MariaDB's catalogue shows `?` in place of characters of four bytes, and of bytes that are no text.
//! What is read is what is there, and stays there when a column is written anew.

use stairway_core::compare::{CompareOptions, Side, Source, compare};
use stairway_core::inspect::InspectOptions;
use stairway_plan::diff::Answers;
use stairway_plan::schema::{ObjectName, Schema};

use crate::databases::{Backend, Database};
use crate::reading::{PASSWORD, as_user, name_of};

const STATEMENTS: [&str; 6] = [
    "CREATE TABLE t (id int PRIMARY KEY, a varchar(20) DEFAULT '😀é ''?', b varchar(10) DEFAULT (concat('😀', 'x')), \
     c varchar(10) GENERATED ALWAYS AS (concat(a, '😀')) VIRTUAL, d varbinary(8) DEFAULT x'00ff', \
     e varchar(9) DEFAULT 'what?', f varchar(10) CHECK (f <> '😀'), g int, h enum('😀', 'b') DEFAULT '😀', \
     CONSTRAINT smile CHECK (a <> '😀'), KEY ka (a))",
    "CREATE TABLE `plain ?` (a varchar(10) DEFAULT 'x', b varchar(10) DEFAULT (concat('why', '????')))",
    "CREATE VIEW v AS SELECT id, '😀' AS x FROM t WHERE a <> '😀' WITH CASCADED CHECK OPTION",
    "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW SET @x = '😀?'",
    "CREATE FUNCTION f(p varchar(10)) RETURNS varchar(20) CHARACTER SET utf8mb4 DETERMINISTIC RETURN concat(p, '😀')",
    "CREATE PROCEDURE f(p varchar(10)) SELECT '😀'",
];

async fn read(url: &str) -> Schema {
    let source = Source::Url(url.to_owned());
    let side = Side::open(&source, &InspectOptions::default())
        .await
        .expect("a schema");
    let schema = side.schema().clone();
    side.close().await;
    schema
}

fn default_of<'s>(schema: &'s Schema, table: &str, column: &str) -> &'s str {
    let table = &schema.tables[&ObjectName::bare(table)];
    let column = table.column(column).expect("a column");
    column.default.as_deref().expect("a default")
}

#[tokio::test]
async fn characters_of_four_bytes_are_read_and_survive_a_change() {
    let backend = Backend::Mysql;
    if !backend.is_available() {
        eprintln!("no {} server to test on", backend.name());
        return;
    }
    let database = Database::create(backend).await;
    let wanted = Database::create(backend).await;
    let statements = STATEMENTS.map(str::to_owned);
    database.run(&statements).await.expect("statements");
    wanted.run(&statements).await.expect("statements");
    let changes = [
        "ALTER TABLE t MODIFY COLUMN a varchar(40) DEFAULT '😀é ''?' COMMENT 'new'",
        "ALTER TABLE t MODIFY COLUMN b varchar(11) DEFAULT (concat('😀', 'x'))",
        "ALTER TABLE t MODIFY COLUMN d varbinary(9) DEFAULT x'00ff'",
        "ALTER TABLE t MODIFY COLUMN f varchar(12) CHECK (f <> '😀')",
    ]
    .map(str::to_owned);
    wanted.run(&changes).await.expect("changes");

    let schema = read(&database.url).await;
    let table = &schema.tables[&ObjectName::bare("t")];
    let generated = table
        .column("c")
        .and_then(|column| column.generated.clone());
    let checks: Vec<&str> = table
        .checks
        .iter()
        .map(|check| check.expression.as_str())
        .collect();
    let texts = [
        schema
            .views
            .values()
            .map(|view| view.definition.clone())
            .collect(),
        table
            .triggers
            .values()
            .map(|trigger| trigger.definition.clone())
            .collect(),
        schema
            .functions
            .values()
            .map(|function| function.definition.clone())
            .collect::<String>(),
    ];

    let sources = [&database, &wanted].map(|database| Source::Url(database.url.clone()));
    let options = CompareOptions::default();
    let answers = Answers::new();
    let difference = compare(&sources[0], &sources[1], &options, &answers).await;
    let difference = difference.expect("a comparison");
    let script = difference.script();
    let ran = database.run_script(&script);
    let again = compare(&sources[0], &sources[1], &options, &answers).await;
    let kept = database.run_script(
        "SET NAMES utf8mb4; INSERT INTO t (id) VALUES (1); SELECT a, b, hex(d), e FROM t;",
    );
    let user = format!("{}_r", name_of(&database).replace("stairway_schema", "sw"));
    let made = format!("CREATE USER '{user}' IDENTIFIED BY '{PASSWORD}'");
    let name = name_of(&database);
    let granted = format!("GRANT INSERT, INDEX ON `{name}`.* TO '{user}'");
    let user_made = database.run(&[made, granted]).await;
    let by_other = read(&as_user(&database, &user)).await;
    let dropped = database.run(&[format!("DROP USER '{user}'")]).await;
    database.drop().await;
    wanted.drop().await;

    assert_eq!(default_of(&schema, "t", "a"), "'😀é ''?'");
    assert_eq!(default_of(&schema, "t", "b"), "concat('😀','x')");
    assert_eq!(default_of(&schema, "t", "d"), "x'00FF'");
    assert_eq!(default_of(&schema, "t", "e"), "'what?'");
    assert_eq!(default_of(&schema, "t", "h"), "'😀'");
    assert_eq!(default_of(&schema, "plain ?", "b"), "concat('why','????')");
    let generated = generated.expect("an expression").expression;
    assert_eq!(generated, "concat(`a`,'😀')");
    assert_eq!(checks, ["`a` <> '😀'", "`f` <> '😀'"]);
    for text in &texts {
        assert!(text.contains('😀'), "{text}");
        assert!(!text.contains("????"), "{text}");
    }
    let doubtful = |schema: &Schema| -> Vec<String> {
        let all = schema.not_compared.iter();
        all.filter(|text| text.contains("`?`")).cloned().collect()
    };
    assert_eq!(
        doubtful(&schema),
        [
            "the values of column t.h: a `?` in it may stand for a character that the catalogue of MariaDB can't show"
        ]
    );
    assert!(difference.changes.len() >= 5, "{script}");
    ran.expect(&script);
    assert!(again.expect("a comparison").is_empty(), "after {script}");
    assert_eq!(kept.expect("a row"), "😀é '?\t😀x\t00FF\twhat?\n");
    user_made.expect("a user");
    dropped.expect("no user");
    // Who may not ask for more is told what is in doubt.
    let doubts = doubtful(&by_other);
    let is_told = |part: &str| doubts.iter().any(|doubt| doubt.contains(part));
    assert!(is_told("the default of column t.a"), "{doubts:?}");
}
