//! The queries that read the tables, and what their rows mean.
//!
//! The rows come from a database that anyone may have written to: whatever they hold, reading them
//! ends with a value.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};

use super::Bookkeeping;
use crate::history::{AppliedRevision, Checksum, History, InterruptedStep, LedgerEntry};
use crate::plan::Direction;
use crate::report::AuditEntry;
use crate::revision::RevisionId;
use crate::sql::Dialect;

/// One row as text; nothing stands for NULL.
type TextRow = Vec<Option<String>>;

/// Which of the tables are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[expect(clippy::struct_excessive_bools, reason = "one for each table")]
pub struct ExistingTables {
    /// sea-orm-migration's table.
    pub history: bool,
    /// The ledger.
    pub ledger: bool,
    /// The audit trail.
    pub audit: bool,
    /// The statement journal.
    pub journal: bool,
    /// Who holds the lock.
    pub lease: bool,
    /// The version of the side tables.
    pub layout: bool,
}

impl ExistingTables {
    /// Nothing is missing.
    pub fn is_complete(self) -> bool {
        self.history && self.ledger && self.audit && self.journal && self.lease && self.layout
    }
}

/// How far a journalled statement came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JournalState {
    /// It was sent; whether it was done is to be found out.
    Started,
    /// It is done.
    Done,
    /// It only read; what it was told is kept.
    Read,
}

impl JournalState {
    /// The word in the journal's `state` column.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Started => "started",
            Self::Done => "done",
            Self::Read => "read",
        }
    }
}

/// One row of the journal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct JournalEntry {
    /// 0 for the step itself, statements count from 1.
    pub position: u64,
    /// What the statement is recognised by.
    pub fingerprint: String,
    /// The statement, secrets masked.
    pub statement: String,
    /// How far it came.
    pub state: JournalState,
    /// What the objects that it touches were like before.
    pub definition_before: Option<String>,
    /// The rows that it gave, where they were kept.
    pub returned_rows: Option<String>,
    /// Rows that it changed.
    pub rows_affected: u64,
    /// The last generated id, on MySQL/MariaDB and SQLite.
    pub last_insert_id: u64,
    /// The run that wrote it.
    pub run_id: String,
}

/// Who holds the lock, as the lease table says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeaseRow {
    /// The run.
    pub run_id: String,
    /// The process, on its machine.
    pub pid: Option<i64>,
    /// The machine.
    pub host: String,
    /// The application's name.
    pub application: String,
    /// The server session that holds the lock.
    pub session: Option<i64>,
    /// Since when.
    pub acquired_at: Option<DateTime<Utc>>,
    /// Seconds since the holder's last sign of life, by the database's clock; absent if it has not
    /// given any.
    pub silent_seconds: Option<i64>,
}

impl Bookkeeping {
    /// Asks which tables are there. Needs no privilege on them, and is no error when none is.
    pub fn find_tables(&self) -> String {
        let tables = std::iter::once(self.history.as_str()).chain(self.side_tables());
        match self.dialect {
            // Resolved by the search path, as every other statement here is.
            Dialect::Postgres => {
                let columns: Vec<String> = tables
                    .map(|table| {
                        format!(
                            "to_regclass({}) IS NOT NULL",
                            self.text(&self.quoted(table))
                        )
                    })
                    .collect();
                format!("SELECT {}", columns.join(", "))
            }
            // One look-up for each table: with a list of names the server would open every table.
            Dialect::MySql => {
                let schema = self
                    .schema
                    .as_deref()
                    .map_or_else(|| "DATABASE()".to_owned(), |name| self.text(name));
                let columns: Vec<String> = tables
                    .map(|table| {
                        let table = self.text(table);
                        format!(
                            "EXISTS (SELECT 1 FROM information_schema.tables \
                             WHERE table_schema = {schema} AND table_name = {table})"
                        )
                    })
                    .collect();
                format!("SELECT {}", columns.join(", "))
            }
            Dialect::Sqlite => {
                let columns: Vec<String> = tables
                    .map(|table| {
                        let table = self.text(table);
                        format!("EXISTS (SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = {table})")
                    })
                    .collect();
                format!("SELECT {}", columns.join(", "))
            }
        }
    }

    /// Understands the answer to [`Self::find_tables`].
    pub fn found_tables(&self, rows: &[TextRow]) -> ExistingTables {
        let is_true = |index: usize| {
            let value = rows
                .first()
                .and_then(|row| row.get(index))
                .and_then(Option::as_deref);
            matches!(value, Some("t" | "true" | "1"))
        };
        ExistingTables {
            history: is_true(0),
            ledger: is_true(1),
            audit: is_true(2),
            journal: is_true(3),
            lease: is_true(4),
            layout: is_true(5),
        }
    }

    /// Reads all applied revisions and unfinished steps in one statement, or nothing to ask when
    /// there is no history table.
    pub fn read_history(&self, existing: ExistingTables) -> Option<String> {
        if !existing.history {
            return None;
        }
        let as_text = match self.dialect {
            Dialect::MySql => "char",
            Dialect::Postgres | Dialect::Sqlite => "text",
        };
        let cast = |column: &str| format!("CAST({column} AS {as_text})");
        let history = self.quoted(&self.history);
        // SQLite numbers the history's rows in the order in which they come (sqlite.org/autoinc.html), and
        // keeps that order when it packs or dumps them.
        let sequence = match self.dialect {
            Dialect::Postgres | Dialect::MySql => "l.sequence",
            Dialect::Sqlite => "CASE WHEN l.revision IS NOT NULL THEN m.rowid END",
        };
        let mut sql = if existing.ledger {
            format!(
                "SELECT 'applied', m.version, {applied}, {sequence}, l.parents, l.message, l.checksum_algorithm, \
                 l.checksum, {moment} FROM {history} m LEFT JOIN {ledger} l ON l.revision = m.version",
                applied = cast("m.applied_at"),
                sequence = cast(sequence),
                moment = self.moment("l.applied_at"),
                ledger = self.quoted(&self.ledger),
            )
        } else {
            let null = cast("NULL");
            format!(
                "SELECT 'applied', m.version, {applied}, {null}, {null}, {null}, {null}, {null}, {null} \
                 FROM {history} m",
                applied = cast("m.applied_at"),
            )
        };
        if existing.journal {
            use std::fmt::Write;
            // Writing to a String can't fail.
            let _ = write!(
                sql,
                " UNION ALL SELECT 'journal', j.revision, {position}, {null}, j.direction, j.statement, j.state, {null}, \
                 {moment} FROM {journal} j",
                position = cast("j.position"),
                null = cast("NULL"),
                moment = self.moment("j.started_at"),
                journal = self.quoted(&self.journal),
            );
        }
        Some(sql)
    }

    /// Reads only which revisions are applied and whether a step is unfinished: as much as a start
    /// with nothing to do needs to know. Nothing to ask when there is no history table.
    pub fn read_applied(&self, existing: ExistingTables) -> Option<String> {
        if !existing.history {
            return None;
        }
        let mut sql = format!(
            "SELECT 'applied', version FROM {}",
            self.quoted(&self.history)
        );
        if existing.journal {
            sql.push_str(" UNION ALL SELECT 'journal', revision FROM ");
            sql.push_str(&self.quoted(&self.journal));
        }
        Some(sql)
    }

    /// SQLite: the same, with the applied revisions in one row, as a JSON array. Its driver hands rows over
    /// from another thread, one by one, for which the two may wake each other a thousand times.
    pub fn read_applied_together(&self) -> String {
        format!(
            "SELECT 'all applied', json_group_array(CAST(version AS text)) FROM {} \
             UNION ALL SELECT 'journal', revision FROM {}",
            self.quoted(&self.history),
            self.quoted(&self.journal)
        )
    }

    /// Understands the answer to [`Self::read_applied`] or [`Self::read_applied_together`]: the applied
    /// revisions in no order, or nothing if a step is unfinished.
    pub fn parse_applied(&self, rows: &[TextRow]) -> Option<Vec<RevisionId>> {
        let mut applied = Vec::with_capacity(rows.len());
        for row in rows {
            match (row.first()?.as_deref()?, row.get(1)?.as_deref()?) {
                ("applied", version) => applied.push(RevisionId::from(version)),
                ("all applied", versions) => {
                    let versions: Vec<String> = serde_json::from_str(versions).ok()?;
                    applied.extend(versions.into_iter().map(RevisionId::from));
                }
                _ => return None,
            }
        }
        Some(applied)
    }

    /// Understands the answer to [`Self::read_history`].
    pub fn parse_history(&self, rows: &[TextRow]) -> History {
        let mut recorded: Vec<(i64, AppliedRevision)> = Vec::new();
        let mut bare: Vec<AppliedRevision> = Vec::new();
        let mut journal: Vec<(RevisionId, Direction, u64, &TextRow)> = Vec::new();
        for row in rows {
            let column = |index: usize| row.get(index).and_then(Option::as_deref);
            let Some(id) = column(1).map(RevisionId::from) else {
                continue;
            };
            if column(0) == Some("journal") {
                let direction = direction_from(column(4));
                let position = column(2).and_then(|text| text.parse().ok()).unwrap_or(0);
                journal.push((id, direction, position, row));
                continue;
            }
            let seconds = column(2).and_then(|text| text.trim().parse::<i64>().ok());
            let applied_at = moment_from(column(8))
                .or_else(|| seconds.and_then(|s| DateTime::from_timestamp(s, 0)));
            let ledger = column(3)
                .and_then(|text| text.trim().parse::<i64>().ok())
                .map(|sequence| LedgerEntry {
                    sequence,
                    parents: parents_from(column(4)),
                    message: column(5).unwrap_or_default().to_owned(),
                    checksum: checksum_from(column(6), column(7)),
                });
            match ledger {
                Some(entry) => recorded.push((
                    entry.sequence,
                    AppliedRevision {
                        id,
                        applied_at,
                        ledger: Some(entry),
                        by_replacement: false,
                    },
                )),
                None => bare.push(AppliedRevision {
                    id,
                    applied_at,
                    ledger: None,
                    by_replacement: false,
                }),
            }
        }
        recorded.sort_by(|(a, x), (b, y)| a.cmp(b).then_with(|| x.id.cmp(&y.id)));
        bare.sort_by(|x, y| {
            x.applied_at
                .cmp(&y.applied_at)
                .then_with(|| x.id.cmp(&y.id))
        });
        History {
            applied: interleave(
                recorded.into_iter().map(|(_, applied)| applied).collect(),
                bare,
            ),
            interrupted: interrupted_from(journal),
            table_exists: true,
            replaced: Vec::new(),
        }
    }

    /// Reads a step's journal in order.
    pub fn read_journal(&self, revision: &RevisionId, direction: Direction) -> String {
        format!(
            "SELECT position, fingerprint, statement, state, definition_before, rows_affected, last_insert_id, \
             returned_rows, run_id FROM {} WHERE revision = {} AND direction = '{}' ORDER BY position",
            self.quoted(&self.journal),
            self.text(revision.as_str()),
            direction.as_str(),
        )
    }

    /// Understands the answer to [`Self::read_journal`].
    pub fn parse_journal(&self, rows: &[TextRow]) -> Vec<JournalEntry> {
        rows.iter()
            .map(|row| {
                let text = |index: usize| {
                    row.get(index)
                        .and_then(Option::as_deref)
                        .unwrap_or_default()
                };
                let number = |index: usize| text(index).trim().parse::<u64>().unwrap_or(0);
                JournalEntry {
                    position: number(0),
                    fingerprint: text(1).to_owned(),
                    statement: text(2).to_owned(),
                    // Whatever is not known to be done is in doubt.
                    state: match text(3) {
                        "done" => JournalState::Done,
                        "read" => JournalState::Read,
                        _ => JournalState::Started,
                    },
                    definition_before: row.get(4).cloned().flatten(),
                    returned_rows: row.get(7).cloned().flatten(),
                    rows_affected: number(5),
                    last_insert_id: number(6),
                    run_id: text(8).to_owned(),
                }
            })
            .collect()
    }

    /// Reads the audit trail, newest first: at most `limit` entries, those before the entry with
    /// the id `before` where one is given, and only about `revision` where one is given.
    pub fn read_audit(&self, limit: u64, before: Option<i64>, revision: Option<&str>) -> String {
        let mut conditions = Vec::new();
        if let Some(before) = before {
            conditions.push(format!("id < {before}"));
        }
        if let Some(revision) = revision {
            conditions.push(format!("revision = {}", self.text(revision)));
        }
        let filter = if conditions.is_empty() {
            String::new()
        } else {
            format!("WHERE {}", conditions.join(" AND "))
        };
        format!(
            "SELECT id, run_id, revision, action, outcome, {started}, duration_ms, actor, host, \
             application_version, rows_affected, error, detail FROM {audit} {filter} ORDER BY id DESC LIMIT {limit}",
            started = self.moment("started_at"),
            audit = self.quoted(&self.audit),
        )
    }

    /// How many entries of the audit trail a run has written about a revision, with this outcome or with
    /// any: one row, one number.
    pub fn count_audit(
        &self,
        run_id: &str,
        revision: &RevisionId,
        outcome: Option<&str>,
    ) -> String {
        let outcome = outcome.map_or_else(String::new, |outcome| {
            format!(" AND outcome = {}", self.text(outcome))
        });
        format!(
            "SELECT COUNT(*) FROM {} WHERE run_id = {} AND revision = {}{outcome}",
            self.quoted(&self.audit),
            self.text(run_id),
            self.text(revision.as_str())
        )
    }

    /// Understands the answer to [`Self::read_audit`].
    pub fn parse_audit(&self, rows: &[TextRow]) -> Vec<AuditEntry> {
        rows.iter()
            .map(|row| {
                let optional = |index: usize| row.get(index).cloned().flatten();
                let text = |index: usize| optional(index).unwrap_or_default();
                let number = |index: usize| {
                    optional(index).and_then(|value| value.trim().parse::<i64>().ok())
                };
                AuditEntry {
                    id: number(0).unwrap_or_default(),
                    run_id: text(1),
                    revision: RevisionId::from(text(2)),
                    action: text(3),
                    outcome: text(4),
                    started_at: moment_from(optional(5).as_deref()),
                    duration_ms: number(6).unwrap_or_default(),
                    actor: text(7),
                    host: text(8),
                    application_version: optional(9),
                    rows_affected: number(10),
                    error: optional(11),
                    detail: optional(12),
                }
            })
            .collect()
    }

    /// Reads who holds a lock.
    pub fn read_lease(&self, lock: &str) -> String {
        format!(
            "SELECT run_id, pid, host, application, session, {}, {} FROM {} WHERE name = {}",
            self.moment("acquired_at"),
            self.seconds_since("seen_at"),
            self.quoted(&self.lease),
            self.text(lock)
        )
    }

    /// Understands the answer to [`Self::read_lease`].
    pub fn parse_lease(&self, rows: &[TextRow]) -> Option<LeaseRow> {
        let row = rows.first()?;
        let optional = |index: usize| row.get(index).cloned().flatten();
        let number = |index: usize| optional(index).and_then(|value| value.trim().parse().ok());
        Some(LeaseRow {
            run_id: optional(0).unwrap_or_default(),
            pid: number(1),
            host: optional(2).unwrap_or_default(),
            application: optional(3).unwrap_or_default(),
            session: number(4),
            acquired_at: moment_from(optional(5).as_deref()),
            silent_seconds: number(6),
        })
    }

    /// The SQL that a revision ran when it was applied, from the ledger: one row, one JSON list.
    pub fn read_statements(&self, revision: &RevisionId) -> String {
        format!(
            "SELECT statements FROM {} WHERE revision = {}",
            self.quoted(&self.ledger),
            self.text(revision.as_str())
        )
    }
}

/// Puts revisions that only the history table knows among those of the ledger, by their time. The
/// ledger's own order stays: its clock may have been set back, its sequence not.
fn interleave(recorded: Vec<AppliedRevision>, bare: Vec<AppliedRevision>) -> Vec<AppliedRevision> {
    let mut applied = Vec::with_capacity(recorded.len() + bare.len());
    let mut bare = bare.into_iter().peekable();
    for entry in recorded {
        while let Some(earlier) = bare.next_if(|bare| bare.applied_at <= entry.applied_at) {
            applied.push(earlier);
        }
        applied.push(entry);
    }
    applied.extend(bare);
    applied
}

/// The unfinished steps among the journal's rows.
fn interrupted_from(
    mut journal: Vec<(RevisionId, Direction, u64, &TextRow)>,
) -> Vec<InterruptedStep> {
    journal.sort_by(|a, b| (&a.0, a.1.as_str(), a.2).cmp(&(&b.0, b.1.as_str(), b.2)));
    let mut steps: Vec<InterruptedStep> = Vec::new();
    for (revision, direction, position, row) in journal {
        let column = |index: usize| row.get(index).and_then(Option::as_deref);
        let same_step = steps
            .last()
            .is_some_and(|step| step.revision == revision && step.direction == direction);
        if !same_step {
            steps.push(InterruptedStep {
                revision,
                direction,
                started_at: moment_from(column(8)),
                statements_done: 0,
                in_doubt: None,
            });
        }
        if position == 0 {
            continue;
        }
        let Some(step) = steps.last_mut() else {
            continue;
        };
        // A statement is only started when the one before it is done.
        if step.in_doubt.take().is_some() {
            step.statements_done += 1;
        }
        match column(6) {
            Some("read") => {}
            Some("done") => step.statements_done += 1,
            _ => step.in_doubt = Some(column(5).unwrap_or_default().to_owned()),
        }
    }
    steps
}

fn direction_from(text: Option<&str>) -> Direction {
    if text == Some(Direction::Downgrade.as_str()) {
        Direction::Downgrade
    } else {
        Direction::Upgrade
    }
}

fn parents_from(text: Option<&str>) -> Vec<RevisionId> {
    let parents: Option<Vec<String>> = text.and_then(|text| serde_json::from_str(text).ok());
    parents
        .unwrap_or_default()
        .into_iter()
        .map(RevisionId::from)
        .collect()
}

fn checksum_from(algorithm: Option<&str>, checksum: Option<&str>) -> Checksum {
    match algorithm {
        Some(algorithm) => Checksum::Digest {
            algorithm: algorithm.to_owned(),
            digest: checksum.unwrap_or_default().to_owned(),
        },
        None => Checksum::NotComparable {
            reason: checksum.unwrap_or_default().to_owned(),
        },
    }
}

fn moment_from(text: Option<&str>) -> Option<DateTime<Utc>> {
    DateTime::parse_from_rfc3339(text?)
        .ok()
        .map(|moment| moment.to_utc())
}
