use std::fmt;
use std::io;
use std::path::PathBuf;
use std::time::Duration;

/// Why a test server could not be started, stopped or started again.
#[derive(Debug)]
pub enum ServerError {
    /// A program of the server's package is neither in its usual directory nor on `PATH`.
    NotInstalled {
        /// The program, for instance `initdb`.
        program: &'static str,
        /// The Debian package that has it.
        package: &'static str,
    },
    /// The account that the server has to run under, because it refuses to run as root, is unknown.
    NoAccount {
        /// The account's name.
        account: &'static str,
    },
    /// A file could not be written, or a program not be run.
    Io {
        /// What was being done.
        doing: String,
        /// What the operating system said.
        source: io::Error,
    },
    /// Making the data directory failed.
    Setup {
        /// The program that failed.
        program: PathBuf,
        /// What it printed.
        output: String,
    },
    /// The server ended while it was being waited for.
    Ended {
        /// The server's name.
        server: &'static str,
        /// The end of its log.
        log: String,
    },
    /// The server did not reach the state that was waited for in time.
    Deadline {
        /// The server's name.
        server: &'static str,
        /// What was waited for.
        state: &'static str,
        /// How long.
        waited: Duration,
        /// The end of its log.
        log: String,
    },
    /// The server was stopped or killed, and has to be started again first.
    NotRunning {
        /// The server's name.
        server: &'static str,
    },
}

#[cfg(unix)]
impl ServerError {
    pub(crate) fn io(doing: impl Into<String>) -> impl FnOnce(io::Error) -> Self {
        let doing = doing.into();
        move |source| Self::Io { doing, source }
    }
}

impl fmt::Display for ServerError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotInstalled { program, package } => {
                write!(
                    out,
                    "{program} is not installed (Debian package: {package})"
                )
            }
            Self::NoAccount { account } => write!(
                out,
                "the server can't run as root and there is no account named {account}"
            ),
            Self::Io { doing, source } => write!(out, "{doing}: {source}"),
            Self::Setup { program, output } => {
                write!(out, "{} failed:\n{output}", program.display())
            }
            Self::Ended { server, log } => write!(out, "{server} ended by itself; its log:\n{log}"),
            Self::Deadline {
                server,
                state,
                waited,
                log,
            } => write!(
                out,
                "{server} was not {state} within {} s; its log:\n{log}",
                waited.as_secs()
            ),
            Self::NotRunning { server } => write!(out, "{server} is not running"),
        }
    }
}

impl std::error::Error for ServerError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Io { source, .. } => Some(source),
            Self::NotInstalled { .. }
            | Self::NoAccount { .. }
            | Self::Setup { .. }
            | Self::Ended { .. }
            | Self::Deadline { .. }
            | Self::NotRunning { .. } => None,
        }
    }
}
