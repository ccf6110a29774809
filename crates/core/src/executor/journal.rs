//! What a step has written into the journal, now and in earlier attempts, and how a rerun is
//! compared with it.

use std::collections::{BTreeMap, HashMap};

use stairway_plan::bookkeeping::{Bookkeeping, JournalEntry, JournalRecord, JournalState, Who};
use stairway_plan::sql::lexer::{TokenKind, tokens};
use stairway_plan::sql::{Dialect, ObjectName, Statement, StatementKind, checksum, fingerprint};

use super::Progress;
use super::kept::LARGEST;

/// All results that one step keeps may be so large together.
const LARGEST_TOGETHER: usize = 8 * LARGEST;

/// The transaction that is open in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Open {
    /// None.
    Nothing,
    /// One of ours around data statements that belong together.
    Group,
    /// The migration's own.
    Own,
}

/// Whether the entry that says that the step began is in the journal. It is written with the first
/// statement's, which saves a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    /// It is not.
    No,
    /// It was written in a transaction whose end decides.
    Maybe,
    /// It is.
    Yes,
}

/// The journal of one step.
#[derive(Debug)]
pub(super) struct Journal {
    begun: Begun,
    /// What earlier attempts wrote, by its place.
    earlier: BTreeMap<u64, JournalEntry>,
    /// The place of what comes next, from 1.
    next: u64,
    /// Statements known to be in the database.
    pub(super) done: u64,
    /// Data statements between two definitions share a transaction.
    pub(super) grouped: bool,
    pub(super) open: Open,
    /// SQLite: the open savepoints of a transaction that a savepoint began, from that one inwards;
    /// none in any other.
    savepoints: Vec<ObjectName>,
    /// What can't be settled; ends the step.
    pub(super) doubt: Option<String>,
    /// What was read since the last entry was written, to be written with the next.
    reads: Vec<KeptRead>,
    kept: usize,
    /// The last place whose statement was passed over because an earlier attempt did it.
    passed_over: u64,
    /// What lives in the session only, by its name in lower case, with the place after which it was
    /// made.
    of_the_session: HashMap<String, u64>,
}

#[derive(Debug)]
struct KeptRead {
    position: u64,
    fingerprint: String,
    statement: String,
    rows: Option<String>,
}

/// What the journal knows of a place.
#[derive(Debug)]
pub(super) enum Earlier {
    /// Nothing was there, or it was undone.
    Nothing,
    /// Another statement was there.
    Differs(String),
    /// It read.
    Read(Option<String>),
    /// It was done.
    Done(JournalEntry),
    /// It was started, and nothing came after it.
    Started(JournalEntry),
}

/// A statement that is written down.
#[derive(Clone, Debug)]
pub(super) struct Written<'a> {
    pub(super) position: u64,
    pub(super) mark: &'a str,
    pub(super) statement: &'a str,
    pub(super) state: JournalState,
    pub(super) before: Option<&'a str>,
    pub(super) rows: Option<&'a str>,
    pub(super) rows_affected: u64,
    pub(super) last_insert_id: u64,
}

impl Journal {
    /// Whether a later statement than the one at this place was sent.
    pub(super) fn is_past(&self, position: u64) -> bool {
        position + 1 < self.next
    }

    pub(super) fn new(earlier: BTreeMap<u64, JournalEntry>, begun: Begun, grouped: bool) -> Self {
        Self {
            begun,
            earlier,
            next: 1,
            done: 0,
            grouped,
            open: Open::Nothing,
            savepoints: Vec::new(),
            doubt: None,
            reads: Vec::new(),
            kept: 0,
            passed_over: 0,
            of_the_session: HashMap::new(),
        }
    }

    /// A transaction begins that no savepoint has begun.
    pub(super) fn forget_savepoints(&mut self) {
        self.savepoints.clear();
    }

    /// SQLite: this savepoint has begun a transaction.
    pub(super) fn begin_savepoints(&mut self, savepoint: &Statement) {
        self.savepoints.extend(savepoint.target.clone());
    }

    /// Follows the savepoints of a transaction that one of them began. Whether this statement has
    /// released that one: then SQLite commits. Of several with one name the innermost is meant, and
    /// those within it end with it (SQLite, "SAVEPOINT").
    pub(super) fn releases_the_last_savepoint(&mut self, statement: &Statement) -> bool {
        let Some(name) = &statement.target else {
            return false;
        };
        if self.savepoints.is_empty() {
            return false;
        }
        let innermost = self
            .savepoints
            .iter()
            .rposition(|open| open.name.eq_ignore_ascii_case(&name.name));
        match (statement.kind, innermost) {
            (StatementKind::Savepoint, _) => self.savepoints.push(name.clone()),
            (StatementKind::RollbackTo, Some(at)) => self.savepoints.truncate(at + 1),
            (StatementKind::Release, Some(at)) => self.savepoints.truncate(at),
            _ => {}
        }
        self.savepoints.is_empty()
    }

    /// The place of what comes next.
    pub(super) fn take_place(&mut self) -> u64 {
        let position = self.next;
        self.next += 1;
        position
    }

    /// What an earlier attempt sent at this place. Something is only sent when what was before it is
    /// done, so an entry with a successor needs no second mark.
    pub(super) fn earlier(&self, position: u64, mark: &Mark) -> Earlier {
        let Some(entry) = self.earlier.get(&position) else {
            return Earlier::Nothing;
        };
        if !mark.matches(&entry.fingerprint) {
            return Earlier::Differs(entry.statement.clone());
        }
        let has_successor = self.earlier.range(position + 1..).next().is_some();
        match entry.state {
            JournalState::Read => Earlier::Read(entry.returned_rows.clone()),
            JournalState::Done => Earlier::Done(entry.clone()),
            JournalState::Started if has_successor => Earlier::Done(entry.clone()),
            JournalState::Started => Earlier::Started(entry.clone()),
        }
    }

    /// The statement at this place was passed over.
    pub(super) fn passed_over(&mut self, position: u64) {
        self.done += 1;
        self.passed_over = self.passed_over.max(position);
    }

    /// The entry at this place is gone.
    pub(super) fn forget(&mut self, position: u64) {
        self.earlier.remove(&position);
    }

    /// A statement that an earlier attempt did and that this one has not sent.
    pub(super) fn not_sent(&self) -> Option<&JournalEntry> {
        self.earlier
            .range(self.next..)
            .map(|(_, entry)| entry)
            .find(|entry| entry.state != JournalState::Read)
    }

    /// The last statement of an earlier attempt, if it is not known to be done.
    pub(super) fn last_started(&self) -> Option<&JournalEntry> {
        self.earlier
            .values()
            .next_back()
            .filter(|entry| entry.state == JournalState::Started)
    }

    /// Notes what was read, to be written with the next entry.
    pub(super) fn note_read(
        &mut self,
        position: u64,
        mark: &Mark,
        statement: String,
        rows: Option<String>,
    ) {
        if self.earlier.contains_key(&position) {
            return;
        }
        let size = rows.as_ref().map_or(0, String::len);
        let fits = self.kept + size <= LARGEST_TOGETHER;
        if fits {
            self.kept += size;
        }
        self.reads.push(KeptRead {
            position,
            fingerprint: mark.text(),
            statement,
            rows: rows.filter(|_| fits),
        });
    }

    /// The statement that writes an entry and what was read before it.
    pub(super) fn write(
        &mut self,
        books: &Bookkeeping,
        who: &Who,
        progress: &Progress<'_>,
        entry: &Written<'_>,
    ) -> String {
        let reads = std::mem::take(&mut self.reads);
        let record = |position, state| JournalRecord {
            revision: &progress.revision.id,
            direction: progress.direction,
            position,
            fingerprint: "",
            statement: &progress.revision.message,
            state,
            definition_before: None,
            returned_rows: None,
            rows_affected: 0,
            last_insert_id: 0,
        };
        let mut records = Vec::new();
        let mut sql = String::new();
        match (self.begun, self.open) {
            (Begun::Yes, _) => {}
            // This is committed at once.
            (Begun::No, Open::Nothing) => {
                records.push(record(0, JournalState::Started));
                self.begun = Begun::Yes;
            }
            _ => {
                sql = books.begin_journal(who, &record(0, JournalState::Started));
                sql.push_str("; ");
                self.begun = Begun::Maybe;
            }
        }
        records.extend(reads.iter().map(|read| JournalRecord {
            fingerprint: &read.fingerprint,
            statement: &read.statement,
            returned_rows: read.rows.as_deref(),
            ..record(read.position, JournalState::Read)
        }));
        records.push(JournalRecord {
            fingerprint: entry.mark,
            statement: entry.statement,
            definition_before: entry.before,
            returned_rows: entry.rows,
            rows_affected: entry.rows_affected,
            last_insert_id: entry.last_insert_id,
            ..record(entry.position, entry.state)
        });
        sql.push_str(&books.write_journal(who, &records).unwrap_or_default());
        sql
    }

    /// Something that lives in the session only was made here; a rerun makes it anew.
    pub(super) fn made_for_session(&mut self, name: &str) {
        self.of_the_session
            .entry(name.to_ascii_lowercase())
            .or_insert(self.next);
    }

    /// Whether a statement names something that lives in the session only.
    pub(super) fn names_session_object(&self, text: &str, dialect: Dialect) -> bool {
        self.session_object(text, dialect).is_some()
    }

    /// What lives in the session only, is named by a statement that is about to run, and was made
    /// anew although statements after it had been done before: it may not hold what it held then.
    pub(super) fn remade(&self, text: &str, dialect: Dialect) -> Option<String> {
        self.session_object(text, dialect)
            .filter(|(_, made_at)| self.passed_over >= *made_at)
            .map(|(name, _)| name)
    }

    fn session_object(&self, text: &str, dialect: Dialect) -> Option<(String, u64)> {
        if self.of_the_session.is_empty() {
            return None;
        }
        tokens(text, dialect).find_map(|token| {
            let name = match token.kind {
                TokenKind::Word | TokenKind::Variable => token.text(text),
                TokenKind::QuotedIdentifier => token
                    .text(text)
                    .trim_matches(|c| matches!(c, '"' | '`' | '[' | ']')),
                _ => return None,
            };
            let name = name.to_ascii_lowercase();
            let made_at = *self.of_the_session.get(&name)?;
            Some((name, made_at))
        })
    }
}

/// What a statement is recognised by on a rerun: its exact text or, if that differs, its text without
/// what the clock and chance make (times, random identifiers), which comes out different each time.
#[derive(Clone, Debug)]
pub(super) struct Mark {
    exact: String,
    shape: String,
}

impl Mark {
    pub(super) fn of(text: &str, dialect: Dialect) -> Self {
        let shape = match checksum([text], dialect) {
            stairway_plan::history::Checksum::Digest { digest, .. } => digest,
            stairway_plan::history::Checksum::NotComparable { reason } => reason,
        };
        Self {
            exact: fingerprint(text),
            shape: shape.chars().take(31).collect(),
        }
    }

    /// Both in one, for the journal's column.
    pub(super) fn text(&self) -> String {
        format!("{}/{}", self.exact, self.shape)
    }

    fn matches(&self, written: &str) -> bool {
        match written.split_once('/') {
            Some((exact, shape)) => exact == self.exact || shape == self.shape,
            None => written == self.exact,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_with_another_time_in_it_is_the_same_and_with_another_word_is_not() {
        let mark = |text: &str| Mark::of(text, Dialect::MySql);
        let written = mark("INSERT INTO t VALUES ('2026-01-02 03:04:05')").text();
        assert!(written.len() <= 64, "{} characters", written.len());
        assert!(mark("INSERT INTO t VALUES ('2026-11-12 13:14:15')").matches(&written));
        assert!(!mark("INSERT INTO u VALUES ('2026-01-02 03:04:05')").matches(&written));
        assert!(!mark("INSERT INTO t VALUES ('x')").matches(&written));
    }

    #[test]
    fn a_temporary_table_filled_anew_after_later_statements_is_not_trusted() {
        let mut journal = Journal::new(BTreeMap::new(), Begun::No, false);
        journal.made_for_session("Seen");
        let insert = "INSERT INTO t SELECT * FROM `seen`";
        assert!(journal.names_session_object(insert, Dialect::MySql));
        assert_eq!(journal.remade(insert, Dialect::MySql), None);
        let place = journal.take_place();
        journal.passed_over(place);
        assert_eq!(
            journal.remade(insert, Dialect::MySql),
            Some("seen".to_owned())
        );
        assert_eq!(
            journal.remade("INSERT INTO t VALUES (1)", Dialect::MySql),
            None
        );
    }
}
