//! Who is told of what happens.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use chrono::Utc;
use stairway_plan::event::{Event, EventKind};
use stairway_plan::plan::Direction;

use crate::telemetry::spans::RunSpans;

/// Is told of every event of a run, in order, on the task that runs it. Must not block.
pub trait Observer: Send + Sync {
    /// Takes note of an event.
    fn observe(&self, event: &Event);
}

impl<F: Fn(&Event) + Send + Sync> Observer for F {
    fn observe(&self, event: &Event) {
        self(event);
    }
}

/// Several observers, and the name of the database that the events are about.
#[derive(Clone)]
pub(crate) struct Observers {
    database: String,
    told: Arc<Vec<Arc<dyn Observer>>>,
    /// Those of the run that these are for.
    spans: Arc<RunSpans>,
    /// Nobody is told, and nothing is logged.
    silent: bool,
}

impl fmt::Debug for Observers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Observers")
            .field("database", &self.database)
            .field("count", &self.told.len())
            .finish_non_exhaustive()
    }
}

impl Observers {
    pub(crate) fn new(database: &str, observers: Vec<Arc<dyn Observer>>) -> Self {
        Self {
            database: database.to_owned(),
            told: Arc::new(observers),
            spans: Arc::default(),
            silent: false,
        }
    }

    /// The same observers, for one run that opens spans of its own.
    pub(crate) fn for_run(&self) -> Self {
        Self {
            spans: Arc::default(),
            ..self.clone()
        }
    }

    /// Opens the run's span, in which everything that happens from now on is logged.
    pub(crate) fn run_begins(&self, run_id: &str, direction: Direction, target: &str) {
        if !self.silent {
            self.spans
                .run_begins(&self.database, run_id, direction, target);
        }
    }

    /// Tells nobody and logs nothing: for runs that are nobody's business.
    pub(crate) fn silent() -> Self {
        Self {
            silent: true,
            ..Self::new("", Vec::new())
        }
    }

    pub(crate) fn with(&self, observer: Arc<dyn Observer>) -> Self {
        let mut observers = (*self.told).clone();
        observers.push(observer);
        Self {
            database: self.database.clone(),
            told: Arc::new(observers),
            spans: Arc::default(),
            silent: self.silent,
        }
    }

    pub(crate) fn emit(&self, kind: EventKind) {
        if self.silent {
            return;
        }
        let event = Event {
            timestamp: Utc::now(),
            database: self.database.clone(),
            kind,
        };
        self.spans.log(&event);
        for observer in self.told.iter() {
            observer.observe(&event);
        }
    }
}

/// An observer that keeps every event, for tests and for reports at the end of a run.
#[derive(Debug, Default)]
pub struct EventLog {
    events: Mutex<Vec<Event>>,
}

impl EventLog {
    /// The events so far.
    pub fn events(&self) -> Vec<Event> {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl Observer for EventLog {
    fn observe(&self, event: &Event) {
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.clone());
    }
}
