//! Times, amounts and addresses as people read them.

use std::fmt::{self, Write as _};

use chrono::{DateTime, SecondsFormat, Utc};

/// A moment as HTML: machine-readable, and in words.
pub(super) fn moment(at: DateTime<Utc>) -> String {
    format!(
        "<time datetime=\"{}\">{}</time>",
        at.to_rfc3339_opts(SecondsFormat::Secs, true),
        at.format("%Y-%m-%d %H:%M:%S UTC")
    )
}

/// How long ago a moment was, in the largest unit that fits.
pub(super) fn ago(at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let seconds = (now - at).num_seconds();
    match seconds {
        ..=0 => "just now".to_owned(),
        1..=59 => format!("{seconds} s ago"),
        60..=3599 => format!("{} min ago", seconds / 60),
        3600..=86_399 => format!("{} h ago", seconds / 3600),
        _ => format!("{} days ago", seconds / 86_400).replacen(
            "1 days",
            "1 day",
            usize::from(seconds < 172_800),
        ),
    }
}

/// A duration.
pub(super) fn duration(ms: u64) -> String {
    match ms {
        0..=999 => format!("{ms} ms"),
        1000..=59_999 => format!("{}.{} s", ms / 1000, ms % 1000 / 100),
        60_000..=3_599_999 => format!("{} min {} s", ms / 60_000, ms % 60_000 / 1000),
        _ => format!("{} h {} min", ms / 3_600_000, ms % 3_600_000 / 60_000),
    }
}

/// So many of something.
pub(super) struct Count<N>(pub(super) N, pub(super) &'static str);

impl<N: fmt::Display + PartialEq + From<u8>> fmt::Display for Count<N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.0 == N::from(1) { "" } else { "s" };
        write!(f, "{} {}{plural}", self.0, self.1)
    }
}

/// A value of a query, percent-encoded.
pub(super) fn query_value(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String does not fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    //! What a tired person reads is right.

    use super::*;

    #[test]
    fn durations_and_distances_read_well() {
        assert_eq!(duration(0), "0 ms");
        assert_eq!(duration(1_250), "1.2 s");
        assert_eq!(duration(62_000), "1 min 2 s");
        assert_eq!(duration(7_260_000), "2 h 1 min");
        let now = DateTime::from_timestamp(1_800_000_000, 0).expect("in range");
        let before = |seconds: i64| ago(now - chrono::Duration::seconds(seconds), now);
        assert_eq!(before(-5), "just now");
        assert_eq!(before(59), "59 s ago");
        assert_eq!(before(7_200), "2 h ago");
        assert_eq!(before(86_400), "1 day ago");
        assert_eq!(before(86_400 * 11), "11 days ago");
        assert_eq!(Count(1_u64, "revision").to_string(), "1 revision");
        assert_eq!(Count(0_usize, "revision").to_string(), "0 revisions");
    }

    #[test]
    fn a_query_value_can_not_break_out_of_its_place() {
        assert_eq!(query_value("a b&c=\"<é"), "a%20b%26c%3D%22%3C%C3%A9");
    }
}
