//! Texts without their secrets, for messages, logs, history rows and the audit trail.
//!
//! Where it is not certain what is secret, too much is masked rather than too little.

use std::borrow::Cow;
use std::ops::Range;

/// What stands in the place of a secret.
pub(crate) const MASK: &str = "***";

/// A database URL without its secrets, for showing to people.
///
/// Masked are the password before the host, and the values of parameters whose names tell of a
/// secret (`password`, `sslpassword`, `token` …), in the query or in a list of settings such as
/// `host=db password=…`. A text that is no URL is treated the same: everything between the first
/// colon and the last `@` goes, since an unescaped password can hold any character. The user, the
/// host, the port and the database's name stay, so far as it is certain that they are these.
pub fn redact_url(url: &str) -> String {
    let (scheme, rest) = match url.find("://") {
        Some(at) => url.split_at(at + 3),
        None => ("", url),
    };
    let of_file = ["sqlite:", "file:"].iter().any(|prefix| {
        url.get(..prefix.len())
            .is_some_and(|start| start.eq_ignore_ascii_case(prefix))
    });
    let rest = if scheme.is_empty() {
        Cow::Owned(redact_settings(rest))
    } else {
        Cow::Borrowed(rest)
    };
    // The query first: an `@` in a password there must not be taken for the end of a user's.
    let rest = redact_query(&rest);
    let rest = if of_file { rest } else { redact_user(&rest) };
    format!("{scheme}{rest}")
}

/// Masks what follows the user in `user:password@host…`.
fn redact_user(rest: &str) -> String {
    if let Some((user_and_password, host)) = rest.rsplit_once('@') {
        return match user_and_password.split_once(':') {
            Some((user, _)) => format!("{user}:{MASK}@{host}"),
            None => rest.to_owned(),
        };
    }
    // Without an `@`, what follows a colon is a port, or a password whose host was forgotten.
    let authority = &rest[..rest.find(['/', '?', '#']).unwrap_or(rest.len())];
    match authority.split_once(':') {
        Some((user, _)) if !only_ports(authority) => format!("{user}:{MASK}"),
        _ => rest.to_owned(),
    }
}

/// Whether only ports follow colons, in `host:1,host:2` and `[::1]:1`.
fn only_ports(authority: &str) -> bool {
    authority.split(',').all(|host| {
        let port = match host.strip_prefix('[') {
            Some(address) => address.split_once(']').map_or(":", |(_, port)| port),
            None => host.find(':').map_or("", |at| &host[at..]),
        };
        port.is_empty()
            || port.strip_prefix(':').is_some_and(|digits| {
                !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit())
            })
    })
}

fn redact_query(rest: &str) -> String {
    let Some((path, query)) = rest.split_once('?') else {
        return rest.to_owned();
    };
    let mut after_secret = false;
    let parameters: Vec<Cow<'_, str>> = query
        .split('&')
        .map(|parameter| match parameter.split_once('=') {
            Some((name, _)) => {
                after_secret = names_secret(&percent_decoded(name));
                if after_secret {
                    Cow::Owned(format!("{name}={MASK}"))
                } else {
                    Cow::Borrowed(parameter)
                }
            }
            // The rest of a secret that holds an unescaped `&`.
            None if after_secret => Cow::Borrowed(MASK),
            None => Cow::Borrowed(parameter),
        })
        .collect();
    format!("{path}?{}", parameters.join("&"))
}

/// Masks the secrets in `host=db password='a b' user=me`.
pub(crate) fn redact_settings(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut copied = 0;
    let mut from = 0;
    while let Some(equals) = text[from..].find('=').map(|at| from + at) {
        from = equals + 1;
        let name = setting_name(&text[copied..equals]);
        if !names_secret(name) {
            continue;
        }
        let value = &text[from..];
        let start = from + value.len() - value.trim_start().len();
        let end = start + setting_length(&text[start..]);
        plain.push_str(&text[copied..start]);
        plain.push_str(MASK);
        copied = end;
        from = end;
    }
    plain.push_str(&text[copied..]);
    plain
}

/// The name that ends just before an equals sign.
fn setting_name(before: &str) -> &str {
    let before = before.trim_end();
    let start = before
        .char_indices()
        .rev()
        .take_while(|(_, c)| c.is_alphanumeric() || matches!(c, '_' | '-'))
        .last()
        .map_or(before.len(), |(at, _)| at);
    &before[start..]
}

/// The length of a setting's value: a quoted one, or all up to the next setting.
fn setting_length(text: &str) -> usize {
    if let Some(quote) = text.chars().next().filter(|c| matches!(c, '\'' | '"')) {
        let mut escaped = false;
        for (at, c) in text.char_indices().skip(1) {
            if c == quote && !escaped {
                return at + 1;
            }
            escaped = c == '\\' && !escaped;
        }
        return text.len();
    }
    let mut end = text.len();
    let mut blank = None;
    for (at, c) in text.char_indices() {
        if c.is_whitespace() {
            blank = Some(at);
        } else if let Some(begin) = blank {
            if c == '=' {
                end = begin;
                break;
            }
            if !(c.is_alphanumeric() || matches!(c, '_' | '-')) {
                blank = None;
            }
        }
    }
    end
}

/// Whether a parameter, setting or column of this name holds a secret.
pub fn names_secret(name: &str) -> bool {
    let plain: String = name
        .chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect();
    let parts = [
        "passw",
        // Misspelt, it is the same secret.
        "pasw",
        "pswd",
        "passphrase",
        "secret",
        "credential",
        "apikey",
    ];
    parts.iter().any(|part| plain.contains(part))
        || ["pwd", "token", "pass"]
            .iter()
            .any(|end| plain.ends_with(end))
        || matches!(
            plain.as_str(),
            "key" | "hexkey" | "rekey" | "hexrekey" | "auth"
        )
}

/// Masks known secrets wherever they stand in a text.
///
/// Each is found as it is, percent-encoded, percent-decoded, with its quotes doubled, and with
/// backslash escapes as in JSON and Rust's debug form, in any mixture of these. An empty secret is
/// none. A short one is masked wherever its letters stand.
pub fn redact_secrets(text: &str, secrets: &[&str]) -> String {
    let mut found: Vec<Range<usize>> = Vec::new();
    for secret in secrets.iter().filter(|secret| !secret.is_empty()) {
        find_secret(text, secret, &mut found);
        let decoded = percent_decoded(secret);
        if !decoded.is_empty() && decoded != **secret {
            find_secret(text, &decoded, &mut found);
        }
    }
    found.sort_by_key(|range| range.start);
    let mut plain = String::with_capacity(text.len());
    let mut copied = 0;
    for range in found {
        if range.start >= copied {
            plain.push_str(&text[copied..range.start]);
            plain.push_str(MASK);
        }
        copied = copied.max(range.end);
    }
    plain.push_str(&text[copied..]);
    plain
}

fn find_secret(text: &str, secret: &str, found: &mut Vec<Range<usize>>) {
    let mut from = 0;
    // Occurrences that overlap count too: the part of one that the other leaves would stay.
    while let Some(at) = text[from..].find(secret).map(|at| from + at) {
        found.push(at..at + secret.len());
        from = at + secret.chars().next().map_or(1, char::len_utf8);
    }
    for (start, _) in text.char_indices() {
        if let Some(end) = encoded_end(text.as_bytes(), start, secret.as_bytes())
            && text.is_char_boundary(end)
        {
            found.push(start..end);
        }
    }
}

/// Where an encoded form of the secret that begins at this offset ends.
fn encoded_end(text: &[u8], start: usize, secret: &[u8]) -> Option<usize> {
    let mut at = start;
    for (index, &expected) in secret.iter().enumerate() {
        let rest = &text[at..];
        at += match rest {
            [b'%', high, low, ..] if hex_byte(*high, *low) == Some(expected) => 3,
            [b'\\', escaped, ..] if unescaped(*escaped) == expected => 2,
            [byte, following, ..]
                if *byte == expected
                    && following == byte
                    && matches!(byte, b'\'' | b'"' | b'`')
                    && secret.get(index + 1) != Some(byte) =>
            {
                2
            }
            [byte, ..] if *byte == expected || (*byte == b'+' && expected == b' ') => 1,
            _ => return None,
        };
    }
    Some(at)
}

fn unescaped(escaped: u8) -> u8 {
    match escaped {
        b'n' => b'\n',
        b'r' => b'\r',
        b't' => b'\t',
        b'0' => 0,
        other => other,
    }
}

fn hex_byte(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(high)? * 16 + digit(low)?;
    u8::try_from(value).ok()
}

/// The text with `%41` resolved; as it is where that would not be text.
fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let bytes = text.as_bytes();
    let mut decoded = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(&byte) = bytes.get(at) {
        let encoded = match (byte, bytes.get(at + 1), bytes.get(at + 2)) {
            (b'%', Some(&high), Some(&low)) => hex_byte(high, low),
            _ => None,
        };
        decoded.push(encoded.unwrap_or(byte));
        at += if encoded.is_some() { 3 } else { 1 };
    }
    String::from_utf8(decoded).map_or(Cow::Borrowed(text), Cow::Owned)
}
