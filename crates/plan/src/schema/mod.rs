//! A database schema as a value: what a catalogue says, in one form for all databases.
//!
//! Everything is ordered, so that equal schemas are equal values and print the same. The JSON form is
//! that of `schema inspect --output json`: every object kind is a list sorted by schema and name.

mod column;
mod composite;
mod constraint;
mod ignored;
mod index;
mod name;
mod objects;
mod table;
mod types;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use column::{Column, Generated, Identity, IdentityKind, SequenceOptions};
pub use composite::{Attribute, CompositeType, RangeType};
pub use constraint::{
    Check, Deferrability, Exclusion, ForeignKey, ForeignKeyAction, MatchType, PrimaryKey, Unique,
};
pub use ignored::is_history_table;
pub use index::{Index, IndexKey};
pub use name::{Named, ObjectName};
pub use objects::{
    Dependency, Domain, EnumType, Extension, Function, FunctionKind, Namespace, ObjectRef, Policy,
    Sequence, SequenceOwner, Trigger, View, ViewColumn,
};
pub use table::{Table, TableOptions};
pub use types::{ColumnType, TypeKind};

use crate::dialect::Dialect;

/// Everything that was read of one database.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Schema {
    /// The kind of database.
    pub dialect: Dialect,
    /// Which server it was read from.
    pub server: Server,
    /// The schema that unqualified names mean: `public` on PostgreSQL unless configured otherwise.
    /// Absent on MySQL and SQLite, where a database is one unnamed schema.
    pub default_schema: Option<String>,
    /// PostgreSQL schemas by name. Empty elsewhere.
    pub namespaces: BTreeMap<String, Namespace>,
    /// Extensions by name.
    pub extensions: BTreeMap<String, Extension>,
    /// Enum types.
    #[serde(with = "name::as_list")]
    pub enums: BTreeMap<ObjectName, EnumType>,
    /// Domains.
    #[serde(with = "name::as_list")]
    pub domains: BTreeMap<ObjectName, Domain>,
    /// PostgreSQL: composite types.
    #[serde(
        default,
        with = "name::as_list",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub composites: BTreeMap<ObjectName, CompositeType>,
    /// PostgreSQL: range types, each with its multirange type.
    #[serde(
        default,
        with = "name::as_list",
        skip_serializing_if = "BTreeMap::is_empty"
    )]
    pub ranges: BTreeMap<ObjectName, RangeType>,
    /// Sequences that no column's serial or identity owns.
    #[serde(with = "name::as_list")]
    pub sequences: BTreeMap<ObjectName, Sequence>,
    /// Tables.
    #[serde(with = "name::as_list")]
    pub tables: BTreeMap<ObjectName, Table>,
    /// Views and materialised views.
    #[serde(with = "name::as_list")]
    pub views: BTreeMap<ObjectName, View>,
    /// Functions and procedures. The key's name carries the argument types: `f(integer, text)`.
    #[serde(with = "name::as_list")]
    pub functions: BTreeMap<ObjectName, Function>,
    /// What depends on what, as far as the catalogue knows: from the dependent object to the one it
    /// needs. Dependencies that the model shows anyway (a constraint on its table) are left out.
    pub dependencies: BTreeSet<Dependency>,
    /// PostgreSQL: types that are neither made nor removed, as base types are. A change that needs one
    /// which is not there says so.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub other_types: BTreeSet<ObjectName>,
    /// PostgreSQL: collations of users, as a column names them. They are neither made nor removed
    /// either.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub other_collations: BTreeSet<String>,
    /// Objects and properties that were seen and take no part in a comparison, for people:
    /// `event trigger audit_ddl`.
    pub not_compared: Vec<String>,
}

/// The server that a schema was read from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Server {
    /// `PostgreSQL`, `MySQL`, `MariaDB` or `SQLite`.
    pub product: String,
    /// The version as the server says it, for example `15.20` or `10.11.19-MariaDB`.
    pub version: String,
    /// The numeric parts of the version, most significant first: `(10, 11, 19)`.
    pub version_number: (u32, u32, u32),
}

impl Schema {
    /// A schema with nothing in it.
    pub fn empty(dialect: Dialect, server: Server, default_schema: Option<String>) -> Self {
        Self {
            dialect,
            server,
            default_schema,
            namespaces: BTreeMap::new(),
            extensions: BTreeMap::new(),
            enums: BTreeMap::new(),
            domains: BTreeMap::new(),
            composites: BTreeMap::new(),
            ranges: BTreeMap::new(),
            sequences: BTreeMap::new(),
            tables: BTreeMap::new(),
            views: BTreeMap::new(),
            functions: BTreeMap::new(),
            dependencies: BTreeSet::new(),
            other_types: BTreeSet::new(),
            other_collations: BTreeSet::new(),
            not_compared: Vec::new(),
        }
    }

    /// A name as people say it: without the schema where that is the default one.
    pub fn short_name(&self, name: &ObjectName) -> String {
        name.relative_to(self.default_schema.as_deref())
    }
}
