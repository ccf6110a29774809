//! The log file: appended to, and put aside when it has grown, so that it never fills a disk.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// When a log file is put aside, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRotation {
    /// A file that a line would make larger than this is put aside first. `0` never does.
    pub max_bytes: u64,
    /// How many files are kept besides the one that is written: `<file>.1` is the youngest.
    pub kept: u32,
}

impl Default for LogRotation {
    /// 100 MiB, and five files besides.
    fn default() -> Self {
        Self {
            max_bytes: 100 << 20,
            kept: 5,
        }
    }
}

/// A log file that several processes may append to. Whoever finds it full puts it aside, under a lock
/// of the file's own; the others notice before their next line.
#[derive(Debug)]
pub(super) struct LogFile {
    path: PathBuf,
    file: File,
    rotation: LogRotation,
    /// It could not be put aside: it is written to all the same, and tried again when it has grown by
    /// as much once more.
    allowance: u64,
}

impl LogFile {
    pub(super) fn open(path: &Path, rotation: LogRotation) -> io::Result<Self> {
        Ok(Self {
            path: path.to_owned(),
            file: append_to(path)?,
            rotation,
            allowance: 0,
        })
    }

    /// Sees to it that a line of this length goes to a file that has room for it.
    fn make_room(&mut self, length: u64) -> io::Result<()> {
        if self.rotation.max_bytes == 0 {
            return Ok(());
        }
        if !self.is_current() {
            self.file = append_to(&self.path)?;
        }
        if !self.is_full(length)? {
            return Ok(());
        }
        // Only one puts it aside; the others find the new one when they get the lock of the old one.
        let full = self.file.try_clone()?;
        full.lock()?;
        let made = if self.is_current() && self.is_full(length)? {
            self.put_aside()
        } else {
            Ok(())
        };
        let opened = made.and_then(|()| append_to(&self.path));
        drop(full.unlock());
        match opened {
            Ok(file) => {
                self.file = file;
                self.allowance = 0;
            }
            Err(_) => self.allowance += self.rotation.max_bytes,
        }
        Ok(())
    }

    fn is_full(&self, length: u64) -> io::Result<bool> {
        let size = self.file.metadata()?.len();
        Ok(size > 0 && size + length > self.rotation.max_bytes + self.allowance)
    }

    /// Whether the file that is open is still the one at its path.
    fn is_current(&self) -> bool {
        match (self.file.metadata(), fs::metadata(&self.path)) {
            (Ok(open), Ok(there)) => is_same(&open, &there),
            _ => false,
        }
    }

    /// Moves each file one number up. The oldest is replaced.
    fn put_aside(&self) -> io::Result<()> {
        if self.rotation.kept == 0 {
            return fs::remove_file(&self.path);
        }
        for number in (1..self.rotation.kept).rev() {
            match fs::rename(self.numbered(number), self.numbered(number + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        fs::rename(&self.path, self.numbered(1))
    }

    fn numbered(&self, number: u32) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(format!(".{number}"));
        name.into()
    }
}

impl Write for LogFile {
    /// Writes a whole line: what writes log lines hands them over in one piece.
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.make_room(line.len() as u64)?;
        self.file.write_all(line)?;
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

fn append_to(path: &Path) -> io::Result<File> {
    File::options().create(true).append(true).open(path)
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

/// A file can't be told from its successor by name here; one that was put aside is longer.
#[cfg(not(unix))]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.len() == other.len()
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::thread;

    use super::*;

    fn rotation(max_bytes: u64, kept: u32) -> LogRotation {
        LogRotation { max_bytes, kept }
    }

    /// The lines of the file and of those that were put aside, oldest first, file by file.
    fn contents(path: &Path) -> Vec<Vec<String>> {
        let mut files: Vec<PathBuf> = fs::read_dir(path.parent().unwrap())
            .unwrap()
            .map(|entry| entry.unwrap().path())
            .collect();
        // `log` itself is the youngest: shorter than `log.1`, which is younger than `log.2`.
        files.sort_by_key(|file| std::cmp::Reverse(file.extension().map(ToOwned::to_owned)));
        files
            .iter()
            .map(|file| {
                let text = fs::read_to_string(file).unwrap();
                text.lines().map(str::to_owned).collect()
            })
            .collect()
    }

    #[test]
    fn a_full_file_is_put_aside_and_only_as_many_as_asked_for_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut log = LogFile::open(&path, rotation(8, 2)).unwrap();
        for line in ["one\n", "two\n", "three\n", "four\n", "five\n", "six\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        // "one" and "two" were in the file that is gone.
        assert_eq!(
            contents(&path),
            [vec!["four"], vec!["five"], vec!["six"]],
            "at most 8 bytes each, the youngest three"
        );
    }

    #[test]
    fn what_was_there_before_counts_and_a_line_that_is_longer_than_a_file_is_written_whole() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        fs::write(&path, "before\n").unwrap();
        let mut log = LogFile::open(&path, rotation(10, 3)).unwrap();
        log.write_all(b"a very long line\n").unwrap();
        log.write_all(b"after\n").unwrap();
        assert_eq!(
            contents(&path),
            [vec!["before"], vec!["a very long line"], vec!["after"]]
        );
    }

    #[test]
    fn without_a_limit_the_file_only_grows_and_without_copies_it_starts_anew() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut log = LogFile::open(&path, rotation(0, 3)).unwrap();
        for _ in 0..100 {
            log.write_all(b"line\n").unwrap();
        }
        assert_eq!(contents(&path).len(), 1);
        let mut log = LogFile::open(&path, rotation(5, 0)).unwrap();
        log.write_all(b"new\n").unwrap();
        assert_eq!(contents(&path), [vec!["new"]]);
    }

    #[test]
    fn several_that_write_at_once_lose_no_line() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        thread::scope(|scope| {
            for writer in 0..4 {
                let path = &path;
                scope.spawn(move || {
                    let mut log = LogFile::open(path, rotation(1_000, 1_000)).unwrap();
                    for line in 0..200 {
                        log.write_all(format!("{writer} {line}\n").as_bytes())
                            .unwrap();
                    }
                });
            }
        });
        let files = contents(&path);
        assert!(files.len() > 4, "{} files", files.len());
        let lines: BTreeSet<String> = files.into_iter().flatten().collect();
        assert_eq!(lines.len(), 800);
    }

    #[cfg(unix)]
    #[test]
    fn a_file_that_somebody_else_has_put_aside_is_followed_to_its_new_place() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        let mut log = LogFile::open(&path, rotation(1_000, 2)).unwrap();
        log.write_all(b"old\n").unwrap();
        fs::rename(&path, directory.path().join("log.1")).unwrap();
        log.write_all(b"new\n").unwrap();
        assert_eq!(contents(&path), [vec!["old"], vec!["new"]]);
    }

    #[test]
    fn a_file_that_cannot_be_put_aside_is_written_to_all_the_same() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("log");
        // A directory that is not empty can't be replaced by a file.
        fs::create_dir_all(directory.path().join("log.1/in the way")).unwrap();
        let mut log = LogFile::open(&path, rotation(5, 1)).unwrap();
        for line in ["one\n", "two\n", "three\n"] {
            log.write_all(line.as_bytes()).unwrap();
        }
        assert_eq!(fs::read_to_string(&path).unwrap(), "one\ntwo\nthree\n");
    }
}
