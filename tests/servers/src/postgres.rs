//! A PostgreSQL server with the superuser `postgres`.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::account::Account;
use crate::directory::ServerDirectory;
use crate::options::{MAX_CONNECTIONS, POSTGRES_THROW_AWAY};
use crate::process::Signal;
use crate::server::{Launch, set_up};
use crate::{Server, ServerError, ServerOptions, ServerUrl, programs};

const ADMINISTRATOR: &str = "postgres";

/// What the server logs once it accepts connections.
const READY: &str = "database system is ready to accept connections";

/// What a standby logs then, whatever its version.
const READY_TO_READ: &str = "database system is ready to accept read";

/// Starts a server of the newest installed version with an empty `postgres` database, UTF-8 and
/// the `C` locale, and waits until it accepts connections.
///
/// # Errors
/// The programs are not installed, or the server did not start; the error has its log.
pub fn start(options: &ServerOptions) -> Result<Server, ServerError> {
    let initdb = initdb()?;
    let account = Account::unprivileged("postgres")?;
    let mut directory = ServerDirectory::create("postgres", account)?;
    let data = directory.join("data");

    let mut setup = Command::new(&initdb);
    setup
        .args([
            "--username",
            ADMINISTRATOR,
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
        ])
        .arg("--pgdata")
        .arg(&data)
        .current_dir(directory.path());
    match &options.password {
        Some(password) => {
            let file = directory.write("password", &format!("{password}\n"), account)?;
            setup.arg("--auth=scram-sha-256").arg("--pwfile").arg(file);
        }
        None => {
            setup.arg("--auth=trust");
        }
    }
    account.apply(&mut setup);
    set_up(setup, &mut directory)?;

    run(directory, &initdb, options, READY)
}

/// Starts a read-only standby that follows the server at `primary` by streaming, and waits until it
/// accepts connections.
///
/// # Errors
/// As [`start`]; also where the primary does not let its data be copied.
pub fn start_standby(primary: &ServerUrl, options: &ServerOptions) -> Result<Server, ServerError> {
    let initdb = initdb()?;
    let account = Account::unprivileged("postgres")?;
    let mut directory = ServerDirectory::create("standby", account)?;
    let mut copy = Command::new(initdb.with_file_name("pg_basebackup"));
    copy.args([
        "--write-recovery-conf",
        "--wal-method=stream",
        "--checkpoint=fast",
        "--no-sync",
        "--no-password",
    ])
    .arg("--pgdata")
    .arg(directory.join("data"))
    .args(["--host", primary.host()])
    .args(["--port", &primary.port().unwrap_or(5432).to_string()])
    .args(["--username", &primary.user()])
    .current_dir(directory.path());
    if let Some(password) = primary.password() {
        copy.env("PGPASSWORD", password);
    }
    account.apply(&mut copy);
    set_up(copy, &mut directory)?;
    run(directory, &initdb, options, READY_TO_READ)
}

fn initdb() -> Result<PathBuf, ServerError> {
    programs::find("initdb").ok_or(ServerError::NotInstalled {
        program: "initdb",
        package: "postgresql",
    })
}

/// Runs a server on the data that the directory has.
fn run(
    directory: ServerDirectory,
    initdb: &Path,
    options: &ServerOptions,
    ready: &'static str,
) -> Result<Server, ServerError> {
    // Of the same version as initdb, whatever PATH says.
    let postgres = initdb.with_file_name("postgres");
    let account = Account::unprivileged("postgres")?;
    let data = directory.join("data");
    Server::start(directory, |_, port| {
        let port_text = port.to_string();
        let defaults = [
            ("listen_addresses", "127.0.0.1"),
            ("port", port_text.as_str()),
            // Socket paths have a length limit that temporary directories may pass.
            ("unix_socket_directories", ""),
            ("max_connections", MAX_CONNECTIONS),
            ("lc_messages", "C"),
        ];
        let mut arguments = vec!["-D".into(), data.clone().into_os_string()];
        for (name, value) in options.merged(&defaults, POSTGRES_THROW_AWAY) {
            arguments.push("-c".into());
            arguments.push(format!("{name}={value}").into());
        }
        Ok(Launch {
            server: "PostgreSQL",
            program: postgres.clone(),
            arguments,
            account,
            ready,
            stop: Signal::Interrupt,
            // Unlike SIGKILL it removes the shared memory.
            discard: Signal::Quit,
            url: ServerUrl::local("postgres", ADMINISTRATOR, options.password.as_deref(), port),
        })
    })
}
