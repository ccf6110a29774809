//! Comparing two schemas: from values to ordered changes.
//!
//! The comparison is written once for all databases, one file for each kind of object; what differs
//! between databases is asked of [`crate::dialect::Rules`], what text alone cannot tell of a
//! [`Judge`], and what only a person knows of a [`Questioner`].

mod alike;
mod columns;
mod composites;
mod constraints;
mod context;
mod dependencies;
mod foreign_keys;
mod in_the_way;
mod indexes;
mod judge;
mod options;
mod order;
mod questioner;
mod renames;
mod risk;
mod routines;
mod rules_of_rows;
mod spelling;
mod tables;
mod types;
mod unstated;
mod way_back;

use serde::Serialize;
use thiserror::Error;

pub use judge::{Judge, PureJudge, Question, Subject, Verdicts};
pub use options::{DiffOptions, Spelling, Unstated};
pub use questioner::{Answers, InvalidAnswer, Questioner, RenameSubject};

use crate::dialect::{Dialect, Rendered, rules};
use crate::op::{Change, Op};
use crate::schema::Schema;
use context::{Context, Finding, Findings};

/// What leads from one schema to another.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Difference {
    /// What to do, in order.
    pub changes: Vec<Change>,
    /// What was seen on either side and takes no part in the comparison, for people.
    pub not_compared: Vec<String>,
    /// What is different and stays so, for people.
    pub notes: Vec<String>,
}

/// Why two schemas cannot be compared.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum DiffError {
    /// They are of different database kinds.
    #[error("a {from} schema cannot be compared with a {to} schema")]
    DifferentDialects { from: Dialect, to: Dialect },
}

impl Difference {
    /// The statements that lead from the first schema to the second one, in order.
    pub fn sql(&self) -> Vec<&str> {
        let statements = self.changes.iter().flat_map(|change| &change.sql);
        statements.map(String::as_str).collect()
    }

    /// The statements that lead back, in order. Rows that were dropped do not come back.
    pub fn reverse_sql(&self) -> Vec<&str> {
        let statements = self.changes.iter().rev().flat_map(|c| &c.reverse_sql);
        statements.map(String::as_str).collect()
    }

    /// What the first schema becomes when the changes are made.
    #[must_use]
    pub fn applied_to(&self, from: &Schema) -> Schema {
        let mut schema = from.clone();
        for change in &self.changes {
            change.op.apply(&mut schema);
        }
        schema
    }
}

/// Compares two schemas and says what makes the first one like the second one.
///
/// Texts that look different are put to the judge; with [`Verdicts`] the comparison is made again
/// once a server has answered.
///
/// # Errors
///
/// When the schemas are of different database kinds.
pub fn diff(
    from: &Schema,
    to: &Schema,
    options: &DiffOptions,
    judge: &dyn Judge,
    questioner: &dyn Questioner,
) -> Result<Difference, DiffError> {
    if from.dialect != to.dialect {
        return Err(DiffError::DifferentDialects {
            from: from.dialect,
            to: to.dialect,
        });
    }
    let rules = rules(from.dialect);
    let mut current = from.clone();
    let mut desired = to.clone();
    let spelled = spelling::align(&current, &mut desired, rules);
    let aligned;
    let to = if spelled.is_empty() {
        to
    } else {
        aligned = desired.clone();
        &aligned
    };
    let renames = renames::find(&mut current, to, rules, questioner);

    let mut findings = Findings {
        not_compared: not_compared(from, to),
        notes: spelled,
        ..Findings::default()
    };
    if options.unstated == Unstated::LeaveAlone {
        let context = Context {
            from: &current,
            to,
            rules,
            judge,
            questioner,
            options,
        };
        let left = unstated::fill(&context, &mut desired);
        findings.not_compared.extend(left);
    }

    let context = Context {
        from: &current,
        to: &desired,
        rules,
        judge,
        questioner,
        options,
    };
    for op in &renames.ops {
        findings.list.push(match renames.moved_aside_for(op) {
            Some(other) => {
                let words = other.describe(from.dialect, to.default_schema.as_deref());
                Finding::in_the_way_of(op.clone(), words[2..].to_owned())
            }
            None => Finding::new(op.clone()),
        });
    }
    types::find_namespaces(&context, &mut findings);
    types::find_enums(&context, &renames, &mut findings);
    types::find_domains(&context, &mut findings);
    composites::find(&context, &mut findings);
    routines::find_sequences(&context, &mut findings);
    routines::find_functions(&context, &mut findings);
    tables::find(&context, &renames, &mut findings);
    routines::find_views(&context, from, &renames, &mut findings);

    let changes = if findings.list.is_empty() {
        Vec::new()
    } else {
        in_the_way::complete(&context, from, &mut findings);
        let overview = risk::Overview::of(&findings.list);
        let sorted = order::sort(findings.list, &current, &desired);
        finish(&context, &overview, sorted, from)
    };
    Ok(Difference {
        changes,
        not_compared: findings.not_compared,
        notes: findings.notes,
    })
}

fn not_compared(from: &Schema, to: &Schema) -> Vec<String> {
    let mut list = from.not_compared.clone();
    for item in &to.not_compared {
        if !list.contains(item) {
            list.push(item.clone());
        }
    }
    list
}

/// Judges, describes and renders the operations.
fn finish(
    context: &Context<'_>,
    overview: &risk::Overview,
    sorted: Vec<Finding>,
    from: &Schema,
) -> Vec<Change> {
    let ops: Vec<Op> = sorted.iter().map(|finding| finding.op.clone()).collect();
    let forward = context.rules.render(&ops, from);
    let mut after = from.clone();
    for op in &ops {
        op.apply(&mut after);
    }
    let backward = way_back::render(context, from, &ops, &after);

    let default_schema = context.to.default_schema.as_deref();
    let mut changes = Vec::with_capacity(sorted.len());
    for (position, mut finding) in sorted.into_iter().enumerate() {
        let risk = risk::judge(context, overview, &mut finding);
        let forward = forward.get(position).cloned().unwrap_or_default();
        let backward: Rendered = backward.get(position).cloned().unwrap_or_default();
        let mut warnings = finding.warnings;
        warnings.extend(forward.warnings);
        let mut notes = finding.notes;
        notes.extend(forward.notes);
        if let Some(candidate) = &finding.candidate {
            notes.push(format!(
                "this may be a rename: say --rename {}={} if it is one",
                candidate.from, candidate.to
            ));
        }
        changes.push(Change {
            description: finding.op.describe(from.dialect, default_schema),
            op: finding.op,
            origin: finding.origin,
            risk,
            warnings,
            notes,
            rename_candidate: finding.candidate,
            sql: forward.sql,
            reverse_sql: backward.sql,
            done_with: forward.done_with,
            commit_after: forward.commit_after,
            dialect: from.dialect,
            default_schema: default_schema.map(ToOwned::to_owned),
        });
    }
    changes
}
