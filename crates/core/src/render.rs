//! The SQL of a revision, recorded without touching a database.

use sea_orm::{
    DbBackend, DbErr, ExecResult, MockDatabaseTrait, QueryResult, Statement, Transaction,
};
use sea_orm_migration::MigrationTrait;
use stairway_plan::plan::Direction;
use stairway_plan::sql::{Dialect, Rendering, split};

use std::sync::{Arc, Mutex, PoisonError};

use crate::bridge::{self, StepError};
use crate::executor::{Safety, safety_of};

/// What a revision sends, as far as can be told without a database.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct RenderedStep {
    /// The statements, values inlined, with those that open and close the migration's own
    /// transactions: savepoints where the step runs in one.
    pub(crate) statements: Vec<String>,
    /// The statements alone, as a run sees them.
    sent: Vec<String>,
    /// Why there may be more.
    pub(crate) incomplete: Option<String>,
}

impl RenderedStep {
    /// The statements one by one, without savepoints: what a checksum is taken over.
    pub(crate) fn single_statements(&self, dialect: Dialect) -> Vec<String> {
        self.sent
            .iter()
            .flat_map(|text| single_statements(text, dialect))
            .collect()
    }
}

/// Runs `up` or `down` against a recording connection. Reading is not possible there: a revision
/// that reads the database is recorded up to its first question.
pub(crate) async fn render(
    migration: &dyn MigrationTrait,
    direction: Direction,
    dialect: Dialect,
) -> RenderedStep {
    let recorded = Arc::new(Mutex::new(Recorded::default()));
    let connection = OfflineRecorder {
        dialect,
        in_transaction: safety_of(dialect, migration) == Safety::Transactional,
        recorded: Arc::clone(&recorded),
    };
    let outcome =
        bridge::run_guarded(migration, direction, bridge::connection_through(connection)).await;
    let mut recorded =
        std::mem::take(&mut *recorded.lock().unwrap_or_else(PoisonError::into_inner));
    let incomplete = match (recorded.question.take(), outcome) {
        (Some(question), _) => Some(format!("it reads the database: {question}")),
        (None, Ok(())) => None,
        (None, Err(StepError::Returned(error))) => Some(error.to_string()),
        (None, Err(StepError::Panicked(message))) => Some(format!("it panicked: {message}")),
    };
    RenderedStep {
        statements: recorded.statements,
        sent: recorded.sent,
        incomplete,
    }
}

/// What a revision sends, for comparing it with what it sent when it was applied. Recorded twice:
/// what differs between the two depends on the clock or on chance.
pub(crate) async fn render_for_comparison(
    migration: &dyn MigrationTrait,
    dialect: Dialect,
) -> Rendering {
    let first = render(migration, Direction::Upgrade, dialect).await;
    if let Some(reason) = first.incomplete {
        return Rendering::Unavailable { reason };
    }
    let second = render(migration, Direction::Upgrade, dialect).await;
    if first == second {
        Rendering::Statements(first.single_statements(dialect))
    } else {
        Rendering::Unavailable {
            reason: "its SQL differs each time it is made".to_owned(),
        }
    }
}

/// A statement as text, its bound values inlined.
pub(crate) fn statement_text(statement: &Statement) -> String {
    match statement.values {
        // Without values the text is exact; inlining could only spoil it.
        None => statement.sql.clone(),
        Some(_) => statement.to_string(),
    }
}

/// A text's statements, each for itself, which is what checksums are taken over.
pub(crate) fn single_statements(text: &str, dialect: Dialect) -> Vec<String> {
    split(text, dialect)
        .into_iter()
        .map(|piece| piece.text.to_owned())
        .collect()
}

#[derive(Debug, Default)]
struct Recorded {
    statements: Vec<String>,
    sent: Vec<String>,
    question: Option<String>,
    depth: usize,
}

/// A connection that answers every statement with success and writes it down.
#[derive(Debug)]
struct OfflineRecorder {
    dialect: Dialect,
    /// Whether the step runs in a transaction, within which there can only be savepoints.
    in_transaction: bool,
    recorded: Arc<Mutex<Recorded>>,
}

impl OfflineRecorder {
    fn note(&self, change: impl FnOnce(&mut Recorded)) {
        change(&mut self.recorded.lock().unwrap_or_else(PoisonError::into_inner));
    }

    /// Whether a transaction that the migration opens at this depth is one, and no savepoint.
    fn is_outermost(&self, depth: usize) -> bool {
        depth <= 1 && !self.in_transaction
    }

    fn close(&self, end: &str, release: &str) {
        self.note(|recorded| {
            let depth = recorded.depth;
            recorded.depth = depth.saturating_sub(1);
            recorded.statements.push(if self.is_outermost(depth) {
                end.to_owned()
            } else {
                format!("{release} stairway_{depth}")
            });
        });
    }
}

impl MockDatabaseTrait for OfflineRecorder {
    fn execute(&mut self, _: usize, statement: Statement) -> Result<ExecResult, DbErr> {
        let text = statement_text(&statement);
        self.note(|recorded| {
            recorded.statements.push(text.clone());
            recorded.sent.push(text);
        });
        bridge::exec_result(self.dialect, 0, 1)
    }

    fn query(&mut self, _: usize, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        let text = statement_text(&statement);
        self.note(|recorded| {
            recorded.question.get_or_insert_with(|| text.clone());
        });
        Err(bridge::bridge_error(format!(
            "not to be answered without a database: {text}"
        )))
    }

    fn begin(&mut self) {
        self.note(|recorded| {
            recorded.depth += 1;
            let depth = recorded.depth;
            recorded.statements.push(if self.is_outermost(depth) {
                "BEGIN".to_owned()
            } else {
                format!("SAVEPOINT stairway_{depth}")
            });
        });
    }

    fn commit(&mut self) {
        self.close("COMMIT", "RELEASE SAVEPOINT");
    }

    fn rollback(&mut self) {
        self.close("ROLLBACK", "ROLLBACK TO SAVEPOINT");
    }

    fn drain_transaction_log(&mut self) -> Vec<Transaction> {
        Vec::new()
    }

    fn get_database_backend(&self) -> DbBackend {
        bridge::backend_of(self.dialect)
    }

    fn ping(&self) -> Result<(), DbErr> {
        Ok(())
    }
}
