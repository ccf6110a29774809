//! Which connections are open, and which of them makes way for a new one.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// The open connections of a listener.
#[derive(Debug)]
pub(super) struct Connections {
    most: usize,
    /// Counts what happens on connections; a connection's last use is a moment of it.
    moment: AtomicU64,
    open: Mutex<HashMap<u64, Arc<Entry>>>,
}

#[derive(Debug)]
struct Entry {
    requests: AtomicUsize,
    last_used: AtomicU64,
    close: Notify,
}

/// One open connection. Dropping it makes room for another.
#[derive(Debug)]
pub(super) struct Connection {
    id: u64,
    entry: Arc<Entry>,
    connections: Arc<Connections>,
}

impl Connections {
    pub(super) fn new(most: usize) -> Self {
        Self {
            most,
            moment: AtomicU64::new(0),
            open: Mutex::new(HashMap::new()),
        }
    }

    /// Takes a connection in. When all places are taken the one that has been idle for longest is
    /// closed; when none is idle there is no place.
    pub(super) fn admit(self: &Arc<Self>) -> Option<Connection> {
        if self.open().len() >= self.most && !self.close_one_idle() {
            return None;
        }
        let id = self.next_moment();
        let entry = Arc::new(Entry {
            requests: AtomicUsize::new(0),
            last_used: AtomicU64::new(id),
            close: Notify::new(),
        });
        self.open().insert(id, Arc::clone(&entry));
        Some(Connection {
            id,
            entry,
            connections: Arc::clone(self),
        })
    }

    /// Closes the connection that has been idle for longest, if one is idle.
    pub(super) fn close_one_idle(&self) -> bool {
        let mut open = self.open();
        let idle = open
            .iter()
            .filter(|(_, entry)| entry.requests.load(Ordering::Acquire) == 0)
            .min_by_key(|(_, entry)| entry.last_used.load(Ordering::Acquire))
            .map(|(id, _)| *id);
        let Some(closed) = idle.and_then(|id| open.remove(&id)) else {
            return false;
        };
        closed.close.notify_one();
        true
    }

    fn next_moment(&self) -> u64 {
        self.moment.fetch_add(1, Ordering::Relaxed)
    }

    fn open(&self) -> std::sync::MutexGuard<'_, HashMap<u64, Arc<Entry>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Resolves when the connection is to make way.
    pub(super) async fn closing(&self) {
        self.entry.close.notified().await;
    }

    /// Marks the connection as busy for as long as the value lives.
    pub(super) fn busy(&self) -> Busy<'_> {
        self.entry.requests.fetch_add(1, Ordering::AcqRel);
        self.touch();
        Busy { connection: self }
    }

    fn touch(&self) {
        let moment = self.connections.next_moment();
        self.entry.last_used.store(moment, Ordering::Release);
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.connections.open().remove(&self.id);
    }
}

/// A request that is being answered.
#[derive(Debug)]
pub(super) struct Busy<'a> {
    connection: &'a Connection,
}

impl Drop for Busy<'_> {
    fn drop(&mut self) {
        self.connection.touch();
        self.connection
            .entry
            .requests
            .fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    //! A new connection always finds a place unless every other is at work.

    use futures_util::FutureExt;

    use super::*;

    fn is_closing(connection: &Connection) -> bool {
        connection.closing().now_or_never().is_some()
    }

    #[test]
    fn the_connection_that_was_idle_for_longest_makes_way() {
        let connections = Arc::new(Connections::new(2));
        let first = connections.admit().expect("there is room");
        let second = connections.admit().expect("there is room");
        drop(first.busy());
        let third = connections.admit().expect("the second makes way");
        assert!(is_closing(&second));
        assert!(!is_closing(&first) && !is_closing(&third));
    }

    #[test]
    fn a_connection_at_work_is_not_closed() {
        let connections = Arc::new(Connections::new(1));
        let only = connections.admit().expect("there is room");
        let busy = only.busy();
        assert!(connections.admit().is_none());
        drop(busy);
        assert!(connections.admit().is_some());
        assert!(is_closing(&only));
    }

    #[test]
    fn a_connection_that_ended_leaves_its_place() {
        let connections = Arc::new(Connections::new(1));
        for _ in 0..3 {
            let connection = connections.admit().expect("the one before is gone");
            assert!(!is_closing(&connection));
        }
    }
}
