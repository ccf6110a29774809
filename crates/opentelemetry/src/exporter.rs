//! The exporter and the layer that feeds it.

use std::env;
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::trace::TracerProvider as _;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithHttpConfig as _};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::{Layer, Registry};

use crate::client::Client;

/// The target of the spans that are sent, and of what is said about sending them.
pub(crate) const TARGET: &str = "stairway";

/// The variables that name the collector.
const ENDPOINTS: [&str; 2] = [
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
];

/// How long the collector may take for a batch, unless the environment says otherwise, and how long
/// the last one may take at the end.
const TIMEOUT: Duration = Duration::from_secs(5);

/// Spans can't be sent as the environment says.
#[derive(Debug)]
pub struct ExporterError(ExporterBuildError);

impl std::fmt::Display for ExporterError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "spans can't be sent as OTEL_EXPORTER_OTLP_ENDPOINT says: {}",
            self.0
        )
    }
}

impl std::error::Error for ExporterError {}

/// Sends spans in batches until it is dropped, which sends the last one.
#[derive(Debug)]
pub struct Exporter {
    provider: SdkTracerProvider,
}

/// Whether the environment names a collector.
pub fn is_asked_for() -> bool {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    let is_disabled =
        env::var("OTEL_SDK_DISABLED").is_ok_and(|value| value.trim().eq_ignore_ascii_case("true"));
    !is_disabled && ENDPOINTS.into_iter().any(is_set)
}

impl Exporter {
    /// An exporter as the standard variables describe it (`OTEL_EXPORTER_OTLP_ENDPOINT`, `_HEADERS`,
    /// `_TIMEOUT`, `OTEL_RESOURCE_ATTRIBUTES`, ...), if they name a collector. Spans are those of a
    /// service of this name, unless `OTEL_SERVICE_NAME` says otherwise.
    ///
    /// # Errors
    /// If what they say can't be used.
    pub fn from_environment(
        service: &'static str,
        version: Option<&str>,
    ) -> Result<Option<Self>, ExporterError> {
        if !is_asked_for() {
            return Ok(None);
        }
        let exporter = SpanExporter::builder()
            .with_http()
            .with_http_client(Client::new(timeout()))
            .build()
            .map_err(ExporterError)?;
        let mut resource = Resource::builder();
        if env::var_os("OTEL_SERVICE_NAME").is_none_or(|name| name.is_empty()) {
            resource = resource.with_service_name(service);
        }
        if let Some(version) = version {
            resource =
                resource.with_attribute(KeyValue::new("service.version", version.to_owned()));
        }
        let provider = SdkTracerProvider::builder()
            .with_batch_exporter(exporter)
            .with_resource(resource.build())
            .build();
        Ok(Some(Self { provider }))
    }

    /// What hands the spans of runs, revisions and statements to this exporter, log lines in them
    /// included.
    pub fn layer(&self) -> Box<dyn Layer<Registry> + Send + Sync> {
        let tracer = self.provider.tracer(TARGET);
        let ours = filter_fn(|metadata| metadata.target() == TARGET);
        let layer = tracing_opentelemetry::layer()
            .with_tracer(tracer)
            .with_location(false)
            .with_threads(false);
        Box::new(layer.with_filter(ours))
    }
}

impl Drop for Exporter {
    fn drop(&mut self) {
        // What could not be sent was said when it was tried.
        drop(self.provider.shutdown_with_timeout(TIMEOUT));
    }
}

/// In milliseconds, as the specification has it.
fn timeout() -> Duration {
    [
        "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
        "OTEL_EXPORTER_OTLP_TIMEOUT",
    ]
    .into_iter()
    .find_map(|name| env::var(name).ok()?.trim().parse().ok())
    .map_or(TIMEOUT, Duration::from_millis)
}
