//! What to ask the server to find out whether two texts mean the same.
//!
//! The server plans a query with either text and does not run it. In the plan every expression
//! stands as the server understands it: parsed, with its casts, and with constants computed. Two
//! texts mean the same when their plans are the same. That takes no right but to read, and leaves
//! nothing behind.

use super::quote;
use crate::diff::{Question, Subject};
use crate::schema::{ObjectName, Schema};

/// What to run before the questions, in this order.
pub const BEGIN: &[&str] = &[
    "BEGIN TRANSACTION READ ONLY",
    "SET LOCAL search_path = ''",
    // What the planner knows of the rows must not make different conditions alike.
    "SET LOCAL constraint_exclusion = off",
    "SET LOCAL enable_partition_pruning = off",
];

/// What to run before each pair of statements, so that one that fails spoils nothing.
pub const BEFORE_EACH: &str = "SAVEPOINT question";

/// What to run after each pair of statements.
pub const AFTER_EACH: &str = "ROLLBACK TO SAVEPOINT question";

/// What to run after the questions.
pub const END: &str = "ROLLBACK";

/// The two statements whose answers are equal if the two texts mean the same, or nothing if the
/// schema that they are read in does not have what the question is about.
pub fn statements(question: &Question, schema: &Schema) -> Option<[String; 2]> {
    let explain = |query: String| format!("EXPLAIN (VERBOSE, COSTS OFF) {query}");
    let query = |text: &str| -> Option<String> {
        Some(match question.subject {
            Subject::Default => {
                let table = schema.tables.get(&question.table)?;
                let column = table.column(question.column.as_deref()?)?;
                constant(text, &column.column_type.text)
            }
            Subject::DomainDefault => {
                let domain = schema.domains.get(&question.table)?;
                constant(text, &domain.base_type.text)
            }
            Subject::DomainCheck => {
                let domain = schema.domains.get(&question.table)?;
                // In a domain's condition `VALUE` stands for the value; here it is a column.
                format!(
                    "SELECT ({text}) FROM (SELECT NULL::{} AS value FROM pg_catalog.pg_class \
                     OFFSET 0) AS d",
                    domain.base_type.text
                )
            }
            Subject::Generated
            | Subject::Check
            | Subject::Predicate
            | Subject::IndexKey
            | Subject::Policy => over(text, &question.table),
            Subject::View => text.to_owned(),
        })
    };
    Some([
        explain(query(&question.from)?),
        explain(query(&question.to)?),
    ])
}

fn constant(text: &str, column_type: &str) -> String {
    format!("SELECT ({text})::{column_type}")
}

fn over(text: &str, table: &ObjectName) -> String {
    format!("SELECT ({text}) FROM {}", quote::object(table))
}
