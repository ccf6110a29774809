//! How a test server is set up. The settings that trade durability for speed stand here, for all
//! kinds of servers, and nowhere else.

/// Connections that a test server accepts: many tests, each with many processes, run at once.
#[cfg(unix)]
pub(crate) const MAX_CONNECTIONS: &str = "300";

/// PostgreSQL settings for data that nobody needs after the test. They are wrong only for tests
/// that kill the server itself, see [`ServerOptions::durable`].
#[cfg(unix)]
pub(crate) const POSTGRES_THROW_AWAY: &[(&str, &str)] = &[
    ("fsync", "off"),
    ("synchronous_commit", "off"),
    ("full_page_writes", "off"),
    ("autovacuum", "off"),
];

/// MariaDB settings for data that nobody needs after the test.
#[cfg(unix)]
pub(crate) const MARIADB_THROW_AWAY: &[(&str, &str)] = &[
    ("innodb-flush-log-at-trx-commit", "0"),
    ("innodb-doublewrite", "0"),
    ("innodb-flush-method", "nosync"),
];

/// How a test server is set up. The default suits most tests: no password, and the data does not
/// survive a crash of the server.
#[derive(Debug, Clone, Default)]
pub struct ServerOptions {
    pub(crate) password: Option<String>,
    pub(crate) durable: bool,
    pub(crate) settings: Vec<(String, String)>,
}

impl ServerOptions {
    /// No password, not durable, no further settings.
    pub fn new() -> Self {
        Self::default()
    }

    /// The administrator (`postgres`, `root`) has this password, and the server asks for it.
    #[must_use]
    pub fn password(mut self, password: &str) -> Self {
        self.password = Some(password.to_owned());
        self
    }

    /// Committed data survives `kill -9` of the server, as in production.
    #[must_use]
    pub fn durable(mut self) -> Self {
        self.durable = true;
        self
    }

    /// A further setting, by the name that it has in the server's configuration file
    /// (`("wal_level", "logical")`, `("innodb-lock-wait-timeout", "2")`, `("pool_mode", "session")`).
    /// It wins over the settings that the tests use otherwise.
    #[must_use]
    pub fn setting(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    /// `defaults`, then those in `throw_away` unless the data is to be durable, then the test's own.
    #[cfg(unix)]
    pub(crate) fn merged<'a>(
        &'a self,
        defaults: &'a [(&'a str, &'a str)],
        throw_away: &'a [(&'a str, &'a str)],
    ) -> impl Iterator<Item = (&'a str, &'a str)> {
        let throw_away = if self.durable { &[] } else { throw_away };
        defaults.iter().chain(throw_away).copied().chain(
            self.settings
                .iter()
                .map(|(name, value)| (name.as_str(), value.as_str())),
        )
    }
}
