use std::fmt;
use std::str::FromStr;

/// Names the databases that the tests must find: their [`Backend::name`]s, separated by commas.
/// Tests leave the others out, and fail where one of these can't be reached. Set by
/// `cargo xtask test`; without it the tests use what they can reach.
pub const DATABASES_VARIABLE: &str = "STAIRWAY_TEST_DATABASES";

/// Set to `1` where every program of the database packages and every checker that a test runs is
/// known to be installed: a test that lacks one then fails instead of being left out.
pub const PROGRAMS_VARIABLE: &str = "STAIRWAY_TEST_PROGRAMS";

/// A kind of database that the tests run on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Backend {
    /// An SQLite file: needs no server.
    Sqlite,
    /// PostgreSQL.
    Postgres,
    /// MariaDB or MySQL.
    MySql,
}

impl Backend {
    /// All of them, the one that needs no server first.
    pub const ALL: [Self; 3] = [Self::Sqlite, Self::Postgres, Self::MySql];

    /// The name on command lines and in variables: `sqlite`, `postgres` or `mysql`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Sqlite => "sqlite",
            Self::Postgres => "postgres",
            Self::MySql => "mysql",
        }
    }

    /// The environment variable with the URL of a server whose user may create and drop databases.
    pub fn url_variable(self) -> Option<&'static str> {
        match self {
            Self::Sqlite => None,
            Self::Postgres => Some("STAIRWAY_TEST_POSTGRES_URL"),
            Self::MySql => Some("STAIRWAY_TEST_MYSQL_URL"),
        }
    }
}

impl fmt::Display for Backend {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

/// No [`Backend`] has this name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnknownBackend(String);

impl fmt::Display for UnknownBackend {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let known = Backend::ALL.map(Backend::name).join(", ");
        write!(out, "unknown database \"{}\"; known are {known}", self.0)
    }
}

impl std::error::Error for UnknownBackend {}

impl FromStr for Backend {
    type Err = UnknownBackend;

    fn from_str(name: &str) -> Result<Self, Self::Err> {
        Self::ALL
            .into_iter()
            .find(|backend| backend.name() == name)
            .ok_or_else(|| UnknownBackend(name.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_backend_is_found_by_its_name_and_no_other_is() {
        for backend in Backend::ALL {
            assert_eq!(backend.name().parse(), Ok(backend));
        }
        let error = "oracle".parse::<Backend>().expect_err("no such backend");
        assert_eq!(
            error.to_string(),
            "unknown database \"oracle\"; known are sqlite, postgres, mysql"
        );
    }
}
