//! Sends the spans of migrations to an OpenTelemetry collector.
//!
//! The command line and the server use this crate with their feature `opentelemetry`, which is off by
//! default; a program with a subscriber of its own can add [`Exporter::layer`] to it, or any other
//! layer: the spans are ordinary ones of `tracing`.

mod client;
mod exporter;

pub use exporter::{Exporter, ExporterError, is_asked_for};
