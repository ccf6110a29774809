//! Reaching a database: its URL, one pinned session, and what its errors mean.

mod connect;
mod failure;
mod session;
mod url;

pub(crate) use connect::{
    Access, Cancel, connect, migration_settings, prepare_for_migration, server_version,
};
pub use failure::Failure;
pub(crate) use failure::classify;
pub(crate) use session::{Pinned, Session};
pub(crate) use url::UrlTarget;
pub use url::{DEFAULT_DATABASE_URL, DatabaseUrl, UrlError};
