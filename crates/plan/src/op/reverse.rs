//! What takes an operation back.

use super::{Alteration, Op, Rename};

impl Op {
    /// The operation that restores the schema as it was. Rows that are gone stay gone.
    #[must_use]
    pub fn reverse(&self) -> Self {
        match self {
            Self::Create(object) => Self::Drop(object.clone()),
            Self::Drop(object) => Self::Create(object.clone()),
            Self::Rename(rename) => Self::Rename(rename.reverse()),
            Self::Alter(alteration) => Self::Alter(alteration.reverse()),
        }
    }
}

impl Rename {
    fn reverse(&self) -> Self {
        match self.clone() {
            Self::Table { from, to } => Self::Table { from: to, to: from },
            Self::Column {
                table, from, to, ..
            } => Self::Column {
                table,
                from: to,
                to: from,
                known_as: None,
            },
            Self::Index {
                table,
                from,
                to,
                mut index,
            } => {
                index.name.clone_from(&to);
                Self::Index {
                    table,
                    from: to,
                    to: from,
                    index,
                }
            }
            Self::Constraint { table, from, to } => Self::Constraint {
                table,
                from: to,
                to: from,
            },
            Self::EnumValue {
                enum_type,
                from,
                to,
            } => Self::EnumValue {
                enum_type,
                from: to,
                to: from,
            },
        }
    }
}

impl Alteration {
    fn reverse(&self) -> Self {
        match self.clone() {
            Self::Column {
                table,
                aspect,
                from,
                to,
                fill: _,
            } => Self::Column {
                table,
                aspect,
                from: to,
                to: from,
                fill: None,
            },
            Self::EnumAdd {
                from,
                to,
                value,
                uses,
            } => Self::EnumRemove {
                from: to,
                to: from,
                value,
                uses,
            },
            Self::EnumRemove {
                from,
                to,
                value,
                uses,
            } => Self::EnumAdd {
                from: to,
                to: from,
                value,
                uses,
            },
            Self::EnumReorder { from, to, uses } => Self::EnumReorder {
                from: to,
                to: from,
                uses,
            },
            Self::Domain { from, to, uses } => Self::Domain {
                from: to,
                to: from,
                uses,
            },
            Self::Composite {
                from,
                to,
                uses,
                embedded,
            } => Self::Composite {
                from: to,
                to: from,
                uses,
                embedded,
            },
            Self::Sequence { from, to } => Self::Sequence { from: to, to: from },
            Self::Function { from, to } => Self::Function { from: to, to: from },
            Self::View { from, to } => Self::View { from: to, to: from },
            Self::Trigger { table, from, to } => Self::Trigger {
                table,
                from: to,
                to: from,
            },
            Self::Policy { table, from, to } => Self::Policy {
                table,
                from: to,
                to: from,
            },
            Self::TableOptions { table, from, to } => Self::TableOptions {
                table,
                from: to,
                to: from,
            },
            Self::Extension { name, from, to } => Self::Extension {
                name,
                from: to,
                to: from,
            },
            Self::Comment { target, from, to } => Self::Comment {
                target,
                from: to,
                to: from,
            },
            Self::Validate {
                table,
                name,
                from,
                to,
                constraint,
            } => Self::Validate {
                table,
                name,
                from: to,
                to: from,
                constraint,
            },
        }
    }
}
