//! Commands for `kubectl` and `docker`, which need a cluster or a container engine: they are the only
//! ones of the pages that are not run. What they name has to be what the files in `deploy/` make.

use std::collections::BTreeSet;

use super::spans;
use crate::deploy::{files_below, path, read};

/// The objects, without those that the monitoring needs.
fn objects() -> Vec<String> {
    files_below("deploy/kubernetes", ".yaml")
        .iter()
        .map(|file| read(file))
        .collect()
}

/// Fails unless some file has an object of this kind and name, with this container if one is named.
#[track_caller]
fn has_object(kind: &str, name: &str, container: Option<&str>) {
    let (kind, name) = (
        format!("\nkind: {kind}\n"),
        format!("\nmetadata:\n  name: {name}\n"),
    );
    let found = objects().iter().any(|text| {
        // The first lines may be a comment.
        format!("\n{text}").split("\n---\n").any(|object| {
            format!("\n{object}").contains(&kind)
                && object.contains(&name)
                && container
                    .is_none_or(|container| object.contains(&format!("- name: {container}\n")))
        })
    });
    assert!(found, "no {kind:?} {name:?} with {container:?}");
}

/// Fails unless the command names what the files in `deploy/` make, or is for another program.
#[track_caller]
pub(super) fn check(command: &str) {
    let mut words = command.split_whitespace();
    let mut container = None;
    let mut verb = None;
    let mut object = None;
    assert_eq!(words.next(), Some("kubectl"), "{command}");
    while let Some(word) = words.next() {
        match word {
            "--namespace" => {
                let namespace = words.next().expect("a namespace is named");
                let used = format!("\nnamespace: {namespace}\n");
                let kustomizations = files_below("deploy/kubernetes", "kustomization.yaml");
                assert!(
                    kustomizations.iter().any(|file| read(file).contains(&used)),
                    "{command}"
                );
            }
            "--container" => container = words.next(),
            "-k" => {
                let directory = words.next().expect("a directory is named");
                let file = path(directory).join("kustomization.yaml");
                assert!(file.is_file(), "{command}");
            }
            "--previous" => {}
            "--" => break,
            _ if verb.is_none() => verb = Some(word),
            // `rollout restart`.
            "restart" => {}
            _ if object.is_none() => object = Some(word),
            _ => panic!("what is {word} in {command}"),
        }
    }
    let verb = verb.expect("kubectl is told what to do");
    assert!(
        ["apply", "exec", "logs", "rollout", "wait"].contains(&verb),
        "{command}"
    );
    match object.and_then(|object| object.split_once('/')) {
        Some(("deployment", name)) => has_object("Deployment", name, container),
        Some(("job", name)) => has_object("Job", name, container),
        Some(_) => panic!("no object of this kind is made: {command}"),
        // `POD` stands for a pod of the deployment.
        None => {
            if let Some(container) = container {
                has_object("Deployment", "stairway", Some(container));
            }
        }
    }
    // What runs in a container is in the image.
    if let Some(program) = words.next() {
        let (directory, name) = program.rsplit_once('/').expect("a path");
        let copied = read("deploy/Dockerfile").lines().any(|line| {
            line.starts_with("COPY --from=build ")
                && line.contains(&format!("/release/{name} "))
                && line.ends_with(&format!(" {directory}/"))
        });
        assert!(copied, "the image has no {program}");
    }
}

/// Fails unless the command starts what the Compose file describes.
#[track_caller]
pub(super) fn check_compose(command: &str) {
    let (variable, rest) = command
        .split_once("=secret docker compose --file ")
        .expect("so");
    let file = rest
        .strip_suffix(" up --build")
        .expect("it builds and starts");
    let text = read(file);
    assert!(text.contains(&format!("${{{variable}:?")), "{command}");
    assert!(text.contains("    build:\n"), "{command}");
}

/// Fails unless the Compose file lets this machine ask the server at this address.
#[track_caller]
pub(super) fn check_published(address: &str) {
    let (_, port) = address.rsplit_once(':').expect("a port is named");
    let published = format!("      - 127.0.0.1:{port}:{port}\n");
    assert!(
        read("deploy/docker-compose.yml").contains(&published),
        "{address}"
    );
}

/// All of them, for whoever wants to know what is not run: in blocks, and in the text of the pages.
#[test]
fn only_these_commands_are_not_run_and_what_they_name_is_there() {
    let spans = spans();
    let commands: BTreeSet<&str> = spans
        .iter()
        .map(String::as_str)
        .filter(|span| span.starts_with("kubectl ") || span.starts_with("docker "))
        .collect();
    let expected = [
        "docker compose up",
        "kubectl apply -k deploy/kubernetes/job/migrate",
        "kubectl apply -k deploy/kubernetes/monitoring",
        "kubectl logs POD --container migrate --previous",
        "kubectl logs job/stairway-migrate",
        "kubectl rollout restart deployment/stairway",
        "kubectl wait",
    ];
    assert_eq!(commands, BTreeSet::from(expected));
    for command in commands {
        if command.starts_with("kubectl ") {
            check(command);
        }
    }
}
