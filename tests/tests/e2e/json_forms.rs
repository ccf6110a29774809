//! What is written with `--output json` has the documented form, on each database.

use std::path::Path;

use serde_json::Value;
use stairway_tests::{TestDatabase, has_programs, on_each_backend, stairway};

use crate::calls;

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

/// Fails unless `value` has the form of this file in `docs/json`.
#[track_caller]
pub(crate) fn check(schema: &str, value: &Value) {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../docs/json/{schema}.schema.json"));
    let text = std::fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let rules: Value = serde_json::from_str(&text).expect("a schema is JSON");
    let mut found = Vec::new();
    violations(&rules, value, schema, &mut found);
    assert!(found.is_empty(), "{found:#?}\nin {value:#}");
}

/// Calls the program and checks its result.
#[track_caller]
fn call(database: &TestDatabase, code: i32, schema: &str, line: &str) -> Value {
    let value = calls::json(database.url(), code, line);
    check(schema, &value);
    value
}

#[test]
fn every_result_has_its_documented_form() {
    on_each_backend(|database| {
        let call = |code, schema, line: &str| call(&database, code, schema, line);
        let status = call(0, "status", "status");
        assert_eq!(status["state"], "empty");
        assert_eq!(
            status["pending_count"],
            serde_json::json!(status["pending_migrations"].as_array().unwrap().len())
        );
        let dry = call(0, "run", "upgrade --dry-run");
        assert_eq!(dry["dry_run"], true);
        assert!(
            dry["steps"][0]["sql"][0]
                .as_str()
                .unwrap()
                .starts_with("CREATE ")
        );
        let run = call(0, "run", "upgrade +3");
        assert_eq!(run["steps"].as_array().unwrap().len(), 3);
        assert_eq!(run["verified"], true);
        call(0, "run", "run");
        call(0, "run", "downgrade -1 --yes");
        call(3, "check", "check");
        call(0, "run", "upgrade");
        call(0, "check", "check");
        let history = call(0, "revisions", "history");
        let newest = &history[0];
        assert_eq!(newest["is_head"], true);
        assert_eq!(newest["is_current"], true);
        assert!(newest["applied_at"].as_str().unwrap().ends_with('Z'));
        let offline = call(0, "revisions", "history --offline");
        assert!(offline[0]["applied_at"].is_null());
        call(0, "revisions", "heads");
        call(0, "revisions", "current");
        call(0, "branches", "branches");
        call(0, "show", "show head");
        call(0, "graph", "graph");
        let log = call(0, "log", "log --limit 2");
        assert_eq!(log.as_array().unwrap().len(), 2);
        assert!(
            log[0]["id"].as_i64() > log[1]["id"].as_i64(),
            "newest first"
        );
        call(0, "stamp", "stamp base --dry-run");
        call(0, "wait", "wait");
        call(0, "unlock", "unlock --yes");
        call(0, "text", "repair");
        call(0, "text", "upgrade --sql +2");
        call(0, "text", "completions bash");
    });
}

#[test]
fn a_backup_and_a_new_file_have_their_documented_forms() {
    on_each_backend(|database| {
        calls::call(database.url(), 0, "upgrade +1");
        let directory = tempfile::tempdir().expect("a directory can be made");
        if has_programs(&["pg_dump", "pg_restore", "mariadb-dump"]) {
            let backup = stairway()
                .args(["backup", "--output", "json"])
                .database(&database)
                .env("MIGRATION_BACKUP_DIRECTORY", directory.path())
                .run();
            calls::expect(&backup, 0, "backup");
            check("backup", &backup.json());
        }
        let created = stairway()
            .args(["create", "Add invoices", "--output", "json", "--directory"])
            .args([directory.path()])
            .database(&database)
            .run();
        calls::expect(&created, 0, "create");
        check("created", &created.json());
    });
}

#[test]
fn a_failure_has_its_documented_form() {
    on_each_backend(|database| {
        let usage = call(&database, 2, "error", "upgrade no_such_revision");
        assert_eq!(usage["error"]["kind"], "usage");
        // The tables are there, but not recorded: the first revision fails.
        calls::call(database.url(), 0, "upgrade +1");
        calls::call(database.url(), 0, "stamp base");
        let failed = call(&database, 1, "error", "upgrade");
        assert_eq!(failed["error"]["exit_code"], 1);
        assert_eq!(failed["error"]["revision"], "m20260105_090000_create_users");
        assert!(
            failed["error"]["statement"]
                .as_str()
                .unwrap()
                .starts_with("CREATE ")
        );
    });
}

#[test]
fn several_databases_make_one_value() {
    on_each_backend(|one| {
        let three = TestDatabase::create(one.backend());
        let directory = tempfile::tempdir().expect("a directory can be made");
        let settings = format!(
            "[databases.one]\nurl = {:?}\n[databases.two]\nurl_env = \"NOT_SET\"\n[databases.three]\nurl = {:?}\n",
            one.url(),
            three.url()
        );
        std::fs::write(directory.path().join("stairway.toml"), settings)
            .expect("a file can be written");
        let run = stairway()
            .args(["upgrade", "--all", "--output", "json"])
            .current_dir(directory.path())
            .run();
        calls::expect(&run, 2, "upgrade --all");
        let value = run.json();
        check("databases", &value);
        let codes: Vec<i64> = value["databases"]
            .as_array()
            .unwrap()
            .iter()
            .map(|one| one["exit_code"].as_i64().unwrap())
            .collect();
        assert_eq!(codes, [0, 2, 0]);
        check("run", &value["databases"][2]["result"]);
    });
}

#[test]
fn every_documented_form_is_checked_here_or_in_the_project() {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/json");
    let source = [
        include_str!("json_forms.rs"),
        include_str!("project.rs"),
        include_str!("autogenerate/left_alone.rs"),
    ]
    .concat();
    for entry in std::fs::read_dir(directory).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let Some(name) = name.strip_suffix(".schema.json") else {
            continue;
        };
        assert!(
            source.contains(&format!("\"{name}\"")),
            "{name} is not checked"
        );
    }
}
