//! What a person does to a database's books by hand: stamp, repair, unlock.

use std::time::Instant;

use stairway_plan::bookkeeping::{AuditRecord, Bookkeeping, StepRecord};
use stairway_plan::event::LockHolder;
use stairway_plan::history::{Checksum, History, InterruptedStep};
use stairway_plan::plan::{StampOptions, plan_stamp};
use stairway_plan::revision::{Revision, RevisionId};
use stairway_plan::sql::Dialect;

use crate::connection::{Access, Baseline, Session};
use crate::error::Error;
use crate::lock::{self, Acquired, Footing, LockKey};
use crate::manager::{Manager, RepairAction, RepairReport, StampReport};
use crate::{recorder, runner, wait};

/// Records revisions as applied, or not, without running them.
pub(crate) async fn stamp(
    manager: &Manager,
    targets: &[String],
    purge: bool,
    dry_run: bool,
) -> Result<StampReport, Error> {
    let options = StampOptions { purge };
    if dry_run {
        let history = manager.read_history().await?;
        let plan = plan_stamp(manager.graph(), &history, targets, options)?;
        return Ok(StampReport {
            added: plan.add,
            removed: plan.remove,
            dry_run,
        });
    }
    let run_id = runner::new_run_id();
    let (added, removed) = locked(
        manager,
        async |_: &mut Session, books: &Bookkeeping, history: History| {
            let plan = plan_stamp(manager.graph(), &history, targets, options)?;
            let mut sql = Vec::new();
            for revision in &plan.remove {
                let replaced = revision_of(manager, revision).replaces;
                sql.push(books.remove_applied(revision, &replaced));
                sql.push(books.clear_journal(revision));
                sql.push(audit(manager, books, &run_id, revision, "unstamp", None));
            }
            for id in &plan.add {
                let revision = revision_of(manager, id);
                sql.push(add_without_running(
                    manager,
                    books,
                    &run_id,
                    &revision,
                    "stamped: its SQL was not seen",
                ));
                sql.push(books.clear_journal(id));
                sql.push(audit(manager, books, &run_id, id, "stamp", None));
            }
            Ok(Change {
                sql,
                told: (plan.add, plan.remove),
            })
        },
    )
    .await?;
    Ok(StampReport {
        added,
        removed,
        dry_run,
    })
}

/// Settles an interrupted revision by a person's word.
pub(crate) async fn repair(
    manager: &Manager,
    action: RepairAction,
    revision: Option<&str>,
) -> Result<RepairReport, Error> {
    let run_id = runner::new_run_id();
    locked(manager, async |session: &mut Session, books: &Bookkeeping, history: History| {
        let step = chosen_step(&history, revision)?;
        let id = &step.revision;
        let (mut sql, description) = match action {
            RepairAction::Resume => {
                let rows = session
                    .rows(books.read_journal(id, step.direction))
                    .await
                    .map_err(|error| manager.query_error("reading the journal", &error))?;
                let last = books
                    .parse_journal(&rows)
                    .into_iter()
                    .next_back()
                    .filter(|entry| entry.position > 0);
                match last {
                    Some(entry) if step.in_doubt.is_some() => (
                        vec![books.remove_journal_entry(id, step.direction, entry.position)],
                        format!(
                            "statement {} counts as not done; the next {} of {id} runs it again: {}",
                            entry.position,
                            step.direction.as_str(),
                            entry.statement
                        ),
                    ),
                    _ => (
                        Vec::new(),
                        format!(
                            "no statement of {id} is in doubt; the next {} goes on with it",
                            step.direction.as_str()
                        ),
                    ),
                }
            }
            RepairAction::MarkApplied | RepairAction::MarkReverted => {
                let is_applied = history.applied_ids().any(|applied| applied == id);
                let wanted = action == RepairAction::MarkApplied;
                let change = match (wanted, is_applied) {
                    (true, false) => Some(add_without_running(
                        manager,
                        books,
                        &run_id,
                        &revision_of(manager, id),
                        "marked as applied by hand: its SQL was not seen to end",
                    )),
                    (false, true) => Some(books.remove_applied(id, &revision_of(manager, id).replaces)),
                    _ => None,
                };
                let word = if wanted { "applied" } else { "not applied" };
                (
                    change.into_iter().chain([books.clear_journal(id)]).collect(),
                    format!("{id} is recorded as {word}; its journal is cleared, none of its statements was run"),
                )
            }
        };
        sql.push(audit(manager, books, &run_id, id, "repair", Some(&description)));
        let told = RepairReport {
            revision: id.clone(),
            action: action.as_str().to_owned(),
            description,
        };
        Ok(Change { sql, told })
    })
    .await
}

/// Ends the session of whoever holds the lock.
pub(crate) async fn unlock(manager: &Manager) -> Result<Option<LockHolder>, Error> {
    let failed = |error: sqlx::Error| manager.query_error("breaking the migration lock", &error);
    let mut session = wait::connect_once(manager.config(), Access::Write).await?;
    let key = LockKey::of(manager.config(), manager.books(), &mut session)
        .await
        .map_err(failed)?;
    let holder = lock::holder(&key, manager.books(), &mut session)
        .await
        .map_err(failed)?;
    if holder.is_some() && !lock::break_lock(&key, &mut session).await.map_err(failed)? {
        session.close().await;
        return Err(Error::Unsupported(
            "the lock of an SQLite database belongs to its holder's process: end that process to free it".to_owned(),
        ));
    }
    if holder.is_some()
        && recorder::existing_tables(&mut session, manager.books())
            .await?
            .audit
    {
        let entry = audit(
            manager,
            manager.books(),
            &runner::new_run_id(),
            &RevisionId::from(""),
            "unlock",
            Some(&key.name),
        );
        session.run(entry).await.map_err(failed)?;
    }
    session.close().await;
    Ok(holder)
}

/// What is to be written, and what the caller is told when it is.
struct Change<T> {
    sql: Vec<String>,
    told: T,
}

/// Decides under the lock, with the tables made and the history read, what is to be written, and
/// writes it in one transaction.
async fn locked<T>(
    manager: &Manager,
    decide: impl AsyncFnOnce(&mut Session, &Bookkeeping, History) -> Result<Change<T>, Error>,
) -> Result<T, Error> {
    let mut session = wait::connect_once(manager.config(), Access::Write).await?;
    let mut restore = None;
    let result = locked_on(manager, &mut session, &mut restore, decide).await;
    session.retire(restore.as_deref(), false).await;
    result
}

async fn locked_on<T>(
    manager: &Manager,
    session: &mut Session,
    restore: &mut Option<String>,
    decide: impl AsyncFnOnce(&mut Session, &Bookkeeping, History) -> Result<Change<T>, Error>,
) -> Result<T, Error> {
    let config = manager.config();
    let failed = |error: sqlx::Error| manager.query_error("preparing the session", &error);
    let key = LockKey::of(config, manager.books(), session)
        .await
        .map_err(failed)?;
    key.check_writable(config)?;
    let footing = lock::examine(config, session, lock::Claim::default()).await?;
    if footing == Footing::Direct {
        let database = key.database.as_deref();
        let baseline = Baseline::prepare(session, database, config.statement_lock_timeout)
            .await
            .map_err(failed)?;
        *restore = baseline.restore;
    }
    let stop = manager.stop_handle().watch();
    let request = lock::Request {
        key: &key,
        books: manager.books(),
        config,
        observers: manager.observers(),
        stop: &stop,
        footing,
    };
    let (acquired, _) = request
        .acquire(session, Instant::now(), &mut lock::Always)
        .await?;
    let Acquired::Lock(lock) = acquired else {
        return Err(Error::LockLost { applied: 0 });
    };
    let books = key.located(manager.books());
    let result = change(manager, session, &request, &books, decide).await;
    lock.release(session).await;
    result
}

async fn change<T>(
    manager: &Manager,
    session: &mut Session,
    request: &lock::Request<'_>,
    books: &Bookkeeping,
    decide: impl AsyncFnOnce(&mut Session, &Bookkeeping, History) -> Result<Change<T>, Error>,
) -> Result<T, Error> {
    let failed = |error: sqlx::Error| manager.query_error("writing the history", &error);
    recorder::ensure_tables(session, books, request).await?;
    match (request.footing, books.dialect()) {
        (Footing::Pooled, _) => request.begin_locked(session, "").await?,
        (Footing::Direct, Dialect::Sqlite) => {
            session
                .run("BEGIN IMMEDIATE")
                .await
                .map(drop)
                .map_err(failed)?;
        }
        (Footing::Direct, _) => session.run("BEGIN").await.map(drop).map_err(failed)?,
    }
    let written = async {
        let history = recorder::read_history(session, books, manager.graph()).await?;
        let change = decide(session, books, history).await?;
        let sql = change
            .sql
            .into_iter()
            .chain(["COMMIT".to_owned()])
            .collect::<Vec<_>>()
            .join("; ");
        session.run(sql).await.map_err(failed)?;
        Ok(change.told)
    }
    .await;
    if written.is_err() {
        drop(session.run("ROLLBACK").await);
    }
    written
}

fn chosen_step(history: &History, revision: Option<&str>) -> Result<InterruptedStep, Error> {
    let names = || {
        let names: Vec<&str> = history
            .interrupted
            .iter()
            .map(|step| step.revision.as_str())
            .collect();
        if names.is_empty() {
            "none is".to_owned()
        } else {
            format!("interrupted: {}", names.join(", "))
        }
    };
    match (revision, history.interrupted.as_slice()) {
        (Some(wanted), steps) => {
            let matching: Vec<&InterruptedStep> = steps
                .iter()
                .filter(|step| step.revision.as_str().contains(wanted))
                .collect();
            match matching.as_slice() {
                [one] => Ok((*one).clone()),
                _ => Err(Error::Configuration(format!(
                    "`{wanted}` is not an interrupted revision; {}",
                    names()
                ))),
            }
        }
        (None, [one]) => Ok(one.clone()),
        (None, []) => Err(Error::Configuration(
            "nothing is to be repaired: no revision is interrupted".to_owned(),
        )),
        (None, _) => Err(Error::Configuration(format!(
            "say which revision; {}",
            names()
        ))),
    }
}

/// The revision in code, or as much of it as its id tells.
fn revision_of(manager: &Manager, id: &RevisionId) -> Revision {
    manager
        .graph()
        .get(id.as_str())
        .cloned()
        .unwrap_or_else(|| Revision::new(id.clone(), []))
}

fn add_without_running(
    manager: &Manager,
    books: &Bookkeeping,
    run_id: &str,
    revision: &Revision,
    reason: &str,
) -> String {
    let checksum = Checksum::NotComparable {
        reason: reason.to_owned(),
    };
    books.add_applied(
        &manager.runner().who(run_id),
        &StepRecord {
            revision,
            checksum: &checksum,
            statements: &[],
            duration_ms: 0,
            stands_for: &manager.graph().stands_for(revision),
        },
    )
}

fn audit(
    manager: &Manager,
    books: &Bookkeeping,
    run_id: &str,
    revision: &RevisionId,
    action: &str,
    detail: Option<&str>,
) -> String {
    books.append_audit(
        &manager.runner().who(run_id),
        &AuditRecord {
            revision,
            action,
            outcome: "succeeded",
            duration_ms: 0,
            rows_affected: None,
            error: None,
            detail,
        },
    )
}

impl RepairAction {
    /// The word for it on the command line and in the audit trail.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Resume => "resume",
            Self::MarkApplied => "mark-applied",
            Self::MarkReverted => "mark-reverted",
        }
    }
}
