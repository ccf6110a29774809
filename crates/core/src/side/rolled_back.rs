//! Entities and SQL files without the right to make databases: on PostgreSQL a schema will do, made
//! inside a transaction that is rolled back. Nobody else ever sees it.
//!
//! Only what stays inside the schema can be made there. Statements that name a schema, or that end
//! the transaction, are refused: they would reach what is real.

mod temporary;

use stairway_plan::dialect::Dialect as SchemaDialect;
use stairway_plan::schema::{Namespace, ObjectName, Schema, Server};
use stairway_plan::sql::{Dialect, TextKind, classify, split};

use super::entities::Part;
use super::scratch::is_denied;
use super::{ScriptError, Side, SideError, script, session_on};
use crate::connection::{Access, DatabaseUrl, Link, Pinned, Session};
use crate::inspect::{InspectError, InspectOptions, inspect_in_transaction};

/// What is made in the scratch schema.
#[derive(Debug)]
pub(super) struct Made<'p> {
    /// What it is, for people.
    pub(super) side: &'p Side,
    pub(super) parts: &'p [Part],
    /// Whether names that are not found in the schema are looked for in the usual one. A file that
    /// says `DROP TABLE IF EXISTS users` must not find the real one, even for a moment.
    pub(super) sees_default_schema: bool,
}

/// What was read, and where it was made.
#[derive(Debug)]
pub(super) struct Read {
    pub(super) schema: Schema,
    /// Where, for people.
    pub(super) place: &'static str,
}

/// Makes everything in a scratch schema, reads it and rolls everything back. Entities are made of
/// temporary tables where not even a schema may be made.
pub(super) async fn read(
    server: &DatabaseUrl,
    name: &str,
    made: &Made<'_>,
    options: &InspectOptions,
) -> Result<Read, SideError> {
    for part in made.parts {
        stays_inside(made.side, part)?;
    }
    let mut session = session_on(server, Access::Write).await?;
    let mut read = in_schema(&mut session, server, name, made, options).await;
    // The connection ends, and with it the transaction, whether this is heard or not.
    drop(session.run("ROLLBACK").await);
    let is_denied = matches!(
        &read,
        Err(SideError::Scratch {
            is_denied: true,
            ..
        })
    );
    // Of a file all must be made, or what it has more would be taken for what it has not.
    if is_denied && matches!(made.side, Side::Entities) {
        read = temporary::read(&mut session, server, made, options).await;
        drop(session.run("ROLLBACK").await);
    }
    session.close().await;
    read
}

/// Begins the transaction that will be rolled back. `creates` makes the schema.
async fn begin(
    session: &mut Session,
    server: &DatabaseUrl,
    creates: Option<String>,
    search_path: String,
) -> Result<(), SideError> {
    let statements = [
        Some("BEGIN".to_owned()),
        Some("SET LOCAL lock_timeout = '5s'".to_owned()),
        creates,
        Some(format!("SET LOCAL search_path = {search_path}")),
    ];
    for sql in statements.into_iter().flatten() {
        session
            .run(sql)
            .await
            .map_err(|error| failed(server, &error))?;
    }
    Ok(())
}

fn failed(server: &DatabaseUrl, error: &sqlx::Error) -> SideError {
    SideError::Scratch {
        server: server.to_string(),
        message: server.redact(&error.to_string()),
        is_denied: is_denied(error),
    }
}

/// The schema that unqualified names mean, quoted.
fn default_schema(options: &InspectOptions) -> String {
    let name = options.default_schema.as_deref().unwrap_or("public");
    Dialect::Postgres.quote_identifier(name)
}

async fn in_schema(
    session: &mut Session,
    server: &DatabaseUrl,
    name: &str,
    made: &Made<'_>,
    options: &InspectOptions,
) -> Result<Read, SideError> {
    let quoted = Dialect::Postgres.quote_identifier(name);
    let search_path = if made.sees_default_schema {
        // Types and functions of extensions are found in the usual place.
        format!("{quoted}, {}", default_schema(options))
    } else {
        quoted.clone()
    };
    begin(
        session,
        server,
        Some(format!("CREATE SCHEMA {quoted}")),
        search_path,
    )
    .await?;
    for part in made.parts {
        script::run(session, &part.origin, &part.sql).await?;
    }
    let schema = inspected(session, made.side, options, false).await?;
    Ok(Read {
        schema: as_default_schema(schema, name)?,
        place: "a schema",
    })
}

async fn inspected(
    session: &mut Session,
    side: &Side,
    options: &InspectOptions,
    temporary: bool,
) -> Result<Schema, SideError> {
    let Link::Postgres(Pinned::Owned(connection)) = &mut session.link else {
        return Err(SideError::Missing("a URL gave a pool's connection"));
    };
    inspect_in_transaction(connection, options, temporary)
        .await
        .map_err(|source: InspectError| SideError::Inspect {
            side: side.to_string(),
            source,
        })
}

/// Refuses what would leave the schema or the transaction.
fn stays_inside(side: &Side, part: &Part) -> Result<(), SideError> {
    for piece in split(&part.sql, Dialect::Postgres) {
        if piece.kind != TextKind::Sql {
            continue;
        }
        let statement = classify(piece.text, Dialect::Postgres);
        let named = [&statement.target, &statement.table];
        let named = named.into_iter().flatten();
        let affected = statement.affects.iter().map(|reference| &reference.name);
        let schema = named
            .chain(affected)
            .find_map(|object| object.schema.clone())
            .or_else(|| names_public(piece.text).then(|| "public".to_owned()));
        let why = if let Some(schema) = schema {
            format!("it names the schema {schema}")
        } else if statement.ends_transaction() || statement.begins_transaction() {
            "it is about transactions".to_owned()
        } else if statement.runs_outside_transaction_only(Dialect::Postgres) {
            "it runs outside transactions only".to_owned()
        } else if !statement.is_ddl() && !statement.is_read() {
            "it is no definition".to_owned()
        } else {
            continue;
        };
        let line: String = piece.text.chars().take(120).collect();
        let message =
            format!("a user that may not create databases can't try out `{line}`, because {why}");
        return Err(match side {
            Side::SqlFile(_) => SideError::Script(ScriptError {
                script: part.origin.clone().into_owned(),
                line: piece.start_line,
                message,
                statement: line,
            }),
            Side::Entities | Side::Database(_) | Side::Revisions => SideError::Entities {
                dialect: SchemaDialect::Postgres,
                message,
            },
        });
    }
    Ok(())
}

fn names_public(sql: &str) -> bool {
    let sql = sql.to_ascii_lowercase();
    sql.contains("public.") || sql.contains("\"public\".")
}

/// What was read of the scratch schema, as if it were the default one. Its name is like no other, so
/// that it can be replaced wherever it stands: in types, defaults and expressions too.
fn as_default_schema(mut schema: Schema, name: &str) -> Result<Schema, SideError> {
    let is_inside = |object: &ObjectName| object.schema.as_deref() == Some(name);
    schema.enums.retain(|object, _| is_inside(object));
    schema.domains.retain(|object, _| is_inside(object));
    schema.composites.retain(|object, _| is_inside(object));
    schema.ranges.retain(|object, _| is_inside(object));
    schema.sequences.retain(|object, _| is_inside(object));
    schema.tables.retain(|object, _| is_inside(object));
    schema.views.retain(|object, _| is_inside(object));
    schema.functions.retain(|object, _| is_inside(object));
    let default_schema = schema.default_schema.clone().unwrap_or_default();
    schema
        .namespaces
        .retain(|other, _: &mut Namespace| *other == default_schema);
    schema.other_types.retain(|object| is_inside(object));
    let inside = format!("{name}.");
    schema
        .not_compared
        .retain(|object| object.contains(&inside));
    for object in &mut schema.not_compared {
        *object = object.replace(&inside, "");
    }
    schema
        .dependencies
        .retain(|dependency| format!("{:?}", dependency.dependent).contains(name));
    let failed = |error: serde_json::Error| SideError::Entities {
        dialect: SchemaDialect::Postgres,
        message: error.to_string(),
    };
    let server: Server = schema.server.clone();
    let text = serde_json::to_string(&schema).map_err(failed)?;
    let mut renamed: Schema =
        serde_json::from_str(&text.replace(name, &default_schema)).map_err(failed)?;
    renamed.server = server;
    Ok(renamed)
}
