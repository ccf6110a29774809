//! Telling one statement from another in the journal.

use std::fmt::Write;

use sha2::{Digest, Sha256};

/// A statement's identity: the first 32 hexadecimal digits of the SHA-256 of its text, without the
/// blanks around it.
///
/// It is exact. A journalled statement is passed over on a rerun only if the very same text comes
/// again; a changed comment or value makes it another one, and the person on call is asked. For the
/// question whether a revision was edited, see [`mod@crate::sql::checksum`].
pub fn fingerprint(statement: &str) -> String {
    let mut digits = hexadecimal(&Sha256::digest(statement.trim().as_bytes()));
    digits.truncate(32);
    digits
}

pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(
        String::with_capacity(bytes.len() * 2),
        |mut digits, byte| {
            // Writing to a string does not fail.
            let _ = write!(digits, "{byte:02x}");
            digits
        },
    )
}
