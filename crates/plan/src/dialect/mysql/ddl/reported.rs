//! What the catalogue shows of a type and a default that were written in another way.

use std::collections::BTreeSet;

use super::super::canonical::{self, string_value};
use super::super::types::INTEGERS;
use super::super::{meaning, write};
use super::parse::TypeText;
use crate::dialect::Dialect;
use crate::dialect::tokens::{significant, without_outer_parentheses};
use crate::schema::ColumnType;
use crate::sql::lexer::TokenKind;

/// The type as `COLUMN_TYPE` shows it. Nothing where it is not known what the server makes of it.
/// `bytes` is how many a character can take.
pub(super) fn column_type(written: &TypeText, bytes: u64) -> Option<String> {
    let TypeText {
        name,
        numbers,
        values,
        ..
    } = written;
    let base = match name.as_str() {
        "integer" | "int4" => "int",
        "int1" => "tinyint",
        "int2" => "smallint",
        "int3" | "middleint" => "mediumint",
        "int8" => "bigint",
        "dec" | "numeric" | "fixed" => "decimal",
        "float4" => "float",
        "float8" | "real" | "double precision" => "double",
        "character" => "char",
        "varcharacter" => "varchar",
        "geomcollection" => "geometrycollection",
        other => other,
    };
    let is_number = INTEGERS.contains(&base) || ["decimal", "float", "double"].contains(&base);
    if !is_number && (written.unsigned || written.zerofill) {
        return None;
    }
    let takes_values = ["enum", "set"].contains(&base);
    // The catalogue can't show characters of four bytes there.
    let are_shown = values
        .iter()
        .flat_map(|value| value.chars())
        .all(|c| c.len_utf8() < 4);
    if takes_values == values.is_empty() || !are_shown {
        return None;
    }
    let with = |base: &str, numbers: &[u64]| -> String {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        if numbers.is_empty() {
            base.to_owned()
        } else {
            format!("{base}({})", numbers.join(","))
        }
    };
    let text = match (base, numbers.as_slice()) {
        ("bool" | "boolean", []) => "tinyint(1)".to_owned(),
        (integer, []) if INTEGERS.contains(&integer) => {
            let digits = match integer {
                "tinyint" => 3,
                "smallint" => 5,
                "mediumint" => 8,
                "int" => 10,
                _ => 20,
            };
            if written.zerofill {
                with(integer, &[digits])
            } else {
                integer.to_owned()
            }
        }
        (integer, [digits]) if INTEGERS.contains(&integer) && *digits > 0 => with(integer, numbers),
        ("decimal", []) => with(base, &[10, 0]),
        ("decimal", [digits]) if *digits > 0 => with(base, &[*digits, 0]),
        ("decimal", [digits, _]) if *digits > 0 => with(base, numbers),
        ("float", [digits]) => with(if *digits > 24 { "double" } else { "float" }, &[]),
        ("bit" | "char" | "binary", []) => with(base, &[1]),
        ("float" | "double", [] | [_, _])
        | ("bit" | "char" | "varchar" | "binary" | "varbinary", [_])
        | ("datetime" | "timestamp" | "time", [1..=6]) => with(base, numbers),
        ("text" | "blob", [length]) => {
            let length = if base == "text" {
                length.saturating_mul(bytes)
            } else {
                *length
            };
            let size = match length {
                0 => return None,
                1..=0xff => "tiny",
                0x100..=0xffff => "",
                0x1_0000..=0xff_ffff => "medium",
                _ => "long",
            };
            format!("{size}{base}")
        }
        ("year", [] | [4]) => "year".to_owned(),
        ("enum" | "set", []) => {
            // The catalogue has no blanks at the ends of values.
            let values = values
                .iter()
                .map(|value| write::string(value.trim_end_matches(' ')));
            let values: Vec<String> = values.collect();
            format!("{base}({})", values.join(","))
        }
        ("datetime" | "timestamp" | "time", [0])
        | (
            "datetime" | "timestamp" | "time" | "date" | "tinytext" | "text" | "mediumtext"
            | "longtext" | "tinyblob" | "blob" | "mediumblob" | "longblob" | "json" | "uuid"
            | "inet4" | "inet6" | "geometry" | "point" | "linestring" | "polygon" | "multipoint"
            | "multilinestring" | "multipolygon" | "geometrycollection",
            [],
        ) => base.to_owned(),
        _ => return None,
    };
    let unsigned = if written.unsigned || written.zerofill {
        " unsigned"
    } else {
        ""
    };
    let zerofill = if written.zerofill { " zerofill" } else { "" };
    Some(format!("{text}{unsigned}{zerofill}"))
}

/// A default as the catalogue shows it, as far as that is known; else as it is written.
pub(super) fn default(written: &str, column_type: &ColumnType) -> String {
    let tokens = significant(written, Dialect::Mysql);
    let inner = without_outer_parentheses(&tokens);
    let [token] = inner else {
        return written.to_owned();
    };
    if token.is_word("true") || token.is_word("false") {
        return if token.is_word("true") { "1" } else { "0" }.to_owned();
    }
    if token.kind != TokenKind::String || !token.text.starts_with(['\'', '"']) {
        return token.text.to_owned();
    }
    let value = string_value(token.text);
    let fraction = fraction_of(column_type);
    let value = match column_type.base.as_str() {
        "datetime" | "timestamp" if has_form(&value, "0000-00-00") => {
            format!("{value} 00:00:00{fraction}")
        }
        "datetime" | "timestamp" if has_form(&value, "0000-00-00 00:00") => {
            format!("{value}:00{fraction}")
        }
        "datetime" | "timestamp" if has_form(&value, "0000-00-00 00:00:00") => {
            format!("{value}{fraction}")
        }
        "time" if has_form(&value, "00:00") => format!("{value}:00{fraction}"),
        "time" if has_form(&value, "00:00:00") => format!("{value}{fraction}"),
        "char" => value.trim_end_matches(' ').to_owned(),
        "set" => {
            let wanted: BTreeSet<&str> = value.split(',').collect();
            let all = column_type.values.iter().map(String::as_str);
            let chosen: Vec<&str> = all.filter(|value| wanted.contains(value)).collect();
            if chosen.len() == wanted.len() {
                chosen.join(",")
            } else {
                value
            }
        }
        _ => value,
    };
    write::string(&value)
}

/// The fraction of a second that a moment of the type has, as zeros.
fn fraction_of(column_type: &ColumnType) -> String {
    let digits = column_type.modifiers.first().copied().unwrap_or(0);
    match usize::try_from(digits) {
        Ok(digits) if digits > 0 => format!(".{}", "0".repeat(digits)),
        _ => String::new(),
    }
}

/// Whether the catalogue is known to show this default with this text, or one that counts as the same.
pub(super) fn is_known_default(text: &str, column_type: &ColumnType) -> bool {
    let tokens = significant(text, Dialect::Mysql);
    let inner = without_outer_parentheses(&tokens);
    if canonical::is_current_time(text) {
        return true;
    }
    let unsigned = match inner {
        [sign, rest @ ..] if sign.is_sign("-") || sign.is_sign("+") => rest,
        all => all,
    };
    let [token] = unsigned else {
        return meaning::of(text).is_some();
    };
    let base = column_type.base.as_str();
    match token.kind {
        TokenKind::Word => ["true", "false", "null"]
            .iter()
            .any(|word| token.is_word(word)),
        TokenKind::Number => is_known_number(token.text, column_type),
        TokenKind::String if token.text.to_ascii_lowercase().starts_with('b') => base == "bit",
        TokenKind::String if token.text.starts_with(['\'', '"']) => {
            let value = string_value(token.text);
            match base {
                "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "json"
                | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => {
                    !value.contains('\0')
                }
                "binary" => column_type
                    .modifiers
                    .first()
                    .is_some_and(|length| usize::try_from(*length) == Ok(value.len())),
                "enum" => column_type.values.contains(&value),
                "set" => {
                    value.is_empty()
                        || value
                            .split(',')
                            .all(|one| column_type.values.iter().any(|v| v == one))
                }
                "date" => has_form(&value, "0000-00-00"),
                "datetime" | "timestamp" => has_form(
                    &value,
                    &format!("0000-00-00 00:00:00{}", fraction_of(column_type)),
                ),
                "time" => has_form(&value, &format!("00:00:00{}", fraction_of(column_type))),
                _ => is_known_number(&value, column_type),
            }
        }
        _ => false,
    }
}

/// Whether a number is shown as it is written, but for zeros that say nothing.
fn is_known_number(text: &str, column_type: &ColumnType) -> bool {
    let text = text.trim_start_matches(['-', '+']);
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    let fraction = fraction.trim_end_matches('0');
    let are_digits = |part: &str| part.chars().all(|c| c.is_ascii_digit());
    if !are_digits(whole) || !are_digits(fraction) || whole.is_empty() {
        return false;
    }
    let digits = whole.len() + fraction.len();
    match column_type.base.as_str() {
        "decimal" => {
            let scale = column_type.modifiers.get(1).copied().unwrap_or(0);
            i64::try_from(fraction.len()).is_ok_and(|length| length <= scale)
        }
        "float" => digits <= 6 && column_type.modifiers.is_empty(),
        "double" => digits <= 15 && column_type.modifiers.is_empty(),
        "year" => whole.len() == 4 && fraction.is_empty(),
        "bit" => fraction.is_empty(),
        base => {
            INTEGERS.contains(&base) && fraction.is_empty()
                || ["char", "varchar", "text"].contains(&base) && fraction.is_empty()
        }
    }
}

/// Whether the text has a digit wherever the form has one, and all else in the same places.
fn has_form(text: &str, form: &str) -> bool {
    text.len() == form.len()
        && text.bytes().zip(form.bytes()).all(|(one, other)| {
            if other == b'0' {
                one.is_ascii_digit()
            } else {
                one == other
            }
        })
}
