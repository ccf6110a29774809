//! From values to text.

pub mod difference;
pub mod graph;
pub mod metrics;
pub mod migration;
