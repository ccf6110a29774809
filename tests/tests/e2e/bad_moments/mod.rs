//! What production does to a migration in its bad moments, and what it must say and leave then.

mod clock;
mod contention;
mod cut;
mod disk;
mod fuzz;
mod hostile_history;
mod misbehaving;
mod neighbours;
mod outage;
mod privileges;
mod read_only;
mod scenario;
mod secrets;
mod signals;
mod silence;
