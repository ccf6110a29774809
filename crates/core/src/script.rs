//! A plan as an SQL script, for a person or a client program to run.

use std::fmt::Write;

use stairway_plan::bookkeeping::{AuditRecord, Bookkeeping, StepRecord, Who};
use stairway_plan::plan::{Direction, Plan};
use stairway_plan::sql::{Dialect, StatementKind, classify, redact_statement};

use crate::config::Config;
use crate::error::Error;
use crate::executor::{Safety, safety_of};
use crate::migrations::MigrationSet;
use crate::render;
use crate::runner;

/// Fails unless every reference leads to a row: `PRAGMA foreign_key_check` alone only prints.
const CHECK_FOREIGN_KEYS: &str = "\
CREATE TEMP TABLE stairway_foreign_keys (violations integer CHECK (violations = 0));
INSERT INTO temp.stairway_foreign_keys SELECT count(*) FROM pragma_foreign_key_check;
DROP TABLE temp.stairway_foreign_keys;";

/// What the audit trail says of a step that a script did.
const DETAIL: &str = "by an SQL script; actor, host and version are those that wrote it";

/// Renders a plan's steps with the statements that record them, each step in a transaction where
/// the database and the revision allow it.
pub(crate) async fn script(
    migrations: &MigrationSet,
    books: &Bookkeeping,
    config: &Config,
    plan: &Plan,
) -> Result<String, Error> {
    let dialect = books.dialect();
    let who = Who {
        run_id: format!("offline-{}", runner::new_run_id()),
        actor: config.actor.clone(),
        host: config.host.clone(),
        application_version: config.application_version.clone(),
    };
    let mut text = String::new();
    line(
        &mut text,
        &format!(
            "-- {} of {} step(s) to {}",
            plan.direction.as_str(),
            plan.steps.len(),
            plan.target
        ),
    );
    line(
        &mut text,
        "-- Stop at the first error: psql -v ON_ERROR_STOP=1, mariadb without --force, sqlite3 -bail",
    );
    line(&mut text, "");
    for statement in books.create_tables() {
        line(&mut text, &format!("{statement};"));
    }
    for step in &plan.steps {
        let (Some(migration), Some(revision)) = (
            migrations.migration(&step.revision),
            migrations.graph().get(step.revision.as_str()),
        ) else {
            continue;
        };
        let rendered = render::render(&*migration, plan.direction, dialect).await;
        if let Some(reason) = rendered.incomplete {
            return Err(Error::Unsupported(format!(
                "{} can't be written as a script, because {reason}; run it against the database instead",
                step.revision
            )));
        }
        let transactional = safety_of(dialect, &*migration) == Safety::Transactional;
        line(&mut text, "");
        line(
            &mut text,
            &format!(
                "-- {}: {}",
                step.revision,
                step.message.replace(['\n', '\r'], " ")
            ),
        );
        let drops_table = dialect == Dialect::Sqlite
            && rendered
                .single_statements(dialect)
                .iter()
                .any(|statement| classify(statement, dialect).kind == StatementKind::DropTable);
        if transactional && dialect == Dialect::Sqlite {
            // Dropping a table with the switch on deletes the rows that refer to it, and inside a
            // transaction the switch has no effect.
            let switch = if drops_table { "OFF" } else { "ON" };
            line(&mut text, &format!("PRAGMA foreign_keys = {switch};"));
        }
        if transactional {
            line(&mut text, begin(dialect));
        }
        for statement in &rendered.statements {
            line(&mut text, &terminated(statement));
        }
        if transactional && drops_table {
            line(&mut text, CHECK_FOREIGN_KEYS);
        }
        let record = match plan.direction {
            Direction::Upgrade => {
                let checksum = render::render_for_comparison(&*migration, dialect)
                    .await
                    .checksum(dialect);
                let statements: Vec<String> = rendered
                    .statements
                    .iter()
                    .map(|sql| redact_statement(sql, dialect))
                    .collect();
                let step = StepRecord {
                    revision,
                    checksum: &checksum,
                    statements: &statements,
                    duration_ms: 0,
                };
                books.add_applied(&who, &step)
            }
            Direction::Downgrade => books.remove_applied(&step.revision),
        };
        line(&mut text, &terminated(&record));
        let audit = books.append_audit(
            &who,
            &AuditRecord {
                revision: &step.revision,
                action: plan.direction.as_str(),
                outcome: "succeeded",
                duration_ms: 0,
                rows_affected: None,
                error: None,
                detail: Some(DETAIL),
            },
        );
        line(&mut text, &terminated(&audit));
        if transactional {
            line(&mut text, "COMMIT;");
        }
    }
    Ok(text)
}

fn begin(dialect: Dialect) -> &'static str {
    match dialect {
        Dialect::Sqlite => "BEGIN IMMEDIATE;",
        Dialect::Postgres | Dialect::MySql => "BEGIN;",
    }
}

fn terminated(statement: &str) -> String {
    let statement = statement.trim_end().trim_end_matches(';');
    format!("{statement};")
}

fn line(text: &mut String, line: &str) {
    // Writing to a String can't fail.
    let _ = writeln!(text, "{line}");
}
