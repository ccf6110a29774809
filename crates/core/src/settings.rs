//! Settings: command line over environment over `stairway.toml` over defaults.
//!
//! [`resolve`] is a function of what it is given: it opens no file and asks no environment of its
//! own. [`find_file`] does the one effect, reading the file. [`SETTINGS`] is the one list of what can
//! be set; `docs/settings.md` is made from it by [`fn@reference`].

mod error;
mod file;
mod table;
#[cfg(test)]
mod tests;
mod value;

use std::ffi::OsString;
use std::path::{Path, PathBuf};

pub use error::{Origin, SettingsError};
pub use table::{DefaultValue, SETTINGS, Scope, Setting, Takes, reference};
pub use value::parse_duration;

use crate::config::{Config, DatabaseSource};
use crate::connection::DatabaseUrl;
use crate::telemetry::{LogFormat, LogLevel, LogRotation};
use file::{Entry, ParsedFile};

/// The variable that names the database when nothing else does.
pub const DATABASE_URL: &str = "DATABASE_URL";
/// The variable that names the settings file when `--config` does not.
pub const CONFIG_VARIABLE: &str = "STAIRWAY_CONFIG";
/// The settings file that is read from the working directory when nothing names one.
pub const CONFIG_FILE: &str = "stairway.toml";
/// The name of a database that has none of its own.
pub const DEFAULT_NAME: &str = "default";

/// Looks up a variable of the environment; `&|name| std::env::var_os(name)` for that of the process.
pub type Variables<'a> = &'a dyn Fn(&str) -> Option<OsString>;

/// What was said on the command line, which beats everything else.
#[derive(Clone, Default)]
pub struct Overrides {
    /// A database URL.
    pub database_url: Option<String>,
    /// Which of the configured databases.
    pub selection: Selection,
    /// Further settings as written, by their key in [`SETTINGS`].
    pub values: Vec<(&'static str, String)>,
}

impl Overrides {
    /// Sets one more of [`SETTINGS`], by its key, if there is a value.
    pub fn set(&mut self, key: &'static str, value: Option<impl Into<String>>) {
        self.values.extend(value.map(|value| (key, value.into())));
    }
}

impl std::fmt::Debug for Overrides {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Overrides")
            .field("database_url", &self.database_url.as_ref().map(|_| "***"))
            .field("selection", &self.selection)
            .field("values", &self.values)
            .finish()
    }
}

/// Which of the configured databases is meant.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Selection {
    /// The one that URL, environment or file imply; an error if the file names several.
    #[default]
    Implied,
    /// The one of this name.
    Named(String),
    /// All that the file names.
    All,
    /// None is going to be connected to: the policies alone, of the database of this name if given.
    Offline(Option<String>),
}

/// A settings file and its text.
#[derive(Clone)]
pub struct SettingsFile {
    /// Where it lies.
    pub path: PathBuf,
    /// What it says.
    pub text: String,
}

impl std::fmt::Debug for SettingsFile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("SettingsFile")
            .field("path", &self.path)
            .finish_non_exhaustive()
    }
}

/// Everything that was settled.
#[derive(Debug)]
pub struct Settings {
    /// The databases, in the order of the file. Exactly one unless all were asked for.
    pub databases: Vec<DatabaseSettings>,
    /// How to log.
    pub log: LogSettings,
    /// Where the command line leaves its metrics when a run has ended.
    pub metrics_file: Option<PathBuf>,
    /// What a person should be told about how the settings came about.
    pub notices: Vec<String>,
}

/// The settings of one database.
#[derive(Debug)]
pub struct DatabaseSettings {
    /// Its name.
    pub name: String,
    /// How it is migrated. An error only when all databases were asked for: then one whose settings
    /// are wrong does not keep the others from being migrated.
    pub config: Result<Config, SettingsError>,
    /// An upgrade only says what it would do.
    pub dry_run: bool,
    /// A failed start-up migration fails the program.
    pub fail_on_error: bool,
}

/// How to log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogSettings {
    /// The form of the lines; absent when nobody said.
    pub format: Option<LogFormat>,
    /// The least urgent level that is logged; absent when nobody said.
    pub level: Option<LogLevel>,
    /// A file that is written to besides.
    pub file: Option<PathBuf>,
    /// When that file is put aside, and how many such files are kept.
    pub rotation: LogRotation,
}

/// The settings of one database while they are put together.
#[derive(Clone, Debug)]
pub struct Draft {
    config: Config,
    dry_run: bool,
    fail_on_error: bool,
    log: LogSettings,
    metrics_file: Option<PathBuf>,
}

impl Default for Draft {
    fn default() -> Self {
        Self {
            config: Config::default(),
            dry_run: false,
            fail_on_error: true,
            log: LogSettings::default(),
            metrics_file: None,
        }
    }
}

impl Settings {
    /// The settings of the only database.
    ///
    /// # Errors
    /// What was wrong with them; [`SettingsError::SeveralDatabases`] if there is more than one.
    pub fn only(mut self) -> Result<(Config, DatabasePolicy), SettingsError> {
        match (self.databases.pop(), self.databases.is_empty()) {
            (Some(database), true) => {
                let policy = DatabasePolicy {
                    dry_run: database.dry_run,
                    fail_on_error: database.fail_on_error,
                };
                Ok((database.config?, policy))
            }
            (Some(last), false) => {
                let mut known: Vec<String> = self
                    .databases
                    .into_iter()
                    .map(|database| database.name)
                    .collect();
                known.push(last.name);
                Err(SettingsError::SeveralDatabases { known })
            }
            (None, _) => Err(SettingsError::NoDatabases),
        }
    }
}

/// What to do with a database beyond its [`Config`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DatabasePolicy {
    /// An upgrade only says what it would do.
    pub dry_run: bool,
    /// A failed start-up migration fails the program.
    pub fail_on_error: bool,
}

/// Finds and reads the settings file: the one that `flag` names, else the one that
/// `STAIRWAY_CONFIG` names, else `stairway.toml` in `directory` if there is one.
///
/// # Errors
/// If a file that was named, or is there, can't be read as text.
pub fn find_file(
    flag: Option<&Path>,
    variables: Variables<'_>,
    directory: &Path,
) -> Result<Option<SettingsFile>, SettingsError> {
    let named = match flag {
        Some(path) => Some((path.to_owned(), Origin::Flag("--config"))),
        None => variables(CONFIG_VARIABLE)
            .filter(|value| !value.is_empty())
            .map(|value| {
                (
                    PathBuf::from(value),
                    Origin::Variable(CONFIG_VARIABLE.to_owned()),
                )
            }),
    };
    let (path, origin) = match named {
        Some((path, origin)) => (path, Some(origin)),
        None => (directory.join(CONFIG_FILE), None),
    };
    match std::fs::read_to_string(&path) {
        Ok(text) => {
            let shown = if origin.is_some() {
                path
            } else {
                PathBuf::from(CONFIG_FILE)
            };
            Ok(Some(SettingsFile { path: shown, text }))
        }
        Err(error) if origin.is_none() && error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(SettingsError::File {
            path,
            origin,
            reason: error.to_string(),
        }),
    }
}

/// Settles everything: what `overrides` say beats the environment, that the file, that the defaults.
///
/// Pure: the same arguments give the same result, but for the defaults that name this machine and
/// its user. No message contains a password.
///
/// # Errors
/// The first thing that is wrong, with where it was said. With [`Selection::All`], what is wrong
/// with one database alone is left in its [`DatabaseSettings::config`].
pub fn resolve(
    overrides: &Overrides,
    variables: Variables<'_>,
    file: Option<&SettingsFile>,
) -> Result<Settings, SettingsError> {
    let file = file.map(ParsedFile::parse).transpose()?.unwrap_or_default();
    let layers = Layers {
        overrides,
        variables,
        file: &file,
    };
    // Said once for all databases, so it is wrong for all of them.
    let common = layers.draft(None)?;
    let (targets, notices) = layers.targets()?;
    let isolated = overrides.selection == Selection::All;
    let mut databases = Vec::with_capacity(targets.len());
    for target in targets {
        let database = match layers.database(&target) {
            Ok(database) => database,
            Err(error) if isolated => DatabaseSettings {
                name: target.name,
                config: Err(error),
                dry_run: common.dry_run,
                fail_on_error: common.fail_on_error,
            },
            Err(error) => return Err(error),
        };
        databases.push(database);
    }
    Ok(Settings {
        databases,
        log: common.log,
        metrics_file: common.metrics_file,
        notices,
    })
}

/// The configuration that the environment of the process and `stairway.toml` in the working
/// directory give to the only database, for a program that has no command line of its own.
///
/// # Errors
/// Whatever [`find_file`] and [`resolve`] find wrong; [`SettingsError::SeveralDatabases`] if the file
/// names several and `DATABASE_URL` none.
pub fn config_from_environment() -> Result<Config, SettingsError> {
    let variables = |name: &str| std::env::var_os(name);
    let file = find_file(None, &variables, Path::new(""))?;
    let settings = resolve(&Overrides::default(), &variables, file.as_ref())?;
    for notice in &settings.notices {
        tracing::warn!(target: crate::telemetry::TARGET, event = "note", "{notice}");
    }
    settings.only().map(|(config, _)| config)
}

/// Those of `names` that look like a misspelt variable of ours, each with the variable that may have
/// been meant. For a warning: other programs use the prefix `MIGRATION_`, too.
pub fn misspelt_variables(names: impl IntoIterator<Item = String>) -> Vec<(String, &'static str)> {
    let known: Vec<&'static str> = SETTINGS
        .iter()
        .map(|setting| setting.variable)
        .chain([DATABASE_URL, CONFIG_VARIABLE])
        .collect();
    let mut found: Vec<(String, &'static str)> = names
        .into_iter()
        .filter(|name| {
            (name.starts_with("MIGRATION") || name.starts_with("STAIRWAY_"))
                && !known.contains(&name.as_str())
        })
        .filter_map(|name| {
            table::nearest(&name, known.iter().copied(), 0.85).map(|known| (name, known))
        })
        .collect();
    found.sort();
    found
}

/// The three places where settings are said, the strongest first.
struct Layers<'a> {
    overrides: &'a Overrides,
    variables: Variables<'a>,
    file: &'a ParsedFile,
}

/// A database to be settled.
struct Target<'a> {
    name: String,
    entry: Option<&'a Entry>,
    url: UrlFrom<'a>,
}

/// The databases that are meant, and what a person should be told about that.
type Found<'a> = (Vec<Target<'a>>, Vec<String>);

/// Where a database's URL comes from.
enum UrlFrom<'a> {
    Flag(&'a str),
    Variable(String),
    Entry(&'a Entry),
    Default,
}

impl<'a> Layers<'a> {
    /// Which databases are meant, and what a person should be told about that.
    fn targets(&self) -> Result<Found<'a>, SettingsError> {
        if let (Some(url), Selection::Implied) =
            (&self.overrides.database_url, &self.overrides.selection)
        {
            let entry = self.file.entry(DEFAULT_NAME);
            return Ok((
                vec![Target {
                    name: DEFAULT_NAME.to_owned(),
                    entry,
                    url: UrlFrom::Flag(url),
                }],
                Vec::new(),
            ));
        }
        match &self.overrides.selection {
            Selection::Implied => self.implied(),
            Selection::Named(name) => {
                let Some(entry) = self.file.entry(name) else {
                    return if name == DEFAULT_NAME {
                        Ok(self.unnamed())
                    } else {
                        Err(self.unknown_database(name))
                    };
                };
                let url = match &self.overrides.database_url {
                    Some(url) => UrlFrom::Flag(url),
                    None => UrlFrom::Entry(entry),
                };
                Ok((
                    vec![Target {
                        name: name.clone(),
                        entry: Some(entry),
                        url,
                    }],
                    Vec::new(),
                ))
            }
            Selection::All if self.file.databases.is_empty() => Err(SettingsError::NoDatabases),
            Selection::All => Ok((
                self.file.databases.iter().map(Target::of).collect(),
                Vec::new(),
            )),
            Selection::Offline(name) => {
                let name = name.as_deref().unwrap_or(DEFAULT_NAME);
                let entry = self.file.entry(name);
                if entry.is_none() && name != DEFAULT_NAME {
                    return Err(self.unknown_database(name));
                }
                Ok((
                    vec![Target {
                        name: name.to_owned(),
                        entry,
                        url: UrlFrom::Default,
                    }],
                    Vec::new(),
                ))
            }
        }
    }

    fn implied(&self) -> Result<Found<'a>, SettingsError> {
        let databases = &self.file.databases;
        if (self.variables)(DATABASE_URL).is_some() {
            let mut readers = databases
                .iter()
                .filter(|entry| entry.url_env.as_deref() == Some(DATABASE_URL));
            return match (readers.next(), readers.next()) {
                (Some(entry), None) => Ok((vec![Target::of(entry)], Vec::new())),
                _ => Ok(self.unnamed()),
            };
        }
        match (databases.as_slice(), self.file.entry(DEFAULT_NAME)) {
            ([entry], _) | (_, Some(entry)) => Ok((vec![Target::of(entry)], Vec::new())),
            ([], None) => Ok(self.unnamed()),
            (several, None) => Err(SettingsError::SeveralDatabases {
                known: several.iter().map(|entry| entry.name.clone()).collect(),
            }),
        }
    }

    /// The database that has no entry: where `DATABASE_URL` says, or the embedded one.
    fn unnamed(&self) -> Found<'a> {
        let mut notices = Vec::new();
        let url = if let Some(url) = &self.overrides.database_url {
            UrlFrom::Flag(url)
        } else if (self.variables)(DATABASE_URL).is_some() {
            UrlFrom::Variable(DATABASE_URL.to_owned())
        } else {
            notices.push(format!(
                "{DATABASE_URL} is not set: using the embedded database {}",
                Config::default().location()
            ));
            UrlFrom::Default
        };
        let target = Target {
            name: DEFAULT_NAME.to_owned(),
            entry: self.file.entry(DEFAULT_NAME),
            url,
        };
        (vec![target], notices)
    }

    fn unknown_database(&self, name: &str) -> SettingsError {
        let known: Vec<String> = self
            .file
            .databases
            .iter()
            .map(|entry| entry.name.clone())
            .collect();
        let nearest =
            table::nearest(name, known.iter().map(String::as_str), 0.7).map(str::to_owned);
        SettingsError::UnknownDatabase {
            name: value::shown(name),
            known,
            nearest,
        }
    }

    fn database(&self, target: &Target<'_>) -> Result<DatabaseSettings, SettingsError> {
        let mut draft = self.draft(target.entry)?;
        draft.config.name.clone_from(&target.name);
        draft.config.database = DatabaseSource::Url(self.url(target)?);
        Ok(DatabaseSettings {
            name: target.name.clone(),
            config: Ok(draft.config),
            dry_run: draft.dry_run,
            fail_on_error: draft.fail_on_error,
        })
    }

    fn url(&self, target: &Target<'_>) -> Result<DatabaseUrl, SettingsError> {
        let (text, origin) = match &target.url {
            UrlFrom::Flag(url) => ((*url).to_owned(), Origin::Flag("--database-url")),
            UrlFrom::Variable(name) => (
                self.variable(name)?.unwrap_or_default(),
                Origin::Variable(name.clone()),
            ),
            UrlFrom::Default => return Ok(embedded()),
            UrlFrom::Entry(entry) => match (&entry.url_env, &entry.url) {
                (Some(variable), _) => match self.variable(variable)? {
                    Some(url) => (url, Origin::Variable(variable.clone())),
                    None => {
                        return Err(SettingsError::UrlVariableUnset {
                            database: entry.name.clone(),
                            variable: variable.clone(),
                        });
                    }
                },
                (None, Some(url)) => (url.text.clone(), url.origin.clone()),
                (None, None) => {
                    return Err(SettingsError::NoUrl {
                        database: entry.name.clone(),
                    });
                }
            },
        };
        if text.trim().is_empty() {
            return Err(SettingsError::EmptyUrl { origin });
        }
        DatabaseUrl::parse(&text).map_err(|reason| SettingsError::Url { origin, reason })
    }

    /// Defaults, then the file, then the environment, then the command line.
    fn draft(&self, entry: Option<&Entry>) -> Result<Draft, SettingsError> {
        let mut draft = Draft::default();
        for given in self
            .file
            .values
            .iter()
            .chain(entry.into_iter().flat_map(|entry| &entry.values))
        {
            given
                .setting
                .assign(&mut draft, &given.text, || given.origin.clone())?;
        }
        for setting in SETTINGS {
            let Some(text) = self.variable(setting.variable)? else {
                continue;
            };
            // `NAME=` in a compose file means that nothing was said.
            if text.trim().is_empty() {
                continue;
            }
            setting.assign(&mut draft, &text, || {
                Origin::Variable(setting.variable.to_owned())
            })?;
        }
        for (key, text) in &self.overrides.values {
            let Some(setting) = SETTINGS.iter().find(|setting| setting.key == *key) else {
                return Err(SettingsError::NoSuchSetting { key });
            };
            setting.assign(&mut draft, text, || match setting.flag {
                Some(flag) => Origin::Flag(flag),
                None => Origin::Override(setting.key),
            })?;
        }
        Ok(draft)
    }

    fn variable(&self, name: &str) -> Result<Option<String>, SettingsError> {
        (self.variables)(name)
            .map(|value| {
                value.into_string().map_err(|_| SettingsError::NotUnicode {
                    variable: name.to_owned(),
                })
            })
            .transpose()
    }
}

impl<'a> Target<'a> {
    fn of(entry: &'a Entry) -> Self {
        Self {
            name: entry.name.clone(),
            entry: Some(entry),
            url: UrlFrom::Entry(entry),
        }
    }
}

/// The embedded default.
fn embedded() -> DatabaseUrl {
    match Config::default().database {
        DatabaseSource::Url(url) => url,
        DatabaseSource::Connection(_) => unreachable!("the default configuration has a URL"),
    }
}
