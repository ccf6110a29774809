//! Making a table anew, for changes that `ALTER TABLE` cannot make.
//!
//! The order differs from the one in SQLite's manual in one point: the old table is moved aside
//! first, and the new one gets its name at once. With `legacy_alter_table` on and `foreign_keys` off,
//! nothing else that mentions the table is touched by that. It makes the statements safe even where
//! a runner goes on after a failure: what drops the old table names something that a rollback takes
//! away. And a check that spells out the table's name can be read, which it cannot be while the
//! table has another one.

use std::collections::BTreeSet;

use thiserror::Error;

use crate::schema::{Schema, Table};

use super::write::{create_index, list, quoted, string};
use super::{DdlError, ddl, edit, read};

/// Why a table can't be made anew.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum RebuildError {
    /// The new statement can't be read.
    #[error("the new statement can't be read: {0}")]
    Statement(#[from] DdlError),
    /// There is no such table.
    #[error("there is no table {table}: the statement must name the table that is to be made anew")]
    NoTable {
        /// The name in the new statement.
        table: String,
    },
    /// A value is given for something that takes none.
    #[error("{table} gets no column {column} that takes a value")]
    NoColumn {
        /// The table.
        table: String,
        /// The column that a value was given for.
        column: String,
    },
    /// Without the column an index can't be made again.
    #[error(
        "index {index} needs the column {column}, which the new {table} does not have: drop the index first"
    )]
    IndexNeedsColumn {
        /// The table.
        table: String,
        /// The index of the table as it is.
        index: String,
        /// The column that goes.
        column: String,
    },
}

/// What happens when a row does not fit into the new table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnFailure {
    /// The statement fails; who runs it stops there.
    Stop,
    /// The whole transaction is rolled back, so that the statements after it do no harm. For
    /// scripts, whose runner may not stop.
    RollBack,
}

/// A table that is made anew.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rebuild {
    /// The table's name, before and after.
    pub table: String,
    /// The statement that makes the new table.
    pub create: String,
    /// What goes where: a column of the new table, and an expression over the old row.
    pub copies: Vec<(String, String)>,
    /// Names of indexes of the old table that have to go before it is moved.
    pub dropped_indexes: Vec<String>,
    /// The statement of the old table without the table's name in its checks, if it stands there.
    pub unqualified: Option<String>,
    /// The statements that make the indexes and triggers of the new table.
    pub afterwards: Vec<String>,
    /// The old and the new table both number their rows with `AUTOINCREMENT`.
    pub keeps_counter: bool,
    /// Other tables refer to this one, so that `foreign_keys` must be off.
    pub is_referred_to: bool,
    /// The new table has foreign keys, so that the copied rows must be checked.
    pub has_references: bool,
    /// The name of the old table meanwhile.
    pub aside: String,
}

/// The name of the savepoint and of the temporary table that guards it.
const GUARD: &str = "stairway_rebuild";

impl Rebuild {
    /// A rebuild of a table of the schema, as the statement `create` says, which names it. Its indexes
    /// and triggers are made again as they were. Columns of the same name are copied, and others get
    /// their default, unless `copies` gives an expression over the old row for them.
    ///
    /// # Errors
    /// When the statement can't be read or does not fit the table.
    pub fn of_table(
        schema: &Schema,
        create: &str,
        copies: &[(String, String)],
    ) -> Result<Self, RebuildError> {
        let parsed = ddl::parse_table(create)?;
        let mut after = read::read_table(create, &parsed);
        let same_name = |name: &str| name.eq_ignore_ascii_case(&after.name.name);
        let Some(before) = schema
            .tables
            .values()
            .find(|table| same_name(&table.name.name))
        else {
            return Err(RebuildError::NoTable {
                table: after.name.name,
            });
        };
        let table = before.name.name.clone();
        read::resolve_references(&mut after, &schema.tables);
        let column_of = |name: &str| {
            let mut columns = after.columns.iter();
            columns.find(|column| column.name.eq_ignore_ascii_case(name))
        };
        let mut expressions = Vec::new();
        for (name, expression) in copies {
            match column_of(name) {
                Some(column) if column.generated.is_none() => {
                    expressions.push((column.name.clone(), expression.clone()));
                }
                _ => {
                    return Err(RebuildError::NoColumn {
                        table,
                        column: name.clone(),
                    });
                }
            }
        }
        for index in before.indexes.values() {
            let mut keys = index.keys.iter().filter_map(|key| key.column.as_deref());
            if let Some(column) = keys.find(|column| column_of(column).is_none()) {
                return Err(RebuildError::IndexNeedsColumn {
                    table,
                    index: index.name.clone(),
                    column: column.to_owned(),
                });
            }
        }
        after.indexes.clone_from(&before.indexes);
        after.triggers.clone_from(&before.triggers);
        Ok(Self::new(
            before,
            &after,
            create.trim().trim_end_matches(';').to_owned(),
            &expressions,
            schema,
        ))
    }

    /// A rebuild of `before` as `after`, of which `create` is the statement. Columns of the same name
    /// are copied, unless `copies` gives an expression for them.
    pub(crate) fn new(
        before: &Table,
        after: &Table,
        create: String,
        expressions: &[(String, String)],
        schema: &Schema,
    ) -> Self {
        let mut copies = Vec::new();
        if let Some(rowid) = kept_rowid(before, after) {
            copies.push((rowid.to_owned(), rowid.to_owned()));
        }
        for column in &after.columns {
            if column.generated.is_some() {
                continue;
            }
            let given = expressions.iter().find(|(name, _)| *name == column.name);
            if let Some((_, expression)) = given {
                copies.push((column.name.clone(), expression.clone()));
            } else if before.column(&column.name).is_some() {
                copies.push((column.name.clone(), quoted(&column.name)));
            }
        }
        let indexes = after
            .indexes
            .values()
            .map(|index| create_index(&after.name.name, index));
        let triggers = after.triggers.values().map(|t| t.definition.clone());
        let mut others = schema
            .tables
            .values()
            .filter(|table| table.name != before.name);
        let is_referred_to = others.any(|table| {
            let mut keys = table.foreign_keys.iter();
            keys.any(|key| key.ref_table == before.name)
        });
        Self {
            table: after.name.name.clone(),
            create,
            copies,
            // An index whose text spells out the table's name keeps the table from being moved.
            dropped_indexes: before
                .indexes
                .values()
                .filter(|index| {
                    index.predicate.is_some() || index.keys.iter().any(|k| k.expression.is_some())
                })
                .map(|index| index.name.clone())
                .collect(),
            unqualified: before
                .options
                .sql
                .as_deref()
                .and_then(edit::without_qualified_checks),
            afterwards: indexes.chain(triggers).collect(),
            keeps_counter: numbers_rows(before) && numbers_rows(after),
            is_referred_to,
            has_references: !after.foreign_keys.is_empty(),
            aside: free_name(&after.name.name, schema),
        }
    }

    /// The statements, in order. They make a savepoint of their own, so they can run inside or
    /// outside a transaction. They set `legacy_alter_table`, and set it off at the end.
    ///
    /// When other tables refer to this one, they switch `foreign_keys` off, and on at the end. That
    /// has no effect inside a transaction, so it must be off before one begins; where it is on all
    /// the same, the statements fail and change nothing.
    pub fn statements(&self, on_failure: OnFailure) -> Vec<String> {
        let insert = match on_failure {
            OnFailure::Stop => "INSERT",
            OnFailure::RollBack => "INSERT OR ROLLBACK",
        };
        let (table, aside) = (quoted(&self.table), quoted(&self.aside));
        let columns: Vec<&str> = self.copies.iter().map(|(to, _)| to.as_str()).collect();
        let values: Vec<&str> = self.copies.iter().map(|(_, from)| from.as_str()).collect();
        let mut sql = Vec::new();
        if self.is_referred_to {
            sql.push("PRAGMA foreign_keys = OFF".to_owned());
        }
        sql.extend([
            "PRAGMA legacy_alter_table = ON".to_owned(),
            format!("SAVEPOINT {GUARD}"),
            format!(
                "CREATE TEMP TABLE {GUARD} (\
                 lost_rows INTEGER CONSTRAINT \"no row is lost\" CHECK (lost_rows = 0), \
                 broken_references INTEGER CONSTRAINT \"no reference is broken\" \
                 CHECK (broken_references = 0), \
                 foreign_keys INTEGER CONSTRAINT \"PRAGMA foreign_keys is OFF\" \
                 CHECK (foreign_keys = 0))"
            ),
        ]);
        for index in &self.dropped_indexes {
            sql.push(format!("DROP INDEX {}", quoted(index)));
        }
        if let Some(unqualified) = &self.unqualified {
            // A check keeps the name of the table even when the table gets another one, and is then
            // an error. SQLite's manual allows this way of changing a text that means the same.
            sql.push("PRAGMA writable_schema = ON".to_owned());
            sql.push(format!(
                "UPDATE sqlite_master SET sql = {} WHERE type = 'table' AND name = {}",
                string(unqualified),
                string(&self.table)
            ));
            sql.push("PRAGMA writable_schema = RESET".to_owned());
        }
        sql.push(format!("ALTER TABLE {table} RENAME TO {aside}"));
        if self.is_referred_to {
            sql.push(format!(
                "{insert} INTO temp.{GUARD} (foreign_keys) \
                 SELECT foreign_keys FROM pragma_foreign_keys"
            ));
        }
        sql.push(self.create.clone());
        if !self.copies.is_empty() {
            sql.push(format!(
                "{insert} INTO {table} {} SELECT {} FROM {aside}",
                list(&columns),
                values.join(", ")
            ));
        }
        sql.push(format!(
            "{insert} INTO temp.{GUARD} (lost_rows) \
             SELECT (SELECT count(*) FROM {aside}) - (SELECT count(*) FROM {table})"
        ));
        if self.has_references {
            sql.push(format!(
                "{insert} INTO temp.{GUARD} (broken_references) SELECT max(0, \
                 (SELECT count(*) FROM pragma_foreign_key_check({})) - \
                 (SELECT count(*) FROM pragma_foreign_key_check({})))",
                string(&self.table),
                string(&self.aside)
            ));
        }
        if self.keeps_counter {
            let (table, aside) = (string(&self.table), string(&self.aside));
            sql.push(format!(
                "UPDATE sqlite_sequence SET seq = (SELECT max(seq) FROM sqlite_sequence \
                 WHERE name IN ({table}, {aside})) WHERE name = {table}"
            ));
            sql.push(format!(
                "INSERT INTO sqlite_sequence (name, seq) SELECT {table}, seq FROM sqlite_sequence \
                 WHERE name = {aside} \
                 AND NOT EXISTS (SELECT 1 FROM sqlite_sequence WHERE name = {table})"
            ));
        }
        sql.push(format!("DROP TABLE {aside}"));
        sql.extend(self.afterwards.iter().cloned());
        sql.push(format!("DROP TABLE temp.{GUARD}"));
        sql.push(format!("RELEASE {GUARD}"));
        sql.push("PRAGMA legacy_alter_table = OFF".to_owned());
        if self.is_referred_to {
            sql.push("PRAGMA foreign_keys = ON".to_owned());
        }
        sql
    }
}

/// The name under which rowids can be copied, if both tables have rowids that no column stands for.
fn kept_rowid(before: &Table, after: &Table) -> Option<&'static str> {
    let hidden = |table: &Table| !table.options.without_rowid && read::rowid_alias(table).is_none();
    if !hidden(before) || !hidden(after) {
        return None;
    }
    ["rowid", "_rowid_", "oid"].into_iter().find(|name| {
        let is_free = |table: &Table| {
            !table
                .columns
                .iter()
                .any(|column| column.name.eq_ignore_ascii_case(name))
        };
        is_free(before) && is_free(after)
    })
}

fn numbers_rows(table: &Table) -> bool {
    table.columns.iter().any(|column| column.identity.is_some())
}

/// A name that nothing in the schema has.
fn free_name(table: &str, schema: &Schema) -> String {
    let mut taken: BTreeSet<String> = BTreeSet::new();
    for name in schema.tables.keys().chain(schema.views.keys()) {
        taken.insert(name.name.to_lowercase());
    }
    for table in schema.tables.values() {
        taken.extend(table.indexes.keys().map(|name| name.to_lowercase()));
    }
    let mut name = format!("{table}_before_rebuild");
    let mut number = 1;
    while taken.contains(&name.to_lowercase()) {
        number += 1;
        name = format!("{table}_before_rebuild_{number}");
    }
    name
}
