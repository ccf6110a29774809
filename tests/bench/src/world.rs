//! The databases that are measured: throw-away servers that keep what they commit, as in production.

use std::error::Error;
use std::path::PathBuf;

use stairway_test_servers::{Server, ServerOptions, mariadb, postgres};

/// A measurement that worked, or why it did not.
pub(crate) type Outcome<T = ()> = Result<T, Box<dyn Error>>;

/// The servers and a directory for SQLite files. All of it is removed when dropped.
pub(crate) struct World {
    pub(crate) postgres: Server,
    pub(crate) mariadb: Server,
    directory: tempfile::TempDir,
}

/// A kind of database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Postgres,
    MariaDb,
    Sqlite,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Postgres, Self::MariaDb, Self::Sqlite];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "PostgreSQL",
            Self::MariaDb => "MariaDB",
            Self::Sqlite => "SQLite",
        }
    }
}

impl World {
    pub(crate) fn start() -> Outcome<Self> {
        let options = ServerOptions::new().durable();
        Ok(Self {
            postgres: postgres::start(&options)?,
            mariadb: mariadb::start(&options)?,
            directory: tempfile::tempdir()?,
        })
    }

    /// Makes an empty database, whose name must be new, and returns its URL. It stays as long as its server:
    /// ext4 looks for a new file's place among all that were removed within the last seconds, so that
    /// a thousand tables dropped before one measurement would slow it down and not the other.
    pub(crate) async fn database(&self, kind: Kind, name: &str) -> Outcome<String> {
        Ok(match kind {
            Kind::Sqlite => format!("sqlite://{}?mode=rwc", self.file(name).display()),
            Kind::Postgres => {
                let server = self.postgres.url().with_database("postgres").reveal();
                run_postgres(&server, &format!("CREATE DATABASE {name}")).await?;
                self.postgres.url().with_database(name).reveal()
            }
            Kind::MariaDb => {
                let server = self.mariadb.url().with_database("mysql").reveal();
                let mut connection =
                    <sqlx::MySqlConnection as sqlx::Connection>::connect(&server).await?;
                sqlx::raw_sql(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
                    .execute(&mut connection)
                    .await?;
                self.mariadb.url().with_database(name).reveal()
            }
        })
    }

    /// A file in the directory of the SQLite databases.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("{name}.db"))
    }
}

async fn run_postgres(url: &str, sql: &str) -> Outcome {
    let mut connection = <sqlx::PgConnection as sqlx::Connection>::connect(url).await?;
    sqlx::raw_sql(sqlx::AssertSqlSafe(sql.to_owned()))
        .execute(&mut connection)
        .await?;
    Ok(())
}
