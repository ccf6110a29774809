//! Tables, indexes and foreign keys as sea-query calls.

use std::fmt::Write as _;

use super::column::{definition, is_plain_name};
use super::source::literal;
use crate::dialect::Dialect;
use crate::schema::{
    Check, Deferrability, ForeignKey, ForeignKeyAction, Index, MatchType, ObjectName, PrimaryKey,
    Table, TableOptions, Unique,
};

/// A table's name as an argument: `"users"`, or `("app", "users")` outside the default schema.
pub(super) fn table_name(name: &ObjectName, default_schema: Option<&str>) -> Option<String> {
    let plain = is_plain_name(&name.name) && name.schema.as_deref().is_none_or(is_plain_name);
    if !plain {
        return None;
    }
    Some(match &name.schema {
        Some(schema) if Some(schema.as_str()) != default_schema => {
            format!("({}, {})", literal(schema), literal(&name.name))
        }
        _ => literal(&name.name),
    })
}

/// `Table::create()…`, without indexes, comments on PostgreSQL, and whatever else follows in
/// statements of its own.
pub(super) fn create(
    table: &Table,
    dialect: Dialect,
    default_schema: Option<&str>,
) -> Option<String> {
    let options = TableOptions {
        sql: None,
        row_security: false,
        force_row_security: false,
        ..table.options.clone()
    };
    if options != TableOptions::default()
        || !table.exclusions.is_empty()
        || table.columns.is_empty()
    {
        return None;
    }
    let mut code = format!(
        "Table::create().table({})",
        table_name(&table.name, default_schema)?
    );
    let key = table.primary_key.as_ref();
    let inline = key
        .filter(|key| is_inline_key(key, table, dialect))
        .map(|key| key.columns[0].as_str());
    for column in &table.columns {
        let column_code = definition(column, dialect, inline == Some(column.name.as_str()))?;
        let _ = write!(code, ".col({column_code})");
    }
    if let Some(key) = key
        && inline.is_none()
    {
        let plain = key.include.is_empty()
            && key.prefix_lengths.iter().all(Option::is_none)
            && key.deferrability == Deferrability::NotDeferrable
            && key.on_conflict.is_none()
            && key.columns.iter().all(|column| is_plain_name(column));
        if !plain {
            return None;
        }
        let name = named(key.name.as_deref().filter(|_| dialect == Dialect::Postgres))?;
        let _ = write!(
            code,
            ".primary_key(Index::create(){name}{})",
            columns(&key.columns)
        );
    }
    for unique in &table.uniques {
        let _ = write!(code, ".index({})", unique_constraint(unique)?);
    }
    for foreign_key in &table.foreign_keys {
        let code_of_key = foreign_key_statement(foreign_key, &table.name, dialect, default_schema)?;
        let _ = write!(code, ".foreign_key({code_of_key})");
    }
    for check in &table.checks {
        code.push_str(&check_call(check)?);
    }
    if let Some(comment) = &table.comment
        && dialect == Dialect::Mysql
    {
        if comment.contains(['\'', '\\']) {
            return None;
        }
        let _ = write!(code, ".comment({})", literal(comment));
    }
    Some(format!("{code}.to_owned()"))
}

/// Whether the key can be said at its column without saying less.
fn is_inline_key(key: &PrimaryKey, table: &Table, dialect: Dialect) -> bool {
    let usual_name = match dialect {
        Dialect::Postgres => key
            .name
            .as_ref()
            .is_none_or(|name| *name == format!("{}_pkey", table.name.name)),
        Dialect::Mysql | Dialect::Sqlite => true,
    };
    PrimaryKey {
        name: None,
        columns: Vec::new(),
        prefix_lengths: Vec::new(),
        ..key.clone()
    } == PrimaryKey::default()
        && key.columns.len() == 1
        && key.prefix_lengths.iter().all(Option::is_none)
        && usual_name
}

fn unique_constraint(unique: &Unique) -> Option<String> {
    let plain = unique.include.is_empty()
        && unique.deferrability == Deferrability::NotDeferrable
        && unique.on_conflict.is_none()
        && unique.columns.iter().all(|column| is_plain_name(column));
    let name = named(unique.name.as_deref())?;
    let nulls = if unique.nulls_not_distinct {
        ".nulls_not_distinct()"
    } else {
        ""
    };
    plain.then(|| {
        format!(
            "Index::create().unique(){name}{}{nulls}",
            columns(&unique.columns)
        )
    })
}

fn check_call(check: &Check) -> Option<String> {
    if !check.validated || check.no_inherit {
        return None;
    }
    let condition = format!("Expr::cust({})", literal(&check.expression));
    Some(match &check.name {
        Some(name) if is_plain_name(name) => format!(".check(({}, {condition}))", literal(name)),
        Some(_) => return None,
        None => format!(".check({condition})"),
    })
}

/// `ForeignKey::create()…`
pub(super) fn foreign_key_statement(
    foreign_key: &ForeignKey,
    table: &ObjectName,
    dialect: Dialect,
    default_schema: Option<&str>,
) -> Option<String> {
    let plain = foreign_key.match_type == MatchType::Simple
        && foreign_key.deferrability == Deferrability::NotDeferrable
        && foreign_key.validated
        && foreign_key.on_delete_columns.is_empty()
        && foreign_key.columns.iter().chain(&foreign_key.ref_columns).all(|column| is_plain_name(column))
        // Outside its own database MySQL's other table would need that database's name.
        && (dialect != Dialect::Mysql || foreign_key.ref_table.schema.is_none());
    if !plain {
        return None;
    }
    let mut code = format!(
        "ForeignKey::create(){}",
        named(foreign_key.name.as_deref())?
    );
    let _ = write!(code, ".from_tbl({})", table_name(table, default_schema)?);
    for column in &foreign_key.columns {
        let _ = write!(code, ".from_col({})", literal(column));
    }
    let _ = write!(
        code,
        ".to_tbl({})",
        table_name(&foreign_key.ref_table, default_schema)?
    );
    for column in &foreign_key.ref_columns {
        let _ = write!(code, ".to_col({})", literal(column));
    }
    for (call, action) in [
        ("on_delete", foreign_key.on_delete),
        ("on_update", foreign_key.on_update),
    ] {
        let action = match action {
            ForeignKeyAction::NoAction => continue,
            ForeignKeyAction::Restrict => "Restrict",
            ForeignKeyAction::Cascade => "Cascade",
            ForeignKeyAction::SetNull => "SetNull",
            ForeignKeyAction::SetDefault => "SetDefault",
        };
        let _ = write!(code, ".{call}(ForeignKeyAction::{action})");
    }
    Some(code)
}

/// `Index::create()…` for an index of its own.
pub(super) fn index_statement(
    index: &Index,
    table: &ObjectName,
    dialect: Dialect,
    default_schema: Option<&str>,
) -> Option<String> {
    let plain = index.options.is_empty()
        && !index.invisible
        && is_plain_name(&index.name)
        && (dialect == Dialect::Postgres || index.include.is_empty())
        && index.keys.iter().all(|key| {
            key.nulls_first.is_none() && key.operator_class.is_none() && key.collation.is_none()
        });
    if !plain || (index.comment.is_some() && dialect == Dialect::Mysql) {
        return None;
    }
    let mut code = format!(
        "Index::create().name({}).table({})",
        literal(&index.name),
        table_name(table, default_schema)?
    );
    if index.unique {
        code.push_str(".unique()");
    }
    match (index.method.as_str(), dialect) {
        ("btree" | "", _) => {}
        ("fulltext", Dialect::Mysql) => code.push_str(".full_text()"),
        ("hash", Dialect::Postgres) => code.push_str(".index_type(IndexType::Hash)"),
        (method, Dialect::Postgres) if is_plain_name(method) => {
            let _ = write!(
                code,
                ".index_type(IndexType::Custom({}.into_iden()))",
                literal(method)
            );
        }
        _ => return None,
    }
    for key in &index.keys {
        let what = match (&key.column, &key.expression) {
            (Some(column), _) if is_plain_name(column) => literal(column),
            (None, Some(expression)) if dialect == Dialect::Postgres => {
                format!("Expr::cust({})", literal(expression))
            }
            _ => return None,
        };
        let argument = match (key.prefix_length, key.descending) {
            (None, false) => what,
            (None, true) => format!("({what}, IndexOrder::Desc)"),
            (Some(length), false) => format!("({what}, {length})"),
            (Some(length), true) => format!("({what}, {length}, IndexOrder::Desc)"),
        };
        let _ = write!(code, ".col({argument})");
    }
    for column in &index.include {
        if !is_plain_name(column) {
            return None;
        }
        let _ = write!(code, ".include({})", literal(column));
    }
    if index.nulls_not_distinct {
        code.push_str(".nulls_not_distinct()");
    }
    if let Some(predicate) = &index.predicate {
        let _ = write!(code, ".and_where(Expr::cust({}))", literal(predicate));
    }
    Some(format!("{code}.to_owned()"))
}

fn columns(names: &[String]) -> String {
    names.iter().fold(String::new(), |mut code, name| {
        let _ = write!(code, ".col({})", literal(name));
        code
    })
}

/// `.name("…")`, or nothing to say; nothing at all for a name that can't be written.
fn named(name: Option<&str>) -> Option<String> {
    match name {
        None => Some(String::new()),
        Some(name) if is_plain_name(name) => Some(format!(".name({})", literal(name))),
        Some(_) => None,
    }
}
