//! Where a database is: a parsed URL that never shows its password.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use percent_encoding::percent_decode_str;
use sqlx::mysql::MySqlConnectOptions;
use sqlx::postgres::PgConnectOptions;
use sqlx::sqlite::SqliteConnectOptions;
use stairway_plan::sql::{Dialect, names_secret, redact_secrets, redact_url};

/// The database used when nothing else is said: an SQLite file in the working directory.
pub const DEFAULT_DATABASE_URL: &str = "sqlite://stairway.db?mode=rwc";

/// A database URL, parsed. `Display` and `Debug` show it without credentials.
#[derive(Clone)]
pub struct DatabaseUrl {
    pub(crate) target: Box<UrlTarget>,
    shown: String,
    secrets: Vec<String>,
    parts: Option<UrlParts>,
    /// Connecting makes an SQLite file that is missing (`mode=rwc`).
    makes_file: bool,
}

/// The parts that sqlx's options keep to themselves, decoded.
#[derive(Clone)]
struct UrlParts {
    password: Option<String>,
    query: Vec<(String, String)>,
}

#[derive(Clone)]
pub(crate) enum UrlTarget {
    Postgres(PgConnectOptions),
    MySql(MySqlConnectOptions),
    Sqlite {
        options: SqliteConnectOptions,
        file: Option<PathBuf>,
    },
}

/// Why a database URL can't be used. Never contains the password.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UrlError {
    /// The scheme is none that Stairway knows.
    #[error(
        "the database URL `{url}` starts with none of postgres://, mysql://, mariadb://, sqlite:"
    )]
    UnknownScheme { url: String },
    /// The rest of the URL can't be read.
    #[error("the database URL `{url}` can't be read: {reason}")]
    Malformed { url: String, reason: String },
    /// The URL names no database.
    #[error("the database URL `{url}` names no database: add /NAME after the host")]
    NoDatabase { url: String },
    /// The URL names no file.
    #[error(
        "the database URL `{url}` names no file: write sqlite://FILE?mode=rwc, or sqlite::memory: for one that is \
         gone with the program"
    )]
    NoFile { url: String },
}

impl DatabaseUrl {
    /// Reads a URL such as `postgres://user:password@host/database`, `mysql://…`, `mariadb://…`,
    /// `sqlite://file.db?mode=rwc` or `sqlite::memory:`. Does not touch the database.
    pub fn parse(url: &str) -> Result<Self, UrlError> {
        let url = url.trim();
        let shown = redact_url(url);
        let secrets = secrets_of(url);
        let malformed = |error: sqlx::Error| {
            let reason = match error {
                sqlx::Error::Configuration(inner) => inner.to_string(),
                other => other.to_string(),
            };
            let known: Vec<&str> = secrets.iter().map(String::as_str).collect();
            UrlError::Malformed {
                url: shown.clone(),
                reason: redact_secrets(&reason, &known),
            }
        };
        if !url.contains(':') {
            return Err(UrlError::UnknownScheme { url: shown });
        }
        let scheme = url
            .split(':')
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        let target = Box::new(match scheme.as_str() {
            "postgres" | "postgresql" => {
                let options = PgConnectOptions::from_str(url).map_err(malformed)?;
                UrlTarget::Postgres(options)
            }
            "mysql" | "mariadb" => {
                let as_mysql = format!("mysql{}", &url[scheme.len()..]);
                let options = MySqlConnectOptions::from_str(&as_mysql).map_err(malformed)?;
                if options.get_database().is_none_or(str::is_empty) {
                    return Err(UrlError::NoDatabase { url: shown });
                }
                UrlTarget::MySql(options)
            }
            "sqlite" => {
                let options = SqliteConnectOptions::from_str(url).map_err(malformed)?;
                // SQLite would take that for a file of its own that is gone with the connection.
                if options.get_filename().as_os_str().is_empty() && !url.contains("mode=memory") {
                    return Err(UrlError::NoFile { url: shown });
                }
                UrlTarget::Sqlite {
                    file: sqlite_file(url, &options),
                    options,
                }
            }
            _ => return Err(UrlError::UnknownScheme { url: shown }),
        });
        let makes_file = url
            .split_once('?')
            .is_some_and(|(_, query)| query.split('&').any(|pair| pair == "mode=rwc"));
        Ok(Self {
            target,
            shown,
            secrets,
            parts: Some(parts_of(url)),
            makes_file,
        })
    }

    /// The kind of database.
    pub fn dialect(&self) -> Dialect {
        match *self.target {
            UrlTarget::Postgres(_) => Dialect::Postgres,
            UrlTarget::MySql(_) => Dialect::MySql,
            UrlTarget::Sqlite { .. } => Dialect::Sqlite,
        }
    }

    /// The database's name, or the file's stem for SQLite. Used to name backups.
    pub fn database_name(&self) -> String {
        match &*self.target {
            UrlTarget::Postgres(options) => options
                .get_database()
                .unwrap_or(options.get_username())
                .to_owned(),
            UrlTarget::MySql(options) => options.get_database().unwrap_or_default().to_owned(),
            UrlTarget::Sqlite {
                file: Some(file), ..
            } => file
                .file_stem()
                .map_or_else(String::new, |stem| stem.to_string_lossy().into()),
            UrlTarget::Sqlite { file: None, .. } => "memory".to_owned(),
        }
    }

    /// The file of an SQLite database; none for one in memory and for servers.
    pub fn sqlite_file(&self) -> Option<&Path> {
        match &*self.target {
            UrlTarget::Sqlite { file, .. } => file.as_deref(),
            UrlTarget::Postgres(_) | UrlTarget::MySql(_) => None,
        }
    }

    /// Whether this is an SQLite file that does not exist yet and that connecting would make.
    pub(crate) fn is_missing_file_to_be_made(&self) -> bool {
        self.makes_file && self.sqlite_file().is_some_and(|file| !file.exists())
    }

    /// An existing SQLite file.
    pub(crate) fn sqlite_file_url(file: &Path) -> Self {
        Self {
            target: Box::new(UrlTarget::Sqlite {
                options: SqliteConnectOptions::new().filename(file),
                file: Some(file.to_owned()),
            }),
            shown: format!("sqlite://{}", file.display()),
            secrets: Vec::new(),
            parts: None,
            makes_file: false,
        }
    }

    /// Another database on the same server. For SQLite, where there is no server, the file itself.
    pub(crate) fn sibling(&self, database: &str) -> Self {
        let target = match &*self.target {
            UrlTarget::Postgres(options) => UrlTarget::Postgres(options.clone().database(database)),
            UrlTarget::MySql(options) => UrlTarget::MySql(options.clone().database(database)),
            sqlite @ UrlTarget::Sqlite { .. } => sqlite.clone(),
        };
        Self {
            target: Box::new(target),
            shown: format!("{database} (on the server of {})", self.shown),
            secrets: self.secrets.clone(),
            parts: self.parts.clone(),
            makes_file: false,
        }
    }

    /// What a client program needs to connect, for its environment: PostgreSQL's own variables, or
    /// for MySQL/MariaDB the parts of the URL under names beginning with `STAIRWAY_`.
    pub(crate) fn client_variables(&self) -> BTreeMap<String, String> {
        let Some(parts) = &self.parts else {
            return BTreeMap::new();
        };
        let mut variables = BTreeMap::new();
        let mut set = |name: &str, value: Option<String>| {
            if let Some(value) = value.filter(|value| !value.is_empty()) {
                variables.insert(name.to_owned(), value);
            }
        };
        match &*self.target {
            UrlTarget::Postgres(options) => {
                set(
                    "PGHOST",
                    Some(options.get_socket().map_or_else(
                        || options.get_host().to_owned(),
                        |socket| socket.display().to_string(),
                    )),
                );
                set("PGPORT", Some(options.get_port().to_string()));
                set("PGUSER", Some(options.get_username().to_owned()));
                set("PGDATABASE", Some(self.database_name()));
                set("PGPASSWORD", parts.password.clone());
                for (key, variable) in [
                    ("sslmode", "PGSSLMODE"),
                    ("sslrootcert", "PGSSLROOTCERT"),
                    ("sslcert", "PGSSLCERT"),
                    ("sslkey", "PGSSLKEY"),
                ] {
                    let value = parts
                        .query
                        .iter()
                        .find(|(name, _)| name.replace('-', "") == key);
                    set(variable, value.map(|(_, value)| value.clone()));
                }
            }
            UrlTarget::MySql(options) => {
                set("STAIRWAY_HOST", Some(options.get_host().to_owned()));
                set("STAIRWAY_PORT", Some(options.get_port().to_string()));
                set(
                    "STAIRWAY_SOCKET",
                    options
                        .get_socket()
                        .map(|socket| socket.display().to_string()),
                );
                set("STAIRWAY_USER", Some(options.get_username().to_owned()));
                set("STAIRWAY_DATABASE", Some(self.database_name()));
                set("STAIRWAY_PASSWORD", parts.password.clone());
            }
            UrlTarget::Sqlite { .. } => {}
        }
        variables
    }

    /// Replaces every credential of this URL in a text by `***`.
    pub fn redact(&self, text: &str) -> String {
        let known: Vec<&str> = self.secrets.iter().map(String::as_str).collect();
        redact_secrets(text, &known)
    }
}

impl FromStr for DatabaseUrl {
    type Err = UrlError;

    fn from_str(url: &str) -> Result<Self, UrlError> {
        Self::parse(url)
    }
}

impl fmt::Display for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.shown)
    }
}

impl fmt::Debug for DatabaseUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("DatabaseUrl").field(&self.shown).finish()
    }
}

/// A piece of a password that is shorter says nothing, and stands in many words.
const SHORTEST_PIECE: usize = 4;

/// The passwords in a URL, as written: in the user information and in query parameters.
fn secrets_of(url: &str) -> Vec<String> {
    let mut secrets = Vec::new();
    // Drivers take a URL without the slashes, too.
    let Some((_, rest)) = url.split_once("://").or_else(|| url.split_once(':')) else {
        return secrets;
    };
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    // The last `@`: an unescaped one in a password must not shorten what is masked, nor what looks
    // like the end of the part before the query.
    let user_info = before_query
        .rsplit_once('@')
        .or_else(|| rest.rsplit_once('@'));
    if let Some((user_info, _)) = user_info
        && let Some((_, password)) = user_info.split_once(':')
    {
        secrets.push(password.to_owned());
        // Unescaped, these end the host: a driver takes what follows for a path or a parameter.
        let mut pieces: Vec<&str> = password.split(['/', '?', '#', '&', '=', '@']).collect();
        if pieces.len() > 1 {
            pieces.retain(|piece| piece.len() >= SHORTEST_PIECE);
            secrets.extend(pieces.into_iter().map(str::to_owned));
        }
    }
    if redact_url(url) != url {
        // Quoted as it was given.
        secrets.push(rest.to_owned());
    }
    for pair in query.split('&') {
        if let Some((key, value)) = pair.split_once('=')
            && (names_secret(key) || key.to_ascii_lowercase().contains("token"))
        {
            secrets.push(value.to_owned());
        }
    }
    secrets.retain(|secret| !secret.is_empty());
    secrets
}

fn parts_of(url: &str) -> UrlParts {
    let decode = |text: &str| percent_decode_str(text).decode_utf8_lossy().into_owned();
    let rest = url.split_once("://").map_or("", |(_, rest)| rest);
    let (before_query, query) = rest.split_once('?').unwrap_or((rest, ""));
    let password = before_query
        .rsplit_once('@')
        .and_then(|(user_info, _)| user_info.split_once(':'))
        .map(|(_, password)| decode(password));
    let query: Vec<(String, String)> = query
        .split('&')
        .filter_map(|pair| pair.split_once('='))
        .map(|(key, value)| (key.to_owned(), decode(value)))
        .collect();
    let in_query = query
        .iter()
        .find(|(key, _)| key == "password")
        .map(|(_, value)| value.clone());
    UrlParts {
        password: password.or(in_query),
        query,
    }
}

/// The file that a SQLite URL names; `None` for a database in memory.
fn sqlite_file(url: &str, options: &SqliteConnectOptions) -> Option<PathBuf> {
    let (path, query) = url.split_once('?').unwrap_or((url, ""));
    let in_memory = path.contains(":memory:")
        || query.split('&').any(|pair| pair == "mode=memory")
        || options.get_filename().as_os_str().is_empty();
    (!in_memory).then(|| options.get_filename().to_path_buf())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_shown_without_its_password() {
        for url in [
            "postgres://app:s3cr%40t@db:5432/shop",
            "mysql://app:s3cr%40t@db/shop",
            "mariadb://app:s3cr%40t@db/shop",
            "postgres://db/shop?user=app&password=s3cr%40t",
        ] {
            let parsed = DatabaseUrl::parse(url).unwrap();
            let shown = format!("{parsed} {parsed:?}");
            assert!(!shown.contains("s3cr"), "{shown}");
            assert_eq!(parsed.redact("bad s3cr@t or s3cr%40t"), "bad *** or ***");
        }
    }

    #[test]
    fn a_word_without_a_scheme_and_a_scheme_without_a_file_are_no_database() {
        for word in [
            "sqlite",
            "postgres",
            "mysql",
            "stairway.db",
            "./stairway.db",
        ] {
            let error = DatabaseUrl::parse(word).unwrap_err();
            assert!(matches!(error, UrlError::UnknownScheme { .. }), "{error}");
        }
        for url in ["sqlite:", "sqlite://", "sqlite://?mode=rwc"] {
            let error = DatabaseUrl::parse(url).unwrap_err();
            assert!(matches!(error, UrlError::NoFile { .. }), "{url}: {error}");
        }
        for url in [
            "sqlite::memory:",
            "sqlite://:memory:",
            "sqlite://?mode=memory",
        ] {
            assert!(DatabaseUrl::parse(url).is_ok(), "{url}");
        }
    }

    #[test]
    fn an_unusable_url_says_why_without_its_password() {
        for url in [
            "postgres://app:hunter2@db:port/shop",
            "oracle://app:hunter2@db/x",
            "",
            "mysql://app:hunter2@db",
        ] {
            let error = DatabaseUrl::parse(url).unwrap_err().to_string();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    #[test]
    fn sqlite_urls_name_a_file_or_memory() {
        let file = |url: &str| {
            DatabaseUrl::parse(url)
                .unwrap()
                .sqlite_file()
                .map(Path::to_path_buf)
        };
        assert_eq!(
            file("sqlite://a/b.db?mode=rwc"),
            Some(PathBuf::from("a/b.db"))
        );
        assert_eq!(file("sqlite:b.db"), Some(PathBuf::from("b.db")));
        assert_eq!(file("sqlite::memory:"), None);
        assert_eq!(file("sqlite://x?mode=memory"), None);
    }
}
