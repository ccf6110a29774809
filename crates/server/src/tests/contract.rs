//! The OpenAPI document is sound, and every endpoint answers what it says.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use axum::http::Method;
use futures_util::FutureExt;
use serde_json::Value;
use stairway_core::Error;
use stairway_plan::event::{EventKind, LockHolder, Stage};
use stairway_plan::plan::Direction;
use stairway_plan::position::DatabaseState;
use stairway_plan::revision::RevisionId;

use super::fake::{
    Behaviour, Endpoints, Reply, ask, entry, in_state, request, settings, unreachable,
};
use super::schema::{mismatches, resolve};
use crate::settings::ServerSettings;

fn document() -> Value {
    serde_json::from_slice(crate::openapi::document_bytes()).expect("the document is JSON")
}

/// Every value of the document with its path.
fn walk<'a>(value: &'a Value, at: &str, visit: &mut impl FnMut(&str, &'a Value)) {
    visit(at, value);
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                walk(member, &format!("{at}/{name}"), visit);
            }
        }
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                walk(item, &format!("{at}/{index}"), visit);
            }
        }
        _ => {}
    }
}

fn only(object: &Value, allowed: &[&str], required: &[&str], at: &str) {
    let object = object
        .as_object()
        .unwrap_or_else(|| panic!("{at} is no object"));
    for name in object.keys() {
        assert!(
            allowed.contains(&name.as_str()) || name.starts_with("x-"),
            "{at}: `{name}` is not of OpenAPI 3.1"
        );
    }
    for name in required {
        assert!(object.contains_key(*name), "{at}: `{name}` is missing");
    }
}

#[test]
fn the_document_follows_the_rules_of_openapi_3_1() {
    let document = document();
    only(
        &document,
        &[
            "openapi",
            "info",
            "jsonSchemaDialect",
            "servers",
            "paths",
            "webhooks",
            "components",
            "security",
            "tags",
            "externalDocs",
        ],
        &["openapi", "info", "paths"],
        "document",
    );
    assert!(
        document["openapi"]
            .as_str()
            .is_some_and(|version| version.starts_with("3.1."))
    );
    only(
        &document["info"],
        &[
            "title",
            "summary",
            "description",
            "termsOfService",
            "contact",
            "license",
            "version",
        ],
        &["title", "version"],
        "info",
    );
    only(
        &document["info"]["license"],
        &["name", "identifier", "url"],
        &["name"],
        "license",
    );
    let tags: BTreeSet<&str> = document["tags"]
        .as_array()
        .expect("tags")
        .iter()
        .filter_map(|tag| tag["name"].as_str())
        .collect();

    let mut ids = HashSet::new();
    for (path, item) in document["paths"].as_object().expect("paths") {
        assert!(path.starts_with('/'), "{path}");
        only(item, &["get"], &["get"], path);
        let operation = &item["get"];
        only(
            operation,
            &[
                "operationId",
                "tags",
                "summary",
                "description",
                "parameters",
                "responses",
                "deprecated",
            ],
            &["operationId", "responses", "summary"],
            path,
        );
        assert!(
            ids.insert(operation["operationId"].as_str().expect("an id")),
            "{path}: the id is used twice"
        );
        for tag in operation["tags"].as_array().into_iter().flatten() {
            assert!(
                tags.contains(tag.as_str().expect("a name")),
                "{path}: unknown tag {tag}"
            );
        }
        for parameter in operation["parameters"].as_array().into_iter().flatten() {
            let parameter = match parameter.get("$ref") {
                Some(reference) => resolve(&document, reference),
                None => parameter,
            };
            only(
                parameter,
                &["name", "in", "description", "required", "schema"],
                &["name", "in", "schema"],
                path,
            );
            assert_eq!(parameter["in"], "query", "{path}");
        }
        for (status, response) in operation["responses"].as_object().expect("responses") {
            assert!(
                status.len() == 3 && status.bytes().all(|byte| byte.is_ascii_digit()),
                "{path} {status}"
            );
            let response = match response.get("$ref") {
                Some(reference) => resolve(&document, reference),
                None => response,
            };
            only(
                response,
                &["description", "headers", "content", "links"],
                &["description"],
                path,
            );
            for (media_type, content) in response["content"].as_object().expect("content") {
                assert!(media_type.contains('/'), "{path}");
                only(
                    content,
                    &["schema", "example", "examples"],
                    &["schema"],
                    path,
                );
                if let Some(example) = content.get("example") {
                    assert_eq!(
                        mismatches(&document, &content["schema"], example, path),
                        [""; 0]
                    );
                }
            }
        }
    }

    let mut referenced = BTreeSet::new();
    walk(&document, "", &mut |at, value| {
        if let Some(reference) = value.get("$ref") {
            resolve(&document, reference);
            let siblings = value.as_object().map_or(0, serde_json::Map::len);
            assert_eq!(
                siblings, 1,
                "{at}: what stands beside a reference is easily overlooked"
            );
            referenced.insert(reference.as_str().expect("text").to_owned());
        }
    });
    for (kind, components) in document["components"].as_object().expect("components") {
        for name in components.as_object().expect("a map").keys() {
            assert!(
                referenced.contains(&format!("#/components/{kind}/{name}")),
                "{kind}/{name} is not used"
            );
        }
    }
}

#[test]
fn the_document_lists_every_state_and_stage() {
    let document = document();
    let listed = |name: &str| document["components"]["schemas"][name]["enum"].clone();
    let states: Vec<Value> = DatabaseState::ALL
        .iter()
        .map(|state| Value::from(state.as_str()))
        .collect();
    assert_eq!(listed("DatabaseState"), Value::from(states));
    let listed_stages = [
        Stage::Connect,
        Stage::Inspect,
        Stage::Backup,
        Stage::Migrate,
        Stage::Verify,
        Stage::Ready,
    ];
    assert_eq!(
        listed("Stage"),
        serde_json::to_value(listed_stages).expect("JSON")
    );
}

/// Fails unless the document has this answer.
fn assert_documented(document: &Value, path: &str, reply: &Reply) {
    let route = path.split('?').next().unwrap_or_default();
    let response = &document["paths"][route]["get"]["responses"][reply.status.as_str()];
    assert!(
        response.is_object(),
        "{path}: {} is not documented",
        reply.status
    );
    let response = match response.get("$ref") {
        Some(reference) => resolve(document, reference),
        None => response,
    };
    let media_type = reply
        .header("content-type")
        .split(';')
        .next()
        .unwrap_or_default();
    let content = &response["content"][media_type];
    assert!(
        content.is_object(),
        "{path}: {media_type} is not documented for {}",
        reply.status
    );
    let value = match media_type {
        "application/json" | "application/problem+json" => reply.json(),
        _ => Value::from(reply.text()),
    };
    let misses = mismatches(document, &content["schema"], &value, "$");
    assert!(
        misses.is_empty(),
        "{path} {}: {misses:#?}\n{value:#}",
        reply.status
    );
    for (name, header) in response["headers"].as_object().into_iter().flatten() {
        let header = resolve(document, &header["$ref"]);
        let value = Value::from(reply.header(name));
        assert_eq!(
            mismatches(document, &header["schema"], &value, name),
            [""; 0]
        );
    }
}

#[tokio::test]
async fn every_endpoint_answers_in_every_state_what_the_document_says() {
    let document = document();
    let mut seen: BTreeMap<String, BTreeSet<u16>> = BTreeMap::new();
    let mut paths: Vec<String> = document["paths"]
        .as_object()
        .expect("paths")
        .keys()
        .cloned()
        .collect();
    paths.push("/health/migrations?database=elsewhere".to_owned());
    paths.push("/health/migrations/history?database=elsewhere".to_owned());
    paths.push("/health/migrations/history?limit=0".to_owned());
    paths.push("/health/migrations?database=a&database=b".to_owned());
    paths.push("/?database=elsewhere".to_owned());
    paths.push("/?database=a&database=b".to_owned());

    let mut look = async |endpoints: &Endpoints| {
        for path in &paths {
            let reply = endpoints.get(path).await;
            assert_documented(&document, path, &reply);
            let route = path.split('?').next().unwrap_or_default();
            seen.entry(route.to_owned())
                .or_default()
                .insert(reply.status.as_u16());
        }
        for path in ["/health/ready", "/health/startup"] {
            let reply = ask(endpoints.probes(), request(Method::GET, path)).await;
            assert_documented(&document, path, &reply);
        }
    };

    let starting = Endpoints::new(settings());
    look(&starting).await;
    for kind in events() {
        starting.happens(1, kind);
        look(&starting).await;
    }
    let started = Endpoints::started(settings()).await;
    for state in DatabaseState::ALL {
        started.database().stand(in_state("default", state));
        look(&started).await;
    }
    started.database().record(vec![]);
    look(&started).await;
    let mut failed = entry(1);
    failed.outcome = "failed".to_owned();
    failed.error = Some("no".to_owned());
    failed.started_at = None;
    started.database().record(vec![failed]);
    look(&started).await;
    started.database().behave(Behaviour::Fails(unreachable()));
    look(&started).await;

    let failed = Endpoints::new(ServerSettings {
        fail_on_error: false,
        ..settings()
    });
    failed
        .database()
        .start_up_with(|| async { Err(Error::Configuration("no".to_owned())) }.boxed());
    failed.state.start_up().await.expect("it goes on");
    look(&failed).await;
    failed.state.stop();
    look(&failed).await;

    let several = Endpoints::of(&["a", "b"], settings());
    look(&several).await;
    several.databases[1].behave(Behaviour::Fails(unreachable()));
    look(&several).await;

    for (path, item) in document["paths"].as_object().expect("paths") {
        for status in item["get"]["responses"]
            .as_object()
            .expect("responses")
            .keys()
        {
            let status: u16 = status.parse().expect("a number");
            assert!(
                seen[path].contains(&status),
                "{path}: {status} is documented and was never seen"
            );
        }
    }
}

fn events() -> Vec<EventKind> {
    let revision = || RevisionId::from("m20260102_100000_add_email");
    vec![
        EventKind::StageStarted {
            stage: Stage::Connect,
        },
        EventKind::WaitingForDatabase {
            attempt: 1,
            error: "refused".to_owned(),
            retry_in_ms: 1,
            time_left_ms: 2,
        },
        EventKind::DatabaseReachable {
            dialect: "postgres".to_owned(),
            server_version: "15".to_owned(),
            elapsed_ms: 3,
        },
        EventKind::StageStarted {
            stage: Stage::Inspect,
        },
        EventKind::WaitingForLock {
            holder: Some(LockHolder::default()),
            waited_ms: 1,
            time_left_ms: 2,
        },
        EventKind::LockAcquired { waited_ms: 2 },
        EventKind::RunStarted {
            run_id: "r".to_owned(),
            direction: Direction::Upgrade,
            target: "heads".to_owned(),
            steps: 4,
        },
        EventKind::StageStarted {
            stage: Stage::Backup,
        },
        EventKind::BackupFinished {
            destination: "backups/x".to_owned(),
            bytes: 1,
            elapsed_ms: 1,
        },
        EventKind::StageStarted {
            stage: Stage::Migrate,
        },
        EventKind::StepStarted {
            revision: revision(),
            message: "m".to_owned(),
            direction: Direction::Upgrade,
            position: 1,
            total: 4,
            transactional: true,
        },
        EventKind::StatementFinished {
            revision: revision(),
            index: 1,
            rows_affected: 0,
            elapsed_ms: 1,
        },
        EventKind::StepFailed {
            revision: revision(),
            direction: Direction::Upgrade,
            elapsed_ms: 1,
            error: "deadlock".to_owned(),
            rolled_back: true,
        },
        EventKind::Retrying {
            attempt: 1,
            max_attempts: 3,
            error: "deadlock".to_owned(),
            retry_in_ms: 5,
        },
        EventKind::StepFinished {
            revision: revision(),
            direction: Direction::Upgrade,
            elapsed_ms: 1,
            statements: 1,
            rows_affected: 0,
        },
        EventKind::StageStarted {
            stage: Stage::Verify,
        },
    ]
}
