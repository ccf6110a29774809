//! How one database is migrated.

use std::path::PathBuf;
use std::time::Duration;

use sea_orm::DatabaseConnection;
use stairway_plan::filter::Filter;
use stairway_plan::plan::PlanOptions;
use stairway_plan::sql::Dialect;

use crate::connection::{DEFAULT_DATABASE_URL, DatabaseUrl, UrlError};
use crate::notify::Webhook;

/// Where the connection comes from.
#[derive(Clone, Debug)]
pub enum DatabaseSource {
    /// A connection of Stairway's own.
    Url(DatabaseUrl),
    /// One connection out of this pool, for as long as a call lasts.
    Connection(DatabaseConnection),
}

/// How one database is migrated. Build it with [`Config::new`] or [`Config::for_connection`] and
/// change the fields that differ.
///
/// ```
/// use std::time::Duration;
/// use stairway_core::Config;
///
/// # fn main() -> Result<(), stairway_core::UrlError> {
/// let mut config = Config::new("postgres://app:secret@db/shop")?;
/// config.wait_timeout = Duration::from_secs(120);
/// config.backup_before_upgrade = true;
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    /// The database's name in reports, logs and metrics. `default` unless said otherwise.
    pub name: String,
    /// Where the connection comes from.
    pub database: DatabaseSource,
    /// Whether [`auto_migrate`](crate::Manager::auto_migrate) applies what is pending. On by default.
    pub auto_upgrade: bool,
    /// Write a backup before the first step of an upgrade. If it fails nothing is migrated.
    pub backup_before_upgrade: bool,
    /// Where backups go. `backups` in the working directory by default.
    pub backup_directory: PathBuf,
    /// How many backups of this database are kept; older ones are removed. 10 by default.
    pub backups_kept: usize,
    /// How often a run is tried again after a transient failure. 3 by default.
    pub max_retry_attempts: u32,
    /// The pause before the first retry; it doubles with each, with up to a quarter of jitter.
    /// 5 s by default.
    pub retry_delay: Duration,
    /// How long to wait for a database that does not answer. 60 s by default.
    pub wait_timeout: Duration,
    /// How long one attempt to connect may take. 10 s by default.
    pub connect_timeout: Duration,
    /// How long an answer is waited for while the server gives no sign that it works on it; then the
    /// connection counts as lost. 60 s by default.
    pub answer_timeout: Duration,
    /// How long to wait for another run that holds the migration lock. 10 min by default.
    pub lock_wait_timeout: Duration,
    /// How long a statement of a migration waits for a table lock before it fails and is tried
    /// again, so that it never keeps the application's queries queueing behind itself. 5 s by default.
    pub statement_lock_timeout: Duration,
    /// The history table. `None` means the migrator's own, `seaql_migrations` unless overridden.
    pub history_table: Option<String>,
    /// The schema of the history table. `None` means the connection's own.
    pub history_schema: Option<String>,
    /// How cautious planning is.
    pub plan: PlanOptions,
    /// Run all steps in one transaction: all or nothing. Refused where the database or a revision
    /// can't do it.
    pub single_transaction: bool,
    /// Who is written into the audit trail. The operating system's user by default.
    pub actor: String,
    /// The machine written into the audit trail. This machine's name by default.
    pub host: String,
    /// The application's version written into the audit trail.
    pub application_version: Option<String>,
    /// The directory of revision files, for [`create_revision`](crate::Manager::create_revision).
    pub revisions_directory: PathBuf,
    /// What a comparison of schemas leaves out, on top of what a command says.
    pub compare: Filter,
    /// What a connection pooler between us and PostgreSQL means for the lock.
    pub pooler: PoolerPolicy,
    /// What to do when the server still runs a statement of a runner that has died.
    pub orphan: OrphanPolicy,
    /// Who is told after a run. The program that runs sends the message, see
    /// [`Webhook::send`](crate::notify::Webhook::send). Nobody by default.
    pub webhook: Webhook,
}

/// Whether the connection goes through a pooler that shares server sessions between clients.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PoolerPolicy {
    /// Find out before the lock is taken.
    #[default]
    Detect,
    /// Take it that there is one: lock inside each step's transaction.
    Transaction,
    /// Take it that there is none.
    Direct,
}

/// What to do when the server still runs a statement of a runner that has died.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OrphanPolicy {
    /// Wait until it ends, within the time allowed for the lock.
    #[default]
    Wait,
    /// Cancel it.
    Cancel,
}

impl Config {
    /// The defaults for a database URL.
    pub fn new(url: &str) -> Result<Self, UrlError> {
        Ok(Self::with_source(DatabaseSource::Url(DatabaseUrl::parse(
            url,
        )?)))
    }

    /// The defaults for a pool that the application has already. One of its connections is used
    /// while a call lasts; its session settings are put back before it is returned.
    pub fn for_connection(connection: DatabaseConnection) -> Self {
        Self::with_source(DatabaseSource::Connection(connection))
    }

    /// The defaults for a parsed URL or a pool.
    pub fn with_source(database: DatabaseSource) -> Self {
        Self {
            name: "default".to_owned(),
            database,
            auto_upgrade: true,
            backup_before_upgrade: false,
            backup_directory: PathBuf::from("backups"),
            backups_kept: 10,
            max_retry_attempts: 3,
            retry_delay: Duration::from_secs(5),
            wait_timeout: Duration::from_mins(1),
            connect_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_mins(1),
            lock_wait_timeout: Duration::from_mins(10),
            statement_lock_timeout: Duration::from_secs(5),
            history_table: None,
            history_schema: None,
            plan: PlanOptions::default(),
            single_transaction: false,
            actor: operating_system_user(),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            application_version: None,
            revisions_directory: PathBuf::from("migration/src/revisions"),
            compare: Filter::default(),
            pooler: PoolerPolicy::default(),
            orphan: OrphanPolicy::default(),
            webhook: Webhook::default(),
        }
    }

    /// Where the database is, without credentials.
    pub fn location(&self) -> String {
        match &self.database {
            DatabaseSource::Url(url) => url.to_string(),
            DatabaseSource::Connection(connection) => {
                format!(
                    "{:?} (the application's pool)",
                    connection.get_database_backend()
                )
            }
        }
    }

    /// The kind of database.
    pub fn dialect(&self) -> Dialect {
        match &self.database {
            DatabaseSource::Url(url) => url.dialect(),
            DatabaseSource::Connection(connection) => match connection.get_database_backend() {
                sea_orm::DbBackend::Postgres => Dialect::Postgres,
                sea_orm::DbBackend::MySql => Dialect::MySql,
                // sea-orm's further kinds can't be connected to with the drivers that are built in.
                _ => Dialect::Sqlite,
            },
        }
    }

    /// Whether the database is a file that does not exist yet and that a run would make.
    pub(crate) fn is_missing_file_to_be_made(&self) -> bool {
        match &self.database {
            DatabaseSource::Url(url) => url.is_missing_file_to_be_made(),
            DatabaseSource::Connection(_) => false,
        }
    }

    /// Replaces credentials in a text by `***`.
    pub(crate) fn redact(&self, text: &str) -> String {
        match &self.database {
            DatabaseSource::Url(url) => url.redact(text),
            DatabaseSource::Connection(_) => text.to_owned(),
        }
    }

    /// What our sessions call themselves: process and machine, so that whoever waits for the lock
    /// can say who holds it. PostgreSQL keeps 63 bytes of it.
    pub(crate) fn application_name(&self) -> String {
        let mut name = format!("stairway {}@{}", std::process::id(), self.host);
        let end = name
            .char_indices()
            .map(|(at, c)| at + c.len_utf8())
            .take_while(|end| *end <= 63)
            .last();
        name.truncate(end.unwrap_or(0));
        name
    }
}

impl Default for Config {
    /// The defaults for the embedded database, an SQLite file `stairway.db` in the working directory.
    fn default() -> Self {
        Self::new(DEFAULT_DATABASE_URL).expect("the default URL is well-formed")
    }
}

/// The user who runs this process: as the environment says, else (in a container nothing sets it) as
/// the operating system does.
fn operating_system_user() -> String {
    ["USER", "LOGNAME", "USERNAME"]
        .iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .or_else(user_of_process)
        .unwrap_or_else(|| "unknown".to_owned())
}

/// The name that `/etc/passwd` has for this process's user, or its number.
#[cfg(target_os = "linux")]
fn user_of_process() -> Option<String> {
    use std::os::unix::fs::MetadataExt;

    let user = std::fs::metadata("/proc/self").ok()?.uid();
    let names = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    Some(name_of_user(&names, user).unwrap_or_else(|| user.to_string()))
}

#[cfg(not(target_os = "linux"))]
fn user_of_process() -> Option<String> {
    None
}

/// The name in a line `name:password:number:...`.
#[cfg(target_os = "linux")]
fn name_of_user(passwd: &str, user: u32) -> Option<String> {
    passwd.lines().find_map(|line| {
        let mut fields = line.split(':');
        let name = fields.next().filter(|name| !name.is_empty())?;
        (fields.nth(1)?.parse() == Ok(user)).then(|| name.to_owned())
    })
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_named_as_the_system_names_it() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\n\napp:x:10001:10001::/app:/bin/false\n";
        assert_eq!(name_of_user(passwd, 10001).as_deref(), Some("app"));
        assert_eq!(name_of_user(passwd, 7), None);
        assert!(user_of_process().is_some());
    }
}
