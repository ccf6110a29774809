//! The page in every state: sound HTML, safe whatever the texts are, readable by everybody.

#[cfg(unix)]
mod browser;
mod colours;
mod outline;

use stairway_plan::event::Event;
use stairway_plan::event::{EventKind, LockHolder, Stage};
use stairway_plan::graph::RevisionGraph;
use stairway_plan::plan::Direction;
use stairway_plan::position::DatabaseState;
use stairway_plan::report::{AuditEntry, StatusReport};
use stairway_plan::revision::{Revision, RevisionId};

use super::*;
use crate::source::PendingStep;
use crate::tests::fake::{entry, graph, in_state, instant, unreachable};

/// What a page is made of, with a life of its own.
struct Scene {
    graph: RevisionGraph,
    startup: StartupReport,
    status: Result<StatusReport, Unavailable>,
    preview: Option<Result<Vec<PendingStep>, Unavailable>>,
    audit: Result<Vec<AuditEntry>, Unavailable>,
    others: Vec<(&'static str, DatabaseState)>,
}

impl Scene {
    /// Start-up is over and the database is in this state.
    fn of(state: DatabaseState) -> Self {
        let mut startup = StartupReport::new("default");
        startup.begin(instant(-10));
        startup.finish(instant(-5));
        let status = in_state("default", state);
        let preview = (status.pending_count > 0).then(|| Ok(preview(&status)));
        let mut failed = entry(3);
        failed.outcome = "failed".to_owned();
        failed.error = Some("deadlock detected".to_owned());
        failed.detail = Some("attempt 1 of 4".to_owned());
        Self {
            graph: graph(),
            startup,
            status: Ok(status),
            preview,
            audit: Ok(vec![failed, entry(2), entry(1)]),
            others: Vec::new(),
        }
    }

    /// Start-up is under way, and these things have happened.
    fn starting(kinds: impl IntoIterator<Item = EventKind>) -> Self {
        let mut scene = Self::of(DatabaseState::Behind);
        scene.preview = None;
        scene.startup = StartupReport::new("default");
        scene.startup.begin(instant(-10));
        for kind in kinds {
            let event = Event {
                timestamp: instant(-1),
                database: "default".to_owned(),
                kind,
            };
            scene.startup.observe(&event);
        }
        scene
    }

    fn render(&self) -> String {
        let drawing = GraphDrawing::of(&self.graph);
        let link = |(name, state): &(&'static str, DatabaseState)| DatabaseLink {
            name,
            startup: self.startup.clone(),
            status: Ok(in_state(name, *state)),
        };
        let page = StatusPage {
            base: "/",
            version: "1.4.2",
            database: "default",
            databases: self.others.iter().map(link).collect(),
            startup: self.startup.clone(),
            status: self.status.as_ref(),
            drawing: &drawing,
            preview: self
                .preview
                .as_ref()
                .map(|preview| preview.as_ref().map(Vec::as_slice)),
            audit: self.audit.as_ref().map(Vec::as_slice),
            now: instant(0),
        };
        page.render()
    }
}

fn preview(status: &StatusReport) -> Vec<PendingStep> {
    let steps = status.pending_migrations.iter().enumerate();
    steps
        .map(|(nth, revision)| PendingStep {
            revision: revision.clone(),
            message: "Create the orders table".to_owned(),
            transactional: nth != 1,
            sql: vec![
                "CREATE TABLE \"orders\" ( \"id\" bigint NOT NULL PRIMARY KEY, \"user_id\" bigint NOT NULL )".to_owned(),
                "CREATE INDEX \"orders_user\" ON \"orders\" (\"user_id\")".to_owned(),
            ],
            incomplete: (nth == 1).then(|| "it reads the database".to_owned()),
        })
        .collect()
}

fn step_started() -> EventKind {
    EventKind::StepStarted {
        revision: RevisionId::from("m20260103_100000_create_orders"),
        message: "Create the orders table".to_owned(),
        direction: Direction::Upgrade,
        position: 3,
        total: 4,
        transactional: true,
    }
}

/// Every scene by name.
fn scenes() -> Vec<(String, Scene)> {
    let mut scenes: Vec<(String, Scene)> = DatabaseState::ALL
        .iter()
        .map(|state| (state.as_str().to_owned(), Scene::of(*state)))
        .collect();
    scenes.push((
        "migrating".to_owned(),
        Scene::starting([
            EventKind::StageStarted {
                stage: Stage::Migrate,
            },
            step_started(),
            EventKind::StatementFinished {
                revision: RevisionId::from("m20260103_100000_create_orders"),
                index: 1,
                rows_affected: 0,
                elapsed_ms: 4,
            },
        ]),
    ));
    scenes.push((
        "waiting_for_database".to_owned(),
        Scene::starting([EventKind::WaitingForDatabase {
            attempt: 4,
            error: "connection refused".to_owned(),
            retry_in_ms: 800,
            time_left_ms: 41_000,
        }]),
    ));
    scenes.push((
        "waiting_for_lock".to_owned(),
        Scene::starting([EventKind::WaitingForLock {
            holder: Some(LockHolder {
                application: Some("stairway 7@web-2".to_owned()),
                ..LockHolder::default()
            }),
            waited_ms: 62_000,
            time_left_ms: 538_000,
        }]),
    ));
    let mut unreadable = Scene::of(DatabaseState::UpToDate);
    unreadable.status = Err(unreachable());
    unreadable.audit = Err(unreachable());
    scenes.push(("unreadable".to_owned(), unreadable));
    let mut failed = Scene::of(DatabaseState::Behind);
    failed.startup.stage = Stage::Migrate;
    failed.startup.fail(
        "upgrade of m20260103_100000_create_orders on postgres://db/shop failed (statement failed): relation \
         \"orders\" already exists; statement 1: CREATE TABLE \"orders\" (…); nothing of this revision is left"
            .to_owned(),
        Some("correct m20260103_100000_create_orders and run the same command again".to_owned()),
        instant(-2),
    );
    scenes.push(("failed".to_owned(), failed));
    let mut several = Scene::of(DatabaseState::UpToDate);
    several.others = vec![
        ("default", DatabaseState::UpToDate),
        ("billing & co", DatabaseState::Behind),
    ];
    scenes.push(("several".to_owned(), several));
    let mut long = Scene::of(DatabaseState::UpToDate);
    long.graph = long_graph();
    scenes.push(("long".to_owned(), long));
    scenes
}

/// Three hundred revisions in three branches.
fn long_graph() -> RevisionGraph {
    let id = |n: usize| {
        RevisionId::from(format!(
            "m{:08}_{:06}_revision_with_a_rather_long_name",
            20_260_101 + n,
            n
        ))
    };
    let revisions = (0..300)
        .map(|n| {
            let parents = match n {
                0 => vec![],
                100 => vec![id(80)],
                150 => vec![id(149), id(99)],
                _ => vec![id(n - 1)],
            };
            Revision::new(id(n), parents)
        })
        .collect();
    RevisionGraph::new(revisions).expect("a sound graph")
}

#[test]
fn the_page_is_sound_html_in_every_state() {
    for (name, scene) in scenes() {
        let html = scene.render();
        outline::check(&html).unwrap_or_else(|fault| panic!("{name}: {fault}"));
    }
}

#[test]
fn the_structure_that_a_screen_reader_gets() {
    for (name, scene) in scenes() {
        if name != "long" {
            insta::assert_snapshot!(format!("outline_{name}"), outline::outline(&scene.render()));
        }
    }
}

#[test]
fn nothing_from_a_database_or_a_revision_becomes_markup() {
    const HOSTILE: &str = "</title></style></pre></code><script>alert(1)</script><img src=x onerror=alert(2)>\" ' onload=\"x\u{202e}\u{0}&amp;";
    let mut scene = Scene::of(DatabaseState::Interrupted);
    let mut revision = Revision::new(HOSTILE, []);
    revision.message = HOSTILE.to_owned();
    revision.branch_labels = vec!["left".to_owned()];
    scene.graph = RevisionGraph::new(vec![revision]).expect("a sound graph");
    let id = || RevisionId::from(HOSTILE);
    let status = scene.status.as_mut().expect("readable");
    status.location = HOSTILE.to_owned();
    status.current_revisions = vec![id()];
    status.head_revisions = vec![id()];
    status.unknown_revisions = vec![id()];
    status.edited_revisions = vec![id()];
    status.out_of_order_revisions = vec![id()];
    for step in &mut status.interrupted {
        step.revision = id();
        step.in_doubt = Some(HOSTILE.to_owned());
    }
    scene.preview = Some(Ok(vec![PendingStep {
        revision: id(),
        message: HOSTILE.to_owned(),
        transactional: false,
        sql: vec![HOSTILE.to_owned()],
        incomplete: Some(HOSTILE.to_owned()),
    }]));
    let mut hostile = entry(1);
    hostile.revision = id();
    for text in [
        &mut hostile.action,
        &mut hostile.outcome,
        &mut hostile.actor,
        &mut hostile.host,
    ] {
        HOSTILE.clone_into(text);
    }
    hostile.error = Some(HOSTILE.to_owned());
    hostile.detail = Some(HOSTILE.to_owned());
    hostile.application_version = Some(HOSTILE.to_owned());
    scene.audit = Ok(vec![hostile]);
    let quiet = scene.render();
    scene
        .startup
        .fail(HOSTILE.to_owned(), Some(HOSTILE.to_owned()), instant(0));
    let failed = scene.render();
    scene.status = Err(Unavailable {
        detail: HOSTILE.to_owned(),
        hint: Some(HOSTILE.to_owned()),
        ..unreachable()
    });
    scene.preview = Some(Err(Unavailable {
        detail: HOSTILE.to_owned(),
        ..unreachable()
    }));
    let unreadable = scene.render();
    let mut busy = Scene::starting([
        EventKind::StageStarted {
            stage: Stage::Migrate,
        },
        EventKind::StepStarted {
            revision: id(),
            message: HOSTILE.to_owned(),
            direction: Direction::Upgrade,
            position: 1,
            total: 1,
            transactional: true,
        },
    ]);
    busy.startup.error = Some(HOSTILE.to_owned());
    for html in [quiet, failed, unreadable, busy.render()] {
        outline::check(&html).expect("sound");
        assert_eq!(html.matches("<script").count(), 1, "only our own");
        assert!(!html.contains("<img") && !html.contains("\u{202e}") && !html.contains('\0'));
        assert!(!html.contains("onload=\"x"));
    }
}

#[test]
fn the_page_needs_nothing_from_elsewhere_and_the_policy_names_what_it_has() {
    for (name, scene) in scenes() {
        let html = scene.render();
        for forbidden in [
            "http:",
            "https:",
            "url(",
            "@import",
            " style=",
            " src=",
            " onclick",
            "javascript:",
        ] {
            let found = html.matches(forbidden).count();
            // The namespace in the icon is a name, not an address.
            let allowed = usize::from(forbidden == "http:");
            assert!(found <= allowed, "{name}: {forbidden} {found} times");
        }
    }
    assert!(
        !STYLE.contains("</") && !SCRIPT.contains("</"),
        "they stand inside of their elements"
    );
    let policy = &**CONTENT_SECURITY_POLICY;
    assert!(
        policy.starts_with("default-src 'none'; style-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe"), "{policy}");
}

#[test]
fn the_page_stays_small_however_much_there_is_to_show() {
    let mut scene = Scene::of(DatabaseState::Behind);
    let mut before = None;
    let revisions: Vec<Revision> = (0..10_000)
        .map(|n| {
            let id = RevisionId::from(format!("m{n:05}_add_something_to_some_table"));
            Revision::new(id.clone(), before.replace(id))
        })
        .collect();
    let pending: Vec<PendingStep> = revisions
        .iter()
        .enumerate()
        .map(|(nth, revision)| PendingStep {
            revision: revision.id.clone(),
            message: revision.message.clone(),
            transactional: true,
            sql: if nth < 60 {
                vec!["x".repeat(100_000); 3]
            } else {
                Vec::new()
            },
            incomplete: None,
        })
        .collect();
    scene.graph = RevisionGraph::new(revisions).expect("a chain");
    scene.preview = Some(Ok(pending));
    let html = scene.render();
    assert!(html.len() < 600_000, "{} bytes", html.len());
    assert!(
        html.contains("And 9950 more"),
        "what is left out is counted"
    );
    outline::check(&html).expect("sound");
}
