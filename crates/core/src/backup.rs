//! A copy of the database before it is changed.
//!
//! SQLite: `VACUUM INTO`. PostgreSQL: `pg_dump`. MariaDB/MySQL: `mariadb-dump` or `mysqldump` in a
//! single transaction. Credentials go to the child through its environment, never on its command
//! line. A backup counts when it could be read again; only then it gets its name.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use chrono::Utc;
use stairway_plan::event::EventKind;
use stairway_plan::revision::RevisionId;
use stairway_plan::sql::Dialect;
use tokio::process::Command;

use crate::config::{Config, DatabaseSource};
use crate::connection::{Access, DatabaseUrl, Session, connect, server_version};
use crate::error::Error;
use crate::observer::Observers;

/// Writes a backup and removes the oldest ones beyond the number that is kept. Returns its path.
pub(crate) async fn create(
    config: &Config,
    current: &[RevisionId],
    observers: &Observers,
    session: &mut Session,
) -> Result<PathBuf, Error> {
    let began = Instant::now();
    let directory = &config.backup_directory;
    std::fs::create_dir_all(directory).map_err(|error| {
        failed(format!(
            "the directory {} can't be made: {error}",
            directory.display()
        ))
    })?;
    let database = safe_name(&database_name(config));
    let extension = match config.dialect() {
        Dialect::Postgres => "dump",
        Dialect::MySql => "sql",
        Dialect::Sqlite => "db",
    };
    let revision = current
        .last()
        .map_or_else(|| "base".to_owned(), |id| safe_name(id.as_str()));
    let stamp = Utc::now().format("%Y%m%dT%H%M%S%3fZ");
    let destination = directory.join(format!("{database}-{stamp}-{revision}.{extension}"));
    let partial = destination.with_extension(format!("{extension}.partial"));
    observers.emit(EventKind::BackupStarted {
        destination: destination.display().to_string(),
    });
    let written = match config.dialect() {
        Dialect::Sqlite => sqlite(session, &partial).await,
        Dialect::Postgres => postgres(config, session, &partial).await,
        Dialect::MySql => mysql(config, session, &partial, observers).await,
    };
    if let Err(error) = written {
        drop(std::fs::remove_file(&partial));
        return Err(failed(config.redact(&error)));
    }
    std::fs::rename(&partial, &destination)
        .map_err(|error| failed(format!("{} can't be named: {error}", destination.display())))?;
    let bytes = std::fs::metadata(&destination).map_or(0, |file| file.len());
    observers.emit(EventKind::BackupFinished {
        destination: destination.display().to_string(),
        bytes,
        elapsed_ms: crate::milliseconds(began.elapsed()),
    });
    remove_old(directory, &database, extension, config.backups_kept.max(1));
    Ok(destination)
}

fn failed(message: String) -> Error {
    Error::Backup(message)
}

fn database_name(config: &Config) -> String {
    match &config.database {
        DatabaseSource::Url(url) => url.database_name(),
        DatabaseSource::Connection(_) => config.name.clone(),
    }
}

/// A name without anything that means something in a path.
fn safe_name(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_alphanumeric() || c == '_' {
                c
            } else {
                '_'
            }
        })
        .take(80)
        .collect();
    if safe.is_empty() {
        "database".to_owned()
    } else {
        safe
    }
}

/// Keeps the newest backups of a database. Their names begin with database and time, so that they
/// sort by age; another database whose name begins alike has no time at that place.
fn remove_old(directory: &Path, database: &str, extension: &str, kept: usize) {
    let Ok(entries) = std::fs::read_dir(directory) else {
        return;
    };
    let prefix = format!("{database}-");
    let mut backups: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.extension().is_some_and(|found| found == extension))
        .filter(|path| {
            let name = path
                .file_name()
                .map(|name| name.to_string_lossy().into_owned())
                .unwrap_or_default();
            name.strip_prefix(&prefix).is_some_and(|rest| {
                rest.len() > 19
                    && rest.as_bytes()[8] == b'T'
                    && rest[..8].bytes().all(|b| b.is_ascii_digit())
            })
        })
        .collect();
    backups.sort();
    let surplus = backups.len().saturating_sub(kept);
    for old in backups.into_iter().take(surplus) {
        if let Err(error) = std::fs::remove_file(&old) {
            tracing::warn!(%error, path = %old.display(), "an old backup could not be removed");
        }
    }
}

async fn sqlite(session: &mut Session, file: &Path) -> Result<(), String> {
    let Some(path) = file.to_str() else {
        return Err("the path of the backup is not text".to_owned());
    };
    let quoted = Dialect::Sqlite.quote_string(path);
    session
        .run(format!("VACUUM INTO {quoted}"))
        .await
        .map_err(|error| error.to_string())?;
    let url = DatabaseUrl::sqlite_file_url(file);
    let copy = DatabaseSource::Url(url);
    let mut copy = connect(
        &copy,
        Access::Read,
        "stairway",
        std::time::Duration::from_secs(30),
    )
    .await
    .map_err(|error| format!("the backup can't be opened: {error}"))?;
    let verdict = copy
        .value("PRAGMA integrity_check")
        .await
        .map_err(|error| error.to_string())?;
    copy.close().await;
    match verdict.as_deref() {
        Some("ok") => Ok(()),
        other => Err(format!(
            "the backup is damaged: {}",
            other.unwrap_or("no answer")
        )),
    }
}

async fn postgres(config: &Config, session: &mut Session, file: &Path) -> Result<(), String> {
    let variables = connection_variables(config)?;
    let version = server_version(session)
        .await
        .map_err(|error| error.to_string())?;
    let server: u32 = version
        .split('.')
        .next()
        .and_then(|major| major.trim().parse().ok())
        .unwrap_or(0);
    let pg_dump = newest_postgres_program("pg_dump", server).await?;
    let mut dump = Command::new(&pg_dump);
    dump.args(["--format=custom", "--no-password", "--file"])
        .arg(file)
        .envs(&variables);
    run(dump, "pg_dump").await?;
    let pg_restore = pg_dump.with_file_name("pg_restore");
    let mut list = Command::new(pg_restore);
    list.arg("--list").arg(file);
    let listed = run(list, "pg_restore --list")
        .await
        .map_err(|error| format!("the backup can't be read: {error}"))?;
    if listed.is_empty() {
        Err("the backup has no table of contents".to_owned())
    } else {
        Ok(())
    }
}

async fn mysql(
    config: &Config,
    session: &mut Session,
    file: &Path,
    observers: &Observers,
) -> Result<(), String> {
    let variables = connection_variables(config)?;
    let version = server_version(session)
        .await
        .map_err(|error| error.to_string())?;
    let names: &[&str] = if version.contains("MariaDB") {
        &["mariadb-dump", "mysqldump"]
    } else {
        &["mysqldump", "mariadb-dump"]
    };
    let program = names
        .iter()
        .find_map(|name| find_program(name, &[]))
        .ok_or_else(|| {
            format!(
                "neither {} is installed: install the client programs",
                names.join(" nor ")
            )
        })?;
    let with_events = mysql_dump(&program, &variables, file, true);
    if let Err(said) = run(with_events, names[0]).await {
        if !lacks_events(&said) {
            return Err(said);
        }
        observers.emit(EventKind::Warning {
            message: "the backup has no scheduled events: the user lacks the EVENT privilege, without which it can't \
                      be seen whether there are any"
                .to_owned(),
        });
        run(mysql_dump(&program, &variables, file, false), names[0]).await?;
    }
    // The programs end a complete dump with this line.
    let tail =
        last_bytes(file, 4096).map_err(|error| format!("the backup can't be read: {error}"))?;
    if String::from_utf8_lossy(&tail).contains("-- Dump completed") {
        Ok(())
    } else {
        Err("the backup ends before its last line".to_owned())
    }
}

/// Whether the dump program was refused only what it asked about events.
fn lacks_events(said: &str) -> bool {
    said.to_ascii_lowercase().contains("show events") && said.contains("1044")
}

fn mysql_dump(
    program: &Path,
    variables: &BTreeMap<String, String>,
    file: &Path,
    events: bool,
) -> Command {
    let of = |name: &str| variables.get(name).map(String::as_str);
    let mut dump = Command::new(program);
    dump.args([
        "--single-transaction",
        "--routines",
        "--triggers",
        "--hex-blob",
    ]);
    if events {
        dump.arg("--events");
    }
    match of("STAIRWAY_SOCKET") {
        Some(socket) => dump
            .arg("--protocol=socket")
            .arg(format!("--socket={socket}")),
        None => dump
            .arg("--protocol=tcp")
            .arg(format!(
                "--host={}",
                of("STAIRWAY_HOST").unwrap_or("localhost")
            ))
            .arg(format!("--port={}", of("STAIRWAY_PORT").unwrap_or("3306"))),
    };
    dump.arg(format!("--user={}", of("STAIRWAY_USER").unwrap_or("root")));
    dump.arg("--result-file")
        .arg(file)
        .arg("--")
        .arg(of("STAIRWAY_DATABASE").unwrap_or_default());
    if let Some(password) = of("STAIRWAY_PASSWORD") {
        dump.env("MYSQL_PWD", password);
    }
    dump
}

/// What a dump program needs to connect: PostgreSQL's own variables, or for MySQL the parts of the
/// URL under names of ours.
fn connection_variables(config: &Config) -> Result<BTreeMap<String, String>, String> {
    match &config.database {
        DatabaseSource::Url(url) => Ok(url.client_variables()),
        DatabaseSource::Connection(_) => Err(
            "a connection pool does not tell its credentials: give the database's URL to have backups written"
                .to_owned(),
        ),
    }
}

/// The program as installed for the server's version or a newer one; `pg_dump` refuses newer servers.
async fn newest_postgres_program(name: &str, server: u32) -> Result<PathBuf, String> {
    let mut directories: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .collect();
    directories.sort();
    directories.reverse();
    let mut seen = Vec::new();
    let on_path = find_program(name, &[]).into_iter();
    for program in on_path.chain(
        directories
            .iter()
            .map(|directory| directory.join(name))
            .filter(|path| path.is_file()),
    ) {
        let mut command = Command::new(&program);
        command.arg("--version");
        let Ok(output) = run(command, name).await else {
            continue;
        };
        let version = output
            .split_whitespace()
            .find_map(|word| word.split('.').next()?.parse::<u32>().ok());
        if version.is_some_and(|version| version >= server) {
            return Ok(program);
        }
        seen.extend(version);
    }
    Err(if seen.is_empty() {
        format!(
            "{name} is not installed: install PostgreSQL's client programs, version {server} or newer"
        )
    } else {
        format!(
            "the server has version {server}, and {name} is installed only in version {seen:?}: install {server} or newer"
        )
    })
}

/// Looks for a program on the search path and in further directories.
fn find_program(name: &str, further: &[PathBuf]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .chain(further.iter().cloned())
        .map(|directory| directory.join(name))
        .find(|path| path.is_file())
}

/// Runs a program; its standard output, or what it said when it failed.
async fn run(mut command: Command, name: &str) -> Result<String, String> {
    let output = command
        .stdin(Stdio::null())
        .kill_on_drop(true)
        .output()
        .await
        .map_err(|error| format!("{name} can't be started: {error}"))?;
    if output.status.success() {
        return Ok(String::from_utf8_lossy(&output.stdout).into_owned());
    }
    let said = String::from_utf8_lossy(&output.stderr);
    Err(format!(
        "{name} ended with {}: {}",
        output.status,
        said.trim()
    ))
}

fn last_bytes(file: &Path, count: u64) -> std::io::Result<Vec<u8>> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = std::fs::File::open(file)?;
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(count)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_backups_of_this_database_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let name = |database: &str, second: u32| {
            format!("{database}-20260101T0000{second:02}000Z-base.db")
        };
        for second in 0..5 {
            std::fs::write(directory.path().join(name("shop", second)), "").unwrap();
            std::fs::write(directory.path().join(name("shop-old", second)), "").unwrap();
        }
        remove_old(directory.path(), "shop", "db", 2);
        let mut left: Vec<String> = std::fs::read_dir(directory.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned())
            .filter(|file| file.starts_with("shop-2"))
            .collect();
        left.sort();
        assert_eq!(left, [name("shop", 3), name("shop", 4)]);
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 7);
    }

    #[test]
    fn a_name_never_leaves_the_directory() {
        assert_eq!(safe_name("../../etc/passwd"), "______etc_passwd");
        assert_eq!(safe_name(""), "database");
    }
}
