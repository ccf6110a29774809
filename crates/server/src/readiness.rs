//! Whether the service can take traffic, and why not.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use futures_util::future::join_all;
use serde::Serialize;
use stairway_plan::event::Stage;
use stairway_plan::position::DatabaseState;
use stairway_plan::report::StatusReport;
use stairway_plan::revision::RevisionId;

use crate::progress::{Progress, StartupReport, StartupStatus, Waiting};
use crate::redact::without_credentials;
use crate::settings::ReadyWhen;
use crate::state::{Database, ServerState};
use crate::unavailable::Unavailable;

/// What a readiness or start-up probe answers.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct ProbeReport {
    /// `ready`, `not_ready`, `starting`, `started`, `failed` or `stopping`.
    pub(crate) status: &'static str,
    /// The database that the status is about: the first that is in the way, or the first.
    #[serde(flatten)]
    pub(crate) database: DatabaseProbe,
    /// All databases, when there are several.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) databases: Vec<DatabaseProbe>,
}

/// One database in a probe's answer.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(crate) struct DatabaseProbe {
    pub(crate) database: String,
    pub(crate) ready: bool,
    /// Why it is not ready, in words.
    pub(crate) reason: Option<String>,
    /// Where the database stands, when it was asked and could be read.
    pub(crate) state: Option<DatabaseState>,
    pub(crate) startup: StartupStatus,
    pub(crate) stage: Stage,
    pub(crate) revision: Option<RevisionId>,
    pub(crate) message: Option<String>,
    pub(crate) progress: Option<Progress>,
    pub(crate) waiting_for: Option<Waiting>,
    pub(crate) error: Option<String>,
    pub(crate) hint: Option<String>,
    pub(crate) started_at: Option<DateTime<Utc>>,
    pub(crate) stage_started_at: Option<DateTime<Utc>>,
    pub(crate) finished_at: Option<DateTime<Utc>>,
}

impl ProbeReport {
    /// Whether the probe passes.
    pub(crate) fn is_ready(&self) -> bool {
        matches!(self.status, "ready" | "started")
    }

    /// What may be told on an address that strangers reach: no revisions and no errors.
    pub(crate) fn brief(mut self) -> Self {
        self.database = self.database.brief();
        self.databases = self
            .databases
            .into_iter()
            .map(DatabaseProbe::brief)
            .collect();
        self
    }

    fn of(status: impl Fn(&DatabaseProbe) -> &'static str, databases: Vec<DatabaseProbe>) -> Self {
        let in_the_way = databases.iter().position(|database| !database.ready);
        let database = databases[in_the_way.unwrap_or(0)].clone();
        Self {
            status: status(&database),
            database,
            databases: if databases.len() > 1 {
                databases
            } else {
                Vec::new()
            },
        }
    }
}

impl DatabaseProbe {
    fn new(startup: StartupReport) -> Self {
        Self {
            database: startup.database,
            ready: false,
            reason: None,
            state: None,
            startup: startup.status,
            stage: startup.stage,
            revision: startup.revision,
            message: startup.message,
            progress: startup.progress,
            waiting_for: startup.waiting_for,
            error: startup.error.as_deref().map(without_credentials),
            hint: startup.hint,
            started_at: startup.started_at,
            stage_started_at: startup.stage_started_at,
            finished_at: startup.finished_at,
        }
    }

    fn brief(self) -> Self {
        Self {
            reason: None,
            revision: None,
            message: None,
            waiting_for: None,
            error: None,
            hint: None,
            ..self
        }
    }
}

/// Whether start-up is over. It is also over when it failed and the server goes on all the same:
/// a start-up probe that fails for ever would have the process killed.
pub(crate) fn startup(state: &ServerState) -> ProbeReport {
    let databases = state.databases().iter().map(|database| {
        let mut probe = DatabaseProbe::new(database.startup());
        probe.ready = match probe.startup {
            StartupStatus::Started => true,
            StartupStatus::Failed => !state.settings().fails_with(&database.name),
            StartupStatus::Starting | StartupStatus::Stopped => false,
        };
        probe
    });
    let status = |probe: &DatabaseProbe| {
        if probe.ready {
            "started"
        } else {
            probe.startup.as_str()
        }
    };
    ProbeReport::of(status, databases.collect())
}

/// Whether the service can take traffic.
pub(crate) async fn readiness(state: &ServerState) -> ProbeReport {
    let stopping = state.is_stopping();
    let databases = state
        .databases()
        .iter()
        .map(|database| probe(state, database, stopping));
    let databases = join_all(databases).await;
    let status = |probe: &DatabaseProbe| match (probe.ready, probe.startup) {
        _ if stopping => "stopping",
        (true, _) => "ready",
        (false, StartupStatus::Starting) => "starting",
        (false, StartupStatus::Failed) => "failed",
        (false, StartupStatus::Started | StartupStatus::Stopped) => "not_ready",
    };
    ProbeReport::of(status, databases)
}

async fn probe(state: &ServerState, database: &Database, stopping: bool) -> DatabaseProbe {
    let mut probe = DatabaseProbe::new(database.startup());
    let policy = state.settings().ready_when;
    let over = matches!(
        probe.startup,
        StartupStatus::Started | StartupStatus::Failed
    );
    let blocked = if stopping {
        Some("the server is stopping".to_owned())
    } else if !over {
        Some("start-up is not over".to_owned())
    } else if policy == ReadyWhen::Started {
        (probe.startup == StartupStatus::Failed).then(|| "start-up failed".to_owned())
    } else {
        let answer = state.status(database).await;
        probe.state = answer.as_ref().ok().map(|snapshot| snapshot.report.state);
        not_ready(policy, &answer.map(|snapshot| snapshot.report.clone()))
    };
    probe.ready = blocked.is_none();
    probe.reason = blocked;
    probe
}

/// Why the policy does not let the service be ready, if it does not.
fn not_ready(policy: ReadyWhen, status: &Result<StatusReport, Arc<Unavailable>>) -> Option<String> {
    let report = match status {
        Ok(report) => report,
        Err(unavailable) => return Some(unavailable.detail.clone()),
    };
    let ready = match policy {
        ReadyWhen::Started => true,
        ReadyWhen::UpToDate => report.is_up_to_date,
        ReadyWhen::UpToDateOrAhead => report.is_up_to_date || report.state == DatabaseState::Ahead,
        ReadyWhen::NothingPending => report.pending_count == 0 && report.interrupted.is_empty(),
    };
    (!ready).then(|| match report.state {
        DatabaseState::Empty | DatabaseState::Behind | DatabaseState::Diverged => {
            format!(
                "the database is {}: {} revision(s) pending",
                report.state, report.pending_count
            )
        }
        state => format!("the database is {state}"),
    })
}
