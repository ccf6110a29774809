//! From values to text.

pub mod graph;
pub mod metrics;
