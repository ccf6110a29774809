//! Objects beside tables.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{Check, ColumnType, Index, Named, ObjectName, SequenceOptions};

/// A PostgreSQL schema.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// An extension.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Extension {
    /// The schema that its objects live in.
    pub schema: String,
    /// The installed version.
    pub version: String,
}

/// An enum type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EnumType {
    /// Its name.
    #[serde(flatten)]
    pub name: ObjectName,
    /// The values in their order.
    pub values: Vec<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A domain: a type with conditions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Domain {
    /// Its name.
    #[serde(flatten)]
    pub name: ObjectName,
    /// The type underneath.
    #[serde(rename = "type")]
    pub base_type: ColumnType,
    /// Whether it takes NULL.
    pub nullable: bool,
    /// The default as SQL.
    pub default: Option<String>,
    /// The collation, where it is not the type's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// The conditions, sorted.
    pub checks: Vec<Check>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A sequence of its own.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sequence {
    /// Its name.
    #[serde(flatten)]
    pub name: ObjectName,
    /// How it counts.
    #[serde(flatten)]
    pub options: SequenceOptions,
    /// The column that it is dropped with.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owned_by: Option<SequenceOwner>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// The column that a sequence is dropped with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SequenceOwner {
    /// The table.
    pub table: ObjectName,
    /// The column.
    pub column: String,
}

/// A view or materialised view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct View {
    /// Its name.
    #[serde(flatten)]
    pub name: ObjectName,
    /// It keeps its rows.
    pub materialized: bool,
    /// The query, normalised by the server, without a closing semicolon. On SQLite the whole
    /// `CREATE VIEW` statement.
    pub definition: String,
    /// Its columns, in order.
    pub columns: Vec<ViewColumn>,
    /// PostgreSQL: options such as `security_barrier`. MySQL: `algorithm`, `security`,
    /// `check_option`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub options: BTreeMap<String, String>,
    /// Indexes of a materialised view by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub indexes: BTreeMap<String, Index>,
    /// `INSTEAD OF` triggers by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub triggers: BTreeMap<String, Trigger>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// The comments of its columns.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub column_comments: BTreeMap<String, String>,
}

/// A column of a view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ViewColumn {
    /// Its name.
    pub name: String,
    /// Its type in the spelling of [`ColumnType::text`]; empty where the catalogue does not tell.
    #[serde(rename = "type")]
    pub column_type: String,
}

/// What a routine is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FunctionKind {
    /// A function.
    Function,
    /// A procedure.
    Procedure,
}

/// A function or procedure.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Function {
    /// Its name.
    #[serde(flatten)]
    pub name: ObjectName,
    /// The types of its arguments: `integer, text`.
    pub arguments: String,
    /// Whether those tell it from others of the same name, as on PostgreSQL. On MySQL a name is that
    /// of one function and one procedure at most.
    #[serde(default = "super::constraint::yes", skip_serializing_if = "is_true")]
    pub overloaded: bool,
    /// Function or procedure.
    pub kind: FunctionKind,
    /// The arguments with names, modes and defaults: `amount integer, note text DEFAULT ''::text`.
    pub parameters: String,
    /// What it returns, as SQL; absent for a procedure.
    pub returns: Option<String>,
    /// The statement that creates it, as the server says it.
    pub definition: String,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A trigger of a table or view.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trigger {
    /// Its name.
    pub name: String,
    /// The statement that creates it, as the server says it.
    pub definition: String,
    /// PostgreSQL: when it fires, if not in the ordinary way: `disabled`, `replica` or `always`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub firing: Option<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A row security policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// One permissive policy that is met is enough; restrictive ones must all be met.
    pub permissive: bool,
    /// `ALL`, `SELECT`, `INSERT`, `UPDATE` or `DELETE`.
    pub command: String,
    /// For whom, sorted; `PUBLIC` for everyone.
    pub roles: Vec<String>,
    /// Which rows are seen.
    pub using: Option<String>,
    /// Which rows may be written.
    pub check: Option<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// Something that another object can depend on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum ObjectRef {
    /// A PostgreSQL schema.
    Namespace { name: String },
    /// An extension.
    Extension { name: String },
    /// An enum, a domain or another type.
    Type { name: ObjectName },
    /// A sequence of its own.
    Sequence { name: ObjectName },
    /// A function, with its argument types in the name.
    Function { name: ObjectName },
    /// A table as a whole.
    Table { name: ObjectName },
    /// A column of a table.
    Column { table: ObjectName, column: String },
    /// A view or materialised view.
    View { name: ObjectName },
    /// A constraint of a table.
    Constraint { table: ObjectName, name: String },
    /// An index of a table or materialised view.
    Index { table: ObjectName, name: String },
    /// A trigger of a table or view.
    Trigger { table: ObjectName, name: String },
    /// A row security policy.
    Policy { table: ObjectName, name: String },
}

/// One object needs another.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Dependency {
    /// The object that needs the other.
    pub dependent: ObjectRef,
    /// The object that it needs.
    pub needs: ObjectRef,
}

impl Domain {
    /// Whether nothing but another domain can be over that type with that collation.
    pub fn is_made_anew(&self, to: &Self) -> bool {
        self.base_type != to.base_type || self.collation != to.collation
    }
}

impl Function {
    /// What tells the routine from all others of its schema, which is its key: on PostgreSQL the name
    /// with the argument types, on MySQL the name and whether it is a procedure.
    pub fn signature(&self) -> String {
        let name = &self.name.name;
        match (self.overloaded, self.kind) {
            (true, _) => format!("{name}({})", self.arguments),
            (false, FunctionKind::Function) => name.clone(),
            (false, FunctionKind::Procedure) => format!("procedure {name}"),
        }
    }
}

/// What serde wants to be asked whether a field goes without saying.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde gives a reference")]
fn is_true(value: &bool) -> bool {
    *value
}

impl Named for EnumType {
    fn key(&self) -> ObjectName {
        self.name.clone()
    }
}

impl Named for Domain {
    fn key(&self) -> ObjectName {
        self.name.clone()
    }
}

impl Named for Sequence {
    fn key(&self) -> ObjectName {
        self.name.clone()
    }
}

impl Named for View {
    fn key(&self) -> ObjectName {
        self.name.clone()
    }
}

impl Named for Function {
    fn key(&self) -> ObjectName {
        self.name.sibling(self.signature())
    }
}
