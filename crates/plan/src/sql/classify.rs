//! What kind of statement a text is, told by its leading words.

use super::Dialect;
use super::cursor::Cursor;
use super::lexer::TokenKind;
use super::setting::{pragma, reset, reset_server, set};
use super::split::{StatementText, split};
use super::statement::{ObjectKind, ObjectName, ObjectReference, Statement, StatementKind};

/// Recognises one statement, as [`split`] cuts them.
///
/// A text that holds several is [`StatementKind::Several`], one that is not known
/// [`StatementKind::Other`]. `WITH` counts as the row change that it makes, in the main statement or
/// in a part of it; `EXPLAIN ANALYZE` and MariaDB's `SET STATEMENT … FOR` as the statement that they
/// run. Bodies of functions are not looked into.
pub fn classify(statement: &str, dialect: Dialect) -> Statement {
    let recognised = recognise(&mut Cursor::new(statement, dialect), 0);
    // A stored program's end can be one that only its script's delimiter showed.
    let has_body = matches!(
        recognised.kind,
        StatementKind::Create(
            ObjectKind::Function | ObjectKind::Procedure | ObjectKind::Trigger | ObjectKind::Event
        ) | StatementKind::Alter(ObjectKind::Event)
            | StatementKind::Do
    );
    if !has_body && split(statement, dialect).len() > 1 {
        return Statement::new(StatementKind::Several);
    }
    recognised
}

impl StatementText<'_> {
    /// Recognises it, as [`classify`] does.
    pub fn classify(&self, dialect: Dialect) -> Statement {
        recognise(&mut Cursor::new(self.text, dialect), 0)
    }
}

/// `EXPLAIN EXPLAIN …` and its like are no SQL.
const DEEPEST_PREFIX: u8 = 8;

pub(crate) fn recognise(cursor: &mut Cursor<'_>, depth: u8) -> Statement {
    use StatementKind as Kind;
    if depth > DEEPEST_PREFIX {
        return Statement::new(Kind::Other);
    }
    while cursor.take("(") {}
    if cursor.at_end() {
        return Statement::new(Kind::Empty);
    }
    let dialect = cursor.dialect();
    let mysql = dialect == Dialect::MySql;
    let sqlite = dialect == Dialect::Sqlite;
    let word = match cursor.kind() {
        Some(TokenKind::Word) if cursor.text().len() <= 16 => cursor.text().to_ascii_lowercase(),
        _ => String::new(),
    };
    if matches!(
        word.as_str(),
        "select"
            | "with"
            | "insert"
            | "update"
            | "delete"
            | "merge"
            | "replace"
            | "values"
            | "table"
    ) {
        return row_statement(cursor);
    }
    cursor.advance();
    match word.as_str() {
        "show" | "describe" | "desc" | "help" | "checksum" | "fetch" if !sqlite => {
            Statement::new(Kind::Query)
        }
        "explain" => explain(cursor, depth),
        "create" | "alter" | "drop" => super::definition::definition(&word, cursor),
        "rename" => rename(cursor),
        "truncate" => {
            cursor.skip(&["table"]);
            about_table(Kind::TruncateTable, cursor)
        }
        "load" if mysql => load(cursor),
        "copy" if dialect == Dialect::Postgres => copy(cursor, depth),
        "import" => Statement::new(Kind::Create(ObjectKind::Table)),
        "comment" | "security" => Statement::new(Kind::Comment),
        "grant" => Statement::new(Kind::Grant),
        "revoke" => Statement::new(Kind::Revoke),
        "reassign" => Statement::new(Kind::Alter(ObjectKind::Role)),
        "begin" if mysql && cursor.is("not") => Statement::new(Kind::Do),
        "begin" => Statement::new(Kind::Begin),
        "start" if cursor.is("transaction") => Statement::new(Kind::Begin),
        "commit" | "end" | "rollback" | "abort" => end_of_transaction(&word, cursor),
        "savepoint" => about_savepoint(Kind::Savepoint, cursor),
        "release" => {
            cursor.take("savepoint");
            about_savepoint(Kind::Release, cursor)
        }
        "prepare" if cursor.is("transaction") => Statement::new(Kind::TwoPhase {
            ends_transaction: true,
        }),
        "xa" => Statement::new(Kind::TwoPhase {
            ends_transaction: cursor.is_any(&["prepare", "commit", "rollback"]),
        }),
        "set" => set(cursor, depth),
        "reset" if mysql => reset_server(cursor),
        "reset" => reset(cursor),
        "discard" => Statement {
            outside_transaction: cursor.is("all"),
            ..Statement::new(Kind::Discard)
        },
        "use" if mysql => Statement {
            target: cursor.name(),
            ..Statement::new(Kind::Use)
        },
        "pragma" if sqlite => pragma(cursor),
        "lock" => {
            cursor.skip(&["table", "tables"]);
            about_table(Kind::LockTables, cursor)
        }
        "unlock" => Statement::new(Kind::UnlockTables),
        "vacuum" => Statement {
            outside_transaction: true,
            ..Statement::new(Kind::Vacuum)
        },
        "analyze" | "analyse" => analyze(cursor, depth),
        "cluster" => cluster(cursor),
        "reindex" => reindex(cursor),
        "refresh" => refresh(cursor),
        "optimize" | "repair" | "check" if mysql => {
            cursor.skip(&["no_write_to_binlog", "local", "table", "tables", "view"]);
            about_table(Kind::MaintainTable, cursor)
        }
        "flush" | "cache" | "install" | "uninstall" | "change" | "start" | "stop" | "shutdown"
        | "restart" | "backup" | "purge"
            if mysql =>
        {
            Statement::new(Kind::Administer)
        }
        "attach" if sqlite => Statement::new(Kind::Attach),
        "detach" if sqlite => Statement::new(Kind::Detach),
        // MySQL's evaluates an expression, which can call a function that writes.
        "do" => Statement::new(Kind::Do),
        "if" | "case" | "loop" | "while" | "repeat" | "for" if mysql => Statement::new(Kind::Do),
        "call" | "execute" => Statement {
            target: cursor.name(),
            ..Statement::new(Kind::Call)
        },
        _ => Statement::new(Kind::Other),
    }
}

fn about_table(kind: StatementKind, cursor: &mut Cursor<'_>) -> Statement {
    cursor.skip(&["only"]);
    let table = cursor.name();
    Statement {
        target: table.clone(),
        table,
        ..Statement::new(kind)
    }
}

fn about_savepoint(kind: StatementKind, cursor: &mut Cursor<'_>) -> Statement {
    Statement {
        target: cursor.identifier().map(ObjectName::new),
        ..Statement::new(kind)
    }
}

/// The kinds of row change, by their first word.
fn row_change(word: &str, returning: bool) -> Option<StatementKind> {
    Some(match word {
        "insert" => StatementKind::Insert { returning },
        "update" => StatementKind::Update { returning },
        "delete" => StatementKind::Delete { returning },
        "merge" => StatementKind::Merge { returning },
        "replace" => StatementKind::Replace { returning },
        _ => return None,
    })
}

/// A statement that reads or changes rows, with its `WITH` parts.
fn row_statement(cursor: &mut Cursor<'_>) -> Statement {
    let postgres = cursor.dialect() == Dialect::Postgres;
    let mut found = RowStatement::default();
    let mut parentheses = 0_u64;
    let mut previous = "";
    while let Some(kind) = cursor.kind() {
        let text = cursor.text();
        match text {
            ";" => break,
            "(" => parentheses += 1,
            ")" => parentheses = parentheses.saturating_sub(1),
            _ => {}
        }
        // No word that matters here is longer.
        let word = if kind == TokenKind::Word && text.len() <= 16 {
            text.to_ascii_lowercase()
        } else {
            String::new()
        };
        let in_with = previous == "(" && parentheses > 0 && postgres;
        let in_main = parentheses == 0 && found.main.is_none() && previous != ",";
        cursor.advance();
        match word.as_str() {
            "select" | "values" | "table" if in_main => found.main = Some(word),
            "insert" | "update" | "delete" | "merge" | "replace" if in_main => {
                found.table = changed_table(cursor);
                found.main = Some(word);
            }
            "insert" | "update" | "delete" | "merge"
                if in_with && found.part.is_none() && begins_row_change(&word, cursor) =>
            {
                found.part_table = changed_table(cursor);
                found.part = Some(word);
            }
            "returning" if parentheses == 0 => found.returning = true,
            "into" if parentheses == 0 && postgres && found.main.as_deref() == Some("select") => {
                found.temporary = cursor.is_any(&["temp", "temporary"]);
                cursor.skip(&["temp", "temporary", "unlogged", "table"]);
                found.into = cursor.name();
            }
            "set_config" if postgres => found.sets_by_function = true,
            _ => {}
        }
        previous = text;
    }
    found.statement()
}

#[derive(Default)]
struct RowStatement {
    main: Option<String>,
    table: Option<ObjectName>,
    /// A row change inside `WITH`.
    part: Option<String>,
    part_table: Option<ObjectName>,
    into: Option<ObjectName>,
    temporary: bool,
    returning: bool,
    sets_by_function: bool,
}

impl RowStatement {
    fn statement(self) -> Statement {
        if let Some(kind) = self
            .main
            .as_deref()
            .and_then(|w| row_change(w, self.returning))
        {
            return Statement {
                target: self.table.clone(),
                table: self.table,
                ..Statement::new(kind)
            };
        }
        // The main statement is a query, so rows come back.
        if let Some(kind) = self.part.as_deref().and_then(|w| row_change(w, true)) {
            return Statement {
                target: self.part_table.clone(),
                table: self.part_table,
                ..Statement::new(kind)
            };
        }
        if let Some(table) = self.into {
            return Statement {
                target: Some(table.clone()),
                table: Some(table.clone()),
                temporary: self.temporary,
                affects: vec![ObjectReference {
                    kind: ObjectKind::Table,
                    name: table,
                }],
                ..Statement::new(StatementKind::CreateTable)
            };
        }
        let kind = match self.main {
            Some(_) => StatementKind::Query,
            None => StatementKind::Other,
        };
        Statement {
            sets_by_function: self.sets_by_function,
            ..Statement::new(kind)
        }
    }
}

/// Tells `(UPDATE t …` from a column called `update` in parentheses.
fn begins_row_change(word: &str, cursor: &Cursor<'_>) -> bool {
    match word {
        "insert" | "merge" => cursor.is("into"),
        "delete" => cursor.is("from"),
        _ => cursor.is_name(),
    }
}

/// The table that a row change names, just after its first word.
fn changed_table(cursor: &mut Cursor<'_>) -> Option<ObjectName> {
    let mut ahead = cursor.clone();
    if ahead.take("or") {
        // SQLite's `INSERT OR REPLACE` and its like.
        ahead.advance();
    }
    ahead.skip(&[
        "low_priority",
        "high_priority",
        "delayed",
        "quick",
        "ignore",
        "into",
        "from",
        "only",
    ]);
    ahead.name()
}

fn explain(cursor: &mut Cursor<'_>, depth: u8) -> Statement {
    let executes = match cursor.dialect() {
        Dialect::Postgres => postgres_explain_executes(cursor),
        Dialect::MySql => {
            let executes = cursor.is_any(&["analyze", "analyse"]);
            skip_format(cursor);
            executes
        }
        Dialect::Sqlite => false,
    };
    if !executes {
        return Statement::new(StatementKind::Query);
    }
    explained(recognise(cursor, depth + 1))
}

/// The statement that an `EXPLAIN` runs; what comes back is the plan, not the rows.
fn explained(statement: Statement) -> Statement {
    match statement.kind {
        StatementKind::Other | StatementKind::Empty => Statement::new(StatementKind::Query),
        _ => statement,
    }
}

fn skip_format(cursor: &mut Cursor<'_>) {
    cursor.skip(&["analyze", "analyse", "extended", "partitions"]);
    if cursor.take("format") {
        cursor.take("=");
        cursor.advance();
    }
}

fn postgres_explain_executes(cursor: &mut Cursor<'_>) -> bool {
    let mut executes = false;
    if cursor.is("(") {
        let mut ahead = cursor.clone();
        ahead.advance();
        // `EXPLAIN (SELECT 1)` has no options.
        if ahead.is_any(&["select", "with", "values", "table", "("]) {
            return false;
        }
        while !ahead.at_end() && !ahead.is(")") {
            if ahead.is_any(&["analyze", "analyse"]) {
                ahead.advance();
                executes = !ahead.is_any(&["false", "off"]) && ahead.text() != "0";
            } else {
                ahead.advance();
            }
        }
        ahead.advance();
        *cursor = ahead;
    } else {
        executes = cursor.is_any(&["analyze", "analyse"]);
        cursor.skip(&["analyze", "analyse", "verbose"]);
    }
    executes
}

fn rename(cursor: &mut Cursor<'_>) -> Statement {
    if !cursor.is_any(&["table", "tables"]) {
        return Statement::new(StatementKind::Alter(ObjectKind::Role));
    }
    cursor.advance();
    let if_exists = cursor.take_all(&["if", "exists"]);
    let mut names: Vec<ObjectName> = Vec::new();
    while let Some(name) = cursor.name() {
        names.push(name);
        // MariaDB's `WAIT n` and `NOWAIT` stand before `TO`.
        while !cursor.at_end() && !cursor.is_any(&["to", ","]) {
            cursor.advance();
        }
        cursor.skip(&["to", ","]);
    }
    Statement {
        target: names.first().cloned(),
        table: names.first().cloned(),
        if_exists,
        affects: references(ObjectKind::Table, names),
        ..Statement::new(StatementKind::RenameTable)
    }
}

pub(crate) fn references(kind: ObjectKind, names: Vec<ObjectName>) -> Vec<ObjectReference> {
    names
        .into_iter()
        .map(|name| ObjectReference { kind, name })
        .collect()
}

fn load(cursor: &mut Cursor<'_>) -> Statement {
    if !cursor.is_any(&["data", "xml"]) {
        // `LOAD INDEX INTO CACHE`.
        return Statement::new(StatementKind::Administer);
    }
    while cursor.seek(&["into"]) {
        cursor.advance();
        if cursor.take("table") {
            break;
        }
    }
    about_table(StatementKind::LoadData, cursor)
}

fn copy(cursor: &mut Cursor<'_>, depth: u8) -> Statement {
    if cursor.is("(") {
        // The query may be a row change with `RETURNING`.
        return match recognise(&mut cursor.clone(), depth + 1) {
            statement if statement.is_data_change() => statement,
            _ => Statement::new(StatementKind::Query),
        };
    }
    let statement = about_table(StatementKind::LoadData, cursor);
    if cursor.seek(&["from", "to"]) && cursor.is("to") {
        return Statement {
            kind: StatementKind::Query,
            ..statement
        };
    }
    statement
}

fn end_of_transaction(word: &str, cursor: &mut Cursor<'_>) -> Statement {
    use StatementKind as Kind;
    if cursor.is("prepared") {
        // It settles the transaction of another session.
        return Statement {
            outside_transaction: true,
            ..Statement::new(Kind::TwoPhase {
                ends_transaction: false,
            })
        };
    }
    cursor.skip(&["work", "transaction"]);
    if word == "rollback" && cursor.take("to") {
        cursor.take("savepoint");
        return about_savepoint(Kind::RollbackTo, cursor);
    }
    let chain = cursor.take_all(&["and", "chain"]);
    Statement::new(match word {
        "commit" | "end" => Kind::Commit { chain },
        _ => Kind::Rollback { chain },
    })
}

fn analyze(cursor: &mut Cursor<'_>, depth: u8) -> Statement {
    if cursor.dialect() == Dialect::MySql {
        cursor.skip(&["no_write_to_binlog", "local"]);
        if !cursor.is_any(&["table", "tables"]) {
            // MariaDB's `ANALYZE statement` runs the statement and shows its plan.
            skip_format(cursor);
            return explained(recognise(cursor, depth + 1));
        }
        cursor.advance();
    } else {
        cursor.skip(&["verbose"]);
        if cursor.is("(") {
            cursor.step_over();
        }
    }
    about_table(StatementKind::Analyze, cursor)
}

fn cluster(cursor: &mut Cursor<'_>) -> Statement {
    if cursor.is("(") {
        cursor.step_over();
    }
    cursor.skip(&["verbose"]);
    let statement = about_table(StatementKind::Cluster, cursor);
    Statement {
        outside_transaction: statement.table.is_none(),
        ..statement
    }
}

fn reindex(cursor: &mut Cursor<'_>) -> Statement {
    let mut concurrently = false;
    if cursor.dialect() == Dialect::Sqlite {
        return Statement {
            target: cursor.name(),
            ..Statement::new(StatementKind::Reindex { concurrently })
        };
    }
    if cursor.take("(") {
        while !cursor.at_end() && !cursor.is(")") {
            if cursor.take("concurrently") {
                concurrently = !cursor.is_any(&["false", "off"]) && cursor.text() != "0";
            } else {
                cursor.advance();
            }
        }
        cursor.advance();
    }
    let of_tables = cursor.is("table");
    let of_many = cursor.is_any(&["schema", "database", "system"]);
    cursor.advance();
    concurrently |= cursor.take("concurrently");
    let target = cursor.name();
    Statement {
        table: target.clone().filter(|_| of_tables),
        target,
        outside_transaction: concurrently || of_many,
        ..Statement::new(StatementKind::Reindex { concurrently })
    }
}

fn refresh(cursor: &mut Cursor<'_>) -> Statement {
    cursor.skip(&["materialized", "view"]);
    let concurrently = cursor.take("concurrently");
    Statement {
        target: cursor.name(),
        ..Statement::new(StatementKind::RefreshView { concurrently })
    }
}
