//! Changes to a schema as data.
//!
//! An [`Op`] says what changes and carries the whole definition before and after, so that it can be
//! reversed, described, applied to a [`crate::schema::Schema`] value and rendered as SQL without
//! looking anywhere else. A [`Change`] is an operation with everything a person needs to judge it.

mod apply;
mod composite;
mod describe;
mod json;
mod reverse;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

pub(crate) use composite::{CompositeWay, composite_way, same_values};

use crate::dialect::Dialect;
use crate::schema::{
    Check, Column, CompositeType, Domain, EnumType, Exclusion, Extension, ForeignKey, Function,
    Index, ObjectName, Policy, PrimaryKey, RangeType, Sequence, Table, TableOptions, Trigger,
    Unique, View,
};

/// One thing to do to a schema.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a comparison has few operations, and they are not moved often"
)]
pub enum Op {
    /// Make something that is not there.
    Create(Object),
    /// Remove something that is there.
    Drop(Object),
    /// Give something another name.
    Rename(Rename),
    /// Change something that stays.
    Alter(Alteration),
}

/// Something that can be made and removed, with its whole definition.
#[derive(Clone, Debug, PartialEq)]
pub enum Object {
    /// A PostgreSQL schema.
    Schema {
        name: String,
        comment: Option<String>,
    },
    /// An extension.
    Extension { name: String, extension: Extension },
    /// An enum type.
    Enum(EnumType),
    /// A domain.
    Domain(Domain),
    /// A composite type.
    Composite(CompositeType),
    /// A range type, with its multirange type.
    Range(RangeType),
    /// A sequence of its own.
    Sequence(Sequence),
    /// A function or procedure.
    Function(Function),
    /// A view or materialised view, with its indexes and triggers.
    View(View),
    /// A table. What is in the value is made and removed with it; foreign keys of a cycle and
    /// indexes come as operations of their own.
    Table(Table),
    /// A column. `dependents` are constraints and indexes that go when the column is dropped and
    /// come back when that is reversed; empty for a column that is simply added.
    Column {
        table: ObjectName,
        column: Column,
        dependents: Vec<Object>,
        /// What existing rows get, as SQL: the column is added without a constraint, filled, and
        /// constrained.
        fill: Option<String>,
    },
    /// The primary key.
    PrimaryKey { table: ObjectName, key: PrimaryKey },
    /// A unique constraint.
    Unique { table: ObjectName, unique: Unique },
    /// A foreign key.
    ForeignKey {
        table: ObjectName,
        foreign_key: ForeignKey,
    },
    /// A check constraint.
    Check { table: ObjectName, check: Check },
    /// An exclusion constraint.
    Exclusion {
        table: ObjectName,
        exclusion: Exclusion,
    },
    /// An index of a table or materialised view.
    Index { table: ObjectName, index: Index },
    /// A trigger of a table or view.
    Trigger { table: ObjectName, trigger: Trigger },
    /// A row security policy.
    Policy { table: ObjectName, policy: Policy },
}

/// A new name. The old and the new name have the same schema, table or type.
#[derive(Clone, Debug, PartialEq)]
pub enum Rename {
    /// Of a table.
    Table { from: ObjectName, to: ObjectName },
    /// Of a column.
    Column {
        table: ObjectName,
        from: String,
        to: String,
        /// What the column was called before it was moved out of the way of another rename, so that
        /// two columns can exchange their names.
        known_as: Option<String>,
    },
    /// Of an index. `index` is the definition under the old name.
    Index {
        table: ObjectName,
        from: String,
        to: String,
        index: Index,
    },
    /// Of a constraint: only where names are compared too.
    Constraint {
        table: ObjectName,
        from: String,
        to: String,
    },
    /// Of a value of an enum.
    EnumValue {
        enum_type: ObjectName,
        from: String,
        to: String,
    },
}

/// A change of something that stays, with its definition before and after.
#[derive(Clone, Debug, PartialEq)]
#[expect(
    clippy::large_enum_variant,
    reason = "a comparison has few operations, and they are not moved often"
)]
pub enum Alteration {
    /// One aspect of a column. `from` and `to` differ in that aspect only; a column of which several
    /// aspects change takes one operation after the other.
    Column {
        table: ObjectName,
        aspect: ColumnAspect,
        from: Column,
        to: Column,
        /// What NULLs become, as SQL, before the column refuses them.
        fill: Option<String>,
    },
    /// A value more in an enum, at the place it has in `to`.
    EnumAdd {
        from: EnumType,
        to: EnumType,
        value: String,
        uses: Vec<EnumUse>,
    },
    /// A value less in an enum: the type is made anew and the columns are moved over.
    EnumRemove {
        from: EnumType,
        to: EnumType,
        value: String,
        uses: Vec<EnumUse>,
    },
    /// Another order of an enum's values: the type is made anew and the columns are moved over.
    EnumReorder {
        from: EnumType,
        to: EnumType,
        uses: Vec<EnumUse>,
    },
    /// A domain. Over another type, or with another collation, it is made anew and the columns are
    /// moved over.
    Domain {
        from: Domain,
        to: Domain,
        uses: Vec<EnumUse>,
    },
    /// The attributes of a composite type.
    Composite {
        from: CompositeType,
        to: CompositeType,
        uses: Vec<EnumUse>,
        /// Another type is made of it, so that it can't be made anew.
        embedded: bool,
    },
    /// A sequence.
    Sequence { from: Sequence, to: Sequence },
    /// A function that can be replaced in place.
    Function { from: Function, to: Function },
    /// A view that can be replaced in place.
    View { from: View, to: View },
    /// How a trigger fires.
    Trigger {
        table: ObjectName,
        from: Trigger,
        to: Trigger,
    },
    /// The roles and conditions of a policy.
    Policy {
        table: ObjectName,
        from: Policy,
        to: Policy,
    },
    /// What is set on a table as a whole.
    TableOptions {
        table: ObjectName,
        from: TableOptions,
        to: TableOptions,
    },
    /// The version or schema of an extension.
    Extension {
        name: String,
        from: Extension,
        to: Extension,
    },
    /// The comment of something other than a column.
    Comment {
        target: CommentTarget,
        from: Option<String>,
        to: Option<String>,
    },
    /// Whether the rows of a constraint have been checked.
    Validate {
        table: ObjectName,
        name: String,
        from: bool,
        to: bool,
        /// The constraint as it is afterwards, needed to take the validation back.
        constraint: Box<Object>,
    },
}

/// What of a column changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ColumnAspect {
    /// How it is computed.
    Generated,
    /// Its type.
    Type,
    /// Its collation or character set.
    Collation,
    /// Its default.
    Default,
    /// The sequence behind it (PostgreSQL).
    Identity,
    /// Whether the database numbers it (MySQL, SQLite).
    AutoIncrement,
    /// Whether it takes NULL.
    Nullable,
    /// What an update of the row sets it to (MySQL).
    OnUpdate,
    /// Whether `SELECT *` shows it (MySQL).
    Visibility,
    /// Its comment.
    Comment,
}

/// A column whose type is an enum or a composite type, or an array of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct EnumUse {
    /// The table.
    pub table: ObjectName,
    /// The column.
    pub column: String,
    /// An array of the type.
    pub is_array: bool,
    /// The column's default as SQL, which must be taken off and set again around a type swap.
    pub default: Option<String>,
}

/// Something other than a column that has a comment.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CommentTarget {
    /// A PostgreSQL schema.
    Schema(String),
    /// A table.
    Table(ObjectName),
    /// A view; the flag says that it is materialised.
    View(ObjectName, bool),
    /// A column of a view.
    ViewColumn(ObjectName, String),
    /// An enum type.
    Enum(ObjectName),
    /// A domain.
    Domain(ObjectName),
    /// A composite or range type.
    Type(ObjectName),
    /// A sequence.
    Sequence(ObjectName),
    /// A function: its key, with the argument types; the flag says that it is a procedure.
    Function(ObjectName, bool),
    /// An index: its table and name.
    Index(ObjectName, String),
    /// A constraint: its table and name.
    Constraint(ObjectName, String),
    /// A trigger: its table and name.
    Trigger(ObjectName, String),
    /// A policy: its table and name.
    Policy(ObjectName, String),
}

/// How much care an operation needs on a table with rows and users.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Risk {
    /// Changes the catalogue, or reads the table at most.
    Safe,
    /// Writes the whole table anew and blocks it meanwhile.
    Rewrites,
    /// Fails when the rows do not fit.
    MayFail,
    /// Removes what cannot be brought back.
    DataLoss,
}

/// What a careful person points out about an operation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Warning {
    /// Rows, columns or values are gone afterwards.
    DataLoss,
    /// It fails when the rows do not fit.
    MayFailOnData,
    /// PostgreSQL does not convert the type by itself.
    NeedsUsingClause,
    /// Something else of the same form appears or disappears: it may be a rename.
    AmbiguousRename,
    /// A column that takes no NULL and has no default cannot be added to a table with rows.
    NotNullWithoutDefault,
    /// The result depends on the time zone of the session that runs it.
    DependsOnTimezone,
    /// The table is copied into a new one.
    TableRebuild,
    /// It fails unless a type that is not there is made first, which is left to a person.
    NeedsType,
}

/// Why an operation is there.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Origin {
    /// The two schemas differ here.
    #[default]
    Difference,
    /// Both schemas have it; it stands in the way of another operation and is taken down and put up
    /// again. `object` is what the other operation is about, for people.
    InTheWay { object: String },
}

/// What looks like the other half of a rename.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RenameCandidate {
    /// The old name, as an answer names it: `users.name` or `person`.
    pub from: String,
    /// The new name: `full_name` or `people`.
    pub to: String,
    /// How alike they are, from 0 to 1.
    pub likeness: f64,
}

/// An operation with everything a person needs to judge it, and its SQL.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What is done.
    pub op: Op,
    /// Why.
    pub origin: Origin,
    /// One line that begins with `+`, `-` or `~`.
    pub description: String,
    /// How much care it needs.
    pub risk: Risk,
    /// What to point out, as words for machines.
    pub warnings: BTreeSet<Warning>,
    /// What to point out, as sentences for people.
    pub notes: Vec<String>,
    /// The other half, if this may be half of a rename.
    pub rename_candidate: Option<RenameCandidate>,
    /// The statements. Empty when another change's statements do this one too (`done_with`).
    pub sql: Vec<String>,
    /// The statements that take it back.
    pub reverse_sql: Vec<String>,
    /// The position of the change whose statements do this one too: a table rebuild does all
    /// changes of its table at once.
    pub done_with: Option<usize>,
    /// The statements must be committed before the next change can use what they made.
    pub commit_after: bool,
    /// The kind of database, which decides how expressions look to people.
    pub dialect: Dialect,
    /// The schema whose name people leave out.
    pub default_schema: Option<String>,
}
