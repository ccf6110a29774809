//! From tables as values to statements.

use crate::schema::{
    Check, Column, Deferrability, ForeignKey, ForeignKeyAction, Index, PrimaryKey, Table, Unique,
};

/// A name in double quotes.
pub(crate) fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// A value as a string literal.
pub(crate) fn string(value: &str) -> String {
    format!("'{}'", value.replace('\'', "''"))
}

/// Names in double quotes and parentheses.
pub(crate) fn list<S: AsRef<str>>(names: impl IntoIterator<Item = S>) -> String {
    let names: Vec<String> = names.into_iter().map(|n| quoted(n.as_ref())).collect();
    format!("({})", names.join(", "))
}

/// A `CREATE TABLE` statement, without indexes and triggers.
pub(crate) fn create_table(table: &Table) -> String {
    let mut items: Vec<String> = table
        .columns
        .iter()
        .map(|column| column_definition(column, inline_key(table, column)))
        .collect();
    if let Some(key) = &table.primary_key
        && !table.columns.iter().any(|c| inline_key(table, c).is_some())
    {
        items.push(primary_key(key));
    }
    items.extend(table.uniques.iter().map(unique));
    items.extend(table.checks.iter().map(check));
    items.extend(table.foreign_keys.iter().map(foreign_key));
    format!(
        "CREATE TABLE {} (\n  {}\n){}",
        quoted(&table.name.name),
        items.join(",\n  "),
        options(table.options.strict, table.options.without_rowid)
    )
}

/// What follows the closing parenthesis of a `CREATE TABLE` statement.
pub(crate) fn options(strict: bool, without_rowid: bool) -> &'static str {
    match (strict, without_rowid) {
        (false, false) => "",
        (true, false) => " STRICT",
        (false, true) => " WITHOUT ROWID",
        (true, true) => " STRICT, WITHOUT ROWID",
    }
}

/// The primary key if it has to be written with the column: `AUTOINCREMENT` stands there.
fn inline_key<'t>(table: &'t Table, column: &Column) -> Option<&'t PrimaryKey> {
    column.identity.as_ref()?;
    table
        .primary_key
        .as_ref()
        .filter(|key| key.columns == [column.name.clone()])
}

/// A column as it stands in `CREATE TABLE` and after `ADD COLUMN`.
pub(crate) fn column_definition(column: &Column, key: Option<&PrimaryKey>) -> String {
    let mut words = vec![quoted(&column.name)];
    if !column.column_type.text.is_empty() {
        words.push(column.column_type.text.clone());
    }
    if !column.nullable {
        words.push("NOT NULL".to_owned());
    }
    if let Some(key) = key {
        words.push(inline_primary_key(key, column.identity.is_some()));
    }
    if let Some(default) = &column.default {
        words.push(format!("DEFAULT {}", default_clause(default)));
    }
    if let Some(collation) = &column.collation {
        words.push(format!("COLLATE {}", quoted(collation)));
    }
    if let Some(generated) = &column.generated {
        words.push(generated_clause(&generated.expression, generated.stored));
    }
    words.join(" ")
}

/// A primary key as a clause of its column.
pub(crate) fn inline_primary_key(key: &PrimaryKey, autoincrement: bool) -> String {
    format!(
        "{}PRIMARY KEY{}{}",
        named(key.name.as_deref()),
        on_conflict(key.on_conflict.as_deref()),
        if autoincrement { " AUTOINCREMENT" } else { "" }
    )
}

/// How a generated column is computed, as a clause.
pub(crate) fn generated_clause(expression: &str, stored: bool) -> String {
    let kind = if stored { "STORED" } else { "VIRTUAL" };
    format!("GENERATED ALWAYS AS ({expression}) {kind}")
}

/// The value after `DEFAULT`: in parentheses unless SQLite takes it without.
pub(crate) fn default_clause(default: &str) -> String {
    if super::canonical::is_literal(default) || is_enclosed(default) {
        default.to_owned()
    } else {
        format!("({default})")
    }
}

fn is_enclosed(text: &str) -> bool {
    use crate::dialect::{Dialect, tokens};
    let tokens = tokens::significant(text, Dialect::Sqlite);
    tokens::closing(&tokens, 0).is_some_and(|close| close + 1 == tokens.len())
}

/// A primary key beside the columns.
pub(crate) fn primary_key(key: &PrimaryKey) -> String {
    format!(
        "{}PRIMARY KEY {}{}",
        named(key.name.as_deref()),
        list(&key.columns),
        on_conflict(key.on_conflict.as_deref())
    )
}

/// A unique constraint beside the columns.
pub(crate) fn unique(unique: &Unique) -> String {
    format!(
        "{}UNIQUE {}{}",
        named(unique.name.as_deref()),
        list(&unique.columns),
        on_conflict(unique.on_conflict.as_deref())
    )
}

/// A check beside the columns.
pub(crate) fn check(check: &Check) -> String {
    format!(
        "{}CHECK ({})",
        named(check.name.as_deref()),
        check.expression
    )
}

/// A foreign key beside the columns.
pub(crate) fn foreign_key(foreign_key: &ForeignKey) -> String {
    format!(
        "{}FOREIGN KEY {} {}",
        named(foreign_key.name.as_deref()),
        list(&foreign_key.columns),
        references(foreign_key)
    )
}

/// What a foreign key refers to, and how, as a clause.
pub(crate) fn references(foreign_key: &ForeignKey) -> String {
    let mut text = format!("REFERENCES {}", quoted(&foreign_key.ref_table.name));
    if !foreign_key.ref_columns.is_empty() {
        text.push(' ');
        text.push_str(&list(&foreign_key.ref_columns));
    }
    for (event, action) in [
        ("UPDATE", foreign_key.on_update),
        ("DELETE", foreign_key.on_delete),
    ] {
        if action != ForeignKeyAction::NoAction {
            text.extend([" ON ", event, " ", action.as_sql()]);
        }
    }
    if foreign_key.deferrability == Deferrability::InitiallyDeferred {
        text.push_str(" DEFERRABLE INITIALLY DEFERRED");
    }
    text
}

/// `CONSTRAINT name` and a blank, or nothing.
pub(crate) fn named(name: Option<&str>) -> String {
    name.map_or_else(String::new, |name| format!("CONSTRAINT {} ", quoted(name)))
}

fn on_conflict(resolution: Option<&str>) -> String {
    resolution.map_or_else(String::new, |resolution| {
        format!(" ON CONFLICT {resolution}")
    })
}

/// A `CREATE INDEX` statement.
pub(crate) fn create_index(table: &str, index: &Index) -> String {
    let keys: Vec<String> = index
        .keys
        .iter()
        .map(|key| {
            let mut text = match (&key.column, &key.expression) {
                (Some(column), _) => quoted(column),
                (None, Some(expression)) => expression.clone(),
                (None, None) => String::new(),
            };
            if let Some(collation) = &key.collation {
                text.extend([" COLLATE ", &quoted(collation)]);
            }
            if key.descending {
                text.push_str(" DESC");
            }
            text
        })
        .collect();
    format!(
        "CREATE {}INDEX {} ON {} ({}){}",
        if index.unique { "UNIQUE " } else { "" },
        quoted(&index.name),
        quoted(table),
        keys.join(", "),
        index
            .predicate
            .as_ref()
            .map_or_else(String::new, |predicate| format!(" WHERE {predicate}"))
    )
}
