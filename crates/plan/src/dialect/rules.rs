//! The narrow questions that comparing and rendering ask of a database kind.

use std::collections::BTreeSet;
use std::fmt;

use crate::op::{Op, Risk, Warning};
use crate::schema::{ColumnType, ForeignKeyAction, Generated, Schema, Table, View};

use super::{Dialect, mysql, postgres, sqlite};

/// What a database kind answers. One value of each kind exists; see [`rules`].
pub trait Rules: fmt::Debug + Sync {
    /// Whether two types, each as its server normalised it, mean the same.
    fn same_type(&self, from: &ColumnType, to: &ColumnType) -> bool;

    /// What a change from one type to another, different one needs and risks.
    fn type_change(&self, from: &ColumnType, to: &ColumnType) -> TypeChange;

    /// The values that a type names, as literals, of which one disappears where one appears.
    fn renamed_values(&self, _from: &ColumnType, _to: &ColumnType) -> Vec<(String, String)> {
        Vec::new()
    }

    /// A spelling of a default for this type that is equal for equal meaning, as far as text alone
    /// tells. Nothing for a default that is none, such as `NULL::text`.
    fn canonical_default(&self, default: &str, column_type: &ColumnType) -> Option<String>;

    /// A spelling of an expression that is equal for equal meaning, as far as text alone tells.
    fn canonical_expression(&self, expression: &str) -> String;

    /// An expression as a person would write it: without the casts and parentheses that the server
    /// adds. For people only; it need not be valid SQL.
    fn short_expression(&self, expression: &str) -> String;

    /// The expression after a column of its table, or a table, got another name, as the server would
    /// say it.
    fn rename_in_expression(&self, expression: &str, from: &str, to: &str) -> String;

    /// Whether the body of a trigger stays as it was written when a column that it names gets another
    /// name.
    fn keeps_trigger_bodies(&self) -> bool {
        false
    }

    /// The statement of a trigger after its table got another name, as the server would say it.
    fn trigger_after_table_rename(&self, definition: &str, from: &str, to: &str) -> String {
        self.rename_in_expression(definition, from, to)
    }

    /// Whether the two actions of a foreign key do the same.
    fn same_action(&self, from: ForeignKeyAction, to: ForeignKeyAction) -> bool {
        from == to
    }

    /// Whether two columns of a table cannot have names that differ in case only.
    fn folds_column_names(&self) -> bool {
        false
    }

    /// Whether two tables cannot have names that differ in case only.
    fn folds_table_names(&self) -> bool {
        false
    }

    /// Whether a foreign key can be declared before the table that it refers to exists.
    fn refers_to_missing_tables(&self) -> bool {
        false
    }

    /// Whether a function can be replaced in place.
    fn replaces_functions(&self) -> bool {
        false
    }

    /// Whether a view can be replaced by another one of the same name in place.
    fn replaces_view(&self, _from: &View, _to: &View) -> bool {
        false
    }

    /// How a key column works otherwise in the second table although its type counts as the same, for
    /// people.
    fn unlike_keys(&self, _from: &Table, _to: &Table, _column: &str) -> Option<String> {
        None
    }

    /// Whether the way a table is partitioned can be changed in place.
    fn alters_partitioning(&self) -> bool {
        false
    }

    /// What becomes of the type when its table becomes strict.
    fn strict_type(&self, column_type: &ColumnType) -> ColumnType {
        column_type.clone()
    }

    /// Whether only a column of one exact type can be numbered.
    fn numbers_one_type_only(&self) -> bool {
        false
    }

    /// Whether the integer key of a table is numbered even where nothing says so.
    fn numbers_keys_anyway(&self) -> bool {
        false
    }

    /// Whether key columns that take NULL by an old mistake count as not taking it.
    fn overlooks_null_in_keys(&self) -> bool {
        false
    }

    /// Whether the foreign keys of a column must be out of the way while its type changes so.
    fn foreign_keys_hold_type(&self, _from: &ColumnType, _to: &ColumnType) -> bool {
        false
    }

    /// Whether the generation of a column can be changed in place in this way.
    fn alters_generation(&self, from: Option<&Generated>, to: Option<&Generated>) -> bool;

    /// Whether views, triggers and the like must be out of the way while a column that they read is
    /// changed. Where not, they survive or the rendering looks after them.
    fn dependents_stand_in_the_way(&self) -> bool {
        false
    }

    /// Whether a unique index and a unique constraint can be told apart in the catalogue.
    fn tells_unique_index_from_constraint(&self) -> bool {
        true
    }

    /// The longest name of an object in bytes (`PostgreSQL`) or characters (`MySQL`).
    fn name_limit(&self) -> usize;

    /// The operations as SQL, one entry for each operation, in order. `before` is the schema that
    /// the first operation meets; the schema that each further one meets follows from
    /// [`Op::apply`].
    fn render(&self, ops: &[Op], before: &Schema) -> Vec<Rendered>;

    /// A statement as the database's own shell takes it, closed.
    fn script_statement(&self, statement: &str) -> String {
        format!("{statement};")
    }

    /// What stands before and after the statements of a script that changes a database.
    fn script_frame(&self) -> [&'static [&'static str]; 2] {
        [&[], &[]]
    }

    /// What makes a session refuse values that do not fit instead of changing them, and what puts it
    /// back, where it depends on the session.
    fn strict_frame(&self) -> Option<[&'static [&'static str]; 2]> {
        None
    }

    /// Statements as a script for the database's own shell.
    fn statements_script(&self, statements: &mut dyn Iterator<Item = &str>) -> String {
        statements
            .map(|statement| self.script_statement(statement) + "\n")
            .collect()
    }

    /// The operations as a script for the database's own shell, with what stands before and after
    /// it. Empty when there is nothing to do.
    fn script(&self, ops: &[Op], before: &Schema) -> String {
        let rendered = self.render(ops, before);
        let statements = rendered.iter().flat_map(|rendered| &rendered.sql);
        let statements: Vec<&str> = statements.map(String::as_str).collect();
        if statements.is_empty() {
            return String::new();
        }
        let [first, last] = self.script_frame();
        let all = first.iter().copied().chain(statements);
        self.statements_script(&mut all.chain(last.iter().copied()))
    }

    /// A schema as a script that makes it in an empty database.
    fn render_schema(&self, schema: &Schema) -> Vec<String>;
}

/// What a change of type needs and risks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TypeChange {
    /// How much care it needs.
    pub risk: Risk,
    /// What to point out.
    pub warnings: BTreeSet<Warning>,
    /// What to point out, for people.
    pub note: Option<String>,
}

/// The SQL of one operation.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rendered {
    /// The statements, without closing semicolons.
    pub sql: Vec<String>,
    /// The position of the operation whose statements do this one too.
    pub done_with: Option<usize>,
    /// The statements must be committed before the next operation can use what they made.
    pub commit_after: bool,
    /// Warnings that follow from the way it is done, such as a table rebuild.
    pub warnings: BTreeSet<Warning>,
    /// What to point out, for people.
    pub notes: Vec<String>,
}

/// The answers of a database kind.
pub fn rules(dialect: Dialect) -> &'static dyn Rules {
    match dialect {
        Dialect::Postgres => &postgres::PostgresRules,
        Dialect::Mysql => &mysql::MysqlRules,
        Dialect::Sqlite => &sqlite::SqliteRules,
    }
}
