//! The page for people.

use axum::extract::rejection::QueryRejection;
use axum::extract::{OriginalUri, Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{Html, IntoResponse, Response};
use chrono::Utc;
use futures_util::future::join_all;

use super::{DatabaseQuery, chosen, parsed};
use crate::page::{CONTENT_SECURITY_POLICY, DatabaseLink, StatusPage};
use crate::problem::Problem;
use crate::progress::StartupStatus;
use crate::source::AuditPage;
use crate::state::{Database, ServerState};

/// Entries of the audit trail on the page.
const SHOWN_ENTRIES: u64 = 15;

pub(super) async fn status_page(
    State(state): State<ServerState>,
    OriginalUri(uri): OriginalUri,
    query: Result<Query<DatabaseQuery>, QueryRejection>,
) -> Result<Response, Problem> {
    let query = parsed(query)?;
    let database = chosen(&state, query.database.as_deref())?;
    let page = AuditPage {
        limit: SHOWN_ENTRIES,
        before: None,
        revision: None,
    };
    let startup = database.startup();
    let (databases, status, audit) = tokio::join!(
        links(&state),
        state.status(database),
        state.audit(database, page),
    );
    // While start-up migrates, what is pending changes under the preview.
    let pending = match &status {
        Ok(snapshot) if startup.status != StartupStatus::Starting => {
            snapshot.report.pending_migrations.as_slice()
        }
        _ => &[],
    };
    let preview = match pending {
        [] => None,
        pending => Some(state.preview(database, pending).await),
    };
    let page = StatusPage {
        base: &base(uri.path()),
        version: &state.settings().version,
        database: &database.name,
        databases,
        startup,
        status: status
            .as_ref()
            .map(|snapshot| &snapshot.report)
            .map_err(AsRef::as_ref),
        drawing: &database.drawing,
        preview: preview.as_ref().map(|preview| {
            preview
                .as_ref()
                .map(|steps| steps.as_slice())
                .map_err(AsRef::as_ref)
        }),
        audit: audit
            .as_ref()
            .map(|entries| entries.as_slice())
            .map_err(AsRef::as_ref),
        now: Utc::now(),
    };
    let mut response = Html(page.render()).into_response();
    if let Ok(policy) = HeaderValue::from_str(&CONTENT_SECURITY_POLICY) {
        response
            .headers_mut()
            .insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    Ok(response)
}

/// How the others are, for the way there.
async fn links(state: &ServerState) -> Vec<DatabaseLink<'_>> {
    if state.databases().len() < 2 {
        return Vec::new();
    }
    let link = async |database: &'_ Database| state.status(database).await;
    let answers = join_all(state.databases().iter().map(link)).await;
    state
        .databases()
        .iter()
        .zip(answers)
        .map(|(database, answer)| DatabaseLink {
            name: &database.name,
            startup: database.startup(),
            status: answer.map(|snapshot| snapshot.report.clone()),
        })
        .collect()
}

/// The path that the endpoints stand under when the page has this path; ends in `/`, and begins with
/// exactly one, so that it never names another server.
fn base(path: &str) -> String {
    let path = path.trim_matches('/');
    if path.is_empty() {
        "/".to_owned()
    } else {
        format!("/{path}/")
    }
}

#[cfg(test)]
mod tests {
    //! Links lead back to this server wherever the router is mounted.

    use super::base;

    #[test]
    fn links_stay_on_this_server_wherever_the_router_is_mounted() {
        assert_eq!(base("/"), "/");
        assert_eq!(base(""), "/");
        assert_eq!(base("/ops/migrations"), "/ops/migrations/");
        assert_eq!(base("/ops/"), "/ops/");
        assert_eq!(base("//elsewhere.example"), "/elsewhere.example/");
    }
}
