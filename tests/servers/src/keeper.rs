//! Nothing is left behind, however the owner ends.
//!
//! A small shell waits at the end of a pipe whose other end the owner holds. The pipe closes when
//! the owner drops it, and also when the owner is interrupted, killed or aborts: then the shell
//! ends the server and removes its directory. There is no second way to clean up, so every test
//! run tests this one.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use crate::ServerError;
use crate::process::Signal;

/// Arguments: the directory. A file in it names the process to wait for, if there is one, and the
/// signal that makes it end. A process that does not end within 30 seconds is killed.
const SCRIPT: &str = r#"
cat >/dev/null
if read -r signal pid <"$1/process"; then
    kill -CONT "$pid"
    kill -"$signal" "$pid"
    tries=0
    while kill -0 "$pid" && [ "$tries" -lt 600 ]; do
        sleep 0.05
        tries=$((tries + 1))
    done
    kill -KILL "$pid"
fi
# A program that is still making the data directory may put files where others were just removed.
tries=0
until rm -rf -- "$1" || [ "$tries" -ge 100 ]; do
    sleep 0.05
    tries=$((tries + 1))
done
"#;

/// Ends the server and removes its directory when dropped, or when this process ends.
#[derive(Debug)]
pub(crate) struct Keeper {
    shell: Child,
    note: PathBuf,
}

impl Keeper {
    pub(crate) fn watch(directory: &Path) -> Result<Self, ServerError> {
        let shell = Command::new("sh")
            .args(["-c", SCRIPT, "sh"])
            .arg(directory)
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            // Ctrl-C goes to the owner's process group: the keeper has to outlive it.
            .process_group(0)
            .spawn()
            .map_err(ServerError::io("running sh"))?;
        Ok(Self {
            shell,
            note: directory.join("process"),
        })
    }

    /// The process to wait for, and what makes it end. `None` when it has ended: its id may soon be another's.
    pub(crate) fn note(&self, process: Option<(Signal, u32)>) -> Result<(), ServerError> {
        match process {
            Some((signal, pid)) => fs::write(&self.note, format!("{} {pid}\n", signal.name())),
            None => fs::remove_file(&self.note),
        }
        .map_err(ServerError::io(format!("writing {}", self.note.display())))
    }

    /// Ends everything now. `server` is this process's child: unless it is waited for, it stays a
    /// zombie that looks alive to the shell.
    pub(crate) fn clean_up(&mut self, mut server: Option<Child>) {
        drop(self.shell.stdin.take());
        while matches!(self.shell.try_wait(), Ok(None)) {
            if let Some(child) = &mut server
                && !matches!(child.try_wait(), Ok(None))
            {
                server = None;
            }
            thread::sleep(Duration::from_millis(10));
        }
        if let Some(mut child) = server {
            // The shell was killed before it could do its work.
            let _ = child.kill();
            let _ = child.wait();
            let _ = self.note.parent().map(fs::remove_dir_all);
        }
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        self.clean_up(None);
    }
}
