//! From values to text.

pub mod graph;
