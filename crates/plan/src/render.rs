//! From values to text.

pub mod metrics;
