//! What is written with `--output json` has the documented form.

use std::path::Path;

use serde_json::Value;

use crate::program::Place;

/// What is wrong with `value` by the rules of `schema`: the part of JSON Schema that our files use.
fn violations(schema: &Value, value: &Value, at: &str, found: &mut Vec<String>) {
    if let Some(types) = schema.get("type") {
        let names: Vec<&str> = match types {
            Value::Array(names) => names.iter().filter_map(Value::as_str).collect(),
            name => name.as_str().into_iter().collect(),
        };
        let fits = names.iter().any(|name| match *name {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "integer" => value.is_i64() || value.is_u64(),
            "boolean" => value.is_boolean(),
            "null" => value.is_null(),
            other => panic!("the schema has the type {other}"),
        });
        if !fits {
            found.push(format!("{at} is {value}, not {types}"));
        }
    }
    if let Some(allowed) = schema.get("enum").and_then(Value::as_array)
        && !allowed.contains(value)
    {
        found.push(format!("{at} is {value}, which is none of {allowed:?}"));
    }
    if let (Some(items), Some(values)) = (schema.get("items"), value.as_array()) {
        for (index, value) in values.iter().enumerate() {
            violations(items, value, &format!("{at}[{index}]"), found);
        }
    }
    let (Some(properties), Some(fields)) = (
        schema.get("properties").and_then(Value::as_object),
        value.as_object(),
    ) else {
        return;
    };
    for required in schema["required"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
    {
        if !fields.contains_key(required) {
            found.push(format!("{at} lacks {required}"));
        }
    }
    for (name, value) in fields {
        match properties.get(name) {
            Some(schema) => violations(schema, value, &format!("{at}.{name}"), found),
            None => found.push(format!("{at} has {name}, which is not documented")),
        }
    }
}

fn check(schema: &str, value: &Value) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../docs/json/{schema}.schema.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rules: Value = serde_json::from_str(&text).expect("a schema is JSON");
    let mut found = Vec::new();
    violations(&rules, value, schema, &mut found);
    assert!(found.is_empty(), "{found:#?}\nin {value:#}");
}

/// Calls the program and checks its result.
fn call(place: &Place, code: i32, schema: &str, line: &str) -> Value {
    let value = place.expect(code, &format!("{line} --output json")).json();
    check(schema, &value);
    value
}

#[test]
fn every_result_has_its_documented_form() {
    let place = Place::new();
    let status = call(&place, 0, "status", "status");
    assert_eq!(status["state"], "empty");
    assert_eq!(
        status["pending_count"],
        serde_json::json!(status["pending_migrations"].as_array().unwrap().len())
    );
    let dry = call(&place, 0, "run", "upgrade --dry-run");
    assert_eq!(dry["dry_run"], true);
    assert!(
        dry["steps"][0]["sql"][0]
            .as_str()
            .unwrap()
            .starts_with("CREATE TABLE")
    );
    let run = call(&place, 0, "run", "upgrade +3");
    assert_eq!(run["steps"].as_array().unwrap().len(), 3);
    assert_eq!(run["verified"], true);
    call(&place, 0, "run", "run");
    call(&place, 0, "run", "downgrade -1 --yes");
    call(&place, 3, "check", "check");
    call(&place, 0, "run", "upgrade");
    call(&place, 0, "check", "check");
    let history = call(&place, 0, "revisions", "history");
    let newest = &history[0];
    assert_eq!(newest["is_head"], true);
    assert_eq!(newest["is_current"], true);
    assert!(newest["applied_at"].as_str().unwrap().ends_with('Z'));
    let offline = call(&place, 0, "revisions", "history --offline");
    assert!(offline[0]["applied_at"].is_null());
    call(&place, 0, "revisions", "heads");
    call(&place, 0, "revisions", "current");
    call(&place, 0, "branches", "branches");
    call(&place, 0, "show", "show head");
    call(&place, 0, "graph", "graph");
    let log = call(&place, 0, "log", "log --limit 2");
    assert_eq!(log.as_array().unwrap().len(), 2);
    assert!(
        log[0]["id"].as_i64() > log[1]["id"].as_i64(),
        "newest first"
    );
    call(&place, 0, "stamp", "stamp base --dry-run");
    call(&place, 0, "wait", "wait");
    call(&place, 0, "backup", "backup");
    call(&place, 0, "unlock", "unlock");
    call(&place, 0, "text", "repair");
    call(&place, 0, "text", "upgrade --sql +2");
    call(&place, 0, "text", "completions bash");
    place.write("seen", "");
    let created = place.call_words(&[
        "create",
        "Add invoices",
        "--directory",
        ".",
        "--output",
        "json",
    ]);
    assert_eq!(created.code, 0, "{}", created.err);
    check("created", &created.json());
}

#[test]
fn a_failure_has_its_documented_form() {
    let place = Place::new();
    let usage = call(&place, 2, "error", "upgrade no_such_revision");
    assert_eq!(usage["error"]["kind"], "usage");
    // The tables are there, but not recorded: the first revision fails.
    place.expect(0, "upgrade +1");
    place.expect(0, "stamp base");
    let failed = call(&place, 1, "error", "upgrade");
    assert_eq!(failed["error"]["exit_code"], 1);
    assert_eq!(failed["error"]["revision"], "m20260105_090000_create_users");
    assert!(
        failed["error"]["statement"]
            .as_str()
            .unwrap()
            .starts_with("CREATE TABLE")
    );
}

#[test]
fn several_databases_make_one_value() {
    let place = Place::new();
    place.write(
        "stairway.toml",
        "[databases.one]\nurl = \"sqlite://one.db?mode=rwc\"\n[databases.two]\nurl_env = \"NOT_SET\"\n\
         [databases.three]\nurl = \"sqlite://three.db?mode=rwc\"\n",
    );
    let value = call(&place, 2, "databases", "upgrade --all");
    let codes: Vec<i64> = value["databases"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["exit_code"].as_i64().unwrap())
        .collect();
    assert_eq!(codes, [0, 2, 0]);
    check("run", &value["databases"][2]["result"]);
}

#[test]
fn every_documented_form_is_checked_here() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/json");
    let source = include_str!("json.rs");
    for entry in std::fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".schema.json") else {
            continue;
        };
        // A repair needs an interrupted step, which SQLite does not leave behind.
        assert!(
            name == "repair" || source.contains(&format!("\"{name}\"")),
            "{name} is not checked"
        );
    }
}
