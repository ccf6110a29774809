//! A database of its own for each test.

use std::error::Error;
use std::io::Write as _;
use std::panic::AssertUnwindSafe;
use std::sync::Once;
use std::sync::atomic::{AtomicU32, Ordering};

use futures_util::FutureExt as _;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbBackend, DbErr};
use tempfile::TempDir;

pub(crate) type TestResult = Result<(), Box<dyn Error>>;

/// An empty database that nothing else uses.
pub(crate) struct TestDatabase {
    url: String,
    home: Home,
}

/// What has to go when the test is over.
enum Home {
    Directory(TempDir),
    Server { url: String, name: String },
}

impl TestDatabase {
    /// Makes a database, or returns `None` when no server of this kind is named.
    async fn create(backend: DbBackend) -> Result<Option<Self>, Box<dyn Error>> {
        let variable = match backend {
            DbBackend::Postgres => "STAIRWAY_TEST_POSTGRES_URL",
            DbBackend::MySql => "STAIRWAY_TEST_MYSQL_URL",
            _ => {
                let directory = tempfile::tempdir()?;
                let url = format!(
                    "sqlite://{}?mode=rwc",
                    directory.path().join("test.db").display()
                );
                return Ok(Some(Self {
                    url,
                    home: Home::Directory(directory),
                }));
            }
        };
        let Ok(server) = std::env::var(variable) else {
            say_left_out(backend, variable);
            return Ok(None);
        };
        let name = unique_name();
        let create = match backend {
            // template0, because a session on template1 would be in the way.
            DbBackend::Postgres => format!("CREATE DATABASE {name} TEMPLATE template0"),
            _ => format!("CREATE DATABASE {name} CHARACTER SET utf8mb4"),
        };
        let admin = connect(&server).await?;
        admin.execute_unprepared(&create).await?;
        admin.close().await?;
        let url = with_name(&server, &name);
        Ok(Some(Self {
            url,
            home: Home::Server { url: server, name },
        }))
    }

    /// Where it is.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// A connection that knows nothing of what earlier ones have seen.
    pub(crate) async fn connect(&self) -> Result<DatabaseConnection, DbErr> {
        connect(&self.url).await
    }

    async fn remove(self) -> Result<(), Box<dyn Error>> {
        match self.home {
            Home::Directory(directory) => directory.close()?,
            Home::Server { url, name } => {
                let admin = connect(&url).await?;
                let force = match admin.get_database_backend() {
                    DbBackend::Postgres => " WITH (FORCE)",
                    _ => "",
                };
                admin
                    .execute_unprepared(&format!("DROP DATABASE {name}{force}"))
                    .await?;
                admin.close().await?;
            }
        }
        Ok(())
    }
}

/// Gives the test a database and removes it whether the test passes, fails or panics.
pub(crate) async fn with_database(
    backend: DbBackend,
    test: impl AsyncFnOnce(&TestDatabase) -> TestResult,
) {
    let Some(database) = TestDatabase::create(backend)
        .await
        .expect("a database for the test")
    else {
        return;
    };
    let outcome = AssertUnwindSafe(test(&database)).catch_unwind().await;
    let removed = database.remove().await;
    match outcome {
        Err(panic) => std::panic::resume_unwind(panic),
        Ok(Err(error)) => panic!("{error}"),
        Ok(Ok(())) => removed.expect("the test's database can be removed"),
    }
}

async fn connect(url: &str) -> Result<DatabaseConnection, DbErr> {
    let mut options = ConnectOptions::new(url);
    // A statement prepared before a change of the schema would answer with the types of before.
    options
        .max_connections(1)
        .sqlx_logging(false)
        .map_sqlx_postgres_opts(|options| options.statement_cache_capacity(0))
        .map_sqlx_mysql_opts(|options| options.statement_cache_capacity(0));
    Database::connect(options).await
}

/// Says, once for each kind of database, that its tests check nothing.
fn say_left_out(backend: DbBackend, variable: &str) {
    static POSTGRES: Once = Once::new();
    static MYSQL: Once = Once::new();
    let (once, name) = match backend {
        DbBackend::Postgres => (&POSTGRES, "PostgreSQL"),
        _ => (&MYSQL, "MariaDB/MySQL"),
    };
    once.call_once(|| {
        let words =
            format!("\n*** {name} LEFT OUT: {variable} is not set, its tests check nothing ***\n");
        // Straight to the terminal: what a passing test prints is swallowed.
        let _ = std::io::stderr().write_all(words.as_bytes());
    });
}

fn unique_name() -> String {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let count = COUNT.fetch_add(1, Ordering::Relaxed);
    let stamp = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_nanos());
    format!("stairway_app_{}_{count}_{stamp}", std::process::id())
}

/// The server's URL with another database name.
fn with_name(url: &str, name: &str) -> String {
    let (address, query) = url
        .split_once('?')
        .map_or((url, None), |(a, q)| (a, Some(q)));
    let authority = address.find("://").map_or(0, |scheme| scheme + 3);
    let end = address[authority..]
        .find('/')
        .map_or(address.len(), |slash| authority + slash);
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    format!("{}/{name}{query}", &address[..end])
}
