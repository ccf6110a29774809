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
                    stands_for: &migrations.graph().stands_for(revision),
                };
                books.add_applied(&who, &step)
            }
            Direction::Downgrade => books.remove_applied(&step.revision, &revision.replaces),
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

#[cfg(test)]
mod tests {
    use sea_orm::TransactionTrait;
    use sea_orm_migration::prelude::*;

    use super::*;
    use crate::Manager;

    struct Step(&'static str, Option<bool>);

    impl MigrationName for Step {
        fn name(&self) -> &str {
            self.0
        }
    }

    #[async_trait::async_trait]
    impl MigrationTrait for Step {
        fn use_transaction(&self) -> Option<bool> {
            self.1
        }

        async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
            let transaction = manager.get_connection().begin().await?;
            transaction
                .execute_unprepared("CREATE TABLE new_t (id int); DROP TABLE t")
                .await?;
            transaction
                .execute_unprepared("ALTER USER app PASSWORD 'swordfish'")
                .await?;
            transaction.commit().await
        }

        async fn down(&self, _: &SchemaManager) -> Result<(), DbErr> {
            Ok(())
        }
    }

    struct Ordinary;

    impl MigratorTrait for Ordinary {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            vec![Box::new(Step("m1_rebuild", None))]
        }
    }

    struct WithoutTransaction;

    impl MigratorTrait for WithoutTransaction {
        fn migrations() -> Vec<Box<dyn MigrationTrait>> {
            vec![Box::new(Step("m1_rebuild", Some(false)))]
        }
    }

    /// What the script has after the line that names the step, one statement a line, but for the
    /// records.
    async fn step<M: MigratorTrait>(url: &str) -> (Vec<String>, String) {
        let migrations = MigrationSet::from_migrator::<M>().unwrap();
        let manager = Manager::new(migrations, Config::new(url).unwrap());
        let text = manager
            .offline_sql(Direction::Upgrade, "heads")
            .await
            .unwrap();
        let (_, step) = text.split_once("-- m1_rebuild").unwrap();
        let (records, statements) = step
            .lines()
            .skip(1)
            .map(str::to_owned)
            .partition::<Vec<_>, _>(|line| {
                line.contains("seaql_migrations") || line.contains("stairway_audit")
            });
        (statements, records.join("\n"))
    }

    #[tokio::test]
    async fn a_transaction_of_the_migrations_own_is_a_savepoint_only_inside_another() {
        let (statements, _) = step::<Ordinary>("postgres://h/d").await;
        assert_eq!(statements[..2], ["BEGIN;", "SAVEPOINT stairway_1;"]);
        for url in ["postgres://h/d", "mysql://h/d", "sqlite://x.db"] {
            let (statements, _) = step::<WithoutTransaction>(url).await;
            assert_eq!(
                statements.first().map(String::as_str),
                Some("BEGIN;"),
                "{url}"
            );
            assert_eq!(
                statements.last().map(String::as_str),
                Some("COMMIT;"),
                "{url}"
            );
        }
        let (statements, _) = step::<Ordinary>("mysql://h/d").await;
        assert_eq!(statements[0], "BEGIN;", "there is no transaction around it");
        assert!(!statements.iter().any(|line| line.contains("SAVEPOINT")));
    }

    #[tokio::test]
    async fn dropping_a_table_on_sqlite_does_not_take_the_rows_that_refer_to_it_along() {
        let (statements, _) = step::<Ordinary>("sqlite://x.db").await;
        assert_eq!(statements[0], "PRAGMA foreign_keys = OFF;");
        assert_eq!(statements[1], "BEGIN IMMEDIATE;");
        let check = statements
            .iter()
            .position(|line| line.contains("pragma_foreign_key_check"))
            .expect("the references are checked");
        assert!(statements[check..].contains(&"COMMIT;".to_owned()));
    }

    #[tokio::test]
    async fn the_books_do_not_keep_the_secrets_of_a_script() {
        let (statements, records) = step::<Ordinary>("postgres://h/d").await;
        assert!(statements.iter().any(|line| line.contains("swordfish")));
        assert!(records.contains("ALTER USER"), "{records}");
        assert!(!records.contains("swordfish"), "{records}");
    }
}
