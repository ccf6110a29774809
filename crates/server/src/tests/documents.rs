//! The pages for operators say what the server does: every endpoint, every metric, every example.

use std::collections::BTreeSet;

use serde_json::Value;
use stairway_plan::render::metrics::MigrationMetrics;

use super::schema::{mismatches, resolve};
use crate::settings::ReadyWhen;

const SERVER: &str = include_str!("../../../../docs/server.md");
const METRICS: &str = include_str!("../../../../docs/metrics.md");

fn document() -> Value {
    serde_json::from_slice(crate::openapi::document_bytes()).expect("the document is JSON")
}

/// The fenced blocks of a page in this language.
fn blocks<'a>(page: &'a str, language: &str) -> Vec<&'a str> {
    let opening = format!("```{language}\n");
    page.split(&opening)
        .skip(1)
        .map(|rest| rest.split("\n```").next().expect("a closed block"))
        .collect()
}

#[test]
fn every_endpoint_is_on_the_page() {
    for path in document()["paths"].as_object().expect("paths").keys() {
        assert!(
            SERVER.contains(&format!("`GET {path}`")),
            "{path} is not described"
        );
    }
    for name in document()["components"]["schemas"]["Problem"]["properties"]["type"]["enum"]
        .as_array()
        .expect("a list")
    {
        let name = name
            .as_str()
            .and_then(|name| name.strip_prefix(crate::problem::TYPE_PREFIX))
            .expect("a name");
        assert!(
            SERVER.contains(&format!("| `{name}` |")),
            "{name} is not described"
        );
    }
    for policy in ReadyWhen::ALL {
        assert!(
            SERVER.contains(&format!("| `{policy}` |")),
            "{policy} is not described"
        );
    }
}

#[test]
fn every_example_is_what_the_endpoint_may_answer() {
    let document = document();
    let examples = blocks(SERVER, "http");
    assert!(examples.len() > 5, "the examples were found");
    for example in examples {
        let mut lines = example.splitn(3, '\n');
        let path = lines
            .next()
            .and_then(|line| line.strip_prefix("GET "))
            .expect("a request");
        let (status, media_type) = lines
            .next()
            .and_then(|line| line.split_once(' '))
            .expect("a status");
        let body: Value = serde_json::from_str(lines.next().expect("a body"))
            .unwrap_or_else(|error| panic!("{path}: {error}"));
        let route = path.split('?').next().unwrap_or_default();
        let response = &document["paths"][route]["get"]["responses"][status];
        let response = response
            .get("$ref")
            .map_or(response, |reference| resolve(&document, reference));
        let schema = &response["content"][media_type]["schema"];
        assert_eq!(
            mismatches(&document, schema, &body, path),
            [""; 0],
            "{path} {status}"
        );
    }
}

#[test]
fn every_metric_is_on_the_page_with_its_type_and_no_other() {
    let text = MigrationMetrics::new(["default"]).render();
    let families: BTreeSet<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '))
        .collect();
    let described: BTreeSet<(&str, &str)> = METRICS
        .lines()
        .filter_map(|line| {
            let mut cells = line.strip_prefix("| `db_")?.split(" | ");
            let name = cells.next()?.strip_suffix('`')?;
            Some((name, cells.next()?))
        })
        .map(|(name, kind)| {
            (
                families
                    .iter()
                    .find(|(known, _)| *known == format!("db_{name}"))
                    .map_or(name, |(known, _)| *known),
                kind,
            )
        })
        .collect();
    assert_eq!(described, families);
}
