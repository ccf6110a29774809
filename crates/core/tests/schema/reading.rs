//! Reading a schema needs no right but to read, and what the reader has set changes nothing.

use serde_json::Value;
use stairway_core::compare::{Side, Source};
use stairway_core::inspect::{Connection, InspectOptions, inspect};

use crate::databases::{Backend, Database};

pub(crate) const PASSWORD: &str = "only-for-reading";

async fn read(url: &str) -> Value {
    let source = Source::Url(url.to_owned());
    let side = Side::open(&source, &InspectOptions::default())
        .await
        .expect("a schema");
    let schema = serde_json::to_value(side.schema()).expect("JSON");
    side.close().await;
    schema
}

pub(crate) fn name_of(database: &Database) -> String {
    let path = database.url.rsplit('/').next().unwrap_or_default();
    path.split('?').next().unwrap_or_default().to_owned()
}

/// The database's URL for another user.
pub(crate) fn as_user(database: &Database, user: &str) -> String {
    let (scheme, rest) = database.url.split_once("://").expect("a URL");
    let host = rest.rsplit_once('@').map_or(rest, |(_, host)| host);
    format!("{scheme}://{user}:{PASSWORD}@{host}")
}

const TABLES: [&str; 3] = [
    "CREATE TABLE p (id integer NOT NULL PRIMARY KEY, code varchar(10) DEFAULT 'x' UNIQUE)",
    "CREATE TABLE c (id integer NOT NULL PRIMARY KEY, p_id integer, CONSTRAINT ck CHECK (p_id > 0), \
     CONSTRAINT fk FOREIGN KEY (p_id) REFERENCES p (id) ON DELETE CASCADE)",
    "CREATE INDEX ix ON c (p_id, id)",
];

#[tokio::test]
async fn who_may_only_read_sees_the_same_on_postgres() {
    if !Backend::Postgres.is_available() {
        return;
    }
    let database = Database::create(Backend::Postgres).await;
    let user = format!("{}_reader", name_of(&database));
    let mut statements: Vec<String> = TABLES.map(str::to_owned).to_vec();
    statements.extend([
        "CREATE TYPE mood AS ENUM ('a', 'b')".to_owned(),
        "CREATE VIEW v AS SELECT id FROM c WHERE p_id > 1".to_owned(),
        "CREATE FUNCTION f(a integer) RETURNS integer LANGUAGE sql AS 'SELECT a'".to_owned(),
        "CREATE TABLE s (id serial PRIMARY KEY, m mood DEFAULT 'a', g integer GENERATED ALWAYS AS \
         (1 + 1) STORED)"
            .to_owned(),
        "CREATE SEQUENCE alone".to_owned(),
        "COMMENT ON TABLE c IS 'a comment'".to_owned(),
        format!("CREATE ROLE {user} LOGIN PASSWORD '{PASSWORD}'"),
        format!("GRANT SELECT ON ALL TABLES IN SCHEMA public TO {user}"),
    ]);
    database.run(&statements).await.expect("run statements");
    let all = read(&database.url).await;
    let seen = read(&as_user(&database, &user)).await;
    let clean = [format!("DROP OWNED BY {user}"), format!("DROP ROLE {user}")];
    database.run(&clean).await.expect("run statements");
    database.drop().await;
    assert_eq!(seen, all);
}

#[tokio::test]
async fn who_may_only_read_sees_the_same_tables_on_mysql() {
    if !Backend::Mysql.is_available() {
        return;
    }
    let database = Database::create(Backend::Mysql).await;
    let name = name_of(&database);
    let user = format!("{name}_reader");
    let mut statements: Vec<String> = TABLES.map(str::to_owned).to_vec();
    statements.extend([
        "CREATE TABLE s (id integer NOT NULL AUTO_INCREMENT PRIMARY KEY, j json, u timestamp NOT NULL \
         DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP COMMENT 'a comment')"
            .to_owned(),
        format!("CREATE USER '{user}'@'%' IDENTIFIED BY '{PASSWORD}'"),
        format!("GRANT SELECT ON {name}.* TO '{user}'@'%'"),
    ]);
    database.run(&statements).await.expect("run statements");
    let all = read(&database.url).await;
    let seen = read(&as_user(&database, &user)).await;
    let clean = [format!("DROP USER '{user}'@'%'")];
    database.run(&clean).await.expect("run statements");
    database.drop().await;
    assert_eq!(seen["tables"], all["tables"]);
}

#[tokio::test]
async fn a_file_opened_for_reading_alone_shows_the_same_on_sqlite() {
    let database = Database::create(Backend::Sqlite).await;
    let statements = TABLES.map(str::to_owned);
    database.run(&statements).await.expect("run statements");
    let all = read(&database.url).await;
    let seen = read(&format!("{}?mode=ro", database.url)).await;
    database.drop().await;
    assert_eq!(seen, all);
    assert!(all.to_string().contains("ON DELETE") || all.to_string().contains("cascade"));
}

#[tokio::test]
async fn the_search_path_of_the_reader_changes_nothing() {
    if !Backend::Postgres.is_available() {
        return;
    }
    let database = Database::create(Backend::Postgres).await;
    let mut statements: Vec<String> = TABLES.map(str::to_owned).to_vec();
    statements.extend([
        "CREATE SCHEMA odd".to_owned(),
        "CREATE TYPE odd.mood AS ENUM ('a')".to_owned(),
        "CREATE TABLE odd.p (id integer PRIMARY KEY, m odd.mood DEFAULT 'a')".to_owned(),
        "CREATE VIEW v AS SELECT odd.p.m, public.p.code FROM odd.p, public.p".to_owned(),
    ]);
    database.run(&statements).await.expect("run statements");
    let usual = read(&database.url).await;
    let path = format!(
        "ALTER DATABASE {} SET search_path = odd, public",
        name_of(&database)
    );
    database.run(&[path]).await.expect("run statements");
    let other = read(&database.url).await;
    database.drop().await;
    assert_eq!(other, usual);
}

/// What the session that reads has made for itself alone is no part of the schema.
async fn temporary_objects_are_left_alone(backend: Backend, temporary: &[&'static str]) {
    if !backend.is_available() {
        return;
    }
    let database = Database::create(backend).await;
    database
        .run(&TABLES.map(str::to_owned))
        .await
        .expect("run statements");
    let options = InspectOptions::default();
    let mut connection = Connection::open(&database.url).await.expect("a connection");
    let usual = inspect(&mut connection, &options).await.expect("a schema");
    for statement in temporary {
        let made = match &mut connection {
            Connection::Postgres(c) => sqlx::raw_sql(*statement).execute(c).await.map(drop),
            Connection::Mysql(c) => sqlx::raw_sql(*statement).execute(c).await.map(drop),
            Connection::Sqlite(c) => sqlx::raw_sql(*statement).execute(c).await.map(drop),
        };
        made.expect("run statements");
    }
    let with_temporary = inspect(&mut connection, &options).await.expect("a schema");
    // Nor does anybody else see it.
    let others = read(&database.url).await;
    connection.close().await.expect("a goodbye");
    database.drop().await;
    assert_eq!(with_temporary, usual);
    assert_eq!(others, serde_json::to_value(usual).expect("JSON"));
}

#[tokio::test]
async fn temporary_objects_are_left_alone_on_postgres() {
    let temporary = [
        "CREATE TEMP TABLE t (id serial PRIMARY KEY, p_id integer CHECK (p_id > 0))",
        "CREATE INDEX t_by_p ON t (p_id)",
        // One that hides a table of the schema.
        "CREATE TEMP TABLE p (other text)",
        "CREATE TEMP VIEW w AS SELECT id FROM c",
        "CREATE TEMP SEQUENCE s",
        "CREATE TYPE pg_temp.mood AS ENUM ('a')",
        "CREATE FUNCTION pg_temp.f() RETURNS integer LANGUAGE sql AS 'SELECT 1'",
    ];
    temporary_objects_are_left_alone(Backend::Postgres, &temporary).await;
}

#[tokio::test]
async fn temporary_objects_are_left_alone_on_mysql() {
    let temporary = [
        "CREATE TEMPORARY TABLE t (id integer NOT NULL AUTO_INCREMENT PRIMARY KEY, code varchar(10) UNIQUE)",
        "CREATE TEMPORARY TABLE p (other text)",
    ];
    temporary_objects_are_left_alone(Backend::Mysql, &temporary).await;
}

#[tokio::test]
async fn temporary_objects_are_left_alone_on_sqlite() {
    let temporary = [
        "CREATE TEMP TABLE t (id integer PRIMARY KEY, code text UNIQUE)",
        "CREATE INDEX temp.t_by_code ON t (code)",
        "CREATE TEMP TABLE p (other text)",
        "CREATE TEMP VIEW w AS SELECT id FROM c",
        "CREATE TEMP TRIGGER g AFTER INSERT ON c BEGIN SELECT 1; END",
    ];
    temporary_objects_are_left_alone(Backend::Sqlite, &temporary).await;
}
