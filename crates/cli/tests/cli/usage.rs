//! Settings, exit codes and what is said where.

use std::path::Path;

use crate::program::Place;

const SECRET: &str = "hunter2swordfish";

#[test]
fn the_embedded_database_is_used_without_a_url_and_that_is_said() {
    let place = Place::new();
    let said = place.expect(0, "upgrade");
    assert!(
        said.err
            .contains("note: DATABASE_URL is not set: using the embedded database"),
        "{}",
        said.err
    );
    assert!(
        said.err.contains("Starting database migration to head..."),
        "{}",
        said.err
    );
    assert!(
        said.err
            .contains("Database migration completed successfully"),
        "{}",
        said.err
    );
    assert!(place.path().join("stairway.db").exists());
    assert!(!place.expect(0, "status -q").err.contains("note:"));
}

#[test]
fn looking_makes_no_file() {
    let place = Place::new();
    for line in [
        "wait",
        "run --dry-run",
        "status",
        "history",
        "current",
        "log",
        "check",
        "heads",
        "graph",
        "upgrade --dry-run",
        "upgrade --sql",
    ] {
        place.call(line);
    }
    assert_eq!(std::fs::read_dir(place.path()).unwrap().count(), 0);
}

#[test]
fn not_up_to_date_is_an_exit_code_only_where_it_is_asked_for() {
    let place = Place::new();
    place.expect(0, "status");
    place.expect(3, "status --exit-code");
    place.expect(3, "check");
    place.expect(0, "check --offline");
    place.expect(0, "check --ignore pending");
    place.expect(0, "upgrade");
    place.expect(0, "status --exit-code");
    place.expect(0, "check");
}

#[test]
fn wrong_usage_settings_and_urls_exit_with_2_and_a_hint_and_never_show_a_password() {
    let mut place = Place::new();
    place.set("DATABASE_URL", &format!("postgrs://app:{SECRET}@db/shop"));
    let said = place.expect(2, "status");
    assert!(
        said.err
            .contains("error: the environment variable DATABASE_URL: "),
        "{}",
        said.err
    );
    assert!(said.err.contains("\nhint: "), "{}", said.err);
    let url = format!("postgres://app:{SECRET}@db/shop");
    for words in [
        vec![url.as_str()],
        vec!["status", url.as_str()],
        vec!["status", "--database", url.as_str()],
        vec!["status", "--datbase-url", url.as_str()],
        vec!["upgrade", "--lock-timeout", url.as_str()],
        vec!["upgrade", url.as_str()],
        vec!["--output", url.as_str(), "status"],
    ] {
        let said = place.call_words(&words);
        assert_eq!(said.code, 2, "{words:?}: {}", said.err);
        assert!(
            !said.err.contains(SECRET) && !said.out.contains(SECRET),
            "{}",
            said.err
        );
    }
}

#[test]
fn an_unreachable_database_exits_with_5_and_a_missing_one_with_2() {
    let mut place = Place::new();
    place.set(
        "DATABASE_URL",
        &format!("postgres://app:{SECRET}@127.0.0.1:1/shop"),
    );
    for line in [
        "status",
        "upgrade",
        "wait --timeout 0",
        "run --wait 0",
        "upgrade --wait=0",
    ] {
        let said = place.expect(5, line);
        assert!(!said.err.contains(SECRET), "{}", said.err);
    }
    // What is in code can be looked at all the same.
    let said = place.expect(0, "history");
    assert!(
        said.err
            .contains("note: nothing is said about what is applied"),
        "{}",
        said.err
    );
    place.expect(5, "history --indicate-current");
    let mut place = Place::new();
    place.set("DATABASE_URL", "sqlite://missing.db");
    place.expect(2, "upgrade");
}

#[test]
fn a_downgrade_is_refused_where_nobody_can_say_yes() {
    let place = Place::new();
    place.expect(0, "upgrade");
    let said = place.expect(2, "downgrade -1");
    assert!(
        said.err
            .contains("m20260302_090000_add_projects_monthly_budget"),
        "it shows what would go: {}",
        said.err
    );
    assert!(said.err.contains("--yes"), "{}", said.err);
    place.expect(0, "status --exit-code");
    let said = place.expect(0, "downgrade -1 --yes");
    assert!(
        said.out.starts_with("Took back 1 revision on default"),
        "{}",
        said.out
    );
    place.expect(3, "status --exit-code");
    place.expect(0, "downgrade base --dry-run");
}

#[test]
fn the_environment_makes_a_dry_run_and_the_command_line_takes_it_back() {
    let mut place = Place::new();
    place.set("MIGRATION_DRY_RUN", "true");
    for line in ["upgrade", "run"] {
        let said = place.expect(0, line);
        assert!(
            said.out.starts_with("-- dry run: would apply"),
            "{}",
            said.out
        );
    }
    place.expect(3, "status --exit-code");
    place.expect(0, "upgrade --dry-run=false");
    place.expect(0, "status --exit-code");
}

#[test]
fn run_goes_on_after_a_failure_only_if_the_settings_say_so() {
    let mut place = Place::new();
    place.expect(0, "upgrade +1");
    place.expect(0, "stamp base");
    let said = place.expect(1, "run");
    assert!(said.err.contains("Migration failed: "), "{}", said.err);
    place.set("MIGRATION_FAIL_ON_ERROR", "false");
    let said = place.expect(0, "run");
    assert!(said.err.contains("Migration failed: "), "{}", said.err);
    // Anything else still fails.
    place.expect(1, "upgrade");
    place.set("MIGRATION_WAIT_TIMEOUT", "soon");
    place.expect(2, "run");
}

#[test]
fn run_logs_json_lines_and_nothing_else_unless_told_otherwise() {
    let place = Place::new();
    let said = place.expect(0, "run");
    assert!(said.err.lines().count() > 10);
    for line in said.err.lines() {
        let value: serde_json::Value =
            serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line}"));
        assert!(
            value["timestamp"].is_string()
                && value["level"].is_string()
                && value["message"].is_string()
        );
    }
    let place = Place::new();
    let said = place.expect(0, "run --log-format plain");
    assert!(
        said.err.lines().all(|line| !line.starts_with('{')),
        "{}",
        said.err
    );
}

#[test]
fn a_log_file_gets_json_lines_even_when_the_terminal_is_quiet() {
    let place = Place::new();
    let said = place.expect(0, "-qq upgrade --log-file migration.log");
    assert_eq!(said.err, "");
    let log = std::fs::read_to_string(place.path().join("migration.log")).unwrap();
    assert!(
        log.contains("\"message\":\"Database migration completed successfully\""),
        "{log}"
    );
    place.expect(2, "status --log-file nowhere/at/all.log");
}

#[test]
fn events_are_written_as_json_lines() {
    let place = Place::new();
    place.expect(0, "upgrade +1 --events events.jsonl");
    let text = std::fs::read_to_string(place.path().join("events.jsonl")).unwrap();
    let names: Vec<String> = text
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).unwrap()["event"]
                .as_str()
                .unwrap()
                .to_owned()
        })
        .collect();
    for expected in [
        "run_started",
        "step_started",
        "statement_started",
        "step_finished",
        "run_finished",
    ] {
        assert!(
            names.iter().any(|name| name == expected),
            "{expected} is not in {names:?}"
        );
    }
    place.expect(2, "upgrade --events - --output json");
}

#[test]
fn create_writes_a_file_with_parents_and_warns_of_a_vague_message() {
    let place = Place::new();
    let said = place.call_words(&["create", "Add invoices", "--directory", "."]);
    assert_eq!(said.code, 0, "{}", said.err);
    let path = said
        .out
        .lines()
        .next()
        .unwrap()
        .strip_prefix("Created ")
        .unwrap();
    let source = std::fs::read_to_string(place.path().join(path)).unwrap();
    assert!(source.starts_with("//! Add invoices\n"), "{source}");
    assert!(
        source.contains("revises: m20260302_090000_add_projects_monthly_budget"),
        "{source}"
    );
    let said = place.call_words(&["create", "update", "--directory", "."]);
    assert_eq!(said.code, 0);
    assert!(said.err.contains("warning: "), "{}", said.err);
    for empty in ["", "  ", "--"] {
        assert_eq!(
            place
                .call_words(&["create", empty, "--directory", "."])
                .code,
            2,
            "{empty:?}"
        );
    }
    let said = place.call_words(&["create", "Add sql", "--sql", "--directory", "."]);
    let path = said
        .out
        .lines()
        .next()
        .unwrap()
        .strip_prefix("Created ")
        .unwrap();
    let source = std::fs::read_to_string(place.path().join(path)).unwrap();
    assert!(
        source.contains(".execute_unprepared(statement)"),
        "{source}"
    );
    assert!(
        Path::new(path)
            .extension()
            .is_some_and(|extension| extension == "rs")
    );
}

#[test]
fn each_database_of_the_file_is_migrated_although_one_fails() {
    let place = Place::new();
    place.write(
        "stairway.toml",
        "[databases.one]\nurl = \"sqlite://one.db?mode=rwc\"\n[databases.two]\nurl = \"postgres://127.0.0.1:1/x\"\n\
         [databases.three]\nurl = \"sqlite://three.db?mode=rwc\"\n",
    );
    let said = place.expect(5, "upgrade --all");
    assert!(said.err.contains("== summary =="), "{}", said.err);
    for name in ["one", "three"] {
        place.expect(0, &format!("status --exit-code --database {name}"));
    }
    place.expect(2, "upgrade");
    place.expect(2, "upgrade --database four");
}

#[test]
fn a_settings_file_with_a_mistake_is_refused_with_its_line() {
    let place = Place::new();
    place.write("stairway.toml", "\nwait_timeot = 5\n");
    let said = place.expect(2, "status");
    assert!(
        said.err.contains("stairway.toml, line 2") && said.err.contains("wait_timeout"),
        "{}",
        said.err
    );
    place.expect(2, "status --config elsewhere.toml");
}

#[test]
fn misspelt_variables_are_pointed_out() {
    let mut place = Place::new();
    place.set("MIGRATION_WAIT_TIMOUT", "5");
    let said = place.expect(0, "status");
    assert!(
        said.err.contains("did you mean MIGRATION_WAIT_TIMEOUT?"),
        "{}",
        said.err
    );
}

#[test]
fn a_closed_pipe_is_no_failure() {
    use std::process::{Command, Stdio};
    let place = Place::new();
    let mut child = Command::new(env!("CARGO_BIN_EXE_stairway"))
        .args(["history", "--offline"])
        .current_dir(place.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert!(
        !String::from_utf8_lossy(&output.stderr).contains("panicked"),
        "{output:?}"
    );
}
