//! The statements that write history, ledger, audit trail and journal.

use std::fmt::Write as _;

use serde::{Deserialize, Serialize};

use super::{Bookkeeping, JournalState, prepared};
use crate::history::Checksum;
use crate::plan::Direction;
use crate::revision::{Revision, RevisionId};
use crate::sql::Dialect;

/// Who runs, from where, as it goes into the ledger and the audit trail.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Who {
    /// The run's id.
    pub run_id: String,
    /// The person or service account.
    pub actor: String,
    /// The machine.
    pub host: String,
    /// The application's version, where it was set.
    pub application_version: Option<String>,
}

/// What is written down of a step that ended well.
#[derive(Clone, Debug)]
pub struct StepRecord<'a> {
    /// The revision.
    pub revision: &'a Revision,
    /// The checksum of the SQL that it emitted.
    pub checksum: &'a Checksum,
    /// The SQL that it emitted, secrets masked.
    pub statements: &'a [String],
    /// How long it took.
    pub duration_ms: u64,
    /// Further rows for the history table: what the revision replaces and the code still has.
    pub stands_for: &'a [&'a RevisionId],
}

/// An entry for the audit trail.
#[derive(Clone, Debug)]
pub struct AuditRecord<'a> {
    /// The revision that it is about.
    pub revision: &'a RevisionId,
    /// `upgrade`, `downgrade`, `stamp`, `unstamp`, `repair` or `unlock`.
    pub action: &'a str,
    /// `succeeded`, `failed` or `interrupted`.
    pub outcome: &'a str,
    /// How long it took.
    pub duration_ms: u64,
    /// Rows changed, where known.
    pub rows_affected: Option<u64>,
    /// What went wrong, without credentials.
    pub error: Option<&'a str>,
    /// Anything else a person should read.
    pub detail: Option<&'a str>,
}

/// An entry for a step's journal.
#[derive(Clone, Debug)]
pub struct JournalRecord<'a> {
    /// The revision whose step it is.
    pub revision: &'a RevisionId,
    /// Which way the step goes.
    pub direction: Direction,
    /// 0 for the step itself; what it sends counts from 1.
    pub position: u64,
    /// What the statement is recognised by.
    pub fingerprint: &'a str,
    /// The statement, secrets masked.
    pub statement: &'a str,
    /// How far it came.
    pub state: JournalState,
    /// What the objects that it touches were like before.
    pub definition_before: Option<&'a str>,
    /// The rows that it gave, for a rerun to be given the same.
    pub returned_rows: Option<&'a str>,
    /// Rows that it changed.
    pub rows_affected: u64,
    /// The last generated id, on MySQL/MariaDB and SQLite.
    pub last_insert_id: u64,
}

/// What a row of the ledger has besides who made it, each as an SQL expression.
pub(super) struct LedgerValues {
    pub(super) revision: String,
    pub(super) parents: String,
    pub(super) message: String,
    pub(super) algorithm: String,
    pub(super) checksum: String,
    pub(super) statements: String,
    pub(super) duration: String,
}

/// What a row of the audit trail has besides who made it, each as an SQL expression.
pub(super) struct AuditValues {
    pub(super) revision: String,
    pub(super) action: String,
    pub(super) outcome: String,
    pub(super) started: String,
    pub(super) duration: String,
    pub(super) rows: String,
    pub(super) error: String,
    pub(super) detail: String,
}

/// What the ledger has of a revision besides its id, in the order in which it is written.
const LEDGER_COLUMNS: [&str; 11] = [
    "parents",
    "message",
    "checksum_algorithm",
    "checksum",
    "statements",
    "run_id",
    "actor",
    "host",
    "application_version",
    "applied_at",
    "duration_ms",
];

/// What the audit trail has of an event, in the order in which it is written.
const AUDIT_COLUMNS: [&str; 12] = [
    "run_id",
    "revision",
    "action",
    "outcome",
    "started_at",
    "duration_ms",
    "actor",
    "host",
    "application_version",
    "rows_affected",
    "error",
    "detail",
];

const JOURNAL_COLUMNS: &str = "revision, direction, position, fingerprint, statement, state, definition_before, \
     returned_rows, rows_affected, last_insert_id, run_id, started_at";

impl Bookkeeping {
    /// Adds a revision to the history table and the ledger.
    pub fn add_applied(&self, who: &Who, step: &StepRecord<'_>) -> String {
        let values = self.ledger_values(step);
        format!(
            "{}; {}{}",
            self.insert_history(&values.revision, self.epoch()),
            self.insert_ledger(who, &values),
            self.add_replaced(step)
        )
    }

    /// Adds a revision to the history table and the ledger, and appends to the audit trail an entry about
    /// the same step.
    pub fn record_applied(
        &self,
        who: &Who,
        step: &StepRecord<'_>,
        entry: &AuditRecord<'_>,
    ) -> String {
        if self.is_prepared {
            let arguments =
                prepared::arguments(&self.ledger_values(step), &self.audit_values(entry));
            return format!(
                "EXECUTE {} ({arguments}){}",
                prepared::RECORD_APPLIED,
                self.add_replaced(step)
            );
        }
        format!(
            "{}; {}",
            self.add_applied(who, step),
            self.append_audit(who, entry)
        )
    }

    /// Adds what the revision replaces and the code still has, each with a semicolon before it.
    fn add_replaced(&self, step: &StepRecord<'_>) -> String {
        let mut also = String::new();
        for replaced in step.stands_for {
            let history = self.quoted(&self.history);
            let from = match self.dialect {
                Dialect::MySql => " FROM DUAL",
                Dialect::Postgres | Dialect::Sqlite => "",
            };
            // Writing to a String can't fail.
            let _ = write!(
                also,
                "; INSERT INTO {history} (version, applied_at) SELECT {id}, {epoch}{from} WHERE NOT {there}",
                id = self.text(replaced.as_str()),
                epoch = self.epoch(),
                there = self.applied_condition(replaced),
            );
        }
        also
    }

    fn ledger_values(&self, step: &StepRecord<'_>) -> LedgerValues {
        let parents: Vec<&str> = step
            .revision
            .parents
            .iter()
            .map(RevisionId::as_str)
            .collect();
        let (algorithm, checksum) = match step.checksum {
            Checksum::Digest { algorithm, digest } => (Some(algorithm.as_str()), digest.as_str()),
            Checksum::NotComparable { reason } => (None, reason.as_str()),
        };
        LedgerValues {
            revision: self.text(step.revision.id.as_str()),
            parents: self.text(&json(&parents)),
            message: self.text(&step.revision.message),
            algorithm: self.optional_text(algorithm),
            checksum: self.text(checksum),
            statements: self.text(&json(step.statements)),
            duration: step.duration_ms.to_string(),
        }
    }

    pub(super) fn insert_history(&self, revision: &str, applied_at: &str) -> String {
        format!(
            "INSERT INTO {} (version, applied_at) VALUES ({revision}, {applied_at})",
            self.quoted(&self.history)
        )
    }

    /// What the ledger still has of the revision from another time gives way: plain
    /// sea-orm-migration takes it out of the history table only.
    pub(super) fn insert_ledger(&self, who: &Who, values: &LedgerValues) -> String {
        let (verb, instead) = match self.dialect {
            Dialect::MySql => ("REPLACE", String::new()),
            Dialect::Sqlite => ("INSERT OR REPLACE", String::new()),
            Dialect::Postgres => {
                let taken: Vec<String> = ["sequence"]
                    .into_iter()
                    .chain(LEDGER_COLUMNS)
                    .map(|column| format!("{column} = EXCLUDED.{column}"))
                    .collect();
                let instead = format!(" ON CONFLICT (revision) DO UPDATE SET {}", taken.join(", "));
                ("INSERT", instead)
            }
        };
        format!(
            "{verb} INTO {ledger} (revision, {columns}) VALUES ({revision}, {parents}, {message}, {algorithm}, \
             {checksum}, {statements}, {run}, {actor}, {host}, {application}, {now}, {duration}){instead}",
            ledger = self.quoted(&self.ledger),
            columns = LEDGER_COLUMNS.join(", "),
            revision = values.revision,
            parents = values.parents,
            message = values.message,
            algorithm = values.algorithm,
            checksum = values.checksum,
            statements = values.statements,
            run = self.text(&who.run_id),
            actor = self.text(&who.actor),
            host = self.text(&who.host),
            application = self.optional_text(who.application_version.as_deref()),
            now = self.now(),
            duration = values.duration,
        )
    }

    /// Takes a revision out of the history table and the ledger, with those that it replaces.
    pub fn remove_applied(&self, revision: &RevisionId, replaced: &[RevisionId]) -> String {
        let ids: Vec<String> = [revision]
            .into_iter()
            .chain(replaced)
            .map(|id| self.text(id.as_str()))
            .collect();
        let which = match ids.as_slice() {
            [id] => format!("= {id}"),
            several => format!("IN ({})", several.join(", ")),
        };
        format!(
            "DELETE FROM {} WHERE version {which}; DELETE FROM {} WHERE revision {which}",
            self.quoted(&self.history),
            self.quoted(&self.ledger),
        )
    }

    /// Takes a revision out of the history table alone, for a database without side tables.
    pub fn remove_from_history(&self, revision: &RevisionId) -> String {
        format!(
            "DELETE FROM {} WHERE version = {}",
            self.quoted(&self.history),
            self.text(revision.as_str())
        )
    }

    /// The condition that a revision is in the history table.
    pub fn applied_condition(&self, revision: &RevisionId) -> String {
        self.applied_condition_for(&self.text(revision.as_str()))
    }

    /// The same for the revision whose id an expression gives.
    pub fn applied_condition_for(&self, id: &str) -> String {
        format!(
            "EXISTS (SELECT 1 FROM {} WHERE version = {id})",
            self.quoted(&self.history)
        )
    }

    /// The condition that a revision is in the history table, or that all that it replaces is.
    pub fn counts_as_applied(&self, revision: &Revision) -> String {
        let own = self.applied_condition(&revision.id);
        if revision.replaces.is_empty() {
            return own;
        }
        let replaced: Vec<String> = revision
            .replaces
            .iter()
            .map(|id| self.applied_condition(id))
            .collect();
        format!("({own} OR ({}))", replaced.join(" AND "))
    }

    /// Appends to the audit trail.
    pub fn append_audit(&self, who: &Who, entry: &AuditRecord<'_>) -> String {
        self.insert_audit(who, &self.audit_values(entry))
    }

    /// The start is the present moment less the duration.
    fn audit_values(&self, entry: &AuditRecord<'_>) -> AuditValues {
        let milliseconds = entry.duration_ms;
        let started = match self.dialect {
            Dialect::Postgres => {
                format!("clock_timestamp() - interval '{milliseconds} milliseconds'")
            }
            Dialect::MySql => {
                format!(
                    "UTC_TIMESTAMP(6) - INTERVAL {} MICROSECOND",
                    milliseconds.saturating_mul(1000)
                )
            }
            Dialect::Sqlite => {
                let seconds = format!("{}.{:03}", milliseconds / 1000, milliseconds % 1000);
                format!("strftime('%Y-%m-%dT%H:%M:%fZ','now','-{seconds} seconds')")
            }
        };
        let rows = entry
            .rows_affected
            .map_or_else(|| "NULL".to_owned(), |rows| rows.to_string());
        AuditValues {
            revision: self.text(entry.revision.as_str()),
            action: self.text(entry.action),
            outcome: self.text(entry.outcome),
            started,
            duration: milliseconds.to_string(),
            rows,
            error: self.optional_text(entry.error),
            detail: self.optional_text(entry.detail),
        }
    }

    pub(super) fn insert_audit(&self, who: &Who, values: &AuditValues) -> String {
        format!(
            "INSERT INTO {audit} ({columns}) VALUES ({run}, {revision}, {action}, {outcome}, {started}, \
             {duration}, {actor}, {host}, {application}, {rows}, {error}, {detail})",
            audit = self.quoted(&self.audit),
            columns = AUDIT_COLUMNS.join(", "),
            run = self.text(&who.run_id),
            revision = values.revision,
            action = values.action,
            outcome = values.outcome,
            started = values.started,
            duration = values.duration,
            actor = self.text(&who.actor),
            host = self.text(&who.host),
            application = self.optional_text(who.application_version.as_deref()),
            rows = values.rows,
            error = values.error,
            detail = values.detail,
        )
    }

    /// Writes entries into a step's journal, in one statement. None for no entries.
    pub fn write_journal(&self, who: &Who, entries: &[JournalRecord<'_>]) -> Option<String> {
        let rows: Vec<String> = entries
            .iter()
            .map(|entry| format!("({})", self.journal_values(who, entry)))
            .collect();
        (!rows.is_empty()).then(|| {
            format!(
                "INSERT INTO {journal} ({JOURNAL_COLUMNS}) VALUES {rows}",
                journal = self.quoted(&self.journal),
                rows = rows.join(", "),
            )
        })
    }

    /// Writes the entry that says that a step began, unless it is there.
    pub fn begin_journal(&self, who: &Who, entry: &JournalRecord<'_>) -> String {
        let from = if self.dialect == Dialect::MySql {
            "FROM DUAL "
        } else {
            ""
        };
        format!(
            "INSERT INTO {journal} ({JOURNAL_COLUMNS}) SELECT {values} {from}WHERE NOT EXISTS \
             (SELECT 1 FROM {journal} WHERE revision = {revision} AND direction = '{direction}' \
             AND position = {position})",
            journal = self.quoted(&self.journal),
            values = self.journal_values(who, entry),
            revision = self.text(entry.revision.as_str()),
            direction = entry.direction.as_str(),
            position = entry.position,
        )
    }

    fn journal_values(&self, who: &Who, entry: &JournalRecord<'_>) -> String {
        format!(
            "{revision}, '{direction}', {position}, {fingerprint}, {statement}, '{state}', {before}, \
             {returned}, {rows_affected}, {last_insert_id}, {run}, {now}",
            revision = self.text(entry.revision.as_str()),
            direction = entry.direction.as_str(),
            position = entry.position,
            fingerprint = self.text(entry.fingerprint),
            statement = self.text(entry.statement),
            state = entry.state.as_str(),
            before = self.optional_text(entry.definition_before),
            returned = self.optional_text(entry.returned_rows),
            rows_affected = entry.rows_affected,
            last_insert_id = entry.last_insert_id,
            run = self.text(&who.run_id),
            now = self.now(),
        )
    }

    /// Marks a started statement as done.
    pub fn finish_journal(
        &self,
        revision: &RevisionId,
        direction: Direction,
        position: u64,
        rows_affected: u64,
        last_insert_id: u64,
    ) -> String {
        format!(
            "UPDATE {} SET state = '{}', rows_affected = {rows_affected}, last_insert_id = {last_insert_id} \
             WHERE revision = {} AND direction = '{}' AND position = {position}",
            self.quoted(&self.journal),
            JournalState::Done.as_str(),
            self.text(revision.as_str()),
            direction.as_str(),
        )
    }

    /// Notes that no look at the catalogue will tell whether a started statement was done.
    pub fn leave_in_doubt(
        &self,
        revision: &RevisionId,
        direction: Direction,
        position: u64,
    ) -> String {
        format!(
            "UPDATE {} SET definition_before = NULL WHERE revision = {} AND direction = '{}' AND position = {position}",
            self.quoted(&self.journal),
            self.text(revision.as_str()),
            direction.as_str(),
        )
    }

    /// Removes one entry of a step's journal.
    pub fn remove_journal_entry(
        &self,
        revision: &RevisionId,
        direction: Direction,
        position: u64,
    ) -> String {
        format!(
            "DELETE FROM {} WHERE revision = {} AND direction = '{}' AND position = {position}",
            self.quoted(&self.journal),
            self.text(revision.as_str()),
            direction.as_str(),
        )
    }

    /// Removes a revision's journal, because its step ended or was settled.
    pub fn clear_journal(&self, revision: &RevisionId) -> String {
        format!(
            "DELETE FROM {} WHERE revision = {}",
            self.quoted(&self.journal),
            self.text(revision.as_str())
        )
    }

    /// Says in the lease table who holds the lock, for others to see while they wait. A run that
    /// `gives_signs` of life renews the lease ([`Self::renew_lease`]); of another, silence says nothing.
    pub fn write_lease(
        &self,
        lock: &str,
        who: &Who,
        pid: u32,
        application: &str,
        session: Option<i64>,
        gives_signs: bool,
    ) -> String {
        let session = session.map_or_else(|| "NULL".to_owned(), |session| session.to_string());
        let seen_at = if gives_signs { self.now() } else { "NULL" };
        format!(
            "DELETE FROM {lease} WHERE name = {name}; \
             INSERT INTO {lease} (name, run_id, pid, host, application, session, acquired_at, seen_at) \
             VALUES ({name}, {run}, {pid}, {host}, {application}, {session}, {now}, {seen_at})",
            lease = self.quoted(&self.lease),
            name = self.text(lock),
            run = self.text(&who.run_id),
            host = self.text(&who.host),
            application = self.text(application),
            now = self.now(),
        )
    }

    /// A sign of life of the run that holds the lock.
    pub fn renew_lease(&self, lock: &str, run_id: &str) -> String {
        format!(
            "UPDATE {} SET seen_at = {} WHERE name = {} AND run_id = {}",
            self.quoted(&self.lease),
            self.now(),
            self.text(lock),
            self.text(run_id)
        )
    }

    /// Takes the name of a run off the lease table.
    pub fn clear_lease(&self, lock: &str, run_id: &str) -> String {
        format!(
            "DELETE FROM {} WHERE name = {} AND run_id = {}",
            self.quoted(&self.lease),
            self.text(lock),
            self.text(run_id)
        )
    }
}

/// A list of strings as JSON. Strings always serialise.
fn json<T: Serialize>(list: &[T]) -> String {
    serde_json::to_string(list).unwrap_or_else(|_| "[]".to_owned())
}
