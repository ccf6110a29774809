//! Values as text.

pub mod metrics;
