//! Recognising `CREATE`, `ALTER` and `DROP`.

use super::Dialect;
use super::classify::references;
use super::cursor::Cursor;
use super::lexer::TokenKind;
use super::statement::{ObjectKind, ObjectName, ObjectReference, Statement, StatementKind};

/// What the words between the verb and the object's name say.
#[derive(Default)]
struct Header {
    temporary: bool,
    unique: bool,
    materialized: bool,
}

/// Recognises the rest of a statement that begins with this verb.
pub(crate) fn definition(verb: &str, cursor: &mut Cursor<'_>) -> Statement {
    let mut header = Header::default();
    let word = object_word(cursor, &mut header);
    let dialect = cursor.dialect();
    let statement = match (verb, word.as_str()) {
        ("create", "index") => create_index(cursor, &header),
        ("drop", "index") => drop_index(cursor),
        ("alter", "table") => alter_table(cursor),
        ("alter", "system" | "instance") => Statement {
            outside_transaction: true,
            ..Statement::new(StatementKind::Administer)
        },
        // MySQL's other spelling of `DEALLOCATE`.
        ("drop", "prepare") => Statement::new(StatementKind::Other),
        ("drop", "owned") => Statement::new(StatementKind::Drop(ObjectKind::Other)),
        ("create", word) => create(object_kind(word, &header, dialect), cursor),
        ("alter", word) => alter(object_kind(word, &header, dialect), cursor),
        (_, word) => drop(object_kind(word, &header, dialect), cursor),
    };
    Statement {
        temporary: header.temporary,
        ..statement
    }
}

/// Steps to the word that names the kind of object, and over it.
fn object_word(cursor: &mut Cursor<'_>, header: &mut Header) -> String {
    // Longer than any header; what follows is not one.
    for _ in 0..24 {
        let word = cursor.text().to_ascii_lowercase();
        if cursor.kind() != Some(TokenKind::Word) {
            break;
        }
        cursor.advance();
        match word.as_str() {
            "temp" | "temporary" => header.temporary = true,
            "unique" => header.unique = true,
            "materialized" => header.materialized = true,
            "definer" | "algorithm" => {
                cursor.take("=");
                cursor.advance();
                // `root@localhost` and `'root'@'localhost'`.
                if cursor.kind() == Some(TokenKind::Variable) || cursor.take("@") {
                    cursor.advance();
                } else if cursor.is("(") {
                    cursor.step_over();
                }
            }
            // `SQL SECURITY INVOKER`, `DEFAULT CONVERSION`, `WAIT 5`.
            "security" => {
                cursor.advance();
            }
            "event" if cursor.is("trigger") => {
                cursor.advance();
                return "event trigger".to_owned();
            }
            "foreign" if cursor.take_all(&["data", "wrapper"]) => return "server".to_owned(),
            "user" if cursor.take("mapping") => return "user mapping".to_owned(),
            "operator" => {
                cursor.skip(&["class", "family"]);
                return word;
            }
            "text" => {
                cursor.take("search");
                cursor.advance();
                return word;
            }
            "access" | "large" | "logfile" | "resource" => {
                cursor.advance();
                return word;
            }
            "spatial" if cursor.take_all(&["reference", "system"]) => {
                return "spatial reference system".to_owned();
            }
            "or" | "replace" | "global" | "local" | "unlogged" | "fulltext" | "spatial"
            | "vector" | "virtual" | "foreign" | "recursive" | "constraint" | "trusted"
            | "procedural" | "sql" | "online" | "offline" | "ignore" | "default" | "undo" => {}
            "aggregate" if cursor.is("function") => {}
            _ => return word,
        }
    }
    String::new()
}

fn object_kind(word: &str, header: &Header, dialect: Dialect) -> ObjectKind {
    match word {
        "table" => ObjectKind::Table,
        "index" => ObjectKind::Index,
        "view" if header.materialized => ObjectKind::MaterializedView,
        "view" => ObjectKind::View,
        "type" | "domain" => ObjectKind::Type,
        "trigger" => ObjectKind::Trigger,
        "function" | "aggregate" | "routine" => ObjectKind::Function,
        "procedure" => ObjectKind::Procedure,
        "event" => ObjectKind::Event,
        "sequence" => ObjectKind::Sequence,
        "schema" if dialect == Dialect::MySql => ObjectKind::Database,
        "schema" => ObjectKind::Schema,
        "database" => ObjectKind::Database,
        "extension" => ObjectKind::Extension,
        "role" | "user" | "group" => ObjectKind::Role,
        "policy" => ObjectKind::Policy,
        "rule" => ObjectKind::Rule,
        "server" => ObjectKind::Server,
        "tablespace" => ObjectKind::Tablespace,
        "publication" => ObjectKind::Publication,
        "subscription" => ObjectKind::Subscription,
        _ => ObjectKind::Other,
    }
}

/// Whether a catalogue lookup of this name tells if such an object is there.
fn is_found_by_name(kind: ObjectKind) -> bool {
    kind != ObjectKind::Other
}

fn create(kind: ObjectKind, cursor: &mut Cursor<'_>) -> Statement {
    let if_not_exists = cursor.take_all(&["if", "not", "exists"]);
    if kind == ObjectKind::Schema {
        // Without a name of its own, a schema gets that of its owner.
        cursor.take("authorization");
    }
    let target = cursor.name();
    let table = match kind {
        ObjectKind::Table => target.clone(),
        ObjectKind::Trigger | ObjectKind::Policy => table_after(cursor, "on"),
        ObjectKind::Rule => table_after(cursor, "to"),
        _ => None,
    };
    let outside_transaction = match kind {
        ObjectKind::Database | ObjectKind::Tablespace => cursor.dialect() == Dialect::Postgres,
        ObjectKind::Subscription => connects_subscription(cursor),
        _ => false,
    };
    let statement_kind = match kind {
        ObjectKind::Table => StatementKind::CreateTable,
        ObjectKind::View | ObjectKind::MaterializedView => StatementKind::CreateView {
            materialized: kind == ObjectKind::MaterializedView,
        },
        ObjectKind::Type => StatementKind::CreateType,
        _ => StatementKind::Create(kind),
    };
    Statement {
        affects: affected(kind, target.clone()),
        target,
        table,
        if_not_exists,
        outside_transaction,
        ..Statement::new(statement_kind)
    }
}

fn affected(kind: ObjectKind, names: impl IntoIterator<Item = ObjectName>) -> Vec<ObjectReference> {
    if is_found_by_name(kind) {
        references(kind, names.into_iter().collect())
    } else {
        Vec::new()
    }
}

/// The table that follows a word such as `ON`.
fn table_after(cursor: &mut Cursor<'_>, word: &str) -> Option<ObjectName> {
    let mut ahead = cursor.clone();
    if !ahead.seek(&[word]) {
        return None;
    }
    ahead.advance();
    ahead.skip(&["only"]);
    ahead.name()
}

/// Whether the subscription makes a replication slot, which no transaction may.
fn connects_subscription(cursor: &mut Cursor<'_>) -> bool {
    let mut ahead = cursor.clone();
    while ahead.seek(&["with"]) {
        ahead.advance();
        if !ahead.take("(") {
            continue;
        }
        while !ahead.at_end() && !ahead.is(")") {
            if ahead.is_any(&["connect", "create_slot"]) {
                ahead.advance();
                ahead.take("=");
                let value = ahead.text().trim_matches('\'').to_ascii_lowercase();
                if matches!(value.as_str(), "false" | "off" | "0") {
                    return false;
                }
            }
            ahead.advance();
        }
    }
    true
}

fn create_index(cursor: &mut Cursor<'_>, header: &Header) -> Statement {
    let concurrently = cursor.take("concurrently");
    let if_not_exists = cursor.take_all(&["if", "not", "exists"]);
    let mut target = None;
    if !cursor.is("on") {
        target = cursor.name();
        // MySQL's `USING BTREE` stands before `ON`.
        cursor.seek(&["on"]);
    }
    let mut table = None;
    if cursor.take("on") {
        cursor.skip(&["only"]);
        table = cursor.name();
    }
    let postgres = cursor.dialect() == Dialect::Postgres;
    if let (true, Some(index), Some(table)) = (postgres, target.as_mut(), &table) {
        // There, an index lives in the schema of its table.
        index.schema = index.schema.take().or_else(|| table.schema.clone());
    }
    let mut affects = references(ObjectKind::Table, table.clone().into_iter().collect());
    if cursor.dialect() != Dialect::MySql {
        affects.extend(affected(ObjectKind::Index, target.clone()));
    }
    Statement {
        target,
        table,
        if_not_exists,
        affects,
        outside_transaction: concurrently,
        ..Statement::new(StatementKind::CreateIndex {
            unique: header.unique,
            concurrently,
            if_not_exists,
        })
    }
}

fn drop_index(cursor: &mut Cursor<'_>) -> Statement {
    let concurrently = cursor.take("concurrently");
    let if_exists = cursor.take_all(&["if", "exists"]);
    let kind = StatementKind::DropIndex { concurrently };
    if cursor.dialect() == Dialect::MySql {
        let target = cursor.name();
        let table = table_after(cursor, "on");
        return Statement {
            target,
            affects: references(ObjectKind::Table, table.clone().into_iter().collect()),
            table,
            if_exists,
            ..Statement::new(kind)
        };
    }
    let names = cursor.names();
    Statement {
        target: names.first().cloned(),
        affects: references(ObjectKind::Index, names),
        if_exists,
        outside_transaction: concurrently,
        ..Statement::new(kind)
    }
}

fn drop(kind: ObjectKind, cursor: &mut Cursor<'_>) -> Statement {
    let if_exists = cursor.take_all(&["if", "exists"]);
    let postgres = cursor.dialect() == Dialect::Postgres;
    let on_table = matches!(
        kind,
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule
    );
    let mut table = None;
    let names = if on_table {
        let name = cursor.name();
        table = table_after(cursor, "on");
        name.into_iter().collect()
    } else {
        cursor.names()
    };
    let target = names.first().cloned();
    if kind == ObjectKind::Table {
        table.clone_from(&target);
    }
    let statement_kind = match kind {
        ObjectKind::Table => StatementKind::DropTable,
        ObjectKind::View | ObjectKind::MaterializedView => StatementKind::DropView {
            materialized: kind == ObjectKind::MaterializedView,
        },
        ObjectKind::Type => StatementKind::DropType,
        _ => StatementKind::Drop(kind),
    };
    Statement {
        target,
        table,
        if_exists,
        affects: affected(kind, names),
        outside_transaction: postgres
            && matches!(
                kind,
                ObjectKind::Database | ObjectKind::Tablespace | ObjectKind::Subscription
            ),
        ..Statement::new(statement_kind)
    }
}

fn alter_table(cursor: &mut Cursor<'_>) -> Statement {
    let if_exists = cursor.take_all(&["if", "exists"]);
    cursor.skip(&["only"]);
    let table = cursor.name();
    let mut names: Vec<ObjectName> = table.iter().cloned().collect();
    let mut outside_transaction = false;
    let mysql = cursor.dialect() == Dialect::MySql;
    while cursor.seek(&["rename", "set", "attach", "detach", "exchange"]) {
        if cursor.take("rename") {
            names.extend(new_name(table.as_ref(), cursor));
        } else if cursor.take_all(&["set", "schema"]) {
            names.extend(in_new_schema(table.as_ref(), cursor));
        } else if cursor.take_all(&["attach", "partition"]) {
            names.extend(cursor.name());
        } else if cursor.take_all(&["detach", "partition"]) {
            names.extend(cursor.name());
            outside_transaction |= cursor.is("concurrently");
        } else if mysql && cursor.take("exchange") {
            cursor.seek(&["table"]);
            cursor.advance();
            names.extend(cursor.name());
        } else {
            cursor.advance();
        }
    }
    Statement {
        target: table.clone(),
        table,
        if_exists,
        affects: references(ObjectKind::Table, names),
        outside_transaction,
        ..Statement::new(StatementKind::AlterTable)
    }
}

/// What an object is called after `RENAME`; none where something inside it is renamed.
fn new_name(old: Option<&ObjectName>, cursor: &mut Cursor<'_>) -> Option<ObjectName> {
    let names_itself = cursor.is_any(&["to", "as", "="]);
    let bare = cursor.dialect() == Dialect::MySql
        && !cursor.is_any(&["column", "index", "key", "constraint"]);
    if !names_itself && !bare {
        return None;
    }
    if names_itself {
        cursor.advance();
    }
    let mut name = cursor.name()?;
    if cursor.dialect() != Dialect::MySql {
        // A rename does not move.
        name.schema = name.schema.or_else(|| old?.schema.clone());
    }
    Some(name)
}

fn in_new_schema(old: Option<&ObjectName>, cursor: &mut Cursor<'_>) -> Option<ObjectName> {
    let schema = cursor.identifier()?;
    Some(ObjectName {
        schema: Some(schema),
        name: old?.name.clone(),
    })
}

fn alter(kind: ObjectKind, cursor: &mut Cursor<'_>) -> Statement {
    let if_exists = cursor.take_all(&["if", "exists"]);
    // MySQL's `ALTER DATABASE CHARACTER SET …` means the database in use.
    let nameless = kind == ObjectKind::Database
        && cursor.is_any(&["character", "charset", "collate", "default"]);
    let target = if nameless { None } else { cursor.name() };
    let mut table = match kind {
        ObjectKind::Trigger | ObjectKind::Policy | ObjectKind::Rule => table_after(cursor, "on"),
        _ => None,
    };
    let mut names: Vec<ObjectName> = target.iter().cloned().collect();
    let mut add_value = false;
    let mut outside_transaction = false;
    while cursor.seek(&["rename", "set", "add", "refresh", "drop"]) {
        if cursor.take("rename") {
            names.extend(new_name(target.as_ref(), cursor));
        } else if cursor.take_all(&["set", "schema"]) {
            names.extend(in_new_schema(target.as_ref(), cursor));
        } else if cursor.take_all(&["set", "tablespace"]) {
            outside_transaction |= kind == ObjectKind::Database;
        } else if cursor.take_all(&["add", "value"]) {
            add_value = kind == ObjectKind::Type;
        } else if kind == ObjectKind::Subscription {
            // Refreshing is the default of adding and dropping publications.
            outside_transaction |= cursor.is_any(&["refresh", "add", "drop"])
                || cursor.take_all(&["set", "publication"]);
            cursor.advance();
        } else {
            cursor.advance();
        }
    }
    let statement_kind = match kind {
        ObjectKind::Index => StatementKind::AlterIndex,
        ObjectKind::View | ObjectKind::MaterializedView => StatementKind::AlterView {
            materialized: kind == ObjectKind::MaterializedView,
        },
        ObjectKind::Type => StatementKind::AlterType { add_value },
        ObjectKind::Table => {
            table.clone_from(&target);
            StatementKind::AlterTable
        }
        _ => StatementKind::Alter(kind),
    };
    Statement {
        target,
        table,
        if_exists,
        affects: affected(kind, names),
        outside_transaction: outside_transaction && cursor.dialect() == Dialect::Postgres,
        ..Statement::new(statement_kind)
    }
}
