//! What to ask SQLite's catalogue, and how to read the answers.
//!
//! A constant number of queries, however many tables there are. Each of them gives text only.

use std::collections::{BTreeMap, BTreeSet};

use crate::dialect::Dialect;
use crate::dialect::rows::TextRow;
use crate::dialect::tokens::significant;
use crate::schema::{
    Column, Dependency, ForeignKey, ForeignKeyAction, Generated, Index, IndexKey, MatchType,
    ObjectName, ObjectRef, PrimaryKey, Schema, Server, Table, Trigger, View, ViewColumn,
};

use super::{ddl, mentioned_names, read};

/// The version of the library.
pub const VERSION: &str = "SELECT sqlite_version()";

// The pragmas are told the database: without that they look for a temporary table of the name first.

/// Everything that has a statement.
pub const OBJECTS: &str = "SELECT type, name, tbl_name, sql FROM sqlite_master \
    WHERE name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND sql IS NOT NULL ORDER BY rowid";

/// Which tables are virtual, and which keep the content of a virtual one. From SQLite 3.37 on.
pub const TABLE_KINDS: &str = "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('virtual', 'shadow')";

/// The columns of tables.
pub const COLUMNS: &str = "SELECT m.name, c.name, c.type, CAST(c.\"notnull\" AS TEXT), \
    c.dflt_value, CAST(c.pk AS TEXT), CAST(c.hidden AS TEXT) \
    FROM sqlite_master m JOIN pragma_table_xinfo(m.name, 'main') c \
    WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
    AND m.sql NOT LIKE 'CREATE VIRTUAL TABLE%' ORDER BY m.name, c.cid";

/// The columns of views. It fails as a whole when one view reads something that is not there.
pub const VIEW_COLUMNS: &str = "SELECT m.name, c.name, c.type \
    FROM sqlite_master m JOIN pragma_table_xinfo(m.name, 'main') c \
    WHERE m.type = 'view' ORDER BY m.name, c.cid";

/// The indexes made by `CREATE INDEX`, one row for each key.
pub const INDEXES: &str = "SELECT m.name, i.name, CAST(i.\"unique\" AS TEXT), \
    CAST(k.cid AS TEXT), k.name, CAST(k.\"desc\" AS TEXT), k.coll \
    FROM sqlite_master m JOIN pragma_index_list(m.name, 'main') i \
    JOIN pragma_index_xinfo(i.name, 'main') k \
    WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL TABLE%' \
    AND i.origin = 'c' AND k.key = 1 ORDER BY m.name, i.name, k.seqno";

/// The foreign keys, one row for each column.
pub const FOREIGN_KEYS: &str = "SELECT m.name, CAST(f.id AS TEXT), f.\"table\", f.\"from\", \
    f.\"to\", f.on_update, f.on_delete \
    FROM sqlite_master m JOIN pragma_foreign_key_list(m.name, 'main') f \
    WHERE m.type = 'table' AND m.sql NOT LIKE 'CREATE VIRTUAL TABLE%' ORDER BY m.name, f.id, f.seq";

/// The answers to the queries of this module.
#[derive(Clone, Debug, Default)]
pub struct Answers {
    /// To [`VERSION`].
    pub version: Vec<TextRow>,
    /// To [`OBJECTS`].
    pub objects: Vec<TextRow>,
    /// To [`TABLE_KINDS`].
    pub table_kinds: Vec<TextRow>,
    /// To [`COLUMNS`].
    pub columns: Vec<TextRow>,
    /// To [`VIEW_COLUMNS`]; empty when that failed.
    pub view_columns: Vec<TextRow>,
    /// To [`INDEXES`].
    pub indexes: Vec<TextRow>,
    /// To [`FOREIGN_KEYS`].
    pub foreign_keys: Vec<TextRow>,
}

/// A schema from the answers. Tables for which `is_ignored` holds are left out.
pub fn read(answers: &Answers, is_ignored: impl Fn(&str) -> bool) -> Schema {
    let version = answers
        .version
        .first()
        .map_or_else(String::new, |row| text(row, 0));
    let mut schema = Schema::empty(Dialect::Sqlite, server(version), None);
    let kinds: BTreeMap<String, String> = answers
        .table_kinds
        .iter()
        .map(|row| (text(row, 0), text(row, 1)))
        .collect();
    let columns = grouped(&answers.columns);
    let foreign_keys = grouped(&answers.foreign_keys);
    for row in &answers.objects {
        let (name, sql) = (text(row, 1), text(row, 3));
        match text(row, 0).as_str() {
            "table" if is_ignored(&name) => {}
            "table" => match kinds.get(&name).map(String::as_str) {
                Some("shadow") => {}
                Some(_) => schema.not_compared.push(format!("virtual table {name}")),
                None if is_virtual(&sql) => {
                    schema.not_compared.push(format!("virtual table {name}"));
                }
                None => {
                    let columns = columns.get(&name).map_or(&[][..], Vec::as_slice);
                    let foreign_keys = foreign_keys.get(&name).map_or(&[][..], Vec::as_slice);
                    let table =
                        read_table(&name, &sql, columns, foreign_keys, &mut schema.not_compared);
                    schema.tables.insert(table.name.clone(), table);
                }
            },
            "view" => {
                let view = View {
                    name: ObjectName::bare(name),
                    materialized: false,
                    definition: sql,
                    columns: Vec::new(),
                    options: BTreeMap::new(),
                    indexes: BTreeMap::new(),
                    triggers: BTreeMap::new(),
                    comment: None,
                    column_comments: BTreeMap::new(),
                };
                schema.views.insert(view.name.clone(), view);
            }
            _ => {}
        }
    }
    for row in &answers.view_columns {
        if let Some(view) = schema.views.get_mut(&ObjectName::bare(text(row, 0))) {
            view.columns.push(ViewColumn {
                name: text(row, 1),
                column_type: read::column_type(&text(row, 2)).text,
            });
        }
    }
    let tables = schema.tables.clone();
    for table in schema.tables.values_mut() {
        read::resolve_references(table, &tables);
    }
    read_triggers(answers, &mut schema);
    read_indexes(answers, &mut schema);
    schema.dependencies = view_dependencies(&schema);
    schema
}

fn server(version: String) -> Server {
    let mut numbers = version.split('.').map(|part| part.parse().unwrap_or(0));
    let mut next = || numbers.next().unwrap_or(0);
    let version_number = (next(), next(), next());
    Server {
        product: "SQLite".to_owned(),
        version,
        version_number,
    }
}

fn is_virtual(sql: &str) -> bool {
    let tokens = significant(sql, Dialect::Sqlite);
    tokens.get(1).is_some_and(|token| token.is_word("VIRTUAL"))
}

/// A table from its statement, or from the pragmas where the statement cannot be read.
fn read_table(
    name: &str,
    sql: &str,
    columns: &[&TextRow],
    foreign_keys: &[&TextRow],
    not_compared: &mut Vec<String>,
) -> Table {
    if let Ok(parsed) = ddl::parse_table(sql) {
        let table = read::read_table(sql, &parsed);
        // SQLite is right about the columns; a text that says something else was misread.
        let agrees = table.name.name == name
            && table.columns.len() == columns.len()
            && table
                .columns
                .iter()
                .zip(columns)
                .all(|(column, row)| column.name == text(row, 1));
        if agrees {
            return table;
        }
    }
    not_compared.push(format!(
        "checks, unique constraints and clauses of columns of table {name}: its statement in the \
         catalogue could not be read"
    ));
    table_from_pragmas(name, sql, columns, foreign_keys)
}

fn table_from_pragmas(
    name: &str,
    sql: &str,
    columns: &[&TextRow],
    foreign_keys: &[&TextRow],
) -> Table {
    let mut table = Table::new(ObjectName::bare(name));
    table.options.sql = Some(sql.to_owned());
    let mut key = BTreeMap::new();
    for row in columns {
        let mut column = Column::new(text(row, 1), read::column_type(&text(row, 2)));
        column.nullable = text(row, 3) == "0";
        column.default = row[4].as_deref().and_then(read::default_value);
        if let Ok(position @ 1..) = text(row, 5).parse::<u32>() {
            key.insert(position, column.name.clone());
        }
        let hidden = text(row, 6);
        if matches!(hidden.as_str(), "2" | "3") {
            column.generated = Some(Generated {
                expression: String::new(),
                stored: hidden == "3",
            });
        }
        table.columns.push(column);
    }
    if !key.is_empty() {
        table.primary_key = Some(PrimaryKey {
            columns: key.into_values().collect(),
            ..PrimaryKey::default()
        });
    }
    let mut by_id: BTreeMap<String, ForeignKey> = BTreeMap::new();
    for row in foreign_keys {
        let action = |at| ForeignKeyAction::from_sql(&text(row, at)).unwrap_or_default();
        let foreign_key = by_id.entry(text(row, 1)).or_insert_with(|| ForeignKey {
            columns: Vec::new(),
            ref_table: ObjectName::bare(text(row, 2)),
            ref_columns: Vec::new(),
            name: None,
            on_delete: action(6),
            on_delete_columns: Vec::new(),
            on_update: action(5),
            match_type: MatchType::Simple,
            deferrability: crate::schema::Deferrability::NotDeferrable,
            validated: true,
            own_index: None,
            comment: None,
        });
        foreign_key.columns.push(text(row, 3));
        foreign_key.ref_columns.extend(row[4].clone());
    }
    table.foreign_keys = by_id.into_values().collect();
    table.sort();
    table
}

fn read_triggers(answers: &Answers, schema: &mut Schema) {
    for row in &answers.objects {
        if text(row, 0) != "trigger" {
            continue;
        }
        let trigger = Trigger {
            name: text(row, 1),
            definition: text(row, 3),
            firing: None,
            comment: None,
        };
        let owner = text(row, 2);
        let is_owner = |name: &ObjectName| name.name.eq_ignore_ascii_case(&owner);
        if let Some((_, table)) = schema.tables.iter_mut().find(|(name, _)| is_owner(name)) {
            table.triggers.insert(trigger.name.clone(), trigger);
        } else if let Some((_, view)) = schema.views.iter_mut().find(|(name, _)| is_owner(name)) {
            view.triggers.insert(trigger.name.clone(), trigger);
        }
    }
}

fn read_indexes(answers: &Answers, schema: &mut Schema) {
    let statements: BTreeMap<String, String> = answers
        .objects
        .iter()
        .filter(|row| text(row, 0) == "index")
        .map(|row| (text(row, 1), text(row, 3)))
        .collect();
    for row in &answers.indexes {
        let Some(table) = schema.tables.get_mut(&ObjectName::bare(text(row, 0))) else {
            continue;
        };
        let name = text(row, 1);
        let statement = statements.get(&name).map_or("", String::as_str);
        let parsed = ddl::parse_index(statement).ok();
        let column = row[4].clone();
        let column_collation = column
            .as_deref()
            .and_then(|column| table.column(column))
            .and_then(|column| column.collation.clone());
        let index = table.indexes.entry(name.clone()).or_insert_with(|| Index {
            name,
            unique: text(row, 2) == "1",
            method: "btree".to_owned(),
            keys: Vec::new(),
            include: Vec::new(),
            predicate: parsed
                .as_ref()
                .and_then(|parsed| parsed.predicate)
                .map(|span| super::tidy(span.text(statement))),
            nulls_not_distinct: false,
            valid: true,
            invisible: false,
            options: BTreeMap::new(),
            expression_columns: Vec::new(),
            comment: None,
        });
        let collation = read::collation_name(&text(row, 6));
        let expression = if text(row, 3) == "-2" {
            parsed
                .as_ref()
                .and_then(|parsed| parsed.keys.get(index.keys.len()))
                .map(|span| super::tidy(span.text(statement)))
        } else {
            None
        };
        index.keys.push(IndexKey {
            collation: if collation == column_collation {
                None
            } else {
                // The default one can be a choice too, against that of the column.
                Some(collation.unwrap_or_else(|| "BINARY".to_owned()))
            },
            column: column.filter(|_| expression.is_none()),
            expression,
            descending: text(row, 5) == "1",
            ..IndexKey::default()
        });
    }
    for table in schema.tables.values_mut() {
        let names: Vec<String> = table.columns.iter().map(|c| c.name.clone()).collect();
        for index in table.indexes.values_mut() {
            index.expression_columns = expression_columns(index, &names);
        }
    }
}

/// The columns that the expressions and the predicate of an index mention.
fn expression_columns(index: &Index, names: &[String]) -> Vec<String> {
    let texts = index
        .keys
        .iter()
        .filter_map(|key| key.expression.as_deref())
        .chain(index.predicate.as_deref());
    let mentioned: BTreeSet<String> = texts.flat_map(mentioned_names).collect();
    names
        .iter()
        .filter(|name| mentioned.contains(&name.to_lowercase()))
        .cloned()
        .collect()
}

/// The names that stand where a query names a table, in lower case.
fn sources(text: &str) -> BTreeSet<String> {
    let tokens = significant(text, Dialect::Sqlite);
    tokens
        .windows(2)
        .filter(|pair| {
            pair[0].is_word("from")
                || pair[0].is_word("join")
                || [",", "(", "."].iter().any(|sign| pair[0].is_sign(sign))
        })
        .filter_map(|pair| pair[1].name())
        .map(|name| name.to_lowercase())
        .collect()
}

/// Which tables and views each view reads, told by the names that stand in its query.
fn view_dependencies(schema: &Schema) -> BTreeSet<Dependency> {
    let mut dependencies = BTreeSet::new();
    for view in schema.views.values() {
        let sources = sources(&view.definition);
        let is_mentioned = |name: &ObjectName| sources.contains(&name.name.to_lowercase());
        let dependent = ObjectRef::View {
            name: view.name.clone(),
        };
        let tables = schema.tables.keys().filter(|name| is_mentioned(name));
        let views = schema
            .views
            .keys()
            .filter(|name| is_mentioned(name) && **name != view.name);
        let needs = tables
            .map(|name| ObjectRef::Table { name: name.clone() })
            .chain(views.map(|name| ObjectRef::View { name: name.clone() }));
        dependencies.extend(needs.map(|needs| Dependency {
            dependent: dependent.clone(),
            needs,
        }));
    }
    dependencies
}

fn text(row: &[Option<String>], at: usize) -> String {
    row.get(at).cloned().flatten().unwrap_or_default()
}

fn grouped(rows: &[TextRow]) -> BTreeMap<String, Vec<&TextRow>> {
    let mut groups: BTreeMap<String, Vec<&TextRow>> = BTreeMap::new();
    for row in rows {
        groups.entry(text(row, 0)).or_default().push(row);
    }
    groups
}
