//! From values to text.

pub mod difference;
pub mod graph;
