//! A layer that keeps requests away from a service until its database is migrated.

use std::convert::Infallible;
use std::task::{Context, Poll};

use axum::extract::Request;
use axum::response::{IntoResponse, Response};
use futures_util::future::BoxFuture;
use tower::{Layer, Service};

use crate::problem::Problem;
use crate::state::ServerState;

/// Answers 503 (`application/problem+json`, `Retry-After: 1`) to everything until the service has
/// been ready once, by the policy of [`ServerSettings::ready_when`]; from then on it costs one atomic
/// load, and a database that goes away later does not close it again: readiness probes are for that.
///
/// It stands in front of what it is laid on, without exceptions. Lay it on the application's routes
/// and merge or nest [`router`](crate::router) after that, so that probes still get through.
///
/// [`ServerSettings::ready_when`]: crate::ServerSettings::ready_when
#[derive(Clone, Debug)]
pub struct ReadinessLayer {
    state: ServerState,
}

impl ReadinessLayer {
    /// A layer that opens when this state is ready.
    pub fn new(state: ServerState) -> Self {
        Self { state }
    }
}

impl<S> Layer<S> for ReadinessLayer {
    type Service = ReadinessService<S>;

    fn layer(&self, inner: S) -> ReadinessService<S> {
        ReadinessService {
            state: self.state.clone(),
            inner,
        }
    }
}

/// The service that [`ReadinessLayer`] makes.
#[derive(Clone, Debug)]
pub struct ReadinessService<S> {
    state: ServerState,
    inner: S,
}

impl<S> Service<Request> for ReadinessService<S>
where
    S: Service<Request, Error = Infallible> + Clone + Send + 'static,
    S::Response: IntoResponse,
    S::Future: Send + 'static,
{
    type Response = Response;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response, Infallible>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request) -> Self::Future {
        let state = self.state.clone();
        // The one that was polled ready is the one to call.
        let next = self.inner.clone();
        let mut inner = std::mem::replace(&mut self.inner, next);
        Box::pin(async move {
            if state.is_open().await {
                inner.call(request).await.map(IntoResponse::into_response)
            } else {
                Ok(Problem::not_ready().into_response())
            }
        })
    }
}
