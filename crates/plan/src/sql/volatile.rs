//! Literals that come out different each time a migration runs, because the clock or chance made
//! them.

use std::borrow::Cow;

/// The text with everything that looks made by the clock or by chance replaced by its kind in angle
/// brackets: dates and times of the years 2001 to 2100, points in time as numbers, UUIDs, hashes and
/// random strings.
pub(crate) fn without_volatile(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let mut plain = String::new();
    let mut copied = 0;
    let mut at = 0;
    // The end of the last run of random-looking characters that turned out not to be random.
    let mut judged = 0;
    while at < bytes.len() {
        // `\x` begins a PostgreSQL byte string.
        let begins = at == 0
            || !bytes[at - 1].is_ascii_alphanumeric()
            || (at >= 2 && bytes[at - 2..at] == *b"\\x");
        if !begins || !(bytes[at].is_ascii_alphanumeric() || bytes[at] == b'$') {
            at += 1;
            continue;
        }
        let rest = &bytes[at..];
        let found = uuid(rest)
            .map(|length| ("<uuid>", length))
            .or_else(|| date_or_time(rest).map(|length| ("<time>", length)))
            .or_else(|| point_in_time(rest).map(|length| ("<time>", length)))
            .or_else(|| password_hash(rest).map(|length| ("<random>", length)))
            .or_else(|| random(rest, at, &mut judged).map(|length| ("<random>", length)));
        if let Some((kind, length)) = found {
            plain.push_str(&text[copied..at]);
            plain.push_str(kind);
            at += length;
            copied = at;
        } else {
            at += alphanumeric(rest).max(1);
        }
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    plain.push_str(&text[copied..]);
    Cow::Owned(plain)
}

fn count(bytes: &[u8], accepts: impl Fn(u8) -> bool) -> usize {
    bytes.iter().take_while(|byte| accepts(**byte)).count()
}

fn alphanumeric(bytes: &[u8]) -> usize {
    count(bytes, |byte| byte.is_ascii_alphanumeric())
}

fn ends_here(bytes: &[u8], length: usize) -> bool {
    !bytes.get(length).is_some_and(u8::is_ascii_alphanumeric)
}

/// `8-4-4-4-12` hexadecimal digits.
fn uuid(bytes: &[u8]) -> Option<usize> {
    let form = bytes.get(..36)?;
    let fits = form.iter().enumerate().all(|(index, byte)| match index {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    });
    (fits && ends_here(bytes, 36)).then_some(36)
}

/// Seconds, milliseconds, microseconds or nanoseconds since 1970, with or without a fraction.
pub(crate) fn point_in_time(bytes: &[u8]) -> Option<usize> {
    let digits = count(bytes, |byte| byte.is_ascii_digit());
    if !matches!(digits, 10 | 13 | 16 | 19) {
        return None;
    }
    let seconds = bytes[..10]
        .iter()
        .fold(0_u64, |value, digit| value * 10 + u64::from(digit - b'0'));
    // September 2001, when the seconds got their tenth digit, to the end of 2100.
    if !(1_000_000_000..4_133_980_800).contains(&seconds) {
        return None;
    }
    let mut length = digits;
    if bytes.get(length) == Some(&b'.') {
        let fraction = count(&bytes[length + 1..], |byte| byte.is_ascii_digit());
        if fraction > 0 {
            length += 1 + fraction;
        }
    }
    ends_here(bytes, length).then_some(length)
}

/// The `$name$…` form of salted password hashes.
fn password_hash(bytes: &[u8]) -> Option<usize> {
    let name = count(bytes.strip_prefix(b"$")?, |byte| {
        byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'
    });
    if name == 0 || bytes.get(name + 1) != Some(&b'$') {
        return None;
    }
    let length = count(bytes, |byte| {
        byte.is_ascii_alphanumeric() || b"./$=,+-".contains(&byte)
    });
    (length >= 30).then_some(length)
}

/// Hexadecimal digests, base64 and other strings in which letters and digits change places as they
/// do by chance and not in words.
fn random(bytes: &[u8], offset: usize, judged: &mut usize) -> Option<usize> {
    if offset >= *judged {
        let long = count(bytes, |byte| {
            byte.is_ascii_alphanumeric() || b"+/_=-".contains(&byte)
        });
        if is_mixed(&bytes[..long]) {
            return Some(long);
        }
        *judged = offset + long;
    }
    let short = alphanumeric(bytes);
    let run = &bytes[..short];
    (is_hexadecimal(run) || is_ulid(run) || is_mixed(run)).then_some(short)
}

pub(crate) fn is_hexadecimal(run: &[u8]) -> bool {
    run.len() >= 16
        && run.iter().all(u8::is_ascii_hexdigit)
        && run.iter().any(u8::is_ascii_digit)
        && run.iter().any(u8::is_ascii_alphabetic)
}

/// 26 letters and digits without I, L, O and U, of which the first bears three bits.
fn is_ulid(run: &[u8]) -> bool {
    run.len() == 26
        && (b'0'..=b'7').contains(&run[0])
        && run.iter().all(|byte| {
            byte.is_ascii_digit() || (byte.is_ascii_uppercase() && !b"ILOU".contains(byte))
        })
        && run.iter().any(u8::is_ascii_uppercase)
}

fn is_mixed(run: &[u8]) -> bool {
    let class = |byte: u8| match byte {
        b'0'..=b'9' => Some(0),
        b'a'..=b'z' => Some(1),
        b'A'..=b'Z' => Some(2),
        _ => None,
    };
    let mut counts = [0_usize; 3];
    let mut pairs = 0;
    let mut changes = 0;
    for (index, &byte) in run.iter().enumerate() {
        let Some(now) = class(byte) else { continue };
        counts[now] += 1;
        if let Some(before) = index.checked_sub(1).and_then(|before| class(run[before])) {
            pairs += 1;
            changes += usize::from(before != now);
        }
    }
    let [digits, lower, upper] = counts;
    // Chance gives about 64 changes in 100 with both cases and 40 with one; names in camel case
    // have some 33, names with a number in them some 10.
    let (shortest, least) = if lower > 0 && upper > 0 {
        (16, 42)
    } else {
        (20, 25)
    };
    digits > 0 && lower + upper > 0 && run.len() >= shortest && changes * 100 >= pairs * least
}

/// The length of a date, a time or both.
fn date_or_time(bytes: &[u8]) -> Option<usize> {
    let mut reader = Reader { bytes, at: 0 };
    let whole = if reader.try_read(Reader::date) {
        reader.try_read(|reader| {
            reader.date_time_separator()?;
            reader.time(false)
        });
        true
    } else {
        reader.try_read(|reader| reader.time(true))
    };
    (whole && ends_here(bytes, reader.at)).then_some(reader.at)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];

const WEEKDAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

#[derive(Clone, Copy)]
struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    /// Reads, or stays where it is.
    fn try_read(&mut self, read: impl FnOnce(&mut Self) -> Option<()>) -> bool {
        let mut ahead = *self;
        let done = read(&mut ahead).is_some();
        if done {
            *self = ahead;
        }
        done
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, accepted: &[u8]) -> Option<u8> {
        let byte = self.peek().filter(|byte| accepted.contains(byte))?;
        self.at += 1;
        Some(byte)
    }

    /// A number of this many digits and not more.
    fn number(&mut self, least: usize, most: usize) -> Option<u32> {
        let digits = count(&self.bytes[self.at..], |byte| byte.is_ascii_digit());
        if !(least..=most).contains(&digits) {
            return None;
        }
        self.digits(digits)
    }

    /// A number of exactly this many digits, whatever follows.
    fn digits(&mut self, length: usize) -> Option<u32> {
        let digits = self.bytes.get(self.at..self.at + length)?;
        self.at += length;
        digits.iter().try_fold(0_u32, |value, digit| {
            let digit = char::from(*digit).to_digit(10)?;
            value.checked_mul(10)?.checked_add(digit)
        })
    }

    /// One of these words, in full or as its first three letters.
    fn word(&mut self, words: &[&str]) -> Option<()> {
        let rest = &self.bytes[self.at..];
        let length = count(rest, |byte| byte.is_ascii_alphabetic());
        let found = rest[..length].to_ascii_lowercase();
        let known = (3..=9).contains(&length)
            && words
                .iter()
                .any(|word| found == word.as_bytes() || found == word.as_bytes()[..3]);
        self.at += length;
        known.then_some(())
    }

    fn blanks(&mut self) {
        for _ in 0..3 {
            if self.take(b" ").is_none() {
                break;
            }
        }
    }

    fn date(&mut self) -> Option<()> {
        let done = self.try_read(Self::year_first)
            || self.try_read(Self::year_last)
            || self.try_read(Self::compact)
            || self.try_read(Self::with_month_name);
        done.then_some(())
    }

    fn year_first(&mut self) -> Option<()> {
        let year = self.number(4, 4)?;
        let separator = self.take(b"-/.")?;
        let month = self.number(1, 2)?;
        self.take(&[separator])?;
        let day = self.number(1, 2)?;
        is_date(year, month, day)
    }

    /// Day and month in either order.
    fn year_last(&mut self) -> Option<()> {
        let first = self.number(1, 2)?;
        let separator = self.take(b"-/.")?;
        let second = self.number(1, 2)?;
        self.take(&[separator])?;
        let year = self.number(4, 4)?;
        is_date(year, first, second).or_else(|| is_date(year, second, first))
    }

    /// `20260102`, with `030405` after it or without.
    fn compact(&mut self) -> Option<()> {
        let digits = count(&self.bytes[self.at..], |byte| byte.is_ascii_digit());
        if !matches!(digits, 8 | 14) {
            return None;
        }
        let (year, month, day) = (self.digits(4)?, self.digits(2)?, self.digits(2)?);
        is_date(year, month, day)?;
        if digits == 14 {
            return self.compact_time();
        }
        self.try_read(|reader| {
            reader.take(b"T_- ")?;
            if count(&reader.bytes[reader.at..], |byte| byte.is_ascii_digit()) != 6 {
                return None;
            }
            reader.compact_time()?;
            reader.zone();
            Some(())
        });
        Some(())
    }

    fn compact_time(&mut self) -> Option<()> {
        let (hour, minute, second) = (self.digits(2)?, self.digits(2)?, self.digits(2)?);
        (hour < 24 && minute < 60 && second < 61).then_some(())
    }

    fn with_month_name(&mut self) -> Option<()> {
        self.try_read(|reader| {
            reader.word(&WEEKDAYS)?;
            reader.take(b",");
            reader.take(b" ")?;
            Some(())
        });
        let day_first = self.try_read(|reader| {
            reader.number(1, 2)?;
            reader.take(b" -/")?;
            reader.word(&MONTHS)?;
            reader.take(b",");
            reader.take(b" -/")?;
            Some(())
        });
        if !day_first {
            self.word(&MONTHS)?;
            self.take(b" ")?;
            self.blanks();
            self.number(1, 2)?;
            self.take(b",");
            self.take(b" ")?;
            // `Fri Jan  2 03:04:05 2026`
            self.try_read(|reader| {
                reader.time(true)?;
                reader.take(b" ")?;
                Some(())
            });
        }
        let year = self.number(4, 4)?;
        is_date(year, 1, 1)
    }

    fn date_time_separator(&mut self) -> Option<()> {
        if self.take(b"Tt_").is_some() {
            return Some(());
        }
        self.take(b",");
        self.take(b" ")?;
        Some(())
    }

    /// `3:04`, `03:04:05`, `03:04:05.678`, with a zone or without.
    fn time(&mut self, with_seconds: bool) -> Option<()> {
        let hour = self.number(1, 2)?;
        self.take(b":")?;
        let minute = self.number(2, 2)?;
        let seconds = self.try_read(|reader| {
            reader.take(b":")?;
            let second = reader.number(2, 2)?;
            (second < 61).then_some(())
        });
        if hour > 23 || minute > 59 || (with_seconds && !seconds) {
            return None;
        }
        self.try_read(|reader| {
            reader.take(b".,")?;
            reader.number(1, 12)?;
            Some(())
        });
        self.zone();
        Some(())
    }

    fn zone(&mut self) {
        self.try_read(|reader| {
            reader.take(b" ");
            let rest = &reader.bytes[reader.at..];
            let name = [&b"UTC"[..], b"GMT", b"AM", b"PM", b"am", b"pm", b"Z", b"z"]
                .into_iter()
                .find(|name| rest.starts_with(name) && ends_here(rest, name.len()));
            if let Some(name) = name {
                reader.at += name.len();
                return Some(());
            }
            reader.take(b"+-")?;
            reader.digits(2)?;
            reader.take(b":");
            reader.try_read(|reader| reader.digits(2).map(|_| ()));
            Some(())
        });
    }
}

/// Whether a clock can show the date in the years 2001 to 2100.
fn is_date(year: u32, month: u32, day: u32) -> Option<()> {
    let fits =
        (2001..=2100).contains(&year) && (1..=12).contains(&month) && (1..=31).contains(&day);
    fits.then_some(())
}
