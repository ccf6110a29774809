//! SQL as text: reading it well enough to run it safely, without a parser for the whole language.
//!
//! A migration's SQL is split into statements ([`fn@split`]), each is recognised ([`fn@classify`]),
//! named ([`fn@fingerprint`]), summed up for later comparison ([`fn@checksum`]) and shown without its
//! secrets ([`redact_statement`]). All of it is total: any text gives an answer, none makes it panic,
//! and the time grows with the length of the text.

mod body;
pub mod checksum;
pub mod classify;
mod cursor;
mod definition;
pub mod dialect;
pub mod fingerprint;
pub mod lexer;
pub mod redact;
mod redact_statement;
mod setting;
pub mod split;
pub mod statement;
mod volatile;

pub use checksum::{Comparison, Rendering, StatementDigest, checksum, compare};
pub use classify::classify;
pub use dialect::Dialect;
pub use fingerprint::fingerprint;
pub use redact::{names_secret, redact_secrets, redact_url};
pub use redact_statement::redact_statement;
pub use split::{StatementText, TextKind, split};
pub use statement::{
    ObjectKind, ObjectName, ObjectReference, SettingScope, Statement, StatementKind,
};

#[cfg(test)]
mod tests;
