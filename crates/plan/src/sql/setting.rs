//! Recognising `SET`, `RESET` and `PRAGMA`.

use super::Dialect;
use super::classify::recognise;
use super::cursor::Cursor;
use super::lexer::TokenKind;
use super::statement::{SettingScope, Statement, StatementKind};

pub(crate) fn set(cursor: &mut Cursor<'_>, depth: u8) -> Statement {
    use StatementKind as Kind;
    match cursor.dialect() {
        Dialect::Postgres => set_postgres(cursor),
        Dialect::MySql => {
            if cursor.take("statement") {
                if cursor.seek(&["for"]) {
                    cursor.advance();
                    return recognise(cursor, depth + 1);
                }
                return Statement::new(Kind::Other);
            }
            set_mysql(cursor)
        }
        Dialect::Sqlite => Statement::new(Kind::Other),
    }
}

fn set_postgres(cursor: &mut Cursor<'_>) -> Statement {
    use StatementKind as Kind;
    if cursor.is_any(&["transaction", "constraints"]) {
        return Statement::new(Kind::SetTransaction);
    }
    let scope = if cursor.take("local") {
        SettingScope::Transaction
    } else {
        // `SET SESSION AUTHORIZATION` is a statement of its own.
        cursor.take("session");
        SettingScope::Session
    };
    if scope == SettingScope::Session && cursor.is("authorization") {
        return Statement::new(Kind::SetSessionAuthorization);
    }
    if scope == SettingScope::Session && cursor.is("role") {
        return Statement::new(Kind::SetRole);
    }
    if cursor.is("characteristics") {
        return set_to(scope, Some("transaction".to_owned()));
    }
    let name = setting_name(cursor);
    set_to(scope, name)
}

fn set_to(scope: SettingScope, setting: Option<String>) -> Statement {
    Statement {
        setting,
        ..Statement::new(StatementKind::Set { scope })
    }
}

/// A setting's name under its settled spelling.
fn setting_name(cursor: &mut Cursor<'_>) -> Option<String> {
    if cursor.take_all(&["time", "zone"]) {
        return Some("timezone".to_owned());
    }
    if cursor.take_all(&["transaction", "isolation", "level"]) {
        return Some("transaction_isolation".to_owned());
    }
    let name = cursor.name()?.to_string().to_ascii_lowercase();
    Some(match name.as_str() {
        "names" => "client_encoding".to_owned(),
        "schema" => "search_path".to_owned(),
        _ => name,
    })
}

pub(crate) fn reset(cursor: &mut Cursor<'_>) -> Statement {
    if cursor.take_all(&["session", "authorization"]) {
        return Statement::new(StatementKind::SetSessionAuthorization);
    }
    if cursor.is("role") {
        return Statement::new(StatementKind::SetRole);
    }
    let name = setting_name(cursor);
    set_to(SettingScope::Session, name)
}

pub(crate) fn reset_server(cursor: &mut Cursor<'_>) -> Statement {
    if cursor.is("persist") {
        return set_to(SettingScope::Global, None);
    }
    Statement::new(StatementKind::Administer)
}

/// MySQL's `SET`, which takes several assignments; the one with the widest consequence counts.
fn set_mysql(cursor: &mut Cursor<'_>) -> Statement {
    use StatementKind as Kind;
    if cursor.is_any(&["password", "default"]) {
        return Statement::new(Kind::Administer);
    }
    if cursor.is("role") {
        return Statement::new(Kind::SetRole);
    }
    if cursor.is("transaction") {
        return Statement::new(Kind::SetTransaction);
    }
    let mut first = None;
    loop {
        let statement = mysql_assignment(cursor);
        if matches!(statement.kind, Kind::SetAutocommit { .. }) {
            return statement;
        }
        first.get_or_insert(statement);
        if !cursor.seek(&[","]) {
            break;
        }
        cursor.advance();
    }
    first.unwrap_or_else(|| Statement::new(Kind::Other))
}

fn mysql_assignment(cursor: &mut Cursor<'_>) -> Statement {
    let variable = cursor.kind() == Some(TokenKind::Variable);
    let text = cursor.text();
    let (scope, name) = if variable && !text.starts_with("@@") {
        cursor.advance();
        (SettingScope::UserVariable, Some(text.to_ascii_lowercase()))
    } else {
        let word = text.trim_start_matches('@').to_ascii_lowercase();
        let scope = match word.as_str() {
            "global" | "persist" | "persist_only" => Some(SettingScope::Global),
            "session" | "local" => Some(SettingScope::Session),
            _ => None,
        };
        if scope.is_some() {
            cursor.advance();
            cursor.take(".");
        }
        let scope = scope.unwrap_or(SettingScope::Session);
        if cursor.kind() == Some(TokenKind::Variable) {
            let name = cursor.text().trim_start_matches('@').to_ascii_lowercase();
            cursor.advance();
            (scope, Some(name))
        } else if cursor.is_any(&["names", "charset"]) || cursor.take_all(&["character", "set"]) {
            (scope, Some("names".to_owned()))
        } else if cursor.is("transaction") {
            (scope, Some("transaction".to_owned()))
        } else {
            let name = cursor.name().map(|n| n.to_string().to_ascii_lowercase());
            (scope, name)
        }
    };
    if name.as_deref() == Some("autocommit") && scope == SettingScope::Session {
        cursor.skip(&["=", ":="]);
        let off = cursor.is_any(&["off", "false"]) || cursor.text() == "0";
        return Statement {
            setting: name,
            ..Statement::new(StatementKind::SetAutocommit { on: !off })
        };
    }
    set_to(scope, name)
}

/// Pragmas that take an argument, in brackets or after `=`, and still only read.
const READING_PRAGMAS: [&str; 11] = [
    "foreign_key_check",
    "foreign_key_list",
    "function_list",
    "index_info",
    "index_list",
    "index_xinfo",
    "integrity_check",
    "quick_check",
    "table_info",
    "table_list",
    "table_xinfo",
];

/// Pragmas that change something without an argument.
const ACTING_PRAGMAS: [&str; 4] = [
    "incremental_vacuum",
    "optimize",
    "shrink_memory",
    "wal_checkpoint",
];

/// Pragmas that fail, or change nothing and do not say so, inside a transaction (tried on SQLite
/// 3.40).
const PRAGMAS_OUTSIDE_TRANSACTION: [&str; 6] = [
    "auto_vacuum",
    "foreign_keys",
    "journal_mode",
    "page_size",
    "synchronous",
    "wal_checkpoint",
];

pub(crate) fn pragma(cursor: &mut Cursor<'_>) -> Statement {
    let Some(name) = cursor.name() else {
        return Statement::new(StatementKind::Other);
    };
    let setting = name.name.to_ascii_lowercase();
    let pragma = setting.as_str();
    let writes = if cursor.is_any(&["=", "("]) {
        !READING_PRAGMAS.contains(&pragma)
    } else {
        ACTING_PRAGMAS.contains(&pragma)
    };
    let kind = if writes {
        StatementKind::PragmaWrite
    } else {
        StatementKind::Query
    };
    Statement {
        outside_transaction: writes && PRAGMAS_OUTSIDE_TRANSACTION.contains(&pragma),
        setting: Some(setting),
        ..Statement::new(kind)
    }
}
