//! Throw-away database servers for the tests.
//!
//! A server runs from the installed packages, in a temporary directory, on a free port of
//! 127.0.0.1, and disappears with its [`Server`] value, also when the owner panics or is killed.
//! `cargo xtask test` starts the servers that most tests share; a test that kills, freezes or
//! restarts a server starts one of its own:
//!
//! ```no_run
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use stairway_test_servers::{ServerOptions, pgbouncer, postgres};
//!
//! let mut server = postgres::start(&ServerOptions::new().durable().password("secret"))?;
//! let pooler = pgbouncer::start(server.url(), &ServerOptions::new())?;
//! println!("{}", pooler.url().with_database("postgres").reveal());
//! server.kill()?;
//! server.start_again()?;
//! # Ok(())
//! # }
//! ```
//!
//! The crate depends on nothing but the standard library, so that `xtask` stays quick to build.
//! Outside Unix it starts no servers: give the tests the URLs of running ones.

#[cfg(unix)]
mod account;
mod backend;
pub mod cargo;
#[cfg(unix)]
mod directory;
mod error;
#[cfg(unix)]
mod keeper;
#[cfg(unix)]
pub mod mariadb;
mod options;
#[cfg(unix)]
pub mod pgbouncer;
#[cfg(unix)]
pub mod postgres;
pub mod process;
pub mod programs;
#[cfg(unix)]
mod server;
mod url;

pub use backend::{Backend, DATABASES_VARIABLE, PROGRAMS_VARIABLE, UnknownBackend};
pub use error::ServerError;
pub use options::ServerOptions;
#[cfg(unix)]
pub use server::Server;
pub use url::{InvalidUrl, ServerUrl};
