//! The clauses of an `ALTER TABLE` statement.

use std::collections::BTreeSet;

use crate::op::{Alteration, ColumnAspect, CommentTarget, Object, Op, Rename};
use crate::schema::{Check, Column, ColumnType, Index, Server, Table, TableOptions};

use super::catalogue::is_mariadb;
use super::read::{other_index_serves, own_index_name, unlisted_index};
use super::types;
use super::write::{self, quoted};

/// Whether the operation is a clause that can stand with others in one `ALTER TABLE`.
pub(crate) fn is_clause(op: &Op) -> bool {
    match op {
        Op::Create(object) | Op::Drop(object) => matches!(
            object,
            Object::Column { .. }
                | Object::PrimaryKey { .. }
                | Object::Unique { .. }
                | Object::Check { .. }
                | Object::Index { .. }
        ),
        Op::Rename(rename) => matches!(rename, Rename::Index { .. }),
        Op::Alter(alteration) => matches!(
            alteration,
            Alteration::Column { .. }
                | Alteration::TableOptions { .. }
                | Alteration::Validate { .. }
                | Alteration::Comment {
                    target: CommentTarget::Table(_)
                        | CommentTarget::Index(..)
                        | CommentTarget::Constraint(..),
                    ..
                }
        ),
    }
}

/// Whether existing rows get a value on the way, so that it takes several statements.
pub(crate) fn is_filled(op: &Op) -> bool {
    matches!(
        op,
        Op::Create(Object::Column { fill: Some(_), .. })
            | Op::Alter(Alteration::Column { fill: Some(_), .. })
    )
}

/// The column that the operation adds without a value for the rows that are there. The server gives
/// them an empty one unasked when the column is added as it is, so it is added in steps.
pub(crate) fn unfilled(op: &Op) -> Option<&Column> {
    match op {
        Op::Create(Object::Column {
            column, fill: None, ..
        }) if column.needs_value() => Some(column),
        _ => None,
    }
}

/// The statements for operations on one table, which leads from `before` to `after`.
pub(crate) fn statements(
    ops: &[&Op],
    before: &Table,
    after: &Table,
    server: &Server,
) -> Vec<String> {
    let table = quoted(&after.name.name);
    if let [op] = ops
        && let Some(filled) = filled(op, &table, after, server)
    {
        return filled;
    }
    let mut clauses = Clauses {
        before,
        after,
        server,
        drops: Vec::new(),
        changes: Vec::new(),
        additions: Vec::new(),
        columns: BTreeSet::new(),
        opened: ops.iter().filter_map(|op| unfilled(op)).collect(),
    };
    let mut sql = clauses.open(&table, ops);
    for op in ops {
        clauses.add(op);
    }
    clauses.keep_foreign_keys_served();
    sql.extend(through_text(ops, &table, before, server));
    if let Some(guard) = Guard::of(ops, after) {
        sql.push(format!("ALTER TABLE {table} {}", guard.add()));
        clauses.drops.push(Guard::drop(server));
    }
    let all = clauses.all();
    if !all.is_empty() {
        sql.push(format!("ALTER TABLE {table} {}", all.join(", ")));
    }
    partitioned_anew(sql, &table, before, after)
}

/// The statements with what becomes of the table's partitions. While columns and keys change it has
/// none, since either partitioning may stand on what only the other one's table has.
fn partitioned_anew(
    mut sql: Vec<String>,
    table: &str,
    before: &Table,
    after: &Table,
) -> Vec<String> {
    let (old, new) = (&before.options.partition_by, &after.options.partition_by);
    if old == new {
        return sql;
    }
    if old.is_some() && (!sql.is_empty() || new.is_none()) {
        sql.insert(0, format!("ALTER TABLE {table} REMOVE PARTITIONING"));
    }
    if let Some(clause) = new {
        sql.push(format!("ALTER TABLE {table} PARTITION BY {clause}"));
    }
    sql
}

/// A check that refuses NULL while a `timestamp` column comes to refuse it: the server puts the
/// current time in its place, in strict mode too.
struct Guard<'a> {
    columns: Vec<&'a str>,
}

impl<'a> Guard<'a> {
    const NAME: &'static str = "stairway_no_null";

    fn of(ops: &[&'a Op], after: &Table) -> Option<Self> {
        let mut columns: Vec<&str> = Vec::new();
        for op in ops {
            let column = match op {
                Op::Create(Object::Column { column, fill, .. }) => {
                    (fill.is_some() || unfilled(op).is_some()).then_some(column)
                }
                Op::Alter(Alteration::Column { from, to, .. }) => {
                    (from.nullable && !to.nullable).then_some(to)
                }
                _ => None,
            };
            let Some(column) = column else { continue };
            let ends_as = after.column(&column.name).unwrap_or(column);
            let takes_current_time = ends_as.column_type.base == "timestamp"
                && ends_as.generated.is_none()
                && !ends_as.nullable;
            if takes_current_time {
                columns.push(&column.name);
            }
        }
        (!columns.is_empty()).then_some(Self { columns })
    }

    fn add(&self) -> String {
        let conditions = self
            .columns
            .iter()
            .map(|column| format!("{} IS NOT NULL", quoted(column)));
        let conditions: Vec<String> = conditions.collect();
        format!(
            "ADD CONSTRAINT {} CHECK ({})",
            quoted(Self::NAME),
            conditions.join(" AND ")
        )
    }

    fn drop(server: &Server) -> String {
        drop_constraint(Self::NAME, server)
    }
}

/// Types that the server makes only of text and of bytes.
const TEXT_ONLY: [&str; 3] = ["uuid", "inet6", "inet4"];

/// A step in between for columns whose values have no way from the old type to the new one but
/// through text.
fn through_text(ops: &[&Op], table: &str, before: &Table, server: &Server) -> Vec<String> {
    let takes_text = |column_type: &ColumnType| {
        types::has_charset(column_type)
            || matches!(column_type.base.as_str(), "binary" | "varbinary")
            || column_type.base.ends_with("blob")
    };
    let mut sql = Vec::new();
    for op in ops {
        let Op::Alter(Alteration::Column {
            aspect: ColumnAspect::Type,
            from,
            to,
            ..
        }) = op
        else {
            continue;
        };
        let is_one = |column: &Column| TEXT_ONLY.contains(&column.column_type.base.as_str());
        let needs_step = is_one(from) && !takes_text(&to.column_type)
            || is_one(to) && !takes_text(&from.column_type);
        if !needs_step || from.column_type.base == to.column_type.base {
            continue;
        }
        let step = Column {
            column_type: types::parse("varchar(64)"),
            default: None,
            identity: None,
            on_update: None,
            ..from.clone()
        };
        sql.push(format!(
            "ALTER TABLE {table} MODIFY COLUMN {}",
            write::column(&step, before, server)
        ));
    }
    sql
}

/// The statements for a column whose rows are filled: without the constraint, the values, with it.
fn filled(op: &Op, table: &str, after: &Table, server: &Server) -> Option<Vec<String>> {
    let (column, fill, is_new) = match op {
        Op::Create(Object::Column {
            column,
            fill: Some(fill),
            ..
        }) => (column, fill, true),
        Op::Alter(Alteration::Column {
            to,
            fill: Some(fill),
            ..
        }) => (to, fill, false),
        _ => return None,
    };
    let name = quoted(&column.name);
    let mut sql = Vec::new();
    let guard = Guard::of(&[op], after);
    if is_new {
        let mut open = column.clone();
        open.nullable = true;
        let definition = write::column(&open, after, server);
        sql.push(format!("ALTER TABLE {table} ADD COLUMN {definition}"));
        sql.push(format!("UPDATE {table} SET {name} = ({fill})"));
    } else {
        sql.push(format!(
            "UPDATE {table} SET {name} = ({fill}) WHERE {name} IS NULL"
        ));
    }
    let mut without_guard = String::new();
    if let Some(guard) = guard {
        sql.push(format!("ALTER TABLE {table} {}", guard.add()));
        without_guard = format!("{}, ", Guard::drop(server));
    }
    sql.push(format!(
        "ALTER TABLE {table} {without_guard}MODIFY COLUMN {}",
        write::column(column, after, server)
    ));
    Some(sql)
}

/// `DROP CONSTRAINT` for a check.
pub(crate) fn drop_check(check: &Check, server: &Server) -> String {
    drop_constraint(check.name.as_deref().unwrap_or_default(), server)
}

fn drop_constraint(name: &str, server: &Server) -> String {
    let verb = if is_mariadb(server) {
        "DROP CONSTRAINT"
    } else {
        "DROP CHECK"
    };
    format!("{verb} {}", quoted(name))
}

struct Clauses<'a> {
    before: &'a Table,
    after: &'a Table,
    server: &'a Server,
    drops: Vec<String>,
    changes: Vec<String>,
    additions: Vec<String>,
    /// Columns that are stated already.
    columns: BTreeSet<String>,
    /// Columns that a statement of its own adds before, so that they take NULL at first.
    opened: Vec<&'a Column>,
}

impl Clauses<'_> {
    fn all(self) -> Vec<String> {
        let mut all = self.drops;
        all.extend(self.changes);
        all.extend(self.additions);
        all
    }

    /// The statement that adds the columns for which the rows that are there have no value, so that
    /// they take NULL at first. A column of the same name goes before.
    fn open(&mut self, table: &str, ops: &[&Op]) -> Vec<String> {
        if self.opened.is_empty() {
            return Vec::new();
        }
        for op in ops {
            if let Op::Drop(object) = op
                && self.makes_room(op)
            {
                self.drop(object);
            }
        }
        let mut all = std::mem::take(&mut self.drops);
        for column in &self.opened {
            let open = Column {
                nullable: true,
                ..(*column).clone()
            };
            let definition = write::column(&open, self.after, self.server);
            all.push(format!("ADD COLUMN {definition}"));
        }
        vec![format!("ALTER TABLE {table} {}", all.join(", "))]
    }

    /// Whether the operation drops a column whose name one that is added has.
    fn makes_room(&self, op: &Op) -> bool {
        matches!(op, Op::Drop(Object::Column { column, .. }) if self.is_opened(&column.name))
    }

    fn is_opened(&self, name: &str) -> bool {
        let mut names = self.opened.iter();
        names.any(|column| column.name.eq_ignore_ascii_case(name))
    }

    fn add(&mut self, op: &Op) {
        match op {
            Op::Create(object) => self.create(object),
            Op::Drop(_) if self.makes_room(op) => {}
            Op::Drop(object) => self.drop(object),
            Op::Rename(Rename::Index { from, to, .. }) => {
                let clause = format!("RENAME INDEX {} TO {}", quoted(from), quoted(to));
                self.changes.push(clause);
            }
            Op::Rename(_) => {}
            Op::Alter(alteration) => self.alter(alteration),
        }
    }

    fn create(&mut self, object: &Object) {
        match object {
            Object::Column {
                column, dependents, ..
            } => {
                if self.is_opened(&column.name) {
                    self.restate(&column.name);
                } else if let Some(column) = self.after.column(&column.name)
                    && self.columns.insert(column.name.clone())
                {
                    let definition = write::column(column, self.after, self.server);
                    self.additions.push(format!("ADD COLUMN {definition}"));
                }
                // A foreign key that comes with it is a statement of its own.
                for dependent in dependents {
                    if !matches!(dependent, Object::ForeignKey { .. }) {
                        self.create(dependent);
                    }
                }
            }
            Object::PrimaryKey { key, .. } => {
                self.additions
                    .push(format!("ADD {}", write::primary_key(key)));
            }
            Object::Unique { unique, .. } => {
                self.additions
                    .push(format!("ADD {}", write::unique(unique)));
            }
            Object::Index { index, .. } => self.add_index(index),
            Object::Check { check, .. } if write::is_column_check(check) => {
                self.restate(&check.columns[0]);
            }
            Object::Check { check, .. } => {
                self.additions.push(format!("ADD {}", write::check(check)));
            }
            _ => {}
        }
    }

    fn drop(&mut self, object: &Object) {
        match object {
            Object::Column {
                column, dependents, ..
            } => {
                for dependent in dependents {
                    self.drop(dependent);
                }
                self.drops
                    .push(format!("DROP COLUMN {}", quoted(&column.name)));
            }
            Object::PrimaryKey { .. } => self.drops.push("DROP PRIMARY KEY".to_owned()),
            Object::Unique { unique, .. } => {
                self.drop_index(unique.name.as_deref().unwrap_or_default());
            }
            Object::Index { index, .. } => self.drop_index(&index.name),
            Object::Check { check, .. } if write::is_column_check(check) => {
                self.restate(&check.columns[0]);
            }
            Object::Check { check, .. } => self.drops.push(drop_check(check, self.server)),
            Object::ForeignKey { foreign_key, .. } => {
                let name = foreign_key.name.as_deref().unwrap_or_default();
                self.drops
                    .push(format!("DROP FOREIGN KEY {}", quoted(name)));
            }
            _ => {}
        }
    }

    fn drop_index(&mut self, name: &str) {
        self.drops.push(format!("DROP INDEX {}", quoted(name)));
    }

    fn add_index(&mut self, index: &Index) {
        let seen = |index: &Index| Index {
            invisible: false,
            ..index.clone()
        };
        let old = self.before.indexes.get(&index.name);
        if let Some(old) = old.filter(|old| seen(old) == seen(index) && *old != index) {
            // MariaDB takes dropping and adding the same index for no change at all.
            let drop = format!("DROP INDEX {}", quoted(&old.name));
            self.drops.retain(|clause| *clause != drop);
            let verb = match (is_mariadb(self.server), index.invisible) {
                (true, true) => "IGNORED",
                (true, false) => "NOT IGNORED",
                (false, true) => "INVISIBLE",
                (false, false) => "VISIBLE",
            };
            let clause = format!("ALTER INDEX {} {verb}", quoted(&index.name));
            self.changes.push(clause);
            return;
        }
        let clause = format!("ADD {}", write::index(index, self.server));
        self.additions.push(clause);
    }

    /// States the column as it is afterwards, all of it.
    fn restate(&mut self, name: &str) {
        if let Some(column) = self.after.column(name)
            && self.columns.insert(name.to_owned())
        {
            let definition = write::column(column, self.after, self.server);
            self.changes.push(format!("MODIFY COLUMN {definition}"));
        }
    }

    fn alter(&mut self, alteration: &Alteration) {
        match alteration {
            Alteration::Column { to, .. } => self.restate(&to.name),
            Alteration::TableOptions { from, to, .. } => {
                self.changes.extend(write::options(from, to));
                self.convert_columns(from, to);
            }
            Alteration::Comment {
                target: CommentTarget::Table(_),
                to,
                ..
            } => {
                let comment = to.as_deref().unwrap_or_default();
                self.changes
                    .push(format!("COMMENT={}", write::string(comment)));
            }
            Alteration::Comment {
                target: CommentTarget::Index(_, name),
                ..
            } => {
                if let Some(index) = self.after.indexes.get(name) {
                    self.drop_index(name);
                    self.add_index(index);
                }
            }
            Alteration::Comment {
                target: CommentTarget::Constraint(_, name),
                ..
            } => {
                let mut uniques = self.after.uniques.iter();
                if let Some(unique) = uniques.find(|u| u.name.as_ref() == Some(name)) {
                    self.drop_index(name);
                    self.additions
                        .push(format!("ADD {}", write::unique(unique)));
                }
            }
            Alteration::Validate { name, to, .. } => {
                let not = if *to { "" } else { "NOT " };
                self.changes
                    .push(format!("ALTER CHECK {} {not}ENFORCED", quoted(name)));
            }
            _ => {}
        }
    }

    /// Columns that follow the table's character set are converted with it; the server changes the
    /// default of new columns only.
    fn convert_columns(&mut self, from: &TableOptions, to: &TableOptions) {
        if (&from.charset, &from.collation) == (&to.charset, &to.collation) {
            return;
        }
        let follows = |column: &&Column| {
            types::has_charset(&column.column_type)
                && column.charset.is_none()
                && column.collation.is_none()
        };
        let names: Vec<String> = self
            .after
            .columns
            .iter()
            .filter(follows)
            .map(|column| column.name.clone())
            .collect();
        for name in names {
            self.restate(&name);
        }
    }

    /// The server refuses to drop the last index that a foreign key can use: where that happens, the
    /// foreign key gets one of its own. And where it gets another one to use, its own goes, as it
    /// would have gone by itself if the server had made it.
    fn keep_foreign_keys_served(&mut self) {
        let mut dropped = BTreeSet::new();
        for foreign_key in &self.after.foreign_keys {
            let was_served = other_index_serves(self.before, foreign_key, None);
            let is_served = other_index_serves(self.after, foreign_key, None);
            if was_served && !is_served {
                let own = own_index_name(foreign_key);
                let columns = write::list(&foreign_key.columns);
                let clause = own.map(|own| format!("ADD INDEX {} {columns}", quoted(own)));
                self.additions.extend(clause);
            }
            if !was_served
                && is_served
                && let Some(own) = unlisted_index(self.before, foreign_key)
                && dropped.insert(own.clone())
            {
                self.drop_index(&own);
            }
        }
    }
}
