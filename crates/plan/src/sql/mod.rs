//! SQL as text: reading it well enough to run it safely, without a parser for the whole language.
//!
//! A migration's SQL is split into statements ([`fn@split`]), and each is recognised
//! ([`fn@classify`]). All of it is total: any text gives an answer, none makes it panic, and the time
//! grows with the length of the text.

mod body;
pub mod classify;
mod cursor;
mod definition;
pub mod dialect;
pub mod lexer;
mod setting;
pub mod split;
pub mod statement;

pub use classify::classify;
pub use dialect::Dialect;
pub use split::{StatementText, TextKind, split};
pub use statement::{
    ObjectKind, ObjectName, ObjectReference, SettingScope, Statement, StatementKind,
};

pub mod checksum;
pub mod fingerprint;
pub mod redact;
#[cfg(test)]
mod tests;
pub use redact::{redact_secrets, redact_statement, redact_url};
