//! PostgreSQL: what every step writes, prepared once for a session. To parse and plan it each time
//! costs the server more than to run it.

use super::write::{AuditValues, LedgerValues};
use super::{Bookkeeping, Who};

/// The name under which the statement is prepared that records an applied revision.
pub(super) const RECORD_APPLIED: &str = "stairway_record_applied";

/// The types of its parameters, which [`arguments`] gives.
const TYPES: &str = "text, text, text, text, text, text, bigint, text, text, bigint, text, text";

/// What it is run with. Who runs is a part of it.
pub(super) fn arguments(ledger: &LedgerValues, audit: &AuditValues) -> String {
    [
        &ledger.revision,
        &ledger.parents,
        &ledger.message,
        &ledger.algorithm,
        &ledger.checksum,
        &ledger.statements,
        &ledger.duration,
        &audit.action,
        &audit.outcome,
        &audit.rows,
        &audit.error,
        &audit.detail,
    ]
    .map(String::as_str)
    .join(", ")
}

impl Bookkeeping {
    /// The statement that prepares what [`Self::record_applied`] of [`Self::prepared`] runs. PostgreSQL's
    /// alone; the tables must be there. It keeps it as long as the session, unless somebody deallocates it: to
    /// run it then is an error of the state 26000.
    ///
    /// A revision is recorded only while the condition `unless_lost` holds; otherwise the error has the text
    /// `lost` in it. Record, ledger and audit trail are one statement: a third less to do than three.
    pub fn prepare(&self, who: &Who, unless_lost: &str, lost: &str) -> String {
        let parameter = |number: usize| format!("${number}");
        let ledger = LedgerValues {
            revision: parameter(1),
            parents: parameter(2),
            message: parameter(3),
            algorithm: parameter(4),
            checksum: parameter(5),
            statements: parameter(6),
            duration: parameter(7),
        };
        let audit = AuditValues {
            revision: parameter(1),
            action: parameter(8),
            outcome: parameter(9),
            started: "clock_timestamp() - $7 * interval '1 millisecond'".to_owned(),
            duration: parameter(7),
            rows: parameter(10),
            error: parameter(11),
            detail: parameter(12),
        };
        // A text is made a number when the statement runs; a constant would be when it is planned.
        let applied_at = format!(
            "CAST(CASE WHEN {unless_lost} THEN CAST({} AS text) ELSE {} END AS bigint)",
            self.epoch(),
            self.text(lost)
        );
        format!(
            "PREPARE {RECORD_APPLIED} ({TYPES}) AS WITH history AS ({}), ledger AS ({}) {}",
            self.insert_history(&ledger.revision, &applied_at),
            self.insert_ledger(who, &ledger),
            self.insert_audit(who, &audit),
        )
    }

    /// The same tables, for a session that has run [`Self::prepare`] for whoever runs.
    #[must_use]
    pub fn prepared(&self) -> Self {
        Self {
            is_prepared: true,
            ..self.clone()
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
        let write = |books: &Bookkeeping| books.record_applied(&who, &step, &audit);
        insta::assert_snapshot!(format!(
            "{}\n\n{}\n\n{}",
            books
                .prepare(&who, "held()", "it's lost")
                .replace("; ", ";\n"),
            write(&books.prepared()).replace("; ", ";\n"),
            write(&books).replace("; ", ";\n"),
        ));
    }
}
