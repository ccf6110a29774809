//! The files are what the programs that read them accept, and keep the promises of the operator's
//! guide. No container engine is needed.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Write as _};

use stairway_tests::{Program, checker, has_programs};
use tempfile::TempDir;

use super::{files_below, path, read};

#[track_caller]
fn passes(program: Program) {
    let run = program.current_dir(path("")).run();
    assert_eq!(run.code, 0, "{run}");
}

#[test]
fn workflows_actions_and_pipelines_follow_their_schemas() {
    let kinds = [
        (
            "vendor.github-workflows",
            files_below(".github/workflows", ".yml"),
        ),
        (
            "vendor.github-actions",
            vec![".github/actions/migrate/action.yml".to_owned()],
        ),
        (
            "vendor.compose-spec",
            vec!["deploy/docker-compose.yml".to_owned()],
        ),
    ];
    for (schema, files) in kinds {
        if let Some(checker) = checker("check-jsonschema") {
            passes(checker.args(["--builtin-schema", schema]).args(files));
        }
    }
    if let Some(checker) = checker("check-jsonschema") {
        let arguments = [
            "--builtin-schema",
            "vendor.gitlab-ci",
            "--data-transform",
            "gitlab-ci",
        ];
        passes(checker.args(arguments).args(["deploy/ci/gitlab-ci.yml"]));
    }
}

#[test]
fn kubernetes_objects_follow_the_strict_schemas_of_the_oldest_and_a_newer_release() {
    let objects = files_below("deploy/kubernetes", ".yaml")
        .into_iter()
        // Neither is a kind of Kubernetes itself.
        .filter(|file| !file.ends_with("kustomization.yaml") && !file.contains("/monitoring/"));
    let objects: Vec<String> = objects.collect();
    assert!(objects.len() >= 10, "{objects:?}");
    for release in ["1.31", "1.37"] {
        if let Some(checker) = checker("kubernetes-validate") {
            passes(checker.args(["--strict", "-k", release]).args(&objects));
        }
    }
}

#[test]
fn the_operator_s_objects_follow_the_strict_schemas_of_their_kinds() {
    for (object, schema) in [
        ("pod-monitor.yaml", "podmonitor"),
        ("prometheus-rule.yaml", "prometheusrule"),
    ] {
        if let Some(checker) = checker("check-jsonschema") {
            let schema = format!("tests/schemas/{schema}.schema.json");
            let object = format!("deploy/kubernetes/monitoring/{object}");
            passes(checker.args(["--schemafile", &schema, &object]));
        }
    }
}

#[test]
fn the_description_of_the_endpoints_is_openapi_3_1() {
    let document = read("crates/server/src/openapi.json");
    assert!(document.contains("\"openapi\": \"3.1."), "{document:.60}");
    if let Some(checker) = checker("openapi-spec-validator") {
        passes(checker.args(["--schema", "3.1", "crates/server/src/openapi.json"]));
    }
}

#[test]
fn the_dockerfile_passes_its_linter() {
    if let Some(hadolint) = checker("hadolint") {
        passes(hadolint.args(["deploy/Dockerfile"]));
    }
}

#[test]
fn the_scripts_to_copy_pass_shellcheck() {
    if has_programs(&["shellcheck"]) {
        let mut scripts = files_below("deploy", ".sh");
        scripts.extend(files_below(".github/actions", ".sh"));
        assert!(scripts.len() >= 3, "{scripts:?}");
        passes(Program::at("shellcheck").args(scripts));
    }
}

#[test]
fn the_operator_s_rule_object_has_the_same_alerts() {
    let rules = read("deploy/prometheus/alerts.yml");
    let (_, groups) = rules.split_once("\ngroups:\n").expect("there are groups");
    let indented: String = format!("groups:\n{groups}")
        .lines()
        .map(|line| {
            if line.is_empty() {
                "\n".to_owned()
            } else {
                format!("  {line}\n")
            }
        })
        .collect();
    let object = read("deploy/kubernetes/monitoring/prometheus-rule.yaml");
    let (_, spec) = object.split_once("\nspec:\n").expect("there is a spec");
    assert_eq!(
        spec, indented,
        "copy the groups of deploy/prometheus/alerts.yml, indented by two more"
    );
}

fn alerts() -> Vec<String> {
    let rules = read("deploy/prometheus/alerts.yml");
    rules
        .lines()
        .filter_map(|line| line.trim().strip_prefix("- alert: "))
        .map(str::to_owned)
        .collect()
}

#[test]
fn every_alert_is_tested_explained_and_leads_to_a_section_that_exists() {
    let (tests, page) = (
        read("deploy/prometheus/alerts.test.yml"),
        read("docs/operations/alerts.md"),
    );
    let alerts = alerts();
    assert!(alerts.len() >= 10, "{alerts:?}");
    for alert in alerts {
        assert!(tests.contains(&alert), "{alert} is not tested");
        assert!(
            page.contains(&format!("### {alert}\n")),
            "{alert} is not explained"
        );
    }
    for line in read("deploy/prometheus/alerts.yml").lines() {
        let Some(runbook) = line.trim().strip_prefix("runbook: ") else {
            continue;
        };
        let (file, section) = runbook.split_once('#').expect("a section is named");
        let found = read(file).lines().any(|line| {
            line.strip_prefix("## ")
                .or_else(|| line.strip_prefix("### "))
                .is_some_and(|heading| anchor(heading) == section)
        });
        assert!(found, "{runbook} does not exist");
    }
}

/// What GitHub makes of a heading.
fn anchor(heading: &str) -> String {
    heading
        .to_lowercase()
        .chars()
        .filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'))
        .map(|c| if c == ' ' { '-' } else { c })
        .collect()
}

/// The names of metrics in a text, without what a histogram adds to them.
fn metrics_in(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_')
        .filter(|word| word.starts_with("db_migration_"))
        .map(|word| {
            let base = ["_bucket", "_sum", "_count"]
                .iter()
                .find_map(|end| word.strip_suffix(end));
            base.unwrap_or(word).to_owned()
        })
        .collect()
}

#[test]
fn alerts_and_dashboard_read_metrics_that_are_written() {
    let source = path("crates/plan/src/render/metrics.rs");
    if !source.exists() {
        let told = writeln!(
            io::stderr(),
            "\nSOME TESTS ARE LEFT OUT: {} is not there",
            source.display()
        );
        assert!(told.is_ok());
        return;
    }
    let written = metrics_in(&read("crates/plan/src/render/metrics.rs"));
    let mut read_by_them = metrics_in(&read("deploy/prometheus/alerts.yml"));
    read_by_them.extend(metrics_in(&read("deploy/grafana/dashboard.json")));
    assert!(read_by_them.len() >= 10, "{read_by_them:?}");
    let unknown: Vec<_> = read_by_them.difference(&written).collect();
    assert!(unknown.is_empty(), "nobody writes {unknown:?}");
}

#[test]
fn the_dashboard_can_be_imported_and_each_panel_asks_the_chosen_source() {
    let dashboard: serde_json::Value =
        serde_json::from_str(&read("deploy/grafana/dashboard.json")).expect("it is JSON");
    let panels = dashboard["panels"].as_array().expect("there are panels");
    let mut ids = BTreeSet::new();
    for panel in panels {
        assert!(
            ids.insert(panel["id"].as_u64().expect("a number")),
            "{panel}"
        );
        assert_eq!(panel["datasource"]["uid"], "${datasource}", "{panel}");
        assert!(
            !panel["description"]
                .as_str()
                .expect("a description")
                .is_empty()
        );
        for target in panel["targets"].as_array().expect("queries") {
            let query = target["expr"].as_str().expect("a query");
            assert!(query.contains("database=~\"$database\""), "{query}");
        }
    }
    assert!(panels.len() >= 8, "{}", panels.len());
}

#[test]
fn actions_are_pinned_by_hash_and_permissions_are_given_one_by_one() {
    let mut uses = 0;
    for file in files_below(".github", ".yml") {
        let text = read(&file);
        for line in text.lines() {
            let key = line.trim_start().trim_start_matches("- ");
            let Some(action) = key.strip_prefix("uses: ") else {
                continue;
            };
            uses += 1;
            if action.starts_with("./") {
                continue;
            }
            let (_, rest) = action.split_once('@').expect("a version is named");
            let (hash, version) = rest
                .split_once(" # v")
                .unwrap_or_else(|| panic!("{file}: {line}"));
            assert!(
                hash.len() == 40 && hash.bytes().all(|b| b.is_ascii_hexdigit()),
                "{file}: {line}"
            );
            assert!(!version.is_empty());
        }
        if file.contains("/workflows/") {
            assert!(text.contains("\npermissions:"), "{file}");
            assert!(!text.contains(": write"), "{file}");
        }
    }
    assert!(uses >= 8, "{uses}");
}

#[test]
fn nothing_that_others_can_choose_becomes_part_of_a_script() {
    for file in files_below(".github", ".yml") {
        let text = read(&file);
        let mut block_indent = None;
        for line in text.lines() {
            let indent = line.len() - line.trim_start().len();
            if block_indent.is_some_and(|block| indent <= block && !line.trim().is_empty()) {
                block_indent = None;
            }
            let is_run = line
                .trim_start()
                .trim_start_matches("- ")
                .starts_with("run:");
            assert!(
                !((is_run || block_indent.is_some()) && line.contains("${{")),
                "{file}: {line}"
            );
            if is_run {
                block_indent = Some(indent);
            }
        }
    }
}

#[test]
fn every_container_may_do_as_little_as_a_restricted_namespace_asks_for() {
    let mut containers = 0;
    for file in files_below("deploy/kubernetes", ".yaml") {
        let text = read(&file);
        let count = |words: &str| text.matches(words).count();
        let here = count("image: ");
        containers += here;
        for promise in [
            "allowPrivilegeEscalation: false",
            "readOnlyRootFilesystem: true",
            "drop: [ALL]",
            "limits:",
            "requests:\n              cpu",
        ] {
            assert_eq!(count(promise), here, "{file}: {promise}");
        }
        let pods = usize::from(here > 0);
        for promise in [
            "runAsNonRoot: true",
            "type: RuntimeDefault",
            "automountServiceAccountToken: false\n      ",
        ] {
            assert_eq!(count(promise), pods, "{file}: {promise}");
        }
        // The credentials come from the secret and stand nowhere else.
        assert!(
            !text.contains("://") || !text.contains("image: ") || !text.contains("postgres://"),
            "{file}"
        );
    }
    assert_eq!(containers, 5);
}

#[test]
fn every_file_of_kubernetes_is_applied_by_some_kustomization() {
    let applied: String = files_below("deploy/kubernetes", "kustomization.yaml")
        .iter()
        .map(|file| read(file))
        .collect();
    for file in files_below("deploy/kubernetes", ".yaml") {
        let name = file.rsplit('/').next().unwrap_or_default();
        let is_example = name.contains(".example.");
        let is_listed = name == "kustomization.yaml" || applied.contains(&format!("  - {name}\n"));
        assert_eq!(is_listed, !is_example, "{file}");
    }
}

/// Copies what decides about the dependencies, and what the build reads, to a directory as the
/// builder gets it.
fn copy_manifests(to: &std::path::Path) {
    for name in ["Cargo.toml", "Cargo.lock"] {
        fs::copy(path(name), to.join(name)).expect("a copy");
    }
    for directory in ["crates", "migration", "tests", "xtask"] {
        for file in files_below(directory, "") {
            fs::create_dir_all(to.join(&file).parent().expect("a directory")).expect("a directory");
            fs::copy(path(&file), to.join(&file)).expect("a copy");
        }
    }
}

#[test]
fn the_layer_of_dependencies_is_a_workspace_that_changes_only_with_the_manifests() {
    let layer = |change: bool| {
        let directory = TempDir::new().expect("a directory");
        copy_manifests(directory.path());
        if change {
            fs::write(
                directory.path().join("crates/core/src/another.rs"),
                "pub fn a() {}",
            )
            .expect("a file");
        }
        let run = Program::at(
            path("deploy/stub-crates.sh")
                .canonicalize()
                .expect("the script is there"),
        )
        .current_dir(directory.path())
        .run();
        assert_eq!(run.code, 0, "{run}");
        directory
    };
    let listing = |directory: &TempDir| {
        let run = Program::at("bash")
            .args(["-c", "find . -type f | sort | xargs sha256sum"])
            .current_dir(directory.path())
            .run();
        run.stdout
    };
    let (before, after) = (layer(false), layer(true));
    assert_eq!(listing(&before), listing(&after));
    assert!(
        !listing(&before).contains("revisions/"),
        "{}",
        listing(&before)
    );
    let run = Program::at("cargo")
        .args([
            "metadata",
            "--locked",
            "--offline",
            "--format-version",
            "1",
            "--no-deps",
        ])
        .current_dir(before.path())
        .run();
    assert_eq!(run.code, 0, "{run}");
    for binary in ["stairway", "stairway-server"] {
        assert!(
            run.stdout.contains(&format!("\"name\":\"{binary}\"")),
            "{binary}"
        );
    }
}

#[test]
fn a_checkout_is_never_taken_for_the_copy_whose_sources_may_be_deleted() {
    let directory = TempDir::new().expect("a directory");
    fs::create_dir(directory.path().join(".git")).expect("a directory");
    fs::write(directory.path().join("main.rs"), "fn main() {}").expect("a file");
    let run = Program::at(
        path("deploy/stub-crates.sh")
            .canonicalize()
            .expect("the script is there"),
    )
    .current_dir(directory.path())
    .run();
    assert_eq!(run.code, 1, "{run}");
    assert!(directory.path().join("main.rs").exists());
}

#[test]
fn the_builder_is_sent_every_member_of_the_workspace() {
    let sent: BTreeSet<String> = read(".dockerignore")
        .lines()
        .filter_map(|line| line.strip_prefix('!'))
        .map(str::to_owned)
        .collect();
    let manifest = read("Cargo.toml");
    let members = manifest
        .lines()
        .find_map(|line| line.strip_prefix("members = ["))
        .expect("members");
    for member in members.trim_end_matches(']').split(", ") {
        let directory = member
            .trim_matches('"')
            .split('/')
            .next()
            .unwrap_or_default();
        assert!(
            sent.contains(directory),
            "{directory} is missing in .dockerignore"
        );
    }
    for file in [
        "Cargo.toml",
        "Cargo.lock",
        ".cargo",
        "deploy/stub-crates.sh",
    ] {
        assert!(sent.contains(file), "{file} is missing in .dockerignore");
    }
}
