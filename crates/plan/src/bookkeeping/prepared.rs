//! PostgreSQL: what every step writes, prepared once for a session. To parse and plan it each time
//! costs the server more than to run it.

use super::{Bookkeeping, write};

/// The names under which the statements are prepared.
pub(super) const ADD_HISTORY: &str = "stairway_add_history";
pub(super) const ADD_LEDGER: &str = "stairway_add_ledger";
pub(super) const ADD_AUDIT: &str = "stairway_add_audit";

impl Bookkeeping {
    /// The statements that prepare what [`Self::add_applied`] and [`Self::append_audit`] of
    /// [`Self::prepared`] run. PostgreSQL's alone; the tables must be there. It keeps them as long as the
    /// session, unless somebody deallocates them: to run one then is an error of the state 26000.
    pub fn prepare(&self) -> String {
        let parameters = |count: usize| {
            let numbered: Vec<String> = (1..=count).map(|number| format!("${number}")).collect();
            numbered.join(", ")
        };
        [
            (ADD_HISTORY, self.insert_history(&parameters(2))),
            (
                ADD_LEDGER,
                self.insert_ledger(&parameters(1 + write::LEDGER_COLUMNS.len())),
            ),
            (
                ADD_AUDIT,
                self.insert_audit(&parameters(write::AUDIT_COLUMNS.len())),
            ),
        ]
        .map(|(name, statement)| format!("PREPARE {name} AS {statement}"))
        .join("; ")
    }

    /// The same tables, for a session that has run [`Self::prepare`].
    #[must_use]
    pub fn prepared(&self) -> Self {
        Self {
            is_prepared: true,
            ..self.clone()
        }
    }

    /// Runs the statement of this name with these values where it is prepared, or else in full.
    pub(super) fn prepared_or(
        &self,
        name: &str,
        values: &str,
        in_full: impl FnOnce(&str) -> String,
    ) -> String {
        if self.is_prepared {
            format!("EXECUTE {name} ({values})")
        } else {
            in_full(values)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::{AuditRecord, StepRecord, Who};
    use super::*;
    use crate::history::Checksum;
    use crate::revision::Revision;
    use crate::sql::Dialect;

    #[test]
    fn a_session_that_has_prepared_the_statements_is_sent_values_only() {
        let books = Bookkeeping::new(Dialect::Postgres, "seaql_migrations", None);
        let who = Who::default();
        let revision = Revision::new("m1_it's", []);
        let step = StepRecord {
            revision: &revision,
            checksum: &Checksum::NotComparable {
                reason: "it reads".to_owned(),
            },
            statements: &["SELECT 1".to_owned()],
            duration_ms: 3,
            stands_for: &[],
        };
        let audit = AuditRecord {
            revision: &revision.id,
            action: "upgrade",
            outcome: "succeeded",
            duration_ms: 3,
            rows_affected: Some(0),
            error: None,
            detail: None,
        };
        let write = |books: &Bookkeeping| {
            let (applied, audited) = (
                books.add_applied(&who, &step),
                books.append_audit(&who, &audit),
            );
            format!("{applied}; {audited}")
        };
        insta::assert_snapshot!(format!(
            "{}\n\n{}\n\n{}",
            books.prepare().replace("; ", ";\n"),
            write(&books.prepared()).replace("; ", ";\n"),
            write(&books).replace("; ", ";\n"),
        ));
    }
}
