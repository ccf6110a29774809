//! Reaching a database: its URL, one pinned session, and what its errors mean.

mod baseline;
mod connect;
mod failure;
mod session;
mod url;
mod vigil;

pub(crate) use baseline::{Baseline, postgres_settings};
pub(crate) use connect::{
    Access, Cancel, SQLITE_ROW_BUFFER, can_open_another, connect, server_version,
};
pub use failure::Failure;
pub(crate) use failure::{classify, classify_in_session, may_end_transaction, said};
pub(crate) use session::{Executed, Link, Pinned, Session, TextRow};
pub(crate) use url::UrlTarget;
pub use url::{DEFAULT_DATABASE_URL, DatabaseUrl, UrlError};
pub(crate) use vigil::Vigil;
