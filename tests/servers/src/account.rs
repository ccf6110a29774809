//! PostgreSQL, MariaDB and PgBouncer refuse to run as root; root runs them under their packages'
//! accounts.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::ServerError;

/// The account that a server runs under: the caller's own, or another where the caller is root.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Account(Option<Ids>);

#[derive(Debug, Clone, Copy)]
struct Ids {
    user: u32,
    group: u32,
}

impl Account {
    /// The caller's account, or `name` if the caller is root.
    pub(crate) fn unprivileged(name: &'static str) -> Result<Self, ServerError> {
        if id(&["-u"]) != Some(0) {
            return Ok(Self(None));
        }
        match (id(&["-u", name]), id(&["-g", name])) {
            (Some(user), Some(group)) => Ok(Self(Some(Ids { user, group }))),
            _ => Err(ServerError::NoAccount { account: name }),
        }
    }

    pub(crate) fn apply(self, command: &mut Command) {
        if let Self(Some(ids)) = self {
            command.uid(ids.user).gid(ids.group);
        }
    }

    pub(crate) fn give(self, path: &Path) -> Result<(), ServerError> {
        match self {
            Self(Some(ids)) => chown(path, Some(ids.user), Some(ids.group))
                .map_err(ServerError::io(format!("giving away {}", path.display()))),
            Self(None) => Ok(()),
        }
    }
}

fn id(arguments: &[&str]) -> Option<u32> {
    let output = Command::new("id").args(arguments).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
