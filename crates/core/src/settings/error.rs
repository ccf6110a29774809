//! What can be wrong with settings, and where it was said.

use std::fmt;
use std::path::PathBuf;

use crate::connection::UrlError;

/// Where a setting was said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// An option of the command line.
    Flag(&'static str),
    /// An override without an option of its own, by its key.
    Override(&'static str),
    /// A variable of the environment.
    Variable(String),
    /// A key of the settings file, with the line, counted from 1.
    File {
        /// The key, with its table in front: `databases.shop.wait_timeout`.
        key: String,
        /// The file.
        path: PathBuf,
        /// The line.
        line: usize,
    },
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(name) => f.write_str(name),
            Self::Override(key) => write!(f, "the setting {key}"),
            Self::Variable(name) => write!(f, "the environment variable {name}"),
            Self::File { key, path, line } => write!(f, "{key} in {}, line {line}", path.display()),
        }
    }
}

/// Why settings can't be used. No message contains a password: values that could hold one are not
/// shown.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The settings file can't be read.
    #[error(
        "the settings file {}{} can't be read: {reason}",
        path.display(),
        origin.as_ref().map(|origin| format!(", named by {origin},")).unwrap_or_default()
    )]
    File {
        /// The file.
        path: PathBuf,
        /// What named it; nothing if it was found in the working directory.
        origin: Option<Origin>,
        /// The operating system's words.
        reason: String,
    },
    /// The settings file is no TOML.
    #[error("{}, line {line}: {message}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// What is wrong.
        message: String,
    },
    /// The settings file has a key that means nothing there.
    #[error(
        "{}, line {line}: there is no key `{key}` in {table}{}",
        path.display(),
        instead.as_ref().map(|instead| format!("; {instead}")).unwrap_or_default()
    )]
    UnknownKey {
        /// The file.
        path: PathBuf,
        /// The line, counted from 1.
        line: usize,
        /// The table that has the key.
        table: String,
        /// The key.
        key: String,
        /// What to write instead, where that can be guessed.
        instead: Option<String>,
    },
    /// A value is of the wrong kind or out of bounds.
    #[error("{origin}: {reason}")]
    Value {
        /// Where it was said.
        origin: Origin,
        /// What is wrong, and what is right.
        reason: String,
    },
    /// An override was given for a setting that does not exist.
    #[error("there is no setting `{key}`")]
    NoSuchSetting {
        /// The key.
        key: &'static str,
    },
    /// A variable's value is no text.
    #[error("the environment variable {variable} is not valid UTF-8")]
    NotUnicode {
        /// The variable.
        variable: String,
    },
    /// A URL is said, but empty.
    #[error(
        "{origin} is empty: give a database URL, or unset it to use the embedded SQLite database"
    )]
    EmptyUrl {
        /// Where it was said.
        origin: Origin,
    },
    /// A URL can't be used.
    #[error("{origin}: {reason}")]
    Url {
        /// Where it was said.
        origin: Origin,
        /// What is wrong with it.
        reason: UrlError,
    },
    /// A database of the settings file has no URL.
    #[error("the database `{database}` has neither `url_env` nor `url` in the settings file")]
    NoUrl {
        /// The database.
        database: String,
    },
    /// The variable that a database takes its URL from is not set.
    #[error(
        "the environment variable {variable}, from which the database `{database}` takes its URL, is not set"
    )]
    UrlVariableUnset {
        /// The database.
        database: String,
        /// The variable.
        variable: String,
    },
    /// No database has this name.
    #[error(
        "there is no database {name} in the settings{}{}",
        nearest.as_ref().map(|nearest| format!(" (did you mean `{nearest}`?)")).unwrap_or_default(),
        if known.is_empty() { "; no settings file names any".to_owned() } else { format!("; there are {}", known.join(", ")) }
    )]
    UnknownDatabase {
        /// What was asked for, in quotes.
        name: String,
        /// Those that there are.
        known: Vec<String>,
        /// The one that may have been meant.
        nearest: Option<String>,
    },
    /// The settings file names several databases and nothing says which is meant.
    #[error("the settings file names several databases: {}", known.join(", "))]
    SeveralDatabases {
        /// Their names.
        known: Vec<String>,
    },
    /// All databases are asked for and there is none.
    #[error("no settings file names a database")]
    NoDatabases,
}

impl SettingsError {
    /// What to do next, where that is more than the message says.
    pub fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::SeveralDatabases { .. } => {
                "say which one with --database NAME, or --all for each in turn"
            }
            Self::NoDatabases => {
                "name them in stairway.toml, each with a table `[databases.NAME]` and `url_env = \"VARIABLE\"`"
            }
            Self::NoUrl { .. } => {
                "add `url_env = \"VARIABLE\"`, naming the environment variable that holds the URL"
            }
            Self::UrlVariableUnset { .. } => {
                "set it, for example to postgres://user:password@host/database"
            }
            Self::Url { .. } | Self::EmptyUrl { .. } => {
                "for example postgres://user:password@host/database, mysql://user:password@host/database or \
                 sqlite://file.db?mode=rwc; reserved characters in a password are written %40 for @, %2F for /"
            }
            Self::UnknownKey { .. } => {
                "docs/settings.md lists every key; `stairway help` the options"
            }
            _ => return None,
        };
        Some(hint.to_owned())
    }
}
