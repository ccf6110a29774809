//! Column types of MySQL and MariaDB.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use crate::dialect::{Dialect, TypeChange, tokens};
use crate::op::{Risk, Warning};
use crate::schema::ColumnType;
use crate::sql::lexer::TokenKind;

/// Takes a type apart as `COLUMN_TYPE` has it. Display widths of integers mean nothing and go, but
/// for `tinyint(1)`, which drivers take for a boolean, and those filled with zeros.
pub(crate) fn parse(text: &str) -> ColumnType {
    let tokens = tokens::significant(text, Dialect::Mysql);
    let Some(first) = tokens.first() else {
        return ColumnType::builtin(text);
    };
    let base = first.text.to_ascii_lowercase();
    let close = tokens
        .get(1)
        .filter(|token| token.is_sign("("))
        .and_then(|_| tokens::closing(&tokens, 1));
    let (arguments, rest) = match close {
        Some(close) => (&tokens[2..close], &tokens[close + 1..]),
        None => (&[][..], &tokens[1..]),
    };
    let numbers: Vec<i64> = arguments
        .iter()
        .filter_map(|token| token.text.parse().ok())
        .collect();
    let values: Vec<String> = arguments
        .iter()
        .filter(|token| token.kind == TokenKind::String)
        .map(|token| super::canonical::string_value(token.text))
        .collect();
    let words: Vec<String> = rest.iter().map(|t| t.text.to_ascii_lowercase()).collect();
    let has = |word: &str| words.iter().any(|other| other == word);
    let is_integer = INTEGERS.contains(&base.as_str());
    let keeps_width = has("zerofill") || (base == "tinyint" && numbers == [1]);
    let modifiers = if (is_integer && !keeps_width) || base == "year" {
        Vec::new()
    } else {
        numbers
    };
    // The SQL standard's name for it, which both servers take.
    let mut text = if base == "int" {
        "integer".to_owned()
    } else {
        base.clone()
    };
    if !values.is_empty() {
        let quoted: Vec<String> = values.iter().map(|v| super::write::string(v)).collect();
        let _ = write!(text, "({})", quoted.join(","));
    } else if !modifiers.is_empty() {
        let numbers: Vec<String> = modifiers.iter().map(ToString::to_string).collect();
        let _ = write!(text, "({})", numbers.join(","));
    }
    for word in &words {
        text.push(' ');
        text.push_str(word);
    }
    ColumnType {
        base,
        modifiers,
        unsigned: has("unsigned"),
        values,
        ..ColumnType::builtin(text)
    }
}

/// `JSON`, which MariaDB keeps as `longtext` with a check.
pub(crate) fn json() -> ColumnType {
    ColumnType::builtin("json")
}

pub(crate) const INTEGERS: [&str; 5] = ["tinyint", "smallint", "mediumint", "int", "bigint"];
const TEXTS: [&str; 4] = ["tinytext", "text", "mediumtext", "longtext"];
const BLOBS: [&str; 4] = ["tinyblob", "blob", "mediumblob", "longblob"];

/// Whether a column of the type has a character set.
pub(crate) fn has_charset(column_type: &ColumnType) -> bool {
    let base = column_type.base.as_str();
    TEXTS.contains(&base) || ["char", "varchar", "enum", "set"].contains(&base)
}

/// Whether a default of the type is written as a string.
pub(crate) fn quotes_default(column_type: &ColumnType) -> bool {
    let base = column_type.base.as_str();
    !(INTEGERS.contains(&base) || ["decimal", "float", "double", "bit", "year"].contains(&base))
}

/// Whether the two types mean the same.
pub(crate) fn same(from: &ColumnType, to: &ColumnType) -> bool {
    from.text == to.text
}

/// What a change of type needs and risks.
pub(crate) fn change(from: &ColumnType, to: &ColumnType) -> TypeChange {
    let mut change = TypeChange {
        risk: Risk::Rewrites,
        warnings: BTreeSet::new(),
        note: None,
    };
    if from.base == "timestamp" && to.base != "timestamp"
        || to.base == "timestamp" && from.base != "timestamp"
    {
        change.warnings.insert(Warning::DependsOnTimezone);
    }
    let gone = gone(from, to);
    if !gone.is_empty() {
        // As with PostgreSQL's enums, the values are gone for good, even though no row may have one.
        change.warnings.insert(Warning::DataLoss);
        change.note = Some(format!(
            "rows that have {} make it fail, or lose the value where the sql_mode is not strict",
            gone.join(" or ")
        ));
    }
    match outcome(from, to) {
        Outcome::InPlace => change.risk = Risk::Safe,
        Outcome::Copied => {}
        Outcome::MayFail => {
            change.risk = Risk::MayFail;
            change.warnings.insert(Warning::MayFailOnData);
        }
        Outcome::Rounds => {
            change.risk = Risk::DataLoss;
            change.warnings.insert(Warning::DataLoss);
            change.note = Some(format!(
                "values lose what does not fit into {}, without an error",
                to.text
            ));
        }
    }
    change
}

/// What becomes of the values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    /// Nothing: only the catalogue changes.
    InPlace,
    /// They are written anew and stay what they are.
    Copied,
    /// One that does not fit makes it fail, in the strict mode that is the default.
    MayFail,
    /// They lose digits, silently.
    Rounds,
}

fn outcome(from: &ColumnType, to: &ColumnType) -> Outcome {
    let (old, new) = (from.base.as_str(), to.base.as_str());
    let length = |t: &ColumnType| t.modifiers.first().copied().unwrap_or(0);
    let rank = |list: &[&str], base: &str| list.iter().position(|other| *other == base);
    if let (Some(small), Some(large)) = (rank(&INTEGERS, old), rank(&INTEGERS, new)) {
        let fits = match (from.unsigned, to.unsigned) {
            (false, true) => false,
            (true, false) => large > small,
            _ => large >= small,
        };
        return fitting(fits, Outcome::Copied);
    }
    if old == new {
        return match old {
            // A length is kept in one byte up to 255 bytes; four bytes make a character.
            "varchar" | "varbinary" if length(to) >= length(from) => {
                let bytes = if old == "varchar" { 4 } else { 1 };
                let one_byte = |t: &ColumnType| length(t) * bytes <= 255;
                fitting(
                    true,
                    if one_byte(from) == one_byte(to) {
                        Outcome::InPlace
                    } else {
                        Outcome::Copied
                    },
                )
            }
            "char" | "varchar" | "binary" | "varbinary" | "bit" => {
                fitting(length(to) >= length(from), Outcome::Copied)
            }
            "decimal" => decimal(from, to),
            "datetime" | "timestamp" | "time" => {
                if length(to) >= length(from) {
                    Outcome::Copied
                } else {
                    Outcome::Rounds
                }
            }
            "enum" | "set" => values(&from.values, &to.values),
            "float" | "double" if to.modifiers.is_empty() => Outcome::Copied,
            _ => Outcome::MayFail,
        };
    }
    if let (Some(small), Some(large)) = (rank(&TEXTS, old), rank(&TEXTS, new)) {
        return fitting(large >= small, Outcome::Copied);
    }
    if let (Some(small), Some(large)) = (rank(&BLOBS, old), rank(&BLOBS, new)) {
        return fitting(large >= small, Outcome::Copied);
    }
    match (old, new) {
        ("double", "float") | ("datetime" | "timestamp", "date" | "time") => Outcome::Rounds,
        ("decimal" | "float" | "double", _) if INTEGERS.contains(&new) => Outcome::Rounds,
        // The shortest of these texts holds 65,535 bytes, as much as a row.
        ("json", "longtext")
        | ("float", "double")
        | ("date", "datetime")
        | ("enum" | "char" | "varchar", "text" | "mediumtext" | "longtext") => Outcome::Copied,
        ("enum", "varchar") => {
            let fits = |value: &String| {
                i64::try_from(value.chars().count()).is_ok_and(|count| count <= length(to))
            };
            fitting(from.values.iter().all(fits), Outcome::Copied)
        }
        ("char", "varchar") => fitting(length(to) >= length(from), Outcome::Copied),
        (_, "char" | "varchar") if is_short(from) => fitting(length(to) >= 30, Outcome::Copied),
        (_, "text" | "mediumtext" | "longtext") if is_short(from) => Outcome::Copied,
        _ => Outcome::MayFail,
    }
}

fn fitting(fits: bool, outcome: Outcome) -> Outcome {
    if fits { outcome } else { Outcome::MayFail }
}

/// Whether every value of the type is short when written as text.
fn is_short(column_type: &ColumnType) -> bool {
    INTEGERS.contains(&column_type.base.as_str())
        || ["date", "datetime", "timestamp", "time", "year"].contains(&column_type.base.as_str())
}

fn decimal(from: &ColumnType, to: &ColumnType) -> Outcome {
    let digits = |t: &ColumnType| {
        let scale = t.modifiers.get(1).copied().unwrap_or(0);
        (t.modifiers.first().copied().unwrap_or(10) - scale, scale)
    };
    let ((whole, scale), (new_whole, new_scale)) = (digits(from), digits(to));
    if new_scale < scale {
        Outcome::Rounds
    } else if new_whole < whole || (to.unsigned && !from.unsigned) {
        Outcome::MayFail
    } else {
        Outcome::Copied
    }
}

/// The values of an `ENUM` or `SET` that the other one does not have, as literals.
fn gone(from: &ColumnType, to: &ColumnType) -> Vec<String> {
    if from.base != to.base {
        return Vec::new();
    }
    let values = from.values.iter();
    values
        .filter(|value| !to.values.contains(value))
        .map(|value| super::write::string(value))
        .collect()
}

/// The values that may have been renamed, by their place: an `ENUM` keeps its values by number, but
/// the server moves them over by name.
pub(crate) fn renamed_values(from: &ColumnType, to: &ColumnType) -> Vec<(String, String)> {
    let pairs = from.values.iter().zip(&to.values);
    if from.base != "enum" || to.base != "enum" || from.values.len() != to.values.len() {
        return Vec::new();
    }
    pairs
        .filter(|(old, new)| !to.values.contains(old) && !from.values.contains(new))
        .map(|(old, new)| (super::write::string(old), super::write::string(new)))
        .collect()
}

fn values(from: &[String], to: &[String]) -> Outcome {
    if to.starts_with(from) {
        // The number of bytes that a value takes changes beyond 255.
        return if (from.len() > 255) == (to.len() > 255) {
            Outcome::InPlace
        } else {
            Outcome::Copied
        };
    }
    fitting(from.iter().all(|value| to.contains(value)), Outcome::Copied)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn display_widths_go_where_they_mean_nothing() {
        for (text, expected) in [
            ("int(11)", "integer"),
            ("bigint(20) unsigned", "bigint unsigned"),
            ("tinyint(1)", "tinyint(1)"),
            ("tinyint(4)", "tinyint"),
            ("int(5) unsigned zerofill", "integer(5) unsigned zerofill"),
            ("year(4)", "year"),
            ("decimal(10,2)", "decimal(10,2)"),
            ("VARCHAR(255)", "varchar(255)"),
            ("datetime(6)", "datetime(6)"),
            ("enum('a','b''c','d,e')", "enum('a','b''c','d,e')"),
        ] {
            assert_eq!(parse(text).text, expected, "{text}");
        }
        let parsed = parse("enum('a','b''c','d,e')");
        assert_eq!(parsed.values, ["a", "b'c", "d,e"]);
        assert!(parse("int(10) unsigned").unsigned);
        assert_eq!(parse("decimal(10,2)").modifiers, [10, 2]);
    }

    #[test]
    fn what_a_change_of_type_risks() {
        for (from, to, expected) in [
            ("int", "bigint", Outcome::Copied),
            ("bigint", "int", Outcome::MayFail),
            ("int", "int unsigned", Outcome::MayFail),
            ("int unsigned", "bigint", Outcome::Copied),
            ("varchar(50)", "varchar(60)", Outcome::InPlace),
            ("varchar(50)", "varchar(300)", Outcome::Copied),
            ("varchar(50)", "varchar(20)", Outcome::MayFail),
            ("varchar(50)", "text", Outcome::Copied),
            ("text", "varchar(50)", Outcome::MayFail),
            ("decimal(10,2)", "decimal(12,4)", Outcome::Copied),
            ("decimal(10,2)", "decimal(10,4)", Outcome::MayFail),
            ("decimal(10,4)", "decimal(12,2)", Outcome::Rounds),
            ("datetime(6)", "datetime", Outcome::Rounds),
            ("double", "int", Outcome::Rounds),
            ("int", "varchar(50)", Outcome::Copied),
            ("varchar(50)", "int", Outcome::MayFail),
            ("enum('a','long')", "varchar(4)", Outcome::Copied),
            ("enum('a','long')", "varchar(3)", Outcome::MayFail),
            ("enum('a','b')", "enum('a','b','c')", Outcome::InPlace),
            ("enum('a','b')", "enum('a','c','b')", Outcome::Copied),
            ("enum('a','b')", "enum('a')", Outcome::MayFail),
            ("longtext", "json", Outcome::MayFail),
        ] {
            assert_eq!(
                outcome(&parse(from), &parse(to)),
                expected,
                "{from} to {to}"
            );
        }
        let change = change(&parse("date"), &parse("timestamp"));
        assert!(change.warnings.contains(&Warning::DependsOnTimezone));
    }

    #[test]
    fn values_that_go_are_named() {
        let from = parse("enum('new','it''s','done')");
        let change = change(&from, &parse("enum('new','done')"));
        assert_eq!(change.risk, Risk::MayFail);
        assert!(change.warnings.contains(&Warning::DataLoss));
        assert!(change.warnings.contains(&Warning::MayFailOnData));
        let note = change.note.expect("a note");
        assert!(
            note.contains("'it''s'") && !note.contains("'new'"),
            "{note}"
        );
    }

    #[test]
    fn only_values_in_one_place_may_be_renamed() {
        for (from, to, expected) in [
            ("enum('a','b')", "enum('a','c')", &[("'b'", "'c'")][..]),
            (
                "enum('a','b')",
                "enum('x','y')",
                &[("'a'", "'x'"), ("'b'", "'y'")],
            ),
            ("enum('a','b')", "enum('c','a')", &[]),
            ("enum('a','b')", "enum('b','c')", &[]),
            ("enum('a','b')", "enum('a','c','d')", &[]),
            ("set('a','b')", "set('a','c')", &[]),
        ] {
            let found = renamed_values(&parse(from), &parse(to));
            let found: Vec<(&str, &str)> = found
                .iter()
                .map(|(old, new)| (old.as_str(), new.as_str()))
                .collect();
            assert_eq!(found, expected, "{from} to {to}");
        }
    }
}
