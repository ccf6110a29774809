//! `log`: the audit trail.

use clap::Args;
use serde_json::Value;
use stairway_core::plan::report::AuditEntry;

use super::Execute;
use crate::error::CommandError;
use crate::report::{Outcome, Report};
use crate::session::Session;
use crate::style::{BAD, DIM, GOOD, REVISION, Table, WARN, duration, plain, styled, time, visible};

/// Show the audit trail: who did what, when, and how it ended
///
/// Every attempt is in it: upgrades, downgrades, stamps, repairs; newest first. Only reads.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway log
  stairway log --limit 100 --output json
  stairway log --revision add_users
  stairway log --before 240")]
pub(crate) struct Arguments {
    /// At most this many entries
    #[arg(short = 'n', long, value_name = "N", default_value_t = 20, value_parser = clap::value_parser!(u64).range(1..))]
    limit: u64,
    /// Only entries about this revision
    #[arg(long, value_name = "REV")]
    revision: Option<String>,
    /// Only entries before the one with this number
    #[arg(long, value_name = "NUMBER")]
    before: Option<i64>,
}

impl Execute for Arguments {
    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let entries = session
            .manager()?
            .history(self.limit, self.before, self.revision.as_deref())
            .await?;
        let may_be_more = u64::try_from(entries.len()).is_ok_and(|found| found == self.limit);
        if let (true, Some(last)) = (may_be_more && session.console.is_text(), entries.last()) {
            session
                .console
                .note(&format!("older entries: stairway log --before {}", last.id));
        }
        Ok(Outcome::done(LogView { entries }))
    }
}

struct LogView {
    entries: Vec<AuditEntry>,
}

impl Report for LogView {
    fn json(&self) -> serde_json::Result<Value> {
        serde_json::to_value(&self.entries)
    }

    fn text(&self) -> String {
        if self.entries.is_empty() {
            return "The audit trail has no such entries\n".to_owned();
        }
        let mut table = Table::new(&[
            "number", "when", "what", "revision", "outcome", "took", "who",
        ]);
        for entry in &self.entries {
            let outcome_style = match entry.outcome.as_str() {
                "succeeded" => GOOD,
                "failed" => BAD,
                _ => WARN,
            };
            let version = entry
                .application_version
                .as_ref()
                .map(|version| format!(" ({version})"))
                .unwrap_or_default();
            table.row(vec![
                styled(DIM, entry.id.to_string()),
                plain(entry.started_at.map_or_else(|| "unknown".to_owned(), time)),
                plain(visible(&entry.action)),
                styled(REVISION, visible(entry.revision.as_str())),
                styled(outcome_style, visible(&entry.outcome)),
                plain(duration(u64::try_from(entry.duration_ms).unwrap_or(0))),
                plain(visible(&format!("{}@{}{version}", entry.actor, entry.host))),
            ]);
            for (style, words) in [(BAD, &entry.error), (DIM, &entry.detail)] {
                if let Some(words) = words.as_ref().filter(|words| !words.is_empty()) {
                    table.aside(style, visible(words));
                }
            }
        }
        table.text()
    }
}

#[cfg(test)]
mod tests {
    use chrono::DateTime;
    use stairway_core::plan::revision::RevisionId;

    use super::*;

    fn entry(id: i64, outcome: &str, error: Option<&str>) -> AuditEntry {
        AuditEntry {
            id,
            run_id: "r".to_owned(),
            revision: RevisionId::from("m1_users"),
            action: "upgrade".to_owned(),
            outcome: outcome.to_owned(),
            started_at: DateTime::from_timestamp(1_700_000_000, 0),
            duration_ms: 1_234,
            actor: "deploy".to_owned(),
            host: "web-1".to_owned(),
            application_version: (id == 2).then(|| "1.4".to_owned()),
            rows_affected: None,
            error: error.map(str::to_owned),
            detail: None,
        }
    }

    #[test]
    fn entries_stand_below_one_another_and_errors_below_theirs() {
        let view = LogView {
            entries: vec![
                entry(2, "succeeded", None),
                entry(1, "failed", Some("relation \"users\"\nexists")),
            ],
        };
        insta::assert_snapshot!(anstream::adapter::strip_str(&view.text()), @r#"
        number  when                     what     revision  outcome    took   who
        2       2023-11-14 22:13:20 UTC  upgrade  m1_users  succeeded  1.2 s  deploy@web-1 (1.4)
        1       2023-11-14 22:13:20 UTC  upgrade  m1_users  failed     1.2 s  deploy@web-1
                relation "users"\nexists
        "#);
    }
}
