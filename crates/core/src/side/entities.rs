//! What the project's entities mean, as statements for a scratch database.

use std::any::Any;
use std::borrow::Cow;
use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use sea_orm::{
    ConnectionTrait, DbBackend, DbErr, ExecResult, MockDatabase, MockDatabaseTrait, MockExecResult,
    QueryResult, SchemaBuilder, Statement,
};
use stairway_plan::dialect::Dialect as SchemaDialect;
use stairway_plan::schema::Schema;
use stairway_plan::sql::Dialect;

use super::renamed::{self, Renamed};
use super::{SideError, elsewhere, script};
use crate::connection::Session;

type Describe = Arc<dyn Fn(DbBackend) -> SchemaBuilder + Send + Sync>;
type ExtraStatements = Arc<dyn Fn(DbBackend) -> Vec<String> + Send + Sync>;

/// Where the statements of the entities themselves come from, for people.
const MADE: &str = "made of the entities";

/// SQL that makes a part of what is desired.
#[derive(Debug)]
pub(super) struct Part {
    /// Where it comes from, for people.
    pub(super) origin: Cow<'static, str>,
    /// One or more statements.
    pub(super) sql: String,
}

impl Part {
    /// Whether it comes from the entities themselves.
    pub(super) fn is_made(&self) -> bool {
        self.origin == MADE
    }
}

/// A project's SeaORM entities, and what they have no words for.
///
/// ```
/// use sea_orm::{DbBackend, Schema};
/// use stairway_core::side::Entities;
///
/// let entities = Entities::new(|backend| Schema::new(backend).builder())
///     .after_tables(|backend| match backend {
///         DbBackend::Postgres => vec!["CREATE INDEX users_email_lower ON users (lower(email))".to_owned()],
///         _ => Vec::new(),
///     });
/// # drop(entities);
/// ```
#[derive(Clone)]
pub struct Entities {
    describe: Describe,
    before: Vec<ExtraStatements>,
    after: Vec<ExtraStatements>,
}

impl fmt::Debug for Entities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Entities").finish_non_exhaustive()
    }
}

impl Entities {
    /// The entities of this builder, made for the kind of database that is asked for: from sea-orm's
    /// registry or with entities registered one by one.
    pub fn new(describe: impl Fn(DbBackend) -> SchemaBuilder + Send + Sync + 'static) -> Self {
        Self {
            describe: Arc::new(describe),
            before: Vec::new(),
            after: Vec::new(),
        }
    }

    /// Declares what the tables need: extensions, domains, functions used in defaults, PostgreSQL
    /// schemas other than those that an entity names. One or more SQL statements in each text.
    #[must_use]
    pub fn before_tables<S: Into<String>>(
        mut self,
        extras: impl Fn(DbBackend) -> Vec<S> + Send + Sync + 'static,
    ) -> Self {
        let extras = move |backend| extras(backend).into_iter().map(Into::into).collect();
        self.before.push(Arc::new(extras));
        self
    }

    /// Declares what an entity has no words for and stands on its table: partial and expression
    /// indexes, checks, views, triggers, policies, comments on PostgreSQL. One or more SQL statements
    /// in each text.
    #[must_use]
    pub fn after_tables<S: Into<String>>(
        mut self,
        extras: impl Fn(DbBackend) -> Vec<S> + Send + Sync + 'static,
    ) -> Self {
        let extras = move |backend| extras(backend).into_iter().map(Into::into).collect();
        self.after.push(Arc::new(extras));
        self
    }

    /// Makes everything in the database of the session.
    pub(super) async fn make(
        session: &mut Session,
        beside: Option<&Schema>,
        parts: &[Part],
    ) -> Result<(), SideError> {
        if session.dialect() == Dialect::Postgres {
            surroundings(session, beside, parts).await?;
        }
        for part in parts {
            script::run(session, &part.origin, &part.sql).await?;
        }
        Ok(())
    }

    /// The statements that make everything in the database of that name, in order, and the tables
    /// that entities have elsewhere.
    pub(super) async fn parts(
        &self,
        dialect: Dialect,
        database: &str,
    ) -> Result<(Vec<Part>, Vec<String>), SideError> {
        let backend = backend_of(dialect);
        let declared = |extras: &[ExtraStatements], origin: &'static str| -> Vec<Part> {
            let texts = extras.iter().flat_map(|extras| extras(backend));
            let part = |sql| Part {
                origin: Cow::Borrowed(origin),
                sql,
            };
            texts.map(part).collect()
        };
        let mut parts = declared(&self.before, "declared before the entities' tables");
        let made = elsewhere::sorted(self.statements(dialect).await?, dialect, database);
        parts.extend(made.here.into_iter().map(|sql| Part {
            origin: Cow::Borrowed(MADE),
            sql,
        }));
        parts.extend(declared(&self.after, "declared after the entities' tables"));
        Ok((parts, made.elsewhere))
    }

    /// The former names of columns that the entities state. What MySQL has no form for is passed over.
    pub(super) async fn renames(&self) -> Vec<Renamed> {
        let statements = self.recorded(Dialect::MySql).await.0;
        let found = statements.iter().flat_map(|sql| renamed::taken_out(sql).0);
        found.collect()
    }

    /// The statements that sea-orm makes of the entities.
    async fn statements(&self, dialect: Dialect) -> Result<Vec<String>, SideError> {
        let (mut statements, applied) = self.recorded(dialect).await;
        applied?;
        if dialect == Dialect::MySql {
            for sql in &mut statements {
                *sql = renamed::taken_out(sql).1;
            }
        }
        // sea-orm makes an enum with a table that has it, and a table with an array of it may come
        // before that one.
        statements.sort_by_key(|sql| !sql.starts_with("CREATE TYPE"));
        Ok(statements)
    }

    /// What sea-orm sends to make the entities, as far as it came, and whether that is all.
    async fn recorded(&self, dialect: Dialect) -> (Vec<String>, Result<(), SideError>) {
        let backend = backend_of(dialect);
        let recorder = Recorder {
            backend,
            statements: Mutex::default(),
        };
        let failed = |message: String| SideError::Entities {
            dialect: match dialect {
                Dialect::Postgres => SchemaDialect::Postgres,
                Dialect::MySql => SchemaDialect::Mysql,
                Dialect::Sqlite => SchemaDialect::Sqlite,
            },
            message,
        };
        // sea-query panics where a type has no form on a database, such as arrays on MySQL.
        let applied = AssertUnwindSafe(async { (self.describe)(backend).apply(&recorder).await })
            .catch_unwind()
            .await
            .map_err(|panic| {
                failed(format!(
                    "{}: sea-orm has no form there for something that they say, such as an array, or a \
                     foreign key to an entity with a schema_name",
                    words_of(&*panic)
                ))
            })
            .and_then(|applied| applied.map_err(|error| failed(error.to_string())));
        let statements = recorder
            .statements
            .into_inner()
            .unwrap_or_else(PoisonError::into_inner);
        (statements, applied)
    }
}

/// Makes the PostgreSQL schemas that entities live in, and what the other side has around its
/// tables. An extension that this server lacks is missed by whatever needs it.
async fn surroundings(
    session: &mut Session,
    beside: Option<&Schema>,
    parts: &[Part],
) -> Result<(), SideError> {
    let quote = |name: &str| Dialect::Postgres.quote_identifier(name);
    let made = parts.iter().filter(|part| part.is_made());
    let mut namespaces: Vec<String> = made.filter_map(|part| schema_of(&part.sql)).collect();
    namespaces.extend(
        beside
            .into_iter()
            .flat_map(|schema| schema.namespaces.keys().cloned()),
    );
    for name in namespaces {
        let sql = format!("CREATE SCHEMA IF NOT EXISTS {}", quote(&name));
        script::run(session, "schemas of the entities", &sql).await?;
    }
    for (name, extension) in beside.into_iter().flat_map(|schema| &schema.extensions) {
        let sql = format!(
            "CREATE EXTENSION IF NOT EXISTS {} SCHEMA {} CASCADE",
            quote(name),
            quote(&extension.schema)
        );
        drop(session.run(sql).await);
    }
    Ok(())
}

/// The schema in `CREATE TABLE "app"."users" …`, as sea-query writes it.
fn schema_of(statement: &str) -> Option<String> {
    let rest = statement.strip_prefix("CREATE TABLE ")?;
    let rest = rest.strip_prefix("IF NOT EXISTS ").unwrap_or(rest);
    let (first, rest) = quoted(rest)?;
    rest.starts_with(".\"").then_some(first)
}

/// A quoted identifier at the beginning of a text, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    let inner = text.strip_prefix('"')?;
    let mut name = String::new();
    let mut characters = inner.char_indices();
    while let Some((at, character)) = characters.next() {
        if character != '"' {
            name.push(character);
        } else if inner[at + 1..].starts_with('"') {
            name.push('"');
            characters.next();
        } else {
            return Some((name, &inner[at + 1..]));
        }
    }
    None
}

fn backend_of(dialect: Dialect) -> DbBackend {
    match dialect {
        Dialect::Postgres => DbBackend::Postgres,
        Dialect::MySql => DbBackend::MySql,
        Dialect::Sqlite => DbBackend::Sqlite,
    }
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let words = panic.downcast_ref::<String>().map(String::as_str);
    let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
    words.unwrap_or("sea-orm panicked").to_owned()
}

/// Takes statements down instead of running them.
struct Recorder {
    backend: DbBackend,
    statements: Mutex<Vec<String>>,
}

#[async_trait::async_trait]
impl ConnectionTrait for Recorder {
    fn get_database_backend(&self) -> DbBackend {
        self.backend
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.statements
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(statement.to_string());
        // An ExecResult has no public constructor; the mock driver lends one.
        let result = MockExecResult {
            last_insert_id: 0,
            rows_affected: 0,
        };
        let mut lender = MockDatabase::new(self.backend).append_exec_results([result]);
        MockDatabaseTrait::execute(&mut lender, 0, statement)
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.execute_raw(Statement::from_string(self.backend, sql))
            .await
    }

    async fn query_one_raw(&self, _: Statement) -> Result<Option<QueryResult>, DbErr> {
        Ok(None)
    }

    async fn query_all_raw(&self, _: Statement) -> Result<Vec<QueryResult>, DbErr> {
        Ok(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_schema_of_a_table_is_read_from_its_statement() {
        for (statement, schema) in [
            (r#"CREATE TABLE "app"."users" ( "id" int )"#, Some("app")),
            (r#"CREATE TABLE IF NOT EXISTS "a""b"."c" ( )"#, Some("a\"b")),
            (r#"CREATE TABLE "users" ( "a"."b" )"#, None),
            (r#"CREATE INDEX "a"."b""#, None),
        ] {
            assert_eq!(schema_of(statement).as_deref(), schema, "{statement}");
        }
    }
}
