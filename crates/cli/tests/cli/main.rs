//! The real binary, as a person or a script calls it, on SQLite.

mod json;
mod library;
mod program;
mod usage;
