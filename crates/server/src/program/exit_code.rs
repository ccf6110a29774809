//! What the program's exit code says: the same as the command line's for the same failure.

use stairway_core::{Error, Failure};

pub(super) const DONE: u8 = 0;
pub(super) const FAILED: u8 = 1;
pub(super) const USAGE: u8 = 2;
pub(super) const LOCKED: u8 = 4;
pub(super) const UNREACHABLE: u8 = 5;
pub(super) const INTERRUPTED: u8 = 130;
pub(super) const TERMINATED: u8 = 143;

/// The code for a start-up that failed.
pub(super) fn of(error: &Error) -> u8 {
    match error {
        Error::Url(_)
        | Error::Revisions(_)
        | Error::Plan(_)
        | Error::Configuration(_)
        | Error::Unsupported(_)
        | Error::Refused {
            failure:
                Failure::AuthenticationFailed
                | Failure::UnknownDatabase
                | Failure::PermissionDenied
                | Failure::Pooler,
            ..
        } => USAGE,
        Error::Unreachable { .. } => UNREACHABLE,
        Error::NotResumed { unreachable, .. }
            if matches!(**unreachable, Error::Unreachable { .. }) =>
        {
            UNREACHABLE
        }
        Error::LockTimeout { .. } => LOCKED,
        _ => FAILED,
    }
}
