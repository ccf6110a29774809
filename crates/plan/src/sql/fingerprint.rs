//! Interim.
use sha2::{Digest, Sha256};
pub fn fingerprint(statement: &str) -> String {
    crate::bookkeeping::hex(&Sha256::digest(statement.trim()))[..32].to_owned()
}
