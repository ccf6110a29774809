//! A database that exists only to be filled, read and dropped.

use std::path::PathBuf;

use sqlx::mysql::MySqlDatabaseError;
use stairway_plan::sql::Dialect;

use super::{SideError, session_on};
use crate::connection::{Access, DatabaseUrl, Session};

/// The beginning of every scratch database's name, so that one that a killed process left behind can
/// be told from a database that matters.
const PREFIX: &str = "stairway_scratch_";

/// What lets a user of MySQL or MariaDB make scratch databases, for people.
pub(super) const NEEDED_ON_MYSQL: &str = r"GRANT ALL ON `stairway\_scratch\_%`.* TO …";

/// A scratch database. Dropping the value removes the database.
#[derive(Debug)]
pub(super) struct Scratch {
    url: DatabaseUrl,
    /// What must be removed; nothing once that is done.
    remains: Option<Remains>,
}

#[derive(Clone, Debug)]
enum Remains {
    Database { server: DatabaseUrl, name: String },
    Directory(PathBuf),
}

/// A name that nothing has.
pub(super) fn new_name() -> String {
    format!("{PREFIX}{}", crate::runner::new_run_id().replace('-', "_"))
}

impl Scratch {
    /// Makes an empty database on the server, or for SQLite a file in the directory for temporary
    /// files.
    pub(super) async fn make(server: &DatabaseUrl) -> Result<Self, SideError> {
        let name = new_name();
        let failed = |message: String| SideError::Scratch {
            server: server.to_string(),
            message,
            is_denied: false,
        };
        if server.dialect() == Dialect::Sqlite {
            let directory = std::env::temp_dir().join(&name);
            std::fs::create_dir(&directory)
                .map_err(|error| failed(format!("{}: {error}", directory.display())))?;
            let file = directory.join("scratch.db");
            let scratch = Self {
                url: DatabaseUrl::sqlite_file_url(&file),
                remains: Some(Remains::Directory(directory)),
            };
            std::fs::File::create(&file)
                .map_err(|error| failed(format!("{}: {error}", file.display())))?;
            return Ok(scratch);
        }
        let mut session = session_on(server, Access::Read).await?;
        let made = make_on(&mut session, &name).await;
        session.close().await;
        made.map_err(|error| SideError::Scratch {
            server: server.to_string(),
            message: format!(
                "{}; a user that may create databases is needed, and may be named for this alone{}",
                server.redact(&error.to_string()),
                match server.dialect() {
                    Dialect::MySql => format!(": {NEEDED_ON_MYSQL}"),
                    Dialect::Postgres | Dialect::Sqlite => String::new(),
                }
            ),
            is_denied: is_denied(&error),
        })?;
        Ok(Self {
            url: server.sibling(&name),
            remains: Some(Remains::Database {
                server: server.clone(),
                name,
            }),
        })
    }

    /// Where it is.
    pub(super) fn url(&self) -> &DatabaseUrl {
        &self.url
    }

    /// A session on it, to fill it.
    pub(super) async fn session(&self) -> Result<Session, SideError> {
        let mut session = session_on(&self.url, Access::Write).await?;
        if session.dialect() == Dialect::Sqlite {
            // Nobody needs it after a crash.
            let quick = "PRAGMA journal_mode = MEMORY; PRAGMA synchronous = OFF";
            drop(session.run(quick).await);
        }
        Ok(session)
    }

    /// Removes it.
    pub(super) async fn remove(mut self) {
        if let Some(remains) = &self.remains {
            remove(remains).await;
        }
        self.remains = None;
    }
}

impl Drop for Scratch {
    /// The way out when the future that fills it was dropped, as after a signal. Waits for the
    /// server, since the process may end right after.
    fn drop(&mut self) {
        let Some(remains) = self.remains.take() else {
            return;
        };
        let removal = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build();
            if let Ok(runtime) = runtime {
                let limit = std::time::Duration::from_secs(5);
                drop(
                    runtime.block_on(async { tokio::time::timeout(limit, remove(&remains)).await }),
                );
            }
        });
        drop(removal.join());
    }
}

/// Whether the user lacks the right, and nothing else is wrong.
pub(super) fn is_denied(error: &sqlx::Error) -> bool {
    let Some(error) = error.as_database_error() else {
        return false;
    };
    if let Some(error) = error.try_downcast_ref::<MySqlDatabaseError>() {
        // Access denied: for the database, for the command, for want of a privilege.
        return matches!(error.number(), 1044 | 1142 | 1227);
    }
    error.code().as_deref() == Some("42501")
}

async fn make_on(session: &mut Session, name: &str) -> Result<(), sqlx::Error> {
    let dialect = session.dialect();
    let quoted = dialect.quote_identifier(name);
    let sql = match dialect {
        Dialect::Postgres => {
            // What people keep in template1 is not part of anybody's schema.
            format!("CREATE DATABASE {quoted} TEMPLATE template0")
        }
        Dialect::MySql => {
            // What a table's character set is depends on the database's.
            let query = "SELECT CONCAT(' CHARACTER SET ', @@character_set_database, ' COLLATE ', @@collation_database)";
            let defaults = session.value(query).await?.unwrap_or_default();
            format!("CREATE DATABASE {quoted}{defaults}")
        }
        Dialect::Sqlite => return Ok(()),
    };
    session.run(sql).await.map(drop)
}

/// What fails here is left behind under a name that says what it is.
async fn remove(remains: &Remains) {
    match remains {
        Remains::Directory(directory) => {
            if let Err(error) = std::fs::remove_dir_all(directory) {
                tracing::warn!(
                    target: crate::telemetry::TARGET,
                    "the scratch directory {} is left behind: {error}",
                    directory.display()
                );
            }
        }
        Remains::Database { server, name } => {
            let quoted = server.dialect().quote_identifier(name);
            let removed = async {
                let mut session = session_on(server, Access::Read).await?;
                let force = match session.dialect() {
                    Dialect::Postgres => " WITH (FORCE)",
                    Dialect::MySql | Dialect::Sqlite => "",
                };
                let mut dropped = session.run(format!("DROP DATABASE {quoted}{force}")).await;
                if dropped.is_err() && !force.is_empty() {
                    // PostgreSQL 12 does not know FORCE.
                    dropped = session.run(format!("DROP DATABASE {quoted}")).await;
                }
                session.close().await;
                dropped.map_err(|error| SideError::Scratch {
                    server: server.to_string(),
                    message: server.redact(&error.to_string()),
                    is_denied: is_denied(&error),
                })
            };
            if let Err(error) = removed.await {
                tracing::warn!(
                    target: crate::telemetry::TARGET,
                    "the scratch database {name} is left behind: {error}"
                );
            }
        }
    }
}
