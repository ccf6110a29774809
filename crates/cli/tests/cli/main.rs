//! The real binary, as a person or a script calls it, on SQLite.

mod library;
mod program;
mod usage;
