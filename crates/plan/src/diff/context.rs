//! What every part of the comparison knows, and where it puts what it finds.

use std::collections::BTreeSet;

use super::{DiffOptions, Judge, Question, Questioner, Spelling, Subject, Unstated};
use crate::dialect::Rules;
use crate::op::{Op, Origin, RenameCandidate, Warning};
use crate::schema::{ColumnType, ObjectName, Schema};

/// The two sides and whoever can be asked about them.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    /// The schema that is compared from, after renames.
    pub(super) from: &'a Schema,
    /// The schema that is compared to, with what it leaves unsaid filled in.
    pub(super) to: &'a Schema,
    pub(super) rules: &'a dyn Rules,
    pub(super) judge: &'a dyn Judge,
    pub(super) questioner: &'a dyn Questioner,
    pub(super) options: &'a DiffOptions,
}

/// One operation and what is known about it beyond its definition.
#[derive(Clone, Debug)]
pub(super) struct Finding {
    pub(super) op: Op,
    pub(super) origin: Origin,
    pub(super) warnings: BTreeSet<Warning>,
    pub(super) notes: Vec<String>,
    pub(super) candidate: Option<RenameCandidate>,
}

impl Finding {
    pub(super) fn new(op: Op) -> Self {
        Self {
            op,
            origin: Origin::Difference,
            warnings: BTreeSet::new(),
            notes: Vec::new(),
            candidate: None,
        }
    }

    /// The operation only makes room for another one, about `object`.
    pub(super) fn in_the_way_of(op: Op, object: String) -> Self {
        Self {
            origin: Origin::InTheWay { object },
            ..Self::new(op)
        }
    }

    pub(super) fn noting(mut self, note: impl Into<String>) -> Self {
        self.notes.push(note.into());
        self
    }
}

/// Everything found.
#[derive(Debug, Default)]
pub(super) struct Findings {
    pub(super) list: Vec<Finding>,
    /// For people: what is different and stays so.
    pub(super) notes: Vec<String>,
    /// Objects that were seen and not compared.
    pub(super) not_compared: Vec<String>,
}

impl Findings {
    pub(super) fn push(&mut self, op: Op) {
        self.list.push(Finding::new(op));
    }
}

impl Context<'_> {
    pub(super) fn is_exact(&self) -> bool {
        self.options.spelling == Spelling::Exact
    }

    /// Whether two expressions of the same subject mean the same.
    pub(super) fn same_expression(
        &self,
        subject: Subject,
        table: &ObjectName,
        column: Option<&str>,
        from: &str,
        to: &str,
    ) -> bool {
        if from == to {
            return true;
        }
        if self.rules.canonical_expression(from) == self.rules.canonical_expression(to) {
            return true;
        }
        self.ask(subject, table, column, from, to)
    }

    /// Whether two optional expressions are both absent or mean the same.
    pub(super) fn same_optional_expression(
        &self,
        subject: Subject,
        table: &ObjectName,
        from: Option<&String>,
        to: Option<&String>,
    ) -> bool {
        match (from, to) {
            (None, None) => true,
            (Some(from), Some(to)) => self.same_expression(subject, table, None, from, to),
            _ => false,
        }
    }

    /// Whether two defaults mean the same, each for its own type.
    pub(super) fn same_default(
        &self,
        subject: Subject,
        table: &ObjectName,
        column: Option<&str>,
        from: (Option<&String>, &ColumnType),
        to: (Option<&String>, &ColumnType),
    ) -> bool {
        let canonical = |(default, column_type): (Option<&String>, &ColumnType)| {
            default.and_then(|default| self.rules.canonical_default(default, column_type))
        };
        match (canonical(from), canonical(to)) {
            (None, None) => true,
            (Some(canonical_from), Some(canonical_to)) => {
                if canonical_from == canonical_to {
                    return true;
                }
                let (Some(from_text), Some(to_text)) = (from.0, to.0) else {
                    return false;
                };
                // A server can only judge two defaults of one type.
                self.rules.same_type(from.1, to.1)
                    && self.ask(subject, table, column, from_text, to_text)
            }
            _ => false,
        }
    }

    fn ask(
        &self,
        subject: Subject,
        table: &ObjectName,
        column: Option<&str>,
        from: &str,
        to: &str,
    ) -> bool {
        let question = Question {
            subject,
            table: table.clone(),
            column: column.map(ToOwned::to_owned),
            from: from.to_owned(),
            to: to.to_owned(),
        };
        self.judge.same(&question).unwrap_or(false)
    }

    /// Whether an index that is invalid in the first schema only is built anew.
    pub(super) fn rebuilds_invalid_indexes(&self) -> bool {
        self.options.unstated == Unstated::Remove
    }

    /// The name as people say it.
    pub(super) fn short(&self, name: &ObjectName) -> String {
        self.to.short_name(name)
    }
}
