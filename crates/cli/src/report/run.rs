//! What a run did, or would do.

use std::fmt::Write as _;

use serde_json::Value;
use stairway_core::plan::plan::Direction;
use stairway_core::{RunReport, StepReport};

use super::{Report, versioned};
use crate::style::{DIM, GOOD, HEADING, count, duration, paint, revision, revisions, visible};

/// A run for people and programs.
pub(crate) struct RunView {
    pub(crate) report: RunReport,
    /// Where the database is, without credentials.
    pub(crate) location: String,
}

impl Report for RunView {
    fn json(&self) -> serde_json::Result<Value> {
        versioned(&self.report)
    }

    fn text(&self) -> String {
        if self.report.dry_run {
            self.dry_run()
        } else {
            self.done()
        }
    }
}

impl RunView {
    fn database(&self) -> String {
        format!(
            "{} ({})",
            visible(&self.report.database),
            visible(&self.location)
        )
    }

    /// What was done, in one line or two.
    fn done(&self) -> String {
        let report = &self.report;
        if report.steps.is_empty() {
            return format!(
                "Nothing to {}: {} is at {}\n",
                crate::style::direction(report.direction),
                self.database(),
                revisions(&report.to)
            );
        }
        let done = match report.direction {
            Direction::Upgrade => "Applied",
            Direction::Downgrade => "Took back",
        };
        let verified = if report.verified { ", verified" } else { "" };
        let mut text = format!(
            "{} {} on {} in {}{verified}: {} -> {}\n",
            paint(GOOD, done),
            count(report.steps.len(), "revision"),
            self.database(),
            duration(report.elapsed_ms),
            revisions(&report.from),
            revisions(&report.to)
        );
        if let Some(backup) = &report.backup {
            let _ = writeln!(text, "Backup: {}", visible(&backup.display().to_string()));
        }
        text
    }

    /// What would be done, as an SQL script with comments.
    fn dry_run(&self) -> String {
        let report = &self.report;
        if report.steps.is_empty() {
            return format!(
                "-- dry run: nothing to {}, {} is at {}\n",
                crate::style::direction(report.direction),
                self.database(),
                revisions(&report.to)
            );
        }
        let would = match report.direction {
            Direction::Upgrade => "apply",
            Direction::Downgrade => "take back",
        };
        let mut text = comment(&format!(
            "dry run: would {would} {} on {}: {} -> {}",
            count(report.steps.len(), "revision"),
            self.database(),
            revisions(&report.from),
            revisions(&report.to)
        ));
        for (at, step) in report.steps.iter().enumerate() {
            text.push('\n');
            text.push_str(&dry_step(at + 1, report.steps.len(), step));
        }
        text
    }
}

fn dry_step(position: usize, total: usize, step: &StepReport) -> String {
    let transaction = if step.transactional {
        ""
    } else {
        " (not in one transaction)"
    };
    let mut text = comment(&format!(
        "{position}/{total} {}: {}{transaction}",
        revision(&step.revision),
        paint(HEADING, &visible(&step.message))
    ));
    if let Some(reason) = &step.incomplete {
        text.push_str(&comment(&format!(
            "not all of its SQL is known beforehand: {}",
            visible(reason)
        )));
    }
    if step.sql.is_empty() && step.incomplete.is_none() {
        text.push_str(&comment("no statement"));
    }
    for statement in &step.sql {
        let statement = statement.trim_end().trim_end_matches(';');
        let lines: Vec<_> = statement.lines().map(visible).collect();
        text.push_str(&lines.join("\n"));
        text.push_str(";\n");
    }
    text
}

fn comment(text: &str) -> String {
    format!("{} {text}\n", paint(DIM, "--"))
}

#[cfg(test)]
mod tests {
    use stairway_core::plan::revision::RevisionId;

    use super::*;

    fn view(dry_run: bool, steps: Vec<StepReport>) -> RunView {
        let to = steps
            .last()
            .map(|step| step.revision.clone())
            .into_iter()
            .collect();
        RunView {
            report: RunReport {
                run_id: "19c-1".to_owned(),
                database: "shop".to_owned(),
                direction: Direction::Upgrade,
                dry_run,
                from: Vec::new(),
                to,
                steps,
                backup: (!dry_run).then(|| "backups/shop.sql".into()),
                elapsed_ms: 1_320,
                verified: !dry_run,
            },
            location: "postgres://db/shop".to_owned(),
        }
    }

    fn step(id: &str, sql: &[&str]) -> StepReport {
        StepReport {
            revision: RevisionId::from(id),
            message: "Create users".to_owned(),
            transactional: id.contains("users"),
            sql: sql.iter().map(|&sql| sql.to_owned()).collect(),
            incomplete: None,
            elapsed_ms: 12,
            rows_affected: 0,
        }
    }

    fn shown(report: &dyn Report) -> String {
        anstream::adapter::strip_str(&report.text()).to_string()
    }

    #[test]
    fn a_run_is_told_in_a_line() {
        insta::assert_snapshot!(shown(&view(false, vec![step("m1_users", &[]), step("m2_index", &[])])), @r"
        Applied 2 revisions on shop (postgres://db/shop) in 1.3 s, verified: nothing -> m2_index
        Backup: backups/shop.sql
        ");
    }

    #[test]
    fn a_run_without_steps_says_where_the_database_is() {
        let mut nothing = view(false, Vec::new());
        nothing.report.to = vec![RevisionId::from("m1_users")];
        insta::assert_snapshot!(shown(&nothing), @"Nothing to upgrade: shop (postgres://db/shop) is at m1_users");
    }

    #[test]
    fn a_dry_run_is_a_script_whose_explanations_are_comments() {
        let mut reads = step("m3_fill", &[]);
        reads.incomplete = Some("it reads the table users".to_owned());
        let steps = vec![
            step(
                "m1_users",
                &["CREATE TABLE users (\n  id int\n)", "SELECT 1;"],
            ),
            step("m2_index", &["CREATE INDEX CONCURRENTLY i ON users (id)"]),
            reads,
            step("m4_empty", &[]),
        ];
        let text = shown(&view(true, steps));
        for line in text
            .lines()
            .filter(|line| line.contains("m2_index") || line.contains("reads"))
        {
            assert!(line.starts_with("-- "), "{line}");
        }
        insta::assert_snapshot!(text, @r"
        -- dry run: would apply 4 revisions on shop (postgres://db/shop): nothing -> m4_empty

        -- 1/4 m1_users: Create users
        CREATE TABLE users (
          id int
        );
        SELECT 1;

        -- 2/4 m2_index: Create users (not in one transaction)
        CREATE INDEX CONCURRENTLY i ON users (id);

        -- 3/4 m3_fill: Create users (not in one transaction)
        -- not all of its SQL is known beforehand: it reads the table users

        -- 4/4 m4_empty: Create users (not in one transaction)
        -- no statement
        ");
    }
}
