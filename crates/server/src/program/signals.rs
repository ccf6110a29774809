//! SIGINT and SIGTERM: the first ends the server between two revisions, the second cancels the
//! running statement, the third leaves at once.

use std::future::Future;
use std::io;

use tokio::sync::watch;

use super::exit_code;
use crate::state::ServerState;

/// The signals so far.
#[derive(Debug)]
pub(super) struct Signals {
    received: watch::Receiver<Received>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Received {
    count: u32,
    /// The exit code of the latest.
    code: u8,
}

impl Signals {
    /// Begins to listen.
    pub(super) fn listen(state: ServerState) -> io::Result<Self> {
        let (sender, received) = watch::channel(Received::default());
        let mut source = Source::new()?;
        tokio::spawn(async move {
            while let Some(code) = source.next().await {
                sender.send_modify(|received| {
                    received.count += 1;
                    received.code = code;
                });
                match sender.borrow().count {
                    1 => {}
                    2 => {
                        tracing::warn!("asked again: cancelling the running statements");
                        state.stop();
                    }
                    _ => leave(code),
                }
            }
        });
        Ok(Self { received })
    }

    /// Resolves with the first signal.
    pub(super) fn first(&mut self) -> impl Future<Output = ()> + use<> {
        let mut received = self.received.clone();
        async move {
            if received
                .wait_for(|received| received.count > 0)
                .await
                .is_err()
            {
                // Nobody listens any more; nothing will end the server but itself.
                std::future::pending::<()>().await;
            }
        }
    }

    /// How the program ends: well if one signal was enough.
    pub(super) fn exit_code(&self) -> u8 {
        let received = *self.received.borrow();
        if received.count > 1 {
            received.code
        } else {
            exit_code::DONE
        }
    }
}

/// Ends the process. What was running is settled by the next run, as after a crash.
#[expect(clippy::exit, reason = "the person has asked three times")]
fn leave(code: u8) {
    tracing::warn!("leaving at once; the next run settles what was running");
    std::process::exit(i32::from(code));
}

/// Where signals come from.
#[cfg(unix)]
struct Source {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Source {
    fn new() -> io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    /// The exit code of the next signal.
    async fn next(&mut self) -> Option<u8> {
        tokio::select! {
            signal = self.interrupt.recv() => signal.map(|()| exit_code::INTERRUPTED),
            signal = self.terminate.recv() => signal.map(|()| exit_code::TERMINATED),
        }
    }
}

/// Where signals come from.
#[cfg(not(unix))]
struct Source;

#[cfg(not(unix))]
impl Source {
    fn new() -> io::Result<Self> {
        Ok(Self)
    }

    /// The exit code of the next signal.
    async fn next(&mut self) -> Option<u8> {
        tokio::signal::ctrl_c()
            .await
            .ok()
            .map(|()| exit_code::INTERRUPTED)
    }
}
