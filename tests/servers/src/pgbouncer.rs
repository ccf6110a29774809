//! A PgBouncer pooler in front of a PostgreSQL server.

use crate::account::Account;
use crate::directory::ServerDirectory;
use crate::options::MAX_CONNECTIONS;
use crate::process::Signal;
use crate::server::Launch;
use crate::{Server, ServerError, ServerOptions, ServerUrl, programs};

/// Starts a pooler in transaction mode for every database of the server at `upstream`, and waits
/// until it accepts connections.
///
/// Clients connect as the upstream user, with the password in `options` if there is one. The admin
/// console is the database `pgbouncer`. `ServerOptions::setting("pool_mode", "session")` chooses
/// another mode.
///
/// # Errors
/// The program is not installed, or the pooler did not start; the error has its log.
pub fn start(upstream: &ServerUrl, options: &ServerOptions) -> Result<Server, ServerError> {
    let program = programs::find("pgbouncer").ok_or(ServerError::NotInstalled {
        program: "pgbouncer",
        package: "pgbouncer",
    })?;
    let account = Account::unprivileged("postgres")?;
    let directory = ServerDirectory::create("pgbouncer", account)?;

    let user = upstream.user();
    let client_password = options.password.as_deref().unwrap_or_default();
    let users = format!("{} {}\n", quoted(&user), quoted(client_password));
    let users = directory
        .write("users", &users, account)?
        .display()
        .to_string();

    Server::start(directory, |directory, port| {
        let port_text = port.to_string();
        let defaults = [
            ("listen_addr", "127.0.0.1"),
            ("listen_port", port_text.as_str()),
            ("unix_socket_dir", ""),
            (
                "auth_type",
                if options.password.is_some() {
                    "scram-sha-256"
                } else {
                    "trust"
                },
            ),
            ("auth_file", users.as_str()),
            ("admin_users", user.as_str()),
            ("pool_mode", "transaction"),
            ("max_client_conn", MAX_CONNECTIONS),
            ("default_pool_size", "20"),
            // Drivers send it when they connect; PgBouncer refuses what it does not know.
            ("ignore_startup_parameters", "extra_float_digits"),
        ];
        let settings: Vec<String> = options
            .merged(&defaults, &[])
            .map(|(name, value)| format!("{name} = {value}\n"))
            .collect();
        let configuration = format!(
            "[databases]\n* = {}\n[pgbouncer]\n{}",
            target(upstream),
            settings.concat()
        );
        let file = directory.write("pgbouncer.ini", &configuration, account)?;
        Ok(Launch {
            server: "PgBouncer",
            program: program.clone(),
            arguments: vec![file.into_os_string()],
            account,
            ready: "process up",
            stop: Signal::Interrupt,
            discard: Signal::Kill,
            url: ServerUrl::local("postgres", &user, options.password.as_deref(), port),
        })
    })
}

/// How PgBouncer reaches the server, in the form of its configuration file.
fn target(upstream: &ServerUrl) -> String {
    let escaped = |text: String| format!("'{}'", text.replace('\'', "''"));
    let password = upstream
        .password()
        .map(|password| format!(" password={}", escaped(password)))
        .unwrap_or_default();
    format!(
        "host={} port={} user={}{password}",
        upstream.host(),
        upstream.port().unwrap_or(5432),
        escaped(upstream.user())
    )
}

/// A value in the form of PgBouncer's file of users.
fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
