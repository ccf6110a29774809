//! Databases that tests make and drop.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection as _, MySqlConnection, PgConnection, SqliteConnection};

/// A kind of database to test on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Backend {
    Postgres,
    Mysql,
    Sqlite,
}

impl Backend {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Postgres => "postgres",
            Self::Mysql => "mysql",
            Self::Sqlite => "sqlite",
        }
    }

    /// The server's URL, if there is a server to test on.
    fn server(self) -> Option<String> {
        match self {
            Self::Postgres => std::env::var("STAIRWAY_TEST_POSTGRES_URL").ok(),
            Self::Mysql => std::env::var("STAIRWAY_TEST_MYSQL_URL").ok(),
            Self::Sqlite => Some(String::new()),
        }
    }

    pub(crate) fn is_available(self) -> bool {
        self.server().is_some()
    }
}

/// A database that is dropped with the value.
#[derive(Debug)]
pub(crate) struct Database {
    pub(crate) backend: Backend,
    pub(crate) url: String,
    name: String,
    file: Option<PathBuf>,
}

/// Drops everything of users and makes `public` anew: much quicker than a new database.
const EMPTY_POSTGRES: &str = "DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql' LOOP
        EXECUTE format('DROP EXTENSION IF EXISTS %I CASCADE', item.name);
    END LOOP;
    FOR item IN SELECT 'LANGUAGE' AS kind, lanname AS name FROM pg_language WHERE oid >= 16384
                UNION ALL SELECT 'ACCESS METHOD', amname FROM pg_am WHERE oid >= 16384
                UNION ALL SELECT 'FOREIGN DATA WRAPPER', fdwname FROM pg_foreign_data_wrapper
                UNION ALL SELECT 'PUBLICATION', pubname FROM pg_publication LOOP
        EXECUTE format('DROP %s %I CASCADE', item.kind, item.name);
    END LOOP;
    ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC;
    FOR item IN SELECT nspname AS name FROM pg_namespace
                WHERE nspname <> 'information_schema' AND nspname NOT LIKE 'pg\\_%' LOOP
        EXECUTE format('DROP SCHEMA %I CASCADE', item.name);
    END LOOP;
    CREATE SCHEMA public;
END $$";

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// The server's URL with another database.
fn with_database(server: &str, name: &str) -> String {
    let (base, parameters) = match server.split_once('?') {
        Some((base, parameters)) => (base, format!("?{parameters}")),
        None => (server, String::new()),
    };
    let start = base.find("://").map_or(0, |at| at + 3);
    let end = base[start..].find('/').map_or(base.len(), |at| start + at);
    format!("{}/{name}{parameters}", &base[..end])
}

impl Database {
    /// An empty database.
    pub(crate) async fn create(backend: Backend) -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("stairway_schema_{}_{number}", std::process::id());
        let server = backend.server().expect("a server to test on");
        let (url, file) = match backend {
            Backend::Postgres => {
                let connection = PgConnection::connect(&server).await.expect("a server");
                let sql = [
                    format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"),
                    // Nobody misses these databases after a power cut.
                    format!("ALTER DATABASE {name} SET synchronous_commit = off"),
                ];
                run_all(connection, &sql).await.expect("a run statement");
                (with_database(&server, &name), None)
            }
            Backend::Mysql => {
                let connection = MySqlConnection::connect(&server).await.expect("a server");
                run_all(connection, &[format!("CREATE DATABASE {name}")])
                    .await
                    .expect("a run statement");
                (with_database(&server, &name), None)
            }
            Backend::Sqlite => {
                let file = std::env::temp_dir().join(format!("{name}.db"));
                let _ = std::fs::remove_file(&file);
                std::fs::File::create(&file).expect("a file");
                (format!("sqlite://{}", file.display()), Some(file))
            }
        };
        Self {
            backend,
            url,
            name,
            file,
        }
    }

    /// Empties the database and runs these statements.
    pub(crate) async fn refill(&mut self, statements: &[String]) -> Result<(), String> {
        match self.backend {
            Backend::Postgres => self.run(&[EMPTY_POSTGRES.to_owned()]).await?,
            Backend::Mysql => {
                let name = &self.name;
                let empty = [
                    format!("DROP DATABASE {name}"),
                    format!("CREATE DATABASE {name}"),
                ];
                self.run(&empty).await?;
            }
            Backend::Sqlite => {
                let file = self.file.as_ref().expect("a file");
                std::fs::File::create(file).expect("an empty file");
            }
        }
        self.run(statements).await
    }

    /// Runs statements one by one.
    pub(crate) async fn run(&self, statements: &[String]) -> Result<(), String> {
        match self.backend {
            Backend::Postgres => {
                let connection = PgConnection::connect(&self.url).await;
                run_all(connection.expect("a connection"), statements).await
            }
            Backend::Mysql => {
                let connection = MySqlConnection::connect(&self.url).await;
                run_all(connection.expect("a connection"), statements).await
            }
            Backend::Sqlite => {
                let connection = SqliteConnection::connect(&self.url).await;
                run_all(connection.expect("a connection"), statements).await
            }
        }
    }

    /// Runs a script with the database's own shell, which stops at the first error. Gives the rows,
    /// or what the shell complained about.
    pub(crate) fn run_script(&self, script: &str) -> Result<String, String> {
        let mut command = match self.backend {
            Backend::Postgres => {
                let mut command = Command::new("psql");
                command.args([
                    "-X",
                    "-q",
                    "-A",
                    "-t",
                    "-v",
                    "ON_ERROR_STOP=1",
                    "-d",
                    &self.url,
                ]);
                command
            }
            Backend::Mysql => {
                let mut command = self.client("mariadb");
                command.args(["--batch", "--skip-column-names"]);
                command
            }
            Backend::Sqlite => {
                let mut command = Command::new("sqlite3");
                command
                    .arg("-bail")
                    .arg(self.file.as_ref().expect("a file"));
                command
            }
        };
        let mut child = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| format!("the shell is missing: {error}"))?;
        {
            use std::io::Write as _;
            let mut input = child.stdin.take().expect("piped input");
            // A shell that stops early closes its end.
            let _ = input.write_all(script.as_bytes());
        }
        let output = child
            .wait_with_output()
            .map_err(|error| error.to_string())?;
        if output.status.success() {
            Ok(String::from_utf8_lossy(&output.stdout).into_owned())
        } else {
            Err(String::from_utf8_lossy(&output.stderr).into_owned())
        }
    }

    /// One of MariaDB's own programs, on this database.
    pub(crate) fn client(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        let rest = self.url.split("://").nth(1).unwrap_or_default();
        let authority = rest.split('/').next().unwrap_or_default();
        let (user, host) = authority.rsplit_once('@').unwrap_or(("root", authority));
        let (user, password) = user.split_once(':').unwrap_or((user, ""));
        let (host, port) = host.split_once(':').unwrap_or((host, "3306"));
        command.args(["-u", user, "-h", host, "-P", port]);
        if !password.is_empty() {
            command.arg(format!("-p{password}"));
        }
        command.arg(&self.name);
        command
    }

    /// Drops the database.
    pub(crate) async fn drop(self) {
        match self.backend {
            Backend::Postgres => {
                let server = self.backend.server().expect("a server to test on");
                let connection = PgConnection::connect(&server).await.expect("a server");
                let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
                run_all(connection, &[sql]).await.expect("a run statement");
            }
            Backend::Mysql => {
                let server = self.backend.server().expect("a server to test on");
                let connection = MySqlConnection::connect(&server).await.expect("a server");
                run_all(connection, &[format!("DROP DATABASE {}", self.name)])
                    .await
                    .expect("a run statement");
            }
            Backend::Sqlite => {
                let file = self.file.expect("a file");
                let _ = std::fs::remove_file(file);
            }
        }
    }
}

/// Runs statements one by one until one fails, and closes the connection.
async fn run_all<C>(mut connection: C, statements: &[String]) -> Result<(), String>
where
    C: sqlx::Connection,
    for<'c> &'c mut C: sqlx::Executor<'c, Database = C::Database>,
{
    let mut result = Ok(());
    for statement in statements {
        let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone()));
        if let Err(error) = sql.execute(&mut connection).await {
            result = Err(format!("{statement}: {error}"));
            break;
        }
    }
    connection.close().await.expect("a closed connection");
    result
}
