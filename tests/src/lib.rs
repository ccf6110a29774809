//! What end-to-end tests need: databases of their own, the built binaries, and patience.
//!
//! ```no_run
//! use stairway_tests::{on_each_backend, stairway};
//!
//! on_each_backend(|database| {
//!     let run = stairway().args(["upgrade"]).database(&database).run();
//!     assert_eq!(run.code, 0, "{run}");
//!     assert_eq!(database.rows("SELECT count(*) FROM users"), [[Some("0".to_owned())]]);
//! });
//! ```
//!
//! Everything here blocks and works in an ordinary `#[test]` as well as in a `#[tokio::test]`.
//! What goes wrong in it is a failed test, so it panics instead of returning errors, but for the
//! functions that begin with `try_`.

mod backends;
mod binaries;
mod browser;
mod database;
#[cfg(unix)]
mod disk;
mod names;
mod program;
mod project;
mod proxy;
mod session;
mod wait;

pub use backends::{available_backends, checker, has_programs, on_each_backend};
pub use browser::Browser;
pub use database::TestDatabase;
#[cfg(unix)]
pub use disk::SmallDisk;
pub use program::{Finished, Program, Running, stairway, stairway_server};
pub use project::Project;
pub use proxy::{Message, Proxy, Verdict};
pub use session::{Rows, Session};
pub use stairway_test_servers as servers;
pub use stairway_test_servers::Backend;
pub use wait::wait_until;
