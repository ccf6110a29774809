//! Databases that tests make and drop.

use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};

use sqlx::{Connection as _, Executor as _, MySqlConnection, PgConnection, SqliteConnection};

/// A kind of database to test on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backend {
    Postgres,
    Mysql,
    Sqlite,
}

impl Backend {
    pub const ALL: [Self; 3] = [Self::Postgres, Self::Mysql, Self::Sqlite];

    pub fn name(self) -> &'static str {
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

    pub fn is_available(self) -> bool {
        self.server().is_some()
    }
}

/// A database that is dropped with the value.
#[derive(Debug)]
pub struct Database {
    pub backend: Backend,
    pub url: String,
    name: String,
    file: Option<PathBuf>,
}

/// Drops everything of users and makes `public` anew: much quicker than a new database.
const EMPTY_POSTGRES: &str = "DO $$
DECLARE item record;
BEGIN
    FOR item IN SELECT extname AS name FROM pg_extension WHERE extname <> 'plpgsql' LOOP
        EXECUTE format('DROP EXTENSION %I CASCADE', item.name);
    END LOOP;
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
    pub async fn create(backend: Backend) -> Self {
        let number = COUNTER.fetch_add(1, Ordering::Relaxed);
        let name = format!("stairway_schema_{}_{number}", std::process::id());
        let server = backend.server().expect("a server to test on");
        let (url, file) = match backend {
            Backend::Postgres => {
                let mut connection = PgConnection::connect(&server).await.expect("a server");
                let sql = format!("CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'");
                run_postgres(&mut connection, &sql).await;
                connection.close().await.expect("a closed connection");
                (with_database(&server, &name), None)
            }
            Backend::Mysql => {
                let mut connection = MySqlConnection::connect(&server).await.expect("a server");
                run_mysql(&mut connection, &format!("CREATE DATABASE {name}")).await;
                connection.close().await.expect("a closed connection");
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
    pub async fn refill(&mut self, statements: &[String]) {
        match self.backend {
            Backend::Postgres => self.run(&[EMPTY_POSTGRES.to_owned()]).await,
            Backend::Mysql => {
                let name = &self.name;
                let empty = [
                    format!("DROP DATABASE {name}"),
                    format!("CREATE DATABASE {name}"),
                ];
                self.run(&empty).await;
            }
            Backend::Sqlite => {
                let file = self.file.as_ref().expect("a file");
                std::fs::File::create(file).expect("an empty file");
            }
        }
        self.run(statements).await;
    }

    /// Runs statements one by one.
    pub async fn run(&self, statements: &[String]) {
        match self.backend {
            Backend::Postgres => {
                let mut connection = PgConnection::connect(&self.url)
                    .await
                    .expect("a connection");
                for statement in statements {
                    run_postgres(&mut connection, statement).await;
                }
                connection.close().await.expect("a closed connection");
            }
            Backend::Mysql => {
                let mut connection = MySqlConnection::connect(&self.url)
                    .await
                    .expect("a connection");
                for statement in statements {
                    run_mysql(&mut connection, statement).await;
                }
                connection.close().await.expect("a closed connection");
            }
            Backend::Sqlite => {
                let mut connection = SqliteConnection::connect(&self.url)
                    .await
                    .expect("a connection");
                for statement in statements {
                    let result = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.clone()))
                        .execute(&mut connection)
                        .await;
                    result.unwrap_or_else(|error| panic!("{statement}: {error}"));
                }
                connection.close().await.expect("a closed connection");
            }
        }
    }

    /// Runs a script with the database's own shell, which stops at the first error. Gives the rows,
    /// or what the shell complained about.
    pub fn run_script(&self, script: &str) -> Result<String, String> {
        let mut command = match self.backend {
            Backend::Postgres => {
                let mut command = Command::new("psql");
                command.args(["-X", "-q", "-v", "ON_ERROR_STOP=1", "-d", &self.url]);
                command
            }
            Backend::Mysql => {
                let mut command = Command::new("mariadb");
                let rest = self.url.split("://").nth(1).unwrap_or_default();
                let authority = rest.split('/').next().unwrap_or_default();
                let (user, host) = authority.rsplit_once('@').unwrap_or(("root", authority));
                let (user, password) = user.split_once(':').unwrap_or((user, ""));
                let (host, port) = host.split_once(':').unwrap_or((host, "3306"));
                command.args(["--batch", "--skip-column-names"]);
                command.args(["-u", user, "-h", host, "-P", port, &self.name]);
                if !password.is_empty() {
                    command.arg(format!("-p{password}"));
                }
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

    /// Drops the database.
    pub async fn drop(self) {
        match self.backend {
            Backend::Postgres => {
                let server = self.backend.server().expect("a server to test on");
                let mut connection = PgConnection::connect(&server).await.expect("a server");
                let sql = format!("DROP DATABASE {} WITH (FORCE)", self.name);
                run_postgres(&mut connection, &sql).await;
                connection.close().await.expect("a closed connection");
            }
            Backend::Mysql => {
                let server = self.backend.server().expect("a server to test on");
                let mut connection = MySqlConnection::connect(&server).await.expect("a server");
                run_mysql(&mut connection, &format!("DROP DATABASE {}", self.name)).await;
                connection.close().await.expect("a closed connection");
            }
            Backend::Sqlite => {
                let file = self.file.expect("a file");
                let _ = std::fs::remove_file(file);
            }
        }
    }
}

async fn run_postgres(connection: &mut PgConnection, statement: &str) {
    let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));
    let result = connection.execute(sql).await;
    result.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

async fn run_mysql(connection: &mut MySqlConnection, statement: &str) {
    let sql = sqlx::raw_sql(sqlx::AssertSqlSafe(statement.to_owned()));
    let result = connection.execute(sql).await;
    result.unwrap_or_else(|error| panic!("{statement}: {error}"));
}
