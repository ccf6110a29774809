//! Reading `stairway.toml`.

use std::path::Path;

use toml::Spanned;
use toml::de::{DeInteger, DeTable, DeValue};

use super::SettingsFile;
use super::error::{Origin, SettingsError};
use super::table::{SETTINGS, Scope, Setting, Takes, nearest};

/// A settings file, taken apart. Values are still as written.
#[derive(Debug, Default)]
pub(super) struct ParsedFile {
    /// What holds for all databases.
    pub(super) values: Vec<Given>,
    /// The databases, in the order of the file.
    pub(super) databases: Vec<Entry>,
}

/// A table `[databases.NAME]`.
#[derive(Debug)]
pub(super) struct Entry {
    pub(super) name: String,
    pub(super) url_env: Option<String>,
    pub(super) url: Option<Url>,
    pub(super) values: Vec<Given>,
}

/// A database URL that stands in the file itself. Not `Debug`-printed with its text.
pub(super) struct Url {
    pub(super) text: String,
    pub(super) origin: Origin,
}

impl std::fmt::Debug for Url {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Url")
            .field("origin", &self.origin)
            .finish_non_exhaustive()
    }
}

/// A value that the file gives to a setting.
#[derive(Debug)]
pub(super) struct Given {
    pub(super) setting: &'static Setting,
    pub(super) text: String,
    pub(super) origin: Origin,
}

type Key<'i> = Spanned<std::borrow::Cow<'i, str>>;
type Value<'i> = Spanned<DeValue<'i>>;

impl ParsedFile {
    pub(super) fn parse(file: &SettingsFile) -> Result<Self, SettingsError> {
        let reader = Reader {
            path: &file.path,
            text: &file.text,
        };
        let table = DeTable::parse(&file.text).map_err(|error| SettingsError::Syntax {
            path: file.path.clone(),
            line: error.span().map_or(1, |span| reader.line(span.start)),
            // Never the parser's own rendering: it quotes the line, which may hold a URL.
            message: error
                .message()
                .lines()
                .next()
                .unwrap_or("this is no TOML")
                .to_owned(),
        })?;
        let mut parsed = Self::default();
        for (key, value) in in_order(table.get_ref()) {
            if key.get_ref() == "databases" {
                parsed.databases = reader.databases(key, value)?;
            } else {
                parsed.values.push(reader.setting(None, key, value)?);
            }
        }
        Ok(parsed)
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.databases.iter().find(|entry| entry.name == name)
    }
}

struct Reader<'a> {
    path: &'a Path,
    text: &'a str,
}

impl Reader<'_> {
    fn databases(&self, key: &Key<'_>, value: &Value<'_>) -> Result<Vec<Entry>, SettingsError> {
        let Some(tables) = value.get_ref().as_table() else {
            return Err(self.wrong(
                None,
                key,
                "it must hold tables: write [databases.NAME]".to_owned(),
            ));
        };
        in_order(tables)
            .into_iter()
            .map(|(name, value)| self.database(name, value))
            .collect()
    }

    fn database(&self, name: &Key<'_>, value: &Value<'_>) -> Result<Entry, SettingsError> {
        let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        let text = name.get_ref();
        if text.is_empty() || text.len() > 64 || !text.chars().all(usable) {
            return Err(SettingsError::Value {
                origin: Origin::File {
                    key: "a table of `databases`".to_owned(),
                    path: self.path.to_owned(),
                    line: self.line(name.span().start),
                },
                reason: "a database's name has 1 to 64 letters, digits, `_`, `-` or `.`".to_owned(),
            });
        }
        let Some(table) = value.get_ref().as_table() else {
            let reason = format!("it must be a table: write [databases.{text}]");
            return Err(self.wrong(Some("databases"), name, reason));
        };
        let mut entry = Entry {
            name: text.to_string(),
            url_env: None,
            url: None,
            values: Vec::new(),
        };
        for (key, value) in in_order(table) {
            match key.get_ref().as_ref() {
                "url_env" => entry.url_env = Some(self.variable_name(&entry, key, value)?),
                "url" => entry.url = Some(self.url(&entry, key, value)?),
                _ => entry.values.push(self.setting(Some(&entry), key, value)?),
            }
        }
        if let (Some(_), Some(url)) = (&entry.url_env, &entry.url) {
            return Err(SettingsError::Value {
                origin: url.origin.clone(),
                reason: "the database has `url_env` as well: give one of them".to_owned(),
            });
        }
        Ok(entry)
    }

    fn variable_name(
        &self,
        entry: &Entry,
        key: &Key<'_>,
        value: &Value<'_>,
    ) -> Result<String, SettingsError> {
        let usable = |c: char| c.is_ascii_alphanumeric() || c == '_';
        match value.get_ref().as_str() {
            Some(name) if !name.is_empty() && name.chars().all(usable) => Ok(name.to_owned()),
            _ => Err(self.wrong(
                Some(&table_of(entry)),
                key,
                "it takes the name of an environment variable, such as \"SHOP_DATABASE_URL\"; a URL itself goes \
                 into `url`"
                    .to_owned(),
            )),
        }
    }

    fn url(&self, entry: &Entry, key: &Key<'_>, value: &Value<'_>) -> Result<Url, SettingsError> {
        let table = table_of(entry);
        let Some(text) = value.get_ref().as_str() else {
            return Err(self.wrong(Some(&table), key, "it must be a text".to_owned()));
        };
        Ok(Url {
            text: text.to_owned(),
            origin: self.origin(Some(&table), key),
        })
    }

    fn setting(
        &self,
        entry: Option<&Entry>,
        key: &Key<'_>,
        value: &Value<'_>,
    ) -> Result<Given, SettingsError> {
        let name = key.get_ref().as_ref();
        let table = entry.map(table_of);
        let found = SETTINGS.iter().find(|setting| setting.key == name);
        let Some(setting) =
            found.filter(|setting| entry.is_none() || setting.scope == Scope::Database)
        else {
            return Err(self.unknown(entry, key, found.is_some()));
        };
        let text = match (value.get_ref(), setting.takes) {
            (DeValue::String(text), _) => text.to_string(),
            (DeValue::Integer(number), Takes::Duration(..) | Takes::Count(..)) => decimal(number),
            (DeValue::Float(number), Takes::Duration(..)) => number.as_str().to_owned(),
            (DeValue::Boolean(yes), Takes::Boolean(_)) => yes.to_string(),
            (other, takes) => {
                let reason = format!(
                    "it takes {}, not a TOML {}",
                    takes.describe(),
                    other.type_str()
                );
                return Err(self.wrong(table.as_deref(), key, reason));
            }
        };
        Ok(Given {
            setting,
            text,
            origin: self.origin(table.as_deref(), key),
        })
    }

    fn unknown(
        &self,
        entry: Option<&Entry>,
        key: &Key<'_>,
        is_process_setting: bool,
    ) -> SettingsError {
        let name = key.get_ref().as_ref();
        let candidates = SETTINGS
            .iter()
            .filter(|setting| entry.is_none() || setting.scope == Scope::Database)
            .map(|setting| setting.key)
            .chain(
                if entry.is_some() {
                    &["url", "url_env"][..]
                } else {
                    &["databases"]
                }
                .iter()
                .copied(),
            );
        let instead = if is_process_setting {
            Some(
                "it holds for the whole process: put it at the top of the file, before any table"
                    .to_owned(),
            )
        } else if entry.is_none() && matches!(name, "url" | "url_env" | "database_url") {
            Some("a URL belongs in a table [databases.NAME]".to_owned())
        } else {
            nearest(name, candidates, 0.6).map(|nearest| format!("did you mean `{nearest}`?"))
        };
        let usable = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.');
        SettingsError::UnknownKey {
            path: self.path.to_owned(),
            line: self.line(key.span().start),
            table: entry.map_or_else(
                || "the top of the file".to_owned(),
                |entry| format!("[{}]", table_of(entry)),
            ),
            key: if name.len() <= 64 && name.chars().all(usable) {
                name.to_owned()
            } else {
                "…".to_owned()
            },
            instead,
        }
    }

    fn wrong(&self, table: Option<&str>, key: &Key<'_>, reason: String) -> SettingsError {
        SettingsError::Value {
            origin: self.origin(table, key),
            reason,
        }
    }

    fn origin(&self, table: Option<&str>, key: &Key<'_>) -> Origin {
        let name = key.get_ref();
        Origin::File {
            key: table.map_or_else(|| name.to_string(), |table| format!("{table}.{name}")),
            path: self.path.to_owned(),
            line: self.line(key.span().start),
        }
    }

    /// The line of a place in the text, counted from 1.
    fn line(&self, at: usize) -> usize {
        1 + self
            .text
            .get(..at)
            .unwrap_or(self.text)
            .matches('\n')
            .count()
    }
}

fn table_of(entry: &Entry) -> String {
    format!("databases.{}", entry.name)
}

/// A table's pairs as they stand in the file.
fn in_order<'t, 'i>(table: &'t DeTable<'i>) -> Vec<(&'t Key<'i>, &'t Value<'i>)> {
    let mut pairs: Vec<_> = table.iter().collect();
    pairs.sort_by_key(|(key, _)| key.span().start);
    pairs
}

/// An integer in the decimal form that other places use; one that is too large stays as written, and
/// is refused there.
fn decimal(number: &DeInteger<'_>) -> String {
    i64::from_str_radix(number.as_str(), number.radix())
        .map_or_else(|_| number.as_str().to_owned(), |number| number.to_string())
}
