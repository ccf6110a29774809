//! Where the databases stand, and what was done to them.

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use futures_util::future::join_all;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use stairway_plan::report::{AuditEntry, StatusReport};

use super::{DatabaseQuery, chosen, json_of, json_response, parsed};
use crate::cached::Answer;
use crate::problem::Problem;
use crate::redact::without_credentials;
use crate::source::AuditPage;
use crate::state::{Database, ServerState, StatusSnapshot};
use crate::unavailable::Reason;

/// The version of the summary's form.
const SUMMARY_VERSION: u32 = 1;

/// Entries of a page of the audit trail: by default, and at most.
pub(crate) const DEFAULT_LIMIT: u64 = 50;
pub(crate) const MOST_ENTRIES: u64 = 500;

/// The status of the named or only database, or a summary of all.
pub(super) async fn migrations(
    State(state): State<ServerState>,
    query: Result<Query<DatabaseQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = parsed(query)?;
    if query.database.is_none() && state.databases().len() > 1 {
        return Ok(summary(&state).await);
    }
    let database = chosen(&state, query.database.as_deref())?;
    match state.status(database).await {
        Ok(snapshot) => Ok(json_response(snapshot.json.clone())),
        Err(why) => Err(Problem::unavailable(&why).with("database", json!(database.name))),
    }
}

#[derive(Serialize)]
struct Summary<'a> {
    schema_version: u32,
    is_up_to_date: bool,
    databases: Vec<&'a StatusReport>,
}

/// All databases: 200 when each could be read, otherwise a problem that still has those that could.
async fn summary(state: &ServerState) -> Response {
    let databases = state.databases();
    let answers: Vec<Answer<StatusSnapshot>> =
        join_all(databases.iter().map(|database| state.status(database))).await;
    let readable: Vec<&StatusReport> = answers
        .iter()
        .filter_map(|answer| answer.as_ref().ok().map(|snapshot| &snapshot.report))
        .collect();
    if readable.len() == databases.len() {
        return json_of(&Summary {
            schema_version: SUMMARY_VERSION,
            is_up_to_date: readable.iter().all(|report| report.is_up_to_date),
            databases: readable,
        });
    }
    let all: Vec<Value> = databases.iter().zip(&answers).map(summarised).collect();
    let detail = format!(
        "{} of {} databases could not be read",
        databases.len() - readable.len(),
        databases.len()
    );
    Problem::new(
        StatusCode::SERVICE_UNAVAILABLE,
        Reason::Unreachable.as_str(),
        Reason::Unreachable.title(),
        &detail,
    )
    .with("databases", Value::Array(all))
    .into_response()
}

fn summarised((database, answer): (&Database, &Answer<StatusSnapshot>)) -> Value {
    match answer {
        Ok(snapshot) => json!(snapshot.report),
        Err(why) => Problem::unavailable(why)
            .with("database", json!(database.name))
            .into_value(),
    }
}

/// Which entries of the audit trail are asked for.
#[derive(Debug, Default, Deserialize)]
pub(super) struct HistoryQuery {
    database: Option<String>,
    limit: Option<u64>,
    before: Option<i64>,
    revision: Option<String>,
}

#[derive(Serialize)]
struct HistoryPage<'a> {
    schema_version: u32,
    database: &'a str,
    /// Newest first.
    entries: &'a [AuditEntry],
    /// What to give as `before` for the next page; nothing on the last one.
    next_before: Option<i64>,
}

/// A page of the audit trail.
pub(super) async fn history(
    State(state): State<ServerState>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = parsed(query)?;
    let database = chosen(&state, query.database.as_deref())?;
    let limit = query.limit.unwrap_or(DEFAULT_LIMIT);
    if !(1..=MOST_ENTRIES).contains(&limit) {
        let detail = format!("`limit` must be between 1 and {MOST_ENTRIES}");
        return Err(Problem::bad_query(&detail));
    }
    // One more than asked for tells whether there is another page.
    let page = AuditPage {
        limit: limit + 1,
        before: query.before,
        revision: query.revision,
    };
    let found = state
        .audit(database, page)
        .await
        .map_err(|why| Problem::unavailable(&why).with("database", json!(database.name)))?;
    let mut entries = found.to_vec();
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let more = entries.len() > limit;
    entries.truncate(limit);
    for entry in &mut entries {
        entry.error = entry.error.take().map(|error| without_credentials(&error));
    }
    Ok(json_of(&HistoryPage {
        schema_version: 1,
        database: &database.name,
        next_before: entries.last().filter(|_| more).map(|entry| entry.id),
        entries: &entries,
    }))
}
