//! Runs Stairway's plans against PostgreSQL, MySQL/MariaDB and SQLite.

pub use stairway_plan::header::RevisionSource;
