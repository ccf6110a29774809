//! From parts of a schema to clauses of statements.

use crate::dialect::Dialect;
use crate::dialect::tokens;
use crate::schema::{
    Check, Column, ForeignKey, ForeignKeyAction, Index, ObjectName, PrimaryKey, Server, Table,
    TableOptions, Unique, View,
};
use crate::sql::Dialect as SqlDialect;
use std::fmt::Write as _;

use super::canonical;
use super::catalogue::is_mariadb;
use super::read::other_index_serves;

/// A name in backticks.
pub(crate) fn quoted(name: &str) -> String {
    SqlDialect::MySql.quote_identifier(name)
}

/// A value as a string literal.
pub(crate) fn string(value: &str) -> String {
    SqlDialect::MySql.quote_string(value)
}

/// A table, with its database where that is another one.
pub(crate) fn table_name(name: &ObjectName) -> String {
    match &name.schema {
        Some(database) => format!("{}.{}", quoted(database), quoted(&name.name)),
        None => quoted(&name.name),
    }
}

/// Names in backticks and parentheses.
pub(crate) fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<String> = names.into_iter().map(|n| quoted(n.as_ref())).collect();
    format!("({})", names.join(", "))
}

/// A column as it stands in `CREATE TABLE`, `ADD COLUMN` and `MODIFY COLUMN`. All of it: what is not
/// said is lost. The checks that MariaDB keeps with the column are taken from the table.
pub(crate) fn column(column: &Column, table: &Table, server: &Server) -> String {
    let mut words = vec![quoted(&column.name), column.column_type.text.clone()];
    if let Some(charset) = &column.charset {
        words.push(format!("CHARACTER SET {charset}"));
    }
    if let Some(collation) = &column.collation {
        words.push(format!("COLLATE {collation}"));
    }
    if let Some(generated) = &column.generated {
        let kind = if generated.stored {
            "STORED"
        } else {
            "VIRTUAL"
        };
        words.push(format!(
            "GENERATED ALWAYS AS ({}) {kind}",
            generated.expression
        ));
    }
    // MariaDB has no NOT NULL for generated columns.
    let can_refuse_null = column.generated.is_none() || !is_mariadb(server);
    if !column.nullable && can_refuse_null {
        words.push("NOT NULL".to_owned());
    } else if column.column_type.base == "timestamp" && column.generated.is_none() {
        // Old settings make a timestamp NOT NULL unless it says otherwise.
        words.push("NULL".to_owned());
    }
    if let Some(default) = &column.default {
        words.push(format!("DEFAULT {}", default_clause(default)));
    }
    if let Some(on_update) = &column.on_update {
        words.push(format!("ON UPDATE {on_update}"));
    }
    if column.identity.is_some() {
        words.push("AUTO_INCREMENT".to_owned());
    }
    if column.invisible {
        words.push("INVISIBLE".to_owned());
    }
    if let Some(comment) = &column.comment {
        words.push(format!("COMMENT {}", string(comment)));
    }
    let own_checks = table
        .checks
        .iter()
        .filter(|check| is_column_check(check) && check.columns.first() == Some(&column.name));
    words.extend(own_checks.map(|check| format!("CHECK ({})", check.expression)));
    words.join(" ")
}

/// Whether MariaDB keeps the check with its column.
pub(crate) fn is_column_check(check: &Check) -> bool {
    check.name.is_none() && check.columns.len() == 1
}

/// The value after `DEFAULT`: in parentheses unless both servers take it without.
fn default_clause(default: &str) -> String {
    let tokens = tokens::significant(default, Dialect::Mysql);
    let is_enclosed = tokens::closing(&tokens, 0)
        .is_some_and(|close| tokens[0].is_sign("(") && close + 1 == tokens.len());
    if canonical::is_literal(default) || canonical::is_current_time(default) || is_enclosed {
        default.to_owned()
    } else {
        format!("({default})")
    }
}

/// A primary key as a clause.
pub(crate) fn primary_key(key: &PrimaryKey) -> String {
    let columns: Vec<String> = key
        .columns
        .iter()
        .enumerate()
        .map(|(at, column)| {
            let prefix = key.prefix_lengths.get(at).copied().flatten();
            prefix.map_or_else(
                || quoted(column),
                |length| format!("{}({length})", quoted(column)),
            )
        })
        .collect();
    let mut clause = format!("PRIMARY KEY ({})", columns.join(", "));
    push_comment(&mut clause, key.comment.as_deref());
    clause
}

/// A unique key as a clause.
pub(crate) fn unique(unique: &Unique) -> String {
    let name = unique
        .name
        .as_deref()
        .map_or_else(String::new, |name| format!("{} ", quoted(name)));
    let mut clause = format!("UNIQUE INDEX {name}{}", list(&unique.columns));
    push_comment(&mut clause, unique.comment.as_deref());
    clause
}

/// An index as a clause.
pub(crate) fn index(index: &Index, server: &Server) -> String {
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| {
            let mut text = match (&key.column, &key.expression) {
                (Some(column), _) => quoted(column),
                (None, Some(expression)) => format!("({expression})"),
                (None, None) => String::new(),
            };
            if let Some(length) = key.prefix_length {
                let _ = write!(text, "({length})");
            }
            if key.descending {
                text.push_str(" DESC");
            }
            text
        })
        .collect();
    let kind = match (index.method.as_str(), index.unique) {
        ("fulltext", _) => "FULLTEXT ",
        ("spatial", _) => "SPATIAL ",
        (_, true) => "UNIQUE ",
        (_, false) => "",
    };
    let using = if index.method == "hash" {
        " USING HASH"
    } else {
        ""
    };
    let mut clause = format!(
        "{kind}INDEX {} ({}){using}",
        quoted(&index.name),
        keys.join(", ")
    );
    push_comment(&mut clause, index.comment.as_deref());
    if index.invisible {
        clause.push_str(if is_mariadb(server) {
            " IGNORED"
        } else {
            " INVISIBLE"
        });
    }
    clause
}

fn push_comment(clause: &mut String, comment: Option<&str>) {
    if let Some(comment) = comment {
        clause.push_str(" COMMENT ");
        clause.push_str(&string(comment));
    }
}

/// A check as a clause.
pub(crate) fn check(check: &Check) -> String {
    let name = named(check.name.as_deref());
    let enforced = if check.validated { "" } else { " NOT ENFORCED" };
    format!("{name}CHECK ({}){enforced}", check.expression)
}

/// A foreign key as a clause.
pub(crate) fn foreign_key(foreign_key: &ForeignKey) -> String {
    let mut clause = format!(
        "{}FOREIGN KEY {} REFERENCES {} {}",
        named(foreign_key.name.as_deref()),
        list(&foreign_key.columns),
        table_name(&foreign_key.ref_table),
        list(&foreign_key.ref_columns)
    );
    for (event, action) in [
        ("UPDATE", foreign_key.on_update),
        ("DELETE", foreign_key.on_delete),
    ] {
        if action != ForeignKeyAction::NoAction {
            let _ = write!(clause, " ON {event} {}", action.as_sql());
        }
    }
    clause
}

/// The index of a foreign key as a clause where the server would give it another name.
pub(crate) fn named_own_index(table: &Table, foreign_key: &ForeignKey) -> Option<String> {
    let name = foreign_key.own_index.as_ref()?;
    if foreign_key.name.as_ref() == Some(name) || other_index_serves(table, foreign_key, None) {
        return None;
    }
    Some(format!(
        "INDEX {} {}",
        quoted(name),
        list(&foreign_key.columns)
    ))
}

fn named(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("CONSTRAINT {} ", quoted(name)))
}

/// A `CREATE TABLE` statement with everything that the value holds, but for triggers.
pub(crate) fn create_table(table: &Table, indexes: &[&Index], server: &Server) -> String {
    let mut items: Vec<String> = table
        .columns
        .iter()
        .map(|c| column(c, table, server))
        .collect();
    items.extend(table.primary_key.iter().map(primary_key));
    items.extend(table.uniques.iter().map(unique));
    items.extend(table.indexes.values().map(|i| index(i, server)));
    items.extend(indexes.iter().map(|i| index(i, server)));
    let own_indexes = table.foreign_keys.iter();
    items.extend(own_indexes.filter_map(|key| named_own_index(table, key)));
    items.extend(table.foreign_keys.iter().map(foreign_key));
    let checks = table.checks.iter().filter(|check| !is_column_check(check));
    items.extend(checks.map(check));
    let mut sql = format!(
        "CREATE TABLE {} (\n  {}\n)",
        quoted(&table.name.name),
        items.join(",\n  ")
    );
    for option in options(&TableOptions::default(), &table.options) {
        sql.push(' ');
        sql.push_str(&option);
    }
    if let Some(comment) = &table.comment {
        sql.push_str(" COMMENT=");
        sql.push_str(&string(comment));
    }
    if let Some(partitioning) = &table.options.partition_by {
        sql.push_str("\nPARTITION BY ");
        sql.push_str(partitioning);
    }
    sql
}

/// The options that lead from one set to another, without partitioning.
pub(crate) fn options(from: &TableOptions, to: &TableOptions) -> Vec<String> {
    let mut clauses = Vec::new();
    if from.engine != to.engine {
        // Without one, the default engine is meant; InnoDB is it everywhere it was not changed.
        let engine = to.engine.as_deref().unwrap_or("InnoDB");
        clauses.push(format!("ENGINE={engine}"));
    }
    if (&from.charset, &from.collation) != (&to.charset, &to.collation) {
        let charset = to.charset.as_deref().unwrap_or("DEFAULT");
        clauses.push(format!("DEFAULT CHARACTER SET={charset}"));
        if let Some(collation) = &to.collation {
            clauses.push(format!("COLLATE={collation}"));
        }
    }
    let words = |options: &TableOptions| -> Vec<(String, String)> {
        let text = options.create_options.as_deref().unwrap_or_default();
        option_words(text)
            .into_iter()
            .filter_map(|word| word.split_once('='))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect()
    };
    let (old, new) = (words(from), words(to));
    for (name, value) in &new {
        if !old.contains(&(name.clone(), value.clone())) {
            clauses.push(format!("{}={value}", option_name(name)));
        }
    }
    for (name, _) in &old {
        if !new.iter().any(|(other, _)| other == name) {
            let name = option_name(name);
            clauses.push(format!("{name}={}", unset(&name)));
        }
    }
    clauses
}

/// The options of a table as the catalogue lists them, one by one: a quoted value may have spaces.
pub(crate) fn option_words(text: &str) -> Vec<&str> {
    let mut words = Vec::new();
    let mut start = 0;
    let mut quote = None;
    for (at, character) in text.char_indices() {
        if let Some(open) = quote {
            if character == open {
                quote = None;
            }
        } else if matches!(character, '\'' | '"' | '`') {
            quote = Some(character);
        } else if character.is_whitespace() {
            words.push(&text[start..at]);
            start = at + character.len_utf8();
        }
    }
    words.push(&text[start..]);
    words.retain(|word| !word.is_empty());
    words
}

/// The name of an option as it is written. Those of a storage engine stand in backticks.
fn option_name(listed: &str) -> String {
    if listed.starts_with('`') {
        listed.to_owned()
    } else {
        listed.to_uppercase()
    }
}

/// What an option is set to where nothing is said of it. Those that are plain numbers know no
/// `DEFAULT`.
fn unset(option: &str) -> &'static str {
    const NUMBERS: [&str; 6] = [
        "AVG_ROW_LENGTH",
        "CHECKSUM",
        "DELAY_KEY_WRITE",
        "KEY_BLOCK_SIZE",
        "MAX_ROWS",
        "MIN_ROWS",
    ];
    if NUMBERS.contains(&option) {
        "0"
    } else {
        "DEFAULT"
    }
}

/// A statement that makes the view, or replaces it.
pub(crate) fn view(view: &View) -> String {
    let option = |name: &str| view.options.get(name);
    let mut sql = "CREATE OR REPLACE".to_owned();
    if let Some(algorithm) = option("algorithm") {
        let _ = write!(sql, " ALGORITHM={algorithm}");
    }
    if let Some(security) = option("security") {
        let _ = write!(sql, " SQL SECURITY {security}");
    }
    let _ = write!(
        sql,
        " VIEW {} AS {}",
        quoted(&view.name.name),
        view.definition
    );
    if let Some(check) = option("check_option") {
        let _ = write!(sql, " WITH {check} CHECK OPTION");
    }
    sql
}
