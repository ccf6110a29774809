//! What a database's error means for a migration.

use std::fmt;

use stairway_plan::sql::Dialect;

/// The kind of a failure, as far as it decides what to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Failure {
    /// A lock could not be had in time. The statement did nothing.
    LockTimeout,
    /// The statement was chosen as a deadlock's victim. Its transaction was rolled back.
    Deadlock,
    /// The transaction conflicted with another one and was rolled back.
    Serialization,
    /// The connection broke. What the last statement did is unknown.
    ConnectionLost,
    /// Nothing answers at the address, or it does not answer in time.
    Unreachable,
    /// The server is starting, stopping or recovering.
    ServerStarting,
    /// The server has no free connection.
    TooManyConnections,
    /// An SQLite database is locked by another process.
    Busy,
    /// User, password or certificate were refused.
    AuthenticationFailed,
    /// The database does not exist.
    UnknownDatabase,
    /// The session may not write: a standby, a replica, a read-only file.
    ReadOnly,
    /// No room on the disk.
    DiskFull,
    /// A privilege is missing.
    PermissionDenied,
    /// The statement was cancelled, by a person or a timeout.
    Cancelled,
    /// A pooler refuses a setting or a prepared statement.
    Pooler,
    /// Anything else: the statement itself is at fault.
    Statement,
}

impl Failure {
    /// Trying again after a pause may help, and is safe where the step was rolled back.
    pub fn is_transient(self) -> bool {
        matches!(
            self,
            Self::LockTimeout
                | Self::Deadlock
                | Self::Serialization
                | Self::ConnectionLost
                | Self::Unreachable
                | Self::ServerStarting
                | Self::TooManyConnections
                | Self::Busy
        )
    }

    /// Waiting for the database to come up may help.
    pub fn is_worth_waiting_for(self) -> bool {
        matches!(
            self,
            Self::ConnectionLost
                | Self::Unreachable
                | Self::ServerStarting
                | Self::TooManyConnections
                | Self::Busy
        )
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::LockTimeout => "lock timeout",
            Self::Deadlock => "deadlock",
            Self::Serialization => "serialization failure",
            Self::ConnectionLost => "connection lost",
            Self::Unreachable => "database unreachable",
            Self::ServerStarting => "server starting or stopping",
            Self::TooManyConnections => "too many connections",
            Self::Busy => "database busy",
            Self::AuthenticationFailed => "authentication failed",
            Self::UnknownDatabase => "unknown database",
            Self::ReadOnly => "read-only database",
            Self::DiskFull => "disk full",
            Self::PermissionDenied => "permission denied",
            Self::Cancelled => "cancelled",
            Self::Pooler => "connection pooler",
            Self::Statement => "statement failed",
        })
    }
}

/// What an error says, for people. `PostgreSQL`'s errors name a line of the server's own source, which
/// reads as if it were a line of the statement: that is left out.
pub(crate) fn said(error: &sqlx::Error) -> String {
    if let sqlx::Error::Database(inner) = error
        && let Some(postgres) = inner.try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
    {
        return format!("error returned from database: {}", postgres.message());
    }
    error.to_string()
}

/// Finds out what an error means.
pub(crate) fn classify(dialect: Dialect, error: &sqlx::Error) -> Failure {
    match error {
        sqlx::Error::Database(error) => {
            let code = error.code().unwrap_or_default();
            match dialect {
                Dialect::Postgres => postgres(&code, error.message()),
                Dialect::MySql => mysql(mysql_number(error.as_ref()), error.message()),
                Dialect::Sqlite => sqlite(&code, error.message()),
            }
        }
        sqlx::Error::Io(io) => match io.kind() {
            std::io::ErrorKind::UnexpectedEof
            | std::io::ErrorKind::ConnectionReset
            | std::io::ErrorKind::ConnectionAborted
            | std::io::ErrorKind::BrokenPipe => Failure::ConnectionLost,
            _ => Failure::Unreachable,
        },
        sqlx::Error::PoolTimedOut => Failure::Unreachable,
        sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Protocol(_)
        | sqlx::Error::Tls(_) => Failure::ConnectionLost,
        _ => Failure::Statement,
    }
}

/// Finds out what an error of an open session means: where the network or the server fails then, the
/// connection is lost.
pub(crate) fn classify_in_session(dialect: Dialect, error: &sqlx::Error) -> Failure {
    match classify(dialect, error) {
        Failure::Unreachable | Failure::ServerStarting => Failure::ConnectionLost,
        other => other,
    }
}

/// Whether the database may have rolled back the open transaction with a failed statement, so that
/// whatever is sent next would be committed by itself.
///
/// PostgreSQL keeps a failed transaction and refuses what is sent next. MySQL/MariaDB roll back at a
/// deadlock and, if so set, at a lock timeout. SQLite may do so after any error of its own
/// (<https://sqlite.org/lang_transaction.html>, section 3), and at a constraint with `ON CONFLICT ROLLBACK`:
/// there it has to be asked.
pub(crate) fn may_end_transaction(dialect: Dialect, failure: Failure) -> bool {
    match dialect {
        Dialect::Postgres => false,
        Dialect::MySql => matches!(
            failure,
            Failure::Deadlock | Failure::LockTimeout | Failure::Serialization | Failure::DiskFull
        ),
        Dialect::Sqlite => true,
    }
}

/// SQLSTATE codes: PostgreSQL manual, appendix A.
fn postgres(code: &str, message: &str) -> Failure {
    match code {
        "55P03" => Failure::LockTimeout,
        "40P01" => Failure::Deadlock,
        "40001" => Failure::Serialization,
        "57P03" => Failure::ServerStarting,
        "08001" | "08004" => Failure::Unreachable,
        "53300" => Failure::TooManyConnections,
        "28000" | "28P01" => Failure::AuthenticationFailed,
        "3D000" => Failure::UnknownDatabase,
        "25006" => Failure::ReadOnly,
        "53100" => Failure::DiskFull,
        "42501" => Failure::PermissionDenied,
        "57014" => Failure::Cancelled,
        // PgBouncer answers with 08P01 to what it does not let through, and to a lost server.
        "08P01" => pgbouncer(message),
        "57P01" | "57P02" | "57P04" | "57P05" | "25P03" | "25P04" | "40003" | "08000" | "08003"
        | "08006" => Failure::ConnectionLost,
        "26000" | "42P05" => Failure::Pooler,
        _ => Failure::Statement,
    }
}

/// What `PgBouncer` says, in the words of its source: it has one code for everything.
fn pgbouncer(message: &str) -> Failure {
    let says = |words: &str| message.contains(words);
    if says("unsupported startup parameter") || says("statement pooling mode") {
        Failure::Pooler
    } else if says("no such database") {
        Failure::UnknownDatabase
    } else if says("no such user") {
        Failure::AuthenticationFailed
    } else if says("no more connections allowed") {
        Failure::TooManyConnections
    } else {
        Failure::ConnectionLost
    }
}

fn mysql_number(error: &dyn sqlx::error::DatabaseError) -> u16 {
    error
        .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
        .map_or(0, sqlx::mysql::MySqlDatabaseError::number)
}

/// Error numbers: MariaDB and MySQL manuals, server error reference.
fn mysql(number: u16, message: &str) -> Failure {
    // What could not be done with a file, and the operating system's number for want of room.
    let is_of_file = matches!(number, 1..=29 | 1004..=1007 | 1025 | 1026 | 1030 | 1034 | 1878);
    let has_no_room = is_of_file
        && ["errno: 28", "rrcode: 28", "error 28"]
            .iter()
            .any(|words| message.contains(words));
    match number {
        _ if has_no_room => Failure::DiskFull,
        1205 => Failure::LockTimeout,
        1213 => Failure::Deadlock,
        1020 => Failure::Serialization,
        1053 => Failure::ServerStarting,
        1040 | 1203 | 1226 => Failure::TooManyConnections,
        1045 | 1130 | 1698 => Failure::AuthenticationFailed,
        1049 => Failure::UnknownDatabase,
        1290 if message.contains("read-only") || message.contains("read_only") => Failure::ReadOnly,
        1792 | 1836 => Failure::ReadOnly,
        1021 | 1114 => Failure::DiskFull,
        1044 | 1142 | 1143 | 1227 | 1370 => Failure::PermissionDenied,
        1317 | 1969 | 3024 => Failure::Cancelled,
        1152 | 1158..=1161 | 1927 | 2006 | 2013 | 4031 => Failure::ConnectionLost,
        _ => Failure::Statement,
    }
}

/// Result codes: sqlite.org/rescode.html. The low byte is the primary code.
fn sqlite(code: &str, message: &str) -> Failure {
    let primary = code.parse::<i64>().unwrap_or(1) & 0xff;
    match primary {
        5 | 6 => Failure::Busy,
        8 => Failure::ReadOnly,
        9 => Failure::Cancelled,
        13 => Failure::DiskFull,
        14 => Failure::UnknownDatabase,
        3 | 23 => Failure::PermissionDenied,
        _ if message.contains("readonly database") => Failure::ReadOnly,
        _ => Failure::Statement,
    }
}
