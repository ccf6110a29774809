//! Signs of life of the run that holds the lock.
//!
//! A server session outlives its client while a statement runs, and with it the lock. The signs come
//! over a connection of their own; where they stop, the client is dead or frozen. Ending its session
//! then is safe in both cases: a client that comes back can't do anything on it any more.

use std::time::Duration;

use stairway_plan::bookkeeping::Bookkeeping;
use tokio::task::JoinHandle;

use crate::config::Config;
use crate::connection::{Access, Session, connect};

/// The time between two signs.
const INTERVAL: Duration = Duration::from_secs(4);

/// After so many seconds without a sign the holder counts as dead.
pub(super) const DEAD_AFTER: i64 = 15;

/// Gives signs of life until it is dropped.
#[derive(Debug)]
pub(crate) struct Heartbeat(JoinHandle<()>);

impl Heartbeat {
    /// Begins after a first interval: most runs are over by then and open no second connection.
    pub(crate) fn start(config: &Config, books: &Bookkeeping, lock: &str, run_id: &str) -> Self {
        let config = config.clone();
        let sign = books.renew_lease(lock, run_id);
        Self(tokio::spawn(async move {
            let mut session = None;
            loop {
                tokio::time::sleep(INTERVAL).await;
                session = give_sign(&config, &sign, session).await;
            }
        }))
    }
}

/// One sign. Returns the session if it can be used for the next.
async fn give_sign(config: &Config, sign: &str, session: Option<Session>) -> Option<Session> {
    let mut session = if let Some(open) = session {
        open
    } else {
        let application = config.application_name();
        match connect(&config.database, Access::Read, &application, INTERVAL).await {
            Ok(opened) => opened,
            Err(error) => {
                tracing::debug!(%error, "no connection for a sign of life");
                return None;
            }
        }
    };
    match tokio::time::timeout(INTERVAL, session.run(sign)).await {
        Ok(Ok(_)) => Some(session),
        Ok(Err(error)) => {
            tracing::debug!(%error, "a sign of life was not taken");
            None
        }
        Err(_) => {
            session.abandon();
            None
        }
    }
}

impl Drop for Heartbeat {
    fn drop(&mut self) {
        self.0.abort();
    }
}
