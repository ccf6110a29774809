//! Entities as temporary tables: what a user may still do who may make neither a database nor a
//! schema, since the right to temporary tables is everybody's unless somebody took it away.
//!
//! Functions that live there are never found without their schema, and a view of temporary tables
//! reads otherwise than one of real tables: what is declared beside the entities is made as far as it
//! is tables, types and indexes, and the rest is named.

use stairway_plan::schema::{ColumnType, Schema};
use stairway_plan::sql::{Dialect, ObjectKind, StatementKind, TextKind, classify, split};

use super::{Made, Read, as_default_schema, begin, default_schema, failed, inspected};
use crate::connection::{DatabaseUrl, Session};
use crate::inspect::InspectOptions;
use crate::side::{SideError, script};

/// Makes the entities in the session's temporary schema and reads them. The transaction stays open.
pub(super) async fn read(
    session: &mut Session,
    server: &DatabaseUrl,
    made: &Made<'_>,
    options: &InspectOptions,
) -> Result<Read, SideError> {
    let search_path = format!("pg_temp, {}", default_schema(options));
    begin(session, server, None, search_path).await?;
    let probe = "CREATE TEMPORARY TABLE stairway_probe ()";
    session
        .run(probe)
        .await
        .map_err(|error| failed(server, &error))?;
    session
        .run("DROP TABLE pg_temp.stairway_probe")
        .await
        .map_err(|error| failed(server, &error))?;
    let mut left_out = Vec::new();
    for part in made.parts {
        for piece in split(&part.sql, Dialect::Postgres) {
            if piece.kind != TextKind::Sql {
                continue;
            }
            if part.is_made() || can_be_temporary(piece.text) {
                script::run(session, &part.origin, piece.text).await?;
            } else {
                left_out.push(script::beginning(piece.text));
            }
        }
    }
    let name = session
        .value("SELECT nspname FROM pg_namespace WHERE oid = pg_my_temp_schema()")
        .await
        .map_err(|error| failed(server, &error))?
        .unwrap_or_default();
    let mut schema = inspected(session, made.side, options, true).await?;
    if !name.is_empty() {
        qualify(&mut schema, &name);
    }
    let mut schema = as_default_schema(schema, &name)?;
    let named = left_out
        .into_iter()
        .map(|statement| format!("what is declared as `{statement}`: not tried out"));
    schema.not_compared.extend(named);
    Ok(Read {
        schema,
        place: "temporary tables",
    })
}

/// Whether a declared statement means the same for temporary tables.
fn can_be_temporary(sql: &str) -> bool {
    matches!(
        classify(sql, Dialect::Postgres).kind,
        StatementKind::CreateTable
            | StatementKind::AlterTable
            | StatementKind::CreateIndex { .. }
            | StatementKind::CreateType
            | StatementKind::Create(ObjectKind::Sequence)
            | StatementKind::Comment
    )
}

/// Writes the schema where the server leaves it out: names of the temporary schema are always seen
/// without it.
fn qualify(schema: &mut Schema, name: &str) {
    let is_inside = |of: &ColumnType| {
        let own = of.user_type.as_ref();
        own.is_some_and(|own| own.schema.as_deref() == Some(name))
    };
    let types: Vec<String> = schema
        .enums
        .keys()
        .chain(schema.domains.keys())
        .filter(|object| object.schema.as_deref() == Some(name))
        .map(|object| Dialect::Postgres.quote_identifier(&object.name))
        .collect();
    let with_schema = |text: &mut String| {
        for own in &types {
            *text = casts_with_schema(text, own, name);
            if let Some(bare) = own.strip_prefix('"').and_then(|own| own.strip_suffix('"')) {
                *text = casts_with_schema(text, bare, name);
            }
        }
    };
    for table in schema.tables.values_mut() {
        for column in &mut table.columns {
            if is_inside(&column.column_type) && !column.column_type.text.starts_with(name) {
                column.column_type.text = format!("{name}.{}", column.column_type.text);
            }
        }
        table.expressions_mut().for_each(with_schema);
    }
}

/// The text with the schema in front of a type that something is cast to.
fn casts_with_schema(text: &str, type_name: &str, schema: &str) -> String {
    let cast = format!("::{type_name}");
    let mut written = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find(&cast) {
        let (before, after) = rest.split_at(at);
        written.push_str(before);
        let after = &after[cast.len()..];
        let ends = !after.starts_with(|c: char| c.is_alphanumeric() || c == '_' || c == '.');
        if ends {
            for piece in ["::", schema, ".", type_name] {
                written.push_str(piece);
            }
        } else {
            written.push_str(&cast);
        }
        rest = after;
    }
    written.push_str(rest);
    written
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_names_of_types_get_the_schema() {
        for (text, written) in [
            ("'x'::mood", "'x'::pg_temp_3.mood"),
            ("'{x}'::mood[]", "'{x}'::pg_temp_3.mood[]"),
            ("a = 'x'::moods", "a = 'x'::moods"),
            ("'x'::mood.y", "'x'::mood.y"),
        ] {
            assert_eq!(casts_with_schema(text, "mood", "pg_temp_3"), written);
        }
    }

    #[test]
    fn what_would_not_be_found_or_reads_otherwise_is_not_tried() {
        for (sql, expected) in [
            ("CREATE TABLE a (id int)", true),
            ("CREATE UNIQUE INDEX i ON a (lower(b))", true),
            ("CREATE TYPE mood AS ENUM ('x')", true),
            ("COMMENT ON TABLE a IS 'x'", true),
            ("ALTER TABLE a ADD CHECK (id > 0)", true),
            ("CREATE VIEW v AS SELECT 1", false),
            (
                "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
                false,
            ),
            ("DROP TABLE a", false),
        ] {
            assert_eq!(can_be_temporary(sql), expected, "{sql}");
        }
    }
}
