//! Processes: signals to them and their descendants, and how they ended. The standard library can only kill its own
//! children, and the workspace forbids unsafe code, so the shell's `kill` does the rest.

use std::collections::{HashMap, HashSet};
use std::fs;
use std::io;
use std::process::{Command, ExitStatus, Stdio};

/// What a process is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C; PostgreSQL's fast shutdown.
    Interrupt,
    /// SIGTERM: please end.
    Terminate,
    /// SIGQUIT: PostgreSQL's immediate shutdown.
    Quit,
    /// SIGKILL: end without being asked.
    Kill,
    /// SIGSTOP: do nothing until [`Signal::Continue`].
    Stop,
    /// SIGCONT: go on.
    Continue,
}

impl Signal {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
            Self::Quit => "QUIT",
            Self::Kill => "KILL",
            Self::Stop => "STOP",
            Self::Continue => "CONT",
        }
    }
}

/// Sends `signal` to every process in `pids`. One that has ended meanwhile is no error.
///
/// # Errors
/// The shell could not be run: there is none outside Unix.
pub fn send(signal: Signal, pids: &[u32]) -> io::Result<()> {
    if pids.is_empty() {
        return Ok(());
    }
    let script = r#"signal=$1; shift; for pid in "$@"; do kill -"$signal" "$pid"; done; :"#;
    Command::new("sh")
        .args(["-c", script, "sh", signal.name()])
        .args(pids.iter().map(u32::to_string))
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .map(|_| ())
}

/// `root` and all processes that descend from it, parents before their children.
pub fn tree(root: u32) -> Vec<u32> {
    let mut children: HashMap<u32, Vec<u32>> = HashMap::new();
    for process in table() {
        children
            .entry(process.parent)
            .or_default()
            .push(process.pid);
    }
    let mut found = vec![root];
    let mut position = 0;
    while let Some(&pid) = found.get(position) {
        found.extend(children.remove(&pid).unwrap_or_default());
        position += 1;
    }
    found
}

/// Which of `pids` still run. One that has ended and whose parent has not asked for its exit code
/// yet (a zombie) does not run.
pub fn running(pids: &[u32]) -> Vec<u32> {
    let wanted: HashSet<u32> = pids.iter().copied().collect();
    table()
        .into_iter()
        .filter(|process| !process.ended && wanted.contains(&process.pid))
        .map(|process| process.pid)
        .collect()
}

/// The exit code as shells count it: 128 and the signal's number for a program that a signal has
/// ended.
pub fn exit_code(status: ExitStatus) -> i32 {
    #[cfg(unix)]
    let signal = std::os::unix::process::ExitStatusExt::signal(&status);
    #[cfg(not(unix))]
    let signal: Option<i32> = None;
    status
        .code()
        .or(signal.map(|signal| 128 + signal))
        .unwrap_or(1)
}

struct Process {
    pid: u32,
    parent: u32,
    ended: bool,
}

/// All processes: from /proc where there is one (small containers have no `ps`), else from `ps`.
fn table() -> Vec<Process> {
    if fs::exists("/proc/self/stat").unwrap_or(false) {
        return fs::read_dir("/proc")
            .into_iter()
            .flatten()
            .flatten()
            .filter_map(|entry| {
                let pid = entry.file_name().to_str()?.parse().ok()?;
                let stat = fs::read_to_string(entry.path().join("stat")).ok()?;
                parse_stat(pid, &stat)
            })
            .collect();
    }
    let listing = Command::new("ps")
        .args(["-A", "-o", "pid=,ppid=,state="])
        .output();
    listing.map_or_else(
        |_| Vec::new(),
        |listing| {
            String::from_utf8_lossy(&listing.stdout)
                .lines()
                .filter_map(parse_ps)
                .collect()
        },
    )
}

/// `pid (command) state ppid ...`, where the command may itself hold spaces and parentheses.
fn parse_stat(pid: u32, stat: &str) -> Option<Process> {
    let mut fields = stat.rsplit_once(')')?.1.split_whitespace();
    let ended = matches!(fields.next()?, "Z" | "X");
    let parent = fields.next()?.parse().ok()?;
    Some(Process { pid, parent, ended })
}

fn parse_ps(line: &str) -> Option<Process> {
    let mut fields = line.split_whitespace();
    let pid = fields.next()?.parse().ok()?;
    let parent = fields.next()?.parse().ok()?;
    let ended = fields.next()?.starts_with('Z');
    Some(Process { pid, parent, ended })
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::io::Read;

    #[test]
    fn a_process_line_is_read_although_the_command_has_spaces_and_parentheses() {
        let process = parse_stat(7, "7 (a (b) c) S 3 7 7 0").expect("a stat line");
        assert_eq!((process.pid, process.parent, process.ended), (7, 3, false));
        assert!(parse_stat(8, "8 (x) Z 3 8").expect("a stat line").ended);
        assert!(parse_ps(" 12  1 Z+").expect("a ps line").ended);
    }

    #[test]
    fn a_signal_reaches_a_grandchild_found_by_descent() {
        let mut shell = Command::new("sh")
            .args(["-c", "sleep 600 & echo $!; wait"])
            .stdout(Stdio::piped())
            .spawn()
            .expect("a shell");
        let mut output = shell.stdout.take().expect("piped");
        let mut text = String::new();
        while !text.ends_with('\n') {
            let mut byte = [0];
            output
                .read_exact(&mut byte)
                .expect("the shell prints its child's id");
            text.push(char::from(byte[0]));
        }
        let grandchild: u32 = text.trim().parse().expect("a process id");

        let family = tree(shell.id());
        assert_eq!(family.first(), Some(&shell.id()));
        assert!(
            family.contains(&grandchild),
            "{family:?} has no {grandchild}"
        );
        assert_eq!(running(&[grandchild]), [grandchild]);

        send(Signal::Kill, &[grandchild]).expect("a shell");
        assert!(shell.wait().is_ok(), "the shell ends when its child does");
        assert_eq!(running(&[grandchild]), []);
    }
}
