//! A plan as an SQL script, for a person or a client program to run.

use std::fmt::Write;

use stairway_plan::bookkeeping::{Bookkeeping, StepRecord, Who};
use stairway_plan::plan::{Direction, Plan};
use stairway_plan::sql::{Dialect, checksum};

use crate::config::Config;
use crate::error::Error;
use crate::executor::{Safety, safety_of};
use crate::migrations::MigrationSet;
use crate::render;
use crate::runner;

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
        if transactional {
            line(&mut text, begin(dialect));
        }
        for statement in &rendered.statements {
            line(&mut text, &terminated(statement));
        }
        let record = match plan.direction {
            Direction::Upgrade => {
                let checksum = checksum(rendered.statements.iter().map(String::as_str), dialect);
                let step = StepRecord {
                    revision,
                    checksum: &checksum,
                    statements: &rendered.statements,
                    duration_ms: 0,
                };
                books.add_applied(&who, &step)
            }
            Direction::Downgrade => books.remove_applied(&step.revision),
        };
        line(&mut text, &terminated(&record));
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
