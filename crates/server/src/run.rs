//! A server as a whole: listeners, start-up, and the way out.

use std::future::Future;
use std::io;
use std::pin::pin;

use axum::Router;
use stairway_core::Manager;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::routes::{probe_router, router, standalone};
use crate::serve::serve;
use crate::settings::ServerSettings;
use crate::startup::StartupError;
use crate::state::{ServerState, StateError};

/// Why a server ended otherwise than by being asked to.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum RunError {
    /// The server can't be put together.
    #[error(transparent)]
    State(#[from] StateError),
    /// Start-up failed and the settings say that this ends the process.
    #[error(transparent)]
    Startup(#[from] StartupError),
    /// A listener can't be asked for its address.
    #[error("the listener can't be used: {0}")]
    Listener(#[from] io::Error),
}

/// Serves these managers' databases with the default settings until `shutdown` resolves.
///
/// See [`Server::run`].
///
/// ```no_run
/// # async fn example(manager: stairway_core::Manager) -> Result<(), Box<dyn std::error::Error>> {
/// let listener = tokio::net::TcpListener::bind("127.0.0.1:8000").await?;
/// let interrupted = async { drop(tokio::signal::ctrl_c().await) };
/// stairway_server::run(listener, [manager], interrupted).await?;
/// # Ok(())
/// # }
/// ```
///
/// # Errors
/// As [`Server::run`].
pub async fn run(
    listener: TcpListener,
    managers: impl IntoIterator<Item = Manager>,
    shutdown: impl Future<Output = ()>,
) -> Result<(), RunError> {
    let state = ServerState::new(managers, ServerSettings::default())?;
    Server::new(state).run(listener, shutdown).await
}

/// A server that is to be run.
#[derive(Debug)]
pub struct Server {
    state: ServerState,
    internal: Option<TcpListener>,
}

impl Server {
    /// A server over this state.
    pub fn new(state: ServerState) -> Self {
        Self {
            state,
            internal: None,
        }
    }

    /// Serves everything on this second listener, and on the first one only
    /// [the probes](crate::probe_router), without revisions and errors.
    #[must_use]
    pub fn with_internal_listener(mut self, listener: TcpListener) -> Self {
        self.internal = Some(listener);
        self
    }

    /// Serves, and runs start-up of the databases meanwhile, until `shutdown` resolves.
    ///
    /// Then runs are asked to stop after their step, readiness fails, and when they have ended
    /// requests may end too. To cancel the running statements call [`ServerState::stop`] again.
    ///
    /// # Errors
    /// [`RunError::Startup`] if start-up failed and the settings say that this ends the process.
    /// Being stopped in the middle of start-up is no error.
    pub async fn run(
        self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()>,
    ) -> Result<(), RunError> {
        let Self { state, internal } = self;
        let (stop_serving, stop) = watch::channel(false);
        let mut listeners = JoinSet::new();
        let mut spawn = |listener: TcpListener, what: &str, router: Router| -> io::Result<()> {
            let address = listener.local_addr()?;
            tracing::info!(%address, "listening on {address} for {what}");
            let limits = state.settings().connections.clone();
            listeners.spawn(serve(listener, standalone(router), limits, stop.clone()));
            Ok(())
        };
        match internal {
            None => spawn(listener, "everything", router(state.clone()))?,
            Some(internal) => {
                spawn(listener, "probes", probe_router(state.clone()))?;
                spawn(internal, "everything", router(state.clone()))?;
            }
        }
        let result = start_up_and_wait(&state, shutdown).await;
        stop_serving.send_replace(true);
        while listeners.join_next().await.is_some() {}
        match result {
            Err(error) if error.is_stop() => Ok(()),
            other => other.map_err(RunError::from),
        }
    }
}

/// Resolves when the server has no reason left to go on.
async fn start_up_and_wait(
    state: &ServerState,
    shutdown: impl Future<Output = ()>,
) -> Result<(), StartupError> {
    let mut shutdown = pin!(shutdown);
    let mut start_up = pin!(state.start_up());
    tokio::select! {
        () = shutdown.as_mut() => {
            tracing::info!("asked to stop: runs end after their step");
            state.stop();
            return start_up.await;
        }
        started = start_up.as_mut() => started?,
    }
    shutdown.await;
    tracing::info!("asked to stop");
    state.stop();
    Ok(())
}
