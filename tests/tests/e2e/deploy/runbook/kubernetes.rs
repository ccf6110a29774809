//! Commands for `kubectl` and `docker`, which need a cluster or a container engine: they are the only
//! ones of the pages that are not run. What they name has to be what the files in `deploy/` make.

use std::collections::BTreeSet;

use super::{DIRECTORY, spans};
use crate::deploy::{files_below, path, read};
use crate::pages::blocks;

/// The files that describe objects.
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

/// Fails unless a command for `kubectl` names what the files in `deploy/` make.
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

/// What is checked so and not run.
const CHECKED_ONLY: &[&str] = &[
    "POSTGRES_PASSWORD=secret docker compose --file deploy/docker-compose.yml up --build",
    "docker compose up",
    "kubectl --namespace stairway exec deployment/stairway --container server -- \
     /usr/local/bin/stairway status",
    "kubectl apply -k deploy/kubernetes/init-container",
    "kubectl apply -k deploy/kubernetes/job/migrate",
    "kubectl apply -k deploy/kubernetes/monitoring",
    "kubectl logs POD --container migrate --previous",
    "kubectl logs job/stairway-migrate",
    "kubectl rollout restart deployment/stairway",
    "kubectl wait",
];

#[test]
fn only_these_commands_are_not_run_and_what_they_name_is_there() {
    let mut commands = spans();
    for page in files_below(DIRECTORY, ".md") {
        let blocks = blocks(&read(&page)).into_iter();
        let shown = blocks.filter(|block| block.language == "console");
        let shown = shown.flat_map(|block| block.commands(&page));
        commands.extend(shown.map(|shown| shown.command));
    }
    commands.retain(|command| {
        command.starts_with("kubectl ")
            || command.starts_with("docker ")
            || command.contains(" docker ")
    });
    let expected = CHECKED_ONLY.iter().map(|command| (*command).to_owned());
    assert_eq!(commands, expected.collect::<BTreeSet<_>>());
    for command in commands {
        if command.starts_with("kubectl ") {
            check(&command);
        }
    }
}
