use std::collections::BTreeSet;
use std::env;
use std::path::PathBuf;
use std::sync::{Mutex, PoisonError};

use stairway_test_servers::{Backend, ServerUrl, process};
use tempfile::TempDir;

use crate::backends::say;
use crate::names;
use crate::session::{Rows, Session};

const SQLITE_FILE: &str = "test.db";

/// An empty database of one test, dropped with this value.
#[derive(Debug)]
pub struct TestDatabase {
    backend: Backend,
    name: String,
    url: String,
    home: Home,
}

#[derive(Debug)]
enum Home {
    /// Where the file is; it is removed with the directory.
    Directory(TempDir),
    /// The server's URL, of a user that may drop the database.
    Server(ServerUrl),
}

impl TestDatabase {
    /// Makes a database on the server that the environment names, or for SQLite the URL of a file
    /// that does not exist yet.
    ///
    /// # Panics
    /// The back-end is not among [`crate::available_backends`], or the server refuses.
    #[track_caller]
    pub fn create(backend: Backend) -> Self {
        let Some(variable) = backend.url_variable() else {
            let directory = tempfile::Builder::new().prefix(names::PREFIX).tempdir();
            let directory = directory.expect("a temporary directory can be made");
            let file = directory.path().join(SQLITE_FILE);
            return Self {
                backend,
                name: SQLITE_FILE.to_owned(),
                url: format!("sqlite://{}?mode=rwc", file.display()),
                home: Home::Directory(directory),
            };
        };
        let url = env::var(variable).unwrap_or_else(|_| panic!("{variable} is not set"));
        let server = ServerUrl::parse(&url).unwrap_or_else(|error| panic!("{variable}: {error}"));
        Self::create_on(backend, &server)
    }

    /// Makes a database on a given server, for instance on one that the test has started itself.
    /// The URL's own database is only used to get there.
    ///
    /// # Panics
    /// The server can't be reached or refuses, or the back-end is SQLite.
    #[track_caller]
    pub fn create_on(backend: Backend, server: &ServerUrl) -> Self {
        let mut session = Session::try_open(backend, &server.reveal())
            .unwrap_or_else(|error| panic!("connecting to {server}: {error}"));
        sweep(backend, server, &mut session);
        let name = names::new_name();
        session.execute(&match backend {
            // Nobody is ever connected to template0, which would make copying it fail.
            Backend::Postgres => format!("CREATE DATABASE {name} TEMPLATE template0"),
            Backend::MySql => format!("CREATE DATABASE {name}"),
            Backend::Sqlite => panic!("an SQLite database is on no server"),
        });
        Self {
            backend,
            url: server.with_database(&name).reveal(),
            name,
            home: Home::Server(server.clone()),
        }
    }

    /// Which kind of database this is.
    pub fn backend(&self) -> Backend {
        self.backend
    }

    /// The URL that programs connect to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The database's name on its server; for SQLite the file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file of an SQLite database; its directory holds nothing else at first.
    pub fn file(&self) -> Option<PathBuf> {
        match &self.home {
            Home::Directory(directory) => Some(directory.path().join(SQLITE_FILE)),
            Home::Server(_) => None,
        }
    }

    /// Opens a connection that the test keeps.
    ///
    /// # Panics
    /// The database can't be reached.
    #[track_caller]
    pub fn session(&self) -> Session {
        match Session::try_open(self.backend, &self.url) {
            Ok(session) => session,
            Err(error) => panic!("connecting to {}: {error}", self.name),
        }
    }

    /// Runs `sql` on a connection of its own and returns the rows.
    ///
    /// # Panics
    /// The database can't be reached, or a statement fails.
    #[track_caller]
    pub fn rows(&self, sql: &str) -> Rows {
        self.session().rows(sql)
    }

    /// Whether InnoDB has a transaction that waits for a lock and whose description holds these words:
    /// its statement, or `thread id 7,` for the session 7.
    ///
    /// Not by way of `information_schema.innodb_trx`: the server does not renew that table while it is
    /// asked for more often than every tenth of a second, as tests do.
    ///
    /// # Panics
    /// The database is not MySQL or MariaDB, or can't be reached.
    #[track_caller]
    pub fn has_lock_wait(&self, words: &str) -> bool {
        let status = self.rows("SHOW ENGINE INNODB STATUS");
        status.iter().flatten().flatten().any(|text| {
            text.split("---TRANSACTION ")
                .any(|transaction| transaction.contains("LOCK WAIT") && transaction.contains(words))
        })
    }

    /// As [`TestDatabase::rows`].
    ///
    /// # Errors
    /// The database can't be reached, or a statement fails.
    pub fn try_rows(&self, sql: &str) -> sqlx::Result<Rows> {
        Session::try_open(self.backend, &self.url)?.try_rows(sql)
    }

    /// Runs `sql` on a connection of its own for what it does.
    ///
    /// # Panics
    /// The database can't be reached, or a statement fails.
    #[track_caller]
    pub fn execute(&self, sql: &str) {
        self.session().execute(sql);
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let Home::Server(server) = &self.home else {
            return;
        };
        let dropped = Session::try_open(self.backend, &server.reveal())
            .and_then(|mut session| drop_database(self.backend, &mut session, &self.name));
        if let Err(error) = dropped {
            // The server may have been killed by the test; a later run sweeps what remains.
            say(&format!("could not drop {}: {error}", self.name));
        }
    }
}

/// Ends the sessions in the database first: a test that fails leaves some behind.
fn drop_database(backend: Backend, session: &mut Session, name: &str) -> sqlx::Result<()> {
    match backend {
        Backend::Sqlite => {}
        Backend::Postgres => {
            session.try_rows(&format!("DROP DATABASE IF EXISTS {name} WITH (FORCE)"))?;
        }
        Backend::MySql => {
            let ids = format!("SELECT id FROM information_schema.processlist WHERE db = '{name}'");
            for id in session.try_rows(&ids)?.into_iter().flatten().flatten() {
                // It may have ended meanwhile.
                let _ = session.try_rows(&format!("KILL {id}"));
            }
            session.try_rows(&format!("DROP DATABASE IF EXISTS {name}"))?;
        }
    }
    Ok(())
}

/// Drops what test processes that were killed have left on the server, once for each server.
fn sweep(backend: Backend, server: &ServerUrl, session: &mut Session) {
    static SWEPT: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());
    if !SWEPT
        .lock()
        .unwrap_or_else(PoisonError::into_inner)
        .insert(server.to_string())
    {
        return;
    }
    let names = match backend {
        Backend::Sqlite => return,
        Backend::Postgres => "SELECT datname FROM pg_database",
        Backend::MySql => "SELECT schema_name FROM information_schema.schemata",
    };
    let names: Vec<String> = session
        .rows(names)
        .into_iter()
        .flatten()
        .flatten()
        .collect();
    let pids: Vec<u32> = names
        .iter()
        .filter_map(|name| names::process_of(name))
        .collect();
    let running = process::running(&pids);
    for name in names
        .iter()
        .filter(|name| names::is_leftover(name, names::now(), &running))
    {
        if let Err(error) = drop_database(backend, session, name) {
            // Another test process may be sweeping too.
            say(&format!("could not drop the leftover {name}: {error}"));
        }
    }
}
