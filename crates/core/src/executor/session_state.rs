//! What a migration leaves in the session besides what it does to the database.
//!
//! Settings and roles are put back before each step. What can't be put back by a statement ends the
//! session: the next step gets a new one.

use stairway_plan::event::EventKind;
use stairway_plan::sql::lexer::{TokenKind, tokens};
use stairway_plan::sql::{Dialect, SettingScope, StatementKind, redact_statement};

use super::pieces::Piece;
use super::{Executor, Progress};

/// Settings that [`crate::connection::Baseline`] puts back on MySQL/MariaDB.
const PUT_BACK: [&str; 10] = [
    "autocommit",
    "foreign_key_checks",
    "idle_transaction_timeout",
    "innodb_lock_wait_timeout",
    "lock_wait_timeout",
    "max_statement_time",
    "names",
    "sql_mode",
    "time_zone",
    "unique_checks",
];

/// What is put back on an SQLite connection that can't be opened anew.
const SQLITE_PRAGMAS: &str = "PRAGMA legacy_alter_table = OFF; PRAGMA ignore_check_constraints = OFF; \
     PRAGMA recursive_triggers = OFF; PRAGMA query_only = OFF; PRAGMA writable_schema = OFF; \
     PRAGMA defer_foreign_keys = OFF; PRAGMA reverse_unordered_selects = OFF; \
     PRAGMA case_sensitive_like = OFF; PRAGMA automatic_index = ON";

/// Whether the session is still what it was.
#[derive(Debug, Default)]
pub(super) struct SessionState {
    /// Something was changed that only the session's end takes back.
    spent: bool,
    /// It is known to be as [`crate::connection::Baseline`] makes it, since nothing has run that could have
    /// changed it. Not followed on SQLite.
    untouched: bool,
    /// PostgreSQL: the database has no event triggers, which definitions would fire.
    no_event_triggers: bool,
    /// SQLite: whether foreign keys are enforced, where that is known.
    foreign_keys: Option<bool>,
}

impl SessionState {
    /// Nothing is known of the session.
    pub(super) fn forget(&mut self) {
        self.untouched = false;
        self.foreign_keys = None;
    }

    /// Whether the session is known to be as every step begins with it.
    pub(super) fn is_untouched(&self) -> bool {
        self.untouched
    }

    /// PostgreSQL: what a step was told in its transaction of event triggers.
    pub(super) fn hears_of_event_triggers(&mut self, there_are: bool) {
        self.no_event_triggers = !there_are;
    }

    /// SQLite: the statement before a transaction that switches the enforcement of foreign keys, with its
    /// semicolon; empty where it would change nothing. Inside the transaction nobody can switch it.
    pub(super) fn enforce_foreign_keys(&mut self, enforced: bool) -> String {
        if self.foreign_keys.replace(enforced) == Some(enforced) {
            return String::new();
        }
        let switch = if enforced { "ON" } else { "OFF" };
        format!("PRAGMA foreign_keys = {switch}; ")
    }

    /// What puts the session back before a step, with its semicolon; empty where nothing has changed it.
    pub(super) fn put_back(&mut self, reset: &str) -> String {
        self.foreign_keys = None;
        self.no_event_triggers = false;
        if std::mem::replace(&mut self.untouched, true) {
            return String::new();
        }
        format!("{reset}; ")
    }

    /// A step sends this.
    pub(super) fn sees(&mut self, piece: &Piece, dialect: Dialect) {
        let fires_nothing = dialect == Dialect::MySql || self.no_event_triggers;
        self.untouched &= fires_nothing && only_defines(piece, dialect);
    }
}

impl Executor<'_> {
    /// Takes note of what a statement does to the session, and says so unless what follows in the same
    /// string puts it back.
    pub(super) fn note_session_change(
        &mut self,
        progress: &Progress<'_>,
        piece: &Piece,
        following: &[Piece],
    ) {
        let dialect = self.session.dialect();
        let changes = piece.statement.changes_session()
            && !piece.switches_foreign_keys()
            && !(dialect == Dialect::Sqlite && piece.is_put_back_by(following));
        if changes {
            self.observers.emit(EventKind::Warning {
                message: format!(
                    "{} changes the session ({}); it is put back before the next step",
                    progress.revision.id,
                    redact_statement(&piece.text, dialect)
                ),
            });
        }
        self.state.spent |= outlasts_reset(piece, dialect);
    }

    /// Whether the next step needs a new session.
    pub(crate) fn needs_new_session(&self) -> bool {
        self.state.spent
    }

    /// Puts an SQLite connection back as far as statements can. Opening it anew would lose a
    /// database in memory.
    pub(crate) async fn tidy_connection(&mut self) -> Result<(), sqlx::Error> {
        self.state = SessionState::default();
        let attached = self
            .session
            .rows("SELECT name FROM pragma_database_list WHERE name NOT IN ('main', 'temp')")
            .await?;
        let temporary = self
            .session
            .rows("SELECT type, name FROM sqlite_temp_master WHERE type IN ('table', 'view', 'trigger') AND name NOT LIKE 'sqlite_%'")
            .await?;
        let mut sql = SQLITE_PRAGMAS.to_owned();
        for mut row in attached {
            if let Some(name) = row.pop().flatten() {
                let name = Dialect::Sqlite.quote_identifier(&name);
                sql = format!("{sql}; DETACH DATABASE {name}");
            }
        }
        for row in temporary {
            if let [Some(kind), Some(name)] = row.as_slice() {
                let name = Dialect::Sqlite.quote_identifier(name);
                sql = format!("{sql}; DROP {kind} IF EXISTS temp.{name}");
            }
        }
        self.session.run(sql).await.map(drop)
    }
}

/// Whether [`crate::connection::Baseline`] does not undo what a statement does to the session.
fn outlasts_reset(piece: &Piece, dialect: Dialect) -> bool {
    let statement = &piece.statement;
    if statement.temporary {
        return true;
    }
    match (dialect, statement.kind) {
        // Blocks, calls and what is not recognised (PREPARE, LISTEN) can do anything.
        (_, StatementKind::Do | StatementKind::Call | StatementKind::Other)
        | (Dialect::Postgres, StatementKind::Discard)
        | (Dialect::Sqlite, StatementKind::Attach | StatementKind::Detach)
        | (Dialect::MySql, StatementKind::SetRole) => true,
        (Dialect::Sqlite, StatementKind::PragmaWrite) => !piece.switches_foreign_keys(),
        (
            Dialect::MySql,
            StatementKind::Set {
                scope: SettingScope::Session | SettingScope::UserVariable,
            },
        ) => {
            // Of several assignments only the first is recognised.
            let is_put_back = statement
                .setting
                .as_deref()
                .is_some_and(|name| PUT_BACK.contains(&name));
            !is_put_back || piece.text.contains(',')
        }
        // `SELECT … INTO @name`.
        (Dialect::MySql, StatementKind::Query) => piece.text.contains('@'),
        _ => false,
    }
}

/// Whether a statement only defines tables or indexes, so that it calls no function and fires no trigger but
/// PostgreSQL's event triggers, any of which could change settings out of sight.
///
/// PostgreSQL's `ALTER TABLE` may compute defaults for rows that are there, its `CREATE TABLE … PARTITION OF`
/// bounds; what indexes call for rows that are there has its settings undone by the server
/// (`index_build` opens a level of settings of its own).
fn only_defines(piece: &Piece, dialect: Dialect) -> bool {
    let statement = &piece.statement;
    let is_definition = match statement.kind {
        StatementKind::CreateTable
        | StatementKind::DropTable
        | StatementKind::CreateIndex { .. }
        | StatementKind::DropIndex { .. } => dialect != Dialect::Sqlite,
        StatementKind::AlterTable | StatementKind::RenameTable => dialect == Dialect::MySql,
        _ => false,
    };
    // `CREATE TABLE … AS` reads, by functions perhaps.
    let words: &[&str] = match dialect {
        Dialect::Postgres => &[
            "as",
            "concurrently",
            "execute",
            "partition",
            "select",
            "values",
            "with",
        ],
        Dialect::MySql | Dialect::Sqlite => &["select", "values", "with"],
    };
    let has_one_of = || {
        tokens(&piece.text, dialect).any(|token| {
            let text = token.text(&piece.text);
            token.kind == TokenKind::Word
                && words.iter().any(|word| text.eq_ignore_ascii_case(word))
        })
    };
    is_definition && !statement.temporary && !has_one_of()
}

#[cfg(test)]
mod tests {
    use super::super::pieces::pieces;
    use super::*;

    fn outlasts(sql: &str, dialect: Dialect) -> bool {
        pieces(sql, dialect)
            .iter()
            .any(|piece| outlasts_reset(piece, dialect))
    }

    #[test]
    fn settings_that_are_put_back_do_not_cost_a_new_session() {
        for (sql, dialect) in [
            ("SET lock_timeout = '1s'", Dialect::Postgres),
            ("SET ROLE owner", Dialect::Postgres),
            (
                "SELECT set_config('search_path', '', false)",
                Dialect::Postgres,
            ),
            ("SET foreign_key_checks = 0", Dialect::MySql),
            ("USE other", Dialect::MySql),
            ("PRAGMA foreign_keys = OFF", Dialect::Sqlite),
            ("CREATE TABLE t (id int)", Dialect::MySql),
        ] {
            assert!(!outlasts(sql, dialect), "{sql}");
        }
    }

    #[test]
    fn what_only_the_end_of_the_session_takes_back_costs_one() {
        for (sql, dialect) in [
            ("CREATE TEMPORARY TABLE t (id int)", Dialect::Postgres),
            ("LISTEN news", Dialect::Postgres),
            ("DO $$ BEGIN PERFORM 1; END $$", Dialect::Postgres),
            ("SET sql_safe_updates = 1", Dialect::MySql),
            (
                "SET foreign_key_checks = 0, sql_log_bin = 0",
                Dialect::MySql,
            ),
            ("SET @before = 1", Dialect::MySql),
            ("SELECT max(id) INTO @last FROM t", Dialect::MySql),
            ("ATTACH DATABASE 'x' AS x", Dialect::Sqlite),
            ("PRAGMA recursive_triggers = ON", Dialect::Sqlite),
        ] {
            assert!(outlasts(sql, dialect), "{sql}");
        }
    }

    #[test]
    fn only_what_can_reach_no_function_and_no_trigger_leaves_the_session_untouched() {
        let untouched = |sql: &str, dialect: Dialect| {
            pieces(sql, dialect)
                .iter()
                .all(|piece| only_defines(piece, dialect))
        };
        for sql in [
            "CREATE TABLE t (id int DEFAULT 1)",
            "ALTER TABLE t ADD COLUMN selected int",
            "CREATE UNIQUE INDEX i ON t (id)",
            "DROP TABLE IF EXISTS t",
        ] {
            assert!(untouched(sql, Dialect::MySql), "{sql}");
        }
        for sql in [
            "INSERT INTO t VALUES (1)",
            "CREATE TABLE t AS SELECT f() AS x",
            "CREATE TEMPORARY TABLE t (id int)",
            "SET sql_mode = ''",
            "SET autocommit = 0",
            "USE other",
            "LOCK TABLES t WRITE",
            "CALL f()",
            "CREATE TABLE t (id int); SET sql_mode = ''",
        ] {
            assert!(!untouched(sql, Dialect::MySql), "{sql}");
        }
        for sql in [
            "CREATE TABLE t (id int DEFAULT f())",
            "CREATE INDEX i ON t (id)",
            "DROP TABLE t",
            "DROP INDEX i",
        ] {
            assert!(untouched(sql, Dialect::Postgres), "{sql}");
        }
        for sql in [
            // The default is computed at once.
            "ALTER TABLE t ADD COLUMN x int DEFAULT f()",
            "CREATE TABLE t AS EXECUTE q",
            "CREATE TABLE t (x) AS TABLE u",
            "CREATE TABLE t PARTITION OF u FOR VALUES FROM (f()) TO (g())",
            "CREATE TEMPORARY TABLE t (id int)",
            "CREATE EVENT TRIGGER e ON ddl_command_end EXECUTE FUNCTION f()",
            "INSERT INTO t VALUES (1)",
            "SELECT set_config('search_path', '', false)",
            "SET ROLE owner",
        ] {
            assert!(!untouched(sql, Dialect::Postgres), "{sql}");
        }
    }

    #[test]
    fn a_session_of_postgresql_stays_untouched_only_where_no_event_trigger_can_fire() {
        let piece = &pieces("CREATE TABLE t (id int)", Dialect::Postgres)[0];
        let after = |there_are: Option<bool>| {
            let mut state = SessionState::default();
            assert_eq!(state.put_back("RESET ALL"), "RESET ALL; ");
            if let Some(there_are) = there_are {
                state.hears_of_event_triggers(there_are);
            }
            state.sees(piece, Dialect::Postgres);
            state.put_back("RESET ALL")
        };
        assert_eq!(after(Some(false)), "");
        assert_eq!(after(Some(true)), "RESET ALL; ");
        assert_eq!(after(None), "RESET ALL; ", "nobody has asked");
    }
}
