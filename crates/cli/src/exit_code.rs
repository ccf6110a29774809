//! What the program's exit code says. The one place where codes are given a meaning.

use stairway_core::{Error, Failure};

/// Done.
pub const DONE: u8 = 0;
/// It failed; the message says what was done and what was not.
pub const FAILED: u8 = 1;
/// Wrong usage, settings, credentials or revisions. Nothing was done.
pub const USAGE: u8 = 2;
/// Not up to date, or something was found; only where that was asked for.
pub const DIFFERENT: u8 = 3;
/// Another run held the migration lock for longer than was allowed.
pub const LOCKED: u8 = 4;
/// The database could not be reached in the time allowed.
pub const UNREACHABLE: u8 = 5;
/// Interrupted by SIGINT (Ctrl-C).
pub const INTERRUPTED: u8 = 130;
/// Interrupted by SIGTERM.
pub const TERMINATED: u8 = 143;

/// Every code with its name in JSON and its meaning, in the order of the documentation.
pub const ALL: [(u8, &str, &str); 8] = [
    (
        DONE,
        "done",
        "Done. With `MIGRATION_FAIL_ON_ERROR=false` also a `run` whose migration failed.",
    ),
    (
        FAILED,
        "failed",
        "It failed. The message says what was applied, what is left of the step that failed, and what to type next.",
    ),
    (
        USAGE,
        "usage",
        "Wrong usage: an unknown option or target, a setting that makes no sense, a URL that can't be used, refused credentials, an unknown database, revisions that contradict one another, a plan that is refused beforehand (`diverged`, strict order, a single transaction where there can be none), or a question that nobody is there to answer. Nothing was done.",
    ),
    (
        DIFFERENT,
        "different",
        "Not up to date, or something was found. Only from `status --exit-code`, `schema diff --exit-code` and `check`.",
    ),
    (
        LOCKED,
        "locked",
        "Another run held the migration lock for longer than `--lock-timeout` allows.",
    ),
    (
        UNREACHABLE,
        "unreachable",
        "The database could not be reached in the time allowed.",
    ),
    (
        INTERRUPTED,
        "interrupted",
        "Stopped by SIGINT (Ctrl-C), between two revisions; after a second signal the running statement was cancelled.",
    ),
    (TERMINATED, "terminated", "Stopped by SIGTERM, likewise."),
];

/// The code for an error of the library.
pub fn of(error: &Error) -> u8 {
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
        // Something was done: no other code of the second failure says so.
        Error::NotResumed { unreachable, .. }
            if matches!(**unreachable, Error::Unreachable { .. }) =>
        {
            UNREACHABLE
        }
        Error::LockTimeout { .. } => LOCKED,
        // Which signal it was is known to whoever caught it.
        Error::Stopped { .. } => INTERRUPTED,
        _ => FAILED,
    }
}

/// The name of a code in JSON.
pub fn name(code: u8) -> &'static str {
    ALL.iter()
        .find(|(known, ..)| *known == code)
        .map_or("failed", |(_, name, _)| name)
}

/// How bad a code is, to find the worst of several databases.
pub(crate) fn severity(code: u8) -> u8 {
    match code {
        DONE => 0,
        DIFFERENT => 1,
        LOCKED => 2,
        UNREACHABLE => 3,
        USAGE => 4,
        INTERRUPTED | TERMINATED => 6,
        _ => 5,
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use stairway_core::Failure;

    use super::*;

    fn refused(failure: Failure) -> Error {
        Error::Refused {
            location: "db".to_owned(),
            failure,
            message: "no".to_owned(),
        }
    }

    #[test]
    fn errors_have_the_documented_codes() {
        let cases = [
            (Error::Configuration("x".to_owned()), 2),
            (refused(Failure::AuthenticationFailed), 2),
            (refused(Failure::UnknownDatabase), 2),
            (refused(Failure::Statement), 1),
            (
                Error::LockTimeout {
                    location: "db".to_owned(),
                    waited: Duration::ZERO,
                    holder: None,
                },
                4,
            ),
            (Error::LockLost { applied: 0 }, 1),
            (Error::Backup("x".to_owned()), 1),
            (
                Error::Stopped {
                    applied: 1,
                    remaining: 1,
                },
                130,
            ),
        ];
        for (error, code) in cases {
            assert_eq!(of(&error), code, "{error}");
        }
    }

    #[test]
    fn every_code_has_one_meaning_that_the_page_repeats() {
        let page = include_str!("../../../docs/exit-codes.md");
        for (code, name, meaning) in ALL {
            assert_eq!(ALL.iter().filter(|(other, ..)| *other == code).count(), 1);
            assert!(
                page.contains(&format!("| {code} | `{name}` | {meaning} |")),
                "docs/exit-codes.md lacks {code}"
            );
        }
    }

    #[test]
    fn the_worst_of_several_is_the_one_that_needs_a_person_first() {
        let worst = |codes: &[u8]| codes.iter().copied().max_by_key(|code| severity(*code));
        assert_eq!(worst(&[0, 3, 0]), Some(3));
        assert_eq!(worst(&[3, 5, 1, 4, 2]), Some(1));
        assert_eq!(worst(&[1, 143]), Some(143));
    }
}
