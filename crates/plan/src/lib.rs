//! The pure half of Stairway: values in, values out.
//!
//! Nothing here touches a runtime, a driver, a file, the clock or the environment. What would happen
//! to a database is worked out by [`plan::plan`] over a [`graph::RevisionGraph`] and a
//! [`history::History`]; status, dry run, offline SQL, health and the executor all read the
//! resulting [`plan::Plan`].

pub mod bookkeeping;
pub mod dialect;
pub mod diff;
pub mod event;
pub mod filter;
pub mod graph;
pub mod header;
pub mod history;
mod listing;
pub mod op;
pub mod plan;
pub mod position;
pub mod render;
pub mod report;
pub mod revision;
pub mod schema;
pub mod sql;
pub mod target;

#[cfg(test)]
mod sample;
