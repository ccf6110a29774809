use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use crate::backends::say;
use crate::names;

const BALLAST: &str = "ballast";

/// A small file system of its own in memory, unmounted with this value.
#[derive(Debug)]
pub struct SmallDisk {
    directory: TempDir,
}

impl SmallDisk {
    /// Mounts one of this size that belongs to this user. `None`, and a line on stderr, where that is
    /// not allowed: it needs root and a kernel's blessing.
    ///
    /// # Panics
    /// No directory can be made.
    pub fn mount(kilobytes: u32, owner: Option<&str>) -> Option<Self> {
        let directory = tempfile::Builder::new()
            .prefix(names::PREFIX)
            .tempdir()
            .expect("a temporary directory can be made");
        let mut options = format!("size={kilobytes}k,mode=0755");
        if let Some(owner) = owner {
            options = format!(
                "{options},uid={},gid={}",
                id("-u", owner)?,
                id("-g", owner)?
            );
        }
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &options, "tmpfs"])
            .arg(directory.path())
            .stdin(Stdio::null())
            .stderr(Stdio::null())
            .status();
        if mounted.is_ok_and(|status| status.success()) {
            return Some(Self { directory });
        }
        say("NOT TESTED: A FULL DISK. It needs the right to mount a file system in memory");
        None
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Fills it up but for so many bytes.
    ///
    /// # Panics
    /// There is no room for that.
    pub fn fill_but(&self, room: u64) {
        let path = self.ballast();
        let mut file = File::create(&path).expect("a file can be made");
        let block = vec![0xa5; 4096];
        while file.write_all(&block).is_ok() {}
        let length = file.metadata().expect("the file is there").len();
        let kept = length.checked_sub(room).expect("so much room there is");
        file.set_len(kept).expect("the file can be cut");
    }

    /// Gives the room back.
    ///
    /// # Panics
    /// It had not been filled.
    pub fn make_room(&self) {
        fs::remove_file(self.ballast()).expect("it was filled");
    }

    fn ballast(&self) -> PathBuf {
        self.path().join(BALLAST)
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        // Lazily: a server may still have files open in it.
        let unmounted = Command::new("umount")
            .arg("--lazy")
            .arg(self.path())
            .status();
        if !unmounted.is_ok_and(|status| status.success()) {
            say(&format!("could not unmount {}", self.path().display()));
        }
    }
}

/// A user's or group's number.
fn id(which: &str, name: &str) -> Option<u32> {
    let output = Command::new("id").args([which, name]).output().ok()?;
    String::from_utf8(output.stdout).ok()?.trim().parse().ok()
}
