//! Databases that stand and behave as a test says, and the endpoints over them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use axum::Router;
use axum::body::{Body, Bytes};
use axum::http::{HeaderMap, Method, Request, StatusCode};
use chrono::{DateTime, Utc};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http_body_util::BodyExt;
use serde_json::Value;
use stairway_core::notify::Notification;
use stairway_core::{Error, MetricsObserver, Observer};
use stairway_plan::event::{Event, EventKind};
use stairway_plan::graph::RevisionGraph;
use stairway_plan::history::History;
use stairway_plan::position::{ChecksumComparison, DatabaseState, Position};
use stairway_plan::report::{AuditEntry, StatusReport};
use stairway_plan::revision::{Revision, RevisionId};
use tower::ServiceExt;

use crate::progress::StartupReport;
use crate::routes::{probe_router, router, standalone};
use crate::settings::ServerSettings;
use crate::source::{AuditPage, Ended, PendingStep, Source};
use crate::state::{RunObserver, ServerState};
use crate::unavailable::{Reason, Unavailable};

pub(crate) fn instant(second: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + second, 0).expect("in range")
}

/// Four revisions with a branch and its merge.
pub(crate) fn graph() -> RevisionGraph {
    let revision = |id: &str, parents: &[&str]| {
        Revision::new(id, parents.iter().map(|parent| RevisionId::from(*parent)))
    };
    RevisionGraph::new(vec![
        revision("m20260101_100000_create_users", &[]),
        revision(
            "m20260102_100000_add_email",
            &["m20260101_100000_create_users"],
        ),
        revision(
            "m20260103_100000_create_orders",
            &["m20260101_100000_create_users"],
        ),
        revision(
            "m20260104_100000_merge",
            &[
                "m20260102_100000_add_email",
                "m20260103_100000_create_orders",
            ],
        ),
    ])
    .expect("a sound graph")
}

/// Where a database stands that has applied the first so many revisions of the graph.
pub(crate) fn report(name: &str, applied: usize) -> StatusReport {
    let graph = graph();
    let history = History::of(
        graph
            .iter()
            .take(applied)
            .map(|revision| revision.id.clone()),
    );
    let position = Position::of(&graph, &history, &ChecksumComparison::default());
    StatusReport::new(position, name, "postgres", "postgres://db/shop", instant(0))
}

pub(crate) fn entry(id: i64) -> AuditEntry {
    AuditEntry {
        id,
        run_id: "r1".to_owned(),
        revision: RevisionId::from("m20260101_100000_create_users"),
        action: "upgrade".to_owned(),
        outcome: "succeeded".to_owned(),
        started_at: Some(instant(-60)),
        duration_ms: 1_250,
        actor: "deploy".to_owned(),
        host: "web-1".to_owned(),
        application_version: Some("1.4.2".to_owned()),
        rows_affected: Some(3),
        error: None,
        detail: None,
    }
}

pub(crate) fn unreachable() -> Unavailable {
    Unavailable {
        reason: Reason::Unreachable,
        detail:
            "the database postgres://db/shop could not be reached within 3 s (1 attempts): refused"
                .to_owned(),
        hint: Some("check that the server runs".to_owned()),
    }
}

/// How a made-up database answers questions.
#[derive(Clone, Debug)]
pub(crate) enum Behaviour {
    Answers(Box<StatusReport>),
    Fails(Unavailable),
    Hangs,
}

/// How start-up of a made-up database goes.
pub(crate) type StartUp = Box<dyn Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync>;

/// A made-up database.
pub(crate) struct FakeDatabase {
    graph: RevisionGraph,
    behaviour: Mutex<Behaviour>,
    audit: Mutex<Vec<AuditEntry>>,
    start_up: Mutex<StartUp>,
    pub(crate) questions: AtomicUsize,
    pub(crate) stops: AtomicUsize,
}

impl std::fmt::Debug for FakeDatabase {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("FakeDatabase").finish_non_exhaustive()
    }
}

impl FakeDatabase {
    pub(crate) fn behave(&self, behaviour: Behaviour) {
        *self.behaviour.lock().expect("no panic") = behaviour;
    }

    pub(crate) fn stand(&self, report: StatusReport) {
        self.behave(Behaviour::Answers(Box::new(report)));
    }

    pub(crate) fn record(&self, entries: Vec<AuditEntry>) {
        *self.audit.lock().expect("no panic") = entries;
    }

    pub(crate) fn start_up_with<F>(&self, start_up: F)
    where
        F: Fn() -> BoxFuture<'static, Result<(), Error>> + Send + Sync + 'static,
    {
        *self.start_up.lock().expect("no panic") = Box::new(start_up);
    }

    fn answer<T: Send + 'static>(
        &self,
        answer: impl FnOnce(StatusReport) -> T,
    ) -> BoxFuture<'static, Result<T, Unavailable>> {
        self.questions.fetch_add(1, Ordering::SeqCst);
        match self.behaviour.lock().expect("no panic").clone() {
            Behaviour::Answers(report) => {
                let answer = answer(*report);
                async move { Ok(answer) }.boxed()
            }
            Behaviour::Fails(why) => async move { Err(why) }.boxed(),
            Behaviour::Hangs => std::future::pending().boxed(),
        }
    }
}

impl Source for FakeDatabase {
    fn graph(&self) -> &RevisionGraph {
        &self.graph
    }

    fn status(&self) -> BoxFuture<'static, Result<StatusReport, Unavailable>> {
        self.answer(|report| report)
    }

    fn audit(&self, page: AuditPage) -> BoxFuture<'static, Result<Vec<AuditEntry>, Unavailable>> {
        let entries = self.audit.lock().expect("no panic").clone();
        let before = page.before.unwrap_or(i64::MAX);
        let entries = entries
            .into_iter()
            .filter(move |entry| entry.id < before)
            .filter(|entry| {
                page.revision
                    .as_deref()
                    .is_none_or(|id| id == entry.revision.as_str())
            })
            .take(usize::try_from(page.limit).unwrap_or(usize::MAX))
            .collect();
        self.answer(|_| entries)
    }

    fn preview(&self) -> BoxFuture<'static, Result<Vec<PendingStep>, Unavailable>> {
        self.answer(|report| {
            let steps = report
                .pending_migrations
                .into_iter()
                .map(|revision| PendingStep {
                    message: format!("message of {revision}"),
                    revision,
                    transactional: true,
                    sql: vec!["ALTER TABLE \"users\" ADD COLUMN \"email\" text".to_owned()],
                    incomplete: None,
                });
            steps.collect()
        })
    }

    fn start_up(&self) -> BoxFuture<'static, Ended> {
        let result = self.start_up.lock().expect("no panic")();
        result.map(|result| Ended { result, news: None }).boxed()
    }

    fn tell(&self, _: Notification) -> BoxFuture<'static, ()> {
        unreachable!("there is no news")
    }

    fn stop(&self) {
        self.stops.fetch_add(1, Ordering::SeqCst);
    }
}

/// The endpoints over made-up databases.
pub(crate) struct Endpoints {
    pub(crate) state: ServerState,
    pub(crate) databases: Vec<Arc<FakeDatabase>>,
    observers: Vec<RunObserver>,
}

impl Endpoints {
    /// One database, `default`, up to date, with start-up that has not begun.
    pub(crate) fn new(settings: ServerSettings) -> Self {
        Self::of(&["default"], settings)
    }

    pub(crate) fn of(names: &[&str], settings: ServerSettings) -> Self {
        let metrics = Arc::new(MetricsObserver::new(names.iter().copied()));
        let mut sources = Vec::new();
        let mut databases = Vec::new();
        let mut observers = Vec::new();
        for name in names {
            let database = Arc::new(FakeDatabase {
                graph: graph(),
                behaviour: Mutex::new(Behaviour::Answers(Box::new(report(name, 4)))),
                audit: Mutex::new(vec![entry(1)]),
                start_up: Mutex::new(Box::new(|| async { Ok(()) }.boxed())),
                questions: AtomicUsize::new(0),
                stops: AtomicUsize::new(0),
            });
            let startup = Arc::new(Mutex::new(StartupReport::new(name)));
            observers.push(RunObserver {
                startup: Arc::clone(&startup),
                metrics: Arc::clone(&metrics),
            });
            databases.push(Arc::clone(&database));
            sources.push(((*name).to_owned(), startup, database as Arc<dyn Source>));
        }
        let state = ServerState::assemble(sources, metrics, settings).expect("a sound state");
        Self {
            state,
            databases,
            observers,
        }
    }

    /// One database whose start-up is over.
    pub(crate) async fn started(settings: ServerSettings) -> Self {
        let endpoints = Self::new(settings);
        endpoints
            .state
            .start_up()
            .await
            .expect("start-up goes well");
        endpoints
    }

    pub(crate) fn database(&self) -> &FakeDatabase {
        &self.databases[0]
    }

    /// Something happens in a run of the first database.
    pub(crate) fn happens(&self, second: i64, kind: EventKind) {
        let event = Event {
            timestamp: instant(second),
            database: self.state.databases()[0].name.clone(),
            kind,
        };
        self.observers[0].observe(&event);
    }

    pub(crate) fn router(&self) -> Router {
        standalone(router(self.state.clone()))
    }

    pub(crate) fn probes(&self) -> Router {
        standalone(probe_router(self.state.clone()))
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        ask(self.router(), get_request(path)).await
    }
}

pub(crate) fn get_request(path: &str) -> Request<Body> {
    Request::get(path)
        .body(Body::empty())
        .expect("a sound request")
}

pub(crate) fn request(method: Method, path: &str) -> Request<Body> {
    let mut request = get_request(path);
    *request.method_mut() = method;
    request
}

pub(crate) async fn ask(router: Router, request: Request<Body>) -> Reply {
    let response = router
        .oneshot(request)
        .await
        .expect("a router does not fail");
    let (head, body) = response.into_parts();
    let body = body
        .collect()
        .await
        .expect("the body is in memory")
        .to_bytes();
    Reply {
        status: head.status,
        headers: head.headers,
        body,
    }
}

/// What an endpoint answered.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {}", self.text()))
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("UTF-8")
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self
            .headers
            .get(name)
            .unwrap_or_else(|| panic!("no header field {name}: {self:?}"));
        value.to_str().expect("plain text")
    }
}

/// Settings under which no answer is kept, so that a test sees each change at once.
pub(crate) fn settings() -> ServerSettings {
    ServerSettings {
        keep_answers: std::time::Duration::ZERO,
        version: "1.4.2".to_owned(),
        ..ServerSettings::default()
    }
}

pub(crate) fn in_state(name: &str, state: DatabaseState) -> StatusReport {
    let mut report = report(name, 4);
    report.state = state;
    report.is_up_to_date = state == DatabaseState::UpToDate;
    match state {
        DatabaseState::UpToDate => {}
        DatabaseState::Empty => return self::report(name, 0),
        DatabaseState::Behind => return self::report(name, 2),
        DatabaseState::Ahead => {
            report.unknown_revisions = vec![RevisionId::from("m20270101_100000_later")];
        }
        DatabaseState::Diverged => {
            report = self::report(name, 2);
            report.state = state;
            report.unknown_revisions = vec![RevisionId::from("m20270101_100000_later")];
        }
        DatabaseState::Interrupted => {
            report = self::report(name, 3);
            report.state = state;
            report.interrupted = vec![stairway_plan::history::InterruptedStep {
                revision: RevisionId::from("m20260104_100000_merge"),
                direction: stairway_plan::plan::Direction::Upgrade,
                started_at: Some(instant(-300)),
                statements_done: 2,
                in_doubt: Some("CREATE INDEX \"a\" ON \"b\" (\"c\")".to_owned()),
            }];
        }
        DatabaseState::Edited => {
            report.edited_revisions = vec![RevisionId::from("m20260102_100000_add_email")];
        }
    }
    report
}
