//! Columns as sea-query calls.

use std::fmt::Write as _;

use super::source::literal;
use crate::dialect::Dialect;
use crate::schema::{Column, ColumnType, Identity, IdentityKind, TypeKind};

/// Whether a name can stand in every place of a sea-query call: not all of them quote it properly.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.is_empty()
        && !name.contains(['"', '`', '\'', '\\'])
        && !name.chars().any(char::is_control)
}

/// `ColumnDef::new("bio").text().null()`, or nothing where sea-query has no words for the column.
/// `key` says that it is the whole primary key and that this is to be said here.
pub(super) fn definition(column: &Column, dialect: Dialect, key: bool) -> Option<String> {
    let plain = is_plain_name(&column.name)
        && column.collation.is_none()
        && column.charset.is_none()
        && column.on_update.is_none()
        && !column.invisible
        && !column.inherited;
    if !plain {
        return None;
    }
    let mut code = format!(
        "ColumnDef::new({}){}",
        literal(&column.name),
        type_call(&column.column_type, dialect)?
    );
    if !column.nullable {
        code.push_str(".not_null()");
    } else if !key {
        code.push_str(".null()");
    }
    if let Some(generated) = &column.generated {
        if dialect != Dialect::Postgres && column.default.is_some() {
            return None;
        }
        let _ = write!(
            code,
            ".generated(Expr::cust({}), {})",
            literal(&generated.expression),
            generated.stored
        );
    } else if let Some(default) = &column.default {
        let _ = write!(
            code,
            ".default({})",
            value(default, &column.column_type, dialect)?
        );
    }
    if let Some(identity) = &column.identity {
        if !counts_plainly(identity, column, dialect, key) {
            return None;
        }
        code.push_str(".auto_increment()");
    }
    if key {
        code.push_str(".primary_key()");
    }
    if let Some(comment) = &column.comment
        && dialect == Dialect::Mysql
    {
        // sea-query does not escape it.
        if comment.contains(['\'', '\\']) {
            return None;
        }
        let _ = write!(code, ".comment({})", literal(comment));
    }
    Some(code)
}

fn counts_plainly(identity: &Identity, column: &Column, dialect: Dialect, key: bool) -> bool {
    let plain_type = matches!(
        column.column_type.base.as_str(),
        "smallint" | "integer" | "bigint" | "int"
    ) && column.column_type.array_dimensions == 0;
    let plain_count = identity
        .sequence
        .as_ref()
        .is_none_or(crate::schema::SequenceOptions::is_default);
    let kind = match dialect {
        Dialect::Postgres => matches!(
            identity.kind,
            IdentityKind::Serial | IdentityKind::ByDefault
        ),
        Dialect::Mysql => identity.kind == IdentityKind::AutoIncrement,
        // It can only stand beside PRIMARY KEY.
        Dialect::Sqlite => identity.kind == IdentityKind::AutoIncrement && key,
    };
    plain_type && plain_count && kind
}

/// The call that gives the column its type.
fn type_call(column_type: &ColumnType, dialect: Dialect) -> Option<String> {
    let known = match dialect {
        Dialect::Postgres => postgres(column_type),
        Dialect::Mysql => mysql(column_type),
        Dialect::Sqlite => sqlite(column_type),
    };
    if let Some(known) = known {
        return Some(known);
    }
    // Whatever the database calls the type is written as it is.
    if dialect == Dialect::Sqlite && column_type.text.is_empty() {
        return None;
    }
    Some(format!(".custom({})", literal(&column_type.text)))
}

fn postgres(column_type: &ColumnType) -> Option<String> {
    if column_type.array_dimensions > 0 || column_type.kind != TypeKind::Builtin {
        return None;
    }
    let call = match (column_type.base.as_str(), column_type.modifiers.as_slice()) {
        ("smallint", []) => ".small_integer()".to_owned(),
        ("integer", []) => ".integer()".to_owned(),
        ("bigint", []) => ".big_integer()".to_owned(),
        ("real", []) => ".float()".to_owned(),
        ("double precision", []) => ".double()".to_owned(),
        ("numeric", []) => ".decimal()".to_owned(),
        ("numeric", [precision, scale]) if *scale >= 0 => {
            format!(".decimal_len({precision}, {scale})")
        }
        ("boolean", []) => ".boolean()".to_owned(),
        ("text", []) => ".text()".to_owned(),
        ("varchar", []) => ".string()".to_owned(),
        ("varchar", [length]) => format!(".string_len({length})"),
        ("char", [length]) => format!(".char_len({length})"),
        ("uuid", []) => ".uuid()".to_owned(),
        ("json", []) => ".json()".to_owned(),
        ("jsonb", []) => ".json_binary()".to_owned(),
        ("bytea", []) => ".binary()".to_owned(),
        ("date", []) => ".date()".to_owned(),
        ("time", []) => ".time()".to_owned(),
        ("timestamp", []) => ".timestamp()".to_owned(),
        ("timestamptz", []) => ".timestamp_with_time_zone()".to_owned(),
        ("inet", []) => ".inet()".to_owned(),
        ("cidr", []) => ".cidr()".to_owned(),
        _ => return None,
    };
    (call_matches_text(column_type)).then_some(call)
}

/// A type that says more than its parts is not one of the plain ones.
fn call_matches_text(column_type: &ColumnType) -> bool {
    let modifiers: Vec<String> = column_type
        .modifiers
        .iter()
        .map(ToString::to_string)
        .collect();
    let parts = if modifiers.is_empty() {
        column_type.base.clone()
    } else {
        format!("{}({})", column_type.base, modifiers.join(","))
    };
    column_type.text.replace(", ", ",") == parts
}

fn mysql(column_type: &ColumnType) -> Option<String> {
    let call = match (column_type.text.as_str(), column_type.modifiers.as_slice()) {
        ("tinyint", []) => ".tiny_integer()".to_owned(),
        ("tinyint(1)", _) => ".boolean()".to_owned(),
        ("smallint", []) => ".small_integer()".to_owned(),
        ("int", []) => ".integer()".to_owned(),
        ("bigint", []) => ".big_integer()".to_owned(),
        ("tinyint unsigned", []) => ".tiny_unsigned()".to_owned(),
        ("smallint unsigned", []) => ".small_unsigned()".to_owned(),
        ("int unsigned", []) => ".unsigned()".to_owned(),
        ("bigint unsigned", []) => ".big_unsigned()".to_owned(),
        ("float", []) => ".float()".to_owned(),
        ("double", []) => ".double()".to_owned(),
        ("text", []) => ".text()".to_owned(),
        ("json", []) => ".json()".to_owned(),
        ("blob", []) => ".blob()".to_owned(),
        ("date", []) => ".date()".to_owned(),
        ("time", []) => ".time()".to_owned(),
        ("datetime", []) => ".date_time()".to_owned(),
        ("timestamp", []) => ".timestamp()".to_owned(),
        ("year", []) => ".year()".to_owned(),
        (_, [length]) if column_type.base == "varchar" => format!(".string_len({length})"),
        (_, [length]) if column_type.base == "char" => format!(".char_len({length})"),
        (_, [length]) if column_type.base == "varbinary" => format!(".var_binary({length})"),
        (_, [length]) if column_type.base == "binary" => format!(".binary_len({length})"),
        (_, [precision, scale]) if column_type.base == "decimal" && !column_type.unsigned => {
            format!(".decimal_len({precision}, {scale})")
        }
        _ => return None,
    };
    let says_all = column_type.text.contains(' ') && !column_type.unsigned;
    (!says_all).then_some(call)
}

fn sqlite(column_type: &ColumnType) -> Option<String> {
    let call = match (column_type.text.as_str(), column_type.modifiers.as_slice()) {
        ("integer", []) => ".integer()".to_owned(),
        ("text", []) => ".text()".to_owned(),
        ("boolean", []) => ".boolean()".to_owned(),
        (text, [length]) if *text == format!("varchar({length})") => {
            format!(".string_len({length})")
        }
        (text, [length]) if *text == format!("char({length})") => format!(".char_len({length})"),
        _ => return None,
    };
    Some(call)
}

/// A default as an argument: a Rust value where it is a plain one, else SQL. Nothing where sea-query
/// would change it.
fn value(default: &str, column_type: &ColumnType, dialect: Dialect) -> Option<String> {
    let trimmed = default.trim();
    let upper = trimmed.to_ascii_uppercase();
    if upper == "TRUE" || upper == "FALSE" {
        return Some(upper.to_ascii_lowercase());
    }
    if upper == "CURRENT_TIMESTAMP" || (dialect == Dialect::Mysql && upper == "CURRENT_TIMESTAMP()")
    {
        return Some("Expr::current_timestamp()".to_owned());
    }
    if trimmed
        .parse::<i64>()
        .is_ok_and(|number| number.to_string() == trimmed)
    {
        return Some(if trimmed.parse::<i32>().is_ok() {
            trimmed.to_owned()
        } else {
            format!("{trimmed}_i64")
        });
    }
    let without_cast = match (dialect, trimmed.rfind("'::")) {
        (Dialect::Postgres, Some(at)) => &trimmed[..=at],
        _ => trimmed,
    };
    let inner = without_cast
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''));
    if let Some(inner) = inner
        && !inner.contains(['\\', '\n', '\r', '\0'])
        && !inner.replace("''", "").contains('\'')
        && column_type.array_dimensions == 0
    {
        return Some(literal(&inner.replace("''", "'")));
    }
    // A question mark or a dollar sign may be taken for a placeholder.
    if dialect == Dialect::Mysql && trimmed.contains('?') {
        return None;
    }
    Some(format!("Expr::cust({})", literal(trimmed)))
}
