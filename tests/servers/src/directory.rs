//! The temporary directory of one server.

use std::env;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::ServerError;
use crate::account::Account;
use crate::keeper::Keeper;

static COUNTER: AtomicU32 = AtomicU32::new(0);

/// `<temporary directory>/stairway-<server>-<process>-<number>`, readable by its owner only, with
/// the keeper that removes it.
#[derive(Debug)]
pub(crate) struct ServerDirectory {
    path: PathBuf,
    keeper: Keeper,
}

impl ServerDirectory {
    pub(crate) fn create(server: &str, account: Account) -> Result<Self, ServerError> {
        let path = loop {
            let number = COUNTER.fetch_add(1, Ordering::Relaxed);
            let name = format!("stairway-{server}-{}-{number}", process::id());
            let path = env::temp_dir().join(name);
            match fs::create_dir(&path) {
                Ok(()) => break path,
                // Left by an earlier process with the same id.
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => {
                    return Err(ServerError::io(format!("creating {}", path.display()))(
                        error,
                    ));
                }
            }
        };
        let keeper = Keeper::watch(&path)?;
        let directory = Self { path, keeper };
        fs::set_permissions(&directory.path, fs::Permissions::from_mode(0o700))
            .map_err(ServerError::io("closing the directory to others"))?;
        account.give(&directory.path)?;
        Ok(directory)
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn join(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    pub(crate) fn keeper(&mut self) -> &mut Keeper {
        &mut self.keeper
    }

    /// Writes a file that the server's account can read.
    pub(crate) fn write(
        &self,
        name: &str,
        content: &str,
        account: Account,
    ) -> Result<PathBuf, ServerError> {
        let path = self.join(name);
        fs::write(&path, content)
            .map_err(ServerError::io(format!("writing {}", path.display())))?;
        account.give(&path)?;
        Ok(path)
    }

    /// Makes a directory that the server's account can write to.
    pub(crate) fn create_inside(
        &self,
        name: &str,
        account: Account,
    ) -> Result<PathBuf, ServerError> {
        let path = self.join(name);
        fs::create_dir(&path).map_err(ServerError::io(format!("creating {}", path.display())))?;
        account.give(&path)?;
        Ok(path)
    }
}
