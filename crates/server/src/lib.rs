//! Health, readiness, metrics and a status page for services whose databases Stairway migrates.
//!
//! - [`run`] is a whole server: it binds nothing itself, migrates at start-up while probes are
//!   already answered, and ends well when asked to.
//! - [`ServerProgram`] is that as a program, over a project's migrations.
//! - [`router`] and [`ReadinessLayer`] are the same for a service that has a server of its own.
//!
//! Nothing over HTTP changes a database.

mod cached;
mod guard;
mod layer;
mod openapi;
mod page;
mod problem;
mod program;
mod progress;
mod readiness;
mod redact;
mod routes;
mod run;
mod serve;
mod settings;
mod source;
mod startup;
mod state;
#[cfg(test)]
mod tests;
mod unavailable;

pub use layer::{ReadinessLayer, ReadinessService};
pub use program::ServerProgram;
pub use progress::{Progress, StartupReport, StartupStatus, Waiting};
pub use routes::{probe_router, router};
pub use run::{RunError, Server, run};
pub use settings::{ConnectionLimits, ReadyWhen, ServerSettings, UnknownPolicy};
pub use startup::StartupError;
pub use state::{ServerState, StateError};
