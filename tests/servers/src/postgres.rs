//! A PostgreSQL server with the superuser `postgres`.

use std::process::Command;

use crate::account::Account;
use crate::directory::ServerDirectory;
use crate::options::{MAX_CONNECTIONS, POSTGRES_THROW_AWAY};
use crate::process::Signal;
use crate::server::{Launch, set_up};
use crate::{Server, ServerError, ServerOptions, ServerUrl, programs};

const ADMINISTRATOR: &str = "postgres";

/// Starts a server of the newest installed version with an empty `postgres` database, UTF-8 and
/// the `C` locale, and waits until it accepts connections.
///
/// # Errors
/// The programs are not installed, or the server did not start; the error has its log.
pub fn start(options: &ServerOptions) -> Result<Server, ServerError> {
    let missing = |program| ServerError::NotInstalled {
        program,
        package: "postgresql",
    };
    let initdb = programs::find("initdb").ok_or(missing("initdb"))?;
    // Of the same version as initdb, whatever PATH says.
    let postgres = initdb.with_file_name("postgres");

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
            ready: "database system is ready to accept connections",
            stop: Signal::Interrupt,
            // Unlike SIGKILL it removes the shared memory.
            discard: Signal::Quit,
            url: ServerUrl::local("postgres", ADMINISTRATOR, options.password.as_deref(), port),
        })
    })
}
