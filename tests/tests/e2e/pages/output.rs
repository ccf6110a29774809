//! Whether what was printed is what a page shows.

use std::sync::LazyLock;

use regex::Regex;

/// Stands for anything within a line, and alone on a line for any lines.
const ANYTHING: &str = "…";

/// What is another one in each run, and what is compared in its place: all else has to be the same.
const MASKS: &[(&str, &str)] = &[
    // A database of a test has a name and a server of its own. That the password is masked stays.
    (
        r"[a-z]+://(?:[^\s/@:]+(:\*\*\*)?@)?[^\s;,)\]]*[^\s;,)\]:]",
        "<url$1>",
    ),
    (
        r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| UTC)",
        "<time>",
    ),
    (r"\b\d{8}T\d{9}Z\b", "<time>"),
    (r"\b\d+(?:\.\d+)? (?:ms|s|min|h)\b", "<duration>"),
    // A process and its machine.
    (r"\b\d+@[\w.-]+", "<pid>@<host>"),
    (r"\bprocess \d+ on [\w.-]+", "process <pid> on <host>"),
    (r"^(  process +)\d+$", "$1<pid>"),
    (r"^(  host +)\S+$", "$1<host>"),
    // MariaDB's name for where a user comes from.
    (r"@'[^']+'", "@'<host>'"),
    // As many as there was time for.
    (r"\b\d+ attempt\(s\)", "<n> attempt(s)"),
    // A revision that the command has just made is named after the moment.
    (
        r"\bm2\d{7}_\d{6}_(add_user_preferences_table)",
        "m<time>_$1",
    ),
];

/// Log lines that a page leaves out: of what goes as it should, and of a failure, which the lines below
/// tell of in full. At a terminal the progress display is in their place.
const LEFT_OUT: &str = r"^\S+Z +(?:INFO|ERROR) ";

static COMPILED: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let compile = |&(pattern, name)| (Regex::new(pattern).expect("it is written above"), name);
    MASKS.iter().map(compile).collect()
});

static LOG: LazyLock<Regex> = LazyLock::new(|| Regex::new(LEFT_OUT).expect("it is written above"));

fn mask(line: &str) -> String {
    let trimmed = line.trim_end().to_owned();
    COMPILED.iter().fold(trimmed, |line, (pattern, name)| {
        pattern.replace_all(&line, *name).into_owned()
    })
}

/// How a printed text differs from the lines that a page shows; nothing if it does not, or if the page
/// shows none.
pub(crate) fn difference(shown: &[String], printed: &str) -> Option<String> {
    if shown.is_empty() {
        return None;
    }
    let printed: Vec<String> = printed
        .trim_end()
        .lines()
        .filter(|line| !LOG.is_match(line))
        .map(mask)
        .collect();
    let shown: Vec<String> = shown.iter().map(|line| mask(line)).collect();
    (!lines_fit(&shown, &printed)).then(|| {
        format!(
            "the page shows\n  {}\nand this was printed\n  {}",
            shown.join("\n  "),
            printed.join("\n  ")
        )
    })
}

fn lines_fit(shown: &[String], printed: &[String]) -> bool {
    match shown {
        [] => printed.is_empty(),
        [first, rest @ ..] if first.trim() == ANYTHING => {
            (0..=printed.len()).any(|from| lines_fit(rest, &printed[from..]))
        }
        [first, rest @ ..] => printed
            .split_first()
            .is_some_and(|(line, others)| line_fits(first, line) && lines_fit(rest, others)),
    }
}

fn line_fits(shown: &str, printed: &str) -> bool {
    let Some((beginning, rest)) = shown.split_once(ANYTHING) else {
        return shown == printed;
    };
    let Some(printed) = printed.strip_prefix(beginning) else {
        return false;
    };
    let mut ends = printed
        .char_indices()
        .map(|(at, _)| at)
        .chain([printed.len()]);
    ends.any(|from| line_fits(rest, &printed[from..]))
}

#[test]
fn a_line_more_less_or_other_is_a_difference_and_what_is_masked_is_none() {
    let differs = |shown: &str, printed: &str| {
        let shown: Vec<String> = shown.lines().map(str::to_owned).collect();
        difference(&shown, printed).is_some()
    };
    let same = [
        ("", "anything"),
        ("one\ntwo", "one\ntwo  \n\n"),
        ("one\n…\nfour", "one\ntwo\nthree\nfour"),
        ("one\n     …", "one"),
        ("… WARN no … of it", "x WARN no more of it"),
        (
            "at postgres://a@h:1/shop in 4 ms since 2026-01-02 03:04:05 UTC",
            "at mysql://b@c/d in 1.5 s since 2025-11-12 13:14:15 UTC",
        ),
        (
            "by 12@web-1 process 12 on web-1\n  process      12\n  host         web-1",
            "by 9@a.b process 9 on a.b\n  process      9\n  host         a.b",
        ),
        ("done", "2026-01-02T03:04:05Z  INFO Applying\ndone"),
        (
            "error: full",
            "2026-01-02T03:04:05Z ERROR full\nerror: full",
        ),
    ];
    for (shown, printed) in same {
        assert!(!differs(shown, printed), "{shown}\n{printed}");
    }
    let different = [
        ("one", "one\ntwo"),
        ("one\ntwo", "one"),
        ("one\ntwo", "two\none"),
        ("one … three", "one two four"),
        ("3 revisions", "4 revisions"),
        // The password was masked once, and is not any more.
        (
            "at postgres://a:***@h:1/shop",
            "at postgres://a:secret@h:1/shop",
        ),
        ("done", "2026-01-02T03:04:05Z  WARN Waiting\ndone"),
    ];
    for (shown, printed) in different {
        assert!(differs(shown, printed), "{shown}\n{printed}");
    }
}
