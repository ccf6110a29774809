//! MySQL's and MariaDB's definitions. MariaDB since 10.6 and MySQL since 8.0 do each of them wholly or
//! not at all, even in a crash (MariaDB manual, "Atomic DDL"), but for those that drop several objects,
//! which are done one by one.

use std::fmt::Write;

use stairway_plan::sql::lexer::tokens;
use stairway_plan::sql::{
    Dialect, ObjectKind, ObjectName, ObjectReference, Statement, StatementKind,
};

use super::effect::ABSENT;
use super::{Settled, quoted};
use crate::connection::Session;

/// Stands in a look for a table whose number is not known, for want of the PROCESS privilege.
const NO_NUMBER: &str = "number not known";

/// The `SHOW CREATE` text of every object concerned. Counters are left out: rows move them. Nothing
/// where no look tells.
pub(super) async fn definition(
    session: &mut Session,
    statement: &Statement,
    text: &str,
) -> Result<Option<String>, sqlx::Error> {
    if matches!(
        statement.kind,
        StatementKind::Create(ObjectKind::Role) | StatementKind::Drop(ObjectKind::Role)
    ) {
        return accounts(session, statement).await;
    }
    if statement.kind == StatementKind::TruncateTable {
        let Some(table) = &statement.table else {
            return Ok(None);
        };
        return Ok(Some(number(session, table).await?));
    }
    if statement.affects.is_empty() {
        return Ok(None);
    }
    let mut look = String::new();
    for object in &statement.affects {
        let Some(shown) = shown(session, object).await? else {
            continue;
        };
        let name = quoted(Dialect::MySql, &object.name);
        // Writing to a String can't fail.
        let _ = writeln!(look, "{name}: {shown}");
        if shown != ABSENT && changes_places(statement, text) {
            let _ = writeln!(look, "{name}: {}", number(session, &object.name).await?);
        }
    }
    Ok((!look.is_empty()).then_some(look))
}

/// What an object is like; nothing for kinds that can't be shown or are shown by another.
async fn shown(
    session: &mut Session,
    object: &ObjectReference,
) -> Result<Option<String>, sqlx::Error> {
    let (kind, column) = match object.kind {
        ObjectKind::Table | ObjectKind::View => ("TABLE", 1),
        ObjectKind::Trigger => ("TRIGGER", 2),
        ObjectKind::Procedure => ("PROCEDURE", 2),
        ObjectKind::Function => ("FUNCTION", 2),
        ObjectKind::Event => ("EVENT", 3),
        ObjectKind::Database | ObjectKind::Schema => ("DATABASE", 1),
        ObjectKind::Sequence => ("SEQUENCE", 1),
        // An index is shown by its table.
        _ => return Ok(None),
    };
    let name = quoted(Dialect::MySql, &object.name);
    let text = match session.rows(format!("SHOW CREATE {kind} {name}")).await {
        Ok(rows) => rows
            .into_iter()
            .next()
            .and_then(|row| row.get(column).cloned().flatten()),
        Err(sqlx::Error::Database(error)) if is_missing(error.as_ref()) => None,
        Err(error) => return Err(error),
    };
    Ok(Some(text.map_or_else(
        || ABSENT.to_owned(),
        |text| without_counter(&text),
    )))
}

/// Statements after which everything may look as before although what is where has changed:
/// exchanged partitions, names that were swapped, an emptied table.
fn changes_places(statement: &Statement, text: &str) -> bool {
    match statement.kind {
        StatementKind::TruncateTable => true,
        // With one table alone, its old name or its new one is there.
        StatementKind::RenameTable => statement.affects.len() > 2,
        StatementKind::AlterTable => tokens(text, Dialect::MySql)
            .any(|token| token.text(text).eq_ignore_ascii_case("exchange")),
        _ => false,
    }
}

/// The number that a table has inside the server, which goes with it when it is renamed, and which
/// an emptied table has anew.
async fn number(session: &mut Session, table: &ObjectName) -> Result<String, sqlx::Error> {
    let quote = |text: &str| Dialect::MySql.quote_string(text);
    let schema = table
        .schema
        .as_deref()
        .map_or_else(|| "DATABASE()".to_owned(), quote);
    for view in ["INNODB_SYS_TABLES", "INNODB_TABLES"] {
        let query = format!(
            "SELECT TABLE_ID FROM information_schema.{view} WHERE NAME = CONCAT({schema}, '/', {})",
            quote(&table.name)
        );
        match session.value(query).await {
            Ok(Some(number)) => return Ok(format!("number {number}")),
            Ok(None) => return Ok(NO_NUMBER.to_owned()),
            // No such view in this version, or no privilege.
            Err(sqlx::Error::Database(_)) => {}
            Err(error) => return Err(error),
        }
    }
    Ok(NO_NUMBER.to_owned())
}

/// The accounts of a name, on any host.
async fn accounts(
    session: &mut Session,
    statement: &Statement,
) -> Result<Option<String>, sqlx::Error> {
    let Some(name) = &statement.target else {
        return Ok(None);
    };
    let grantee = Dialect::MySql.quote_string(&format!("'{}'@", name.name));
    let query = format!(
        "SELECT COALESCE(GROUP_CONCAT(DISTINCT GRANTEE ORDER BY GRANTEE), '') \
         FROM information_schema.USER_PRIVILEGES WHERE LEFT(GRANTEE, CHAR_LENGTH({grantee})) = {grantee}"
    );
    session.value(query).await
}

/// Finds out whether a statement that was started is done, where it takes more than to compare two
/// looks.
pub(super) async fn settle(
    session: &mut Session,
    statement: &Statement,
    text: &str,
    before: Option<&str>,
) -> Result<Option<Settled>, sqlx::Error> {
    use StatementKind as Kind;
    match statement.kind {
        Kind::Analyze
        | Kind::MaintainTable
        | Kind::Administer
        | Kind::Grant
        | Kind::Revoke
        | Kind::Alter(ObjectKind::Role) => return Ok(Some(Settled::NotDone)),
        Kind::TruncateTable => {
            if let Some(table) = &statement.table {
                let table = quoted(Dialect::MySql, table);
                let any = session
                    .value(format!("SELECT EXISTS (SELECT 1 FROM {table})"))
                    .await?;
                if any.as_deref() == Some("0") {
                    return Ok(Some(Settled::Done));
                }
            }
        }
        Kind::DropTable | Kind::DropView { .. } if statement.affects.len() > 1 => {
            return rest_of_drop(session, statement).await.map(Some);
        }
        _ => {}
    }
    if !changes_places(statement, text) || before.is_none_or(|before| !before.contains(NO_NUMBER)) {
        return Ok(None);
    }
    let now = definition(session, statement, text).await?;
    Ok((now.as_deref() == before).then(|| {
        Settled::Unknown(
            "everything looks as before its last statement, which can be so although it was done (the PROCESS \
             privilege would let that be told)"
                .to_owned(),
        )
    }))
}

/// A `DROP` of several objects that was interrupted between two of them.
async fn rest_of_drop(
    session: &mut Session,
    statement: &Statement,
) -> Result<Settled, sqlx::Error> {
    let mut left = Vec::new();
    for object in &statement.affects {
        if shown(session, object).await?.as_deref() != Some(ABSENT) {
            left.push(quoted(Dialect::MySql, &object.name));
        }
    }
    Ok(if left.is_empty() {
        Settled::Done
    } else if left.len() == statement.affects.len() {
        Settled::NotDone
    } else {
        let kind = match statement.kind {
            StatementKind::DropView { .. } => "VIEW",
            _ => "TABLE",
        };
        Settled::Rest(format!("DROP {kind} {}", left.join(", ")))
    })
}

/// Error numbers of MariaDB and MySQL for an object that is not there.
fn is_missing(error: &dyn sqlx::error::DatabaseError) -> bool {
    let number = error
        .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
        .map_or(0, sqlx::mysql::MySqlDatabaseError::number);
    matches!(number, 1049 | 1051 | 1146 | 1305 | 1360 | 1539 | 4091)
}

/// A table's definition without ` AUTO_INCREMENT=123`.
fn without_counter(definition: &str) -> String {
    let Some(start) = definition.rfind(" AUTO_INCREMENT=") else {
        return definition.to_owned();
    };
    let digits = definition[start + " AUTO_INCREMENT=".len()..]
        .bytes()
        .take_while(u8::is_ascii_digit)
        .count();
    let end = start + " AUTO_INCREMENT=".len() + digits;
    format!("{}{}", &definition[..start], &definition[end..])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_counter_does_not_count_as_a_change() {
        let table = "CREATE TABLE `t` (\n  `id` int\n) ENGINE=InnoDB AUTO_INCREMENT=42 DEFAULT CHARSET=utf8mb4";
        assert_eq!(
            without_counter(table),
            "CREATE TABLE `t` (\n  `id` int\n) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4"
        );
        assert_eq!(
            without_counter("CREATE TABLE `t` (x int)"),
            "CREATE TABLE `t` (x int)"
        );
    }

    #[test]
    fn statements_that_only_swap_are_told_by_more_than_definitions() {
        let changes =
            |sql: &str| changes_places(&stairway_plan::sql::classify(sql, Dialect::MySql), sql);
        assert!(changes("RENAME TABLE a TO b, c TO a"));
        assert!(changes("ALTER TABLE a EXCHANGE PARTITION p WITH TABLE b"));
        assert!(changes("TRUNCATE a"));
        assert!(!changes("RENAME TABLE a TO b"));
        assert!(!changes("ALTER TABLE a ADD COLUMN exchanged int"));
    }
}
