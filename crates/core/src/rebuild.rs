//! Making one of SQLite's tables anew, for changes that its `ALTER TABLE` can't make.

use sea_orm::sea_query::{SqliteQueryBuilder, TableCreateStatement};
use sea_orm::{ConnectionTrait, DbBackend, DbErr, Statement};
use stairway_plan::dialect::rows::TextRow;
use stairway_plan::dialect::sqlite::catalogue::{self, Answers};
use stairway_plan::dialect::sqlite::{OnFailure, Rebuild};
use stairway_plan::schema::Schema;

/// A table of SQLite as it shall be: other types, constraints, defaults, a column that takes no NULL
/// any more, whatever `ALTER TABLE` has no form for.
///
/// The rows are copied into a new table (<https://sqlite.org/lang_altertable.html>, section 7). What belongs to
/// the table stays: its indexes and triggers, the references of other tables to it, views over it,
/// the numbers of its rows and the counter of `AUTOINCREMENT`. A row that does not fit, a row too few
/// or a reference to nothing fails the whole, and nothing is changed.
///
/// ```
/// use sea_orm_migration::prelude::*;
/// use stairway_core::rebuild::TableRebuild;
///
/// #[derive(DeriveMigrationName)]
/// struct Migration;
///
/// #[async_trait::async_trait]
/// impl MigrationTrait for Migration {
///     async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
///         TableRebuild::new(
///             "CREATE TABLE users (id integer PRIMARY KEY AUTOINCREMENT, name text NOT NULL, age integer CHECK (age >= 0))",
///         )
///         .with_value("name", "coalesce(name, 'unknown')")
///         .run(manager.get_connection())
///         .await
///     }
/// }
/// ```
///
/// A migration that uses it reads the database, so that it can't be shown without one, and has no
/// checksum to compare.
#[derive(Clone, Debug)]
pub struct TableRebuild {
    create: String,
    values: Vec<(String, String)>,
}

impl TableRebuild {
    /// The table whose name stands in this `CREATE TABLE` statement shall be as it says.
    pub fn new(create: impl Into<String>) -> Self {
        Self {
            create: create.into(),
            values: Vec::new(),
        }
    }

    /// As [`Self::new`], for a statement of sea-query.
    pub fn from_statement(create: &TableCreateStatement) -> Self {
        Self::new(create.to_string(SqliteQueryBuilder))
    }

    /// What a column of the new table gets: an SQL expression over the old row. Without it, a column
    /// gets what the old column of the same name holds, and a new one its default.
    #[must_use]
    pub fn with_value(mut self, column: impl Into<String>, expression: impl Into<String>) -> Self {
        self.values.push((column.into(), expression.into()));
        self
    }

    /// Reads the catalogue, makes the table anew, copies the rows and drops the old one.
    ///
    /// Everything is sent as one text, so that it reaches one connection. Where other tables refer to
    /// the table, SQLite's `foreign_keys` must be off meanwhile, which can't be done inside a
    /// transaction: Stairway sees to that before its step begins, and so does the text itself where
    /// no transaction is open.
    ///
    /// # Errors
    /// When the database is not SQLite, there is no such table, the statement can't be read, an index
    /// needs a column that goes, or a row does not fit.
    pub async fn run<C: ConnectionTrait>(&self, connection: &C) -> Result<(), DbErr> {
        if connection.get_database_backend() != DbBackend::Sqlite {
            return Err(DbErr::Custom(
                "a table is made anew on SQLite only: use ALTER TABLE on other databases"
                    .to_owned(),
            ));
        }
        let schema = read(connection).await?;
        let rebuild = Rebuild::of_table(&schema, &self.create, &self.values)
            .map_err(|error| DbErr::Custom(error.to_string()))?;
        let statements = rebuild.statements(OnFailure::RollBack);
        connection
            .execute_unprepared(&statements.join(";\n"))
            .await
            .map(drop)
    }
}

/// The whole schema: what refers to the table may be anywhere in it.
async fn read<C: ConnectionTrait>(connection: &C) -> Result<Schema, DbErr> {
    let answers = Answers {
        version: ask(connection, catalogue::VERSION).await?,
        objects: ask(connection, catalogue::OBJECTS).await?,
        table_kinds: ask(connection, catalogue::TABLE_KINDS).await?,
        columns: ask(connection, catalogue::COLUMNS).await?,
        // For people only.
        view_columns: Vec::new(),
        indexes: ask(connection, catalogue::INDEXES).await?,
        foreign_keys: ask(connection, catalogue::FOREIGN_KEYS).await?,
    };
    Ok(catalogue::read(&answers, |_| false))
}

async fn ask<C: ConnectionTrait>(connection: &C, sql: &str) -> Result<Vec<TextRow>, DbErr> {
    let rows = connection
        .query_all_raw(Statement::from_string(DbBackend::Sqlite, sql))
        .await?;
    rows.iter()
        .map(|row| {
            (0..row.column_names().len())
                .map(|index| row.try_get_by_index::<Option<String>>(index))
                .collect()
        })
        .collect()
}
