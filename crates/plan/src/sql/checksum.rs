//! Interim.
use crate::history::Checksum;
use sha2::{Digest, Sha256};
pub enum Comparison {
    Same,
    Edited,
    NotComparable(String),
}
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Rendering {
    Statements(Vec<String>),
    Unavailable(String),
}
pub fn checksum<'a>(statements: impl Iterator<Item = &'a str>) -> Checksum {
    let all: Vec<&str> = statements.collect();
    Checksum::Digest {
        algorithm: "sha256-statements-1".into(),
        digest: crate::bookkeeping::hex(&Sha256::digest(all.join(";"))),
    }
}
pub fn compare(stored: &Checksum, rendering: &Rendering) -> Comparison {
    match (stored, rendering) {
        (Checksum::NotComparable { reason }, _) => Comparison::NotComparable(reason.clone()),
        (_, Rendering::Unavailable(reason)) => Comparison::NotComparable(reason.clone()),
        (stored, Rendering::Statements(list)) => {
            if *stored == checksum(list.iter().map(String::as_str)) {
                Comparison::Same
            } else {
                Comparison::Edited
            }
        }
    }
}
