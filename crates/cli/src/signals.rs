//! SIGINT and SIGTERM: the first stops between two revisions, the second cancels the running
//! statement, the third leaves at once.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use stairway_core::StopHandle;
use tokio::sync::watch;

use crate::exit_code;
use crate::printer::Console;

/// Who is to be stopped, and whether a signal has come.
#[derive(Debug)]
pub(crate) struct Signals {
    first: watch::Receiver<Option<First>>,
    running: Arc<Mutex<Option<StopHandle>>>,
}

/// The first signal.
#[derive(Clone, Copy, Debug)]
struct First {
    /// Its exit code.
    code: u8,
    /// A run was going on, which ends when it has stopped between two steps.
    is_gentle: bool,
}

impl Signals {
    /// Begins to listen, on a thread of its own: the command's thread may be busy, or wait for an
    /// answer to a question. It ends with this value.
    pub(crate) fn listen(console: &Arc<Console>) -> io::Result<Self> {
        let (sender, first) = watch::channel(None);
        let running: Arc<Mutex<Option<StopHandle>>> = Arc::default();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .build()?;
        let source = {
            let _context = runtime.enter();
            Source::new()?
        };
        let (console, stoppable) = (Arc::clone(console), Arc::clone(&running));
        std::thread::Builder::new()
            .name("stairway-signals".to_owned())
            .spawn(move || runtime.block_on(heed(source, &sender, &stoppable, &console)))?;
        Ok(Self { first, running })
    }

    /// The exit code of the first signal, if one has come.
    pub(crate) fn code(&self) -> Option<u8> {
        self.first.borrow().map(|first| first.code)
    }

    /// Waits for a signal that comes while nothing runs that has to end well.
    pub(crate) async fn received(&self) {
        let mut first = self.first.clone();
        let at_once = |first: &Option<First>| first.is_some_and(|first| !first.is_gentle);
        if first.wait_for(at_once).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// From now on, signals stop this between two steps.
    pub(crate) fn stop_gently(&self, handle: StopHandle) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(handle);
    }

    /// From now on, signals end the command at once.
    pub(crate) fn stop_at_once(&self) {
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }
}

/// Does what each signal asks for, until nobody wants to know of them any more.
async fn heed(
    mut source: Source,
    first: &watch::Sender<Option<First>>,
    stoppable: &Mutex<Option<StopHandle>>,
    console: &Console,
) {
    let mut count = 0_u32;
    loop {
        let code = tokio::select! {
            code = source.next() => code,
            () = first.closed() => None,
        };
        let Some(code) = code else { return };
        count += 1;
        let handle = stoppable
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone();
        let is_gentle = handle.is_some();
        match (count, handle) {
            (1, Some(handle)) => {
                handle.stop();
                console.warning(
                    "asked to stop: stopping after the running revision; ask again to cancel its statement",
                );
            }
            (2, Some(handle)) => {
                handle.stop();
                console.warning("cancelling the running statement");
            }
            (1, None) => {}
            _ => leave(console, code),
        }
        if count == 1 {
            first.send_replace(Some(First { code, is_gentle }));
        }
    }
}

/// Ends the process. What was running is settled by the next run, as after a crash.
#[expect(clippy::exit, reason = "the person has asked three times")]
fn leave(console: &Console, code: u8) {
    console.warning("leaving at once; the next run settles what was running");
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
