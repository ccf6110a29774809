//! What only a person knows: whether something was renamed, and what new columns are filled with.

use std::collections::{BTreeMap, BTreeSet};

use thiserror::Error;

use super::Difference;
use crate::op::{Alteration, Object, Op, Rename};
use crate::schema::ObjectName;

/// Two things of which one disappears and one appears.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RenameSubject {
    /// Tables.
    Table { from: ObjectName, to: ObjectName },
    /// Columns of a table, which is named as it will be.
    Column {
        table: ObjectName,
        from: String,
        to: String,
    },
    /// Values of an enum.
    EnumValue {
        enum_type: ObjectName,
        from: String,
        to: String,
    },
}

/// Answers what cannot be found out by looking.
pub trait Questioner {
    /// Whether it was stated beforehand that the one became the other. Asked for every pair that
    /// could be one, however unlike.
    fn is_stated_rename(&self, subject: &RenameSubject) -> bool;

    /// Whether any rename was stated beforehand. Where none was, nobody is asked about every pair of
    /// columns of every table.
    fn has_stated_renames(&self) -> bool;

    /// Whether the one became the other, asked for a pair that looks like it. `likeness` goes from 0
    /// to 1. When it is not confirmed, it is not taken for a rename, and the changes say that it may
    /// be one.
    fn is_rename(&self, subject: &RenameSubject, likeness: f64) -> bool;

    /// The SQL expression that existing rows get in a new column that takes no NULL and has no
    /// default.
    fn fill_value(&self, table: &ObjectName, column: &str) -> Option<String>;
}

/// Answers given beforehand: on the command line, in a file, or beside the entities.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Answers {
    renames: BTreeSet<(Vec<String>, String)>,
    fills: BTreeMap<Vec<String>, String>,
}

/// An answer that does not have the form it should have.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("`{text}` is not an answer of the form {form}")]
pub struct InvalidAnswer {
    /// The answer as it was given.
    pub text: String,
    /// The form that it should have.
    pub form: &'static str,
}

impl Answers {
    /// No answers.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a rename in the form of the command line: `person=people`, `users.name=full_name`,
    /// `app.users.name=full_name`, `mood.sad=blue`. The new name may repeat the table:
    /// `users.name=users.full_name`.
    pub fn add_rename(&mut self, text: &str) -> Result<(), InvalidAnswer> {
        let invalid = || InvalidAnswer {
            text: text.to_owned(),
            form: "old_table=new_table or table.old_column=new_column",
        };
        let (from, to) = text.split_once('=').ok_or_else(invalid)?;
        let from = split_name(from).ok_or_else(invalid)?;
        let to = split_name(to).ok_or_else(invalid)?;
        let to = to.last().ok_or_else(invalid)?.clone();
        self.renames.insert((from, to));
        Ok(())
    }

    /// Adds a value for existing rows in the form of the command line: `users.email=''`. What stands
    /// right of the first `=` is an SQL expression.
    pub fn add_fill(&mut self, text: &str) -> Result<(), InvalidAnswer> {
        let invalid = || InvalidAnswer {
            text: text.to_owned(),
            form: "table.column=expression",
        };
        let (column, expression) = text.split_once('=').ok_or_else(invalid)?;
        let column = split_name(column)
            .filter(|parts| parts.len() > 1)
            .ok_or_else(invalid)?;
        if expression.trim().is_empty() {
            return Err(invalid());
        }
        self.fills.insert(column, expression.trim().to_owned());
        Ok(())
    }

    /// The answers that met nothing in what came of the comparison, in the form in which they are
    /// given: a mistake in writing, or something that was done before.
    pub fn unused_in(&self, difference: &Difference) -> Vec<String> {
        let ops = || difference.changes.iter().map(|change| &change.op);
        let subjects: Vec<RenameSubject> = ops().filter_map(subject_of).collect();
        let columns: Vec<(&ObjectName, &str)> = ops().filter_map(filled_by).collect();
        let renames = self.renames.iter().filter(|rename| {
            let alone = Self {
                renames: BTreeSet::from([(*rename).clone()]),
                ..Self::default()
            };
            !subjects
                .iter()
                .any(|subject| alone.is_stated_rename(subject))
        });
        let fills = self.fills.iter().filter(|(column, expression)| {
            let alone = Self {
                fills: BTreeMap::from([((*column).clone(), (*expression).clone())]),
                ..Self::default()
            };
            !columns
                .iter()
                .any(|(table, column)| alone.fill_value(table, column).is_some())
        });
        renames
            .map(|(from, to)| format!("{}={to}", from.join(".")))
            .chain(fills.map(|(column, expression)| format!("{}={expression}", column.join("."))))
            .collect()
    }
}

/// What an operation renames, as a questioner is asked about it.
fn subject_of(op: &Op) -> Option<RenameSubject> {
    let Op::Rename(rename) = op else { return None };
    match rename.clone() {
        Rename::Table { from, to } => Some(RenameSubject::Table { from, to }),
        Rename::Column {
            table,
            from,
            to,
            known_as,
        } => Some(RenameSubject::Column {
            table,
            from: known_as.unwrap_or(from),
            to,
        }),
        Rename::EnumValue {
            enum_type,
            from,
            to,
        } => Some(RenameSubject::EnumValue {
            enum_type,
            from,
            to,
        }),
        Rename::Index { .. } | Rename::Constraint { .. } => None,
    }
}

/// The column whose rows an operation fills.
fn filled_by(op: &Op) -> Option<(&ObjectName, &str)> {
    match op {
        Op::Create(Object::Column {
            table,
            column,
            fill: Some(_),
            ..
        })
        | Op::Alter(Alteration::Column {
            table,
            to: column,
            fill: Some(_),
            ..
        }) => Some((table, &column.name)),
        _ => None,
    }
}

impl Questioner for Answers {
    fn is_rename(&self, _subject: &RenameSubject, _likeness: f64) -> bool {
        false
    }

    fn has_stated_renames(&self) -> bool {
        !self.renames.is_empty()
    }

    fn is_stated_rename(&self, subject: &RenameSubject) -> bool {
        let (parent, from, to) = match subject {
            RenameSubject::Table { from, to } => (None, &from.name, &to.name),
            RenameSubject::Column {
                table: owner,
                from,
                to,
            }
            | RenameSubject::EnumValue {
                enum_type: owner,
                from,
                to,
            } => (Some(&owner.name), from, to),
        };
        let (RenameSubject::Table { from: owner, .. }
        | RenameSubject::Column { table: owner, .. }
        | RenameSubject::EnumValue {
            enum_type: owner, ..
        }) = subject;
        let mut path: Vec<String> = parent.into_iter().chain([from]).cloned().collect();
        if self.renames.contains(&(path.clone(), to.clone())) {
            return true;
        }
        if let Some(schema) = &owner.schema {
            path.insert(0, schema.clone());
            if self.renames.contains(&(path, to.clone())) {
                return true;
            }
        }
        false
    }

    fn fill_value(&self, table: &ObjectName, column: &str) -> Option<String> {
        let short = vec![table.name.clone(), column.to_owned()];
        if let Some(value) = self.fills.get(&short) {
            return Some(value.clone());
        }
        let mut long = short;
        long.insert(0, table.schema.clone()?);
        self.fills.get(&long).cloned()
    }
}

/// Takes `schema.table.column` apart; a part may stand in double quotes or backticks.
fn split_name(text: &str) -> Option<Vec<String>> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut quote = None;
    for character in text.trim().chars() {
        match quote {
            Some(open) if character == open => quote = None,
            None if matches!(character, '"' | '`') => quote = Some(character),
            None if character == '.' => parts.push(std::mem::take(&mut part)),
            _ => part.push(character),
        }
    }
    parts.push(part);
    let is_whole = quote.is_none() && parts.len() <= 3 && parts.iter().all(|p| !p.is_empty());
    is_whole.then_some(parts)
}
