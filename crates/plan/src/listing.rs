//! How ids stand in sentences: lists that stay short, and guesses at what was meant.

use std::borrow::Cow;
use std::fmt;

use crate::revision::{RevisionId, without_stamp};

/// How many items a sentence names before it only counts.
const NAMED: usize = 10;

/// Items with commas between; a long list ends in a count.
pub(crate) struct Listed<'a, T>(pub(crate) &'a [T]);

impl<T: fmt::Display> fmt::Display for Listed<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, self.0, ", ")
    }
}

/// A circle of items, drawn back to the first.
pub(crate) struct Arrows<'a>(pub(crate) &'a [RevisionId]);

impl fmt::Display for Arrows<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        joined(f, self.0, " -> ")?;
        self.0
            .first()
            .map_or(Ok(()), |first| write!(f, " -> {first}"))
    }
}

fn joined<T: fmt::Display>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    separator: &str,
) -> fmt::Result {
    // Naming all but one would be as long as naming all.
    let named = if items.len() <= NAMED + 1 {
        items.len()
    } else {
        NAMED
    };
    for (index, item) in items[..named].iter().enumerate() {
        if index > 0 {
            f.write_str(separator)?;
        }
        f.write_str(&visible(&item.to_string()))?;
    }
    match items.len() - named {
        0 => Ok(()),
        more => write!(f, "{separator}and {more} more"),
    }
}

/// The candidates most like `word`, most alike first, at most three and none that is unlike it.
pub(crate) fn most_like<'a>(
    word: &str,
    candidates: impl IntoIterator<Item = &'a str>,
) -> Vec<&'a str> {
    const ALIKE: f64 = 0.75;
    let word = word.to_lowercase();
    let mut alike: Vec<(f64, &str)> = candidates
        .into_iter()
        .map(|candidate| {
            let lower = candidate.to_lowercase();
            let whole = strsim::normalized_damerau_levenshtein(&word, &lower);
            let chosen = strsim::normalized_damerau_levenshtein(&word, without_stamp(&lower));
            (whole.max(chosen), candidate)
        })
        .filter(|&(likeness, _)| likeness >= ALIKE)
        .collect();
    alike.sort_by(|(a, x), (b, y)| b.total_cmp(a).then_with(|| x.cmp(y)));
    alike.into_iter().take(3).map(|(_, id)| id).collect()
}

/// Text from elsewhere, safe to show on a terminal: what steers a terminal or reorders its text is
/// written out.
pub(crate) fn visible(text: &str) -> Cow<'_, str> {
    if text.chars().any(steers) {
        let escape = |c: char| {
            let escaped = c.escape_unicode();
            if steers(c) {
                escaped.to_string()
            } else {
                c.to_string()
            }
        };
        Cow::Owned(text.chars().map(escape).collect())
    } else {
        Cow::Borrowed(text)
    }
}

/// Control characters, line separators and the marks that change the direction of writing.
pub(crate) fn steers(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(count: usize) -> String {
        let ids: Vec<usize> = (1..=count).collect();
        Listed(&ids).to_string()
    }

    #[test]
    fn a_long_list_ends_in_a_count_that_is_worth_it() {
        assert_eq!(listed(0), "");
        assert_eq!(listed(11), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11");
        assert_eq!(listed(12), "1, 2, 3, 4, 5, 6, 7, 8, 9, 10, and 2 more");
    }

    #[test]
    fn what_steers_a_terminal_is_written_out() {
        assert_eq!(visible("plain text, ünïcode"), "plain text, ünïcode");
        assert_eq!(
            visible("a\u{1b}[2J\nb\u{202e}c"),
            r"a\u{1b}[2J\u{a}b\u{202e}c"
        );
        assert_eq!(Listed(&["a\tb"]).to_string(), r"a\u{9}b");
    }

    #[test]
    fn only_what_is_much_alike_is_suggested() {
        let ids = [
            "m20260101_090000_create_users",
            "m20260102_090000_create_uses",
            "m20260103_add",
        ];
        assert_eq!(most_like("create_user", ids), [ids[0], ids[1]]);
        assert_eq!(most_like("drop_everything", ids), [""; 0]);
        assert_eq!(most_like("", ids), [""; 0]);
    }
}
