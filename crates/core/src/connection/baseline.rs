//! The settings of a session that migrates, and how they are put back between two steps.

use std::time::Duration;

use stairway_plan::sql::Dialect;

use super::{Session, TextRow};

/// What a session is like when a step begins. Migrations may change it; the next step must not
/// notice.
#[derive(Clone, Debug, Default)]
pub(crate) struct Baseline {
    /// Puts everything back, in one message.
    pub(crate) reset: String,
    /// Puts back who the session acts as. Empty where it can't act as anyone else.
    pub(crate) role: String,
    /// Puts back what a connection was like before it was borrowed.
    pub(crate) restore: Option<String>,
}

impl Baseline {
    /// Finds out what the session is like and gives it the settings that migrations expect: those of
    /// a sea-orm connection, and the timeout after which a statement stops waiting for a lock, so
    /// that a migration never keeps the application's queries queueing behind itself.
    pub(crate) async fn prepare(
        session: &mut Session,
        database: Option<&str>,
        statement_lock_timeout: Duration,
    ) -> Result<Self, sqlx::Error> {
        let baseline = match session.dialect() {
            Dialect::Postgres => postgres(session, statement_lock_timeout).await?,
            Dialect::MySql => mysql(session, database, statement_lock_timeout).await?,
            Dialect::Sqlite => sqlite(session).await?,
        };
        session.run(baseline.reset.clone()).await?;
        Ok(baseline)
    }
}

/// The settings that a PostgreSQL session gets, each for the session or, with `local`, for the
/// transaction.
pub(crate) fn postgres_settings(
    session: &Session,
    statement_lock_timeout: Duration,
    local: bool,
) -> String {
    let mut settings = vec![
        (
            "lock_timeout",
            format!("{}ms", statement_lock_timeout.as_millis()),
        ),
        ("statement_timeout", "0".to_owned()),
        ("idle_in_transaction_session_timeout", "0".to_owned()),
        ("client_min_messages", "warning".to_owned()),
    ];
    if !local {
        // A client whose machine is gone is noticed within a minute, not after two hours.
        settings.push(("tcp_keepalives_idle", "30".to_owned()));
        settings.push(("tcp_keepalives_interval", "10".to_owned()));
        settings.push(("tcp_keepalives_count", "3".to_owned()));
    }
    if session.is_postgres_since(140_000) {
        // A client that died is noticed although its statement still runs.
        settings.push(("client_connection_check_interval", "1s".to_owned()));
        settings.push(("idle_session_timeout", "0".to_owned()));
    }
    if session.is_postgres_since(170_000) {
        settings.push(("transaction_timeout", "0".to_owned()));
    }
    let scope = if local { "SET LOCAL" } else { "SET" };
    // One statement that calls `set_config` for each would take the server twice as long: it is planned.
    settings
        .iter()
        .map(|(name, value)| format!("{scope} {name} = '{value}'"))
        .collect::<Vec<_>>()
        .join("; ")
}

async fn postgres(
    session: &mut Session,
    statement_lock_timeout: Duration,
) -> Result<Baseline, sqlx::Error> {
    let settings = postgres_settings(session, statement_lock_timeout, false);
    let mut role = "RESET SESSION AUTHORIZATION; RESET ROLE".to_owned();
    let mut own = String::new();
    if session.is_lent() {
        // What the application set on its connections, after they were opened.
        let rows = session
            .rows(
                "SELECT 'role', current_setting('role') UNION ALL SELECT name, setting FROM pg_settings \
                 WHERE source = 'session' AND context IN ('user', 'superuser')",
            )
            .await?;
        for row in rows {
            let quote = |text: &str| Dialect::Postgres.quote_string(text);
            match (text(&row, 0), text(&row, 1)) {
                (Some("role"), Some("none")) | (None, _) | (_, None) => {}
                (Some("role"), Some(name)) => {
                    role = format!("RESET SESSION AUTHORIZATION; SET ROLE {}", quote(name));
                }
                (Some(name), Some(value)) => {
                    let (name, value) = (quote(name), quote(value));
                    own = format!("{own}; SELECT set_config({name}, {value}, false)");
                }
            }
        }
    }
    Ok(Baseline {
        reset: format!("{role}; RESET ALL{own}; {settings}"),
        role,
        restore: None,
    })
}

async fn mysql(
    session: &mut Session,
    database: Option<&str>,
    statement_lock_timeout: Duration,
) -> Result<Baseline, sqlx::Error> {
    let quote = |text: &str| Dialect::MySql.quote_string(text);
    let seconds = statement_lock_timeout.as_secs().max(1);
    let own = if session.is_lent() {
        let rows = session
            .rows(
                "SELECT @@sql_mode, @@time_zone, @@foreign_key_checks, @@unique_checks, @@character_set_client, \
                 @@collation_connection",
            )
            .await?;
        let row = rows.into_iter().next().unwrap_or_default();
        let value =
            |index: usize, default: &'static str| text(&row, index).unwrap_or(default).to_owned();
        format!(
            "sql_mode = {}, time_zone = {}, foreign_key_checks = {}, unique_checks = {}, NAMES {} COLLATE {}",
            quote(&value(0, "")),
            quote(&value(1, "+00:00")),
            value(2, "1"),
            value(3, "1"),
            value(4, "utf8mb4"),
            value(5, "utf8mb4_general_ci"),
        )
    } else {
        "sql_mode = CONCAT(@@global.sql_mode, ',PIPES_AS_CONCAT,NO_ENGINE_SUBSTITUTION'), time_zone = '+00:00', \
         foreign_key_checks = 1, unique_checks = 1, NAMES utf8mb4"
            .to_owned()
    };
    let back = database.map_or_else(String::new, |name| {
        format!("USE {}; ", Dialect::MySql.quote_identifier(name))
    });
    // A session that a migration leaves idle must not lose its lock. MariaDB can end statements and
    // transactions besides.
    Ok(Baseline {
        reset: format!(
            "UNLOCK TABLES; {back}SET autocommit = 1, lock_wait_timeout = {seconds}, \
             innodb_lock_wait_timeout = {seconds}, wait_timeout = GREATEST(@@wait_timeout, 28800), {own} \
             /*M!100101 , max_statement_time = 0 */ /*M!100300 , idle_transaction_timeout = 0, \
             idle_write_transaction_timeout = 0, idle_readonly_transaction_timeout = 0 */"
        ),
        role: String::new(),
        restore: None,
    })
}

async fn sqlite(session: &mut Session) -> Result<Baseline, sqlx::Error> {
    let restore = if session.is_lent() {
        let enforced = session.value("PRAGMA foreign_keys").await?;
        Some(format!(
            "PRAGMA foreign_keys = {}",
            enforced.as_deref().unwrap_or("1")
        ))
    } else {
        session.keep_journal_file().await?;
        None
    };
    Ok(Baseline {
        reset: "PRAGMA foreign_keys = ON".to_owned(),
        role: String::new(),
        restore,
    })
}

fn text(row: &TextRow, index: usize) -> Option<&str> {
    row.get(index).and_then(Option::as_deref)
}
