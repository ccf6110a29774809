//! PostgreSQL's composite and range types.

use serde::{Deserialize, Serialize};

use super::{ColumnType, Named, ObjectName};

/// A composite type: `CREATE TYPE … AS (…)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CompositeType {
    /// Its name.
    #[serde(flatten)]
    pub name: ObjectName,
    /// The attributes. Their order has a meaning: values are written in it.
    pub attributes: Vec<Attribute>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// An attribute of a composite type.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attribute {
    /// Its name.
    pub name: String,
    /// Its type.
    #[serde(rename = "type")]
    pub attribute_type: ColumnType,
    /// The collation as SQL, where it is not the type's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

/// A range type: `CREATE TYPE … AS RANGE (…)`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RangeType {
    /// Its name.
    #[serde(flatten)]
    pub name: ObjectName,
    /// The type of its bounds.
    pub subtype: ColumnType,
    /// The operator class as SQL, where it is not the default one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operator_class: Option<String>,
    /// The collation as SQL, where it is not the type's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub collation: Option<String>,
    /// The function that tells how far two bounds are apart, as SQL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub difference: Option<String>,
    /// The multirange type that is made with it, since PostgreSQL 14.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub multirange: Option<ObjectName>,
    /// The comment.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
}

impl CompositeType {
    /// The attribute of this name.
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|other| other.name == name)
    }
}

impl RangeType {
    /// Whether the name is that of the range type, or of the multirange type that comes with it.
    pub fn is_called(&self, name: &ObjectName) -> bool {
        self.name == *name || self.multirange.as_ref() == Some(name)
    }
}

impl Named for CompositeType {
    fn key(&self) -> ObjectName {
        self.name.clone()
    }
}

impl Named for RangeType {
    fn key(&self) -> ObjectName {
        self.name.clone()
    }
}
