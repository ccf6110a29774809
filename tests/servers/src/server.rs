use std::ffi::OsString;
use std::fmt;
use std::fs::{self, File};
use std::net::TcpListener;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use crate::account::Account;
use crate::directory::ServerDirectory;
use crate::process::{self, Signal};
use crate::{ServerError, ServerUrl};

/// How long a server may take to start or stop on a busy machine.
const DEADLINE: Duration = Duration::from_mins(2);

/// How often another port is tried: one that was free may be taken before the server binds it.
const PORT_TRIES: u32 = 5;

const POLL: Duration = Duration::from_millis(20);

/// How one kind of server is run and told apart.
pub(crate) struct Launch {
    pub(crate) server: &'static str,
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) account: Account,
    /// The server's log has this text once connections are accepted.
    pub(crate) ready: &'static str,
    /// Asks for an orderly end, without waiting for clients.
    pub(crate) stop: Signal,
    /// Ends it at once, leaving nothing behind outside its directory.
    pub(crate) discard: Signal,
    pub(crate) url: ServerUrl,
}

/// A database server or pooler on 127.0.0.1 that lives as long as this value. Made by
/// [`crate::postgres::start`], [`crate::mariadb::start`] and [`crate::pgbouncer::start`].
pub struct Server {
    launch: Launch,
    directory: ServerDirectory,
    process: Option<Child>,
}

impl Server {
    /// Starts what `launch` describes for a port, and waits until it accepts connections.
    pub(crate) fn start(
        directory: ServerDirectory,
        mut launch: impl FnMut(&ServerDirectory, u16) -> Result<Launch, ServerError>,
    ) -> Result<Self, ServerError> {
        let mut server = Self {
            launch: launch(&directory, free_port()?)?,
            directory,
            process: None,
        };
        let mut tries = 1;
        loop {
            match server.start_again() {
                Err(ServerError::Ended { log, .. })
                    if tries < PORT_TRIES && log.contains("Address already in use") =>
                {
                    tries += 1;
                    server.launch = launch(&server.directory, free_port()?)?;
                }
                Err(error) => return Err(error),
                Ok(()) => return Ok(server),
            }
        }
    }

    /// The URL of the server, without a database: see [`ServerUrl::with_database`].
    pub fn url(&self) -> &ServerUrl {
        &self.launch.url
    }

    /// The id of the server's main process, unless it was stopped or killed.
    pub fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Child::id)
    }

    /// The server's temporary directory; the data is in `data`.
    pub fn directory(&self) -> &Path {
        self.directory.path()
    }

    /// What the server has logged since it was last started.
    pub fn log(&self) -> String {
        fs::read(self.log_file()).map_or_else(
            |error| format!("(no log: {error})"),
            |log| String::from_utf8_lossy(&log).into_owned(),
        )
    }

    /// Ends every process of the server at once, as `kill -9` or a power cut would.
    ///
    /// # Errors
    /// The server was not running, or its processes did not end.
    pub fn kill(&mut self) -> Result<(), ServerError> {
        let main = self.running_pid()?;
        // Stopped first, it can't start further processes while they are being listed.
        self.signal(Signal::Stop, &[main])?;
        let all = process::tree(main);
        self.signal(Signal::Kill, &all)?;
        self.reap("gone")?;
        let begin = Instant::now();
        while !process::running(&all).is_empty() {
            self.check_deadline(begin, "gone")?;
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Ends the server in an orderly way, without waiting for its clients to leave. The data stays.
    ///
    /// # Errors
    /// The server was not running, or did not end in time.
    pub fn stop(&mut self) -> Result<(), ServerError> {
        let main = self.running_pid()?;
        self.signal(self.launch.stop, &[main])?;
        self.reap("stopped")
    }

    /// Starts a server that was stopped or killed, on the same port and data, and waits until it
    /// accepts connections. One that still runs is left as it is.
    ///
    /// # Errors
    /// The server ended at once or did not become ready; the error has its log.
    pub fn start_again(&mut self) -> Result<(), ServerError> {
        if self.process.is_none() {
            self.start_unready()?;
        }
        self.wait_until_ready()
    }

    /// Starts a server again that has ended by itself, for instance because its disk was full.
    ///
    /// # Errors
    /// As [`Server::start_again`]; also where it has not ended in time.
    pub fn restart_ended(&mut self) -> Result<(), ServerError> {
        self.reap("gone")?;
        self.start_again()
    }

    /// Like [`Server::start_again`], but returns while the server is still starting.
    ///
    /// # Errors
    /// The program could not be run.
    pub fn start_unready(&mut self) -> Result<(), ServerError> {
        let log =
            File::create(self.log_file()).map_err(ServerError::io("creating the server's log"))?;
        let errors = log
            .try_clone()
            .map_err(ServerError::io("opening the server's log twice"))?;
        let mut command = Command::new(&self.launch.program);
        command
            .args(&self.launch.arguments)
            .current_dir(self.directory.path())
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            // Ctrl-C in the terminal must not reach the server before its clients have ended.
            .process_group(0);
        self.launch.account.apply(&mut command);
        let child = command.spawn().map_err(ServerError::io(format!(
            "running {}",
            self.launch.program.display()
        )))?;
        let pid = child.id();
        self.process = Some(child);
        self.directory
            .keeper()
            .note(Some((self.launch.discard, pid)))
    }

    /// Waits until a server that is starting accepts connections.
    ///
    /// # Errors
    /// The server ended or did not become ready in time; the error has its log.
    pub fn wait_until_ready(&mut self) -> Result<(), ServerError> {
        let begin = Instant::now();
        while !self.log().contains(self.launch.ready) {
            self.running_pid()?;
            if self.ended()? {
                self.forget()?;
                return Err(ServerError::Ended {
                    server: self.launch.server,
                    log: self.log(),
                });
            }
            self.check_deadline(begin, "ready")?;
            thread::sleep(POLL);
        }
        Ok(())
    }

    /// Stops the server in an orderly way and starts it again on the same port and data.
    ///
    /// # Errors
    /// As [`Server::stop`] and [`Server::start_again`].
    pub fn restart(&mut self) -> Result<(), ServerError> {
        self.stop()?;
        self.start_again()
    }

    /// Freezes every process of the server: connections stay open, connecting succeeds, nothing is
    /// answered.
    ///
    /// # Errors
    /// The server is not running.
    pub fn freeze(&self) -> Result<(), ServerError> {
        let main = self.running_pid()?;
        self.signal(Signal::Stop, &[main])?;
        self.signal(Signal::Stop, &process::tree(main))
    }

    /// Lets a frozen server go on.
    ///
    /// # Errors
    /// The server is not running.
    pub fn thaw(&self) -> Result<(), ServerError> {
        let main = self.running_pid()?;
        self.signal(Signal::Continue, &process::tree(main))
    }

    fn log_file(&self) -> PathBuf {
        self.directory.join("server.log")
    }

    fn running_pid(&self) -> Result<u32, ServerError> {
        self.pid().ok_or(ServerError::NotRunning {
            server: self.launch.server,
        })
    }

    fn signal(&self, signal: Signal, pids: &[u32]) -> Result<(), ServerError> {
        process::send(signal, pids).map_err(ServerError::io(format!(
            "sending SIG{} to {}",
            signal.name(),
            self.launch.server
        )))
    }

    fn ended(&mut self) -> Result<bool, ServerError> {
        self.process.as_mut().map_or(Ok(true), |child| {
            let exit = child
                .try_wait()
                .map_err(ServerError::io("asking for the server's exit code"))?;
            Ok(exit.is_some())
        })
    }

    fn reap(&mut self, state: &'static str) -> Result<(), ServerError> {
        let begin = Instant::now();
        while !self.ended()? {
            self.check_deadline(begin, state)?;
            thread::sleep(POLL);
        }
        self.forget()
    }

    fn forget(&mut self) -> Result<(), ServerError> {
        self.process = None;
        self.directory.keeper().note(None)
    }

    fn check_deadline(&self, begin: Instant, state: &'static str) -> Result<(), ServerError> {
        if begin.elapsed() < DEADLINE {
            return Ok(());
        }
        Err(ServerError::Deadline {
            server: self.launch.server,
            state,
            waited: DEADLINE,
            log: self.log(),
        })
    }
}

impl fmt::Debug for Server {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Server")
            .field("url", &self.launch.url)
            .field("pid", &self.pid())
            .field("directory", &self.directory.path())
            .finish_non_exhaustive()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let process = self.process.take();
        if let Some(child) = &process {
            // One that a test left frozen could not end by itself.
            let _ = process::send(Signal::Continue, &process::tree(child.id()));
        }
        self.directory.keeper().clean_up(process);
    }
}

/// A port of 127.0.0.1 that nobody listens on at this moment.
fn free_port() -> Result<u16, ServerError> {
    TcpListener::bind(("127.0.0.1", 0))
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(ServerError::io("looking for a free port"))
}

/// Runs a program that makes a server's data directory.
pub(crate) fn set_up(
    mut command: Command,
    directory: &mut ServerDirectory,
) -> Result<(), ServerError> {
    let program = PathBuf::from(command.get_program());
    let running = ServerError::io(format!("running {}", program.display()));
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        // It ends by itself in a moment. Ended by Ctrl-C, it would leave shared memory behind.
        .process_group(0)
        .spawn();
    let output = child.and_then(|child| {
        let noted = directory
            .keeper()
            .note(Some((Signal::Continue, child.id())));
        child.wait_with_output().map(|output| (output, noted))
    });
    let (output, noted) = output.map_err(running)?;
    noted?;
    directory.keeper().note(None)?;
    if output.status.success() {
        return Ok(());
    }
    let text = [output.stdout, output.stderr].concat();
    Err(ServerError::Setup {
        program,
        output: String::from_utf8_lossy(&text).into_owned(),
    })
}
