//! PostgreSQL: what every step writes, prepared once for a session. To parse and plan it each time
//! costs the server more than to run it.

use super::{Bookkeeping, write};

/// The names under which the statements are prepared.
pub(super) const RECORD_APPLIED: &str = "stairway_record_applied";
pub(super) const APPEND_AUDIT: &str = "stairway_append_audit";

impl Bookkeeping {
    /// The statements that prepare what [`Self::record_applied`] and [`Self::append_audit`] of
    /// [`Self::prepared`] run. PostgreSQL's alone; the tables must be there. It keeps them as long as the
    /// session, unless somebody deallocates them: to run one then is an error of the state 26000.
    ///
    /// A revision is recorded only while the condition `unless_lost` holds; otherwise the error has the text
    /// `lost` in it. Record, ledger and audit trail are one statement: a third less to do than three.
    pub fn prepare(&self, unless_lost: &str, lost: &str) -> String {
        let parameters = |before: usize, count: usize| -> Vec<String> {
            (before + 1..=before + count)
                .map(|number| format!("${number}"))
                .collect()
        };
        let history = parameters(0, 2);
        let ledger = parameters(history.len(), 1 + write::LEDGER_COLUMNS.len());
        let audit = parameters(history.len() + ledger.len(), write::AUDIT_COLUMNS.len());
        let alone = parameters(0, audit.len());
        // A text is made a number when the statement runs; a constant would be when it is planned.
        let applied_at = format!(
            "CAST(CASE WHEN {unless_lost} THEN CAST({} AS text) ELSE {} END AS bigint)",
            history[1],
            self.text(lost)
        );
        format!(
            "PREPARE {RECORD_APPLIED} AS WITH history AS ({}), ledger AS ({}) {}; PREPARE {APPEND_AUDIT} AS {}",
            self.insert_history(&format!("{}, {applied_at}", history[0])),
            self.insert_ledger(&ledger.join(", ")),
            self.insert_audit(&audit.join(", ")),
            self.insert_audit(&alone.join(", ")),
        )
    }

    /// The same tables, for a session that has run [`Self::prepare`].
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
        let write = |books: &Bookkeeping| {
            format!(
                "{};\n\n{}",
                books.record_applied(&who, &step, &audit),
                books.append_audit(&who, &audit)
            )
        };
        insta::assert_snapshot!(format!(
            "{}\n\n{}\n\n{}",
            books.prepare("held()", "it's lost").replace("; ", ";\n"),
            write(&books.prepared()).replace("; ", ";\n"),
            write(&books).replace("; ", ";\n"),
        ));
    }
}
