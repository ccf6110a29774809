//! Tables.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::{
    Check, Column, Exclusion, ForeignKey, Index, Named, ObjectName, Policy, PrimaryKey, Trigger,
    Unique,
};

/// A table.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Table {
    /// Its name.
    #[serde(flatten)]
    pub name: ObjectName,
    /// The columns in the order of the table.
    pub columns: Vec<Column>,
    /// The primary key.
    pub primary_key: Option<PrimaryKey>,
    /// Unique constraints, sorted.
    pub uniques: Vec<Unique>,
    /// Foreign keys, sorted.
    pub foreign_keys: Vec<ForeignKey>,
    /// Check constraints, sorted.
    pub checks: Vec<Check>,
    /// Exclusion constraints, sorted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub exclusions: Vec<Exclusion>,
    /// Indexes by name.
    pub indexes: BTreeMap<String, Index>,
    /// Triggers by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub triggers: BTreeMap<String, Trigger>,
    /// Row security policies by name.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub policies: BTreeMap<String, Policy>,
    /// Everything else that can be set on the table.
    #[serde(default)]
    pub options: TableOptions,
    /// The comment; an empty one counts as none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// What can be set on a table as a whole. Each database uses its own part.
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a property of its own in the catalogue"
)]
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TableOptions {
    /// PostgreSQL: not written to the log, empty after a crash.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unlogged: bool,
    /// PostgreSQL: how it is partitioned, `RANGE (created_at)`. MySQL: the whole clause.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub partition_by: Option<String>,
    /// PostgreSQL: the tables that it inherits from, in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inherits: Vec<ObjectName>,
    /// PostgreSQL: storage parameters such as `fillfactor`.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub storage: BTreeMap<String, String>,
    /// PostgreSQL: policies are in force.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub row_security: bool,
    /// PostgreSQL: policies are in force for the owner too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub force_row_security: bool,
    /// MySQL: the storage engine, where it is not the server's default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub engine: Option<String>,
    /// MySQL: the character set of new columns, where it is not the database's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub charset: Option<String>,
    /// MySQL: the collation of new columns, where it is not the database's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// MySQL: further options as the catalogue lists them (`row_format=COMPRESSED`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub create_options: Option<String>,
    /// SQLite: `STRICT`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub strict: bool,
    /// SQLite: `WITHOUT ROWID`.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub without_rowid: bool,
    /// SQLite: the statement that made the table, as the catalogue keeps it. It takes no part in
    /// comparisons; a rebuild reads from it what the pragmas do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sql: Option<String>,
}

impl Table {
    /// A table without columns.
    pub fn new(name: ObjectName) -> Self {
        Self {
            name,
            columns: Vec::new(),
            primary_key: None,
            uniques: Vec::new(),
            foreign_keys: Vec::new(),
            checks: Vec::new(),
            exclusions: Vec::new(),
            indexes: BTreeMap::new(),
            triggers: BTreeMap::new(),
            policies: BTreeMap::new(),
            options: TableOptions::default(),
            comment: None,
        }
    }

    /// Every expression that the server has read: defaults, generated columns, checks, indexes and policies.
    pub fn expressions_mut(&mut self) -> impl Iterator<Item = &mut String> {
        let columns = self.columns.iter_mut().flat_map(|column| {
            let generated = column.generated.iter_mut();
            let generated = generated.map(|generated| &mut generated.expression);
            column.default.iter_mut().chain(generated)
        });
        let checks = self.checks.iter_mut().map(|check| &mut check.expression);
        let indexes = self.indexes.values_mut().flat_map(|index| {
            let keys = index.keys.iter_mut();
            let keys = keys.flat_map(|key| key.expression.iter_mut());
            index.predicate.iter_mut().chain(keys)
        });
        let policies = self
            .policies
            .values_mut()
            .flat_map(|policy| policy.using.iter_mut().chain(&mut policy.check));
        columns.chain(checks).chain(indexes).chain(policies)
    }

    /// The column of this name.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column of this name.
    pub fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name == name)
    }

    /// Whether the column belongs to the primary key.
    pub fn is_key_column(&self, name: &str) -> bool {
        self.primary_key
            .as_ref()
            .is_some_and(|key| key.columns.iter().any(|column| column == name))
    }

    /// Sorts what has no order of its own, so that equal tables are equal values.
    pub fn sort(&mut self) {
        self.uniques.sort();
        self.foreign_keys.sort();
        self.checks.sort();
        self.exclusions.sort();
    }
}

impl Named for Table {
    fn key(&self) -> ObjectName {
        self.name.clone()
    }
}

impl TableOptions {
    /// The options that are set, one `name` or `name=value` each, for people and JSON.
    pub fn words(&self) -> Vec<String> {
        let mut words = Vec::new();
        let mut flag = |on: bool, name: &str| {
            if on {
                words.push(name.to_owned());
            }
        };
        flag(self.unlogged, "unlogged");
        flag(self.row_security, "row_security");
        flag(self.force_row_security, "force_row_security");
        flag(self.strict, "strict");
        flag(self.without_rowid, "without_rowid");
        let mut valued = |value: Option<&String>, name: &str| {
            if let Some(value) = value {
                words.push(format!("{name}={value}"));
            }
        };
        valued(self.partition_by.as_ref(), "partition_by");
        valued(self.engine.as_ref(), "engine");
        valued(self.charset.as_ref(), "charset");
        valued(self.collation.as_ref(), "collation");
        valued(self.create_options.as_ref(), "create_options");
        for (name, value) in &self.storage {
            words.push(format!("{name}={value}"));
        }
        for parent in &self.inherits {
            words.push(format!("inherits={parent}"));
        }
        words
    }
}
