//! Asking a run to stop.

use std::time::Duration;

use tokio::sync::watch;

use crate::error::Error;

/// How urgently a run is to stop.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Urgency {
    /// Not at all.
    #[default]
    Go,
    /// After the step that runs.
    AfterStep,
    /// Now: the running statement is cancelled on the server.
    Now,
}

/// Asks the runs of a manager to stop. Cheap to clone; for signal handlers.
#[derive(Clone, Debug)]
pub struct StopHandle {
    sender: watch::Sender<Urgency>,
}

/// What a run looks at to know whether it is to stop.
#[derive(Clone, Debug)]
pub(crate) struct Stop {
    receiver: watch::Receiver<Urgency>,
}

impl Default for StopHandle {
    fn default() -> Self {
        Self {
            sender: watch::Sender::new(Urgency::Go),
        }
    }
}

impl StopHandle {
    /// Asks to stop after the running step; asked a second time, to cancel the running statement.
    pub fn stop(&self) {
        self.sender.send_modify(|urgency| {
            *urgency = match *urgency {
                Urgency::Go => Urgency::AfterStep,
                Urgency::AfterStep | Urgency::Now => Urgency::Now,
            };
        });
    }

    /// How urgently runs are to stop at present.
    pub fn urgency(&self) -> Urgency {
        *self.sender.borrow()
    }

    pub(crate) fn watch(&self) -> Stop {
        Stop {
            receiver: self.sender.subscribe(),
        }
    }
}

impl Stop {
    pub(crate) fn urgency(&self) -> Urgency {
        *self.receiver.borrow()
    }

    /// An error if the run is to stop.
    pub(crate) fn check(&self) -> Result<(), Error> {
        if self.urgency() > Urgency::Go {
            Err(Error::stopped())
        } else {
            Ok(())
        }
    }

    /// Waits until the run is to stop at least this urgently; for ever if it never is.
    pub(crate) async fn reached(&mut self, urgency: Urgency) {
        if self.receiver.wait_for(|now| *now >= urgency).await.is_err() {
            // Nobody is left who could ask.
            std::future::pending::<()>().await;
        }
    }

    /// Sleeps, unless the run is to stop.
    pub(crate) async fn sleep(&self, pause: Duration) -> Result<(), Error> {
        let mut stop = self.clone();
        tokio::select! {
            () = tokio::time::sleep(pause) => Ok(()),
            () = stop.reached(Urgency::AfterStep) => Err(Error::stopped()),
        }
    }
}
