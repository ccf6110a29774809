//! One side of a comparison: where a schema comes from, and how it becomes a value.
//!
//! Whatever the source, what is compared is read from a catalogue by the same code: an SQL file, the
//! revisions and the entities are first brought into a scratch database, which is dropped again, so
//! that types, defaults and expressions are the server's own words on both sides. Where no database
//! may be made, PostgreSQL makes entities and files in a schema that is rolled back, and on MySQL the
//! statements are read as text.

mod difference;
mod elsewhere;
mod entities;
mod reach;
mod renamed;
mod rolled_back;
mod scratch;
mod script;
mod unjudged;

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use stairway_plan::dialect::Dialect;
use stairway_plan::dialect::mysql::ddl::Source;
use stairway_plan::schema::Schema;
use stairway_plan::sql::Dialect as SqlDialect;

use crate::connection::{Access, DatabaseUrl, Link, Pinned, Session, UrlTarget, connect};
use crate::inspect::{Connection, InspectError, InspectOptions, inspect};
use crate::{BoxFuture, Config, Error, Manager, MigrationSet, UrlError};

pub use difference::Compared;
pub use entities::Entities;
use entities::Part;
use scratch::Scratch;
pub use script::ScriptError;

/// How long one attempt to connect may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where a schema comes from.
#[derive(Clone, Debug)]
pub enum Side {
    /// A live database, which is only read.
    Database(DatabaseUrl),
    /// A file of SQL statements, run in a scratch database.
    SqlFile(PathBuf),
    /// The project's SeaORM entities and what is declared beside them, made in a scratch database.
    Entities,
    /// The project's revisions, replayed in a scratch database up to the heads.
    Revisions,
}

impl Side {
    /// Reads a side in the form of the command line: a database URL, `entities`, `revisions`, or the
    /// path of an SQL file.
    ///
    /// # Errors
    /// When it looks like a URL and is none.
    pub fn parse(text: &str) -> Result<Self, UrlError> {
        match text.trim() {
            "entities" => Ok(Self::Entities),
            "revisions" => Ok(Self::Revisions),
            url if url.contains("://") || url.starts_with("sqlite:") => {
                Ok(Self::Database(DatabaseUrl::parse(url)?))
            }
            path => Ok(Self::SqlFile(PathBuf::from(path))),
        }
    }

    /// The database, if it is a live one.
    pub fn url(&self) -> Option<&DatabaseUrl> {
        match self {
            Self::Database(url) => Some(url),
            Self::SqlFile(_) | Self::Entities | Self::Revisions => None,
        }
    }
}

impl fmt::Display for Side {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Database(url) => url.fmt(f),
            Self::SqlFile(path) => path.display().fmt(f),
            Self::Entities => f.write_str("entities"),
            Self::Revisions => f.write_str("revisions"),
        }
    }
}

/// Why a side could not be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SideError {
    /// A database could not be reached, or revisions could not be replayed.
    #[error(transparent)]
    Core(#[from] Error),
    /// The catalogue could not be read.
    #[error("the schema of {side} can't be read: {source}")]
    Inspect {
        side: String,
        #[source]
        source: InspectError,
    },
    /// The scratch database could not be made.
    #[error("no scratch database can be made beside {server}: {message}")]
    Scratch {
        server: String,
        message: String,
        /// The user lacks the right, and nothing else is wrong.
        is_denied: bool,
    },
    /// There is no scratch database, and a statement can't be understood without one.
    #[error(
        "{source}; no scratch database can be made beside {server}: {}",
        scratch::NEEDED_ON_MYSQL
    )]
    Unreadable {
        server: String,
        #[source]
        source: stairway_plan::dialect::mysql::ddl::Unreadable,
    },
    /// A statement of an SQL file, or one declared beside the entities, failed.
    #[error(transparent)]
    Script(#[from] ScriptError),
    /// A revision can't be replayed without touching what is real.
    #[error(
        "{revision} can't be replayed in a scratch database, because {why}: leave the database out of the \
         names in the revision, or compare with the live database\n  in: {statement}"
    )]
    Beyond {
        revision: String,
        why: String,
        statement: String,
    },
    /// The SQL file cannot be read.
    #[error("the SQL file {} can't be read: {source}", path.display())]
    File {
        path: PathBuf,
        source: std::io::Error,
    },
    /// The program was built without what is asked for.
    #[error("{0}")]
    Missing(&'static str),
    /// The sides are of different kinds of database.
    #[error(transparent)]
    Different(#[from] stairway_plan::diff::DiffError),
    /// The entities cannot be put into words for this database.
    #[error("the entities can't be made on {dialect}: {message}")]
    Entities { dialect: Dialect, message: String },
}

/// What sides are made of, and where scratch databases go.
#[derive(Clone, Debug)]
pub struct Sources {
    /// The project's revisions.
    pub migrations: Option<MigrationSet>,
    /// The project's entities.
    pub entities: Option<Entities>,
    /// A database on whose server scratch databases are made. For SQLite they are temporary files.
    pub server: DatabaseUrl,
    /// How catalogues are read.
    pub inspect: InspectOptions,
}

impl Sources {
    /// Nothing but a server.
    pub fn new(server: DatabaseUrl) -> Self {
        Self {
            migrations: None,
            entities: None,
            server,
            inspect: InspectOptions::default(),
        }
    }

    /// Reads a side. A live database is only read. `beside` is the schema that it will be compared
    /// with, where that is known: a scratch database gets its extensions and PostgreSQL schemas
    /// first, since neither entities nor files that were cut out of a dump make these.
    pub fn read<'a>(
        &'a self,
        side: &'a Side,
        beside: Option<&'a Schema>,
    ) -> BoxFuture<'a, Result<Schema, SideError>> {
        Box::pin(async move {
            let opened = self.open(side, beside).await?;
            let schema = opened.schema.clone();
            opened.close().await;
            Ok(schema)
        })
    }

    /// Reads a side and keeps its connection, and its scratch database where it has one.
    pub(crate) fn open<'a>(
        &'a self,
        side: &'a Side,
        beside: Option<&'a Schema>,
    ) -> BoxFuture<'a, Result<Opened, SideError>> {
        Box::pin(async move {
            match side {
                Side::Database(url) => self.open_database(url, side, None).await,
                Side::SqlFile(path) => {
                    let text = std::fs::read_to_string(path).map_err(|source| SideError::File {
                        path: path.clone(),
                        source,
                    })?;
                    let name = path.display().to_string();
                    let made = self
                        .in_scratch(side, async |scratch: &Scratch| {
                            let mut session = scratch.session().await?;
                            let ran = script::run(&mut session, &name, &text).await;
                            session.close().await;
                            Ok(ran?)
                        })
                        .await;
                    let parts = [Source {
                        origin: &name,
                        sql: &text,
                    }];
                    match made {
                        Err(SideError::Scratch {
                            is_denied: true,
                            message,
                            ..
                        }) if dialect_of(&self.server) == Dialect::Mysql => {
                            self.unjudged(side, &parts, beside, &message).await
                        }
                        Err(SideError::Scratch {
                            is_denied: true,
                            message,
                            ..
                        }) if dialect_of(&self.server) == Dialect::Postgres => {
                            let parts = [Part {
                                origin: name.into(),
                                sql: text,
                            }];
                            self.rolled_back(side, &parts, &message).await
                        }
                        made => made,
                    }
                }
                Side::Entities => self.open_entities(side, beside).await,
                Side::Revisions => {
                    let migrations = self
                        .migrations
                        .clone()
                        .ok_or(SideError::Missing("this program knows no revisions"))?;
                    reach::stay_inside(&migrations, self.server.dialect()).await?;
                    self.in_scratch(side, async |scratch: &Scratch| {
                        let mut config =
                            Config::with_source(crate::DatabaseSource::Url(scratch.url().clone()));
                        config.history_table.clone_from(&self.inspect.history_table);
                        config.max_retry_attempts = 0;
                        let manager = Manager::new(migrations, config).silently();
                        if !manager.graph().is_empty() {
                            manager.upgrade("heads").await?;
                        }
                        Ok(())
                    })
                    .await
                }
            }
        })
    }

    /// Makes the entities in a scratch database, or does what is next best.
    async fn open_entities(
        &self,
        side: &Side,
        beside: Option<&Schema>,
    ) -> Result<Opened, SideError> {
        let entities = self.entities.as_ref().ok_or(SideError::Missing(
            "this program knows no entities: give them to the command line where it is made, with \
             `CommandLine::entities`",
        ))?;
        let dialect = self.server.dialect();
        let (parts, elsewhere) = entities
            .parts(dialect, &self.server.database_name())
            .await?;
        let made = self
            .in_scratch(side, async |scratch: &Scratch| {
                let mut session = scratch.session().await?;
                let made = Entities::make(&mut session, beside, &parts).await;
                session.close().await;
                made
            })
            .await;
        let opened = match made {
            Err(SideError::Scratch { message, .. }) if dialect == SqlDialect::Postgres => {
                self.rolled_back(side, &parts, &message).await
            }
            Err(SideError::Scratch {
                is_denied: true,
                message,
                ..
            }) if dialect == SqlDialect::MySql => {
                let parts: Vec<Source<'_>> = parts
                    .iter()
                    .map(|part| Source {
                        origin: &part.origin,
                        sql: &part.sql,
                    })
                    .collect();
                self.unjudged(side, &parts, beside, &message).await
            }
            made => made,
        };
        let mut opened = opened?;
        let named = elsewhere.into_iter().map(|table| {
            format!("table {table} of the entities: it lives in a database of its own")
        });
        opened.schema.not_compared.extend(named);
        Ok(opened)
    }

    /// Makes entities or a file in a schema that is rolled back.
    async fn rolled_back(
        &self,
        side: &Side,
        parts: &[Part],
        why: &str,
    ) -> Result<Opened, SideError> {
        let name = scratch::new_name();
        let made = rolled_back::Made {
            side,
            parts,
            sees_default_schema: matches!(side, Side::Entities),
        };
        let read = rolled_back::read(&self.server, &name, &made, &self.inspect).await?;
        Ok(Opened {
            label: side.to_string(),
            schema: read.schema,
            connection: None,
            scratch: None,
            remark: Some(format!(
                "{side}: made in {} of {} and rolled back, because no scratch database could be made: {why}",
                read.place, self.server
            )),
        })
    }

    /// Reads what statements make without running them.
    async fn unjudged(
        &self,
        side: &Side,
        parts: &[Source<'_>],
        beside: Option<&Schema>,
        why: &str,
    ) -> Result<Opened, SideError> {
        let schema = unjudged::read(&self.server, parts, beside, &self.inspect).await?;
        Ok(Opened {
            label: side.to_string(),
            schema,
            connection: None,
            scratch: None,
            remark: Some(format!(
                "{side}: the statements were read and not run, so that spellings were compared without {} as the \
                 judge, because no scratch database could be made: {why}",
                self.server
            )),
        })
    }

    /// Makes a scratch database, lets it be filled, reads it and drops it, whatever happens.
    async fn in_scratch(
        &self,
        side: &Side,
        fill: impl AsyncFnOnce(&Scratch) -> Result<(), SideError>,
    ) -> Result<Opened, SideError> {
        let scratch = Scratch::make(&self.server).await?;
        if let Err(error) = fill(&scratch).await {
            scratch.remove().await;
            return Err(error);
        }
        let url = scratch.url().clone();
        self.open_database(&url, side, Some(scratch)).await
    }

    async fn open_database(
        &self,
        url: &DatabaseUrl,
        side: &Side,
        scratch: Option<Scratch>,
    ) -> Result<Opened, SideError> {
        let mut connection = open(url).await?;
        match inspect(&mut connection, &self.inspect).await {
            Ok(schema) => Ok(Opened {
                label: side.to_string(),
                schema,
                connection: Some(connection),
                scratch,
                remark: None,
            }),
            Err(source) => {
                // Only reading was done: a failure to say goodbye is of no consequence.
                drop(connection.close().await);
                if let Some(scratch) = scratch {
                    scratch.remove().await;
                }
                Err(SideError::Inspect {
                    side: side.to_string(),
                    source,
                })
            }
        }
    }
}

/// A side that was read, with the connection to it.
pub(crate) struct Opened {
    label: String,
    schema: Schema,
    /// Nothing where what was read is gone already.
    connection: Option<Connection>,
    scratch: Option<Scratch>,
    /// What was done in another way than usual, for people.
    remark: Option<String>,
}

impl Opened {
    /// Says goodbye, and drops the scratch database.
    async fn close(self) {
        if let Some(connection) = self.connection {
            drop(connection.close().await);
        }
        if let Some(scratch) = self.scratch {
            scratch.remove().await;
        }
    }
}

/// A connection that looks. An SQLite file that is yet to be made counts as empty and is not made.
async fn open(url: &DatabaseUrl) -> Result<Connection, SideError> {
    let url = if url.is_missing_file_to_be_made() {
        DatabaseUrl::parse("sqlite::memory:").map_err(Error::from)?
    } else {
        url.clone()
    };
    Ok(match session_on(&url, Access::Read).await?.link {
        Link::Postgres(Pinned::Owned(connection)) => Connection::Postgres(connection),
        Link::MySql(Pinned::Owned(connection)) => Connection::Mysql(connection),
        Link::Sqlite(Pinned::Owned(connection)) => Connection::Sqlite(connection),
        // A URL gives a connection of its own.
        Link::Postgres(_) | Link::MySql(_) | Link::Sqlite(_) | Link::Abandoned(_) => {
            return Err(Error::Unsupported("a URL gave a pool's connection".to_owned()).into());
        }
    })
}

async fn session_on(url: &DatabaseUrl, access: Access) -> Result<Session, SideError> {
    let mut config = Config::with_source(crate::DatabaseSource::Url(url.clone()));
    config.connect_timeout = CONNECT_TIMEOUT;
    let session = connect(
        &config.database,
        access,
        &config.application_name(),
        config.connect_timeout,
    )
    .await;
    session.map_err(|error| {
        SideError::Core(crate::wait::connection_error(
            &config,
            &error,
            CONNECT_TIMEOUT,
            1,
        ))
    })
}

/// The kind of database that a URL names, as the comparison knows it.
pub fn dialect_of(url: &DatabaseUrl) -> Dialect {
    match *url.target {
        UrlTarget::Postgres(_) => Dialect::Postgres,
        UrlTarget::MySql(_) => Dialect::Mysql,
        UrlTarget::Sqlite { .. } => Dialect::Sqlite,
    }
}
