//! Many replicas that start together on an empty database.

use std::collections::BTreeMap;
use std::time::Duration;

use stairway_tests::{Running, TestDatabase, on_each_backend, stairway};

const PROCESSES: usize = 16;
const COLD_STARTS: usize = 5;
const DEADLINE: Duration = Duration::from_mins(5);

/// Every revision's successful upgrades, as the audit trail has them.
fn upgrades(database: &TestDatabase) -> BTreeMap<String, usize> {
    let log = stairway()
        .args(["log", "--limit", "10000", "--output", "json"])
        .database(database)
        .run();
    assert_eq!(log.code, 0, "{log}");
    let mut upgrades = BTreeMap::new();
    for entry in log.json().as_array().expect("a list of entries") {
        assert_eq!(entry["action"], "upgrade", "{entry}");
        assert_eq!(entry["outcome"], "succeeded", "{entry}");
        let revision = entry["revision"].as_str().expect("a name").to_owned();
        *upgrades.entry(revision).or_default() += 1;
    }
    upgrades
}

#[test]
fn sixteen_cold_starts_at_once_apply_each_revision_exactly_once_and_none_of_them_fails() {
    on_each_backend(|first| {
        let backend = first.backend();
        for round in 0..COLD_STARTS {
            let database = TestDatabase::create(backend);
            let replicas: Vec<Running> = (0..PROCESSES)
                .map(|number| {
                    let command = if number % 2 == 0 { "run" } else { "upgrade" };
                    stairway().args([command]).database(&database).spawn()
                })
                .collect();
            for replica in replicas {
                let replica = replica.wait(DEADLINE);
                assert_eq!(replica.code, 0, "round {round} on {backend}: {replica}");
            }
            let status = stairway()
                .args(["status", "--exit-code", "--output", "json"])
                .database(&database)
                .run();
            assert_eq!(status.code, 0, "round {round} on {backend}: {status}");
            let upgrades = upgrades(&database);
            assert_eq!(
                Some(upgrades.len() as u64),
                status.json()["applied_count"].as_u64(),
                "{status}"
            );
            let twice: Vec<_> = upgrades.iter().filter(|(_, times)| **times != 1).collect();
            assert!(twice.is_empty(), "round {round} on {backend}: {twice:?}");
        }
    });
}
