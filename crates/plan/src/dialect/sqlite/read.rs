//! From the `CREATE TABLE` statements of a catalogue to tables as values.

use std::collections::BTreeMap;

use crate::dialect::Dialect;
use crate::dialect::tokens::tidy;
use crate::schema::{
    Check, Column, ColumnType, Deferrability, ForeignKey, Generated, Identity, IdentityKind,
    MatchType, ObjectName, PrimaryKey, Table, Unique,
};
use crate::sql::lexer::Span;

use super::ddl::{
    ClauseKind, ColumnDefinition, ConstraintKind, CreateTable, Identifier, References,
};

/// A constraint and where it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct PlacedConstraint {
    pub(crate) place: Place,
    pub(crate) constraint: Constraint,
}

/// Where a constraint is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// With a column: the positions of the column and of the clause.
    Column(usize, usize),
    /// Beside the columns: the position among the table's constraints.
    Table(usize),
}

/// A constraint as a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Constraint {
    PrimaryKey(PrimaryKey),
    Unique(Unique),
    Check(Check),
    ForeignKey(ForeignKey),
}

/// The part of a table that its own statement tells: everything but indexes and triggers. Foreign
/// keys are as written; see [`resolve_references`].
pub(crate) fn read_table(sql: &str, parsed: &CreateTable) -> Table {
    let mut table = Table::new(ObjectName::bare(parsed.name.name.clone()));
    table.options.strict = parsed.strict;
    table.options.without_rowid = parsed.without_rowid;
    table.options.sql = Some(sql.to_owned());
    table.columns = parsed
        .columns
        .iter()
        .map(|definition| read_column(sql, definition))
        .collect();
    for placed in constraints(sql, parsed) {
        match placed.constraint {
            Constraint::PrimaryKey(key) => {
                if is_autoincrement(parsed, placed.place)
                    && let Some(column) = key.columns.first()
                    && let Some(column) = table.column_mut(column)
                {
                    column.identity = Some(autoincrement_identity());
                }
                table.primary_key = Some(key);
            }
            Constraint::Unique(unique) => {
                // A second constraint over the same columns makes no second index.
                if !table.uniques.iter().any(|u| u.columns == unique.columns) {
                    table.uniques.push(unique);
                }
            }
            Constraint::Check(check) => table.checks.push(check),
            Constraint::ForeignKey(foreign_key) => table.foreign_keys.push(foreign_key),
        }
    }
    for at in 0..table.columns.len() {
        if implies_not_null(&table, &table.columns[at].name) {
            table.columns[at].nullable = false;
        }
    }
    table.sort();
    table
}

/// Whether the column takes no NULL without saying so. A key column of an old-style table takes it
/// unless it is the rowid.
pub(crate) fn implies_not_null(table: &Table, column: &str) -> bool {
    table.is_key_column(column)
        && (table.options.strict
            || table.options.without_rowid
            || rowid_alias(table).is_some_and(|alias| alias == column))
}

/// The column that is another name for the rowid, if there is one: the only key column of a table
/// with rowids, declared as `INTEGER` and nothing else.
pub(crate) fn rowid_alias(table: &Table) -> Option<&str> {
    let key = table.primary_key.as_ref()?;
    let [only] = key.columns.as_slice() else {
        return None;
    };
    let column = table.column(only)?;
    (!table.options.without_rowid && column.column_type.text == "integer").then_some(only)
}

/// The constraints in the order in which they are written.
pub(crate) fn constraints(sql: &str, parsed: &CreateTable) -> Vec<PlacedConstraint> {
    let mut placed = Vec::new();
    for (column_at, definition) in parsed.columns.iter().enumerate() {
        for (clause_at, clause) in definition.clauses.iter().enumerate() {
            let name = clause.name.clone();
            let columns = || vec![definition.name.name.clone()];
            let constraint = match &clause.kind {
                ClauseKind::PrimaryKey { on_conflict, .. } => {
                    primary_key(columns(), name, on_conflict.as_ref())
                }
                ClauseKind::Unique { on_conflict } => unique(columns(), name, on_conflict.as_ref()),
                ClauseKind::Check(condition) => check(sql, *condition, name, parsed),
                ClauseKind::References(references) => foreign_key(columns(), references, name),
                ClauseKind::NotNull
                | ClauseKind::Null
                | ClauseKind::Default(_)
                | ClauseKind::Collate(_)
                | ClauseKind::Generated { .. } => continue,
            };
            placed.push(PlacedConstraint {
                place: Place::Column(column_at, clause_at),
                constraint,
            });
        }
    }
    for (at, constraint) in parsed.constraints.iter().enumerate() {
        let name = constraint.name.clone();
        let constraint = match &constraint.kind {
            ConstraintKind::PrimaryKey {
                columns,
                on_conflict,
                ..
            } => primary_key(column_names(columns, parsed), name, on_conflict.as_ref()),
            ConstraintKind::Unique {
                columns,
                on_conflict,
            } => unique(column_names(columns, parsed), name, on_conflict.as_ref()),
            ConstraintKind::Check(condition) => check(sql, *condition, name, parsed),
            ConstraintKind::ForeignKey {
                columns,
                references,
            } => foreign_key(column_names(columns, parsed), references, name),
        };
        placed.push(PlacedConstraint {
            place: Place::Table(at),
            constraint,
        });
    }
    placed
}

/// Whether the primary key that is written there numbers its column.
fn is_autoincrement(parsed: &CreateTable, place: Place) -> bool {
    match place {
        Place::Column(column, clause) => matches!(
            parsed.columns[column].clauses[clause].kind,
            ClauseKind::PrimaryKey {
                autoincrement: Some(_),
                ..
            }
        ),
        Place::Table(at) => matches!(
            parsed.constraints[at].kind,
            ConstraintKind::PrimaryKey {
                autoincrement: Some(_),
                ..
            }
        ),
    }
}

fn read_column(sql: &str, definition: &ColumnDefinition) -> Column {
    let declared = definition.type_span.text(sql);
    let mut column = Column::new(definition.name.name.clone(), column_type(declared));
    for clause in &definition.clauses {
        match &clause.kind {
            ClauseKind::NotNull => column.nullable = false,
            ClauseKind::Default(value) => column.default = default_value(value.text(sql)),
            ClauseKind::Collate(collation) => column.collation = collation_name(collation),
            ClauseKind::Generated { expression, stored } => {
                column.generated = Some(Generated {
                    expression: tidy(expression.text(sql), Dialect::Sqlite),
                    stored: *stored,
                });
            }
            ClauseKind::Null
            | ClauseKind::PrimaryKey { .. }
            | ClauseKind::Unique { .. }
            | ClauseKind::Check(_)
            | ClauseKind::References(_) => {}
        }
    }
    column
}

/// Takes a declared type apart. `VARCHAR ( 255 )` becomes `varchar(255)`; a missing type stays empty.
pub(crate) fn column_type(declared: &str) -> ColumnType {
    let text = tidy(declared, Dialect::Sqlite)
        .to_ascii_lowercase()
        .replace(" (", "(")
        .replace("( ", "(")
        .replace(" )", ")")
        .replace(" ,", ",")
        .replace(", ", ",");
    let (base, modifiers) = match text.split_once('(') {
        Some((base, rest)) => {
            let numbers = rest.trim_end_matches(')').split(',');
            let numbers = numbers.filter_map(|number| number.trim().parse().ok());
            (base.trim_end().to_owned(), numbers.collect())
        }
        None => (text.clone(), Vec::new()),
    };
    ColumnType {
        base,
        modifiers,
        ..ColumnType::builtin(text)
    }
}

/// A default as it is written, or nothing for `NULL`.
pub(crate) fn default_value(written: &str) -> Option<String> {
    let tidied = tidy(written, Dialect::Sqlite);
    let inner = tidied.trim_start_matches('(').trim_end_matches(')').trim();
    (!inner.eq_ignore_ascii_case("null")).then_some(tidied)
}

/// The collation, or nothing for the default one. Built-in ones come in their usual upper case.
pub(crate) fn collation_name(written: &str) -> Option<String> {
    let upper = written.to_ascii_uppercase();
    match upper.as_str() {
        "BINARY" => None,
        "NOCASE" | "RTRIM" => Some(upper),
        _ => Some(written.to_owned()),
    }
}

/// Gives the tables and columns that foreign keys refer to the names that these have, since names
/// have no case in SQLite, and names the primary key's columns where none are written.
pub(crate) fn resolve_references(table: &mut Table, tables: &BTreeMap<ObjectName, Table>) {
    for foreign_key in &mut table.foreign_keys {
        resolve_reference(foreign_key, tables);
    }
    table.foreign_keys.sort();
}

/// Does the same for one foreign key.
pub(crate) fn resolve_reference(
    foreign_key: &mut ForeignKey,
    tables: &BTreeMap<ObjectName, Table>,
) {
    let found = tables.get(&foreign_key.ref_table).or_else(|| {
        let name = &foreign_key.ref_table.name;
        tables
            .values()
            .find(|table| table.name.name.eq_ignore_ascii_case(name))
    });
    let Some(parent) = found else {
        return;
    };
    foreign_key.ref_table.clone_from(&parent.name);
    if foreign_key.ref_columns.is_empty() {
        if let Some(key) = &parent.primary_key {
            foreign_key.ref_columns.clone_from(&key.columns);
        }
        return;
    }
    for name in &mut foreign_key.ref_columns {
        if let Some(column) = parent
            .columns
            .iter()
            .find(|column| column.name.eq_ignore_ascii_case(name))
        {
            name.clone_from(&column.name);
        }
    }
}

fn autoincrement_identity() -> Identity {
    Identity {
        kind: IdentityKind::AutoIncrement,
        sequence: None,
        sequence_name: None,
    }
}

fn primary_key(
    columns: Vec<String>,
    name: Option<String>,
    on_conflict: Option<&String>,
) -> Constraint {
    Constraint::PrimaryKey(PrimaryKey {
        name,
        columns,
        on_conflict: on_conflict.cloned(),
        ..PrimaryKey::default()
    })
}

fn unique(columns: Vec<String>, name: Option<String>, on_conflict: Option<&String>) -> Constraint {
    Constraint::Unique(Unique {
        columns,
        name,
        on_conflict: on_conflict.cloned(),
        ..Unique::default()
    })
}

fn check(sql: &str, condition: Span, name: Option<String>, parsed: &CreateTable) -> Constraint {
    let expression = tidy(condition.text(sql), Dialect::Sqlite);
    let mentioned = super::mentioned_names(&expression);
    let columns = parsed.columns.iter().map(|column| &column.name.name);
    Constraint::Check(Check {
        columns: columns
            .filter(|name| mentioned.contains(&name.to_lowercase()))
            .cloned()
            .collect(),
        expression,
        name,
        validated: true,
        no_inherit: false,
        comment: None,
    })
}

fn foreign_key(columns: Vec<String>, references: &References, name: Option<String>) -> Constraint {
    Constraint::ForeignKey(ForeignKey {
        columns,
        ref_table: ObjectName::bare(references.table.name.clone()),
        ref_columns: references
            .columns
            .iter()
            .map(|column| column.name.clone())
            .collect(),
        name,
        on_delete: references.on_delete,
        on_delete_columns: Vec::new(),
        on_update: references.on_update,
        match_type: MatchType::Simple,
        // `INITIALLY IMMEDIATE` is checked at once, as if it were not deferrable: only a pragma of
        // the session defers, and that defers every foreign key.
        deferrability: match references.deferrability {
            Deferrability::InitiallyDeferred => Deferrability::InitiallyDeferred,
            _ => Deferrability::NotDeferrable,
        },
        validated: true,
        own_index: None,
        comment: None,
    })
}

/// The names as the columns of the table are written: names have no case in SQLite.
fn column_names(names: &[Identifier], parsed: &CreateTable) -> Vec<String> {
    names
        .iter()
        .map(|identifier| {
            parsed
                .columns
                .iter()
                .map(|column| &column.name.name)
                .find(|name| name.eq_ignore_ascii_case(&identifier.name))
                .unwrap_or(&identifier.name)
                .clone()
        })
        .collect()
}
