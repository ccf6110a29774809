//! A MariaDB server with the administrator `root`.

use std::process::Command;

use crate::account::Account;
use crate::directory::ServerDirectory;
use crate::options::{MARIADB_THROW_AWAY, MAX_CONNECTIONS};
use crate::process::Signal;
use crate::server::{Launch, set_up};
use crate::{Server, ServerError, ServerOptions, ServerUrl, programs};

const ADMINISTRATOR: &str = "root";

/// Starts a server with an empty `test` database and waits until it accepts connections.
///
/// # Errors
/// The programs are not installed, or the server did not start; the error has its log.
pub fn start(options: &ServerOptions) -> Result<Server, ServerError> {
    let missing = |program| ServerError::NotInstalled {
        program,
        package: "mariadb-server",
    };
    let install = programs::find_any(&["mariadb-install-db", "mysql_install_db"])
        .ok_or(missing("mariadb-install-db"))?;
    let program = programs::find_any(&["mariadbd", "mysqld"]).ok_or(missing("mariadbd"))?;

    let account = Account::unprivileged("mysql")?;
    let mut directory = ServerDirectory::create("mariadb", account)?;
    let data = directory.join("data");

    // A server that starts removes the temporary tables of all others from the common directory,
    // those of the machine's own server included.
    let temporary = directory.create_inside("tmp", account)?;

    let mut setup = Command::new(&install);
    setup
        .args([
            "--no-defaults",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
        ])
        .arg(format!("--datadir={}", data.display()))
        .env("TMPDIR", &temporary)
        .current_dir(directory.path());
    account.apply(&mut setup);
    set_up(setup, &mut directory)?;
    let accounts = directory.write(
        "accounts.sql",
        &accounts(options.password.as_deref()),
        account,
    )?;

    Server::start(directory, |directory, port| {
        let port_text = port.to_string();
        let directory_text = directory.path().display();
        let data = data.display().to_string();
        let temporary = temporary.display().to_string();
        let socket = format!("{directory_text}/socket");
        let pid_file = format!("{directory_text}/pid");
        let accounts = accounts.display().to_string();
        let defaults = [
            ("datadir", data.as_str()),
            ("tmpdir", temporary.as_str()),
            ("bind-address", "127.0.0.1"),
            ("port", port_text.as_str()),
            ("socket", socket.as_str()),
            ("pid-file", pid_file.as_str()),
            ("init-file", accounts.as_str()),
            ("max-connections", MAX_CONNECTIONS),
            ("skip-name-resolve", "1"),
            ("character-set-server", "utf8mb4"),
            ("innodb-buffer-pool-size", "64M"),
            ("innodb-log-file-size", "32M"),
        ];
        // The machine's own configuration files belong to the machine's own server.
        let arguments = std::iter::once("--no-defaults".into())
            .chain(
                options
                    .merged(&defaults, MARIADB_THROW_AWAY)
                    .map(|(name, value)| format!("--{name}={value}").into()),
            )
            .collect();
        Ok(Launch {
            server: "MariaDB",
            program: program.clone(),
            arguments,
            account,
            ready: "ready for connections",
            stop: Signal::Terminate,
            discard: Signal::Kill,
            url: ServerUrl::local("mysql", ADMINISTRATOR, options.password.as_deref(), port),
        })
    })
}

/// Run by the server at each start, before it accepts connections.
fn accounts(password: Option<&str>) -> String {
    let password = password
        .unwrap_or_default()
        .replace('\\', "\\\\")
        .replace('\'', "''");
    ["localhost", "127.0.0.1"]
        .iter()
        .map(|host| {
            let account = format!("'{ADMINISTRATOR}'@'{host}'");
            format!(
                "CREATE USER IF NOT EXISTS {account};\n\
                 ALTER USER {account} IDENTIFIED BY '{password}';\n\
                 GRANT ALL PRIVILEGES ON *.* TO {account} WITH GRANT OPTION;\n"
            )
        })
        .chain(["CREATE DATABASE IF NOT EXISTS test;\n".to_owned()])
        .collect()
}
