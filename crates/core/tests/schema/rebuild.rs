//! A table of SQLite made anew by a migration: what belongs to it stays, and what does not fit changes
//! nothing.

use sea_orm::{ConnectionTrait, Database as SeaDatabase, DbErr, Statement};
use sea_orm_migration::prelude::*;
use sea_orm_migration::{MigrationTrait, MigratorTraitSelf};
use stairway_core::rebuild::TableRebuild;
use stairway_core::{Config, Manager, MigrationSet};

use crate::databases::{Backend, Database};

/// A table with everything that hangs on one.
const BEFORE: &[&str] = &[
    "CREATE TABLE teams (id integer PRIMARY KEY)",
    "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, name text, age text, team integer REFERENCES teams (id))",
    "CREATE UNIQUE INDEX users_name ON users (lower(name)) WHERE name IS NOT NULL",
    "CREATE TABLE posts (id integer PRIMARY KEY, author integer NOT NULL REFERENCES users (id) ON DELETE CASCADE)",
    "CREATE TABLE log (line text)",
    "CREATE TRIGGER users_log AFTER UPDATE ON users BEGIN INSERT INTO log VALUES (old.name || ' to ' || new.name); END",
    "CREATE VIEW adults AS SELECT u.name, p.id FROM users u JOIN posts p ON p.author = u.id WHERE u.age >= 18",
    "INSERT INTO teams VALUES (1)",
    "INSERT INTO users VALUES (1, 'Ada', '36', 1), (2, NULL, '20', NULL), (9, 'Zed', '7', 1)",
    "DELETE FROM users WHERE id = 9",
    "INSERT INTO posts VALUES (10, 1), (11, 2)",
];

const AFTER: &str = "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL, \
     age integer NOT NULL CHECK (users.age >= 0), team integer REFERENCES teams (id), active boolean DEFAULT TRUE);";

struct Rebuilding(TableRebuild);

impl MigrationName for Rebuilding {
    fn name(&self) -> &'static str {
        "m1_rebuild"
    }
}

#[async_trait::async_trait]
impl MigrationTrait for Rebuilding {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        self.0.run(manager.get_connection()).await
    }
}

struct Migrator(TableRebuild);

#[async_trait::async_trait]
impl MigratorTraitSelf for Migrator {
    fn migrations(&self) -> Vec<Box<dyn MigrationTrait>> {
        vec![Box::new(Rebuilding(self.0.clone()))]
    }
}

async fn before() -> Database {
    let database = Database::create(Backend::Sqlite).await;
    let statements: Vec<String> = BEFORE.iter().map(ToString::to_string).collect();
    database.run(&statements).await.expect("it is a schema");
    database
}

/// The first column of every row, joined.
async fn look(database: &Database, sql: &str) -> String {
    let connection = SeaDatabase::connect(&database.url)
        .await
        .expect("it is there");
    let rows = connection
        .query_all_raw(Statement::from_string(sea_orm::DbBackend::Sqlite, sql))
        .await
        .expect("it is a query");
    let texts = rows.iter().map(|row| {
        let value: Option<String> = row.try_get_by_index(0).expect("it is text");
        value.unwrap_or_else(|| "NULL".to_owned())
    });
    texts.collect::<Vec<_>>().join(", ")
}

async fn upgrade(database: &Database, rebuild: TableRebuild) -> Result<(), String> {
    let set =
        MigrationSet::from_migrator_self(&Migrator(rebuild)).expect("one revision is a graph");
    let manager = Manager::new(set, Config::new(&database.url).expect("it is a URL"));
    let run = manager.upgrade("head").await;
    run.map(drop).map_err(|error| error.to_string())
}

fn rebuild() -> TableRebuild {
    TableRebuild::new(AFTER)
        .with_value("name", "coalesce(name, 'unknown')")
        .with_value("AGE", "CAST(age AS integer)")
}

/// Everything that a rebuild by hand loses easily.
async fn assert_rebuilt(database: &Database) {
    let all = "SELECT id || ':' || name || ':' || age || ':' || typeof(age) || ':' || coalesce(team, '-') || ':' || active \
               FROM users ORDER BY id";
    assert_eq!(
        look(database, all).await,
        "1:Ada:36:integer:1:1, 2:unknown:20:integer:-:1"
    );
    let posts = "SELECT CAST(id AS text) FROM posts ORDER BY id";
    assert_eq!(
        look(database, posts).await,
        "10, 11",
        "nothing was deleted by the cascade"
    );
    assert_eq!(
        look(database, "SELECT name FROM adults ORDER BY 1").await,
        "Ada, unknown"
    );
    let refers = "SELECT \"table\" FROM pragma_foreign_key_list('posts')";
    assert_eq!(
        look(database, refers).await,
        "users",
        "the reference follows no other name"
    );
    let of_users = "SELECT name FROM sqlite_master WHERE tbl_name = 'users' AND type IN ('index', 'trigger') ORDER BY name";
    assert_eq!(look(database, of_users).await, "users_log, users_name");
    let counter = "SELECT CAST(seq AS text) FROM sqlite_sequence WHERE name = 'users'";
    assert_eq!(
        look(database, counter).await,
        "9",
        "no number is given twice"
    );
    let left = "SELECT name FROM sqlite_master WHERE name LIKE '%before_rebuild%'";
    assert_eq!(look(database, left).await, "");
}

#[tokio::test]
async fn what_belongs_to_a_table_stays_when_a_migration_makes_it_anew() {
    let database = before().await;
    upgrade(&database, rebuild()).await.expect("it fits");
    assert_rebuilt(&database).await;
    database.drop().await;
}

#[tokio::test]
async fn it_works_on_a_connection_of_sea_orm_as_well() {
    let database = before().await;
    let connection = SeaDatabase::connect(&database.url)
        .await
        .expect("it is there");
    rebuild().run(&connection).await.expect("it fits");
    connection.close().await.expect("it closes");
    assert_rebuilt(&database).await;
    database.drop().await;
}

#[tokio::test]
async fn what_does_not_fit_is_named_and_changes_nothing() {
    let database = before().await;
    let everything = "SELECT group_concat(type || name || coalesce(sql, ''), ';') FROM sqlite_master \
                      WHERE name NOT LIKE '%seaql%' AND name NOT LIKE '%stairway%' AND name NOT LIKE 'sqlite_autoindex%'";
    let untouched = look(&database, everything).await;
    let refused = [
        (
            TableRebuild::new(AFTER),
            "NOT NULL constraint failed: users.name",
        ),
        (
            rebuild().with_value("nope", "1"),
            "users gets no column nope that takes a value",
        ),
        (
            TableRebuild::new("CREATE TABLE people (id integer)"),
            "there is no table people",
        ),
        (
            TableRebuild::new("CREATE TABLE users id integer"),
            "the new statement can't be read",
        ),
        (
            TableRebuild::new(
                "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, name text, team integer REFERENCES teams (ident))",
            ),
            "foreign key mismatch",
        ),
        (
            TableRebuild::new(
                "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, age text, team integer)",
            ),
            "no such column: name",
        ),
    ];
    for (rebuild, why) in refused {
        let error = upgrade(&database, rebuild).await.expect_err(why);
        assert!(error.contains(why), "{why}: {error}");
        assert_eq!(look(&database, everything).await, untouched, "{why}");
        let names = look(&database, "SELECT name FROM users ORDER BY id").await;
        assert_eq!(names, "Ada, NULL", "{why}");
    }
    let index = vec!["CREATE INDEX by_age ON users (age)".to_owned()];
    database.run(&index).await.expect("it is an index");
    let error = upgrade(
        &database,
        TableRebuild::new("CREATE TABLE users (id integer PRIMARY KEY, name text)"),
    )
    .await
    .expect_err("an index needs the column");
    assert!(
        error.contains("index by_age needs the column age"),
        "{error}"
    );
    database.drop().await;
}

#[tokio::test]
async fn other_databases_have_alter_table() {
    for backend in [Backend::Postgres, Backend::Mysql] {
        if !backend.is_available() {
            continue;
        }
        let database = Database::create(backend).await;
        let connection = SeaDatabase::connect(&database.url)
            .await
            .expect("it is there");
        let error = rebuild()
            .run(&connection)
            .await
            .expect_err("it is not SQLite");
        assert!(error.to_string().contains("use ALTER TABLE"), "{error}");
        drop(connection.close().await);
        database.drop().await;
    }
}
