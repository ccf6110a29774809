//! Names of test databases: they say when and by whom a database was made, so that what a dead
//! process has left on a server can be told from what a running one uses.

use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// What the names of all test databases begin with.
pub(crate) const PREFIX: &str = "stairway_test_";

/// A process id means nothing where the server is shared between machines or containers: a
/// database younger than this is left alone although no such process runs here.
const GRACE: Duration = Duration::from_hours(1);

/// No test takes this long.
const OLD: Duration = Duration::from_hours(24);

static COUNTER: AtomicU32 = AtomicU32::new(0);

pub(crate) fn now() -> Duration {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default()
}

/// `stairway_test_<seconds since 1970>_<process>_<number>`
pub(crate) fn new_name() -> String {
    let number = COUNTER.fetch_add(1, Ordering::Relaxed);
    format!("{PREFIX}{}_{}_{number}", now().as_secs(), process::id())
}

/// The process that made the database of this name, if the name is one of ours.
pub(crate) fn process_of(name: &str) -> Option<u32> {
    parse(name).map(|(_, process)| process)
}

/// Whether the database can be dropped: its process has ended, or it is too old to be in use.
pub(crate) fn is_leftover(name: &str, now: Duration, running: &[u32]) -> bool {
    parse(name).is_some_and(|(made, process)| {
        let age = now.saturating_sub(made);
        age > OLD || (age > GRACE && !running.contains(&process))
    })
}

fn parse(name: &str) -> Option<(Duration, u32)> {
    let mut parts = name.strip_prefix(PREFIX)?.split('_');
    let made = Duration::from_secs(parts.next()?.parse().ok()?);
    let process = parts.next()?.parse().ok()?;
    parts.next()?.parse::<u32>().ok()?;
    parts.next().is_none().then_some((made, process))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Duration = Duration::from_secs(1_000_000);

    #[test]
    fn names_are_unique_ours_and_in_use() {
        let (one, other) = (new_name(), new_name());
        assert_ne!(one, other);
        assert_eq!(process_of(&one), Some(process::id()));
        assert!(!is_leftover(&one, now(), &[process::id()]));
    }

    #[test]
    fn the_database_of_a_dead_process_is_a_leftover_after_an_hour() {
        assert!(!is_leftover("stairway_test_999000_7_0", NOW, &[]));
        assert!(is_leftover("stairway_test_990000_7_0", NOW, &[]));
    }

    #[test]
    fn the_database_of_a_running_process_is_a_leftover_after_a_day() {
        assert!(!is_leftover("stairway_test_990000_7_0", NOW, &[7]));
        assert!(is_leftover("stairway_test_900000_7_0", NOW, &[7]));
    }

    #[test]
    fn a_database_that_the_tests_have_not_made_is_never_a_leftover() {
        for name in [
            "app",
            "stairway_test_",
            "stairway_test_1_7",
            "stairway_test_1_7_0_x",
            "stairway_test_1_7_x",
        ] {
            assert!(!is_leftover(name, NOW, &[]), "{name}");
        }
    }
}
