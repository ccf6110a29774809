//! Names of objects.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The name of an object that lives in a schema.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ObjectName {
    /// The PostgreSQL schema. Absent on MySQL and SQLite.
    pub schema: Option<String>,
    /// The name as the catalogue has it, unquoted.
    pub name: String,
}

impl ObjectName {
    /// A name in a PostgreSQL schema.
    pub fn new(schema: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            schema: Some(schema.into()),
            name: name.into(),
        }
    }

    /// A name in a database that has no schemas of its own.
    pub fn bare(name: impl Into<String>) -> Self {
        Self {
            schema: None,
            name: name.into(),
        }
    }

    /// Another name in the same schema.
    #[must_use]
    pub fn sibling(&self, name: impl Into<String>) -> Self {
        Self {
            schema: self.schema.clone(),
            name: name.into(),
        }
    }

    /// The name without its schema if that is `default_schema`, else `schema.name`. Not quoted: for
    /// people, not for SQL.
    pub fn relative_to(&self, default_schema: Option<&str>) -> String {
        match &self.schema {
            Some(schema) if Some(schema.as_str()) != default_schema => {
                format!("{schema}.{}", self.name)
            }
            _ => self.name.clone(),
        }
    }
}

impl fmt::Display for ObjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.schema {
            Some(schema) => write!(f, "{schema}.{}", self.name),
            None => f.write_str(&self.name),
        }
    }
}

/// An object that knows the key it is stored under.
pub trait Named {
    /// The key of the object in its schema's map.
    fn key(&self) -> ObjectName;
}

/// Maps keyed by [`ObjectName`] are lists in JSON, in the order of their names.
pub(super) mod as_list {
    use std::collections::BTreeMap;

    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use super::{Named, ObjectName};

    pub(crate) fn serialize<T: Serialize, S: Serializer>(
        map: &BTreeMap<ObjectName, T>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(map.values())
    }

    pub(crate) fn deserialize<'de, T: Deserialize<'de> + Named, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<BTreeMap<ObjectName, T>, D::Error> {
        let list = Vec::<T>::deserialize(deserializer)?;
        Ok(list.into_iter().map(|item| (item.key(), item)).collect())
    }
}
