//! Revisions that `create --autogenerate` writes, one for each case under `cases` and each database,
//! compiled as they are. `tests/golden.rs` writes, compares and applies them.

#![deny(warnings)]

include!(concat!(env!("OUT_DIR"), "/cases.rs"));
