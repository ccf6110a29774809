//! The type of a column.

use serde::{Deserialize, Serialize};

use super::ObjectName;

/// A column's type as the server normalised it, taken apart as far as comparing needs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct ColumnType {
    /// The whole type in its shortest canonical spelling, ready for SQL: `varchar(255)`,
    /// `timestamptz`, `numeric(10,2)[]`, `app.mood`, `bigint unsigned`, `enum('a','b')`.
    pub text: String,
    /// The type's name without modifiers and array brackets: `varchar`, `numeric`, `mood`.
    pub base: String,
    /// Length, precision and scale, fractional seconds: `[255]`, `[10, 2]`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub modifiers: Vec<i64>,
    /// 0 for a plain type, 1 for an array. PostgreSQL does not keep more than that.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub array_dimensions: u32,
    /// What kind of type it is.
    #[serde(default, skip_serializing_if = "TypeKind::is_builtin")]
    pub kind: TypeKind,
    /// The name of the type for everything but built-in types.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub user_type: Option<ObjectName>,
    /// `UNSIGNED` on MySQL.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unsigned: bool,
    /// The values of MySQL's `ENUM` and `SET`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub values: Vec<String>,
}

/// What a type is made of.
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
#[serde(rename_all = "snake_case")]
pub enum TypeKind {
    /// Comes with the server.
    #[default]
    Builtin,
    /// A PostgreSQL enum.
    Enum,
    /// A PostgreSQL domain.
    Domain,
    /// Any other type: composite, range, or of an extension.
    Other,
}

impl TypeKind {
    #[expect(
        clippy::trivially_copy_pass_by_ref,
        reason = "the signature that serde asks for"
    )]
    fn is_builtin(&self) -> bool {
        *self == Self::Builtin
    }
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature that serde asks for"
)]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

impl ColumnType {
    /// A built-in type without modifiers, whose text is its name.
    pub fn builtin(name: impl Into<String>) -> Self {
        let name = name.into();
        Self {
            text: name.clone(),
            base: name,
            modifiers: Vec::new(),
            array_dimensions: 0,
            kind: TypeKind::Builtin,
            user_type: None,
            unsigned: false,
            values: Vec::new(),
        }
    }

    /// The text as people say it: without the schema of a user's type where that is the default one.
    pub fn short(&self, default_schema: Option<&str>) -> &str {
        let schema = self
            .user_type
            .as_ref()
            .and_then(|name| name.schema.as_ref());
        match schema {
            Some(schema) if Some(schema.as_str()) == default_schema => {
                let rest = self.text.strip_prefix(schema.as_str());
                rest.and_then(|rest| rest.strip_prefix('.'))
                    .unwrap_or(&self.text)
            }
            _ => &self.text,
        }
    }

    /// The type of the elements, for an array; else the type itself.
    #[must_use]
    pub fn element(&self) -> Self {
        Self {
            text: self.text.trim_end_matches("[]").to_owned(),
            array_dimensions: 0,
            ..self.clone()
        }
    }

    /// Whether the type is this enum or an array of it.
    pub fn is_of(&self, user_type: &ObjectName) -> bool {
        self.user_type.as_ref() == Some(user_type)
    }
}
