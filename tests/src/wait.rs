use std::thread;
use std::time::{Duration, Instant};

/// Waits until `condition` holds, asking again and again.
///
/// # Panics
/// It did not hold within `deadline`; the message says `what` was waited for.
#[track_caller]
pub fn wait_until(what: &str, deadline: Duration, condition: impl FnMut() -> bool) {
    assert!(
        holds_within(deadline, condition),
        "waited {:.1} s in vain for this: {what}",
        deadline.as_secs_f64()
    );
}

/// Whether `condition` holds before `deadline` has passed.
pub(crate) fn holds_within(deadline: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if begin.elapsed() >= deadline {
            return false;
        }
        thread::sleep(Duration::from_millis(10));
    }
}
