//! A locked file beside an SQLite database. The operating system frees the lock when the process
//! ends, however it ends. The file itself stays: removing it would let two processes lock two
//! files of the same name.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use stairway_plan::event::LockHolder;

use crate::error::Error;

/// A file that this process has locked.
#[derive(Debug)]
pub(crate) struct LockedFile {
    file: File,
    path: PathBuf,
}

/// What the holder writes into the file.
#[derive(Debug, Serialize, Deserialize)]
struct Content {
    pid: i64,
    host: String,
    application: String,
    since: DateTime<Utc>,
}

/// The lock file of a database file.
pub(super) fn lock_file_of(database: &Path) -> PathBuf {
    let mut name = database.as_os_str().to_owned();
    name.push(".lock");
    PathBuf::from(name)
}

impl LockedFile {
    pub(super) fn try_lock(path: &Path) -> Result<Option<Self>, Error> {
        let failed = |source| Error::LockFile {
            path: path.to_owned(),
            source,
        };
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(path)
            .map_err(failed)?;
        if !lock_at_once(&file).map_err(failed)? {
            return Ok(None);
        }
        let content = Content {
            pid: i64::from(std::process::id()),
            host: gethostname::gethostname().to_string_lossy().into_owned(),
            application: "stairway".to_owned(),
            since: Utc::now(),
        };
        // What stands in the file is only for people; the lock itself is the operating system's.
        let text = serde_json::to_string(&content).unwrap_or_default();
        let written = file
            .set_len(0)
            .and_then(|()| file.seek(SeekFrom::Start(0)))
            .and_then(|_| file.write_all(text.as_bytes()));
        if let Err(error) = written {
            tracing::debug!(%error, path = %path.display(), "the lock file does not name its holder");
        }
        Ok(Some(Self {
            file,
            path: path.to_owned(),
        }))
    }

    /// Whether the path still leads to the file that is locked.
    pub(super) fn is_held(&self) -> bool {
        same_file(&self.file, &self.path)
    }

    pub(super) fn unlock(self) {
        if let Err(error) = self.file.set_len(0).and_then(|()| self.file.unlock()) {
            tracing::debug!(%error, "the lock ends with the process");
        }
    }
}

#[cfg(unix)]
fn same_file(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let (Ok(ours), Ok(there)) = (file.metadata(), std::fs::metadata(path)) else {
        return false;
    };
    (ours.dev(), ours.ino()) == (there.dev(), there.ino())
}

/// Elsewhere an open file can't be replaced by another.
#[cfg(not(unix))]
fn same_file(_: &File, path: &Path) -> bool {
    path.exists()
}

/// Locks the file unless another process has it. Whoever looks at whether it is locked locks it for
/// a moment too, in which it is not given up yet.
fn lock_at_once(file: &File) -> std::io::Result<bool> {
    for _ in 0..3 {
        match file.try_lock() {
            Ok(()) => return Ok(true),
            Err(TryLockError::WouldBlock) => std::thread::sleep(Duration::from_micros(100)),
            Err(TryLockError::Error(source)) => return Err(source),
        }
    }
    Ok(false)
}

/// Whether some process has the file locked.
pub(super) fn is_taken(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| is_locked(&file))
}

fn is_locked(file: &File) -> bool {
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// Who wrote into the lock file; nobody if what stands there is old.
pub(super) fn holder(path: &Path) -> Option<LockHolder> {
    let mut text = String::new();
    let mut file = File::open(path).ok()?;
    if !is_locked(&file) {
        return None;
    }
    file.read_to_string(&mut text).ok()?;
    let content: Option<Content> = serde_json::from_str(&text).ok();
    Some(
        content.map_or_else(LockHolder::default, |content| LockHolder {
            pid: Some(content.pid),
            host: Some(content.host),
            application: Some(content.application),
            since: Some(content.since),
            activity: None,
        }),
    )
}
