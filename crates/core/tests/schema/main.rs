//! Reading and comparing schemas on real databases.
//!
//! Servers come from `STAIRWAY_TEST_POSTGRES_URL` and `STAIRWAY_TEST_MYSQL_URL`; without them only
//! SQLite is tried. Every test makes its own databases and drops them.

#![cfg(test)]

mod cases;
mod databases;
mod elsewhere;
mod every_type;
mod four_bytes;
mod invented_values;
mod laws;
mod many_tables;
mod other_types;
mod reading;
mod rebuild;
mod unjudged;
