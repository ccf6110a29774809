//! Where spans go besides the log, in a build that can send them: the feature `opentelemetry`.

use stairway_core::telemetry::BoxedLayer;

use crate::error::CommandError;

/// What sends spans; dropping it sends the last ones.
#[derive(Default)]
pub(crate) struct Traces {
    #[cfg(feature = "opentelemetry")]
    exporter: Option<stairway_opentelemetry::Exporter>,
}

#[cfg(feature = "opentelemetry")]
impl Traces {
    pub(crate) fn begin(version: Option<&str>) -> Result<Self, CommandError> {
        stairway_opentelemetry::Exporter::from_environment("stairway", version)
            .map(|exporter| Self { exporter })
            .map_err(|error| CommandError::usage(error.to_string()))
    }

    pub(crate) fn layers(&self) -> Vec<BoxedLayer> {
        let exporter = self.exporter.iter();
        exporter
            .map(stairway_opentelemetry::Exporter::layer)
            .collect()
    }
}

#[cfg(not(feature = "opentelemetry"))]
impl Traces {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "a build that can send spans may fail here"
    )]
    pub(crate) fn begin(_version: Option<&str>) -> Result<Self, CommandError> {
        Ok(Self {})
    }

    #[expect(
        clippy::unused_self,
        reason = "a build that can send spans has an exporter"
    )]
    pub(crate) fn layers(&self) -> Vec<BoxedLayer> {
        Vec::new()
    }
}
