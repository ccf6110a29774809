//! PostgreSQL's statements that no transaction can hold. A concurrent index build leaves an invalid
//! index when it is interrupted, a partition that was being detached says so in the catalogue.

use stairway_plan::sql::lexer::{TokenKind, tokens};
use stairway_plan::sql::{Dialect, ObjectKind, ObjectName, Statement, StatementKind};

use super::{Settled, quoted};
use crate::connection::Session;

/// Whether a concurrent index can be built.
#[derive(Debug)]
pub(in crate::executor) enum IndexReady {
    /// It can; invalid leftovers with these names were dropped.
    Yes { dropped: Vec<String> },
    /// A valid index of its name has another definition.
    Differs { existing: String, wanted: String },
}

/// What the objects that a statement concerns look like now; nothing where no look tells.
pub(super) async fn definition(
    session: &mut Session,
    statement: &Statement,
) -> Result<Option<String>, sqlx::Error> {
    if let Some(table) = concurrent_index_table(session, statement).await? {
        return Ok(Some(indexes(session, &table).await?));
    }
    let Some(target) = &statement.target else {
        return Ok(None);
    };
    let name = Dialect::Postgres.quote_string(&target.name);
    let existence = match statement.kind {
        StatementKind::Create(kind) | StatementKind::Drop(kind) => match kind {
            ObjectKind::Database => format!("pg_database WHERE datname = {name}"),
            ObjectKind::Tablespace => format!("pg_tablespace WHERE spcname = {name}"),
            ObjectKind::Subscription => format!("pg_subscription WHERE subname = {name}"),
            _ => return Ok(None),
        },
        // Only that of a partition is refused in a transaction.
        StatementKind::AlterTable => {
            let Some(partition) = statement.affects.get(1) else {
                return Ok(None);
            };
            let query = format!(
                "SELECT coalesce((SELECT CASE WHEN inhdetachpending THEN '{DETACHING}' ELSE 'attached' END \
                 FROM pg_inherits WHERE inhrelid = {}), 'detached')",
                regclass(&partition.name)
            );
            return session.value(query).await;
        }
        _ => return Ok(None),
    };
    session
        .value(format!("SELECT count(*)::text FROM {existence}"))
        .await
}

/// What [`definition`] says of a partition that was being detached.
const DETACHING: &str = "detaching";

/// Finds out whether a statement that was started is done, where it takes more than to compare two
/// looks.
pub(super) async fn settle(
    session: &mut Session,
    statement: &Statement,
    text: &str,
    before: Option<&str>,
) -> Result<Option<Settled>, sqlx::Error> {
    Ok(match statement.kind {
        StatementKind::Reindex { .. }
        | StatementKind::Administer
        | StatementKind::Alter(ObjectKind::Database) => Some(Settled::NotDone),
        // An interrupted one leaves an invalid index, which is dropped again.
        StatementKind::DropIndex { concurrently: true } => {
            match definition(session, statement).await? {
                None => Some(Settled::Done),
                Some(_) => Some(Settled::NotDone),
            }
        }
        StatementKind::CreateIndex {
            concurrently: true, ..
        } => Some(settle_concurrent_index(session, statement, text, before).await?),
        StatementKind::AlterTable => {
            let now = definition(session, statement).await?;
            match (now.as_deref(), &statement.table, statement.affects.get(1)) {
                (Some(DETACHING), Some(table), Some(partition)) => Some(Settled::Rest(format!(
                    "ALTER TABLE {} DETACH PARTITION {} FINALIZE",
                    quoted(Dialect::Postgres, table),
                    quoted(Dialect::Postgres, &partition.name)
                ))),
                _ => None,
            }
        }
        _ => None,
    })
}

/// The table, in PostgreSQL's own spelling, of a statement about a concurrent index.
async fn concurrent_index_table(
    session: &mut Session,
    statement: &Statement,
) -> Result<Option<String>, sqlx::Error> {
    let lookup = match statement.kind {
        StatementKind::CreateIndex {
            concurrently: true, ..
        } => {
            let Some(table) = &statement.table else {
                return Ok(None);
            };
            format!("SELECT {}::text", regclass(table))
        }
        StatementKind::DropIndex { concurrently: true } => {
            let Some(index) = &statement.target else {
                return Ok(None);
            };
            format!(
                "SELECT indrelid::regclass::text FROM pg_index WHERE indexrelid = {}",
                regclass(index)
            )
        }
        _ => return Ok(None),
    };
    session.value(lookup).await
}

fn regclass(name: &ObjectName) -> String {
    format!(
        "to_regclass({})",
        Dialect::Postgres.quote_string(&quoted(Dialect::Postgres, name))
    )
}

/// The indexes of a table: name, validity and definition, one a line.
async fn indexes(session: &mut Session, table: &str) -> Result<String, sqlx::Error> {
    let table = Dialect::Postgres.quote_string(table);
    let query = format!(
        "SELECT coalesce(string_agg(format('%s %s %s', indexrelid::regclass, indisvalid, pg_get_indexdef(indexrelid)), \
         E'\\n' ORDER BY indexrelid::regclass::text), '') FROM pg_index WHERE indrelid = to_regclass({table})"
    );
    Ok(session.value(query).await?.unwrap_or_default())
}

/// A concurrent build that was started: done if its index is there and valid.
async fn settle_concurrent_index(
    session: &mut Session,
    statement: &Statement,
    text: &str,
    before: Option<&str>,
) -> Result<Settled, sqlx::Error> {
    if statement.target.is_some() {
        return Ok(
            match clear_invalid_indexes(session, statement, text).await? {
                IndexReady::Differs { existing, wanted } => Settled::Unknown(format!(
                    "an index of its name exists with another definition: there is `{existing}`, wanted is `{wanted}`"
                )),
                IndexReady::Yes { .. } => match named_index(session, statement).await? {
                    Some(_) => Settled::Done,
                    None => Settled::NotDone,
                },
            },
        );
    }
    // Without a name, whatever index the table has more than before is its work.
    let Some(table) = concurrent_index_table(session, statement).await? else {
        return Ok(Settled::NotDone);
    };
    let now = indexes(session, &table).await?;
    let before = before.unwrap_or_default();
    let added = now
        .lines()
        .find(|line| !before.lines().any(|old| old == *line));
    let Some(line) = added else {
        return Ok(Settled::NotDone);
    };
    let mut words = line.split(' ');
    let (name, valid) = (words.next().unwrap_or_default(), words.next());
    if valid == Some("t") {
        return Ok(Settled::Done);
    }
    session
        .run(format!("DROP INDEX CONCURRENTLY IF EXISTS {name}"))
        .await?;
    Ok(Settled::NotDone)
}

/// The index that a `CREATE INDEX` names, if it is there: its name, validity and definition.
async fn named_index(
    session: &mut Session,
    statement: &Statement,
) -> Result<Option<(String, bool, String)>, sqlx::Error> {
    let (Some(index), Some(table)) = (&statement.target, &statement.table) else {
        return Ok(None);
    };
    // An index lives in its table's schema, whatever the search path says of the bare name.
    let query = format!(
        "SELECT i.indexrelid::regclass::text, i.indisvalid::text, pg_get_indexdef(i.indexrelid) \
         FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid \
         WHERE x.relname = {} AND x.relnamespace = (SELECT relnamespace FROM pg_class WHERE oid = {})",
        Dialect::Postgres.quote_string(&index.name),
        regclass(table)
    );
    let row = session.rows(query).await?.into_iter().next();
    Ok(row.map(|row| {
        let mut columns = row.into_iter().map(Option::unwrap_or_default);
        let mut next = || columns.next().unwrap_or_default();
        (next(), next() == "true", next())
    }))
}

/// Before a concurrent index statement runs: drops the invalid index that an interrupted build left
/// under its name, and what `REINDEX CONCURRENTLY` left beside it; compares a valid one of the same
/// name with the one that is wanted.
pub(in crate::executor) async fn clear_invalid_indexes(
    session: &mut Session,
    statement: &Statement,
    text: &str,
) -> Result<IndexReady, sqlx::Error> {
    let mut dropped = Vec::new();
    match statement.kind {
        StatementKind::CreateIndex {
            concurrently: true, ..
        } => match named_index(session, statement).await? {
            Some((name, false, _)) => {
                session
                    .run(format!("DROP INDEX CONCURRENTLY {name}"))
                    .await?;
                dropped.push(name);
            }
            Some((_, true, existing)) => {
                if let Some(wanted) = wanted_definition(session, statement, text).await?
                    && shape_of(&wanted) != shape_of(&existing)
                {
                    return Ok(IndexReady::Differs {
                        existing,
                        wanted: text.to_owned(),
                    });
                }
            }
            None => {}
        },
        StatementKind::Reindex { concurrently: true } => {
            let leftovers = session
                .rows(
                    "SELECT i.indexrelid::regclass::text FROM pg_index i JOIN pg_class x ON x.oid = i.indexrelid \
                     WHERE NOT i.indisvalid AND x.relname ~ '_cc(new|old)[0-9]*$' \
                     AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index p WHERE p.relid = i.indrelid)",
                )
                .await?;
            for name in leftovers
                .into_iter()
                .filter_map(|row| row.into_iter().next().flatten())
            {
                session
                    .run(format!("DROP INDEX CONCURRENTLY {name}"))
                    .await?;
                dropped.push(name);
            }
        }
        _ => {}
    }
    Ok(IndexReady::Yes { dropped })
}

/// How the server itself would spell the index that a statement makes: it is made on an empty table
/// of the same columns, in a transaction that is rolled back. Nothing if the statement can't be
/// turned around that way.
async fn wanted_definition(
    session: &mut Session,
    statement: &Statement,
    text: &str,
) -> Result<Option<String>, sqlx::Error> {
    let Some(table) = &statement.table else {
        return Ok(None);
    };
    let Some(on_copy) = on_copied_table(text) else {
        return Ok(None);
    };
    let original = quoted(Dialect::Postgres, table);
    let work = session
        .rows(format!(
            "BEGIN; CREATE TEMPORARY TABLE stairway_copy (LIKE {original}) ON COMMIT DROP; {on_copy}; \
             SELECT pg_get_indexdef(indexrelid) FROM pg_index WHERE indrelid = 'pg_temp.stairway_copy'::regclass"
        ))
        .await;
    session.run("ROLLBACK").await?;
    match work {
        Ok(rows) => Ok(rows
            .into_iter()
            .next_back()
            .and_then(|row| row.into_iter().next().flatten())),
        // It can't be compared then; the statement itself will say what is wrong.
        Err(sqlx::Error::Database(_)) => Ok(None),
        Err(error) => Err(error),
    }
}

/// `CREATE [UNIQUE] INDEX CONCURRENTLY … ON table rest` as a plain index on the copied table.
fn on_copied_table(text: &str) -> Option<String> {
    let significant: Vec<_> = tokens(text, Dialect::Postgres)
        .filter(stairway_plan::sql::lexer::Token::is_significant)
        .collect();
    let is_word = |index: usize, word: &str| {
        significant
            .get(index)
            .is_some_and(|token| token.text(text).eq_ignore_ascii_case(word))
    };
    let on = (0..significant.len()).find(|index| is_word(*index, "on"))?;
    let unique = if (0..on).any(|index| is_word(index, "unique")) {
        "UNIQUE "
    } else {
        ""
    };
    let mut after = on + 1;
    if is_word(after, "only") {
        after += 1;
    }
    // The table's name: words joined by dots.
    after += 1;
    while significant
        .get(after)
        .is_some_and(|token| token.text(text) == ".")
    {
        after += 2;
    }
    let rest = significant.get(after)?;
    if rest.kind == TokenKind::Whitespace {
        return None;
    }
    Some(format!(
        "CREATE {unique}INDEX ON pg_temp.stairway_copy {}",
        &text[rest.span.start..]
    ))
}

/// A definition without the names of the index and its table.
fn shape_of(definition: &str) -> (bool, &str) {
    let unique = definition.starts_with("CREATE UNIQUE");
    let rest = definition
        .find(" USING ")
        .map_or(definition, |at| &definition[at..]);
    (unique, rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_concurrent_index_is_tried_on_a_copied_table() {
        assert_eq!(
            on_copied_table(
                "create unique index concurrently if not exists \"i\" on only \"s\".\"t\" (lower(a)) where b"
            ),
            Some("CREATE UNIQUE INDEX ON pg_temp.stairway_copy (lower(a)) where b".to_owned())
        );
        assert_eq!(
            on_copied_table("CREATE INDEX CONCURRENTLY ON t USING gin (a)"),
            Some("CREATE INDEX ON pg_temp.stairway_copy USING gin (a)".to_owned())
        );
        assert_eq!(on_copied_table("CREATE INDEX CONCURRENTLY"), None);
    }
}
