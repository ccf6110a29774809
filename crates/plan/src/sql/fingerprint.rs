//! Telling one statement from another in the journal.

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
    const DIGITS: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f',
    ];
    bytes
        .iter()
        .flat_map(|byte| [byte >> 4, byte & 15])
        .map(|digit| DIGITS[usize::from(digit)])
        .collect()
}
