//! Reading single values.

use std::time::Duration;

/// No pause or limit is longer; a clock can always be added to it.
const LONGEST: Duration = Duration::from_hours(365 * 24);

/// Reads a duration: seconds as a bare number (`60`, `0.5`), or numbers with `ms`, `s`, `m` or `h`
/// (`30s`, `2m`, `1h30m`, `250ms`).
///
/// # Errors
/// A sentence that says what is wrong and what would be right.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong = || {
        format!(
            "{} is no duration: write seconds, or a number with ms, s, m or h, for example 30s or 2m",
            shown(text)
        )
    };
    let mut rest = text.trim();
    let mut seconds = 0.0_f64;
    let mut parts = 0_usize;
    while !rest.is_empty() {
        let number = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (digits, after) = rest.split_at(number);
        let after = after.trim_start();
        let unit = after
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        let factor = match unit.to_ascii_lowercase().as_str() {
            "ms" => 0.001,
            "s" | "sec" | "second" | "seconds" => 1.0,
            "m" | "min" | "minute" | "minutes" => 60.0,
            "h" | "hour" | "hours" => 3600.0,
            "" if parts == 0 && after.is_empty() => 1.0,
            _ => return Err(wrong()),
        };
        let is_number =
            digits.bytes().any(|b| b.is_ascii_digit()) && digits.matches('.').count() <= 1;
        let number: f64 = if is_number {
            digits.parse().map_err(|_| wrong())?
        } else {
            return Err(wrong());
        };
        seconds += number * factor;
        parts += 1;
        rest = after.trim_start();
    }
    if parts == 0 {
        return Err(wrong());
    }
    match Duration::try_from_secs_f64(seconds) {
        Ok(duration) if duration <= LONGEST => Ok(duration),
        _ => Err(format!("{} is longer than a year", shown(text))),
    }
}

/// Reads a yes or no.
pub(super) fn parse_boolean(text: &str) -> Result<bool, String> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Ok(true),
        "false" | "0" | "no" | "off" => Ok(false),
        _ => Err(format!("{} is neither true nor false", shown(text))),
    }
}

/// Reads a whole number within bounds, both included.
pub(super) fn parse_count(text: &str, least: u32, most: u32) -> Result<u32, String> {
    match text.trim().parse::<u32>() {
        Ok(count) if (least..=most).contains(&count) => Ok(count),
        _ => Err(format!(
            "{} is no whole number from {least} to {most}",
            shown(text)
        )),
    }
}

/// Reads a text that goes into database names, log lines or file names.
pub(super) fn parse_text(text: &str) -> Result<String, String> {
    const LONGEST: usize = 255;
    let text = text.trim();
    if text.is_empty() {
        Err("it is empty".to_owned())
    } else if text.len() > LONGEST {
        Err(format!("it is longer than {LONGEST} bytes"))
    } else if text.chars().any(char::is_control) {
        Err("it contains control characters".to_owned())
    } else {
        Ok(text.to_owned())
    }
}

/// A value as an error may show it: in quotes, and not at all if it could hold a password or
/// something that steers a terminal.
pub(super) fn shown(text: &str) -> String {
    const LONGEST: usize = 40;
    let harmless =
        |c: char| c.is_ascii_alphanumeric() || matches!(c, ' ' | '.' | '_' | '-' | '+' | ',');
    if text.len() <= LONGEST && text.chars().all(harmless) {
        format!("`{text}`")
    } else {
        "the value (not shown, it could hold a password)".to_owned()
    }
}
