//! `check`: what continuous integration should refuse.

use std::fmt::Write as _;

use clap::{Args, ValueEnum};
use serde::Serialize;
use serde_json::Value;
use stairway_core::DatabaseSource;
use stairway_core::plan::diff::Answers;
use stairway_core::plan::report::StatusReport;
use stairway_core::plan::revision::RevisionId;
use stairway_core::side::{Side, SideError};

use super::{Execute, Needs};
use crate::comparison::compare;
use crate::error::CommandError;
use crate::exit_code;
use crate::report::{Outcome, Report, versioned};
use crate::session::Session;
use crate::style::{BAD, GOOD, count, direction, names, paint, revision, visible};

/// Find what continuous integration should refuse
///
/// Exits with 3 if there is a finding: revisions that make no graph, several heads, revisions that
/// are pending, edited after having been applied, or interrupted, and entities that are not what the
/// revisions make. Only reads.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  stairway check                      everything
  stairway check --offline            the graph and its heads, without a database
  stairway check --ignore pending     before a deployment, when something is pending on purpose")]
pub(crate) struct Arguments {
    /// Look only at the revisions, not at a database
    #[arg(long)]
    offline: bool,
    /// A kind of finding to pass over
    #[arg(long, value_enum, value_name = "KIND", value_delimiter = ',')]
    ignore: Vec<Kind>,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
enum Kind {
    /// The revisions make no graph
    Graph,
    /// The graph has several heads
    SeveralHeads,
    /// Revisions are not applied
    Pending,
    /// Pending revisions stand below applied ones
    OutOfOrder,
    /// Revisions were changed after having been applied
    Edited,
    /// A step began and did not finish
    Interrupted,
    /// The entities are not what the revisions make
    Entities,
}

#[derive(Debug, Serialize)]
struct Finding {
    kind: Kind,
    message: String,
    revisions: Vec<RevisionId>,
    hint: &'static str,
}

#[derive(Debug, Serialize)]
struct CheckReport {
    database: Option<String>,
    findings: Vec<Finding>,
}

impl Execute for Arguments {
    fn needs(&self) -> Needs {
        if self.offline {
            Needs::Offline
        } else {
            Needs::Databases
        }
    }

    async fn execute(&self, session: &Session<'_>) -> Result<Outcome, CommandError> {
        let mut report = CheckReport {
            database: None,
            findings: Vec::new(),
        };
        match &session.manager {
            Err(error) => report.findings.push(Finding {
                kind: Kind::Graph,
                message: error.to_string(),
                revisions: Vec::new(),
                hint: "correct the revisions, then build again",
            }),
            Ok(manager) => {
                report
                    .findings
                    .extend(several_heads(&manager.graph().heads()));
                if !self.offline {
                    let status = manager.migration_status().await?;
                    let strict = manager.config().plan.strict_order;
                    report.findings.extend(of_database(&status, strict));
                    if !status.unknown_revisions.is_empty() {
                        session.console.note(&format!(
                            "the database has revisions that this build does not know: {}",
                            names(&status.unknown_revisions)
                        ));
                    }
                    let at_head = status.is_up_to_date;
                    report.database = Some(status.database);
                    if session.entities.is_some() && !self.ignore.contains(&Kind::Entities) {
                        report
                            .findings
                            .extend(entities_differ(session, at_head).await?);
                    }
                }
            }
        }
        report
            .findings
            .retain(|finding| !self.ignore.contains(&finding.kind));
        let code = if report.findings.is_empty() {
            exit_code::DONE
        } else {
            exit_code::DIFFERENT
        };
        Ok(Outcome::with_code(report, code))
    }
}

/// Compares what the revisions make with what the entities say. Where no scratch database can be made
/// for the revisions, a database at the head stands for them.
async fn entities_differ(
    session: &Session<'_>,
    at_head: bool,
) -> Result<Option<Finding>, CommandError> {
    let no_answers = Answers::new();
    let with = async |side: Side| compare(session, &side, &Side::Entities, &no_answers).await;
    let mut compared = with(Side::Revisions).await;
    if let Err(CommandError::Side(SideError::Scratch { .. })) = &compared
        && at_head
        && let DatabaseSource::Url(url) = &session.manager()?.config().database
    {
        compared = with(Side::Database(url.clone())).await;
    }
    let compared = match compared {
        Ok(compared) => compared,
        Err(CommandError::Side(
            error @ (SideError::Scratch { .. } | SideError::Unreadable { .. }),
        )) => {
            session.console.warning(&format!(
                "revisions and entities were not compared: {error}"
            ));
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let changes = compared.difference.changes;
    if changes.is_empty() {
        return Ok(None);
    }
    let mut message = format!(
        "the entities and the revisions differ in {}",
        count(changes.len(), "change")
    );
    for change in changes.iter().take(10) {
        let _ = write!(
            message,
            "; {}",
            change.description.lines().next().unwrap_or_default()
        );
    }
    Ok(Some(Finding {
        kind: Kind::Entities,
        message,
        revisions: Vec::new(),
        hint: "write the revision that is missing with `stairway create --autogenerate`",
    }))
}

fn several_heads(heads: &[RevisionId]) -> Option<Finding> {
    (heads.len() > 1).then(|| Finding {
        kind: Kind::SeveralHeads,
        message: format!("the graph has {} heads", heads.len()),
        revisions: heads.to_vec(),
        hint: "join them with `stairway merge`",
    })
}

/// What is found in a database's status.
fn of_database(status: &StatusReport, strict_order: bool) -> Vec<Finding> {
    let mut findings = Vec::new();
    if !status.pending_migrations.is_empty() {
        findings.push(Finding {
            kind: Kind::Pending,
            message: format!("{} not applied", count(status.pending_count, "revision")),
            revisions: status.pending_migrations.clone(),
            hint: "apply them with `stairway upgrade`",
        });
    }
    if strict_order && !status.out_of_order_revisions.is_empty() {
        findings.push(Finding {
            kind: Kind::OutOfOrder,
            message: "pending revisions stand below applied ones, and strict order refuses them"
                .to_owned(),
            revisions: status.out_of_order_revisions.clone(),
            hint: "let them follow the head instead",
        });
    }
    if !status.edited_revisions.is_empty() {
        findings.push(Finding {
            kind: Kind::Edited,
            message: format!(
                "{} changed after having been applied",
                count(status.edited_revisions.len(), "revision")
            ),
            revisions: status.edited_revisions.clone(),
            hint: "take the change back and put it into a new revision",
        });
    }
    for step in &status.interrupted {
        let doubt = step
            .in_doubt
            .as_ref()
            .map(|sql| format!("; in doubt is: {sql}"))
            .unwrap_or_default();
        findings.push(Finding {
            kind: Kind::Interrupted,
            message: format!(
                "an {} began and did not finish, {} done{doubt}",
                direction(step.direction),
                count(
                    usize::try_from(step.statements_done).unwrap_or(usize::MAX),
                    "statement"
                )
            ),
            revisions: vec![step.revision.clone()],
            hint: "run the same command again, or see `stairway repair`",
        });
    }
    findings
}

impl Report for CheckReport {
    fn json(&self) -> serde_json::Result<Value> {
        versioned(self)
    }

    fn text(&self) -> String {
        if self.findings.is_empty() {
            let scope = match &self.database {
                Some(name) => format!("the revisions and the database {}", visible(name)),
                None => "the revisions".to_owned(),
            };
            return format!("{}: nothing found in {scope}\n", paint(GOOD, "ok"));
        }
        let mut text = String::new();
        for finding in &self.findings {
            let _ = writeln!(
                text,
                "{} {}",
                paint(BAD, "found:"),
                visible(&finding.message)
            );
            for id in &finding.revisions {
                let _ = writeln!(text, "  {}", revision(id));
            }
            let _ = writeln!(text, "  hint: {}", finding.hint);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_finding_is_named_with_its_revisions_and_its_cure() {
        let ids = |names: &[&str]| {
            names
                .iter()
                .map(|name| RevisionId::from(*name))
                .collect::<Vec<_>>()
        };
        let report = CheckReport {
            database: None,
            findings: several_heads(&ids(&["m2_a", "m2_b"])).into_iter().collect(),
        };
        insta::assert_snapshot!(anstream::adapter::strip_str(&report.text()), @r"
        found: the graph has 2 heads
          m2_a
          m2_b
          hint: join them with `stairway merge`
        ");
        assert!(several_heads(&ids(&["only"])).is_none());
    }

    #[test]
    fn nothing_found_says_where_was_looked() {
        let report = CheckReport {
            database: Some("shop".to_owned()),
            findings: Vec::new(),
        };
        insta::assert_snapshot!(
            anstream::adapter::strip_str(&report.text()),
            @"ok: nothing found in the revisions and the database shop"
        );
    }
}
