//! Connections: how many there may be, what each may take, and how they end.
//!
//! A probe must get its answer while somebody holds thousands of connections open or sends a byte a
//! second. So idle connections make way for new ones, and a client that does not get on is cut off.

mod connections;
mod stream;

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::{ConnectInfo, Request};
use axum::response::Response;
use futures_util::FutureExt;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};
use tower::ServiceExt;

use connections::{Connection, Connections};
use stream::TimedStream;

use crate::settings::ConnectionLimits;

/// Files that the process needs for other things than connections of this listener: databases, the
/// log, a backup, another listener.
const RESERVED_FILES: usize = 128;

/// The pause after the system refused to accept a connection for lack of files or memory.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves connections until `stop` turns true; then lets requests end, for as long as the limits
/// say, and returns.
pub(crate) async fn serve(
    listener: TcpListener,
    router: Router,
    limits: ConnectionLimits,
    mut stop: watch::Receiver<bool>,
) {
    let most = most_connections(limits.max_connections, open_files_limit());
    let connections = Arc::new(Connections::new(most));
    let shared = Arc::new(Shared {
        http: http1_builder(&limits),
        router,
        limits,
        stop: stop.clone(),
    });
    let mut tasks = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            Some(_) = tasks.join_next(), if !tasks.is_empty() => continue,
            _ = stop.wait_for(|stop| *stop) => break,
        };
        match accepted {
            Ok((stream, peer)) => {
                if let Some(connection) = connections.admit() {
                    tasks.spawn(Arc::clone(&shared).connection(stream, peer, connection));
                } else {
                    tracing::debug!(%peer, "turned away: all {most} connections are busy");
                }
            }
            // The client was gone before we looked; nothing is wrong with the listener.
            Err(error) if is_of_the_connection(&error) => {}
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                connections.close_one_idle();
                sleep(ACCEPT_PAUSE).await;
            }
        }
    }
    drop(listener);
    let ended = timeout(shared.limits.drain_timeout, async {
        while tasks.join_next().await.is_some() {}
    });
    if ended.await.is_err() {
        tracing::warn!("{} connection(s) cut off at the end", tasks.len());
        tasks.shutdown().await;
    }
}

/// What the connections of one listener share.
struct Shared {
    http: http1::Builder,
    router: Router,
    limits: ConnectionLimits,
    stop: watch::Receiver<bool>,
}

impl Shared {
    async fn connection(
        self: Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        connection: Connection,
    ) {
        let mut stop = self.stop.clone();
        // A connection on which nothing has been sent yet is kept without buffers.
        let first_byte = tokio::select! {
            readable = timeout(self.limits.header_read_timeout, stream.readable()) => matches!(readable, Ok(Ok(()))),
            () = connection.closing() => false,
            _ = stop.wait_for(|stop| *stop) => false,
        };
        if !first_byte {
            return;
        }
        // Small answers must not wait for more to send.
        drop(stream.set_nodelay(true));
        let io = TokioIo::new(TimedStream::new(stream, self.limits.write_timeout));
        let service = service_fn(|request: hyper::Request<Incoming>| {
            self.respond(request, peer, &connection)
        });
        let mut http = pin!(self.http.serve_connection(io, service));
        let mut stopping = false;
        loop {
            tokio::select! {
                ended = http.as_mut() => {
                    if let Err(error) = ended {
                        tracing::debug!(%peer, %error, "the connection ended early");
                    }
                    return;
                }
                () = connection.closing() => return,
                _ = stop.wait_for(|stop| *stop), if !stopping => {
                    stopping = true;
                    http.as_mut().graceful_shutdown();
                }
            }
        }
    }

    async fn respond(
        &self,
        request: hyper::Request<Incoming>,
        peer: SocketAddr,
        connection: &Connection,
    ) -> Result<Response, Infallible> {
        let _busy = connection.busy();
        let mut request: Request = request.map(Body::new);
        request.extensions_mut().insert(ConnectInfo(peer));
        // A bug in one endpoint ends one request.
        let answer = std::panic::AssertUnwindSafe(self.router.clone().oneshot(request));
        answer.catch_unwind().await.unwrap_or_else(|_| {
            tracing::error!("an endpoint panicked");
            Ok(crate::problem::Problem::internal_error())
        })
    }
}

fn http1_builder(limits: &ConnectionLimits) -> http1::Builder {
    let mut builder = http1::Builder::new();
    builder
        .timer(TokioTimer::new())
        .header_read_timeout(limits.header_read_timeout)
        .max_headers(limits.max_headers)
        .max_buf_size(limits.max_head_bytes.max(8192))
        .half_close(false)
        .keep_alive(true);
    builder
}

fn is_of_the_connection(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::ConnectionAborted
            | io::ErrorKind::ConnectionReset
            | io::ErrorKind::ConnectionRefused
            | io::ErrorKind::Interrupted
    )
}

/// How many connections one listener keeps, given how many files the process may open.
fn most_connections(wanted: usize, open_files: Option<usize>) -> usize {
    let possible = open_files.map_or(wanted, |files| {
        files.saturating_sub(RESERVED_FILES).max(files / 4)
    });
    wanted.min(possible).max(1)
}

/// How many files this process may have open, where the system tells (Linux).
fn open_files_limit() -> Option<usize> {
    let limits = std::fs::read_to_string("/proc/self/limits").ok()?;
    let line = limits
        .lines()
        .find_map(|line| line.strip_prefix("Max open files"))?;
    line.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    //! The bound on connections leaves files for everything else.

    use super::*;

    #[test]
    fn connections_are_bounded_by_the_files_that_the_process_may_open() {
        assert_eq!(most_connections(1024, None), 1024);
        assert_eq!(most_connections(1024, Some(20_000)), 1024);
        assert_eq!(most_connections(1024, Some(1024)), 896);
        assert_eq!(most_connections(1024, Some(100)), 25);
        assert_eq!(most_connections(0, Some(0)), 1);
    }
}
