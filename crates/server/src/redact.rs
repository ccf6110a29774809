//! The last look before a text leaves the server: what looks like credentials is masked, although
//! nobody upstream should have let it through.

use std::borrow::Cow;

use stairway_plan::sql::redact_url;

/// Masks the password of every URL in a text, and the values of `password=`, `passwd=` and `pwd=`.
pub(crate) fn without_credentials(text: &str) -> String {
    let urls = mask_urls(text);
    mask_settings(&urls).into_owned()
}

fn mask_urls(text: &str) -> Cow<'_, str> {
    if !text.contains("://") {
        return Cow::Borrowed(text);
    }
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '`' | '<' | '>');
    let words = text
        .split_inclusive(ends)
        .map(|word| match word.find("://") {
            Some(_) => Cow::Owned(redact_url(word)),
            None => Cow::Borrowed(word),
        });
    Cow::Owned(words.collect())
}

fn mask_settings(text: &str) -> Cow<'_, str> {
    const NAMES: [&str; 3] = ["password=", "passwd=", "pwd="];
    let lowercase = text.to_ascii_lowercase();
    let mut masked = String::new();
    let mut copied = 0;
    let mut from = 0;
    while let Some((at, name)) = NAMES
        .iter()
        .filter_map(|name| lowercase[from..].find(name).map(|at| (from + at, *name)))
        .min_by_key(|(at, _)| *at)
    {
        let value = at + name.len();
        let length = text[value..]
            .find(|c: char| c.is_whitespace() || matches!(c, '&' | ';' | ',' | ')'))
            .unwrap_or(text.len() - value);
        masked.push_str(&text[copied..value]);
        masked.push_str("***");
        copied = value + length;
        from = copied;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    masked.push_str(&text[copied..]);
    Cow::Owned(masked)
}

#[cfg(test)]
mod tests {
    //! A password that slipped through is not shown.

    use super::*;

    #[test]
    fn credentials_are_masked_and_the_rest_is_left() {
        for (text, shown) in [
            ("plain words", "plain words"),
            (
                "postgres://app:s3cret@db:5432/shop is away",
                "postgres://app:***@db:5432/shop is away",
            ),
            ("mysql://app:p@ss@db/x", "mysql://app:***@db/x"),
            ("postgres://app@db/shop", "postgres://app@db/shop"),
            ("http://db/x, see a@b", "http://db/x, see a@b"),
            ("`sqlite://app.db?mode=rwc`", "`sqlite://app.db?mode=rwc`"),
            (
                "host=db PASSWORD=s3cret user=app",
                "host=db PASSWORD=*** user=app",
            ),
            ("x?user=a&password=s3cret&b=c", "x?user=a&password=***&b=c"),
            ("a://u:p@h and b://v:q@i", "a://u:***@h and b://v:***@i"),
        ] {
            assert_eq!(without_credentials(text), shown);
        }
    }
}
