//! Names and values as SQL.

use crate::schema::ObjectName;
use crate::sql::Dialect;

/// Words that cannot stand for a column, table or type without quotes.
const RESERVED: [&str; 100] = [
    "all",
    "analyse",
    "analyze",
    "and",
    "any",
    "array",
    "as",
    "asc",
    "asymmetric",
    "authorization",
    "between",
    "bigint",
    "binary",
    "bit",
    "boolean",
    "both",
    "case",
    "cast",
    "char",
    "character",
    "check",
    "coalesce",
    "collate",
    "collation",
    "column",
    "concurrently",
    "constraint",
    "create",
    "cross",
    "current_catalog",
    "current_date",
    "current_role",
    "current_schema",
    "current_time",
    "current_timestamp",
    "current_user",
    "dec",
    "decimal",
    "default",
    "deferrable",
    "desc",
    "distinct",
    "do",
    "else",
    "end",
    "except",
    "exists",
    "extract",
    "false",
    "fetch",
    "float",
    "for",
    "foreign",
    "freeze",
    "from",
    "full",
    "grant",
    "group",
    "having",
    "ilike",
    "in",
    "initially",
    "inner",
    "int",
    "integer",
    "intersect",
    "interval",
    "into",
    "is",
    "isnull",
    "join",
    "lateral",
    "leading",
    "left",
    "like",
    "limit",
    "localtime",
    "localtimestamp",
    "natural",
    "not",
    "notnull",
    "null",
    "numeric",
    "offset",
    "on",
    "only",
    "or",
    "order",
    "outer",
    "overlaps",
    "placing",
    "primary",
    "real",
    "references",
    "returning",
    "right",
    "row",
    "select",
    "session_user",
    "similar",
];

/// The rest of them.
const RESERVED_TOO: [&str; 29] = [
    "setof",
    "smallint",
    "some",
    "substring",
    "symmetric",
    "system_user",
    "table",
    "tablesample",
    "then",
    "time",
    "timestamp",
    "to",
    "trailing",
    "treat",
    "trim",
    "true",
    "union",
    "unique",
    "user",
    "using",
    "values",
    "varchar",
    "variadic",
    "verbose",
    "when",
    "where",
    "window",
    "with",
    "xmlparse",
];

/// A name, in quotes where it needs them.
pub(super) fn name(name: &str) -> String {
    let mut characters = name.chars();
    let starts_plain = characters
        .next()
        .is_some_and(|c| c.is_ascii_lowercase() || c == '_');
    let is_plain = starts_plain
        && characters.all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
        && !RESERVED.contains(&name)
        && !RESERVED_TOO.contains(&name);
    if is_plain {
        name.to_owned()
    } else {
        Dialect::Postgres.quote_identifier(name)
    }
}

/// A name with its schema.
pub(super) fn object(object: &ObjectName) -> String {
    match &object.schema {
        Some(schema) => format!("{}.{}", name(schema), name(&object.name)),
        None => name(&object.name),
    }
}

/// Names in a list, without parentheses.
pub(super) fn names(list: &[String]) -> String {
    let names: Vec<String> = list.iter().map(|item| name(item)).collect();
    names.join(", ")
}

/// A string literal.
pub(super) fn text(value: &str) -> String {
    Dialect::Postgres.quote_string(value)
}

/// A comment's value: a literal, or NULL to remove it.
pub(super) fn comment(value: Option<&String>) -> String {
    value.map_or_else(|| "NULL".to_owned(), |value| text(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_need_them_get_quotes() {
        assert_eq!(name("users"), "users");
        assert_eq!(name("order"), "\"order\"");
        assert_eq!(name("Users"), "\"Users\"");
        assert_eq!(name("1st"), "\"1st\"");
        assert_eq!(name("say \"hi\""), "\"say \"\"hi\"\"\"");
        assert_eq!(object(&ObjectName::new("app", "user")), "app.\"user\"");
    }
}
