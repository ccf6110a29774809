use std::future::Future;
use std::sync::LazyLock;
use std::thread;
use std::time::Duration;

use sqlx::{AssertSqlSafe, Column, Connection, Row, TypeInfo, ValueRef};
use sqlx::{MySqlConnection, PgConnection, SqliteConnection};
use stairway_test_servers::Backend;
use tokio::runtime::{Builder, Runtime};

/// Rows of a result, each value as text, NULL as `None`. Binary values are hexadecimal with `0x`
/// before them.
pub type Rows = Vec<Vec<Option<String>>>;

/// A statement of a test that takes longer will never end.
const DEADLINE: Duration = Duration::from_mins(2);

/// One open connection: for tests that hold a transaction or a lock. Statements go to the database
/// as they are, without being prepared.
#[derive(Debug)]
pub struct Session(Driver);

#[derive(Debug)]
enum Driver {
    Sqlite(SqliteConnection),
    Postgres(PgConnection),
    MySql(MySqlConnection),
}

impl Session {
    /// Connects to the database at `url`.
    ///
    /// # Errors
    /// What the driver says, or that two minutes have passed.
    pub fn try_open(backend: Backend, url: &str) -> sqlx::Result<Self> {
        block_on(async {
            Ok(Self(match backend {
                Backend::Sqlite => Driver::Sqlite(SqliteConnection::connect(url).await?),
                Backend::Postgres => Driver::Postgres(PgConnection::connect(url).await?),
                Backend::MySql => Driver::MySql(MySqlConnection::connect(url).await?),
            }))
        })
    }

    /// Runs the statements in `sql`, which semicolons separate, and returns the rows of all of them.
    ///
    /// # Errors
    /// What the database says about the first statement that fails, or that two minutes have passed.
    pub fn try_rows(&mut self, sql: &str) -> sqlx::Result<Rows> {
        let sql = sqlx::raw_sql(AssertSqlSafe(sql));
        block_on(async {
            match &mut self.0 {
                Driver::Sqlite(connection) => sql
                    .fetch_all(connection)
                    .await?
                    .iter()
                    .map(sqlite_row)
                    .collect(),
                Driver::Postgres(connection) => sql
                    .fetch_all(connection)
                    .await?
                    .iter()
                    .map(postgres_row)
                    .collect(),
                Driver::MySql(connection) => sql
                    .fetch_all(connection)
                    .await?
                    .iter()
                    .map(mysql_row)
                    .collect(),
            }
        })
    }

    /// As [`Session::try_rows`].
    ///
    /// # Panics
    /// A statement fails.
    #[track_caller]
    pub fn rows(&mut self, sql: &str) -> Rows {
        // Not a closure: the message is to name the test's line.
        match self.try_rows(sql) {
            Ok(rows) => rows,
            Err(error) => panic!("{error}\nin: {sql}"),
        }
    }

    /// Runs the statements in `sql` for what they do.
    ///
    /// # Panics
    /// A statement fails.
    #[track_caller]
    pub fn execute(&mut self, sql: &str) {
        self.rows(sql);
    }
}

fn sqlite_row(row: &sqlx::sqlite::SqliteRow) -> sqlx::Result<Vec<Option<String>>> {
    row.columns()
        .iter()
        .map(|column| {
            let value = row.try_get_raw(column.ordinal())?;
            if value.is_null() {
                Ok(None)
            } else if value.type_info().name() == "BLOB" {
                row.try_get_unchecked(column.ordinal())
                    .map(|bytes: Vec<u8>| Some(hexadecimal(&bytes)))
            } else {
                // SQLite itself turns numbers into text where text is asked for.
                row.try_get_unchecked(column.ordinal()).map(Some)
            }
        })
        .collect()
}

fn postgres_row(row: &sqlx::postgres::PgRow) -> sqlx::Result<Vec<Option<String>>> {
    row.columns()
        .iter()
        .map(|column| {
            let value = row.try_get_raw(column.ordinal())?;
            if value.is_null() {
                return Ok(None);
            }
            // Results of statements that are not prepared come as text.
            let text = value.as_str().map_err(sqlx::Error::Decode)?;
            Ok(Some(if value.type_info().name() == "BYTEA" {
                text.replacen("\\x", "0x", 1)
            } else {
                text.to_owned()
            }))
        })
        .collect()
}

fn mysql_row(row: &sqlx::mysql::MySqlRow) -> sqlx::Result<Vec<Option<String>>> {
    row.columns()
        .iter()
        .map(|column| {
            // Results of statements that are not prepared come as text.
            let bytes: Option<Vec<u8>> = row.try_get_unchecked(column.ordinal())?;
            Ok(bytes.map(|bytes| {
                String::from_utf8(bytes).unwrap_or_else(|error| hexadecimal(error.as_bytes()))
            }))
        })
        .collect()
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes
        .iter()
        .fold("0x".to_owned(), |text, byte| format!("{text}{byte:02x}"))
}

/// Runs `future` on a runtime of the tests' own, from a thread of its own: the caller may be
/// running inside another runtime.
fn block_on<T: Send>(future: impl Future<Output = sqlx::Result<T>> + Send) -> sqlx::Result<T> {
    static RUNTIME: LazyLock<Runtime> = LazyLock::new(|| {
        Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .build()
            .expect("a runtime can be built")
    });
    let limited = async {
        tokio::time::timeout(DEADLINE, future)
            .await
            .unwrap_or_else(|_| {
                Err(sqlx::Error::Protocol(format!(
                    "the database has not answered within {} s",
                    DEADLINE.as_secs()
                )))
            })
    };
    thread::scope(|scope| {
        scope
            .spawn(|| RUNTIME.block_on(limited))
            .join()
            .unwrap_or_else(|panic| {
                std::panic::resume_unwind(panic);
            })
    })
}
